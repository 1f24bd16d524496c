"""The calibration error: how far the confidence of a model is from its accuracy."""

import numpy as np

from textclf.evaluate.counts import Bools, Floats, Ints, Labels
from textclf.evaluate.intervals import Interval
from textclf.evaluate.metrics.metric import Metric
from textclf.evaluate.rows import JudgedRows

BINS = 10  # of the confidence; two classes fill the upper half only, since the top confidence is at least 0.5


class CalibrationError(Metric):
    """The expected calibration error.

    It has no interval: it is biased upward in a sample, so that 67 to 91% of bootstrap intervals of 95% had the truth.
    """

    def value(self, rows: JudgedRows) -> float:
        gaps, position = self._gaps(rows)
        return float(np.abs(np.bincount(position, gaps)).sum() / len(gaps))

    def influence(self, rows: JudgedRows, place: int | None = None) -> Floats:
        gaps, position = self._gaps(rows)
        signed: Floats = gaps * np.sign(np.bincount(position, gaps))[position]
        means: Floats = signed.reshape(len(rows), -1).mean(axis=1)
        return means

    def _gaps(self, rows: JudgedRows) -> tuple[Floats, Ints]:
        confidences, right, position = top_class(rows.y, rows.probabilities)
        return right - confidences, position

    def _interval(self, rows: JudgedRows, confidence: float, place: int | None) -> Interval | None:
        return None


def top_class(y: Labels, probabilities: Floats) -> tuple[Floats, Bools, Ints]:
    """Return the confidence of each row, whether its most probable class is correct, and the position of its bin.

    Bins have equal width; each holds its upper end. With several labels per text the items are pairs of row
    and label instead of rows: the probability of the label, and whether the row has it.
    """
    if y.ndim == 2:
        confidences, correct = probabilities.ravel(), y.ravel() == 1
    else:
        top = probabilities.argmax(axis=1)
        confidences, correct = probabilities[np.arange(len(y)), top], top == y
    return confidences, correct, np.searchsorted(np.arange(1, BINS) / BINS, confidences, side="left")


def expected_ece(probabilities: Floats, worth: float = 1.0, multilabel: bool = False) -> float:
    """Return the expected calibration error of rows whose most probable class is right with just that probability.

    The gap of a bin is about normal with mean 0, so its expected absolute value is sqrt(2 / pi) standard deviations.
    `worth` is the number of effective rows per row, or with several labels per pair of row and label.
    """
    y = np.zeros(probabilities.shape if multilabel else len(probabilities), np.int64)
    confidences, _, position = top_class(y, probabilities)
    variances = np.bincount(position, confidences * (1 - confidences))
    return float(np.sqrt(2 / np.pi * variances / worth).sum() / len(confidences))
