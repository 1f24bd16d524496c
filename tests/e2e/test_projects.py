"""Projects of one's own: the installed wheel, `textclf init`, the first run, the next version."""

import dataclasses
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import tree
from tests.e2e.test_docs import FILES
from tests.processes import AUTHOR, WINDOWS
from tests.verify import ROOT, Copy, stages_run

KILLED = ROOT / "tests" / "killed.py"
TICKETS = "tickets.csv"
Make = Callable[..., Copy]


@pytest.fixture
def make(empty_folder: Callable[[], Copy], tmp_path: Path) -> Make:
    """Makes a project in a new folder by `textclf init` of the wheel, and commits it."""

    def run(*words: str, code: str | Path | None = None) -> Copy:
        (tmp_path / TICKETS).write_text(FILES[TICKETS], encoding="utf-8")
        copy = empty_folder()
        if code is not None:
            copy = dataclasses.replace(copy, variables={**copy.variables, "PYTHONPATH": str(code)})
        copy.run(sys.executable, "-m", "textclf.cli", "init", *words)
        commit(copy)
        return copy

    return run


def commit(copy: Copy) -> None:
    copy.run("git", "add", "--all")
    copy.run("git", *AUTHOR, "commit", "--quiet", "--message", "a change")


@pytest.mark.slow
@pytest.mark.lesson
def test_a_project_of_the_lesson_has_the_results_of_the_repository_and_takes_the_next_version(
    make: Make, installed: Path, tmp_path: Path
) -> None:
    code = Path(shutil.copytree(installed, tmp_path / "code"))
    lesson = make("--lesson", code=code)
    files = lesson.run("git", "ls-files").splitlines()
    assert [name for name in files if name.endswith(".py")] == []
    assert (
        len([name for name in files if not name.startswith((".textclf/code/", ".dvc/plots/"))])
        <= 16
    )
    assert "report" in stages_run(lesson.dvc("repro"))
    assert (
        lesson.run(sys.executable, "-m", "textclf.cli", "predict", "too late").count('"label"') == 1
    )
    commit(lesson)
    assert stages_run(lesson.dvc("repro")) == []
    metrics = tree(lesson.folder / "metrics")
    assert {
        str(lesson.folder / "metrics" / name) for name in ("evaluation.json", "models/keras.json")
    } <= {*metrics}
    here = {
        name: ROOT / Path(name).relative_to(lesson.folder)
        for name, content in metrics.items()
        if content
    }
    assert [name for name, path in here.items() if path.read_bytes() != metrics[name]] == []

    page = code / "textclf/report/page.py"
    page.write_text(page.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    for command in (
        ("textclf.cli", "check"),
        ("dvc", "repro", "--force", "--single-item", "report"),
    ):
        printed, succeeded = lesson.run_anyway(sys.executable, "-m", *command)
        assert (succeeded, "this project was made with other code of this version" in printed) == (
            False,
            True,
        )
    lesson.run(sys.executable, "-m", "textclf.cli", "upgrade")
    assert stages_run(lesson.dvc("repro")) == ["check", "report"]
    assert (
        lesson.run("git", "status", "--short", "metrics", "plots", "params.yaml", "dvc.yaml") == ""
    )


@pytest.mark.slow
def test_a_project_has_the_same_results_on_what_windows_has(make: Make, installed: Path) -> None:
    result = []
    for path in (str(installed), os.pathsep.join((WINDOWS.split(os.pathsep)[0], str(installed)))):
        project = make("--data", f"../{TICKETS}", "--preset", "fast", code=path)
        project.dvc("repro")
        files = {
            name: content
            for name, content in tree_of(project.folder).items()
            if not name.startswith(".dvc/")
        }
        result.append(files)
    assert result[1] == result[0]


@pytest.mark.slow
def test_a_killed_init_leaves_what_the_next_one_completes(make: Make, tmp_path: Path) -> None:
    whole = make("--data", f"../{TICKETS}")
    init = ("init", "--data", f"../{TICKETS}")

    def killed(name: str, last: int) -> tuple[Copy, str]:
        copy = dataclasses.replace(whole, folder=tmp_path / name)
        copy.folder.mkdir()
        return copy, copy.run_anyway(sys.executable, str(KILLED), str(last), *init)[0]

    changes = int(killed("counted", 0)[1].rpartition("changes: ")[2])
    assert changes > 100
    for last in range(changes // 8, changes, changes // 4):
        copy, printed = killed(f"killed{last}", last)
        assert "project made" not in printed
        again = copy.run(sys.executable, "-m", "textclf.cli", *init)
        result = tree_of(copy.folder)
        if (
            "project made" not in again
        ):  # killed as it cleaned up: folders may be left that Git and DVC ignore
            result = {name: content for name, content in result.items() if ".scratch" not in name}
        assert result == tree_of(whole.folder), last


def tree_of(folder: Path) -> dict[str, bytes | None]:
    """Return every path of a project, without Git's, with a file's bytes."""
    result = {
        str(Path(name).relative_to(folder)): content for name, content in tree(folder).items()
    }
    return {name: content for name, content in result.items() if not name.startswith(".git/")}
