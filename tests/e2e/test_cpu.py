"""CPUs without AVX2: the stages refuse them in a line, and predictions are made there."""

import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests import verify
from tests.conftest import tree
from tests.processes import ROOT, Ended, python, run
from tests.verify import EMULATOR, Copy

each_cpu = pytest.mark.parametrize(
    "cpu",
    [
        "SandyBridge",
        pytest.param("Nehalem", marks=pytest.mark.nightly),
    ],  # the first has AVX, the second not
)


def emulate(cpu: str, folder: Path, *words: str) -> Ended:
    """Run Python on an emulated CPU."""
    if shutil.which(EMULATOR[0]) is None:
        pytest.skip("needs the emulator qemu-x86_64 (Debian: apt install qemu-user)")
    environment = {"PYTHONPATH": str(ROOT), "HOME": str(folder)}
    return run(
        EMULATOR[0], "-cpu", cpu, sys.executable, *words, folder=folder, environment=environment
    )


@each_cpu
def test_a_stage_names_what_the_cpu_needs_before_it_starts(project: Path, cpu: str) -> None:
    before = tree(project)
    done = emulate(cpu, project, "-m", "stages.train")
    assert done.status == 2
    assert done.err.startswith("error: train: the CPU must have AVX2 and FMA")
    assert done.err.count("\n") == 1
    assert tree(project) == before


@each_cpu
def test_predictions_are_made_without_avx2(project: Path, cpu: str) -> None:
    words = ("-m", "textclf.cli", "predict", "good food", "awful staff")
    done = emulate(cpu, project, *words)
    assert (done.status, done.err) == (0, "")
    assert done == python(*words, folder=project)  # as long as no model needs BLAS


def test_arrays_are_multiplied_without_avx2(tmp_path: Path) -> None:
    code = "import textclf, numpy as np; print((np.ones((99, 99)) @ np.ones((99, 99))).sum())"
    assert emulate("SandyBridge", tmp_path, "-c", code) == (0, "970299.0\n", "")


SEQUENCES = """
import hashlib
import textclf  # before numpy, whose arithmetic it pins
from tests.unit.models import test_sequences as networks
for package, own in networks.KINDS:
    fitted = networks.fit(package, **own, batch_size=6, epochs=1, dimensions=40, units=(20,))
    predicted = fitted.layers.predict_proba(networks.rows().X).tobytes()
    print(hashlib.sha256(b"".join([*networks.bits(fitted), predicted])).hexdigest())
"""


@pytest.mark.nightly
def test_networks_over_token_ids_have_the_same_bits_on_another_cpu(tmp_path: Path) -> None:
    here, there = python("-c", SEQUENCES), emulate("Haswell-noTSX", tmp_path, "-c", SEQUENCES)
    assert here.status == there.status == 0, here.err + there.err
    assert here.out.count("\n") == 4
    assert there.out == here.out


ARM64 = ("neoverse-n1", "cortex-a72")  # today's servers, and ARMv8.0
APT = """
APT {{ Architecture "arm64"; Architectures {{ "arm64"; }}; Install-Recommends "false"; }};
Dir {{ State "{0}"; State::status "/dev/null"; Cache "{0}"; }};
"""
PACKAGES = """
annotated-types charset-normalizer cloudpickle jinja2 joblib markupsafe ml-dtypes mmh3 narwhals
numpy onnx pandas protobuf pyarrow pydantic pydantic-core python-dateutil ruamel-yaml scikit-learn
scipy six threadpoolctl tqdm
typing-extensions typing-inspection
"""  # what predict and all stages but the network's need
KINDS = ("majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm")
STAGES = ("split", "vectorize@words", *(f"train@{kind}" for kind in KINDS), "evaluate", "export")


@pytest.fixture(scope="module")
def arm64(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The command of Debian's Python for arm64, with locked wheels; QEMU_CPU names the CPU."""
    place = tmp_path_factory.mktemp("arm64")
    system = place / "system"
    (place / "lists/partial").mkdir(parents=True)
    (place / "archives/partial").mkdir(parents=True)
    (place / "apt.conf").write_text(APT.format(place))
    locked = re.findall(
        r"^[a-z].*==(?:.*\\\n)+.*\n",
        (ROOT / "requirements/run.txt").read_text("utf-8"),
        re.MULTILINE,
    )
    (place / "lock").write_text(
        "".join(each for each in locked if each.partition("==")[0] in PACKAGES.split())
    )

    def must(*words: str | Path) -> None:
        if shutil.which(words[0]) is None or run(*words, APT_CONFIG=str(place / "apt.conf")).status:
            pytest.skip("needs the arm64 emulator, Debian's packages and the index of packages")

    must("qemu-aarch64", "--version")
    must("apt-get", "update")
    must("apt-get", "install", "--yes", "--download-only", "python3", "libstdc++6")
    for archive in (place / "archives").glob("*.deb"):
        must("dpkg-deb", "--extract", archive, system)
    (system / "lib").symlink_to("usr/lib")
    (interpreter,) = (system / "usr/bin").glob("python3.??")
    tags = (f"--platform=manylinux{tag}_aarch64" for tag in ("_2_28", "_2_17", "2014"))
    wheels = (
        "--no-deps",
        "--only-binary=:all:",
        *tags,
        f"--python-version={interpreter.name.removeprefix('python')}",
    )
    target = f"--target={system}/usr/lib/python3/dist-packages"
    must(
        sys.executable,
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "-r",
        place / "lock",
        *wheels,
        target,
    )
    return "qemu-aarch64", "-L", str(system), str(interpreter)


@pytest.fixture(scope="module")
def linear(pipeline: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the project in which the models without a network were trained, on one core."""
    copy = verify.make_first_copy(tmp_path_factory.mktemp("linear"), verify.only(*KINDS))
    variables = {**copy.variables, "TEXTCLF_CORPUS": str(verify.corpus_folder(pipeline))}
    copy = replace(copy, variables=variables, prefix=verify.one_core())
    copy.dvc("repro")
    return copy


@pytest.mark.nightly
@pytest.mark.parametrize("cpu", ARM64)
def test_models_predict_the_same_on_arm64(
    arm64: tuple[str, ...], pipeline: Copy, linear: Copy, cpu: str
) -> None:
    for model in (
        pipeline.folder / "models/keras",
        *(linear.folder / "models" / kind for kind in KINDS),
    ):
        words = (
            "-m",
            "textclf.cli",
            "predict",
            "--model",
            str(model),
            "good food",
            "awful staff",
            "",
        )
        there = run(*arm64, *words, environment={"PYTHONPATH": str(ROOT), "QEMU_CPU": cpu})
        assert there == python(*words)
        assert there.status == 0


@pytest.mark.nightly
def test_all_but_the_network_has_the_same_results_on_arm64_and_the_same_bytes_on_its_cpus(
    arm64: tuple[str, ...], linear: Copy, tmp_path: Path
) -> None:
    hashes = []
    for cpu in ARM64:
        folder = Path(shutil.copytree(linear.folder, tmp_path / cpu))
        copy = replace(linear, folder=folder, variables={**linear.variables, "QEMU_CPU": cpu})
        for stage in STAGES:
            verify.run_alone(copy, stage, folder, arm64)
        hashes.append(verify.file_hashes(folder))
    assert verify.differing_paths(*hashes) == {}
    differing = verify.differing_paths(verify.file_hashes(linear.folder), hashes[0])
    learned = (
        "data/predictions/",
        "data/trained/",
        "models/",
    )  # metrics and plots have the same bytes as on x86-64
    assert [
        path for paths in differing.values() for path in paths if not path.startswith(learned)
    ] == []
    for kind in KINDS:
        one, other = (
            pd.read_parquet(each / f"data/predictions/{kind}.parquet")
            for each in (linear.folder, folder)
        )
        pd.testing.assert_frame_equal(one, other, rtol=0, atol=1e-9)
