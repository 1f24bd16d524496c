"""Limits of address space for stages and `textclf predict`: a result or one line."""

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import add_model, address, arguments, tree
from tests.faults import campaign
from tests.faults.campaign import tries
from tests.processes import ROOT
from tests.settings import put

pytestmark = pytest.mark.posix

GIB = 2**30
LEAST, MOST = 2**26, 2**32  # bytes of address space that are tried
LONG = b"great " * 170_000

NEW = {"trained": "data/trained/new", "predictions": "data/predictions/new.parquet"}


class Outcome(NamedTuple):
    """How a process ended under a limit."""

    status: int
    lines: list[str]
    changed: bool
    running: bool
    temporary: list[str]


def run(folder: Path, limit: int, *words: str, **variables: str) -> Outcome:
    """Run Python with these words and variables in a folder, in so many bytes of memory."""
    before = tree(folder)
    temporary = folder.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    with subprocess.Popen(
        ["prlimit", f"--as={limit}", sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary), **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        _, printed = process.communicate(timeout=120)
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        running = False
    else:
        running = True
    left = sorted(path.name for path in temporary.iterdir())
    return Outcome(process.returncode, printed.splitlines(), tree(folder) != before, running, left)


def is_good(outcome: Outcome) -> bool:
    """Return whether a process succeeded silently, or failed in one line and changed nothing."""
    if outcome.running or outcome.temporary:
        return False
    if outcome.status == 0:
        return outcome.lines == []
    one_line = len(outcome.lines) == 1 and outcome.lines[0].startswith("error: ")
    return outcome.status == 2 and one_line and not outcome.changed


@pytest.mark.parametrize("name", ["split", "vectorize", "train", "evaluate", "predict"])
def test_any_limit_of_address_space_gives_a_result_or_one_line(project: Path, name: str) -> None:
    generator = campaign.generator(name)
    if name == "predict":
        words = ["-m", "textclf.cli", "predict", "good food", "--model", "models/majority"]
    else:
        words = ["-m", f"stages.{name}"]
    limits = [round(LEAST * (MOST / LEAST) ** generator.random()) for _ in range(tries(1))]
    outcomes = {
        limit: run(project, limit, *words, DVC_STAGE=address(name)) for limit in (*limits, 2 * GIB)
    }
    assert {limit: outcome for limit, outcome in outcomes.items() if not is_good(outcome)} == {}
    assert outcomes[2 * GIB].status == 0


def test_a_fit_under_a_limit_gives_a_result_or_one_line(project: Path) -> None:
    add_model(project, "logistic_regression")
    words = ["-m", "stages.train", *arguments("train", **NEW)]
    stage = "train@logistic_regression"
    outcomes = {limit: run(project, limit, *words, DVC_STAGE=stage) for limit in (2 * GIB, 3 * GIB)}
    assert {limit: outcome for limit, outcome in outcomes.items() if not is_good(outcome)} == {}
    assert outcomes[3 * GIB].status == 0


def test_tensorflow_is_not_loaded_where_it_would_crash(project: Path) -> None:
    add_model(project, "keras")
    outcome = run(
        project, 3 * GIB, "-m", "stages.train", *arguments("train", **NEW), DVC_STAGE="train@keras"
    )
    assert is_good(outcome)
    assert outcome.lines[0].startswith(
        "error: train: the limit of address space (ulimit -v) must be at least 5.4 GB for "
    )


def test_compressed_rows_that_do_not_fit_are_refused_by_split(project: Path) -> None:
    with gzip.open(project / "rows.csv.gz", "wb", 1) as file:
        file.write(b"text,label\n")
        for number in range(1000):
            file.write(
                b"".join(b"%d %s,%d\n" % (number, LONG[:900], label % 2) for label in range(1000))
            )
    text = put("data.path", "rows.csv.gz", "data.text", "text", "data.label", "label")
    (project / "params.yaml").write_text(text, encoding="utf-8")
    outcome = run(project, 2 * GIB, "-m", "stages.split")
    assert outcome.status == 2
    assert is_good(outcome)
    assert "rows.csv.gz: all rows in memory at once (" in outcome.lines[0]
