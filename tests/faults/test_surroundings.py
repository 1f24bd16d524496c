"""A user's variables, home, rights and machine change no byte, or cost one line and exit 2."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests import hostile, processes
from tests.conftest import WORDS, content, tree
from tests.faults.campaign import tries
from tests.processes import ROOT, Ended
from tests.settings import put

pytestmark = [pytest.mark.posix, pytest.mark.slow]

STAGES = (
    *("check", "split", "vectorize@words"),
    *("train@majority", "train@logistic_regression", "train@keras"),
    *("evaluate", "export", "plot", "report"),
)
NOBODY = (
    "unshare",
    "--user",
    "--map-user=54321",
    "--map-group=54321",
    "--net",
)  # no name, no home, no network


def run(
    folder: Path, stage: str, variables: Mapping[str, str], prefix: Sequence[str] = ()
) -> Ended:
    """Run a stage in a folder with these variables, and no others of the user's."""
    declared = content("dvc.yaml")["stages"][stage.partition("@")[0]]
    line = declared.get("do", declared)["cmd"]
    command = [*prefix, sys.executable, *shlex.split(line)[1:]]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "DVC_STAGE": stage, **variables}
    return processes.run(*command, folder=folder, environment=environment)


def run_all(folder: Path, variables: Mapping[str, str], prefix: Sequence[str] = ()) -> None:
    """Run all stages, each of which must succeed without a warning of a library."""
    for stage in STAGES:
        done = run(folder, stage, variables, prefix)
        assert (done.status, "Traceback" in done.err) == (0, False), f"{stage}: {done.err}"


def outputs(folder: Path) -> dict[str, bytes | None]:
    """Return what the stages wrote, but for what DVC keeps of the workspace."""
    files = {str(Path(name).relative_to(folder)): data for name, data in tree(folder).items()}
    return {name: data for name, data in files.items() if not name.startswith(".dvc")}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of 40 rows before its first stage."""
    folder = tmp_path_factory.mktemp("table")
    settings = put("train.keras.epochs", "3", "split.validation_size", "0.25")
    (folder / "params.yaml").write_text(settings, encoding="utf-8")
    rows = [f"{WORDS[n % 8]} {WORDS[3 * n % 8]} {WORDS[n // 8]}\t{n % 2}\n" for n in range(40)]
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "yelp_labelled.txt").write_text("".join(rows), encoding="utf-8")
    for name in ("corrections.csv", "labelled.csv"):
        shutil.copy(ROOT / "tests/unit/split" / f"no_{name}", folder / name)
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    (folder / "plots").mkdir()
    return folder


@pytest.fixture(scope="module")
def expected(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after all stages, in surroundings with nothing of a user's."""
    place = tmp_path_factory.mktemp("expected")
    (place / "home").mkdir()
    folder = Path(shutil.copytree(table, place / "project"))
    run_all(folder, {"HOME": str(place / "home"), "LC_ALL": "C.UTF-8"})
    return folder


@pytest.fixture
def project(table: Path, tmp_path: Path) -> Path:
    """A copy of the project before its first stage."""
    return Path(shutil.copytree(table, tmp_path / "project"))


def test_variables_of_python_change_no_byte(project: Path, expected: Path, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    run_all(project, hostile.PYTHON_VARIABLES | {"HOME": str(tmp_path / "home")})
    assert outputs(project) == outputs(expected)


@pytest.mark.nightly
def test_a_user_without_name_home_network_or_tmpdir_gets_the_same_bytes(
    project: Path, expected: Path
) -> None:
    if shutil.which(NOBODY[0]) is None or processes.run(*NOBODY, "true").status:
        pytest.skip("needs user namespaces")
    run_all(project, {"TMPDIR": "/nowhere"}, NOBODY)
    assert outputs(project) == outputs(expected)


# Each of them ended in a traceback or an abort, or changed the weights, without any other.
ALONE = (
    ("evaluate", {"PANDAS_FUTURE": "none"}),
    ("vectorize@words", {"SOURCE_DATE_EPOCH": "none"}),
    ("vectorize@words", {"NPY_ENABLE_CPU_FEATURES": "AVX2"}),
    ("train@keras", {"XLA_FLAGS": "/nowhere/flags"}),
    ("train@keras", {"XLA_FLAGS": "--no_such_flag=1"}),
    ("train@keras", {"TF_XLA_FLAGS": "--no_such_flag=1"}),
    ("train@keras", {"KERAS_MAX_EPOCHS": "none"}),
    ("train@keras", {"KERAS_NNX_ENABLED": "1"}),
    ("train@keras", {"PYTHONWARNINGS": "error"}),
)


@pytest.mark.parametrize(
    ("stage", "variables"),
    ALONE[: tries(3)],
    ids=lambda each: each if isinstance(each, str) else "".join(each),
)
def test_a_variable_changes_no_byte(
    expected: Path, tmp_path: Path, stage: str, variables: dict[str, str]
) -> None:
    project = Path(shutil.copytree(expected, tmp_path / "project"))
    done = run(project, stage, {"HOME": str(tmp_path)} | variables)
    assert done.status == 0, done.err
    assert outputs(project) == outputs(expected)


@pytest.mark.parametrize("stage", ["train@keras", "report"])
def test_a_stage_needs_no_standard_streams(expected: Path, tmp_path: Path, stage: str) -> None:
    project = Path(shutil.copytree(expected, tmp_path / "project"))
    done = run(
        project, stage, {"HOME": str(tmp_path)}, ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
    )
    assert done.status == 0
    assert outputs(project) == outputs(expected)


def test_an_experiment_in_its_own_folder_does_not_run_the_code_of_another(project: Path) -> None:
    shutil.copytree(ROOT / "stages", project / "stages")
    done = run(project, "split", {"PYTHONSAFEPATH": "1"})
    line = (
        f"error: split: the code must be that of the current folder; got {ROOT / 'stages'}; "
        "unset PYTHONSAFEPATH\n"
    )
    assert (done.status, done.err) == (2, line)
