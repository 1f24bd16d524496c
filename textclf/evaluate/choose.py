"""The decision of each model: calibration and threshold, chosen on rows that did not train it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import (
    EPSILON,
    Calibration,
    Decision,
    LabelScaling,
    Platt,
    Temperature,
)
from textclf.artifacts.label_sets import LabelMatrix, most_frequent_set
from textclf.artifacts.predictions import Predictions
from textclf.artifacts.temperature import fit_temperature
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.core.formatting import count_noun
from textclf.core.scale import Scale
from textclf.evaluate.calibrate import choose_threshold, fit_platt, reach_precision
from textclf.evaluate.costs import cost_matrix
from textclf.evaluate.model_choice import paired_difference
from textclf.evaluate.registry import LOG_LOSS
from textclf.evaluate.results import ModelDecision
from textclf.evaluate.rows import JudgedRows
from textclf.evaluate.settings import EVEN, MICRO_F1, Evaluate

# The threshold that no probability exceeds.
NEVER = 1.0
# Rows, or clusters of rows, with a label, below which its threshold is not chosen.
FEWEST_TO_CHOOSE = 5
# The most probabilities of the rows that choose.
CELLS = 2**24

# y (rows,), probabilities (rows, classes), clusters (rows,)
Outputs = tuple[NDArray[Any], NDArray[np.float64], NDArray[np.int64] | None]


def choose_decision(
    rows: Predictions,
    settings: Evaluate,
    clusters: NDArray[np.int64] | None = None,
    scale: Scale | None = None,
) -> Decision:
    """Return how a model decides, from its predictions for validation or held-out rows.

    The rows may be empty if nothing is chosen. `clusters` (rows,) are those of dependent rows, None
    if the rows are independent, `scale` is that of ordered classes. All numbers are rounded, so
    that what is measured is what is exported. Each of several labels per text has a calibration
    and, except by `micro_f1`, a threshold of its own. Raises `UserError` if the settings do not
    suit the number of classes or the rows.
    """
    classes, threshold = len(rows.classes), settings.threshold
    if not rows.multilabel and classes > 2 and settings.calibration == "platt":
        raise UserError(
            f"evaluate.calibration must be none or temperature for {classes} classes; got platt"
        )
    if not rows.multilabel and classes > 2 and threshold != EVEN:
        raise UserError(f"evaluate.threshold must be {EVEN} for {classes} classes; got {threshold}")
    calibration: Calibration | None = None
    if settings.chooses:
        y, probabilities, clusters = some_rows(rows.y, rows.probabilities, clusters)
        if settings.calibration != "none":
            fit = fit_by_label if rows.multilabel else fit_calibration
            calibration = fit(y, probabilities, clusters, settings.calibration)
        calibrated = Decision(None, calibration).calibrate(probabilities)
    if rows.multilabel:
        thresholds = [threshold] * classes
        if isinstance(threshold, str):
            thresholds = [*_choose_by_label(y, calibrated, clusters, settings)]
        return Decision(None, calibration, thresholds=tuple(map(float, thresholds)))
    if isinstance(threshold, str):
        threshold = _choose_threshold(y, calibrated[:, 1], clusters, settings)
    costs = cost_matrix(settings.costs, rows.classes)
    of_two = threshold if classes == 2 and costs is None else None
    return Decision(of_two, calibration, costs=costs, scale=scale)


def choose_baseline(
    y: NDArray[Any], classes: Sequence[str], settings: Evaluate, scale: Scale | None = None
) -> Decision:
    """Return the decision of a baseline: the best single answer for all training rows.

    `y` are their labels, as in `Predictions`. The answer is the most frequent class, the first of
    equally frequent ones, with costs the cheapest decision, or on a `scale` the median class. Of
    several labels it is the set that
    the most rows have exactly. It has no threshold or calibration to choose, whatever the settings
    say.
    """
    costs = cost_matrix(settings.costs, classes)
    if y.ndim == 1:
        even = EVEN if len(classes) == 2 and costs is None else None
        return Decision(even, costs=costs, scale=scale, baseline=1)
    thresholds = np.where(most_frequent_set(y), 0.0, NEVER)
    return Decision(thresholds=tuple(thresholds.tolist()), baseline=1)


def fit_calibration(
    y: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    clusters: NDArray[np.int64] | None,
    method: str,
) -> Temperature | Platt | None:
    """Return the calibration fitted to these rows, None if it hardly lowers their log loss.

    It must lower it by more than a standard error. Of many rows, if z is normal, one parameter
    lowers their log loss by z^2 / 2, with a standard error of |z|. So a calibrated model stays as
    it is unless |z| > 2: in 95% of the cases, and in 86% with two parameters. Of few rows, where
    the prior keeps the change small, |z| > 1 is enough.
    """
    shown, y = np.unique(y, return_inverse=True)
    if len(shown) == 1:
        return None
    if len(shown) < probabilities.shape[1]:
        # Rows of rare classes train all folds, so that none is held out: fit the probabilities of
        # the classes that the rows show.
        of_shown = np.maximum(probabilities[:, shown], EPSILON)
        probabilities = of_shown / of_shown.sum(axis=1, keepdims=True)
    worth = 1.0 if clusters is None else len(np.unique(clusters)) / len(clusters)
    fit = fit_temperature if method == "temperature" else fit_platt
    calibration = fit(y, probabilities, worth)
    calibrated = calibration.apply(probabilities)
    before = JudgedRows(y, probabilities, probabilities.argmax(axis=1), clusters)
    after = JudgedRows(y, calibrated, calibrated.argmax(axis=1), clusters)
    losses = LOG_LOSS.influence(before), LOG_LOSS.influence(after)
    gain, error = paired_difference(before, after, *losses)
    return calibration if gain > error else None


def fit_by_label(
    y: LabelMatrix,
    probabilities: NDArray[np.float64],
    clusters: NDArray[np.int64] | None,
    method: str,
) -> LabelScaling | None:
    """Return the calibration of each label as of two classes, None if no label has one.

    A label without one, or that fewer than `FEWEST_TO_CHOOSE` rows have, stays as it is.
    """
    slopes, intercepts = np.ones(y.shape[1]), np.zeros(y.shape[1])
    for place in np.flatnonzero(~has_few(y, clusters)).tolist():
        both = np.column_stack([1 - probabilities[:, place], probabilities[:, place]])
        match fit_calibration(y[:, place].astype(np.int64), both, clusters, method):
            case Temperature(temperature):
                slopes[place] = round(1 / temperature, DIGITS)
            case Platt(slope, intercept):
                slopes[place], intercepts[place] = slope, intercept
    if (slopes == 1).all() and not intercepts.any():
        return None
    return LabelScaling(tuple(slopes.tolist()), tuple(intercepts.tolist()))


def _choose_threshold(
    y: NDArray[np.integer[Any]],
    positive: NDArray[np.float64],
    clusters: NDArray[np.int64] | None,
    settings: Evaluate,
) -> float:
    """Return the threshold by the rule of the settings; `y` (rows,) is 1 for positive rows."""
    rule = settings.threshold
    if rule != "precision":
        return choose_threshold(y, positive, str(rule))
    return reach_precision(y, positive, settings.target_precision, settings.confidence, clusters)


def _choose_by_label(
    y: LabelMatrix,
    probabilities: NDArray[np.float64],
    clusters: NDArray[np.int64] | None,
    settings: Evaluate,
) -> Iterator[float]:
    """Yield the threshold of each label, `EVEN` if fewer than `FEWEST_TO_CHOOSE` rows have it.

    It is `NEVER` if no threshold reaches the precision, so that the guarantee holds for all labels
    that are decided. By `MICRO_F1` it is the same for all labels: that with the highest F1 of all
    pairs of row and label together.
    """
    if settings.threshold == MICRO_F1:
        yield from [choose_threshold(y.ravel(), probabilities.ravel(), "f1")] * y.shape[1]
        return
    few = has_few(y, clusters)
    for place in range(y.shape[1]):
        if few[place]:
            yield EVEN
            continue
        try:
            yield _choose_threshold(y[:, place], probabilities[:, place], clusters, settings)
        except UserError:  # of reach_precision
            yield NEVER


def explain_calibration(own: ModelDecision, method: str, validated: bool) -> str:
    """Return what evaluate.calibration did to a model, as a phrase; "" if it is not set."""
    fit = own.calibrated
    if fit is None:
        return ""
    name = {"platt": "Platt scaling", "temperature": "a temperature"}[method]
    match own.decision.calibration:
        case None:
            return f"none; {name} would not clearly lower the log loss"
        case LabelScaling(slopes, intercepts):
            scaled = sum(pair != (1, 0) for pair in zip(slopes, intercepts, strict=True))
            fitted = f"{name} of {scaled:,} of {count_noun(len(slopes), 'label')}"
        case single:
            fitted = ", ".join(f"{key} {value:.2f}" for key, value in asdict(single).items())
    rows = count_noun(fit.rows, "validation row" if validated else "training row")
    unseen = "" if validated else " left out of the fit"
    falls = f"log loss falls from {fit.before:.3f} to {fit.after:.3f} on {rows}{unseen}"
    return f"{fitted}, with which {falls}"


def has_few(y: LabelMatrix, clusters: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    """Return which labels have fewer than `FEWEST_TO_CHOOSE` rows, or clusters: (labels,)."""
    few = []
    for column in y.T:
        having: NDArray[Any] = column == 1
        if clusters is not None:
            having = np.bincount(clusters[having])
        few.append(np.count_nonzero(having) < FEWEST_TO_CHOOSE)
    return np.array(few)


def some_rows(
    y: NDArray[Any], probabilities: NDArray[np.float64], clusters: NDArray[np.int64] | None
) -> Outputs:
    """Return the rows that choose: every second, fourth or so on of more than `CELLS` numbers.

    Raises `UserError` if there are none.
    """
    if not len(y):
        raise no_validation_rows()
    step = 1
    while probabilities[::step].size > CELLS:
        step *= 2
    return y[::step], probabilities[::step], None if clusters is None else clusters[::step]


def no_validation_rows() -> UserError:
    """Return the error of a run that has no validation rows to choose by."""
    return UserError(
        "the predictions must have validation rows to choose by; got none; run dvc repro"
    )
