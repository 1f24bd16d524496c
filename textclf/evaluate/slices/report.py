"""The content of slices.json: the accuracy in each slice and its difference from the others."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.formatting import count_noun
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
    """How many of some rows are right, and how many independent rows one is worth."""

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
    entries: dict[str, Any] = {}
    for name, test in models.items():
        constant = (test.decided == test.decided[0]).all()
        entries[name] = {} if constant else _report_model(sums, test, confidence)
    left_out = dict(sums.membership.left_out)
    if left_out:
        entries["protocol"] = SliceProtocol(left_out=left_out)
    return Slices(**entries)


def _report_model(sums: SliceSums, test: JudgedRows, confidence: float) -> dict[str, Slice]:
    entries: dict[str, dict[str, Any]] = {}
    # The right rows and all rows of each slice, and those of the others.
    compared: dict[str, tuple[float, ...]] = {}
    degrees: list[float] = []  # of freedom, of each slice
    hypothesis_of: dict[str, str] = {}
    correct = ~test.wrong
    of_clusters = Correct(sums.repeats, correct)
    for place, family in enumerate(sums.membership.families):
        right, rows = sums.total(place, correct), sums.rows[place]
        members, dependent = sums.members(place), sums.dependent[place]
        worths = [Worth()] * len(members)
        for position in np.flatnonzero(dependent).tolist():
            code = position + 1  # 0 is that of the rows in none of the slices
            worths[position] = of_clusters.worth(
                members[position], rows[code], right[code], confidence
            )
        means = [worth.mean for worth in worths]
        parts = [Part(*numbers) for numbers in zip(right[1:], rows[1:], means, strict=True)]
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
            # Two slices that are all rows have one hypothesis.
            halves = len(family.values) == 2 and not rows[0]
            hypothesis_of[name] = family.name if halves else name
    counts = np.array([*compared.values()]).reshape(-1, 4)
    low, high, p = compare_shares(counts, np.array(degrees), confidence)
    hypotheses = dict(zip(hypothesis_of.values(), p, strict=True))
    adjusted = dict(zip(hypotheses, holm(np.array([*hypotheses.values()])), strict=True))
    return {
        name: Slice(
            **entry,
            difference_interval=Ends(low=start, high=end),
            p=float(hypotheses[hypothesis_of[name]]),
            p_holm=float(adjusted[hypothesis_of[name]]),
        )
        for (name, entry), start, end in zip(entries.items(), low, high, strict=True)
    }


def _metrics(
    sums: SliceSums, test: JudgedRows, place: int, parts: Sequence[Part], confidence: float
) -> list[dict[str, Any]]:
    """Return the metric of the settings and its interval in each slice of a family.

    An entry is empty where the metric is not defined. The interval is None if there are too few
    rows for one. A mean over classes is not defined in the slices by class.
    """
    metric = METRICS.get(sums.metric or "")
    by_class = sums.membership.families[place].name == CLASS
    if metric is None or (by_class and metric.per_class and test.classes > 2):
        return [{} for _ in parts]
    measured: list[tuple[float, Interval | None]] = []
    if isinstance(metric, RowMean):
        losses = metric.of_row(test)
        totals = sums.total(place, losses)[1:].tolist()
        squares = sums.total(place, losses**2)[1:].tolist()
        measured = [
            _mean_loss(metric, total, square, part, test.sides, confidence)
            for total, square, part in zip(totals, squares, parts, strict=True)
        ]
    elif isinstance(metric, CountMetric):
        matrices = sums.confusion(place, test.y, test.decided, test.classes)[1:]
        measured = [
            _of_counts(matrix, metric, part.worth, confidence)
            for matrix, part in zip(matrices, parts, strict=True)
        ]
    entries: list[dict[str, Any]] = []
    for value, ends in measured:
        entry = {metric.name: value, f"{metric.name}_interval": ends and ends.rounded()}
        entries.append({} if math.isnan(value) else entry)
    return entries


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
    """Return a metric of a confusion matrix, NaN if it is not defined, and its interval.

    `worth` is as for a `Part`.
    """
    counts = margins(matrix)
    undefined = metric.needs_answers and matrix.shape[1] > len(matrix)
    value = math.nan if undefined else metric.of_counts(counts)
    if math.isnan(value):
        return value, None
    share = metric.share_of_counts(counts, worth) if len(matrix) == 2 else None
    if share is None:
        return value, metric.counts_interval(matrix, worth, stratified=False, confidence=confidence)
    return (value, share.interval(confidence)) if share.rows else (math.nan, None)


def ranked(entries: Mapping[str, Slice]) -> list[str]:
    """Return the slices of a model, from the strongest evidence of weakness to that of strength."""

    def key(name: str) -> tuple[float, float, str]:
        entry = entries[name]
        sign = 1 if entry.difference < 0 else -1
        return sign * math.log(max(entry.p, 1e-300)), entry.difference, name

    return sorted(entries, key=key)


def weak(entries: Mapping[str, Slice], confidence: float) -> list[str]:
    """Return the slices that are less accurate than the other rows beyond chance, as `ranked`."""
    alpha = 1 - confidence
    lower = [name for name in ranked(entries) if entries[name].difference < 0]
    return [name for name in lower if entries[name].p_holm <= alpha]


def describe_weak(entries: Mapping[str, Slice], confidence: float, accuracy: str) -> Iterator[str]:
    """Yield a line for each such slice; `accuracy` is the title of the metric."""
    for name in weak(entries, confidence):
        entry, rows = entries[name], count_noun(entries[name].rows, "test row")
        yield (
            f"weak on {quote_name(name)}: {accuracy} {entry.accuracy:.3f} on {rows}, "
            f"{-entry.difference:.3f} below the others, more than chance explains"
        )
