"""Metrics that are means over the rows, such as losses and costs; and the calibration error."""

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

import numpy as np

from textclf.artifacts.decisions import EPSILON, Costs
from textclf.artifacts.label_sets import of_actual
from textclf.core.scale import distances
from textclf.evaluate.clusters import FEW, TINY, effective_rows
from textclf.evaluate.intervals import Interval, on_odds_scale, wilson
from textclf.evaluate.metrics.metric import Metric
from textclf.evaluate.rows import Bools, Floats, Ints, JudgedRows, Labels

# Bins of the confidence. Two classes fill only the upper half of them, since the confidence in the
# more probable one is at least 0.5.
BINS = 10


@dataclass(frozen=True)
class RowMean(Metric):
    """The mean of a number per row: a loss of 0 or more, or a score from 0 to 1."""

    _: KW_ONLY
    of_row: Callable[[JudgedRows], Floats]  # the number of each row, (rows,)
    highest: tuple[float, float] = (math.inf, math.inf)  # with two classes and with more

    def value(self, rows: JudgedRows) -> float:
        return float(self.of_row(rows).mean())

    def influence(self, rows: JudgedRows, place: int | None = None) -> Floats:
        return self.of_row(rows)

    def imperfect(self, rows: JudgedRows) -> Bools:
        return self.of_row(rows) < 1 if self.higher_is_better else rows.wrong

    def varies(self, rows: JudgedRows) -> bool:
        """Return True: even one prediction for all rows has a loss that depends on them."""
        return True

    def _interval(self, rows: JudgedRows, confidence: float, place: int | None) -> Interval | None:
        if self.has_few_rows(rows):
            return None
        half = self.margin(rows, self.influence(rows), rows.wrong, confidence)
        return self.on_scale(rows.once(self.value), half, rows.sides) if half > TINY else None

    def on_scale(self, value: float, half: float, classes: int) -> Interval | None:
        """Return the interval of a mean on its scale.

        `half` is half the length of its symmetric interval. The result is symmetric in the
        logarithm of a mean loss, and in the log odds of a mean score. So it stays within the range
        of the metric, and allows for skewness. None for a mean loss less than `half`: a few rows
        decide it.
        """
        if self.higher_is_better:
            return on_odds_scale(value, half)
        if half > value:
            return None
        ratio = math.exp(half / value) if value else 1.0
        return Interval(value / ratio, min(value * ratio, self.highest[classes > 2]))


@dataclass(frozen=True)
class MeanCost(RowMean):
    """The mean cost of the decisions, or their mean distance on a scale."""

    of_slices = False
    _: KW_ONLY
    matrix: Callable[[JudgedRows], Costs | None]  # by actual and decided class

    def value(self, rows: JudgedRows) -> float:
        """Return the mean, NaN without costs or distances."""
        return math.nan if self.matrix(rows) is None else super().value(rows)

    def has_few_rows(self, rows: JudgedRows, place: int | None = None) -> bool:
        """Return False: the interval allows for costs that no row shows."""
        return False

    def is_fixed(self, rows: JudgedRows, confidence: float, place: int | None = None) -> bool:
        """Return whether the one decision of a baseline costs the same for all classes."""
        return bool(np.ptp(np.array(self.matrix(rows))[:, rows.decided[0]]) == 0)

    def differing(self, a: JudgedRows, b: JudgedRows, differences: Floats) -> Bools | None:
        """Return the rows whose costs differ, None if there are fewer than `FEW`."""
        return None if a.independent(differences != 0) < FEW else differences != 0

    def _interval(self, rows: JudgedRows, confidence: float, place: int | None) -> Interval | None:
        """Return the interval of the mean cost.

        The shares of the rows with each cost, the lowest and the highest that the model can have
        among them, have Wilson's intervals; the squares of their half-lengths are added, with the
        correlations of multinomial shares (Zou & Donner 2008, Stat. Med. 27:1693-1702). So the
        interval allows for expensive mistakes that no row shows.
        """
        values, matrix, effective = self.of_row(rows), np.array(self.matrix(rows)), float(len(rows))
        if rows.constant:  # it makes no other decision
            matrix = matrix[:, rows.decided[:1]]
        if rows.clusters is not None:
            effective = effective_rows(values, rows.clusters, rows.wrong, confidence)
        levels = np.unique(np.append(values, (matrix.min(), matrix.max())))
        shares = np.bincount(np.searchsorted(levels, values), minlength=len(levels)) / len(rows)
        weights = levels - levels[shares.argmax()]
        ends = np.array([wilson(share * effective, effective, confidence) for share in shares])
        moves = weights[:, np.newaxis] * (ends - shares[:, np.newaxis])
        lengths = np.stack([moves.min(axis=1), moves.max(axis=1)])
        # A share above 0.5 is the largest, whose weight is 0, so that any odds would do.
        odds = shares / np.maximum(1 - shares, 0.5)
        correlated = lengths * np.sign(weights) * np.sqrt(odds)
        own = (lengths**2).sum(axis=1) + (correlated**2).sum(axis=1)
        below, above = np.sqrt(np.maximum(own - correlated.sum(axis=1) ** 2, 0))
        low, high = float(values.mean() - below), float(values.mean() + above)
        return Interval(max(low, float(levels[0])), min(high, float(levels[-1])))


def log_losses(rows: JudgedRows) -> Floats:
    """Return the log loss of each row, (rows,), in nats.

    With several labels per text it is the mean over the labels.
    """
    losses: Floats = -np.log(np.clip(of_actual(rows.probabilities, rows.y), EPSILON, 1 - EPSILON))
    return losses.mean(axis=1) if rows.multilabel else losses


def squared_errors(rows: JudgedRows) -> Floats:
    """Return the squared error of each row, (rows,), summed over the classes.

    Binary: of the positive class alone. Brier (1950), Monthly Weather Review 78:1-3; binary as
    `sklearn.metrics.brier_score_loss`, from 0 to 1. With several labels per text it is the mean
    over the labels.
    """
    if rows.multilabel:
        return np.asarray(((rows.probabilities - rows.y) ** 2).mean(axis=1))
    errors = np.zeros(len(rows))
    for place in range(rows.classes):  # one at a time takes less memory
        errors += (rows.probabilities[:, place] - rows.is_actual(place)) ** 2
    return errors / 2 if rows.binary else errors


def ranking_precisions(rows: JudgedRows) -> Floats:
    """Return the label ranking average precision of each row, (rows,); 1 for a row without labels.

    Schapire & Singer (2000), Machine Learning 39:135-168, 5.3, as
    `label_ranking_average_precision_score` of scikit-learn.
    """
    y, probabilities = rows.y, rows.probabilities
    sums, labels = np.zeros(len(y)), y.sum(axis=1)
    for place in range(y.shape[1]):
        having = np.flatnonzero(y[:, place])
        above = probabilities[having] >= probabilities[having, place, np.newaxis]
        sums[having] += (above & (y[having] == 1)).sum(axis=1) / above.sum(axis=1)
    return np.asarray(np.divide(sums, labels, out=np.ones(len(y)), where=labels > 0))


def costs_of(rows: JudgedRows) -> Costs | None:
    """Return the costs by actual and decided class, None without any."""
    return rows.costs


def distances_of(rows: JudgedRows) -> Costs | None:
    """Return the distances of ordered classes, None without an order or if a row has no answer."""
    return distances(rows.scale) if rows.scale is not None and rows.has_distances else None


def row_costs(rows: JudgedRows) -> Floats:
    """Return the cost of the decision of each row, (rows,).

    No answer is -1, which takes the last column of the costs.
    """
    return np.array(rows.costs)[rows.y, rows.decided]


def row_distances(rows: JudgedRows) -> Floats:
    """Return the distance of actual and decided class of each row on their scale, (rows,)."""
    scale = np.array(rows.scale)
    return np.asarray(np.abs(scale[rows.y] - scale[rows.decided]))


class CalibrationError(Metric):
    """The expected calibration error.

    It has no interval: it is biased upward in a sample, so that 67 to 91% of bootstrap intervals of
    95% had the truth.
    """

    def value(self, rows: JudgedRows) -> float:
        gaps, position = self._gaps(rows)
        return float(np.abs(np.bincount(position, gaps)).sum() / len(gaps))

    def influence(self, rows: JudgedRows, place: int | None = None) -> Floats:
        gaps, position = self._gaps(rows)
        signed: Floats = gaps * np.sign(np.bincount(position, gaps))[position]
        return np.asarray(signed.reshape(len(rows), -1).mean(axis=1))

    def _gaps(self, rows: JudgedRows) -> tuple[Floats, Ints]:
        confidences, right, position = top_class(rows.y, rows.probabilities)
        return right - confidences, position

    def _interval(self, rows: JudgedRows, confidence: float, place: int | None) -> Interval | None:
        return None


def top_class(y: Labels, probabilities: Floats) -> tuple[Floats, Bools, Ints]:
    """Return the confidence of each row, whether its top class is correct, and its bin.

    The top class is the most probable one; bins are given by position. Bins have equal width; each
    holds its upper end. With several labels per text the items are pairs of row and label instead
    of rows: the probability of the label, and whether the row has it.
    """
    if y.ndim == 2:
        confidences, correct = probabilities.ravel(), y.ravel() == 1
    else:
        top = probabilities.argmax(axis=1)
        confidences, correct = probabilities[np.arange(len(y)), top], top == y
    position = np.searchsorted(np.arange(1, BINS) / BINS, confidences, side="left")
    return confidences, correct, position


def expected_ece(probabilities: Floats, worth: float = 1.0, multilabel: bool = False) -> float:
    """Return the expected calibration error of rows whose probabilities are right.

    The gap of a bin is about normal with mean 0, so its expected absolute value is sqrt(2 / pi)
    standard deviations. `worth` is the number of effective rows per row, or with several labels per
    pair of row and label.
    """
    y = np.zeros(probabilities.shape if multilabel else len(probabilities), np.int64)
    confidences, _, position = top_class(y, probabilities)
    variances = np.bincount(position, confidences * (1 - confidences))
    return float(np.sqrt(2 / np.pi * variances / worth).sum() / len(confidences))
