"""Histograms of scores, from which ROC curves and areas follow without keeping the scores.

They take the same memory for any number of rows. Counts are exact; areas and curves treat scores in the same bin as
tied. `Histogram.bound` is the largest possible error of an area: for smooth scores 5e-6 with two classes, 2e-5 with
three, 7e-4 with a hundred; the actual error is a tenth of that or less.
"""

import math
from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textclf.evaluate.curves import PositiveCounts, corners

OCTAVES = 52  # halvings below 1/2, down to about the distance of doubles from 1; smaller scores share a bin
FINE, COARSE = 12, 4  # bits of bins per octave: 4096 bins for one curve, fewer for many, at least 16
STEPS = 500  # along a curve, of which the first and the last point remain


class Histogram:
    """Scores from 0 to 1 of the rows of a class and of the other rows, in bins that are narrow near 0 and near 1.

    A bin is given by the leading bits of a double: of a score below 1/2, and of 1 minus a score above it. So bins have
    equal width relative to the odds, are found without a logarithm, and are the same on every machine.
    """

    def __init__(self, bits: int = FINE) -> None:
        """Make an empty histogram with 2^bits bins per octave."""
        self.shift = 52 - bits
        self.least = int(np.float64(2.0 ** -(OCTAVES + 1)).view(np.int64)) >> self.shift
        self.half = ((int(np.float64(0.5).view(np.int64)) >> self.shift) - self.least) + 1  # 1/2 has a bin of its own
        self.counts = np.zeros((2 * self.half - 1, 2), dtype=np.int64)  # per bin: other rows, rows of the class

    def bins_of(self, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the bin of each score (rows,); a higher score is never in a lower bin."""
        distances = np.ascontiguousarray(np.minimum(scores, 1 - scores))
        bits: NDArray[np.int64] = np.maximum(distances, 0).view(np.int64) >> self.shift
        bins = np.maximum(bits, self.least) - self.least
        return np.where(scores <= 0.5, bins, 2 * self.half - 2 - bins)

    def add(self, positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> None:
        """Count these rows."""
        np.add.at(self.counts.ravel(), 2 * self.bins_of(scores) + positive, 1)

    @cached_property
    def _shares(self) -> tuple[NDArray[np.float64], ...]:
        """Return per bin the shares of other rows and of the class in it, and of both below its middle."""
        shares = self.counts / np.maximum(self.counts.sum(axis=0), 1)
        below = np.cumsum(shares, axis=0) - shares / 2
        return shares[:, 0], shares[:, 1], below[:, 0], below[:, 1]

    @cached_property
    def sizes(self) -> tuple[int, int]:
        """Return the number of other rows and of rows of the class."""
        others, positives = self.counts.sum(axis=0).tolist()
        return others, positives

    @cached_property
    def area(self) -> float:
        """Return the ROC AUC, in which scores in one bin count as tied; NaN without rows on both sides."""
        _, positives, others_below, _ = self._shares
        return float(positives @ others_below) if min(self.sizes) else math.nan

    @property
    def bound(self) -> float:
        """Return the largest possible error of `area`: half the share of (other, positive) pairs in one bin."""
        others, positives, _, _ = self._shares
        return float(others @ positives) / 2

    @property
    def variance(self) -> float:
        """Return the variance of the area: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837-845.

        doi:10.2307/2531595. It does not depend on the number of rows of the class being left to chance, so it holds for
        a stratified split too.
        """
        others, positives, others_below, positives_below = self._shares
        sizes = self.sizes
        return float(
            others @ (1 - positives_below - self.area) ** 2 / sizes[0]
            + positives @ (others_below - self.area) ** 2 / sizes[1]
        )

    def influence(self, positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the influence of each row on the area (rows,): its variance / rows is that of the area."""
        _, _, others_below, positives_below = self._shares
        bins, sizes = self.bins_of(scores), self.sizes
        influence: NDArray[np.float64] = np.where(
            positive,
            (others_below[bins] - self.area) / sizes[1],
            (1 - positives_below[bins] - self.area) / sizes[0],
        )
        return influence * sum(sizes)

    def positive_counts(self) -> PositiveCounts:
        """Return the numbers of false and true positives as the threshold falls below each bin with rows (bins,)."""
        counts = self.counts[::-1]
        false, true = np.cumsum(counts[counts.any(axis=1)], axis=0).T
        return false, true


def thin(
    curves: Mapping[str, PositiveCounts], choose: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]
) -> dict[str, PositiveCounts]:
    """Return the curves with the points that `choose`, such as `thin_roc`, keeps.

    A curve of at most 2 `STEPS` points keeps all of them.
    """
    thinned = {}
    for name, (false, true) in curves.items():
        points = choose(false, true) if len(true) > 2 * STEPS else slice(None)
        thinned[name] = false[points], true[points]
    return thinned


def thin_roc(false: NDArray[np.int64], true: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of the points of a ROC curve to keep, about 2 `STEPS` at most.

    The mean of both rates, which grows along the curve, is cut into `STEPS` steps, of which the first and the last
    corner remain: every other corner is within 2 / `STEPS` of one that remains in the sum of the rates.
    """
    kept = corners(false, true)
    rates = sum(counts[kept] / max(counts[-1], 1) for counts in (false, true))
    return kept[_ends_of_steps(np.asarray(rates) / 2)] if len(kept) > 2 * STEPS else kept


def thin_precision_recall(_: NDArray[np.int64], true: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of the points of a precision-recall curve to keep.

    Every other point is within 1 / `STEPS` of one that remains in recall.
    """
    return _ends_of_steps(true / max(true[-1], 1))


def thin_risk(wrong: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of the points of a risk-coverage curve to keep.

    Every other point is within 1 / `STEPS` of one that remains in the share of the rows answered.
    """
    return _ends_of_steps((wrong + right) / (wrong[-1] + right[-1]))


def _ends_of_steps(ascending: NDArray[np.float64]) -> NDArray[np.int64]:
    steps = np.floor(ascending * STEPS)
    end = np.ones(len(steps), dtype=bool)
    end[1:-1] = (steps[1:-1] != steps[:-2]) | (steps[1:-1] != steps[2:])
    return np.flatnonzero(end)
