"""Intervals of shares, and of metrics whose variance cannot be estimated, since few rows are right or wrong."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textclf.evaluate.intervals import CONFIDENCE, Interval, wilson
from textclf.evaluate.metrics import Counts, Floats, from_counts

FEW = 5  # independent rows, or clusters, that are wrong, below which no variance is estimated
FEW_ROWS = 30  # independent rows, or clusters of rows, likewise
TINY = 1e-9  # width of an interval that is a point, apart from rounding errors


@dataclass(frozen=True)
class Share:
    """A metric that follows from a share: `right` of `rows`, which are worth `effective` independent rows.

    `f1` says that the metric is F1. With j the share of the rows in which a class is both actual and decided, of those
    in which it is one or the other, F1 is 2 j / (1 + j): Hand, Christen & Kirielle (2021), Machine Learning
    110:451-456, doi:10.1007/s10994-021-05964-1.
    """

    right: float
    rows: float
    effective: float
    f1: bool = False

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Return the Wilson interval of the share, as an interval of the metric."""
        right = self.effective if self.right == self.rows else self.right / self.rows * self.effective
        ends = wilson(right, self.effective, confidence)
        return Interval(*(2 * end / (1 + end) for end in ends)) if self.f1 else ends


def count_share(matrix: NDArray[np.int64], metric: str, place: int | None) -> tuple[int, int]:
    """Return the rows of a confusion matrix that are right, and those among them that count, for a share.

    That is accuracy, or precision, recall or F1 of the class at a place, as `Share` has it.
    """
    if place is None or metric == "accuracy":
        return int(matrix.trace()), int(matrix.sum())
    right, decided, actual = int(matrix[place, place]), int(matrix[:, place].sum()), int(matrix[place].sum())
    return right, {"precision": decided, "recall": actual, "f1": decided + actual - right}[metric]


def counts_interval(
    matrix: NDArray[np.int64],
    recalls: list[Interval | None],
    metric: str,
    point: float,
    lowest: float,
    measure: Callable[[Counts], Floats] | None = None,
) -> Interval:
    """Return the interval of a metric of a confusion matrix, recovered from the intervals of the recalls.

    `recalls` (classes,) is None for a class without rows; `lowest` is the lowest possible value of the metric, the
    highest is 1; `measure` is the metric where it is another mean over the classes than in `from_counts`. Each recall
    is moved to either end of its interval, while the others stay, and the changes of the metric are added as squares:
    the method of variance estimates recovery, Zou & Donner (2008), Stat. Med. 27:1693-1702. Rows that are no longer
    right are decided as other classes in the proportions of the wrong rows of the class, or of the other classes if it
    has none.
    """
    actual, decided = matrix.sum(axis=1).astype(np.float64), matrix.sum(axis=0).astype(np.float64)
    places = np.array([place for place, ends in enumerate(recalls) if ends is not None])
    wrong = np.where(np.eye(len(matrix), len(decided), dtype=bool), 0, matrix)[places].astype(np.float64)
    others = np.where(places[:, None] == np.arange(len(decided)), 0, np.append(actual, 0)[: len(decided)])
    spread = np.where(wrong.any(axis=1, keepdims=True), wrong, others)
    spread /= np.maximum(spread.sum(axis=1, keepdims=True), 1)
    rows, order = actual[places], np.arange(len(places))
    shifts = []
    for end in (0, 1):
        right = rows * np.array([ends[end] for ends in recalls if ends is not None])
        moved = spread * (rows - right)[:, None]
        moved[order, places] = right
        correct = np.tile(matrix.diagonal().astype(np.float64), (len(places), 1))
        correct[order, places] = right
        predicted = (decided - matrix[places] + moved)[:, : len(matrix)]  # without the column of no class
        counts = Counts(correct, predicted, np.tile(actual, (len(places), 1)), len(places))
        shifts.append((measure(counts) if measure else from_counts(counts)[metric]) - point)
    below = float((np.minimum(np.minimum(*shifts), 0) ** 2).sum())
    above = float((np.maximum(np.maximum(*shifts), 0) ** 2).sum())
    return Interval(max(point - math.sqrt(below), lowest), min(point + math.sqrt(above), 1.0))


def mean_interval(values: list[float], ends: list[Interval], correlations: Floats | None = None) -> Interval:
    """Return the interval of the mean of numbers from 0 to 1 from their intervals.

    Zou & Donner (2008), as above; with the correlations of the numbers (numbers, numbers), where they are not
    independent, as Zou (2007), Psychological Methods 12:399-413.
    """
    mean, number = sum(values) / len(values), len(values)
    related = np.eye(number) if correlations is None else correlations
    below, above = (np.abs(np.array([end[side] for end in ends]) - values) for side in (0, 1))
    low, high = (math.sqrt(max(float(distance @ related @ distance), 0.0)) / number for distance in (below, above))
    return Interval(max(mean - low, 0.0), min(mean + high, 1.0))
