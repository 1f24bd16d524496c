"""Measure how often slices are called weak that are not, and how often a weak one is found.

    python -m benchmarks.slices

Test sets are made up: columns and properties of texts that have nothing to do with the decisions, and in some sets one
value whose rows are decided worse. What is reported of them is what the stage evaluate reports. Takes about ten
minutes on one core.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import results
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.core.progress import track
from textclf.evaluate.intervals import normal_quantile, wilson
from textclf.evaluate.rows import Rows
from textclf.evaluate.slices.membership import Family, Membership, keep_large
from textclf.evaluate.slices.report import report, weak
from textclf.evaluate.slices.sums import SliceSums

SETS = 2000  # simulated test sets per line
CONFIDENCE = 0.95
SEED = 1
WEAK = "platform=b"
# The values of each column, with their shares of the rows.
COLUMNS = {
    "platform": (0.6, 0.1, 0.2, 0.1),
    "region": (0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05),
    "paid": (0.7, 0.3),
    "class": (0.5, 0.5),
    "words": (0.1, 0.3, 0.4, 0.2),
    "negation": (0.75, 0.25),
    "capitals": (0.95, 0.05),
    "digits": (0.85, 0.15),
    "unknown_words": (0.2, 0.3, 0.3, 0.2),
}

Bools = NDArray[np.bool_]
Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class Scenario:
    """A kind of test set.

    `drop` is by how much the accuracy on the slice `weak`, a tenth of the rows, is lower. `cluster` rows each share a
    part `correlation` of the variance of the scores that decide which rows are right, and their platform; with `whole`
    all other values too. `clustered` says whether they are taken for clusters. `copies` rows are one text, and are
    most of the rows of the slice `WEAK`. `intents` are equally frequent values of one more column, the last of which is
    the weak slice then.
    """

    name: str
    rows: int
    accuracy: float = 0.85
    drop: float = 0.0
    cluster: int = 1
    correlation: float = 0.0
    clustered: bool = False
    whole: bool = False
    copies: int = 0
    intents: int = 0

    @property
    def weak(self) -> str:
        """The slice that is weaker by `drop`."""
        return f"intent={self.intents - 1}" if self.intents else WEAK


SCENARIOS = (
    Scenario("250 rows", 250),
    Scenario("250 rows, accuracy 0.98", 250, 0.98),
    Scenario("1000 rows", 1000),
    Scenario("5000 rows", 5000),
    Scenario("250 rows, 50 texts 5 times", 250, cluster=5, correlation=1.0, clustered=True, whole=True),
    Scenario("400 rows, 40 groups of 10, correlation 0.3", 400, cluster=10, correlation=0.3, clustered=True),
    Scenario("1000 rows, 250 groups of 4, correlation 0.5", 1000, cluster=4, correlation=0.5, clustered=True),
    Scenario(
        "1000 rows, 250 groups of 4, correlation 0.5, slices of whole groups",
        *(1000, 0.85, 0.0, 4, 0.5, True, True),
    ),
    Scenario("1000 rows, 250 groups of 4, taken as independent", 1000, cluster=4, correlation=0.5),
    *(
        Scenario(
            f"{rows} rows, {rows // group} groups of {group}, accuracy {accuracy}, correlation 0.8, {kind}",
            rows,
            accuracy,
            cluster=group,
            correlation=0.8,
            clustered=True,
            whole=whole,
        )
        for rows, group in ((240, 4), (2000, 4), (250, 10), (1500, 10), (2000, 40))
        for accuracy in (0.9, 0.99)
        for kind, whole in (("slices across groups", False), ("slices of whole groups", True))
    ),
    Scenario("1500 rows, 150 groups of 10, correlation 0.8", 1500, cluster=10, correlation=0.8, clustered=True),
    Scenario("250 rows, one slice 30 points lower", 250, drop=0.3),
    Scenario("500 rows, one slice 30 points lower", 500, drop=0.3),
    Scenario("1000 rows, one slice 15 points lower", 1000, drop=0.15),
    Scenario("1000 rows, one slice 30 points lower", 1000, drop=0.3),
    Scenario("2000 rows, one slice 15 points lower", 2000, drop=0.15),
    Scenario("5000 rows, one slice 15 points lower", 5000, drop=0.15),
    Scenario(
        "2000 rows, 500 groups of 4, one slice 15 points lower",
        *(2000, 0.85, 0.15, 4, 0.5, True),
    ),
    Scenario("1000 rows, one text 9 times in a slice of 15", 1000, copies=9),
    Scenario("5000 rows, one text 21 times in a slice of 35", 5000, copies=21),
    Scenario("3080 rows, 77 classes more", 3080, intents=77),
    Scenario("3080 rows, 77 classes more, one of them 30 points lower", 3080, drop=0.3, intents=77),
    Scenario("8000 rows, 200 classes more", 8000, intents=200),
)


def draw(
    scenario: Scenario, generator: np.random.Generator
) -> tuple[Membership, Predictions, NDArray[np.uint64] | None]:
    """Return the slices of the rows of a test set, the predictions, and the clusters if rows are taken as dependent."""
    clusters = scenario.rows // scenario.cluster
    families = []
    intents = {"intent": (1 / scenario.intents,) * scenario.intents} if scenario.intents else {}
    for name, shares in (COLUMNS | intents).items():
        whole = name == "platform" or scenario.whole
        codes = generator.choice(len(shares), clusters if whole else scenario.rows, p=shares)
        codes = np.repeat(codes, scenario.cluster) if whole else codes
        if name == "platform" and scenario.copies:
            codes[codes == 1] = 0
            codes[: scenario.copies * 5 // 3] = 1
        values = map(str, range(len(shares))) if name == "intent" else "abcdefg"[: len(shares)]
        families.append(keep_large(Family(name, tuple(values), codes.astype(np.int16))))
    column, _, value = scenario.weak.partition("=")
    (parts,) = (family for family in families if family.name == column)
    is_weak = parts.codes == (parts.values.index(value) if value in parts.values else len(parts.values))
    right = _right(scenario, is_weak, generator)
    right[: scenario.copies] = right[:1]
    y = generator.integers(0, 2, scenario.rows)
    classes = keep_large(Family("class", ("a", "b"), y.astype(np.int8)))
    families = [classes if family.name == "class" else family for family in families]
    positive = np.where(right == (y == 1), 0.9, 0.1)
    ids, split = np.arange(scenario.rows).astype(object), np.full(scenario.rows, "test", dtype=object)
    predictions = Predictions(ids, split, y, np.column_stack([1 - positive, positive]), ("a", "b"))
    keys = np.repeat(np.arange(clusters), scenario.cluster).astype(np.uint64)
    keys[: scenario.copies] = 0
    dependent = scenario.clustered or scenario.copies > 0
    return Membership(tuple(families), b"", scenario.rows), predictions, keys if dependent else None


def _right(scenario: Scenario, is_weak: Bools, generator: np.random.Generator) -> Bools:
    """Return which rows are decided correctly, from normal scores that are correlated within clusters."""
    clusters = scenario.rows // scenario.cluster
    shared = np.repeat(generator.normal(size=clusters), scenario.cluster)
    own = generator.normal(size=scenario.rows)
    scores = math.sqrt(scenario.correlation) * shared + math.sqrt(1 - scenario.correlation) * own
    limits = [normal_quantile(scenario.accuracy), normal_quantile(scenario.accuracy - scenario.drop)]
    right: Bools = scores < np.where(is_weak, limits[1], limits[0])
    return right


def simulate(scenario: Scenario, seed: int, sets: int = SETS) -> dict[str, float]:
    """Return the number of sets with a slice called weak or strong that is not, and with the weak one found."""
    generator = np.random.default_rng(seed)
    alarms = found = slices = 0
    for _ in range(sets):
        membership, predictions, keys = draw(scenario, generator)
        sums = SliceSums(membership, predictions.classes, None, keys)
        decided = Decision(0.5).decide(predictions.probabilities)
        rows = Rows(predictions.y, {"m": predictions.probabilities}, {"m": decided}, None, False, 2)
        entries = report(sums, rows, CONFIDENCE)["m"]
        column = f"{scenario.weak.partition('=')[0]}="
        others = [name for name in entries if not scenario.drop or not name.startswith(column)]
        alarms += any(entries[name]["p_holm"] <= 1 - CONFIDENCE for name in others)
        found += scenario.weak in weak(entries, CONFIDENCE)
        slices += len(entries)
    return {"alarms": alarms, "found": found, "slices": slices / sets}


def measure() -> dict[str, Any]:
    """Return the rates of false alarms and of weak slices found, in each scenario."""
    content: dict[str, Any] = {"sets": SETS, "scenarios": []}
    for number, scenario in enumerate(track(SCENARIOS, "scenarios", len(SCENARIOS))):
        counts = simulate(scenario, SEED + number)
        row: dict[str, Any] = {"scenario": scenario.name, "weak": bool(scenario.drop), "slices": counts["slices"]}
        for name in ("alarms", "found"):
            low, high = wilson(counts[name], SETS)
            row[name] = {"share": counts[name] / SETS, "low": low, "high": high}
        content["scenarios"].append(row)
    return content


if __name__ == "__main__":
    results.main({"slices": measure})
