"""The decision of each model: calibration and threshold, chosen on validation rows if the settings ask for it."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Calibration, Decision, Platt, Temperature
from textclf.artifacts.predictions import Predictions
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.evaluate.calibrate import choose_threshold, fit_platt, fit_temperature
from textclf.evaluate.settings import Evaluate

EVEN = 0.5  # the threshold at which the more probable of two classes is decided
CELLS = 2**24  # probabilities of validation rows in memory at a time

Outputs = tuple[NDArray[np.int64], NDArray[np.float64]]  # y (rows,), probabilities (rows, classes)


def choose_decision(batches: Iterable[Predictions], settings: Evaluate) -> Decision:
    """Return how a model decides, from its predictions of all splits.

    `batches` are read again if validation rows are needed; other rows choose nothing. All numbers are rounded to
    `DIGITS` here, so that what is measured is what is exported. Raises `UserError` if the settings do not suit the
    number of classes or the rows.
    """
    classes, threshold = len(next(iter(batches)).classes), settings.threshold
    if classes > 2 and settings.calibration == "platt":
        raise UserError(f"evaluate.calibration must be none or temperature for {classes} classes; got platt")
    if classes > 2 and threshold != EVEN:
        raise UserError(f"evaluate.threshold must be {EVEN} for {classes} classes; got {threshold}")
    calibration: Calibration | None = None
    if settings.calibration != "none" or not isinstance(threshold, float):
        y, probabilities = validation_rows(batches)
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


def validation_rows(batches: Iterable[Predictions]) -> Outputs:
    """Return the labels and probabilities of the validation rows.

    Of more than `CELLS` probabilities every second row, every fourth and so on. Raises `UserError` if there are none.
    """
    parts: list[Outputs] = []
    step, seen, cells = 1, 0, 0
    for batch in batches:
        rows = batch.take(batch.split == "validation")
        chosen = rows.take(slice(-seen % step, None, step))
        seen += len(rows)
        if len(chosen):
            parts.append((chosen.y, chosen.probabilities))
            cells += chosen.probabilities.size
        while cells > CELLS:
            parts = [(y[::2], probabilities[::2]) for y, probabilities in [_join(parts)]]
            step, cells = 2 * step, parts[0][1].size
    if not parts:
        raise UserError("the predictions must have validation rows to choose by; got none; run dvc repro")
    return _join(parts)


def _join(parts: list[Outputs]) -> Outputs:
    y, probabilities = zip(*parts, strict=True)
    return np.concatenate(y), np.concatenate(probabilities)
