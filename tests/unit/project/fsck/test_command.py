"""`textclf fsck` in a small project of DVC, and the cures that it names, carried out."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from textclf.core.errors import UserError
from textclf.project.fsck import command

STAGES = """
stages:
  make:
    deps: [table.csv, tests, stages/make.py]
    cmd:
      - mkdir -p data && printf one >data/a.txt && printf two >data/b.txt
      - printf three >file.txt && printf 4 >kept.txt
    outs:
      - data
      - file.txt
      - kept.txt: {cache: false}
  use:
    deps: [data, table.csv] # data is an output
    cmd: cat table.csv data/a.txt >used.txt
    outs:
      - used.txt: {cache: false}
"""
STUDY = """
stages:
  study:
    deps: [../more.csv]
    params: [../params.yaml: [seed]]
    cmd: cat ../more.csv >study.txt
    outs:
      - study.txt: {cache: false}
"""
ONE = "f9/7c5d29941bfb1b2fdab0874906ab82"  # the object of a.txt in the cache
ENVIRONMENT = {**os.environ, "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def shell(folder: Path, line: str) -> None:
    done = subprocess.run(line, shell=True, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)  # noqa: S602
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose pipeline has run."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "dvc.yaml").write_text(STAGES)
    for name, content in {
        "table.csv": "text,label\ngood,1\n",
        "more.csv": "text\n",
        "stages/make.py": "",
        "params.yaml": "seed: 1\n",
        "studies/dvc.yaml": STUDY,
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    (folder / "tests").mkdir()
    (folder / "tests" / "first.yaml").write_text("tests: 1\n")
    shell(folder, "git init -q && dvc init -q && dvc repro -q && dvc repro -q studies/dvc.yaml && mkdir tracked")
    shell(folder, "printf five >tracked/t.txt && dvc add -q tracked && git add -A")
    shell(folder, "git -c user.name=a -c user.email=a@b.c commit -qm made")
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the project, as the current folder."""
    folder = Path(shutil.copytree(made, tmp_path / "project", symlinks=True))
    monkeypatch.chdir(folder)
    return folder


def damage(pattern: str) -> Callable[[Path], None]:
    """Return the function that flips a bit of a file and leaves its size and time, as a failing disk does."""

    def flip(folder: Path) -> None:
        (path,) = folder.glob(pattern)
        before = path.stat()
        path.chmod(0o644)
        data = path.read_bytes()
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    return flip


def remove(*patterns: str) -> Callable[[Path], None]:
    def unlink(folder: Path) -> None:
        for pattern in patterns:
            (path,) = folder.glob(pattern)
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return unlink


def both(first: Callable[[Path], object], second: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda folder: (first(folder), second(folder))


CACHE = ".dvc/cache/files/md5"
MAKE = "dvc repro (or dvc pull)"
PROBLEMS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a file of a folder": (
        damage("data/a.txt"),
        ["data/a.txt: damaged or edited; rm -rf data/a.txt; dvc checkout data"],
    ),
    "a file": (damage("file.txt"), ["file.txt: damaged or edited; rm -rf file.txt; dvc checkout file.txt"]),
    "a file that Git keeps": (
        damage("kept.txt"),
        ["kept.txt: damaged or edited; git checkout kept.txt, or dvc repro"],
    ),
    "a tracked file": (
        damage("tracked/t.txt"),
        ["tracked/t.txt: damaged or edited; rm -rf tracked/t.txt; dvc checkout tracked"],
    ),
    "a table": (
        damage("table.csv"),
        ["table.csv: changed since stages read it (make, use); touch table.csv; dvc repro"],
    ),
    "a folder of inputs": (
        damage("tests/first.yaml"),
        ["tests: changed since stages read it (make); find tests -type f -exec touch {} +; dvc repro"],
    ),
    "a file too many": (
        lambda folder: (folder / "data/c.txt").write_text("x"),
        ["data/c.txt: not in dvc.lock; rm -rf data/c.txt"],
    ),
    "a file missing": (remove("data/b.txt"), ["data/b.txt: missing; dvc checkout data"]),
    "a folder missing": (remove("data"), ["data: missing; dvc checkout data"]),
    "an object": (
        damage(f"{CACHE}/{ONE}"),
        [f"{CACHE}/{ONE}: damaged copy of data/a.txt in DVC's cache; rm -rf {CACHE}/{ONE}; {MAKE}"],
    ),
    "an object missing": (
        remove(f"{CACHE}/{ONE}"),
        [f"{CACHE}/{ONE}: missing copy of data/a.txt in DVC's cache; {MAKE}"],
    ),
    "an object and its file": (
        both(damage("data/a.txt"), damage(f"{CACHE}/{ONE}")),
        [
            f"{CACHE}/{ONE}: damaged copy of data/a.txt in DVC's cache; rm -rf {CACHE}/{ONE}; {MAKE}",
            f"data/a.txt: damaged or edited; rm -rf data/a.txt; {MAKE}",
        ],
    ),
    "everything": (
        remove("data", "file.txt", f"{CACHE}"),
        [
            f"data: missing, also in DVC's cache; {MAKE}",
            f"file.txt: missing, also in DVC's cache; {MAKE}",
        ],
    ),
}


def test_a_whole_project_is_said_to_be_whole_whatever_the_edits_that_dvc_sees(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("", "stages/make.py", "params.yaml", "more.csv"):  # the input of another dvc.yaml
        if name:
            (project / name).write_text("seed: 2\n")
        assert command.run() == 0, name
        assert capsys.readouterr().out == "9 files and 6 objects of DVC's cache are as dvc.lock has them\n"


@pytest.mark.parametrize(("change", "lines"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_is_named_with_a_cure_that_mends_it(
    change: Callable[[Path], object], lines: list[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(project)
    if lines[0].startswith("data: missing, also"):  # what `dvc add` tracks can't be made again
        shell(project, "dvc add -q tracked")
    assert command.run() == 1
    *found, closing = capsys.readouterr().out.splitlines()
    assert found == lines
    assert closing.startswith("1 problem in " if len(lines) == 1 else f"{len(lines)} problems in ")
    for line in found:
        for step in line.partition("; ")[2].split("; "):
            if not step.startswith("dvc repro"):
                shell(project, step.partition(", or ")[0])
    if any(line.endswith((MAKE, "dvc repro")) for line in found):
        shell(project, "dvc repro")
    assert command.run() == 0


def test_a_damaged_list_of_a_folder_is_named_and_the_folder_compared_without_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = [path for path in (project / CACHE).glob("*/*.dir") if b"b.txt" in path.read_bytes()]
    name = path.relative_to(project)
    damage(str(name))(project)
    damaged_list = f"{name}: damaged copy of data in DVC's cache; rm -rf {name}; {MAKE}"
    assert command.run() == 1
    assert capsys.readouterr().out.splitlines()[0] == damaged_list
    damage("data/a.txt")(project)
    assert command.run() == 1
    found = capsys.readouterr().out.splitlines()
    assert found[:2] == [damaged_list, f"data: damaged or edited; rm -rf data; {MAKE}"]


def test_a_missing_table_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "table.csv").unlink()
    assert command.run() == 1
    assert capsys.readouterr().out.splitlines()[0] == "table.csv: missing; put it back"


def test_outside_a_project_there_is_nothing_to_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="the current folder must be in a project of DVC; "):
        command.run()


def test_files_that_dvc_ignores_are_no_damage(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".dvcignore").write_text("*.tmp\n")
    (project / "data" / "more.tmp").write_text("of an editor")
    assert command.run() == 0
    (project / "data" / "more.txt").write_text("of nobody")
    assert command.run() == 1
    assert "data/more.txt: " in capsys.readouterr().out
