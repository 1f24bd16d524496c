"""`textclf metrics` tells whether its numbers are outdated, in a small project of DVC."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import Command
from textclf.artifacts.checked import write_settings
from textclf.export.settings import Export
from textclf.project.metrics import stale

# Of a library of DVC.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")
FILES = {
    "dvc.yaml": Path(__file__).with_name("stages.yaml").read_text(encoding="utf-8"),
    "params.yaml": "evaluate: {confidence: 0.95}\ntrain: {keras: {epochs: 2}}\n",
    "tickets.csv": "text,label\ngood,1\n",
    "code/evaluate.py": "",
    "mine.csv": "1\n",
    "metrics/.gitignore": "",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    write_settings(folder / "in_use.json", {"export": Export().model_dump(), "about": {}})
    command = "dvc init -q --no-scm && dvc repro -q"
    subprocess.run(command, shell=True, cwd=folder, check=True)  # noqa: S602
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(shutil.copytree(made, tmp_path / "project"))
    monkeypatch.chdir(folder)
    return folder


def edit(name: str, old: str, new: str) -> None:
    text = Path(name).read_text()
    assert old in text
    Path(name).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("change", "first", "causes"),
    [
        (lambda: edit("params.yaml", "0.95", "0.9"), "evaluate", "evaluate.confidence"),
        (lambda: edit("params.yaml", "2", "3"), "train@keras", "train.keras.epochs"),
        (lambda: edit("params.yaml", "2}", "2}, nb: {C: 1}"), "train@nb", "train@nb (dvc.yaml)"),
        (lambda: edit("tickets.csv", "1", "0"), "train@keras", "tickets.csv"),
        (lambda: Path("code/metrics.py").touch(), "evaluate", "code"),
        (
            lambda: Path("metrics/evaluation.json").write_text("2"),
            "evaluate",
            "metrics/evaluation.json",
        ),
        (lambda: edit("dvc.yaml", "printf 1", "printf 2"), "evaluate", "evaluate (dvc.yaml)"),
    ],
)
def test_changed_settings_code_tables_and_results_are_named_with_the_stages_that_would_run(
    project: Path, change: Callable[[], object], first: str, causes: str
) -> None:
    change()
    line = (
        f"stale: dvc repro would run {first} and what follows; changed since the last run: {causes}"
    )
    assert stale({"export": Export()}) == line, project


def test_without_dvc_lock_every_stage_would_run(project: Path) -> None:
    (project / "dvc.lock").unlink()
    stages = ("train@keras", "evaluate", "report")
    causes = ", ".join(f"{stage} (dvc.yaml)" for stage in stages)
    line = f"stale: dvc repro would run {', '.join(stages)}; changed since the last run: {causes}"
    assert stale({"export": Export()}) == line


def test_a_table_that_dvc_tracks_is_no_output_of_a_stage(project: Path) -> None:
    subprocess.run("dvc add -q tickets.csv", shell=True, check=True)  # noqa: S602
    assert stale({}) == ""
    edit("tickets.csv", "1", "0")
    assert stale({}).endswith(
        "run train@keras and what follows; changed since the last run: tickets.csv"
    ), project


def test_a_setting_that_only_the_check_passes_on_is_named(project: Path) -> None:
    named = {"export": Export(model="keras")}
    assert (
        stale(named)
        == "stale: dvc repro would run report; changed since the last run: export.model"
    )
    (project / "data" / "settings.json").write_text("of another branch")
    assert stale(named) == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda: None,
        lambda: Path("params.yaml").write_text(f"# a comment\n{FILES['params.yaml']}"),
        lambda: Path("mine.csv").write_text("2"),  # of a stage of one's own
        lambda: shutil.rmtree("data"),  # as in a clone
        lambda: Path("tickets.csv").unlink(),  # likewise, before dvc pull
        # The results are those of Git.
        lambda: Path("data/models/keras").write_text("of another branch"),
    ],
)
def test_results_of_todays_files_are_not_stale(project: Path, change: Callable[[], object]) -> None:
    change()
    assert stale({"export": Export()}) == "", project


def test_what_dvc_cannot_read_is_unknown(project: Path) -> None:
    start = "it is unknown whether these are the results of today's files; "
    (project / "dvc.lock").write_text("stages: [")
    assert stale({}) == f"{start}unable to read: 'dvc.lock', YAML file structure is corrupted"
    shutil.rmtree(project / ".dvc")
    assert stale({}).startswith(f"{start}you are not inside of a DVC repository")


def test_the_command_prints_a_warning_and_no_error(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: Command
) -> None:
    # Without .dvc: in a project outside Git, DVC fails too, but leaves a database open.
    monkeypatch.chdir(
        shutil.copytree(finished, tmp_path / "project", ignore=shutil.ignore_patterns(".dvc"))
    )
    status, out, err = command_line("metrics")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1].startswith("warning: it is unknown whether ")
