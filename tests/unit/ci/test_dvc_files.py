"""What `make repro` says of files that DVC left behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

LOCK = "dvc.lock must be complete; got a part, as a killed DVC leaves it; git checkout dvc.lock"
RUNNING = (
    ".dvc/tmp/rwlock must be JSON; got another text, as a full disk leaves it; if no other DVC runs here: "
    "rm .dvc/tmp/rwlock"
)


@pytest.mark.parametrize(
    ("lock", "running", "lines"),
    [
        (None, None, []),
        ("schema: '2.0'\nstages: {}\n", '{"read": {}, "write": {}}', []),
        ("", None, [LOCK]),
        ("schema: '2.0'\nstages:\n  check:\n    cm", None, [LOCK]),
        ("\0" * 100, None, [LOCK]),
        (None, "", [RUNNING]),
        (None, '{"read": {', [RUNNING]),
        ("", "", [LOCK, RUNNING]),
    ],
)
def test_a_file_that_is_not_complete_is_told_with_its_cure(
    tmp_path: Path, lock: str | None, running: str | None, lines: list[str]
) -> None:
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    for name, text in (("dvc.lock", lock), (".dvc/tmp/rwlock", running)):
        if text is not None:
            (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, str(ROOT / "ci" / "dvc_files.py")], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stderr.splitlines() == [f"error: make repro: {line}" for line in lines]
    assert done.returncode == (2 if lines else 0)


def test_make_repro_looks_before_it_runs_dvc() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nrepro:")[2].partition("\n\n")[0]
    assert 0 < recipe.index("python ci/dvc_files.py") < recipe.index("dvc repro")
