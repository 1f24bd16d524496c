"""Measure how often the 95% intervals of textclf.evaluate contain the true value.

Run: python benchmarks/coverage.py (two minutes on one core). Test sets are drawn from a known model, so the true value
of each metric is known too; a correct interval contains it in 95% of the test sets. Each share is printed with its
Monte Carlo error.
"""

import math
import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.metrics import METRICS
from textclf.evaluate.bootstrap import bootstrap
from textclf.evaluate.comparisons import accuracy_difference
from textclf.evaluate.intervals import Interval, percentile, wilson
from textclf.evaluate.metrics import point_values

SETS = 2000  # simulated test sets per line
RESAMPLES = 500  # per set; params.yaml has 2000, with which coverage is higher by 0.1 or 0.2 points
TRUTH = 2_000_000  # rows from which the true values are computed
SEED = 1


@dataclass(frozen=True)
class Scenario:
    """A kind of test set; two overconfident models score it, with accuracies near 0.8 and 0.75 for even classes."""

    name: str
    rows: int
    positive: float
    fixed: bool = True  # each test set has the same class counts, as after a stratified split; else they are random
    stratified: bool = True  # resamples keep the class counts


SCENARIOS = (
    Scenario("100 rows, even classes", 100, 0.5),
    Scenario("250 rows, even classes", 250, 0.5),
    Scenario("1000 rows, even classes", 1000, 0.5),
    Scenario("250 rows, 10% positive", 250, 0.1),
    Scenario("250 rows, random counts, even on average, stratified resamples", 250, 0.5, fixed=False),
    Scenario("250 rows, random counts, even on average, plain resamples", 250, 0.5, fixed=False, stratified=False),
    Scenario("250 rows, random counts, 10% positive, stratified resamples", 250, 0.1, fixed=False),
    Scenario("250 rows, random counts, 10% positive, plain resamples", 250, 0.1, fixed=False, stratified=False),
)


@dataclass(frozen=True)
class Rows:
    """Actual classes, the probabilities and decisions of model a, and the rows that a and b decide correctly."""

    y: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    decided: NDArray[np.int64]
    correct_a: NDArray[np.bool_]
    correct_b: NDArray[np.bool_]


def draw(scenario: Scenario, rows: int, generator: np.random.Generator) -> Rows:
    """Draw rows whose scores are normal within each class, so that the calibrated log odds are linear in them."""
    positives = round(rows * scenario.positive) if scenario.fixed else generator.binomial(rows, scenario.positive)
    y = (np.arange(rows) < positives).astype(np.int64)
    noise_a = generator.normal(size=rows)
    noise_b = 0.7 * noise_a + math.sqrt(1 - 0.7**2) * generator.normal(size=rows)
    prior = math.log(scenario.positive / (1 - scenario.positive))
    outputs = []
    for noise, distance in ((noise_a, 0.84), (noise_b, 0.67)):  # Phi of the distance is the accuracy at even classes
        odds = prior + 2 * distance * (distance * (2 * y - 1) + noise)
        positive = 1 / (1 + np.exp(-1.5 * odds))  # 1.5: overconfident
        outputs.append(np.column_stack([1 - positive, positive]))
    decided_a, decided_b = (probabilities.argmax(axis=1) for probabilities in outputs)
    return Rows(y, outputs[0], decided_a, decided_a == y, decided_b == y)


def truth(scenario: Scenario, generator: np.random.Generator) -> dict[str, float]:
    """Return the metrics of model a in a very large sample, and its accuracy minus that of other models."""
    rows = draw(replace(scenario, fixed=True), TRUTH, generator)
    metrics = point_values(rows.y, rows.probabilities, rows.decided)
    differences = {name: rows.correct_a.mean() - correct.mean() for name, correct in others(rows).items()}
    return {name: float(metrics[name][0]) for name in METRICS} | differences


def others(rows: Rows) -> dict[str, NDArray[np.bool_]]:
    """Return the rows that other models decide correctly, by the name of the comparison."""
    return {"accuracy, minus b's": rows.correct_b, "accuracy, minus majority's": rows.y == 0}


def bootstrap_coverage(scenario: Scenario, seed: int) -> dict[str, tuple[float, float]]:
    """Return the true value of each metric, and the share of the test sets whose percentile interval contains it."""
    generator = np.random.default_rng(seed)
    true = truth(scenario, generator)
    contained = dict.fromkeys(true, 0)
    for number in range(SETS):
        rows = draw(scenario, scenario.rows, generator)
        models = {"a": (rows.probabilities, rows.decided)}
        draws = bootstrap(rows.y, models, number, RESAMPLES, scenario.stratified)["a"]
        intervals = {name: percentile(draws[name]) for name in METRICS}
        for name, correct in others(rows).items():
            paired = accuracy_difference(
                rows.y, rows.correct_a, correct, number, RESAMPLES, stratified=scenario.stratified
            )
            intervals[name] = Interval(paired.low, paired.high)
        for name, (low, high) in intervals.items():
            contained[name] += low <= true[name] <= high
    return {name: (true[name], contained[name] / SETS) for name in true}


def wilson_coverage(n: int, p: float, generator: np.random.Generator) -> tuple[float, float]:
    """Return the share of test sets whose Wilson interval contains p, simulated and exact (binomial)."""
    from scipy.stats import binom

    intervals = [wilson(successes, n) for successes in range(n + 1)]
    contains = np.array([low <= p <= high for low, high in intervals])
    return float(contains[generator.binomial(n, p, SETS)].mean()), float(
        binom.pmf(np.arange(n + 1), n, p)[contains].sum()
    )


def line(name: str, value: float, coverage: float) -> str:
    """Return a row of a table: name, true value, coverage with its Monte Carlo error, verdict."""
    error = math.sqrt(coverage * (1 - coverage) / SETS)
    verdict = "yes" if 0.93 <= coverage <= 0.97 else "NO"
    return f"{name:<28} {value:>8.4f} {100 * coverage:>8.1f} ± {100 * error:.1f}   {verdict:<10}"


def main() -> None:
    """Print the tables."""
    started = time.perf_counter()
    header = f"{'':<28} {'true':>8} {'coverage, %':>14}   93 to 97%"
    generator = np.random.default_rng(SEED)
    print(f"Wilson interval of an accuracy, {SETS} test sets per line\n{header}  exact, %")
    for n in (25, 100, 250, 1000):
        for p in (0.5, 0.8, 0.95):
            simulated, exact = wilson_coverage(n, p, generator)
            print(f"{line(f'{n} rows', p, simulated)} {100 * exact:>9.1f}")
    for number, scenario in enumerate(SCENARIOS):
        print(f"\nPercentile interval of the bootstrap, {scenario.name}\n{header}")
        for name, (value, coverage) in sorted(bootstrap_coverage(scenario, SEED + number).items()):
            print(line(name, value, coverage).rstrip(), flush=True)
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
