"""The command `textclf upgrade`: what it prints, what it writes, and what it refuses."""

import json
import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from tests import pull_request
from tests.processes import Command as Run
from tests.processes import git
from textclf.artifacts.checked import write_settings
from textclf.core.code import CODE, PROJECT
from textclf.core.files import sha256
from textclf.params import parse
from textclf.project import upgrade as upgrade_module
from textclf.project.check import run_settings
from textclf.project.generated import generated_files
from textclf.project.init.create import create, new_files
from textclf.version import __version__

EXTRAS = ["keras"]  # of the lesson's models

PARAMS = """\
fetch: {}
data: {path: tickets.csv}
about: {}
split: {}
vectorize: {words: {}}
train:
  majority: {kind: majority, features: words} # the floor
  keras: {kind: keras, features: words}
evaluate: {}
"""


def commit() -> None:
    git("init", "--quiet")
    pull_request.commit(Path())


def contents() -> dict[Path, bytes]:
    """Return the content of each file that Git does not ignore."""
    listed = git("ls-files", "-co", "--exclude-standard", "-z").split("\0")
    return {Path(name): Path(name).read_bytes() for name in listed if Path(name).is_file()}


@pytest.fixture
def upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: Run) -> Run:
    monkeypatch.chdir(tmp_path)
    return partial(command_line, "upgrade")


def test_outside_a_project_nothing_is_written(upgrade: Run) -> None:
    Path("params.yaml").write_text(PARAMS, encoding="utf-8")
    done = upgrade()
    assert done == (
        0,
        "there is no project of textclf init here; Git updates a clone of textclf\n",
        "",
    )
    assert [*Path().iterdir()] == [Path("params.yaml")]


# In a project


@pytest.fixture
def project(upgrade: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `textclf upgrade` in a committed older project with other code of stages and report."""
    monkeypatch.setattr(upgrade_module, "require_installed", lambda: None)
    create(new_files(PARAMS, "Tickets", "`tickets.csv`", "2 classes", None))
    Path("tickets.csv").write_text("text,label\n", encoding="utf-8")
    make_older()
    return upgrade


def make_older(files: Mapping[str, str] | None = None) -> None:
    """Commit the project as of version 0.1.0, with other code and texts in generated files."""
    path = Path(".textclf/project.json")
    made = json.loads(path.read_text(encoding="utf-8"))
    made["version"] = "0.1.0"
    for name in ("textclf", "report", "split"):
        Path(".textclf/code", name).write_text("older\n", encoding="utf-8")
    for name, text in (files or {}).items():
        Path(name).write_text(text, encoding="utf-8")
        made["files"][name] = sha256(text.encode())
    path.write_text(json.dumps(made), encoding="utf-8")
    commit()


WRITTEN = """\
files to write: .textclf/code, .textclf/project.json
git diff shows all changes; git checkout . undoes them
next: textclf check, dvc status, dvc repro
"""


def test_it_says_what_it_writes_and_writes_what_a_new_project_has(project: Run) -> None:
    before = contents()
    dry, done, again = project("--dry-run"), project(), project()
    assert (done.status, done.err) == (0, "")
    assert done.out == f"textclf 0.1.0 -> {__version__}\n{WRITTEN}"
    assert dry.out == "".join(done.out.splitlines(keepends=True)[:-2])
    assert again.out == f"textclf {__version__}: up to date\n"
    assert contents() == before | {
        path: text.encode() for path, text in generated_files(None, EXTRAS).items()
    }


def test_what_git_does_not_have_it_cannot_undo(project: Run) -> None:
    shutil.rmtree(".git")
    assert "\nthese files were not committed before, so Git can't undo this\n" in project().out


def test_it_makes_the_files_that_stages_depend_on_only_if_there_are_none(project: Run) -> None:
    Path("labelled.csv").unlink()
    Path("data/external/README.md").unlink()
    Path("corrections.csv").write_text("id,label\na,1\n")
    assert (
        "files to write: .textclf/code, .textclf/project.json, data/external/README.md, "
        "labelled.csv\n" in project().out
    )
    assert Path("labelled.csv").read_text() == "id,text,label,chosen,round\n"
    assert Path("corrections.csv").read_text() == "id,label\na,1\n"


def test_it_names_settings_with_another_default_than_in_the_last_run(project: Run) -> None:
    settings = run_settings(parse(PARAMS))
    settings["split"]["seed"] = 1
    settings["data"]["path"] = "older.csv"  # which params.yaml sets
    Path("data").mkdir(exist_ok=True)
    write_settings(Path("data/settings.json"), settings)  # of a run
    assert project("--dry-run").out.splitlines()[1:3] == [
        "split.seed: 1 -> 1000, the default of this version",
        WRITTEN.splitlines()[0],
    ]


def test_a_file_with_changes_of_ones_own_is_shown_and_left_alone_unless_forced(
    project: Run,
) -> None:
    make_older({"studies/dvc.yaml": "stages: {}\n"})
    new = Path("dvc.yaml").read_text(encoding="utf-8")
    mine = f"# mine\n{new}"
    Path("dvc.yaml").write_text(mine, encoding="utf-8")
    done, again, forced, after = project(), project(), project("--force"), project()
    assert done.status == 0
    assert "files to write: .textclf/code, .textclf/project.json, studies/dvc.yaml\n" in done.out
    told = (
        "dvc.yaml has changes of your own and is left alone; "
        "--force overwrites it with this version's:\n"
    )
    shown = f"{told}--- dvc.yaml\n+++ dvc.yaml of textclf {__version__}\n@@ -1,4 +1,3 @@\n-# mine\n"
    assert shown in done.out
    assert again.out.startswith(f"textclf {__version__}: up to date\n{shown}")
    assert "files to write: dvc.yaml\n" in forced.out
    assert Path("dvc.yaml").read_text(encoding="utf-8") == new
    assert after.out == f"textclf {__version__}: up to date\n"


@pytest.mark.parametrize("files", ["{}", None])
def test_checksums_of_code_that_are_missing_are_written(project: Run, files: str | None) -> None:
    assert project().status == 0
    before = contents()
    shutil.rmtree(CODE)
    if files:
        PROJECT.write_text(
            json.dumps(json.loads(PROJECT.read_text()) | {"files": json.loads(files)})
        )
    assert project().status == 0
    assert contents() == before


def test_a_checksum_of_code_that_no_stage_reads_any_more_is_removed(project: Run) -> None:
    project()
    Path(".textclf/code/gone").write_text("x\n", encoding="utf-8")
    assert "files to write: .textclf/code\n" in project().out
    assert not Path(".textclf/code/gone").exists()


@pytest.mark.parametrize("renames", [0, 1, 6, 12])
def test_after_a_kill_a_second_call_finishes(
    project: Run, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    make_older({"dvc.yaml": "stages: {}\n", "requirements.txt": "\n"})
    rename, left = Path.replace, renames
    if (child := os.fork()) == 0:

        def replace(source: Path, target: Path) -> Path:
            nonlocal left
            if left == 0:
                os._exit(9)
            left -= 1
            return rename(source, target)

        monkeypatch.setattr(Path, "replace", replace)
        project()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert project().status == 0
    files = generated_files(None, EXTRAS)
    assert {path: path.read_text(encoding="utf-8") for path in files} == files
    assert not [*Path().rglob("*.scratch")]
