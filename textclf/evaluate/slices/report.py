"""What slices.json says: accuracy in each slice, how it differs from the other rows, and whether chance explains it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.formatting import count_noun, p_value
from textclf.core.quoting import quote_name
from textclf.evaluate.clusters import FEW
from textclf.evaluate.comparisons import holm
from textclf.evaluate.intervals import Interval, compare_shares, normal_quantile
from textclf.evaluate.metrics.of_counts import CountMetric, Share
from textclf.evaluate.metrics.of_rows import RowMean
from textclf.evaluate.registry import METRICS
from textclf.evaluate.results import Ends, Slice, SliceProtocol, Slices
from textclf.evaluate.rows import JudgedRows, margins
from textclf.evaluate.slices.names import CLASS
from textclf.evaluate.slices.sums import Correct, SliceSums, Worth


@dataclass(frozen=True)
class Part:
    """Some rows: how many are right of how many, and how many independent rows one is worth for an accuracy."""

    right: float
    rows: float
    worth: float

    @property
    def accuracy(self) -> float:
        """Return the share of right rows."""
        return self.right / self.rows

    def interval(self, confidence: float) -> Interval:
        """Return Wilson's interval of the accuracy."""
        return Share(self.right, self.rows, self.rows * self.worth).interval(confidence)


def report(sums: SliceSums, models: Mapping[str, JudgedRows], confidence: float) -> Slices:
    """Return the content of slices.json of the test rows.

    A model that decides one class for all rows has no slices: its accuracy in one is the share of
    that class. Accuracies have Wilson's interval, differences and p-values are those of
    `compare_shares`; all take dependent rows for the number of independent rows that they are
    `worth`.
    """
    entries: dict[str, Any] = {
        name: _report_model(sums, test, confidence)
        if (test.decided != test.decided[0]).any()
        else {}
        for name, test in models.items()
    }
    left_out = dict(sums.membership.left_out)
    return Slices(**entries, **({"protocol": SliceProtocol(left_out=left_out)} if left_out else {}))


def _report_model(sums: SliceSums, test: JudgedRows, confidence: float) -> dict[str, Slice]:
    entries: dict[str, dict[str, Any]] = {}
    compared: dict[
        str, tuple[float, ...]
    ] = {}  # right rows and rows of each slice, and of the others
    degrees: list[float] = []  # of freedom, of each slice
    hypothesis_of: dict[str, str] = {}  # if two slices are all rows, theirs is one
    correct = ~test.wrong
    of_clusters = Correct(sums.repeats, correct)
    for place, family in enumerate(sums.membership.families):
        right, rows = sums.total(place, correct), sums.rows[place]
        members, dependent = sums.members(place), sums.dependent[place]
        worths = [
            of_clusters.worth(some, rows[each], right[each], confidence)
            if dependent[each - 1]
            else Worth()
            for each, some in enumerate(members, start=1)
        ]
        parts = [
            Part(*each)
            for each in zip(right[1:], rows[1:], (each.mean for each in worths), strict=True)
        ]
        metrics = _metrics(sums, test, place, parts, confidence)
        for position, name in family.slices():
            own, of_difference = parts[position], worths[position].difference
            others = float(right.sum()) - own.right, len(test) - own.rows
            compared[name] = tuple(
                count * of_difference for count in (own.right, own.rows, *others)
            )
            degrees.append(worths[position].degrees)
            entries[name] = {
                "rows": int(own.rows),
                "accuracy": own.accuracy,
                "accuracy_interval": own.interval(confidence).rounded(),
                "difference": own.accuracy - others[0] / others[1],
                **metrics[position],
            }
            if dependent[position]:
                entries[name]["effective_rows"] = round(own.rows * own.worth, 1)
            hypothesis_of[name] = family.name if len(family.values) == 2 and not rows[0] else name
    counts = np.array([*compared.values()]).reshape(-1, 4)
    low, high, p = compare_shares(counts, np.array(degrees), confidence)
    hypotheses = dict(zip(hypothesis_of.values(), p, strict=True))
    adjusted = dict(zip(hypotheses, holm(np.array([*hypotheses.values()])), strict=True))
    return {
        name: Slice(
            **entry,
            difference_interval=Ends(low=ends[0], high=ends[1]),
            p=float(hypotheses[hypothesis_of[name]]),
            p_holm=float(adjusted[hypothesis_of[name]]),
        )
        for (name, entry), *ends in zip(entries.items(), low, high, strict=True)
    }


def _metrics(
    sums: SliceSums, test: JudgedRows, place: int, parts: Sequence[Part], confidence: float
) -> list[dict[str, Any]]:
    """Return the metric of the settings and its interval in each slice of a family; nothing where it is not defined.

    The interval is None if there are too few rows for one. A mean over classes is not defined in
    the slices by class.
    """
    metric, by_class = METRICS.get(sums.metric or ""), sums.membership.families[place].name == CLASS
    if metric is None or (by_class and metric.per_class and test.classes > 2):
        return [{} for _ in parts]
    found: list[tuple[float, Interval | None]] = []
    if isinstance(metric, RowMean):
        losses = metric.of_row(test)
        all_losses, squares = (
            sums.total(place, values)[1:].tolist() for values in (losses, losses**2)
        )
        found = [
            _mean_loss(metric, *each, test.sides, confidence)
            for each in zip(all_losses, squares, parts, strict=True)
        ]
    elif isinstance(metric, CountMetric):
        matrices = sums.confusion(place, test.y, test.decided, test.classes)[1:]
        found = [
            _of_counts(matrix, metric, part.worth, confidence)
            for matrix, part in zip(matrices, parts, strict=True)
        ]
    return [
        {}
        if math.isnan(value)
        else {metric.name: value, f"{metric.name}_interval": ends and ends.rounded()}
        for value, ends in found
    ]


def _mean_loss(
    metric: RowMean, losses: float, squares: float, own: Part, classes: int, confidence: float
) -> tuple[float, Interval | None]:
    mean = losses / own.rows
    if (own.rows - own.right) * own.worth < FEW:  # the losses of a few wrong rows dominate
        return mean, None
    variance = max(squares / own.rows - mean**2, 0.0)
    half = normal_quantile((1 + confidence) / 2) * math.sqrt(variance / (own.rows * own.worth))
    return mean, metric.on_scale(mean, half, classes)


def _of_counts(
    matrix: NDArray[np.int64], metric: CountMetric, worth: float, confidence: float
) -> tuple[float, Interval | None]:
    """Return a metric of a confusion matrix, NaN if it is not defined, and its interval; `worth` as for a `Part`."""
    counts = margins(matrix)
    value = (
        math.nan
        if metric.needs_answers and matrix.shape[1] > len(matrix)
        else metric.of_counts(counts)
    )
    if math.isnan(value):
        return value, None
    share = metric.share_of_counts(counts, worth) if len(matrix) == 2 else None
    if share is None:
        return value, metric.counts_interval(matrix, worth, stratified=False, confidence=confidence)
    return (value, share.interval(confidence)) if share.rows else (math.nan, None)


def ranked(entries: Mapping[str, Slice]) -> list[str]:
    """Return the slices of a model with the strongest evidence of weakness first, and of strength last."""

    def key(name: str) -> tuple[float, float, str]:
        entry = entries[name]
        sign = 1 if entry.difference < 0 else -1
        return sign * math.log(max(entry.p, 1e-300)), entry.difference, name

    return sorted(entries, key=key)


def weak(entries: Mapping[str, Slice], confidence: float) -> list[str]:
    """Return the slices of a model that are less accurate than the other rows beyond chance, by evidence."""
    alpha = 1 - confidence
    return [
        name
        for name in ranked(entries)
        if entries[name].difference < 0 and entries[name].p_holm <= alpha
    ]


def describe_weak(entries: Mapping[str, Slice], confidence: float, accuracy: str) -> Iterator[str]:
    """Yield a line for each such slice; `accuracy` is the title of the metric."""
    for name in weak(entries, confidence):
        entry, rows = entries[name], count_noun(entries[name].rows, "test row")
        yield (
            f"weak on {quote_name(name)}: {accuracy} {entry.accuracy:.3f} on {rows}, "
            f"{-entry.difference:.3f} below the others (p {p_value(entry.p_holm)}, corrected)"
        )
