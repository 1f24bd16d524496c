"""The decision of each model: calibration and threshold, chosen on rows that did not train it."""

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Calibration, Decision
from textclf.artifacts.predictions import Predictions
from textclf.core.errors import UserError
from textclf.evaluate.calibrate import choose_threshold, fit_platt, fit_temperature, reach_precision
from textclf.evaluate.costs import cost_matrix
from textclf.evaluate.settings import EVEN, Evaluate

CELLS = 2**24  # probabilities of the rows that choose

# y (rows,), probabilities (rows, classes), clusters (rows,)
Outputs = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64] | None]


def choose_decision(rows: Predictions, settings: Evaluate, clusters: NDArray[np.int64] | None = None) -> Decision:
    """Return how a model decides, from its predictions for validation rows or held-out training rows.

    There may be none if nothing is chosen. `clusters` (rows,) are those of dependent rows, None if the rows are
    independent. All numbers are rounded, so that what is measured is what is exported. Raises `UserError` if the
    settings do not suit the number of classes or the rows.
    """
    classes, threshold = len(rows.classes), settings.threshold
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
            if threshold != "accuracy" and positive.min() == positive.max():
                # A model such as majority finds all positive rows or none: F1 would choose all, and precision fail.
                threshold = EVEN
            elif threshold == "precision":
                chosen = one_per_cluster(clusters, settings.seed, 0 * y)
                threshold = reach_precision(
                    y[chosen],
                    positive[chosen],
                    settings.target_precision,
                    settings.confidence,
                    dependent=clusters is not None,
                )
            else:
                threshold = choose_threshold(y, positive, threshold)
    costs = cost_matrix(settings.costs, rows.classes)
    return Decision(threshold if classes == 2 and costs is None else None, calibration, costs)


def one_per_cluster(clusters: NDArray[np.int64] | None, seed: int, y: NDArray[np.int64]) -> NDArray[np.int64] | slice:
    """Return the position of a random row of each class in each cluster, ascending; of all rows if there are none.

    Such rows are independent, so that a row of a new cluster is exchangeable with them: single subsampling of Dunn,
    Wasserman & Ramdas (2023), J. Am. Stat. Assoc. 118:2491-2502, doi:10.1080/01621459.2022.2060112.
    """
    if clusters is None:
        return slice(None)
    groups = clusters * (y.max() + 1) + y
    order = np.random.default_rng(seed).permutation(len(groups))
    return np.sort(order[np.unique(groups[order], return_index=True)[1]])


def some_rows(y: NDArray[np.int64], probabilities: NDArray[np.float64], clusters: NDArray[np.int64] | None) -> Outputs:
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
