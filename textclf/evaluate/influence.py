"""Intervals of metrics, and of their differences between models, by the influence of each row on them.

The variance of a metric is that of the mean influence of the rows: Hampel (1974), J. Am. Stat. Assoc. 69:383-393. The
influence on the ROC AUC is that of DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837-845. The variance of a
difference between two models is that of the difference of their influences. All of this holds for any number of rows.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import scipy  # which imports scipy.special when it is used
from numpy.typing import NDArray

from textclf.evaluate.boundary import FEW, FEW_ROWS, TINY
from textclf.evaluate.clusters import effective_rows, variance_of_mean
from textclf.evaluate.comparisons import Difference
from textclf.evaluate.intervals import Interval, normal_quantile, wilson
from textclf.evaluate.metrics import (
    LOSSES,
    ROW_MEANS,
    class_counts,
    counts_below,
    is_mixed,
    precisions_at,
    row_costs,
    shown_classes,
)
from textclf.evaluate.rows import Rows

BY_CLASS = ("balanced_accuracy", "mcc")  # metrics that give both of two classes the same weight
RANKS = ("roc_auc", "average_precision")  # metrics of the order of the rows by their probability of a class
MEANS = ("precision", "recall", "f1", "balanced_accuracy", *RANKS)  # metrics averaged over more than two classes
FEW_OF_LABEL = 20  # independent rows with a label below which the variance of its metrics is not estimated
FEW_OF_AREA, OUT_OF_ORDER = 15, 2  # rows of the rarer side of a class, and those that rank wrongly, to compare areas
TOGETHER = "micro_"  # prefix of metrics that count all labels together
# The value of a class is a * correct / (b * predicted + c * actual); balanced accuracy is the mean recall.
RATIOS = {"precision": (1, 1, 0), "recall": (1, 0, 1), "balanced_accuracy": (1, 0, 1), "f1": (2, 1, 1)}

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def interval(
    rows: Rows, model: str, metric: str, value: float, place: int | None, confidence: float
) -> Interval | None:
    """Return the interval of a metric, or of its value for the class at a place; a point if no row can change it.

    None if there are too few rows for one. It is symmetric in the logarithm of a mean loss, and in the log odds of a
    metric with an upper limit, such as the ROC AUC (Pepe 2003, The Statistical Evaluation of Medical Tests, 5.2.4) and
    MCC, whose log odds from -1 to 1 are those of Fisher's z. So it stays within the range of the metric, and allows for
    skewness.
    """
    half = margin(rows, metric, place, influence(rows, model, metric, place), rows.wrong(model), confidence)
    return on_scale(metric, value, half, rows.sides)


def area_interval(rows: Rows, model: str, areas: Floats, places: Sequence[int], confidence: float) -> Interval | None:
    """Return the interval of the ROC AUC of a class, or of the mean over some classes; None if one of these is rare.

    `areas` and `places` (classes,). It is Wilson's interval of a share as variable as the area, by DeLong's variance
    with one row more on either side of each class, divided among the classes, that ranks above half of the other side;
    so it has a width even if the area is 1. Areas of 0.6 to 0.995 with 5 to 100 rows of the rarer side were in it in
    90% to 99% of the simulated test sets, with ten rows or more in 92% to 99%. The decisions have no influence on it.
    """
    number, place = len(places), places[0] if len(places) == 1 else None
    if place is None and has_rare_classes(rows, model, "roc_auc"):
        return None
    influences, sides = influence(rows, model, "roc_auc", place), map(rows.is_actual, places)
    half = margin(rows, "roc_auc", place, influences, _rarest(rows, places), confidence)
    variance = (half / normal_quantile((1 + confidence) / 2)) ** 2
    worth = min(float(influences.var()) / len(rows) / max(variance, TINY**2), 1.0)  # of a row of a cluster
    counts = [[max(rows.independent(each), worth * each.sum()) for each in (side, ~side)] for side in sides]
    own, others = np.array(counts).T
    variance += float(((areas - 0.5) ** 2 * (1 / own**2 + 1 / others**2)).sum()) / number**3
    shrunk = 0.5 + (areas - 0.5) * own / (own + 1 / number) * others / (others + 1 / number)
    effective = float(shrunk.mean() * (1 - shrunk.mean())) / max(variance, TINY**2)
    return wilson(float(areas.mean()) * effective, effective, confidence)


def _rarest(rows: Rows, places: Sequence[int]) -> Bools:
    """Return which rows have the rarest of the classes at these places, (rows,)."""
    return min(map(rows.is_actual, places), key=rows.independent)


def on_scale(metric: str, value: float, half: float, classes: int) -> Interval | None:
    """Return the interval of a value on the scale of a metric, from `half` the length of its symmetric interval.

    None for a mean loss less than that: a few rows decide it.
    """
    if metric in LOSSES:
        if half > value:
            return None
        ratio, highest = math.exp(half / value) if value else 1.0, math.inf
        if metric == "brier":
            highest = 1.0 if classes == 2 else 2.0
        return Interval(value / ratio, min(value * ratio, highest))
    lowest = -1.0 if metric == "mcc" else 0.0
    share, half = (value - lowest) / (1 - lowest), half / (1 - lowest)
    if not 0 < share < 1:
        return Interval(value, value)
    middle, length = float(scipy.special.logit(share)), half / (share * (1 - share))
    low, high = (lowest + (1 - lowest) * float(scipy.special.expit(end)) for end in (middle - length, middle + length))
    return Interval(low, high)


def is_few(rows: Rows, model: str, metric: str, place: int | None = None) -> bool:
    """Return whether too few rows, or clusters, are right or wrong to estimate the variance of a metric.

    They are counted among the rows that the metric is of, and within each of two classes if it weighs these alike. With
    several labels, a row with any right label counts as right too; the metric of a label needs rows with it and others.
    """
    if rows.multilabel and place is not None:
        return _has_rare_label(rows, [place])
    wrong, everything = rows.wrong(model), np.ones(len(rows), dtype=bool)
    counted, kinds = [everything], [wrong, ~wrong]
    if rows.multilabel:
        kinds[1] = (rows.y & rows.decided[model]).any(axis=1) | ~wrong
        if metric == "ranking":
            kinds[0] = influence(rows, model, metric) < 1
    elif rows.binary and metric in BY_CLASS:
        counted = [rows.y == 0, rows.y == 1]
    elif rows.binary and metric in {"precision", "recall", "f1"}:
        is_decided = rows.decided[model] == 1
        counted = [{"precision": is_decided, "recall": rows.y == 1, "f1": is_decided | (rows.y == 1)}[metric]]
    elif place is not None:
        counted.append(rows.y == place)
    fewest = min(rows.independent(some & kind) for some in counted for kind in kinds)
    too_few = rows.independent(everything) < FEW_ROWS or fewest < FEW
    return too_few or (place is None and has_rare_classes(rows, model, metric))


def has_rare_classes(rows: Rows, model: str, metric: str) -> bool:
    """Return whether a metric is a mean over labels, or over more than two classes, of which one is rare.

    A class is rare with fewer than `FEW` rows; for precision, with fewer that the model decides as it.
    """
    if metric not in MEANS or rows.binary:
        return False
    if rows.multilabel:
        return _has_rare_label(rows, range(rows.classes))
    counted = rows.by_class(rows.decided[model] if metric == "precision" else rows.y)
    return int(counted[np.unique(rows.y)].min()) < FEW


def _has_rare_label(rows: Rows, places: Iterable[int]) -> bool:
    """Return whether fewer than `FEW_OF_LABEL` rows have, or lack, one of the labels at these places that occur."""
    sides = map(rows.is_actual, places)
    return any(min(rows.independent(has), rows.independent(~has)) < FEW_OF_LABEL for has in sides if is_mixed(has))


def compare_metric(
    rows: Rows, metric: str, values: Mapping[str, float], pairs: Collection[tuple[str, str]], confidence: float
) -> dict[tuple[str, str], Difference | None]:
    """Return for each pair of models the metric of the first minus that of the second, None if there are too few rows.

    `values` has the metric of each model. The interval is symmetric. The cost needs `FEW` rows, or clusters, whose
    costs differ.
    """
    by_model = metric not in {"cost", "roc_auc"}
    models = {model for pair in pairs for model in pair if not (by_model and is_few(rows, model, metric))}
    influences = {model: influence(rows, model, metric) for model in models}
    found: dict[tuple[str, str], Difference | None] = dict.fromkeys(pairs)
    for a, b in pairs:
        if {a, b} <= models:
            gap, differences = values[a] - values[b], influences[a] - influences[b]
            rare, few = rows.wrong(a) | rows.wrong(b), False
            if metric == "cost":
                rare, few = differences != 0, rows.independent(differences != 0) < FEW
            elif metric == "roc_auc":
                rare = _rarest(rows, shown_classes(rows.classes, rows.multilabel))
                few = _are_few_out_of_order(rows, a, 2 - values[a] - values[b])
            half = margin(rows, metric, None, differences, rare, confidence)
            found[a, b] = None if few or half <= TINY else Difference(gap, gap - half, gap + half)
    return found


def _are_few_out_of_order(rows: Rows, model: str, distance: float) -> bool:
    """Return whether too few rows rank wrongly to compare two areas, together at this `distance` from 1.

    There must be 15 rows, or clusters, of the rarer side of each class, over all classes, and two if these are
    multiplied by the distance: so differences of simulated areas of 0.6 to 0.995 were in 92% to 99% of the intervals.
    """
    sides = map(rows.is_actual, shown_classes(rows.classes, rows.multilabel))
    rarer = sum(min(rows.independent(side), rows.independent(~side)) for side in sides)
    return rarer < FEW_OF_AREA or rarer * distance < OUT_OF_ORDER or has_rare_classes(rows, model, "roc_auc")


def correlations(rows: Rows, model: str, metric: str, places: Sequence[int]) -> Floats:
    """Return the correlations of a metric's values for some labels (places, places), 0 of a value that cannot vary."""
    influences = [influence(rows, model, metric, place) for place in places]
    deviations = np.stack([each - each.mean() for each in influences])
    lengths = np.maximum(np.linalg.norm(deviations, axis=1), TINY)
    related: Floats = (deviations @ deviations.T) / np.outer(lengths, lengths)
    np.fill_diagonal(related, 1)
    return related


def margin(rows: Rows, metric: str, place: int | None, influences: Floats, rare: Bools, confidence: float) -> float:
    """Return half the length of the interval of a metric, by Student's t, from the influence of each row (rows,).

    Where the split fixed the shares of the classes, only the variance within them counts; single rows of a class count
    as one class. The area of a class has the variances of its rows and of the others. Sets of labels have no fixed
    shares. Of dependent rows the variance is that of as many independent ones as they are worth; `rare` as there.
    """
    if rows.clusters is not None:
        variance = float(influences.var()) / effective_rows(influences, rows.clusters, rare, confidence)
        return normal_quantile((1 + confidence) / 2) * math.sqrt(variance)
    strata = rows.y if rows.stratified and not rows.multilabel else np.zeros(len(rows), np.int64)
    place = 1 if rows.binary else place
    if metric == "roc_auc" and place is not None:
        strata = rows.is_actual(place).astype(np.int64)
    strata = np.where(np.bincount(strata)[strata] > 1, strata, strata.max() + 1)
    t = scipy.special.stdtrit(max(len(rows) - 1, 1), (1 + confidence) / 2)
    return float(t) * math.sqrt(variance_of_mean(influences, strata))


def influence(rows: Rows, model: str, metric: str, place: int | None = None) -> Floats:
    """Return the influence of each row on a metric (rows,), apart from a constant; `place` is that of a class."""
    y, probabilities, decided = rows.y, rows.probabilities[model], rows.decided[model]
    if metric in ROW_MEANS:
        return ROW_MEANS[metric](y, probabilities)
    if metric == "cost":
        return row_costs(rows.costs, y, decided)
    if metric == "hamming_loss":
        shares: Floats = (y != decided).mean(axis=1)
        return shares
    if metric in RANKS:
        places = shown_classes(rows.classes, rows.multilabel) if place is None or rows.binary else [place]
        columns = [(rows.is_actual(each), probabilities[:, each]) for each in places]
        if rows.multilabel:  # the mean is over the labels with a value
            columns = [(positive, scores) for positive, scores in columns if is_mixed(positive)]
        of_class = _area_influence if metric == "roc_auc" else _precision_influence
        mean: Floats = np.mean([of_class(*column) for column in columns], axis=0)
        return mean
    if rows.multilabel and place is not None:  # the other labels have no influence
        y, decided, place = y[:, [place]], decided[:, [place]], 0
    counts = (each.astype(np.float64) for each in class_counts(y, decided, rows.classes))
    of_correct, of_predicted, of_actual = _derivatives(metric, place, rows.multilabel, *counts)
    if rows.multilabel:
        of_labels: Floats = (y & decided) @ of_correct + decided @ of_predicted + y @ of_actual
        return of_labels * len(rows)
    of_decided = np.append(of_predicted, 0)[decided]  # the last is of rows that are decided as no class
    change: Floats = np.where(decided == y, of_correct[y], 0) + of_decided + of_actual[y]
    return change * len(rows)


def _derivatives(
    metric: str, place: int | None, multilabel: bool, correct: Floats, predicted: Floats, actual: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the derivatives of a metric by the counts of each class, as `metrics.Counts` has them; all (classes,)."""
    if metric == "mcc":
        total, right = actual.sum(), correct.sum()
        left, other = total**2 - (predicted**2).sum(), total**2 - (actual**2).sum()
        root = math.sqrt(left * other)
        if not root:
            return 0 * correct, 0 * correct, 0 * correct
        mcc = (right * total - (predicted * actual).sum()) / root
        of_actual = right / root - mcc * (total / left + total / other) - predicted / root + mcc * actual / other
        return np.full_like(correct, total / root), mcc * predicted / left - actual / root, of_actual
    shown = shown_classes(len(correct), multilabel) if place is None else [place]
    weights = np.isin(np.arange(len(correct)), shown) / len(shown)
    if metric == "balanced_accuracy":
        weights = (actual > 0) / np.count_nonzero(actual)
    if metric.startswith(TOGETHER):
        weights = np.ones(len(correct))
        correct, predicted, actual = (np.full_like(each, each.sum()) for each in (correct, predicted, actual))
    factor, by_predicted, by_actual = RATIOS[metric.removeprefix(TOGETHER)]
    whole = by_predicted * predicted + by_actual * actual
    of_correct = np.divide(factor * weights, whole, out=np.zeros_like(whole), where=whole > 0)
    of_whole = -np.divide(of_correct * correct, whole, out=np.zeros_like(whole), where=whole > 0)
    return of_correct, by_predicted * of_whole, by_actual * of_whole


def _precision_influence(positive: Bools, scores: Floats) -> Floats:
    """Return the influence of each row on the average precision of a label, (rows,); some rows must have the label.

    A row with the label changes the mean by its own precision. Every row changes the precision at each row with the
    label and at most its score, in proportion to 1 / the number of rows with at least that score.
    """
    precisions, above, rank = precisions_at(positive, scores)
    by_rows, by_precisions = (  # sums over the rows of the label with at most each score
        np.cumsum(np.bincount(rank, np.where(positive, each, 0))[::-1])[::-1][rank]
        for each in (1 / above, precisions / above)
    )
    own = np.where(positive, precisions - precisions[positive].mean(), 0)
    influences: Floats = own + np.where(positive, by_rows, 0) - by_precisions
    return influences * len(positive) / np.count_nonzero(positive)


def _area_influence(positive: Bools, scores: Floats) -> Floats:
    """Return the influence of each row on the ROC AUC of a class (rows,), 0 without rows on both sides."""
    positives = int(np.count_nonzero(positive))
    others = len(positive) - positives
    if not positives or not others:
        return np.zeros(len(positive))
    positives_below, others_below = counts_below(positive, scores)
    area = float(others_below[positive].mean()) / others
    above = 1 - positives_below / positives  # share of the class with a higher score than each row
    influences: Floats = np.where(positive, (others_below / others - area) / positives, (above - area) / others)
    return influences * len(positive)
