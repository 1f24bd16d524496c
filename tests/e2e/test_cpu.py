"""CPUs without AVX2: the stages refuse them in a line, and predictions are made there."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import arguments, tree
from tests.processes import ROOT, Ended, python, run
from tests.verify import EMULATOR

each_cpu = pytest.mark.parametrize(
    "cpu",
    ["SandyBridge", pytest.param("Nehalem", marks=pytest.mark.nightly)],  # the first has AVX, the second not
)


def emulate(cpu: str, folder: Path, *words: str) -> Ended:
    """Run Python on an emulated CPU."""
    if shutil.which(EMULATOR[0]) is None:
        pytest.skip("needs the emulator qemu-x86_64 (Debian: apt install qemu-user)")
    environment = {"PYTHONPATH": str(ROOT), "HOME": str(folder)}
    return run(EMULATOR[0], "-cpu", cpu, sys.executable, *words, folder=folder, environment=environment)


@each_cpu
def test_a_stage_names_what_the_cpu_needs_before_it_starts(project: Path, cpu: str) -> None:
    before = tree(project)
    words = arguments("train")
    done = emulate(cpu, project, "-m", "stages.train", *words)
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
