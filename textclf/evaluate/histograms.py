"""What is kept of rows too many to be gone over again: sums and histograms, of which metrics and intervals follow.

They grow batch by batch and take the same room for any number of rows. All that is counted or summed is exact; the
areas and curves come from scores in narrow bins. `Histogram.bound` is the most by which an area can be off: of smooth
scores 5e-6 with two classes, 2e-5 with three, 7e-4 with a hundred; what it is off by is a tenth of that or less.
"""

import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textclf.evaluate import statistics
from textclf.evaluate.statistics import Draws, Interval

OCTAVES = 52  # halvings below 1/2, down to about the distance of doubles from 1; what lies beyond shares a bin
FINE, COARSE = 12, 4  # bits of bins an octave: 4096 bins of one curve, fewer of many, 16 at least
STEPS = 500  # of each axis of a curve, of which the first and the last point are kept


class Histogram:
    """Scores from 0 to 1 of rows that are of a class and of others, in bins that are narrow near 0 and near 1 too.

    A bin is what the leading bits of a double say: of a score below 1/2, and of 1 less the score above it. So bins are
    of equal width in relation to the odds, are found without a logarithm, and are the same on every machine.
    """

    def __init__(self, bits: int = FINE) -> None:
        """Make 2^bits bins an octave."""
        self.shift = 52 - bits
        self.least = int(np.float64(2.0 ** -(OCTAVES + 1)).view(np.int64)) >> self.shift
        self.half = ((int(np.float64(0.5).view(np.int64)) >> self.shift) - self.least) + 1  # 1/2 has a bin of its own
        self.counts = np.zeros(2 * (2 * self.half - 1), dtype=np.int64)  # of others, of the class, bin by bin

    def places(self, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """The bin of each score (rows,); a higher score never lies in a lower bin."""
        below = np.ascontiguousarray(np.minimum(scores, 1 - scores))
        bits: NDArray[np.int64] = np.maximum(np.maximum(below, 0).view(np.int64) >> self.shift, self.least) - self.least
        return np.where(scores <= 0.5, bits, 2 * self.half - 2 - bits)

    def add(self, positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> None:
        """Count these rows."""
        np.add.at(self.counts, 2 * self.places(scores) + positive, 1)

    @cached_property
    def _shares(self) -> tuple[NDArray[np.float64], ...]:
        """Of each bin the shares of the others and of the class in it, and those below it and in half of it."""
        counts = self.counts.reshape(-1, 2)
        shares = counts / np.maximum(counts.sum(axis=0), 1)
        below = np.cumsum(shares, axis=0) - shares / 2
        return shares[:, 0], shares[:, 1], below[:, 0], below[:, 1]

    @property
    def sizes(self) -> tuple[int, int]:
        """Rows of the others, and of the class."""
        others, own = self.counts.reshape(-1, 2).sum(axis=0).tolist()
        return others, own

    @cached_property
    def area(self) -> float:
        """ROC AUC, ties and what shares a bin one half; NaN without rows on both sides."""
        _, own, others_below, _ = self._shares
        return float(own @ others_below) if min(self.sizes) else math.nan

    @property
    def bound(self) -> float:
        """The most by which `area` can be off: half the share of pairs, one of the class and one not, in one bin."""
        others, own, _, _ = self._shares
        return float(others @ own) / 2

    @property
    def variance(self) -> float:
        """The variance of the area: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837-845, doi:10.2307/2531595.

        The number of rows of the class does not matter to it, so it is the same of a stratified split.
        """
        others, own, others_below, own_below = self._shares
        sizes = self.sizes
        return float(
            others @ (1 - own_below - self.area) ** 2 / sizes[0] + own @ (others_below - self.area) ** 2 / sizes[1]
        )

    def influence(self, positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each row adds to the area, times the number of rows: their variance by that number is the area's."""
        _, _, others_below, own_below = self._shares
        places, sizes = self.places(scores), self.sizes
        found: NDArray[np.float64] = np.where(
            positive,
            (others_below[places] - self.area) / sizes[1],
            (1 - own_below[places] - self.area) / sizes[0],
        )
        return found * sum(sizes)

    def falling(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How many rows are falsely and truly positive as the threshold falls below each bin with rows (bins,)."""
        counts = self.counts.reshape(-1, 2)[::-1]
        false, true = np.cumsum(counts[counts.any(axis=1)], axis=0).T
        return false, true


def thinned(false: NDArray[np.int64], true: NDArray[np.int64]) -> NDArray[np.int64]:
    """Points of a ROC curve to keep, at most about 2 `STEPS`, by place.

    Along the curve the mean of both rates is cut into `STEPS` steps, of which the first and the last point are kept:
    what is left out is within 2 / `STEPS` of a kept point in the sum of the rates.
    """
    rates = sum(counts / max(counts[-1], 1) for counts in (false, true))
    return _ends(np.asarray(rates) / 2)


def thinned_by_recall(_: NDArray[np.int64], true: NDArray[np.int64]) -> NDArray[np.int64]:
    """Points of a precision-recall curve to keep, as `thinned`: what is left out is within 1 / `STEPS` in recall."""
    return _ends(true / max(true[-1], 1))


def _ends(ascending: NDArray[np.float64]) -> NDArray[np.int64]:
    steps = np.floor(ascending * STEPS)
    kept = np.ones(len(steps), dtype=bool)
    kept[1:-1] = (steps[1:-1] != steps[:-2]) | (steps[1:-1] != steps[2:])
    return np.flatnonzero(kept)


class Tally:
    """Sums over the decided rows of a split under one model.

    `confusion` (classes, classes) rows by actual and decided class; `sums` and `squares` (measures, classes) of each
    actual class's log losses, squared errors and, of more than two classes, influences on the ROC AUC; `bins`
    (bins, 3) rows, how many are right, and the sum of the confidences, as `statistics.reliability` has them; `scores`
    a histogram a curve: of two classes of the positive one's probability, of more of each.
    """

    def __init__(self, classes: int) -> None:
        """Begin with no rows."""
        self.classes = classes
        self.confusion = np.zeros((classes, classes), dtype=np.int64)
        self.sums, self.squares = np.zeros((2, 3, classes))
        self.bins = np.zeros((statistics.BINS, 3))
        curves = range(1, 2) if classes == 2 else range(classes)
        bits = max(COARSE, min(FINE, FINE + 1 - math.ceil(math.log2(len(curves)))))  # some MB, however many classes
        self.scores = {position: Histogram(bits) for position in curves}

    def add(self, y: NDArray[np.int64], probabilities: NDArray[np.float64], decided: NDArray[np.int64]) -> None:
        """Take these rows in."""
        pairs = np.bincount(y * self.classes + decided, minlength=self.classes**2)
        self.confusion += pairs.reshape(self.confusion.shape)
        self._sum(0, y, statistics.losses(y, probabilities))
        self._sum(1, y, statistics.squares(y, probabilities))
        confidences, right, position = statistics.top(y, probabilities)
        for column, weights in enumerate((None, right, confidences)):
            self.bins[:, column] += np.bincount(position, weights, minlength=len(self.bins))
        for place, histogram in self.scores.items():
            histogram.add(y == place, probabilities[:, place])

    def add_influences(self, y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> None:
        """Take in, once all rows are added, what each adds to the mean area over the classes."""
        found = [histogram.influence(y == place, probabilities[:, place]) for place, histogram in self.scores.items()]
        self._sum(2, y, np.mean(found, axis=0))

    def _sum(self, measure: int, y: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        self.sums[measure] += np.bincount(y, values, minlength=self.classes)
        self.squares[measure] += np.bincount(y, values**2, minlength=self.classes)

    @property
    def support(self) -> NDArray[np.int64]:
        """The rows of each class (classes,)."""
        support: NDArray[np.int64] = self.confusion.sum(axis=1)
        return support

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.confusion.sum())

    @property
    def areas(self) -> NDArray[np.float64]:
        """The ROC AUC of each class against the rest (classes,), NaN where it has no rows or all."""
        areas = [histogram.area for histogram in self.scores.values()]
        return np.array(areas * 2 if self.classes == 2 else areas)

    @property
    def whole(self) -> bool:
        """Whether there are rows of every class."""
        return bool(self.support.all())

    def metrics(self) -> Draws:
        """As of `statistics.weighted_metrics`, under one weight of 1 for every row."""
        found = next(self._counted(iter([self.confusion[np.newaxis]])))
        found["log_loss"], found["brier"] = self.sums[:2].sum(axis=1, keepdims=True) / self.rows
        found["ece"] = np.atleast_1d(np.abs(self.bins[:, 1] - self.bins[:, 2]).sum() / self.rows)
        found["class_roc_auc"] = self.areas[np.newaxis]
        if self.whole:
            found["roc_auc"] = np.atleast_1d(self.areas.mean())
        return found

    def draws(self, seed: int, count: int, stratified: bool) -> Draws:
        """In resamples of the rows, those of `metrics` that follow from counts alone."""
        parts = list(self._counted(statistics.redrawn(self.confusion, seed, count, stratified)))
        return {metric: np.concatenate([part[metric] for part in parts]) for metric in parts[0]}

    def _counted(self, tables: Iterator[NDArray[np.int64]]) -> Iterator[Draws]:
        present = int(np.count_nonzero(self.support))
        for table in tables:
            counts = table.diagonal(axis1=1, axis2=2), table.sum(axis=1), table.sum(axis=2)
            right, said, there = (values.astype(np.float64) for values in counts)
            yield statistics.counted_metrics(right, said, there, present)

    def means(self, confidence: float, stratified: bool) -> dict[str, Interval]:
        """The intervals of those of `metrics` that are means over rows or near it, by their variance.

        Of log loss, Brier score and ROC AUC. That of the mean of several areas is by the variance of the rows'
        influences, of which DeLong's is the case of one area.
        """
        values, n = self.metrics(), self.support
        found = {}
        for metric, sums, squares in zip(("log_loss", "brier", "roc_auc"), self.sums, self.squares, strict=True):
            if metric in values:
                variance = statistics.variance_of_mean(n, sums, squares, stratified)
                if metric == "roc_auc" and self.classes == 2:
                    variance = self.scores[1].variance
                found[metric] = _within(
                    statistics.normal(float(values[metric][0]), math.sqrt(variance), confidence), metric
                )
        return found

    def area_interval(self, place: int, confidence: float) -> Interval:
        """The interval of the ROC AUC of a class that has rows, and others too."""
        histogram = self.scores[1 if self.classes == 2 else place]
        return _within(statistics.normal(histogram.area, math.sqrt(histogram.variance), confidence), "roc_auc")

    def reliability(self, confidence: float) -> list[statistics.Bin]:
        """As `statistics.reliability`."""
        return [
            statistics.bin_of(place, len(self.bins), int(rows), int(right), total / rows, confidence)
            for place, (rows, right, total) in enumerate(self.bins.tolist())
            if rows
        ]


def _within(ends: Interval, metric: str) -> Interval:
    """The interval, within what the metric can be."""
    return Interval(max(ends.low, 0.0), ends.high if metric == "log_loss" else min(ends.high, 1.0))
