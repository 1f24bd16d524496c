"""Paired intervals: the predictions of both revisions for the same rows, compared row by row."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision
from textclf.artifacts.label_sets import to_names
from textclf.artifacts.predictions import Predictions
from textclf.core.files import DIGITS
from textclf.evaluate.comparisons import McNemar
from textclf.evaluate.intervals import Difference, Interval
from textclf.evaluate.registry import METRICS, compute
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.split_metrics import SplitMetrics
from textclf.review.changes import JUDGED, Change, Key

OTHER_ROWS = "the rows or their labels differ"


@dataclass(frozen=True)
class Decided:
    """Predictions of a model, and how its revision calibrated and decided them."""

    rows: Predictions
    decision: Decision

    def take(self, chosen: NDArray[Any]) -> "Decided":
        """Return the rows of a mask or of positions, in their order."""
        return replace(self, rows=self.rows.take(chosen))

    def metrics(self) -> dict[str, float]:
        """Return the metrics of the rows, rounded as in evaluation.json."""
        calibrated, decided = self.decision.judge(self.rows.probabilities, self.rows.scores)
        of = self.decision
        return compute(self.rows.y, calibrated, decided, of.prices, of.scale)

    def labels(self) -> dict[str, Any]:
        """Return the label of each row, or the list of its labels, by its id."""
        names, y = np.array(self.rows.classes, dtype=object), self.rows.y
        labels = to_names(y, self.rows.classes).to_pylist() if self.rows.multilabel else names[y]
        return dict(zip(self.rows.ids, labels, strict=True))


@dataclass(frozen=True)
class Pair:
    """McNemar's test of a model's predictions at both revisions on the same rows of a split.

    Its `a` is the head. `unpaired` are the metrics without a paired interval, because too few rows
    are right or wrong.
    """

    model: str
    split: str
    rows: int
    test: McNemar
    unpaired: frozenset[str] = frozenset()


@dataclass
class Pairing:
    """What the predictions of both revisions show, as far as they are on this machine."""

    intervals: dict[Key, Interval] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)
    unpaired: dict[tuple[str, str], str] = field(default_factory=dict)  # why, by model and split
    same_test_rows: list[bool] = field(default_factory=list)  # one per model that could be compared

    def replace_intervals(self, changes: Iterable[Change]) -> list[Change]:
        """Return the changes, each with its paired interval if there is one."""
        return [
            replace(change, interval=self.intervals.get(change.key, change.interval))
            for change in changes
        ]


def pair_predictions(
    changes: Iterable[Change],
    base: Mapping[str, Decided],
    head: Mapping[str, Decided],
    settings: Evaluate,
    stratified: bool,
    clustered: Collection[str] = (),
) -> Pairing:
    """Return paired intervals of the changes, by the predictions of each model at both revisions.

    The predictions are of all splits. A model and split are left out, with the reason in
    `unpaired`, unless both revisions predicted the same rows, and their predictions give the
    metrics that were recorded: other metrics were computed by other code. So are the splits in
    `clustered`, whose rows are not independent: the unpaired intervals of the metrics file allow
    for that. Of a baseline only the rows are compared.
    """
    pairing = Pairing()
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        groups.setdefault((change.model, change.split), []).append(change)
    for (model, split), group in groups.items():
        if split not in JUDGED:
            continue
        missing = [name for name, side in (("base", base), ("head", head)) if model not in side]
        if missing:
            sides = " and the ".join(missing)
            pairing.unpaired[model, split] = (
                f"this machine has no predictions of the {sides} that this version reads"
            )
            continue
        old, new = (side[model].take(side[model].rows.split == split) for side in (base, head))
        reason = why_unpaired(old, new, group, split in clustered)
        if split == "test":
            pairing.same_test_rows.append(reason != OTHER_ROWS)
        if group[0].baseline:
            continue
        if reason:
            pairing.unpaired[model, split] = reason
            continue
        intervals, test = paired_intervals(old, new, settings, stratified)
        pairing.intervals |= {(model, split, metric): ends for metric, ends in intervals.items()}
        unpaired = frozenset(change.metric for change in group if change.metric not in intervals)
        pairing.pairs.append(Pair(model, split, len(new.rows), test, unpaired))
    return pairing


def why_unpaired(base: Decided, head: Decided, changes: Iterable[Change], clustered: bool) -> str:
    """Return why the predictions for a split can't be paired row by row, "" if they can."""
    if not same_rows(base, head):
        return OTHER_ROWS
    if base.rows.classes != head.rows.classes:
        return "the classes differ"
    if clustered:
        return "rows depend on each other, by a text or a group that they share"
    before, now = base.metrics(), head.metrics()
    for change in changes:
        if (change.base, change.head) != (before.get(change.metric), now.get(change.metric)):
            return (
                "the recorded metrics are not those that this version computes of the predictions"
            )
    return ""


def same_rows(base: Decided, head: Decided) -> bool:
    """Return whether both hold the same ids, each once and with the same label."""
    labels = base.labels()
    return labels == head.labels() and len(labels) == len(base.rows) == len(head.rows)


def paired_intervals(
    base: Decided, head: Decided, settings: Evaluate, stratified: bool
) -> tuple[dict[str, Interval], McNemar]:
    """Return the interval of each metric's change, head minus base, and McNemar's test.

    Both have the same ids; the test's `a` is the head. Accuracy has Tango's score interval, other
    metrics that of `Metric.compare`, or none where it has none. Metrics without an interval in the
    registry have none here, nor has the cost if both revisions have other costs.
    """
    position = {row: index for index, row in enumerate(base.rows.ids)}
    base = base.take(np.array([position[row] for row in head.rows.ids], dtype=np.int64))
    pair, sides = ("head", "base"), {"base": base, "head": head}
    decisions = {name: side.decision for name, side in sides.items()}
    rows = {name: side.rows for name, side in sides.items()}
    split = SplitMetrics("", rows, decisions, settings, stratified)
    comparison = split.comparison(*pair)
    differences: dict[str, Difference | None] = {"accuracy": comparison.difference}
    left_out = {"accuracy"} if head.decision.costs == base.decision.costs else {"accuracy", "cost"}
    for name, metric in METRICS.items():
        if not metric.interval or name in left_out:
            continue
        if all(name in values for values in split.values.values()):
            differences[name] = metric.compare(split.judged, [pair], settings.confidence)[pair]
    intervals = {
        name: Interval(round(difference.low, DIGITS), round(difference.high, DIGITS))
        for name, difference in differences.items()
        if difference is not None
    }
    return intervals, comparison.test
