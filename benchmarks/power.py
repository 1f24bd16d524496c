"""Measure how often the smallest difference that a test set is said to detect is detected.

    python -m benchmarks.power

Three models decide made-up test sets; the accuracies of two of them differ by what `smallest_difference` gives, and the
third lies halfway. A difference is detected if McNemar's test, corrected for the three pairs, has a p-value of at most
0.05. Takes about half a minute on one core.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import results
from textclf.core.progress import track
from textclf.evaluate.clusters import independent_rows
from textclf.evaluate.comparisons import holm, mcnemar
from textclf.evaluate.intervals import normal_quantile
from textclf.evaluate.power import POWER, power_curve, smallest_difference

SETS = 4000  # simulated test sets per line
ALPHA = 0.05
PAIRS = ((0, 1), (0, 2), (1, 2))  # of three models; the first differs most
SEED = 1
DISAGREEMENT = 0.13  # of network and regression on the test rows of the lesson
DIFFERENCES = (0.05, 0.03, 0.02, 0.01)  # whose rows docs/evaluation.md lists


@dataclass(frozen=True)
class Scenario:
    """A kind of test set: its rows, and the share of them that only one of two models decides correctly.

    `group` rows each are decided alike, as one row would be, with the probability `correlation`.
    """

    rows: int
    discordant: float
    group: int = 1
    correlation: float = 0.0

    @property
    def effective(self) -> float:
        """The number of independent rows that the rows are worth."""
        return self.rows / (1 + (self.group - 1) * self.correlation)


SCENARIOS = (
    Scenario(50, 0.13),
    Scenario(50, 0.4),
    Scenario(250, 0.13),
    Scenario(250, 0.3),
    Scenario(2000, 0.05),
    Scenario(2000, 0.13),
    Scenario(2000, 0.3),
    Scenario(2000, 0.13, 4, 0.3),
    Scenario(2000, 0.13, 10, 0.3),
)


def connor(n: float, discordant: float) -> float | None:
    """Return the smallest difference by Connor's formula (1987), for the test that is not exact, of one pair alone."""
    z, z_power = normal_quantile(1 - ALPHA / 2), normal_quantile(POWER)
    spread = z * math.sqrt(n) + z_power * math.sqrt(n + z_power**2 - z**2)
    difference = math.sqrt(discordant) * spread / (n + z_power**2)
    return difference if difference <= discordant else None


def rows_needed(difference: float, discordant: float, alpha: float) -> int:
    """Return the number of independent rows on which the test detects a difference with 80% power."""
    low, high = 0, 1
    while power_curve(high, discordant, alpha)(difference) < POWER:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        enough = power_curve(middle, discordant, alpha)(difference) >= POWER
        low, high = (low, middle) if enough else (middle, high)
    return high


def draw(scenario: Scenario, difference: float, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return which of the three models decide each row correctly, apart from rows on which all agree (3, rows).

    On every other row one model is alone in being right, or in being wrong. The accuracies of the first two differ by
    `difference`.
    """
    groups = scenario.rows // scenario.group
    skew = difference / scenario.discordant
    odd = scenario.discordant / 4  # share of the rows on which a model without skew is alone right, or alone wrong
    shares = [odd * (1 + skew), odd * (1 - skew), odd * (1 - skew), odd * (1 + skew), odd, odd]
    patterns = np.concatenate([np.repeat(np.eye(3, dtype=np.int64), 2, axis=0), np.zeros((1, 3), np.int64)])
    patterns[1:6:2] *= -1
    edges = np.cumsum(shares)
    own, shared = (np.searchsorted(edges, generator.random((groups, size))) for size in (scenario.group, 1))
    alike = generator.random((groups, 1)) < scenario.correlation
    return patterns[np.where(alike, shared, own)].reshape(-1, 3).T


def found(scenario: Scenario, difference: float, seed: int, sets: int = SETS) -> float:
    """Return the share of test sets in which the difference of the first two models is detected."""
    generator = np.random.default_rng(seed)
    detected = 0
    for _ in range(sets):
        models = draw(scenario, difference, generator)
        detected += holm(np.array([_test(models[a] - models[b], scenario) for a, b in PAIRS]))[0] <= ALPHA
    return detected / sets


def _test(better: NDArray[np.int64], scenario: Scenario) -> float:
    worth, degrees = float(scenario.rows), math.inf
    if scenario.group > 1:
        clusters = np.arange(scenario.rows) // scenario.group
        worth, degrees = independent_rows(better, clusters, better != 0)
    return mcnemar(int((better > 0).sum()), int((better < 0).sum()), worth / scenario.rows, degrees).p


def measure() -> dict[str, Any]:
    """Return the smallest difference, and the share of sets in which it is found, by both formulas."""
    content: dict[str, Any] = {"sets": SETS, "scenarios": []}
    for number, scenario in enumerate(track(SCENARIOS, "scenarios", len(SCENARIOS))):
        exact = smallest_difference(scenario.effective, scenario.discordant, ALPHA / len(PAIRS))
        row: dict[str, Any] = vars(scenario) | {"effective": scenario.effective}
        for name, difference in (("before", connor(scenario.effective, scenario.discordant)), ("now", exact)):
            share = None if difference is None else found(scenario, difference, SEED + number)
            row[name] = {"difference": difference, "found": share}
        content["scenarios"].append(row)
    return content


def table() -> str:
    """Return the share of test sets in which the smallest difference is found."""
    content = results.read("power")
    rows = []
    for row in content["scenarios"]:
        name = f"{row['rows']:,} rows"
        if row["group"] > 1:
            name += f", groups of {row['group']}, correlation {row['correlation']}"
        cells = [
            "too few rows" if row[key]["found"] is None else f"{row[key]['difference']:.3f}: {row[key]['found']:.0%}"
            for key in ("before", "now")
        ]
        rows.append([name, f"{row['discordant']:.0%}", *cells])
    header = ["test rows", "disagreement", "Connor's formula, one pair: found", "exact, three pairs: found"]
    error = 100 * math.sqrt(POWER * (1 - POWER) / content["sets"])
    note = f"{content['sets']:,} test sets per line; the standard error of a percentage is about {error:.1f} points."
    return f"{results.markdown(header, rows)}\n\n{note}"


def needed_table() -> str:
    """Return the test rows that differences take; it is computed, not measured."""
    rows = [
        [f"{100 * each:.0f}", *(f"{rows_needed(each, DISAGREEMENT, ALPHA / pairs):,}" for pairs in (1, len(PAIRS)))]
        for each in DIFFERENCES
    ]
    return results.markdown(["difference in points", "test rows, two models", "three models"], rows)


TABLES = {"power": table, "rows-needed": needed_table}

if __name__ == "__main__":
    results.main({"power": measure})
