"""Metrics of the predictions for a set of rows.

`y` (rows,) holds the positions of the actual classes, `probabilities` (rows, classes) the calibrated probabilities,
`decided` (rows,) the positions of the decided classes. Binary: the positive class is last. Nothing is rounded unless
said.

A metric has an entry in the registry `textclf.evaluate.registry` and, under the same name, a function here: in
`FROM_COUNTS` if it follows from the confusion counts, in `ROW_MEANS` if it is a mean over the rows. It then appears in
point values, intervals and, with `per_class`, in the table of the classes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import EPSILON, Costs
from textclf.core.files import DIGITS
from textclf.evaluate.costs import row_costs
from textclf.evaluate.registry import METRICS

BINS = 10  # of the confidence; two classes fill the upper half only, since the top confidence is at least 0.5

Floats = NDArray[np.float64]
# Metric name -> values (matrices,), of one set of rows one value; `class_<name>` -> of each class (matrices, classes).
Values = dict[str, Floats]


def shown_classes(classes: int) -> range:
    """Return the positions of the classes with a curve of their own: the positive one of two, each of more."""
    return range(1, 2) if classes == 2 else range(classes)


# Metrics that follow from confusion counts


def confusion_matrix(y: NDArray[np.int64], decided: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Return the numbers of rows by actual and decided class, (classes, classes).

    There is one column more if rows are decided as no class (-1): they are wrong, and predicted as nothing.
    """
    columns = classes + int((decided < 0).any())
    counts = np.bincount(columns * y + decided % columns, minlength=classes * columns)
    return counts.reshape(classes, columns)


@dataclass(frozen=True)
class Counts:
    """Counts of each class in one or more confusion matrices, all (matrices, classes).

    `correct`: rows of the class that are decided as it; `predicted`: rows decided as the class; `actual`: rows of the
    class. `present` is the number of classes that have rows, the same in all matrices.
    """

    correct: Floats
    predicted: Floats
    actual: Floats
    present: int


def accuracy(counts: Counts) -> Floats:
    """Return the share of correct rows."""
    share: Floats = counts.correct.sum(axis=1) / counts.actual.sum(axis=1)
    return share


def balanced_accuracy(counts: Counts) -> Floats | None:
    """Return the mean recall of the classes that have rows; None if there is one class only."""
    if counts.present < 2:
        return None
    mean: Floats = recall(counts).sum(axis=1) / (counts.actual > 0).sum(axis=1)
    return mean


def precision(counts: Counts) -> Floats:
    """Return the precision of each class, 0 if no row is decided as it."""
    return _ratio(counts.correct, counts.predicted)


def recall(counts: Counts) -> Floats:
    """Return the recall of each class, 0 if it has no rows."""
    return _ratio(counts.correct, counts.actual)


def f1(counts: Counts) -> Floats:
    """Return the F1 of each class, 0 if it has no rows and no row is decided as it."""
    return _ratio(2 * counts.correct, counts.predicted + counts.actual)


def matthews_correlation(counts: Counts) -> Floats | None:
    """Return the Matthews correlation coefficient; None if there is one class only, 0 if one class is always decided.

    For more than two classes: Gorodkin (2004), Comput. Biol. Chem. 28:367-374, doi:10.1016/j.compbiolchem.2004.09.006.
    """
    if counts.present < 2:
        return None
    total, predicted, actual = counts.actual.sum(axis=1), counts.predicted, counts.actual
    covariance = counts.correct.sum(axis=1) * total - (predicted * actual).sum(axis=1)
    variances = (total**2 - (predicted**2).sum(axis=1)) * (total**2 - (actual**2).sum(axis=1))
    return _ratio(covariance, np.sqrt(np.maximum(variances, 0)))


# Each returns (matrices,), or (matrices, classes) if the registry says `per_class`; None: undefined for these rows.
FROM_COUNTS: dict[str, Callable[[Counts], Floats | None]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "mcc": matthews_correlation,
}


def from_counts(counts: Counts) -> Values:
    """Return the metrics of `FROM_COUNTS` that are defined for these rows."""
    shown = shown_classes(counts.actual.shape[1])
    values: Values = {}
    for name, function in FROM_COUNTS.items():
        result = function(counts)
        if result is None:
            continue
        if METRICS[name].per_class:
            values[f"class_{name}"] = result
            result = result[:, shown].mean(axis=1)
        values[name] = result
    return values


def _ratio(part: Floats, whole: NDArray[Any]) -> Floats:
    """Return part / whole, 0 where the whole is 0."""
    shares: Floats = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return shares


# Metrics that are means over the rows


def log_losses(y: NDArray[np.int64], probabilities: Floats) -> Floats:
    """Return the log loss of each row (rows,), in nats."""
    return -np.log(np.clip(probabilities[np.arange(len(y)), y], EPSILON, 1 - EPSILON))


def squared_errors(y: NDArray[np.int64], probabilities: Floats) -> Floats:
    """Return the squared error of each row (rows,), summed over the classes; binary: of the positive class alone.

    Brier (1950), Monthly Weather Review 78:1-3; binary as `sklearn.metrics.brier_score_loss`, from 0 to 1.
    """
    classes = probabilities.shape[1]
    errors: Floats = ((probabilities - np.eye(classes)[y]) ** 2).sum(axis=1)
    return errors / 2 if classes == 2 else errors


ROW_MEANS: dict[str, Callable[[NDArray[np.int64], Floats], Floats]] = {"log_loss": log_losses, "brier": squared_errors}


def top_class(y: NDArray[np.int64], probabilities: Floats) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Return the confidence of each row, whether its most probable class is correct, and the position of its bin.

    Bins have equal width; each holds its upper end.
    """
    top = probabilities.argmax(axis=1)
    confidences = probabilities[np.arange(len(y)), top]
    return confidences, top == y, np.searchsorted(np.arange(1, BINS) / BINS, confidences, side="left")


def expected_ece(probabilities: Floats, worth: float = 1.0) -> float:
    """Return the expected calibration error of rows whose most probable class is right with just that probability.

    The gap of a bin is about normal with mean 0, so its expected absolute value is sqrt(2 / pi) standard deviations.
    A row is worth `worth` independent ones.
    """
    confidences, _, position = top_class(np.zeros(len(probabilities), np.int64), probabilities)
    variances = np.bincount(position, confidences * (1 - confidences))
    return float(np.sqrt(2 / np.pi * variances / worth).sum() / len(probabilities))


def counts_below(positive: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """Return for each row the rows of the class and the other rows with a lower score, ties as one half: both (rows,).

    The mean of the other rows below those of the class, as a share of the other rows, is the ROC AUC.
    """
    order = np.argsort(scores)  # ties in any order
    first = np.flatnonzero(np.append(True, np.diff(scores[order]) != 0))[: len(scores)]  # of rows with a score
    sizes = np.diff(first, append=len(scores))
    below = []
    for side in (positive, ~positive):
        counts = np.add.reduceat(side[order].astype(np.int64), first)
        of_rows = np.empty(len(scores))
        of_rows[order] = np.repeat(np.cumsum(counts) - counts / 2, sizes)
        below.append(of_rows)
    return below[0], below[1]


def _area(positive: NDArray[np.bool_], scores: Floats) -> float:
    """Return the ROC AUC of a class, NaN without rows on both sides."""
    if positive.all() or not positive.any():
        return np.nan
    return float(counts_below(positive, scores)[1][positive].mean() / np.count_nonzero(~positive))


def point_values(
    y: NDArray[np.int64], probabilities: Floats, decided: NDArray[np.int64], costs: Costs | None = None
) -> Values:
    """Return the metrics that are defined for the rows, each (1,); `class_<name>` of each class, (1, classes).

    roc_auc needs rows of every class; a `class_roc_auc` without rows on both sides is NaN. cost needs costs, mcc that
    every row is decided as a class.
    """
    classes, present = probabilities.shape[1], len(np.unique(y))
    matrix = confusion_matrix(y, decided, classes)
    margins = matrix.diagonal(), matrix.sum(axis=0)[:classes], matrix.sum(axis=1)
    correct, predicted, actual = (part[np.newaxis].astype(np.float64) for part in margins)
    values = from_counts(Counts(correct, predicted, actual, present))
    if matrix.shape[1] > classes:
        values.pop("mcc", None)
    if costs is not None:
        values["cost"] = np.atleast_1d(row_costs(costs, y, decided).mean())
    values |= {name: np.atleast_1d(function(y, probabilities).mean()) for name, function in ROW_MEANS.items()}
    confidences, correct, position = top_class(y, probabilities)
    values["ece"] = np.atleast_1d(np.abs(np.bincount(position, correct - confidences)).sum() / len(y))
    areas = np.array([_area(y == place, probabilities[:, place]) for place in shown_classes(classes)])
    values["class_roc_auc"] = np.broadcast_to(areas, (1, classes))  # binary: the same for both
    return values | ({"roc_auc": np.atleast_1d(areas.mean())} if present == classes else {})


def compute(
    y: NDArray[np.int64], probabilities: Floats, decided: NDArray[np.int64], costs: Costs | None = None
) -> dict[str, float]:
    """Return the metrics that are defined for the rows by name, rounded as in evaluation.json."""
    return rounded(point_values(y, probabilities, decided, costs))


def rounded(values: Values) -> dict[str, float]:
    """Return the metrics of the registry among the values of one set of rows, rounded to `DIGITS`."""
    return {name: round(float(values[name][0]), DIGITS) for name in METRICS if name in values}
