"""The base class of all metrics: how they are shown, and the intervals of their differences.

The variance of a metric is that of the mean influence of the rows: Hampel (1974), J. Am. Stat.
Assoc. 69:383-393. The variance of a difference between two models is that of the difference of
their influences.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import scipy  # which imports scipy.special when it is used

from textclf.evaluate.clusters import FEW, TINY, effective_rows, variance_of_mean
from textclf.evaluate.intervals import Difference, Interval, normal_quantile
from textclf.evaluate.rows import Bools, Floats, Ints, JudgedRows

Task = Literal["multiclass", "multilabel"]
MULTICLASS: Task = "multiclass"  # each row has one class
MULTILABEL: Task = "multilabel"  # each row has a set of labels

# Independent rows, or clusters of rows, below which no variance is estimated.
FEW_ROWS = 30
# The same for the rows with a label, and for those without it.
FEW_OF_LABEL = 20
# Rows with each label but the two rarest that a mean of recalls or of F1 needs: with 5 to 9 rows of
# many of 20 labels, 88% of the intervals of 95% had the truth; with one or two such labels 93 to
# 95%.
FEW_OF_MEAN = 10
RAREST = 2


class Fewest(NamedTuple):
    """The fewest independent rows of a class or label with which a mean has an interval.

    A number above 0 and below 1 asks for one row.
    """

    # Of each of more than two classes that has rows or is decided.
    of_class: float
    of_label: float
    # Of each label but the `RAREST`.
    of_most_labels: float


@dataclass(frozen=True)
class Metric(ABC):
    """A number that is measured for each model and split."""

    name: str
    title: str  # what people see
    description: str  # the definition in the docs
    _: KW_ONLY
    higher_is_better: bool = True
    percent: bool = False  # shown as a percentage, otherwise with three decimals
    # Also measured for each class against the rest; the metric itself is then that of the positive
    # class or, with more than two classes or several labels, the mean over them.
    per_class: bool = False
    interval: bool = True  # reported with a confidence interval
    important: bool = False  # shown first in the report on a pull request
    compared: bool = False  # between models, beside the accuracy
    listed: bool = False  # by `dvc metrics show`
    uncalibrated: bool = False  # reported of the probabilities before calibration too
    task: Task | None = None  # the only task with this metric; None: both

    # Whether both of two classes have the same value.
    symmetric: ClassVar[bool] = False

    def titled(self, multilabel: bool) -> str:
        """Return the title; with several labels per text it says which mean it is."""
        return f"macro {self.title}" if multilabel and self.per_class else self.title

    def suits(self, multilabel: bool) -> bool:
        """Return whether the metric is for rows with a class or, if `multilabel`, a label set."""
        return self.task in (None, MULTILABEL if multilabel else MULTICLASS)

    @property
    def of_slices(self) -> bool:
        """Whether slices can have it: counts or sums of rows with one class each give it."""
        return self.task != MULTILABEL

    @abstractmethod
    def value(self, rows: JudgedRows) -> float:
        """Return the metric of these rows, NaN if it is not defined for them."""

    def of_classes(self, rows: JudgedRows) -> Floats:
        """Return the metric of each class against the rest, (classes,); NaN where undefined.

        Only metrics that are `per_class` have it.
        """
        raise NotImplementedError

    @abstractmethod
    def influence(self, rows: JudgedRows, place: int | None = None) -> Floats:
        """Return the influence of each row on the metric, (rows,), apart from a constant.

        `place` is the position of a class, for the influence on its value.
        """

    def confidence_interval(
        self, rows: JudgedRows, confidence: float, place: int | None = None
    ) -> Interval | None:
        """Return the interval of the metric, or of its value for the class at this place.

        None if there are too few rows for one. docs/evaluation.md lists which interval is used
        when.
        """
        if rows.binary and self.per_class and (place is None or self.symmetric):
            place = 1  # of two classes, the metric is that of the positive one
        if rows.multilabel and self.per_class and place is None:
            return rows.once(self._label_mean_interval, confidence)
        return rows.once(self._interval, confidence, place)

    @abstractmethod
    def _interval(self, rows: JudgedRows, confidence: float, place: int | None) -> Interval | None:
        """Return the interval of the metric, except of a mean over labels."""

    @property
    def fewest(self) -> Fewest:
        """The independent rows that an interval of a mean needs.

        Simulated intervals of 3 to 77 classes with so many rows held the truth in 93% to 98% of the
        test sets; those of precision in 90% or more.
        """
        return Fewest(0, FEW_OF_LABEL, FEW_OF_LABEL)

    @property
    def among_decided(self) -> bool:
        """Whether the metric of a class counts the rows decided as it, not those that have it."""
        return False

    def has_rare_class(self, decided: Floats | Ints, actual: Floats | Ints) -> bool:
        """Return whether one of more than two classes is too rare for an interval of their mean.

        `decided` and `actual` (classes,) are the rows, or clusters, decided as and of each class.
        """
        counted = decided if self.among_decided else actual
        return bool((counted[(decided > 0) | (actual > 0)] < self.fewest.of_class).any())

    def has_rare_classes(self, rows: JudgedRows, place: int | None = None) -> bool:
        """Return whether one of the classes or labels that the metric is a mean over is rare.

        That needs more than two classes, or several labels per text. Labels, all or the one at a
        place, are rare if fewer than `FEW_OF_LABEL` rows have, or lack, one that occurs.
        """
        if not self.per_class or rows.binary:
            return False
        if not rows.multilabel:
            return self.has_rare_class(rows.by_class(rows.decided), rows.by_class(rows.y))
        sides = map(rows.is_actual, range(rows.classes) if place is None else [place])
        return any(
            min(rows.independent(has), rows.independent(~has)) < FEW_OF_LABEL
            for has in sides
            if is_mixed(has)
        )

    def has_few_rows(self, rows: JudgedRows, place: int | None = None) -> bool:
        """Return whether too few rows, or clusters, are right or wrong to estimate the variance.

        With several labels, a row with any right label counts as right too; the metric of a label
        needs rows with it and others.
        """
        if rows.multilabel and place is not None:
            return self.has_rare_classes(rows, place)
        wrong, counted = self.imperfect(rows), self.counted(rows)
        right = ~rows.wrong
        if rows.multilabel:
            right |= (rows.y & rows.decided).any(axis=1)
        too_few = min(rows.independent(counted & kind) for kind in (wrong, right)) < FEW
        return (
            too_few
            or rows.independent(np.ones_like(counted)) < FEW_ROWS
            or self.has_rare_classes(rows)
        )

    def imperfect(self, rows: JudgedRows) -> Bools:
        """Return which rows lower the metric, (rows,)."""
        return rows.wrong

    def counted(self, rows: JudgedRows) -> Bools:
        """Return the rows that the metric is of, (rows,)."""
        return np.ones(len(rows), dtype=bool)

    def margin(
        self,
        rows: JudgedRows,
        influences: Floats,
        rare: Bools,
        confidence: float,
        place: int | None = None,
    ) -> float:
        """Return half the length of a symmetric interval of the metric, as `margin` does."""
        return margin(rows, influences, rare, confidence)

    def is_fixed(self, rows: JudgedRows, confidence: float, place: int | None = None) -> bool:
        """Return whether the metric of a model that ignores the texts is the same for any rows."""
        return self.margin(rows, self.influence(rows, place), rows.wrong, confidence, place) <= TINY

    def varies(self, rows: JudgedRows) -> bool:
        """Return whether the metric of a model depends on the rows, so that it can be compared."""
        return not rows.constant

    def compare(
        self,
        models: Mapping[str, JudgedRows],
        pairs: Collection[tuple[str, str]],
        confidence: float,
    ) -> dict[tuple[str, str], Difference | None]:
        """Return for each pair of models the metric of the first minus that of the second.

        A difference is None if there are too few rows. `models` are judgements of the same rows.
        The interval is symmetric.
        """
        enough = {name for pair in pairs for name in pair if not self.has_few_rows(models[name])}
        influences = {name: self.influence(models[name]) for name in enough}
        compared: dict[tuple[str, str], Difference | None] = dict.fromkeys(pairs)
        for pair in pairs:
            if not enough.issuperset(pair):
                continue
            a, b = (models[name] for name in pair)
            differences = influences[pair[0]] - influences[pair[1]]
            rare = self.differing(a, b, differences)
            half = 0.0 if rare is None else self.margin(a, differences, rare, confidence)
            if half > TINY:
                gap = a.once(self.value) - b.once(self.value)
                compared[pair] = Difference(gap, gap - half, gap + half)
        return compared

    def differing(self, a: JudgedRows, b: JudgedRows, differences: Floats) -> Bools | None:
        """Return which rows decide on a difference between two models; None if too few.

        The array is (rows,).
        """
        return a.wrong | b.wrong

    def _label_mean_interval(self, rows: JudgedRows, confidence: float) -> Interval | None:
        """Return the interval of a mean over labels, from their intervals and correlations.

        None if a label has too few rows. Zou (2007), Psychological Methods 12:399-413.
        """
        by_label = rows.once(self.of_classes)
        places = np.flatnonzero(np.isfinite(by_label)).tolist()
        counted = map(rows.is_decided if self.among_decided else rows.is_actual, places)
        intervals = [self.confidence_interval(rows, confidence, place) for place in places]
        ends = np.array([interval for interval in intervals if interval is not None])
        numbers = sorted(map(rows.independent, counted))
        after_rarest = min(numbers[RAREST:], default=math.inf)
        rare = numbers[0] < self.fewest.of_label or after_rarest < self.fewest.of_most_labels
        if rare or len(ends) < len(places):
            return None
        related = correlations([self.influence(rows, place) for place in places], rows.clusters)
        mean = float(by_label[places].mean())
        below, above = (
            math.sqrt(max(float(side @ related @ side), 0)) / len(places)
            for side in np.abs(ends.T - by_label[places])
        )
        return Interval(max(mean - below, 0.0), min(mean + above, 1.0))


def is_mixed(positive: Bools) -> bool:
    """Return whether there are rows of the class and others."""
    return bool(positive.any() and not positive.all())


def correlations(influences: Sequence[Floats], clusters: Ints | None) -> Floats:
    """Return the correlations of metrics by the influences of the rows, 0 of a constant.

    It is (metrics, metrics). The influences of dependent rows are summed by `clusters` (rows,), as
    in the variance of each metric.
    """
    centred = [influence - influence.mean() for influence in influences]
    if clusters is not None:
        centred = [np.bincount(clusters, deviation) for deviation in centred]
    deviations = np.stack(centred)
    lengths = np.maximum(np.linalg.norm(deviations, axis=1), TINY)
    related: Floats = (deviations @ deviations.T) / np.outer(lengths, lengths)
    np.fill_diagonal(related, 1)
    return related


def margin(
    rows: JudgedRows, influences: Floats, rare: Bools, confidence: float, strata: Ints | None = None
) -> float:
    """Return half the length of the interval of a metric, by Student's t.

    `influences` (rows,) are those of the rows on the metric. Only the variance within `strata`
    (rows,) counts; single rows of one count as one. They are the classes by default where the split
    fixed their shares, which it does not of sets of labels. Of dependent rows the variance is that
    of the effective number of rows; `rare` as there.
    """
    if rows.clusters is not None:
        effective = effective_rows(influences, rows.clusters, rare, confidence)
        variance = float(influences.var()) / effective
        return normal_quantile((1 + confidence) / 2) * math.sqrt(variance)
    if strata is None:
        has_strata = rows.stratified and not rows.multilabel
        strata = rows.y if has_strata else np.zeros(len(rows), np.int64)
    strata = np.where(np.bincount(strata)[strata] > 1, strata, strata.max() + 1)
    t = scipy.special.stdtrit(max(len(rows) - 1, 1), (1 + confidence) / 2)
    return float(t) * math.sqrt(variance_of_mean(influences, strata))
