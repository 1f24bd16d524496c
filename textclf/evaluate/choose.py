"""The decision of each model: calibration and threshold, chosen on validation rows if the settings ask for it."""

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Calibration, Decision, Platt, Temperature
from textclf.artifacts.predictions import Predictions
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.evaluate.calibrate import choose_threshold, fit_platt, fit_temperature
from textclf.evaluate.settings import Evaluate

EVEN = 0.5  # the threshold at which the more probable of two classes is decided
CELLS = 2**24  # probabilities of the validation rows that choose

Outputs = tuple[NDArray[np.int64], NDArray[np.float64]]  # y (rows,), probabilities (rows, classes)


def choose_decision(validation: Predictions, settings: Evaluate) -> Decision:
    """Return how a model decides, from its predictions for the validation rows, of which there may be none.

    All numbers are rounded to `DIGITS` here, so that what is measured is what is exported. Raises `UserError` if the
    settings do not suit the number of classes or the rows.
    """
    classes, threshold = len(validation.classes), settings.threshold
    if classes > 2 and settings.calibration == "platt":
        raise UserError(f"evaluate.calibration must be none or temperature for {classes} classes; got platt")
    if classes > 2 and threshold != EVEN:
        raise UserError(f"evaluate.threshold must be {EVEN} for {classes} classes; got {threshold}")
    calibration: Calibration | None = None
    if settings.calibration != "none" or not isinstance(threshold, float):
        y, probabilities = some_rows(validation.y, validation.probabilities)
        calibration = _fit_calibration(y, probabilities, settings)
        if not isinstance(threshold, float):
            positive = Decision(None, calibration).calibrate(probabilities)[:, 1]
            if threshold != "accuracy" and positive.min() == positive.max():
                # A model such as majority finds all positive rows or none: F1 would choose all, and precision fail.
                threshold = EVEN
            else:
                threshold = choose_threshold(y, positive, threshold, settings.target_precision)
    return Decision(threshold if classes == 2 else None, calibration)


def _fit_calibration(
    y: NDArray[np.int64], probabilities: NDArray[np.float64], settings: Evaluate
) -> Calibration | None:
    match settings.calibration:
        case "temperature":
            return Temperature(round(fit_temperature(y, probabilities).temperature, DIGITS))
        case "platt":
            fitted = fit_platt(y, probabilities)
            return Platt(round(fitted.slope, DIGITS), round(fitted.intercept, DIGITS))
        case _:
            return None


def some_rows(y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Outputs:
    """Return the validation rows that choose: of more than `CELLS` probabilities every second, fourth or so on.

    Raises `UserError` if there are none.
    """
    if not len(y):
        raise no_validation_rows()
    step = 1
    while probabilities[::step].size > CELLS:
        step *= 2
    return y[::step], probabilities[::step]


def no_validation_rows() -> UserError:
    """Return the error of a run that has no validation rows to choose by."""
    return UserError("the predictions must have validation rows to choose by; got none; run dvc repro")
