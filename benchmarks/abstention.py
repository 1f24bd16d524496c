"""Measure prediction sets on each corpus as a user gets them: by `textclf predict --coverage` with exported models.

    python -m benchmarks.abstention abstention-yelp

`models` has the numbers of one split of the rows by model and coverage, `splits` those of logistic regression on
further splits. `range` is where the coverage of 95% of all runs lies, by the exact (beta-binomial) distribution.
"""

import math
import os
import subprocess
import sys
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks import project, results
from benchmarks.inputs import NAMES
from textclf.artifacts import splits
from textclf.core import files
from textclf.core.progress import track
from textclf.evaluate.intervals import wilson

PROTOCOL: dict[str, Any] = project.train("logistic_regression", "keras") | {
    "split.validation_size": 0.15,
    "split.group_duplicates": True,
    "train.keras.early_stopping": 10,
}
COVERAGES = (0.8, 0.9, 0.95)
STATED = 0.9  # evaluate.coverage; textclf predict takes any
SPLITS = 10  # seeds of the split for logistic regression alone
Sets = list[tuple[str, list[str], str | None]]  # actual class, set and answer of each row


def predict(folder: Path, model: str, coverage: float) -> Sets:
    """Return what `textclf predict --coverage` says of the test rows of a run."""
    test, output = folder / "data" / "splits" / "test.parquet", folder / "predicted.parquet"
    options = ["--path", test, "--id", "id", "--model", model, "--coverage", coverage, "--output", output]
    command = [sys.executable, "-m", "textclf.cli", "predict", *map(str, options)]
    subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, check=True)
    actual = dict(splits.read_shard(test)[["id", "label"]].to_numpy().tolist())
    return [(actual[row["id"]], row["set"], row["label"]) for row in pq.read_table(output).to_pylist()]


def share(values: list[bool]) -> dict[str, float] | None:
    """Return a share of rows with Wilson's interval; None without rows."""
    if not values:
        return None
    low, high = wilson(sum(values), len(values))
    return {"value": sum(values) / len(values), "low": low, "high": high, "rows": len(values)}


def measured(sets: Sets, validation_rows: int, coverage: float) -> dict[str, Any]:
    """Return coverage, answers and their accuracy, as shares with intervals."""
    from scipy.stats import betabinom

    rank = math.ceil((validation_rows + 1) * Fraction(repr(coverage)))
    low, high = betabinom(len(sets), rank, validation_rows + 1 - rank).ppf([0.025, 0.975]) / len(sets)
    return {
        "coverage": share([actual in each for actual, each, _ in sets]),
        "range": {"low": float(low), "high": float(high)},
        "answered": share([answer is not None for _, _, answer in sets]),
        "accuracy": share([actual == answer for actual, _, answer in sets if answer is not None]),
    }


def run(corpus: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers of each model and coverage after a run, and the accuracy of all rows.

    Raises `ValueError` if `textclf predict` covers other rows than the stage evaluate does.
    """
    settings = PROTOCOL | {"fetch.corpus": corpus, "evaluate.coverage": STATED} | changes
    with project.repro(settings, "export") as folder:
        metrics = project.metrics_in(folder)
        rows = metrics["coverage"]["protocol"]["validation_rows"]
        found = {}
        for model in metrics["evaluation"]:
            lines = {each: measured(predict(folder, model, each), rows, each) for each in COVERAGES}
            said = metrics["coverage"][model]["coverage"]["value"]
            if round(lines[STATED]["coverage"]["value"], files.DIGITS) != said:
                raise ValueError(f"textclf predict must cover the share {said} as evaluate does; got {lines[STATED]}")
            accuracy = metrics["evaluation"][model]["test"]["accuracy"]
            found[model] = {"accuracy": accuracy, "coverages": {str(each): line for each, line in lines.items()}}
    return {"validation_rows": rows, "models": found}


def measure(corpus: str) -> dict[str, Any]:
    """Return the numbers of both models on one split, and those of logistic regression on further ones."""
    alone = project.train("logistic_regression")
    splits = [
        run(corpus, alone | {"split.seed": seed})["models"]["logistic_regression"]["coverages"]
        for seed in track(range(SPLITS), "splits", SPLITS)
    ]
    return {"settings": PROTOCOL, **run(corpus, {}), "splits": splits}


if __name__ == "__main__":
    results.main({f"abstention-{name}": partial(measure, name) for name in NAMES})
