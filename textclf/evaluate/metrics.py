"""Metrics of the predictions for a set of rows.

`y` (rows,) holds the positions of the actual classes, `probabilities` (rows, classes) the calibrated probabilities,
`decided` (rows,) the positions of the decided classes. Binary: the positive class is last. With several labels per
text `y` and `decided` are matrices (rows, labels) of 0 and 1, and the labels are the classes. Nothing is rounded unless
said.

A metric has an entry in the registry `textclf.evaluate.registry` and, under the same name, a function here: in
`FROM_COUNTS` if it follows from the confusion counts, in `ROW_MEANS` if it is a mean over the rows. It then appears in
point values, intervals and, with `per_class`, in the table of the classes.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import EPSILON, Costs
from textclf.artifacts.label_sets import of_actual
from textclf.core.files import DIGITS
from textclf.evaluate.registry import METRICS

BINS = 10  # of the confidence; two classes fill the upper half only, since the top confidence is at least 0.5

Floats = NDArray[np.float64]
Labels = NDArray[Any]  # of each row a class, (rows,) int64, or a set of labels, (rows, labels) int8 of 0 and 1
# Metric name -> its value (1,); `class_<name>` -> that of each class (1, classes).
Values = dict[str, Floats]


def shown_classes(classes: int, multilabel: bool = False) -> range:
    """Return the positions of the classes with a curve of their own: the positive one of two, each of more or label."""
    return range(1, 2) if classes == 2 and not multilabel else range(classes)


# Metrics that follow from confusion counts

TOGETHER = "micro_"  # prefix of metrics that count all labels together
# The value of a class is a * correct / (b * predicted + c * actual), 0 if no row counts.
RATIOS = {"precision": (1, 1, 0), "recall": (1, 0, 1), "f1": (2, 1, 1)}


def confusion_matrix(y: Labels, decided: Labels, classes: int) -> NDArray[np.int64]:
    """Return the numbers of rows by actual and decided class, (classes, classes).

    With several labels per text a row counts for each pair of a label that it has and a label decided for it. With one,
    rows decided as no class (-1) are counted in one more column.
    """
    if y.ndim == 2:  # in doubles, whose products are exact and fast
        return (y.T.astype(np.float64) @ decided.astype(np.float64)).astype(np.int64)
    columns = classes + int((decided < 0).any())
    counts = np.bincount(columns * y + np.where(decided < 0, classes, decided), minlength=classes * columns)
    return counts.reshape(classes, columns)


@dataclass(frozen=True)
class Counts:
    """Counts of each class, all (classes,).

    `correct`: rows of the class that are decided as it; `predicted`: rows decided as the class; `actual`: rows of the
    class. `rows` is the number of rows, None if each has one class, so that it is the sum over the classes.
    """

    correct: Floats
    predicted: Floats
    actual: Floats
    rows: int | None = None

    def together(self) -> "Counts":
        """Return counts that are, for each class, those of all classes together."""
        correct, predicted, actual = (np.full_like(of, of.sum()) for of in (self.correct, self.predicted, self.actual))
        return Counts(correct, predicted, actual, self.rows)

    @property
    def weights(self) -> Floats:
        """The weight of each class in a mean: the same for all labels, and for all classes that are actual or decided.

        Of two classes only the positive one counts. All as in scikit-learn.
        """
        classes, counted = self.actual.size, (self.actual > 0) | (self.predicted > 0)
        if self.rows is not None or classes == 2:
            counted = np.isin(np.arange(classes), shown_classes(classes, self.rows is not None))
        return np.asarray(counted / np.count_nonzero(counted), np.float64)


def margins(matrix: NDArray[Any]) -> Counts:
    """Return the counts of each class in a confusion matrix of rows with one class each, all (classes,)."""
    counts = matrix.astype(np.float64)
    return Counts(counts.diagonal(), counts.sum(axis=0)[: len(counts)], counts.sum(axis=1))


def class_counts(y: Labels, decided: Labels, classes: int) -> Counts:
    """Return the counts of each class, all (classes,)."""
    if y.ndim == 1:
        return margins(confusion_matrix(y, decided, classes))
    correct, predicted, actual = (each.sum(axis=0, dtype=np.float64) for each in (y & decided, decided, y))
    return Counts(correct, predicted, actual, len(y))


def accuracy(counts: Counts) -> float | None:
    """Return the share of correct rows; None with several labels per text, where it does not follow from the counts."""
    return None if counts.rows is not None else float(counts.correct.sum() / counts.actual.sum())


def balanced_accuracy(counts: Counts) -> float | None:
    """Return the mean recall of the classes that have rows; None if there is one class only."""
    present = np.count_nonzero(counts.actual)
    return None if present < 2 else float(ratio("recall", counts).sum() / present)


def ratio(metric: str, counts: Counts) -> Floats:
    """Return a metric of `RATIOS` of each class, 0 if no row counts."""
    factor, by_predicted, by_actual = RATIOS[metric]
    whole = by_predicted * counts.predicted + by_actual * counts.actual
    return np.divide(factor * counts.correct, whole, out=np.zeros_like(whole), where=whole > 0)


def hamming_loss(counts: Counts) -> float:
    """Return the share of the pairs of row and label that are decided wrongly."""
    wrong = counts.predicted + counts.actual - 2 * counts.correct
    return float(wrong.sum() / ((counts.rows or 0) * wrong.size))


def matthews_correlation(counts: Counts) -> float | None:
    """Return the Matthews correlation coefficient; None if there is one class only, 0 if one class is always decided.

    For more than two classes: Gorodkin (2004), Comput. Biol. Chem. 28:367-374, doi:10.1016/j.compbiolchem.2004.09.006.
    """
    if np.count_nonzero(counts.actual) < 2:
        return None
    total, predicted, actual = counts.actual.sum(), counts.predicted, counts.actual
    covariance = counts.correct.sum() * total - (predicted * actual).sum()
    variances = (total**2 - (predicted**2).sum()) * (total**2 - (actual**2).sum())
    return float(covariance / np.sqrt(variances)) if variances > 0 else 0.0


# Each returns a number, or (classes,) if the registry says `per_class`; None: undefined for these rows.
FROM_COUNTS: dict[str, Callable[[Counts], Floats | float | None]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    **{name: partial(ratio, name) for name in RATIOS},
    "mcc": matthews_correlation,
    "micro_precision": lambda counts: ratio("precision", counts.together())[0],
    "micro_recall": lambda counts: ratio("recall", counts.together())[0],
    "micro_f1": lambda counts: ratio("f1", counts.together())[0],
    "hamming_loss": hamming_loss,
}


def from_counts(counts: Counts, names: Iterable[str] = tuple(FROM_COUNTS)) -> Values:
    """Return those of the named metrics of `FROM_COUNTS` that are defined for these rows."""
    values: Values = {}
    for name in names:
        result = FROM_COUNTS[name](counts) if METRICS[name].suits(counts.rows is not None) else None
        if result is None:
            continue
        if METRICS[name].per_class:
            values[f"class_{name}"] = np.array([result])
            result = float((result * counts.weights).sum())
        values[name] = np.array([result])
    return values


def derivatives(counts: Counts, metric: str, place: int | None = None) -> tuple[Floats, Floats, Floats]:
    """Return the derivatives of a metric, or of its value for a class, by the counts in `Counts`, all (classes,)."""
    correct, predicted, actual = counts.correct, counts.predicted, counts.actual
    if metric == "mcc":
        total, right = actual.sum(), correct.sum()
        left, other = total**2 - (predicted**2).sum(), total**2 - (actual**2).sum()
        root = math.sqrt(left * other)
        if not root:
            return 0 * correct, 0 * correct, 0 * correct
        mcc = (right * total - (predicted * actual).sum()) / root
        of_actual = right / root - mcc * (total / left + total / other) - predicted / root + mcc * actual / other
        return np.full_like(correct, total / root), mcc * predicted / left - actual / root, of_actual
    weights = counts.weights if place is None else np.arange(len(correct)) == place
    if metric == "balanced_accuracy":
        metric, weights = "recall", (actual > 0) / np.count_nonzero(actual)
    if metric.startswith(TOGETHER):
        metric, weights, counts = metric.removeprefix(TOGETHER), np.ones(len(correct)), counts.together()
    factor, by_predicted, by_actual = RATIOS[metric]
    whole = by_predicted * counts.predicted + by_actual * counts.actual
    of_correct = np.divide(factor * weights, whole, out=np.zeros_like(whole), where=whole > 0)
    of_whole = -ratio(metric, counts) * of_correct / factor
    return of_correct, by_predicted * of_whole, by_actual * of_whole


# Metrics that are means over the rows


def log_losses(y: Labels, probabilities: Floats) -> Floats:
    """Return the log loss of each row (rows,), in nats; with several labels per text the mean over the labels."""
    losses: Floats = -np.log(np.clip(of_actual(probabilities, y), EPSILON, 1 - EPSILON))
    return losses.mean(axis=1) if y.ndim == 2 else losses


def squared_errors(y: Labels, probabilities: Floats) -> Floats:
    """Return the squared error of each row (rows,), summed over the classes; binary: of the positive class alone.

    Brier (1950), Monthly Weather Review 78:1-3; binary as `sklearn.metrics.brier_score_loss`, from 0 to 1. With
    several labels per text it is the mean over the labels.
    """
    if y.ndim == 2:
        means: Floats = ((probabilities - y) ** 2).mean(axis=1)
        return means
    classes = probabilities.shape[1]
    errors: Floats = ((probabilities - np.eye(classes)[y]) ** 2).sum(axis=1)
    return errors / 2 if classes == 2 else errors


def ranking_precisions(y: Labels, probabilities: Floats) -> Floats:
    """Return the label ranking average precision of each row, (rows,); 1 for a row without labels.

    Schapire & Singer (2000), Machine Learning 39:135-168, 5.3, as `label_ranking_average_precision_score` of
    scikit-learn.
    """
    sums, labels = np.zeros(len(y)), y.sum(axis=1)
    for place in range(y.shape[1]):
        rows = np.flatnonzero(y[:, place])
        above = probabilities[rows] >= probabilities[rows, place, np.newaxis]
        sums[rows] += (above & (y[rows] == 1)).sum(axis=1) / above.sum(axis=1)
    means: Floats = np.divide(sums, labels, out=np.ones(len(y)), where=labels > 0)
    return means


LOSSES = ("log_loss", "brier")


def row_costs(costs: Costs | None, y: Labels, decided: Labels) -> Floats:
    """Return the cost of the decision of each row, (rows,); no answer, -1, takes the last column of the costs."""
    values: Floats = np.array(costs)[y, decided]
    return values


ROW_MEANS: dict[str, Callable[[Labels, Floats], Floats]] = {
    "log_loss": log_losses,
    "brier": squared_errors,
    "ranking": ranking_precisions,
}


def top_class(y: Labels, probabilities: Floats) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
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
    A row, or with several labels a pair of row and label, is worth `worth` independent ones.
    """
    y = np.zeros(probabilities.shape if multilabel else len(probabilities), np.int64)
    confidences, _, position = top_class(y, probabilities)
    variances = np.bincount(position, confidences * (1 - confidences))
    return float(np.sqrt(2 / np.pi * variances / worth).sum() / len(confidences))


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


def is_mixed(positive: NDArray[np.bool_]) -> bool:
    """Return whether there are rows of the class and others."""
    return bool(positive.any() and not positive.all())


def _area(positive: NDArray[np.bool_], scores: Floats) -> float:
    """Return the ROC AUC of a class, NaN without rows on both sides."""
    if not is_mixed(positive):
        return np.nan
    own, others = np.sort(scores[positive]), np.sort(scores[~positive])
    below, up_to = (np.searchsorted(others, own, side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / len(others))


def precisions_at(positive: NDArray[np.bool_], scores: Floats) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Return for each row the precision among the rows with at least its score, and the number of these: both (rows,).

    The third array is the rank of its score among the distinct ones, (rows,), 0 for the highest. The mean of the
    precisions over the rows of the class is the average precision, as `average_precision_score` of scikit-learn has it.
    """
    order = np.argsort(-scores)  # ties in any order
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # the last row with each score
    true, rows = np.cumsum(positive[order])[last], last + 1
    group = np.empty(len(scores), np.int64)
    group[order] = np.repeat(np.arange(len(last)), np.diff(rows, prepend=0))
    return (true / rows)[group], rows[group], group


def point_values(y: Labels, probabilities: Floats, decided: Labels, costs: Costs | None = None) -> Values:
    """Return the metrics that are defined for the rows, each (1,); `class_<name>` of each class, (1, classes).

    roc_auc needs rows of every class; that of a class without rows on both sides is NaN. With several labels per text
    the means of roc_auc and average_precision are over the labels for which they are defined. cost needs costs, mcc
    that every row is decided as a class.
    """
    classes, multilabel = probabilities.shape[1], y.ndim == 2
    counts = class_counts(y, decided, classes)
    values = from_counts(counts)
    if (decided < 0).any():
        values.pop("mcc", None)
    if costs is not None:
        values["cost"] = np.atleast_1d(row_costs(costs, y, decided).mean())
    for name, function in ROW_MEANS.items():
        if METRICS[name].suits(multilabel):
            values[name] = np.atleast_1d(function(y, probabilities).mean())
    confidences, right, position = top_class(y, probabilities)
    values["ece"] = np.atleast_1d(np.abs(np.bincount(position, right - confidences)).sum() / len(right))
    if multilabel:
        values["accuracy"] = np.atleast_1d((y == decided).all(axis=1).mean())
        columns = [(y[:, place] == 1, probabilities[:, place]) for place in range(classes)]
        for name, measure in (("roc_auc", _area), ("average_precision", _average_precision)):
            found = np.array([measure(*column) for column in columns])
            values[f"class_{name}"] = found[np.newaxis]
            if np.isfinite(found).any():
                values[name] = np.atleast_1d(np.nanmean(found))
        return values
    areas = np.array([_area(y == place, probabilities[:, place]) for place in shown_classes(classes)])
    values["class_roc_auc"] = np.broadcast_to(areas, (1, classes))  # binary: the same for both
    return values | ({"roc_auc": np.atleast_1d(areas.mean())} if counts.actual.all() else {})


def _average_precision(positive: NDArray[np.bool_], scores: Floats) -> float:
    """Return the average precision of a label, NaN without rows on both sides."""
    return float(precisions_at(positive, scores)[0][positive].mean()) if is_mixed(positive) else np.nan


def compute(y: Labels, probabilities: Floats, decided: Labels, costs: Costs | None = None) -> dict[str, float]:
    """Return the metrics that are defined for the rows by name, rounded as in evaluation.json."""
    return rounded(point_values(y, probabilities, decided, costs))


def rounded(values: Values) -> dict[str, float]:
    """Return the metrics of the registry among the values of one set of rows, rounded to `DIGITS`."""
    return {name: round(float(values[name][0]), DIGITS) for name in METRICS if name in values}
