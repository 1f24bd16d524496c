"""Metrics computed from the counts of rows by actual and decided class, with their intervals."""

import math
from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from textclf.evaluate.clusters import FEW, TINY, effective_rows, independent_rows
from textclf.evaluate.intervals import (
    CONFIDENCE,
    Interval,
    degrees_correction,
    normal_quantile,
    wilson,
)
from textclf.evaluate.metrics.metric import FEW_OF_LABEL, FEW_OF_MEAN, Fewest, Metric
from textclf.evaluate.rows import Bools, Counts, Floats, Ints, JudgedRows, label_counts, margins

# The most rows added to each class where the variance of a mean over classes is estimated.
SHARED = 2.0


@dataclass(frozen=True)
class Share:
    """A metric that follows from a share: `right` of `rows`.

    The rows are worth `effective` independent rows. `degrees` are those of freedom of the latter,
    by which they depend on the level. `f1` says that the metric is F1. With j the share of the rows
    in which a class is both actual and decided, of those in which it is one or the other, F1 is 2 j
    / (1 + j): Hand, Christen & Kirielle (2021), Machine Learning 110:451-456,
    doi:10.1007/s10994-021-05964-1.
    """

    right: float
    rows: float
    effective: float
    f1: bool = False
    degrees: float = math.inf

    @classmethod
    def of(
        cls,
        right: Bools,
        among: Bools,
        clusters: Ints | None,
        confidence: float,
        f1: bool = False,
        copies: Ints | None = None,
        times: Ints | None = None,
    ) -> "Share":
        """Return the share of `right` among some rows, or pairs of row and label.

        All arrays but `times` have the same shape; `copies` and `times` are those of `distinct`.
        """
        number, rows = int(np.count_nonzero(right)), int(np.count_nonzero(among))
        effective, degrees = float(rows), math.inf
        if clusters is not None and rows:
            right, clusters = right[among], clusters[among]
            if copies is not None and times is not None:
                copies = copies[among]
                counts = copies * times[clusters]
                number, rows = int(counts[right].sum()), int(counts.sum())
            effective, degrees = independent_rows(right, clusters, right, copies, times)
            effective *= float(degrees_correction(degrees, 1 - confidence))
        return cls(number, rows, effective, f1, degrees)

    @classmethod
    def of_decisions(
        cls, rows: JudgedRows, right: Bools, among: Bools, confidence: float, f1: bool = False
    ) -> "Share":
        """Return the share of `right` among the `distinct` rows, or their pairs with a label."""
        clusters, copies = rows.clusters, rows.copies
        if right.ndim == 2:
            clusters = rows.clusters_of_pairs
            copies = None if copies is None else np.broadcast_to(copies[:, np.newaxis], right.shape)
        return cls.of(right, among, clusters, confidence, f1, copies, rows.times)

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Return the Wilson interval of the share, as an interval of the metric."""
        right = self.effective
        if self.right != self.rows:
            right = self.right / self.rows * self.effective
        ends = wilson(right, self.effective, confidence)
        return Interval(*(2 * end / (1 + end) for end in ends)) if self.f1 else ends


class ShareMetric(Metric):
    """A metric that is a share, and has Wilson's interval."""

    @abstractmethod
    def share(self, rows: JudgedRows, confidence: float, place: int | None = None) -> Share:
        """Return the share that gives the metric, or its value for a class."""

    def _interval(self, rows: JudgedRows, confidence: float, place: int | None) -> Interval | None:
        share = rows.once(self.share, confidence, place)
        return share.interval(confidence) if share.rows else None


class Accuracy(ShareMetric):
    """The share of the rows that are decided correctly; a set of labels must be exactly right."""

    def titled(self, multilabel: bool) -> str:
        """Return the title, which says how strict the accuracy of sets is."""
        return f"subset {self.title}" if multilabel else self.title

    def value(self, rows: JudgedRows) -> float:
        if rows.multilabel:
            return float((~rows.wrong).mean())
        return float(rows.counts.correct.sum() / rows.counts.actual.sum())

    def influence(self, rows: JudgedRows, place: int | None = None) -> Floats:
        return np.asarray(~rows.wrong, np.float64)

    def share(self, rows: JudgedRows, confidence: float, place: int | None = None) -> Share:
        right = ~rows.distinct.wrong
        return Share.of_decisions(rows.distinct, right, np.ones_like(right), confidence)

    def is_fixed(self, rows: JudgedRows, confidence: float, place: int | None = None) -> bool:
        """Return False: the accuracy of a constant decision depends on the rows too."""
        return False


class HammingLoss(ShareMetric):
    """The share of the pairs of row and label that are decided wrongly."""

    def value(self, rows: JudgedRows) -> float:
        wrong = rows.counts.mistakes
        return float(wrong.sum() / (len(rows) * wrong.size))

    def influence(self, rows: JudgedRows, place: int | None = None) -> Floats:
        return np.asarray((rows.y != rows.decided).mean(axis=1))

    def share(self, rows: JudgedRows, confidence: float, place: int | None = None) -> Share:
        wrong = rows.distinct.y != rows.distinct.decided
        return Share.of_decisions(rows.distinct, wrong, np.ones_like(wrong), confidence)


class CountMetric(Metric):
    """A metric that follows from the counts of each class."""

    # The lowest value of the metric; the highest is 1.
    lowest: ClassVar[float] = 0.0
    # Whether the metric is undefined if a row is decided as no class.
    needs_answers: ClassVar[bool] = False

    @abstractmethod
    def of_counts(self, counts: Counts) -> float:
        """Return the metric, NaN if it is not defined for these counts."""

    @abstractmethod
    def derivatives(
        self, counts: Counts, place: int | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """Return the derivatives by the correct, predicted and actual counts: each (classes,).

        They are those of the metric or, with `place`, of its value for a class.
        """

    def share_of_counts(self, counts: Counts, worth: float) -> Share | None:
        """Return the share that gives the metric of two classes; None if it is no share."""
        return None

    def value(self, rows: JudgedRows) -> float:
        if self.needs_answers and (rows.decided < 0).any():
            return math.nan
        return self.of_counts(rows.counts)

    def influence(self, rows: JudgedRows, place: int | None = None) -> Floats:
        y, decided, counts = rows.y, rows.decided, rows.counts
        if rows.multilabel and place is not None:  # the other labels have no influence
            y, decided, place = y[:, [place]], decided[:, [place]], 0
            counts = label_counts(y, decided)
        of_correct, of_predicted, of_actual = self.derivatives(counts, place)
        if rows.multilabel:
            of_labels: Floats = (y & decided) @ of_correct + decided @ of_predicted + y @ of_actual
            return of_labels * len(rows)
        # The last is of rows that are decided as no class.
        of_decided = np.append(of_predicted, 0)[decided]
        change: Floats = np.where(decided == y, of_correct[y], 0) + of_decided + of_actual[y]
        return change * len(rows)

    def _interval(self, rows: JudgedRows, confidence: float, place: int | None) -> Interval | None:
        worth, alike = 1.0, rows.distinct
        if alike.clusters is not None:
            influences, counted = self.influence(alike), (alike.copies, alike.times)
            effective = effective_rows(
                influences, alike.clusters, alike.wrong, confidence, *counted
            )
            worth = effective / len(rows)
        stratified = rows.stratified and rows.clusters is None
        return self.counts_interval(rows.matrix, worth, stratified, confidence)

    def counts_interval(
        self,
        matrix: NDArray[np.int64],
        worth: float,
        stratified: bool,
        confidence: float = CONFIDENCE,
    ) -> Interval | None:
        """Return the interval of the metric of a confusion matrix; None if a class is too rare.

        It is Wilson's interval of a share that is as variable as the metric: of n rows, a share s
        has the variance s (1 - s) / n. `worth` is the number of effective rows per row,
        `stratified` says that the numbers of rows of the classes are fixed.
        """
        classes, counts = len(matrix), matrix.astype(np.float64) * worth
        if classes > 2 and self.has_rare_class(counts.sum(axis=0)[:classes], counts.sum(axis=1)):
            return None
        value = self.of_counts(margins(counts))
        counts = _smoothed(counts, normal_quantile((1 + confidence) / 2) ** 2)
        of = margins(counts)
        of_correct, of_predicted, of_actual = self.derivatives(of)
        change = np.append(of_predicted, 0)[: counts.shape[1]] + of_actual[:, np.newaxis]
        change[np.diag_indices(classes)] += of_correct
        sums, rows = (counts * change).sum(axis=1), of.actual
        if not stratified:
            sums, rows = sums.sum(keepdims=True), rows.sum(keepdims=True)
        variance = float((counts * change**2).sum() - (sums**2 / np.maximum(rows, TINY)).sum())
        lowest, span = self.lowest, 1 - self.lowest
        middle = (self.of_counts(of) - lowest) / span
        # It is 0 or 1, for example, for the precision if all mistakes are rows without an answer.
        if not 0 < middle < 1:
            return None
        # A mean of many small classes deviates from that of expected counts.
        share = (value - self.bias(counts, of_correct, stratified) - lowest) / span
        effective = middle * (1 - middle) * span**2 / max(variance, TINY**2)
        low, high = wilson(min(max(share, 0), 1) * effective, effective, confidence)
        return Interval(min(lowest + span * low, value), max(lowest + span * high, value))

    def bias(self, counts: Floats, of_correct: Floats, stratified: bool) -> float:
        """Return the expected deviation of the metric from that of expected counts."""
        return 0.0


class Matthews(CountMetric):
    """The Matthews correlation coefficient.

    For more than two classes: Gorodkin (2004), Comput. Biol. Chem. 28:367-374,
    doi:10.1016/j.compbiolchem.2004.09.006.
    """

    lowest: ClassVar[float] = -1.0
    needs_answers: ClassVar[bool] = True

    def of_counts(self, counts: Counts) -> float:
        """Return the coefficient; NaN for one class only, 0 if one class is always decided."""
        if np.count_nonzero(counts.actual) < 2:
            return math.nan
        total, predicted, actual = counts.actual.sum(), counts.predicted, counts.actual
        covariance = counts.correct.sum() * total - (predicted * actual).sum()
        variances = (total**2 - (predicted**2).sum()) * (total**2 - (actual**2).sum())
        return float(covariance / np.sqrt(variances)) if variances > 0 else 0.0

    def derivatives(
        self, counts: Counts, place: int | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """Return the derivatives, 0 if one class is always decided."""
        correct, predicted, actual = counts.correct, counts.predicted, counts.actual
        total, right = actual.sum(), correct.sum()
        left, other = total**2 - (predicted**2).sum(), total**2 - (actual**2).sum()
        root = math.sqrt(left * other)
        if not root:
            return 0 * correct, 0 * correct, 0 * correct
        mcc = (right * total - (predicted * actual).sum()) / root
        of_actual = (
            right / root
            - mcc * (total / left + total / other)
            - predicted / root
            + mcc * actual / other
        )
        return (
            np.full_like(correct, total / root),
            mcc * predicted / left - actual / root,
            of_actual,
        )


@dataclass(frozen=True)
class Ratio(CountMetric):
    """A weighted harmonic mean of precision and recall.

    The value for a class is (by_predicted + by_actual) * correct / (by_predicted * predicted +
    by_actual * actual), 0 if no row counts. The metric is the mean over the classes as in
    scikit-learn if it is measured `per_class`; if `together`, that of all pairs of row and label;
    otherwise the mean over the classes that have rows.
    """

    _: KW_ONLY
    by_predicted: int = 0
    by_actual: int = 0
    together: bool = False

    @property
    def is_share(self) -> bool:
        """Whether the value for a class follows from a share of rows."""
        return self.by_predicted == self.by_actual or self.among_decided or not self.by_predicted

    @property
    def is_f1(self) -> bool:
        """Whether the metric depends on both precision and recall."""
        return bool(self.by_predicted and self.by_actual)

    @property
    def among_decided(self) -> bool:
        return not self.by_actual

    @property
    def fewest(self) -> Fewest:
        if not self.per_class:
            return super().fewest
        if self.among_decided:
            return Fewest(FEW, FEW_OF_LABEL, FEW_OF_LABEL)
        # A class that is decided must have a row at all.
        return Fewest(TINY, FEW, FEW_OF_MEAN)

    def of_each(self, counts: Counts) -> Floats:
        """Return the metric of each class, (classes,)."""
        whole = self.by_predicted * counts.predicted + self.by_actual * counts.actual
        correct = (self.by_predicted + self.by_actual) * counts.correct
        return np.divide(correct, whole, out=np.zeros_like(whole), where=whole > 0)

    def of_classes(self, rows: JudgedRows) -> Floats:
        return self.of_each(rows.counts)

    def of_counts(self, counts: Counts) -> float:
        """Return the metric; NaN for a mean over the classes that have rows if only one has."""
        if self.together:
            return float(self.of_each(counts.together())[0])
        if self.per_class:
            return float((self.of_each(counts) * counts.weights).sum())
        present = np.count_nonzero(counts.actual)
        return math.nan if present < 2 else float(self.of_each(counts).sum() / present)

    def derivatives(
        self, counts: Counts, place: int | None = None
    ) -> tuple[Floats, Floats, Floats]:
        weights: NDArray[Any] = np.arange(counts.actual.size) == place
        if self.together:
            weights, counts = np.ones(counts.actual.size), counts.together()
        elif place is None and self.per_class:
            weights = counts.weights
        elif place is None:
            weights = (counts.actual > 0) / np.count_nonzero(counts.actual)
        factor = self.by_predicted + self.by_actual
        whole = self.by_predicted * counts.predicted + self.by_actual * counts.actual
        of_correct = np.divide(factor * weights, whole, out=np.zeros_like(whole), where=whole > 0)
        of_whole = -self.of_each(counts) * of_correct / factor
        return of_correct, self.by_predicted * of_whole, self.by_actual * of_whole

    def influence(self, rows: JudgedRows, place: int | None = None) -> Floats:
        """Return the influence of each row; on a mean over classes, what it loses without the row.

        That is the jackknife of Efron & Stein (1981), Ann. Stat. 9:586-596: with more than two
        classes the derivatives vary too little, unless the split fixed the rows of each class.
        """
        fixed = rows.stratified and rows.clusters is None
        if fixed or not self.per_class or place is not None or rows.binary or rows.multilabel:
            return super().influence(rows, place)
        counts, values = rows.counts, self.of_each(rows.counts)

        def loss(correct: int, predicted: int, actual: int) -> Floats:
            """Return what the mean loses without a row that counts so for a class (classes,)."""
            rest = Counts(
                counts.correct - correct,
                counts.predicted - predicted,
                counts.actual - actual,
            )
            return (values - self.of_each(rest)) * counts.weights

        right, missed = loss(1, 1, 1), loss(0, 0, 1)
        decided = np.append(loss(0, 1, 0), 0)  # the last is of rows that are decided as no class
        wrong = missed[rows.y] + decided[rows.decided]
        losses: Floats = np.where(rows.wrong, wrong, right[rows.y])
        return losses * (len(rows) - 1)

    def counted(self, rows: JudgedRows) -> Bools:
        if rows.binary and self.is_f1:
            return np.asarray((rows.y == 1) | (rows.decided == 1))
        return super().counted(rows)

    def is_fixed(self, rows: JudgedRows, confidence: float, place: int | None = None) -> bool:
        """Return whether the metric is the same for any rows; the recall of a class never is."""
        is_recall_of_class = place is not None and not self.by_predicted
        return not is_recall_of_class and super().is_fixed(rows, confidence, place)

    def _interval(self, rows: JudgedRows, confidence: float, place: int | None) -> Interval | None:
        if place is None and not self.together:
            return super()._interval(rows, confidence, place)
        if self.is_share:
            share = rows.once(self.share, confidence, place)
            return share.interval(confidence) if share.rows else None
        actual, decided, clusters = self._sides(rows, place)
        if not (actual | decided).any():
            return None
        two = JudgedRows(
            actual.ravel().astype(np.int64),
            np.broadcast_to(0.5, (actual.size, 2)),  # which play no part
            decided.ravel().astype(np.int64),
            None if clusters is None else clusters.ravel(),
            rows.stratified and not rows.multilabel,
        )
        one = replace(self, per_class=True, together=False)
        return CountMetric._interval(one, two, confidence, None)

    def _sides(self, rows: JudgedRows, place: int | None) -> tuple[Bools, Bools, Ints | None]:
        """Return which rows have a class, which are decided as it, and their clusters.

        Without `place` they are pairs of row and label.
        """
        if place is None:
            return rows.y == 1, rows.decided == 1, rows.clusters_of_pairs
        return rows.is_actual(place), rows.is_decided(place), rows.clusters

    def share(self, rows: JudgedRows, confidence: float, place: int | None = None) -> Share:
        rows = rows.distinct
        actual, decided, _ = self._sides(rows, place)
        if self.among_decided:
            among = decided
        elif self.by_predicted:
            among = actual | decided
        else:
            among = actual
        return Share.of_decisions(rows, actual & decided, among, confidence, self.is_f1)

    def share_of_counts(self, counts: Counts, worth: float) -> Share | None:
        """Return the share that gives the metric of two classes; None if it is no share."""
        if not (self.is_share and self.per_class):
            return None
        right, decided, actual = counts.correct[1], counts.predicted[1], counts.actual[1]
        if self.among_decided:
            rows = decided
        elif self.by_predicted:
            rows = decided + actual - right
        else:
            rows = actual
        return Share(right, rows, rows * worth, self.is_f1)

    def bias(self, counts: Floats, of_correct: Floats, stratified: bool) -> float:
        """Return the expected deviation from the metric of expected counts, to second order."""
        of = margins(counts)
        whole = self.by_predicted * of.predicted + self.by_actual * of.actual
        actual = np.maximum(of.actual, TINY)
        excess = -self.by_predicted * self.by_actual * of.mistakes
        if stratified:
            spread = of.predicted - (counts**2 / actual[:, np.newaxis]).sum(axis=0)[: len(counts)]
            excess = self.by_predicted * (spread - whole * (1 - of.correct / actual))
        return float((of_correct * of.correct * excess / np.maximum(whole, TINY) ** 2).sum())


def _smoothed(counts: Floats, added: float) -> Floats:
    """Return confusion counts with smoothed proportions of right and wrong rows per class.

    Each class has as many rows as before. `added` rows, half of which are right, are divided among
    the classes: with the square of the normal quantile as Agresti & Coull (1998), The American
    Statistician 52:119-126. To each class come up to `SHARED` rows that are right as often as the
    rows of all classes, so that a small class without mistakes varies: fewer, the more recalls
    differ (beta-binomial moments, Kleinman 1973, J. Am. Stat. Assoc. 68:46-54). Wrong ones are
    decided like those of the class, or, if it has none, as the other classes in proportion to their
    rows.
    """
    actual, diagonal = counts.sum(axis=1), np.eye(*counts.shape) == 1
    present = actual > 0
    share = (counts.trace() + added / 2) / (actual.sum() + added)
    variance, recalls = share * (1 - share), counts.diagonal()[present] / actual[present]
    between = ((recalls - share) ** 2 - variance / actual[present]).mean()
    shared = max(variance / max(between, variance / (1 + SHARED)) - 1, 0)
    per_class = added / len(recalls)
    right, wrong = per_class / 2 + shared * share, np.where(diagonal, 0, counts)
    others = np.where(diagonal, 0, np.append(actual, 0)[: counts.shape[1]])
    wrong = np.where(wrong.any(axis=1, keepdims=True), wrong, others)
    wrong *= (per_class + shared - right) / np.maximum(wrong.sum(axis=1, keepdims=True), TINY)
    smoothed: Floats = counts + present[:, np.newaxis] * np.where(diagonal, right, wrong)
    smoothed *= (actual / np.maximum(smoothed.sum(axis=1), TINY))[:, np.newaxis]
    return smoothed
