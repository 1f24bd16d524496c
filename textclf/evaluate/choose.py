"""The decision of each model: calibration and threshold, chosen on rows that did not train it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Calibration, Decision
from textclf.artifacts.label_sets import LabelMatrix
from textclf.artifacts.predictions import Predictions
from textclf.core.errors import UserError
from textclf.evaluate.calibrate import choose_threshold, fit_platt, fit_temperature, reach_precision
from textclf.evaluate.costs import cost_matrix
from textclf.evaluate.settings import EVEN, Evaluate

NEVER = 1.0  # the threshold that no probability exceeds
FEWEST_TO_CHOOSE = 5  # rows, or clusters of rows, with a label, below which its threshold is not chosen
CELLS = 2**24  # probabilities of the rows that choose

# y (rows,), probabilities (rows, classes), clusters (rows,)
Outputs = tuple[NDArray[Any], NDArray[np.float64], NDArray[np.int64] | None]


def choose_decision(rows: Predictions, settings: Evaluate, clusters: NDArray[np.int64] | None = None) -> Decision:
    """Return how a model decides, from its predictions for validation rows or held-out training rows.

    They may be empty if nothing is chosen. `clusters` (rows,) are those of dependent rows, None if the rows are
    independent. All numbers are rounded, so that what is measured is what is exported. Each of several labels per text
    has a threshold of its own. Raises `UserError` if the settings do not suit the number of classes or the rows.
    """
    classes, threshold = len(rows.classes), settings.threshold
    if rows.multilabel:
        return Decision(thresholds=tuple(_choose_by_label(rows, settings, clusters)))
    if classes > 2 and settings.calibration == "platt":
        raise UserError(f"evaluate.calibration must be none or temperature for {classes} classes; got platt")
    if classes > 2 and threshold != EVEN:
        raise UserError(f"evaluate.threshold must be {EVEN} for {classes} classes; got {threshold}")
    calibration: Calibration | None = None
    if settings.calibration != "none" or not isinstance(threshold, float):
        y, probabilities, clusters = some_rows(rows.y, rows.probabilities, clusters)
        worth = 1.0 if clusters is None else len(np.unique(clusters)) / len(clusters)
        if settings.calibration != "none":
            fit = fit_temperature if settings.calibration == "temperature" else fit_platt
            calibration = fit(y, probabilities, worth)
        if not isinstance(threshold, float):
            positive = Decision(None, calibration).calibrate(probabilities)[:, 1]
            threshold = _choose_threshold(y, positive, clusters, settings)
    costs = cost_matrix(settings.costs, rows.classes)
    return Decision(threshold if classes == 2 and costs is None else None, calibration, costs=costs)


def _choose_threshold(
    y: NDArray[np.integer[Any]], positive: NDArray[np.float64], clusters: NDArray[np.int64] | None, settings: Evaluate
) -> float:
    """Return the threshold by the rule of the settings; `y` (rows,) is 1 for the rows that are positive."""
    rule = settings.threshold
    if rule != "accuracy" and positive.min() == positive.max():
        # A model such as majority finds all positive rows or none: F1 would choose all, and precision fail.
        return EVEN
    if rule != "precision":
        return choose_threshold(y, positive, str(rule))
    return reach_precision(y, positive, settings.target_precision, settings.confidence, clusters)


def _choose_by_label(rows: Predictions, settings: Evaluate, clusters: NDArray[np.int64] | None) -> Iterator[float]:
    """Yield the threshold of each label, `EVEN` if fewer than `FEWEST_TO_CHOOSE` rows have the label.

    It is `NEVER` if no threshold reaches the precision, so that the guarantee holds for all labels that are decided.
    """
    if isinstance(settings.threshold, float):
        yield from [settings.threshold] * len(rows.classes)
        return
    y, probabilities, clusters = some_rows(rows.y, rows.probabilities, clusters)
    few = has_few(y, clusters)
    for place in range(len(rows.classes)):
        try:
            yield EVEN if few[place] else _choose_threshold(y[:, place], probabilities[:, place], clusters, settings)
        except UserError:  # of reach_precision
            yield NEVER


def has_few(y: LabelMatrix, clusters: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    """Return which labels fewer than `FEWEST_TO_CHOOSE` rows, or clusters of rows, have: (labels,)."""
    has = (column == 1 if clusters is None else np.bincount(clusters[column == 1]) for column in y.T)
    return np.array([np.count_nonzero(each) < FEWEST_TO_CHOOSE for each in has])


def some_rows(y: NDArray[Any], probabilities: NDArray[np.float64], clusters: NDArray[np.int64] | None) -> Outputs:
    """Return the rows that choose: of more than `CELLS` probabilities every second, fourth or so on.

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
    return UserError("the predictions must have validation rows to choose by; got none; run dvc repro")
