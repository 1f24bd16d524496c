"""No command and no run, killed or not, removes or changes the user's files."""

import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests import layouts
from tests.faults.campaign import generator
from tests.layouts import LAYOUTS
from tests.verify import ROOT, Copy

pytestmark = pytest.mark.posix

KILLED = ROOT / "tests" / "killed.py"
LATEST = 25.0  # seconds in which the first run is killed
IN_CI = "cookiecutter, models"
CASES = [
    pytest.param(name, marks=pytest.mark.slow if name == IN_CI else pytest.mark.nightly)
    for name in LAYOUTS
]


@pytest.mark.parametrize("name", CASES)
def test_files_of_the_user_stay_as_they_are(name: str, empty_folder: Callable[[], Copy]) -> None:
    layout, copy, random = LAYOUTS[name], empty_folder(), generator(name)
    layouts.make(layout, copy.folder)
    if layout.git:
        copy.run("git", "init", "--quiet")
    before = layouts.contents(copy.folder)

    def unharmed() -> None:
        assert layouts.damage(before, copy.folder) == []

    init = [
        "init",
        *(["classifier"] if layout.taken else []),
        "--data",
        layout.table,
        "--preset",
        "fast",
    ]
    for _ in range(2):
        copy.run_anyway(sys.executable, str(KILLED), str(random.randrange(1, 300)), *init)
        unharmed()
    copy.run(sys.executable, "-m", "textclf.cli", *init)
    unharmed()
    project = dataclasses.replace(
        copy, folder=copy.folder / "classifier" if layout.taken else copy.folder
    )
    with project.running("repro") as process, contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(random.uniform(0, LATEST))
    unharmed()
    for path in (
        "dvc.lock",
        ".dvc/tmp/rwlock",
    ):  # which DVC may leave incomplete; nothing is committed
        if (project.folder / path).exists():
            (project.folder / path).unlink()
    project.dvc("repro")
    unharmed()
    for words in (["upgrade"], ["metrics"], ["check"]):
        project.run(sys.executable, "-m", "textclf.cli", *words)
    unharmed()
