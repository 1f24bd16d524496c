"""Metrics of ordered classes, whose distances count: undefined without data.order.

They are also undefined if a row has no answer, which has no place on the scale.
"""

import math
from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from textclf.evaluate.clusters import TINY
from textclf.evaluate.intervals import Interval, on_odds_scale
from textclf.evaluate.metrics.metric import Metric
from textclf.evaluate.metrics.of_counts import Share, ShareMetric
from textclf.evaluate.rows import Bools, Floats, JudgedRows

# Decimals by which two expected numbers are equal.
DIGITS_OF_TIES = 9


class WithinOne(ShareMetric):
    """The share of the rows that are decided as the actual class or a neighbour of it."""

    def value(self, rows: JudgedRows) -> float:
        return float(_is_near(rows).mean()) if rows.has_distances else math.nan

    def influence(self, rows: JudgedRows, place: int | None = None) -> Floats:
        return _is_near(rows).astype(np.float64)

    def share(self, rows: JudgedRows, confidence: float, place: int | None = None) -> Share:
        # The distinct rows have the same class and decision.
        near = _is_near(rows.distinct)
        return Share.of_decisions(rows.distinct, near, np.ones_like(near), confidence)

    def is_fixed(self, rows: JudgedRows, confidence: float, place: int | None = None) -> bool:
        """Return False: the share of a constant decision depends on the rows too."""
        return False


def _is_near(rows: JudgedRows) -> Bools:
    return np.asarray(np.abs(rows.y - rows.decided) <= 1)


class Coefficient(Metric):
    """An agreement or correlation from -1 to 1.

    Its interval is symmetric in its inverse hyperbolic tangent: Fisher (1921), Metron 1:3-32.
    """

    @abstractmethod
    def parts(self, rows: JudgedRows) -> tuple[float, Floats]:
        """Return the value, NaN if a variance is 0, and the influences, (rows,)."""

    def value(self, rows: JudgedRows) -> float:
        return rows.once(self.parts)[0] if rows.has_distances else math.nan

    def influence(self, rows: JudgedRows, place: int | None = None) -> Floats:
        return rows.once(self.parts)[1]

    def _interval(self, rows: JudgedRows, confidence: float, place: int | None) -> Interval | None:
        half = self.margin(rows, self.influence(rows), rows.wrong, confidence)
        value = rows.once(self.value)
        if self.has_few_rows(rows) or half <= TINY or abs(value) == 1:
            return None
        ends = on_odds_scale((1 + value) / 2, half / 2)  # twice the inverse hyperbolic tangent
        return Interval(2 * ends.low - 1, 2 * ends.high - 1)


class QuadraticKappa(Coefficient):
    """Cohen's kappa weighted by squared distances, 0 for what chance would give.

    With positions as numbers it is `sklearn.metrics.cohen_kappa_score` with quadratic weights:
    Cohen (1968), Psychological Bulletin 70:213-220.
    """

    def parts(self, rows: JudgedRows) -> tuple[float, Floats]:
        """Return 1 - mean squared distance / mean squared distance by chance, and influences."""
        scale = np.array(rows.scale)
        actual, decided = scale[rows.y], scale[rows.decided]
        squares = (actual - decided) ** 2
        # Of each row's actual number to all decided ones, and of its decided one to all actual.
        by_chance = (actual - decided.mean()) ** 2 + decided.var()
        expected = float(by_chance.mean())
        if not expected:
            return math.nan, np.zeros(len(rows))
        by_chance += (decided - actual.mean()) ** 2 + actual.var()
        ratio = float(squares.mean()) / expected
        return 1 - ratio, (ratio * by_chance - squares) / expected


class Spearman(Coefficient):
    """Spearman's correlation of the actual number and the expected one, by mean ranks.

    The expected number is the mean of the scale by the probabilities. As `scipy.stats.spearmanr`.
    """

    def parts(self, rows: JudgedRows) -> tuple[float, Floats]:
        """Return the correlation of the ranks and the influences."""
        numbers = np.array(rows.scale)
        # Rounded, so that the order of additions breaks no ties.
        expected = np.einsum("rc,c->r", rows.probabilities, numbers).round(DIGITS_OF_TIES)
        places = np.unique(numbers, return_inverse=True)[1][rows.y]
        ties = np.unique(expected, return_inverse=True)[1]
        a, b = _centred_ranks(places), _centred_ranks(ties)
        variances = float((a * a).mean()), float((b * b).mean())
        if not all(variances):
            return math.nan, np.zeros(len(rows))
        root = math.sqrt(variances[0] * variances[1])
        correlation = float((a * b).mean()) / root
        moved = a * b + _moved(places, b) + _moved(ties, a)
        of_variances = [
            (ranks * ranks + 2 * _moved(order, ranks)) / variance
            for order, ranks, variance in zip((places, ties), (a, b), variances, strict=True)
        ]
        return correlation, moved / root - correlation / 2 * (of_variances[0] + of_variances[1])


def _centred_ranks(places: NDArray[np.int64]) -> Floats:
    """Return the mean rank of each row, minus the mean of all, as a share of the rows: (rows,)."""
    counts = np.bincount(places)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray((ranks[places] - (len(places) + 1) / 2) / len(places))


def _moved(places: NDArray[np.int64], weights: Floats) -> Floats:
    """Return by how much each row moves the ranks of rows above it, times their mean weight.

    A row moves those of equal place by half: (rows,).
    """
    sums = np.bincount(places, weights)
    above = sums[::-1].cumsum()[::-1] - sums / 2
    return np.asarray(above[places] / len(places))
