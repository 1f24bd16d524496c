"""Measure how often the 95% intervals of textclf.evaluate contain the true value.

    python -m benchmarks.coverage
    python -m benchmarks.coverage dependence

Test sets are drawn from a known model, so the true value of each metric is known too; a correct interval contains it in
95% of the test sets. `dependence` varies the size and the correlation of groups of dependent rows, the accuracy and the
number of rows. Takes about ten minutes on one core.
"""

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import results
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.core.progress import track
from textclf.evaluate.intervals import Interval, normal_quantile, wilson
from textclf.evaluate.metrics import point_values
from textclf.evaluate.registry import METRICS
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.split_metrics import SplitMetrics

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SETS = 300  # simulated test sets per line
TRUTH = 2_000_000  # rows from which the true values are computed
SEED = 1
GRID_SETS = 1000  # per combination of the numbers that follow
ROWS, GROUPS, ACCURACIES, CORRELATIONS = (50, 250, 2000), (1, 4, 10, 40), (0.6, 0.9, 0.99), (0.0, 0.3, 0.8)
SHOWN = ("accuracy", "accuracy, minus b's", "f1", "roc_auc", "mcc", "log_loss")
OTHERS = {"b": "accuracy, minus b's", "majority": "accuracy, minus majority's"}


@dataclass(frozen=True)
class Scenario:
    """A kind of test set; two overconfident models score it. For even classes their accuracies are near 0.8 and 0.75.

    `distance` is that of the classes for the first model in standard deviations of its scores; the second has 0.8 of
    it. `cluster` rows each share their class and a part `correlation` of the variance of their scores.
    """

    name: str
    rows: int
    positive: float = 0.5
    fixed: bool = True  # each test set has the same class counts, as after a stratified split; else they are random
    stratified: bool = True  # intervals take the class counts as fixed
    distance: float = 0.84  # Phi of it is the accuracy at even classes
    cluster: int = 1
    correlation: float = 1.0
    clustered: bool = False  # intervals take the clusters into account


SCENARIOS = (
    Scenario("8 rows", 8),
    Scenario("25 rows", 25),
    Scenario("25 rows, random counts", 25, fixed=False, stratified=False),
    Scenario("100 rows", 100),
    Scenario("250 rows", 250),
    Scenario("1000 rows", 1000),
    Scenario("25 rows, accuracy 0.98", 25, distance=2.05),
    Scenario("100 rows, accuracy 0.98", 100, distance=2.05),
    Scenario("100 rows, accuracy 0.98, random counts", 100, distance=2.05, fixed=False, stratified=False),
    Scenario("250 rows, accuracy 0.998", 250, distance=2.88),
    Scenario("250 rows, 10% positive", 250, 0.1),
    Scenario("250 rows, random counts, taken as fixed", 250, fixed=False),
    Scenario("250 rows, random counts", 250, fixed=False, stratified=False),
    Scenario("250 rows, random counts, 10% positive", 250, 0.1, fixed=False, stratified=False),
    Scenario("1000 rows, random counts, 2% positive", 1000, 0.02, fixed=False, stratified=False),
    Scenario("250 rows, 50 texts 5 times, taken as independent", 250, cluster=5),
    Scenario("250 rows, 50 texts 5 times", 250, cluster=5, clustered=True),
    Scenario("500 rows, 125 groups of 4, correlation 0.5, taken as independent", 500, cluster=4, correlation=0.5),
    Scenario("500 rows, 125 groups of 4, correlation 0.5", 500, cluster=4, correlation=0.5, clustered=True),
)


def draw(scenario: Scenario, rows: int, generator: np.random.Generator) -> tuple[Ints, dict[str, Floats]]:
    """Return actual classes, and probabilities by model.

    Scores are normal within each class, so that the calibrated log odds are linear in them.
    """
    clusters = rows // scenario.cluster
    positives = (
        round(clusters * scenario.positive) if scenario.fixed else generator.binomial(clusters, scenario.positive)
    )
    y = np.repeat((np.arange(clusters) < positives).astype(np.int64), scenario.cluster)
    noise_a = noise(scenario, clusters, generator)
    noise_b = 0.7 * noise_a + math.sqrt(1 - 0.7**2) * noise(scenario, clusters, generator)
    prior = math.log(scenario.positive / (1 - scenario.positive))
    outputs = {"majority": np.tile([1 - scenario.positive + 1e-9, scenario.positive - 1e-9], (len(y), 1))}
    for name, own, distance in (("b", noise_b, 0.8 * scenario.distance), ("a", noise_a, scenario.distance)):
        odds = prior + 2 * distance * (distance * (2 * y - 1) + own)
        positive = 1 / (1 + np.exp(-1.5 * odds))  # 1.5: overconfident
        outputs[name] = np.column_stack([1 - positive, positive])
    return y, outputs


def noise(scenario: Scenario, clusters: int, generator: np.random.Generator) -> Floats:
    """Return standard normal numbers (rows,), correlated within clusters."""
    shared = np.repeat(generator.normal(size=clusters), scenario.cluster)
    if scenario.cluster == 1 or scenario.correlation == 1:
        return shared
    own = generator.normal(size=len(shared))
    return math.sqrt(scenario.correlation) * shared + math.sqrt(1 - scenario.correlation) * own


def measured(scenario: Scenario, y: Ints, outputs: dict[str, Floats]) -> SplitMetrics:
    """Return the metrics of the rows, as the stage evaluate has them."""
    ids, split = np.arange(len(y)).astype(object), np.full(len(y), "test", dtype=object)
    models = {name: Predictions(ids, split, y, output, ("no", "yes")) for name, output in outputs.items()}
    clusters = np.repeat(np.arange(len(y) // scenario.cluster), scenario.cluster) if scenario.clustered else None
    decisions = dict.fromkeys(models, Decision(0.5))
    return SplitMetrics("test", models, decisions, Evaluate(), scenario.stratified, clusters)


def truth(scenario: Scenario, generator: np.random.Generator) -> dict[str, float]:
    """Return the metrics of model a in a very large sample, and its accuracy minus that of other models."""
    y, outputs = draw(replace(scenario, fixed=True, cluster=1), TRUTH, generator)
    values = {name: point_values(y, output, output.argmax(axis=1)) for name, output in outputs.items()}
    metrics = {name: float(values["a"][name][0]) for name in METRICS if METRICS[name].interval and name in values["a"]}
    differences = {title: metrics["accuracy"] - float(values[name]["accuracy"][0]) for name, title in OTHERS.items()}
    return metrics | differences


def coverage(scenario: Scenario, seed: int, sets: int = SETS) -> dict[str, tuple[float, float, float]]:
    """Return by metric its true value, the share of intervals that contain it, and that of sets with an interval."""
    generator = np.random.default_rng(seed)
    true = truth(scenario, generator)
    contained, stated = dict.fromkeys(true, 0), dict.fromkeys(true, 0)
    for _ in range(sets):
        part = measured(scenario, *draw(scenario, scenario.rows, generator))
        ends = {name: part.interval("a", name) for name in part.values["a"] if name in true}
        for name, title in OTHERS.items():
            difference = part.comparison("a", name).difference
            ends[title] = Interval(difference.low, difference.high)
        for name, interval in ends.items():
            if interval is not None:
                stated[name] += 1
                contained[name] += interval.low - 1e-9 <= true[name] <= interval.high + 1e-9
    return {name: (true[name], contained[name] / max(stated[name], 1), stated[name] / sets) for name in true}


def wilson_coverage(n: int, p: float, generator: np.random.Generator) -> tuple[float, float]:
    """Return the share of test sets whose Wilson interval contains p, simulated and exact (binomial)."""
    from scipy.stats import binom

    intervals = [wilson(successes, n) for successes in range(n + 1)]
    contains = np.array([low <= p <= high for low, high in intervals])
    return float(contains[generator.binomial(n, p, SETS)].mean()), float(
        binom.pmf(np.arange(n + 1), n, p)[contains].sum()
    )


def measure() -> dict[str, Any]:
    """Return how often each interval contains the true value, in each scenario."""
    generator = np.random.default_rng(SEED)
    content: dict[str, Any] = {"sets": SETS, "scenarios": [], "wilson": []}
    for n in (25, 100, 250, 1000):
        for p in (0.5, 0.8, 0.95):
            simulated, exact = wilson_coverage(n, p, generator)
            content["wilson"].append({"rows": n, "true": p, "contained": simulated, "exact": exact})
    for number, scenario in enumerate(track(SCENARIOS, "scenarios", len(SCENARIOS))):
        metrics = {
            name: {"true": true, "contained": contained, "stated": stated}
            for name, (true, contained, stated) in coverage(scenario, SEED + number).items()
        }
        content["scenarios"].append({"scenario": scenario.name, "metrics": metrics})
    return content


def measure_dependence() -> dict[str, Any]:
    """Return how often each interval contains the true value, with groups of dependent rows.

    `mistaken` is the mean number of groups that have a row which model a decides wrongly.
    """
    combinations = [
        (rows, group, accuracy, correlation)
        for rows, group, accuracy, correlation in itertools.product(ROWS, GROUPS, ACCURACIES, CORRELATIONS)
        if rows // group > 1 and (group > 1 or correlation == 0)
    ]
    cells = []
    for number, (rows, group, accuracy, correlation) in enumerate(track(combinations, "cells", len(combinations))):
        scenario = Scenario(
            "", rows, 0.5, False, False, normal_quantile(accuracy), group, correlation, clustered=group > 1
        )
        y, outputs = draw(replace(scenario, fixed=True), 10_000 * group, np.random.default_rng(number))
        wrong = (outputs["a"].argmax(axis=1) != y).reshape(-1, group).any(axis=1).mean()
        found = coverage(scenario, SEED + number, GRID_SETS)
        metrics = {
            name: {"contained": contained, "stated": stated}
            for name, (_, contained, stated) in found.items()
            if name in SHOWN
        }
        cell = {"rows": rows, "group": group, "accuracy": accuracy, "correlation": correlation, "metrics": metrics}
        cells.append(cell | {"mistaken": float(wrong) * (rows // group)})
    return {"sets": GRID_SETS, "cells": cells}


if __name__ == "__main__":
    results.main({"coverage": measure, "dependence": measure_dependence})
