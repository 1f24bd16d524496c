"""A clone that becomes the user's project: `textclf init`, a first run, and checks."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import verify
from tests.tables import write_table
from textclf.artifacts.decisions import read_index

TABLES = {  # the shares of the classes, the rows, and the preset
    "fast preset": ([0.5, 0.5], 400, "fast"),
    "two classes": ([0.5, 0.5], 1_000, "good"),
    "six classes": ([0.3, 0.25, 0.2, 0.1, 0.1, 0.05], 2_000, "good"),
    "unbalanced": ([50 / 51, 1 / 51], 4_000, "good"),
    "sixty classes": ([1 / 60] * 60, 3_000, "good"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name == "fast preset" else pytest.mark.nightly)
        for name in TABLES
    ],
)
def test_a_first_run_is_checked_and_takes_a_model_as_good_as_logistic_regression(
    name: str, tmp_path: Path
) -> None:
    shares, count, preset = TABLES[name]
    copy = verify.make_first_copy(tmp_path)
    write_table(copy.folder / "tickets.csv", shares, count)
    said = copy.run(
        sys.executable, "-m", "textclf.cli", "init", "--data", "tickets.csv", "--preset", preset
    )
    assert said.startswith(
        f"tickets.csv: {count:,} rows, texts in column message, labels in column team, "
        "ids in column ticket\n"
    )
    copy.dvc("repro")
    copy.run(sys.executable, "docs/generate.py", "--check")
    copy.run(sys.executable, "docs/generate.py")
    copy.run(sys.executable, "docs/generate.py", "--check")
    readme = (copy.folder / "README.md").read_text(encoding="utf-8")
    assert "| logistic regression | " in readme
    assert "The lesson says" not in readme
    assert copy.run(
        "git", "status", "--porcelain", "params.yaml", "README.md", "docs"
    ).splitlines() == [
        " M README.md",
        " M params.yaml",
    ]
    assert not worse(copy.folder, read_index(copy.folder / "models")[0], "logistic_regression")


def worse(folder: Path, model: str, other: str) -> bool:
    """Return whether a model is significantly worse than another on the test rows."""
    comparisons = json.loads((folder / "metrics" / "comparisons.json").read_text(encoding="utf-8"))
    if model == other:
        return False
    ends: Sequence[float]
    if (pair := comparisons.get(f"{model}_vs_{other}")) is not None:
        ends = (pair["low"], pair["high"])
    else:
        pair = comparisons[f"{other}_vs_{model}"]
        ends = (-pair["high"], -pair["low"])
    return max(ends) < 0
