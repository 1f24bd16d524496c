"""Measure how often the interval of an accuracy has the truth if the model is the best of several on the test rows.

    python -m benchmarks.looks

The models are equally accurate, so that the best one is so by chance. Takes about a minute on one core.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from benchmarks import results
from textclf.core.progress import track
from textclf.evaluate.intervals import normal_quantile, wilson
from textclf.evaluate.looks import widen

SETS = 2000  # simulated test sets per line
SEED = 1


class Scenario(NamedTuple):
    """A kind of test set, the number of models measured on it, and the correlation of their scores of a row."""

    rows: int
    accuracy: float
    looks: int
    correlation: float


SCENARIOS = (
    *(Scenario(rows, 0.8, 20, 0.0) for rows in (50, 250, 2000)),
    *(Scenario(250, accuracy, 20, 0.0) for accuracy in (0.6, 0.9, 0.99)),
    *(Scenario(250, 0.8, looks, 0.0) for looks in (2, 5, 100)),
    *(Scenario(250, 0.8, looks, 0.8) for looks in (5, 20, 100)),
)


def best(scenario: Scenario, generator: np.random.Generator) -> int:
    """Return the number of test rows that the best model decides correctly."""
    shared = generator.normal(size=scenario.rows)
    own = generator.normal(size=(scenario.looks, scenario.rows))
    scores = math.sqrt(scenario.correlation) * shared + math.sqrt(1 - scenario.correlation) * own
    return int((scores < normal_quantile(scenario.accuracy)).sum(axis=1).max())


def covered(scenario: Scenario, seed: int, sets: int = SETS) -> dict[str, float]:
    """Return the shares of sets in which the interval of the best has the truth: as of one look, and widened."""
    generator = np.random.default_rng(seed)
    counts = {"one": 0, "widened": 0}
    for _ in range(sets):
        right = best(scenario, generator)
        one = wilson(right, scenario.rows)
        for name, (low, high) in (
            ("one", one),
            ("widened", widen(right / scenario.rows, scenario.rows, 0.95, scenario.looks)),
        ):
            counts[name] += low <= scenario.accuracy <= high
    return {name: count / sets for name, count in counts.items()}


def measure() -> dict[str, Any]:
    """Return the coverage of both intervals in each scenario."""
    rows = [
        scenario._asdict() | covered(scenario, SEED + number)
        for number, scenario in enumerate(track(SCENARIOS, "scenarios", len(SCENARIOS)))
    ]
    return {"sets": SETS, "scenarios": rows}


def table() -> str:
    """Return the coverage of the intervals of the best of several results."""
    content = results.read("looks")
    rows = [
        [f"{row['rows']:,}", str(row["accuracy"]), str(row["looks"]), str(row["correlation"])]
        + [f"{row[name]:.1%}" for name in ("one", "widened")]
        for row in content["scenarios"]
    ]
    error = 100 * math.sqrt(0.95 * 0.05 / content["sets"])
    header = ["rows", "accuracy", "results", "correlation", "as if it were the only one", "widened"]
    note = f"{content['sets']:,} test sets per line; a share of 95% has a standard error of {error:.1f} points."
    return f"{results.markdown(header, rows)}\n\n{note}"


TABLES = {"looks": table}

if __name__ == "__main__":
    results.main({"looks": measure})
