"""Intervals of metrics, and of their differences between models, by the influence of each row on them.

The variance of a metric is that of the mean influence of the rows: Hampel (1974), J. Am. Stat. Assoc. 69:383-393. The
influence on the ROC AUC is that of DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837-845. The variance of a
difference between two models is that of the difference of their influences. All of this holds for any number of rows.
"""

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import scipy  # which imports scipy.special when it is used
from numpy.typing import NDArray

from textclf.evaluate.boundary import FEW, FEW_ROWS, TINY, has_rare
from textclf.evaluate.clusters import effective_rows, variance_of_mean
from textclf.evaluate.comparisons import Difference
from textclf.evaluate.intervals import Interval, normal_quantile, wilson
from textclf.evaluate.metrics import (
    LOSSES,
    ROW_MEANS,
    class_counts,
    counts_below,
    derivatives,
    is_mixed,
    precisions_at,
    row_costs,
    shown_classes,
)
from textclf.evaluate.rows import Rows

RANKS = ("roc_auc", "average_precision")  # metrics of the order of the rows by their probability of a class
MEANS = ("precision", "recall", "f1", *RANKS)  # metrics averaged over labels, or over more than two classes
FEW_OF_LABEL = 20  # independent rows with a label below which the variance of its metrics is not estimated
ADDED = 0.25  # rows that are added where the variance of an area is estimated
FEW_OF_AREA, OUT_OF_ORDER = 15, 2  # rows of the rarer side of a class, and those that rank wrongly, to compare areas

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def area_interval(rows: Rows, model: str, areas: Floats, places: Sequence[int], confidence: float) -> Interval | None:
    """Return the interval of the ROC AUC of a class, or of the mean over some classes; None if one of these is rare.

    `areas` and `places` (classes,). It is Wilson's interval of a share as variable as the area, by DeLong's variance
    with `ADDED` / classes^2 rows more on either side of each class that rank above half of the other side; so it has a
    width even if the area is 1. With one row more it would be up to twice as wide for rare classes; with none it would
    hold areas of 10 positive rows in 75% of the simulated test sets. The decisions have no influence on it.
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
    added = ADDED / number**2
    variance += added * float(((areas - 0.5) ** 2 * (1 / own**2 + 1 / others**2)).sum()) / number**2
    shrunk = 0.5 + (areas - 0.5) * own / (own + added) * others / (others + added)
    effective = float(shrunk.mean() * (1 - shrunk.mean())) / max(variance, TINY**2)
    return wilson(float(areas.mean()) * effective, effective, confidence)


def _rarest(rows: Rows, places: Sequence[int]) -> Bools:
    """Return which rows have the rarest of the classes at these places, (rows,)."""
    return min(map(rows.is_actual, places), key=rows.independent)


def on_scale(metric: str, value: float, half: float, classes: int) -> Interval | None:
    """Return the interval of a value on the scale of a metric, from `half` the length of its symmetric interval.

    It is symmetric in the logarithm of a mean loss, and in the log odds of a metric from 0 to 1. So it stays within the
    range of the metric, and allows for skewness. None for a mean loss less than `half`: a few rows decide it.
    """
    if metric in LOSSES:
        if half > value:
            return None
        ratio, highest = math.exp(half / value) if value else 1.0, math.inf
        if metric == "brier":
            highest = 1.0 if classes == 2 else 2.0
        return Interval(value / ratio, min(value * ratio, highest))
    middle, length = float(scipy.special.logit(value)), half / (value * (1 - value))
    return Interval(*(float(scipy.special.expit(end)) for end in (middle - length, middle + length)))


def is_few(rows: Rows, model: str, metric: str, place: int | None = None) -> bool:
    """Return whether too few rows, or clusters, are right or wrong to estimate the variance of a metric.

    For F1 they are counted among the rows that it is of. With several labels, a row with any right label counts as
    right too; the metric of a label needs rows with it and others.
    """
    if rows.multilabel and place is not None:
        return has_rare_classes(rows, model, metric, place)
    wrong, counted = rows.wrong(model), np.ones(len(rows), dtype=bool)
    right = (rows.y & rows.decided[model]).any(axis=1) | ~wrong if rows.multilabel else ~wrong
    if metric == "ranking":
        wrong = influence(rows, model, metric) < 1
    if rows.binary and metric == "f1":
        counted = (rows.y == 1) | (rows.decided[model] == 1)
    too_few = min(rows.independent(counted & kind) for kind in (wrong, right)) < FEW
    return too_few or rows.independent(np.ones_like(counted)) < FEW_ROWS or has_rare_classes(rows, model, metric)


def has_rare_classes(rows: Rows, model: str, metric: str, place: int | None = None) -> bool:
    """Return whether a metric is a mean over more than two classes, or of some labels, of which one is rare.

    Labels, all or the one at a place, are rare if fewer than `FEW_OF_LABEL` rows have, or lack, one that occurs.
    """
    if metric not in MEANS or rows.binary:
        return False
    if not rows.multilabel:
        return has_rare(metric, rows.by_class(rows.decided[model]), rows.by_class(rows.y))
    sides = map(rows.is_actual, range(rows.classes) if place is None else [place])
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
    of_correct, of_predicted, of_actual = derivatives(class_counts(y, decided, rows.classes), metric, place)
    if rows.multilabel:
        of_labels: Floats = (y & decided) @ of_correct + decided @ of_predicted + y @ of_actual
        return of_labels * len(rows)
    of_decided = np.append(of_predicted, 0)[decided]  # the last is of rows that are decided as no class
    change: Floats = np.where(decided == y, of_correct[y], 0) + of_decided + of_actual[y]
    return change * len(rows)


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
