"""`textclf init` and the check before a run leave the user's files alone."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import layouts
from tests.layouts import LAYOUTS
from tests.processes import Command as Run
from textclf.project.init import command

# Of a library of DVC.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: Run) -> Run:
    """Runs textclf, as if it were an installed package, in an empty folder."""
    monkeypatch.setattr(command, "require_installed", lambda: None)
    monkeypatch.setattr("textclf.project.check.require_own_version", lambda: None)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    return command_line


def make(name: str) -> dict[str, bytes]:
    layouts.make(LAYOUTS[name], Path())
    if LAYOUTS[name].git:
        subprocess.run(("git", "init", "--quiet"), check=True)
    return layouts.contents(Path())


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_project_is_made_beside_files_of_the_user_or_refused(name: str, run: Run) -> None:
    layout, before = LAYOUTS[name], make(name)
    done = run("init", "--data", layout.table, "--preset", "fast")
    assert (done.status, bool(done.err)) == ((2, True) if layout.taken else (0, False)), done.err
    assert layouts.damage(before, Path()) == []
    if layout.taken:
        assert layouts.contents(Path()).keys() == before.keys()
    else:
        assert not Path("texts", Path(layout.table).name).exists() or layout.table.startswith(
            "texts/"
        )
        assert run("check").status == 0


@pytest.mark.parametrize("name", [name for name, layout in LAYOUTS.items() if layout.taken])
def test_a_project_in_a_folder_of_its_own_takes_the_table_from_where_it_is(
    name: str, run: Run
) -> None:
    layout, before = LAYOUTS[name], make(name)
    done = run("init", "classifier", "--data", layout.table, "--preset", "fast")
    assert (done.status, done.err) == (0, "")
    assert layouts.damage(before, Path()) == []
    copied = not layout.git
    assert f"path: {'texts' if copied else '..'}/" in Path("classifier/params.yaml").read_text()
    assert Path("classifier/texts").exists() == copied


@pytest.mark.parametrize(
    "file", ["models/final.pkl", "data/raw/interviews.txt", "plots/roc.csv", "data/models.json"]
)
def test_a_file_that_came_later_is_seen_before_a_run(file: str, run: Run) -> None:
    make("a table in a repository")
    assert run("init", "--data", layouts.CSV, "--preset", "fast").status == 0
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text("mine")
    done = run("check")
    assert done.status == 2
    assert f"got {file}; move what is yours elsewhere" in done.err
    shutil.move(file, "elsewhere")
    assert run("check").status == 0
