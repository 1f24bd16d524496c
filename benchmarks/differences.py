"""Measure how often the 95% intervals of differences in log loss, Brier score, F1 and ROC AUC contain the true value.

    python -m benchmarks.differences

Test sets of two models are drawn as in benchmarks/coverage.py, where the true values are known. Takes about two minutes
on one core. The result differences-before has the percentile intervals of paired resamples beside them, which pull
requests had before.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks import results
from benchmarks.coverage import TRUTH, Scenario, draw, measured
from textclf.core.progress import track
from textclf.evaluate.influence import compare_metric
from textclf.evaluate.intervals import normal_quantile
from textclf.evaluate.metrics import point_values
from textclf.evaluate.registry import METRICS
from textclf.evaluate.split_metrics import COMPARED

SETS = 1000  # simulated test sets per line
SEED = 1
PAIR = ("a", "b")


def scenario(rows: int, accuracy: float, group: int = 1, correlation: float = 1.0, **changes: Any) -> Scenario:
    """Return a kind of test set whose class counts are random, and which takes its groups into account."""
    name = f"{rows:,} rows, accuracy {accuracy}"
    if group > 1:
        name += f", groups of {group}, correlation {correlation}"
    made = Scenario(name, rows, fixed=False, stratified=False, distance=normal_quantile(accuracy))
    return replace(made, cluster=group, correlation=correlation, clustered=group > 1, **changes)


SCENARIOS = (
    *(scenario(rows, accuracy) for rows in (50, 250, 2000) for accuracy in (0.6, 0.8, 0.9, 0.96, 0.99)),
    scenario(250, 0.8, name="250 rows, accuracy 0.8, 10% positive", positive=0.1),
    scenario(250, 0.8, group=5, name="250 rows, accuracy 0.8, 50 texts 5 times"),
    *(scenario(500, 0.8, 4, correlation) for correlation in (0.3, 0.8)),
    *(scenario(2000, 0.8, group, correlation) for group in (10, 40) for correlation in (0.3, 0.8)),
    scenario(2000, 0.95, 40, 0.8),
    replace(
        scenario(500, 0.8, 4, 0.8),
        name="500 rows, accuracy 0.8, groups of 4, correlation 0.8, taken as independent",
        clustered=False,
    ),
)


@dataclass
class Count:
    """How many test sets have an interval, and how many of these contain the true value."""

    stated: int = 0
    contained: int = 0

    def add(self, low: float, high: float, true: float) -> None:
        """Count an interval."""
        self.stated += 1
        self.contained += low <= true <= high


def truth(kind: Scenario, generator: np.random.Generator) -> dict[str, float]:
    """Return the true differences of the metrics, of a very large sample."""
    y, outputs = draw(replace(kind, fixed=True, cluster=1), TRUTH, generator)
    a, b = (point_values(y, outputs[name], outputs[name].argmax(axis=1)) for name in PAIR)
    return {metric: float(a[metric][0] - b[metric][0]) for metric in COMPARED}


def coverage(kind: Scenario, seed: int, sets: int = SETS) -> dict[str, Count]:
    """Return the counts of intervals by metric."""
    generator = np.random.default_rng(seed)
    true = truth(kind, generator)
    counts = {metric: Count() for metric in COMPARED}
    for _ in range(sets):
        y, outputs = draw(kind, kind.rows, generator)
        if y.min() == y.max():
            continue
        part = measured(kind, y, {name: outputs[name] for name in PAIR})
        for metric in COMPARED:
            values = {name: float(part.values[name][metric][0]) for name in PAIR}
            found = compare_metric(part.of_rows, metric, values, [PAIR], 0.95)[PAIR]
            if found is not None:
                counts[metric].add(found.low, found.high, true[metric])
    return counts


def measure() -> dict[str, Any]:
    """Return how often each interval contains the true value, in each scenario."""
    content: dict[str, Any] = {"sets": SETS, "scenarios": []}
    for number, kind in enumerate(track(SCENARIOS, "scenarios", len(SCENARIOS))):
        counts = coverage(kind, SEED + number)
        metrics = {
            metric: {"stated": count.stated / SETS, "contained": count.contained / max(count.stated, 1)}
            for metric, count in counts.items()
        }
        content["scenarios"].append({"scenario": kind.name, "metrics": metrics})
    return content


def table() -> str:
    """Return the share of intervals that contain the true value, by kind of test set (row) and metric (column)."""
    content, before = results.read("differences"), results.read("differences-before")
    rows = [
        [row["scenario"], *(_cell(row["metrics"][name], old["metrics"][name]["resamples"]) for name in COMPARED)]
        for row, old in zip(content["scenarios"], before["scenarios"], strict=True)
    ]
    error = 100 * math.sqrt(0.95 * 0.05 / content["sets"])
    note = (
        f"{content['sets']:,} test sets per line; the standard error of a percentage is about {error:.1f} points. "
        "After a semicolon: paired resamples, on up to 500 rows, with an interval in every set."
    )
    header = ["% of intervals with the truth", *(f"{METRICS[metric].title}" for metric in COMPARED)]
    return f"{results.markdown(header, rows)}\n\n{note}"


def _cell(now: dict[str, float], resamples: dict[str, float]) -> str:
    text = "too few rows"
    if now["stated"] >= 0.05:
        text = f"{100 * now['contained']:.1f}"
        text += f" ({now['stated']:.0%} of the sets have one)" if now["stated"] < 0.995 else ""
    return text + (f"; {100 * resamples['contained']:.1f}" if resamples["stated"] else "")


TABLES = {"differences": table}

if __name__ == "__main__":
    results.main({"differences": measure})
