"""Commands and stages with only what Windows has: tests/windows takes away the rest."""

import ast
from pathlib import Path

import pytest

from tests.conftest import POSIX, address, tree
from tests.processes import ROOT, WINDOWS, Ended, python
from textclf.cli import COMMANDS

HELP = """from textclf import cli
for name in cli.COMMANDS:
    try:
        cli.main([name, "--help"])
    except SystemExit as stop:
        assert stop.code == 0, name
"""
SPAWN = """from textclf.core import resources, workers
import multiprocessing, os
resources.cores = lambda: 2
with workers.pool(workers.FEWEST_TASKS) as pool:
    print(pool.map(os.getenv, [("OPENBLAS_NUM_THREADS",)] * workers.FEWEST_TASKS, "read"))
    print({type(each).__name__ for each in multiprocessing.active_children()})
"""


def helpers(path: Path) -> str:
    """Return the lines of a module outside its tests."""
    text = path.read_text(encoding="utf-8")
    body = [
        node for node in ast.parse(text).body if not getattr(node, "name", "").startswith("test_")
    ]
    return "\n".join(ast.get_source_segment(text, node) or "" for node in body)


def test_modules_whose_helpers_use_what_windows_lacks_are_marked() -> None:
    marks = ("pytest.mark.posix", 'pytest.importorskip("resource")')
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        match = POSIX.search(text := helpers(path))
        assert not match or any(mark in text for mark in marks), (path, match)


def both(*words: str, **options: object) -> Ended:
    """Run Python as ever and with what Windows has; return the output, which must be equal."""
    outputs = [
        python(*words, **options, PYTHONPATH=path)  # type: ignore[arg-type]
        for path in (str(ROOT), WINDOWS)
    ]
    assert outputs[1] == outputs[0]
    return outputs[1]


def test_every_command_says_how_it_is_used() -> None:
    assert both("-c", HELP).out.count("usage: textclf ") == len(COMMANDS)


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (("predict", "good food", "awful staff"), ""),
        (("predict",), "good\nbad\n" * 3),
        (("check",), ""),
    ],
)
def test_a_command_says_the_same(project: Path, words: tuple[str, ...], stdin: str) -> None:
    assert both("-m", "textclf.cli", *words, folder=project, stdin=stdin).out


def test_doctor_finds_what_it_needs(project: Path) -> None:
    done = python("-m", "textclf.cli", "doctor", folder=project, PYTHONPATH=WINDOWS)
    assert "CPU " in done.out
    assert done.err == ""


def test_stages_write_the_same_and_clear_up(project: Path) -> None:
    before = without_versions(project)
    abandoned = project / "data" / ".splits.abandoned.scratch"
    (abandoned / "data").mkdir(parents=True)
    for stage in ("check", "split", "vectorize", "train", "evaluate", "export"):
        shown = python(
            "-m",
            f"stages.{stage}",
            folder=project,
            PYTHONPATH=WINDOWS,
            DVC_STAGE=address(stage),
        )
        assert (shown.status, shown.err) == (0, ""), stage
    assert without_versions(project) == before


OF_VERSIONS = ("manifest.json", "packages.json", "provenance.json")


def without_versions(project: Path) -> dict[str, bytes | None]:
    """Return the files except those with versions: the tests' process has loaded more packages."""
    return {
        path: data
        for path, data in tree(project).items()
        if not path.endswith(("manifest.json", "packages.json", "provenance.json"))
    }


def test_workers_start_anew_with_the_same_variables() -> None:
    done = python("-c", SPAWN, PYTHONPATH=WINDOWS)
    assert done.out.splitlines() == [str(["1"] * 4), "{'SpawnProcess'}"], done.err
