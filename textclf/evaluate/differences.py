"""Differences of metrics between two models on the same rows, with intervals, for any number of rows.

The variance of a metric is that of the mean influence of the rows: Hampel (1974), J. Am. Stat. Assoc. 69:383-393, and
for the ROC AUC DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837-845. The variance of a difference between two
models is that of the difference of their influences.
"""

import math
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import special

from textclf.evaluate.areas import Areas, variance
from textclf.evaluate.boundary import FEW, FEW_ROWS, TINY
from textclf.evaluate.comparisons import Difference
from textclf.evaluate.metrics import ROW_MEANS, Counts, Values, confusion_matrix, from_counts
from textclf.evaluate.sampling import Rows

STEP = 1e-4  # rows, by which counts are moved for numerical derivatives

Floats = NDArray[np.float64]


def compare_metric(
    rows: Rows, metric: str, values: Mapping[str, Values], pairs: Collection[tuple[str, str]], confidence: float
) -> dict[tuple[str, str], Difference | None]:
    """Return for each pair of models the metric of the first minus that of the second, None if there are too few rows.

    `values` has the metrics of each model. The interval is that of Student's t with a degree of freedom per row or
    cluster, less one.
    """
    units = len(rows) if rows.clusters is None else len(np.unique(rows.clusters))
    t = float(special.stdtrit(max(units - 1, 1), (1 + confidence) / 2))
    models = {model for pair in pairs for model in pair if units >= FEW_ROWS and not _is_few(rows, model, metric)}
    influences = {model: _influence(rows, model, metric) for model in models}
    found: dict[tuple[str, str], Difference | None] = dict.fromkeys(pairs)
    for a, b in pairs:
        if {a, b} <= models:
            gap = float(values[a][metric][0] - values[b][metric][0])
            between = influences[a] - influences[b]
            half = t * math.sqrt(variance(between, rows.y, rows.clusters, rows.stratified))
            if half > TINY:
                found[a, b] = Difference(gap, gap - half, gap + half)
    return found


def _is_few(rows: Rows, model: str, metric: str) -> bool:
    """Return whether fewer than `FEW` rows, or clusters, are right or wrong among those that the metric is of."""
    y, decided = rows.y, rows.decided[model]
    counted = np.ones(len(y), dtype=bool)
    if metric == "f1" and rows.classes == 2:
        counted = (y == 1) | (decided == 1)
    for kind in (counted & (decided == y), counted & (decided != y)):
        if (np.count_nonzero(kind) if rows.clusters is None else len(np.unique(rows.clusters[kind]))) < FEW:
            return True
    return False


def _influence(rows: Rows, model: str, metric: str) -> Floats:
    """Return the influence of each row on a metric (rows,), apart from a constant."""
    y, probabilities, decided = rows.y, rows.probabilities[model], rows.decided[model]
    if metric in ROW_MEANS:
        return ROW_MEANS[metric](y, probabilities)
    if metric == "roc_auc":
        return Areas(y, probabilities, rows.clusters, rows.stratified).influence
    return _count_influence(confusion_matrix(y, decided, rows.classes), metric)[y, decided]


def _count_influence(matrix: NDArray[np.int64], metric: str) -> Floats:
    """Return the influence of a row on a metric of counts by its actual and decided class, (classes, classes).

    It is the derivative in the number of such rows, times all rows.
    """
    correct, decided, actual = (each.astype(np.float64) for each in (matrix.diagonal(), matrix.sum(0), matrix.sum(1)))
    present, moved = int((actual > 0).sum()), STEP * np.eye(len(matrix))
    point = from_counts(Counts(correct[None], decided[None], actual[None], present))[metric]
    influence = np.zeros(matrix.shape)
    for place in range(len(matrix)):  # the actual class; a line per decided class
        right = np.where(np.arange(len(matrix))[:, None] == place, moved[place], 0)
        counts = Counts(correct + right, decided + moved, np.tile(actual + moved[place], (len(matrix), 1)), present)
        influence[place] = (from_counts(counts)[metric] - point) / STEP * matrix.sum()
    return influence
