"""Calibration and thresholds fitted on validation rows, and the bins of a reliability curve."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax

from textclf.artifacts.decisions import Platt, Temperature, log_odds, logarithms
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.evaluate.intervals import CONFIDENCE, wilson
from textclf.evaluate.metrics import BINS, top_class
from textclf.evaluate.settings import ThresholdRule


def reliability_table(
    y: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    bins: int = BINS,
    confidence: float = CONFIDENCE,
    worth: float = 1.0,
) -> pd.DataFrame:
    """Return the bins that hold rows, by ascending confidence, with the Wilson interval of their accuracy.

    The rows of a bin have a confidence above `low` and up to `high`; a row is worth `worth` independent ones.
    """
    confidences, correct, position = top_class(y, probabilities, bins)
    table = []
    for place in np.unique(position).tolist():
        inside = position == place
        rows, accuracy = int(inside.sum()), float(correct[inside].mean())
        ends = wilson(accuracy * rows * worth, rows * worth, confidence)
        row = {"low": place / bins, "high": (place + 1) / bins, "rows": rows}
        row |= {"confidence": float(confidences[inside].mean()), "accuracy": accuracy}
        table.append(row | {"accuracy_low": ends.low, "accuracy_high": ends.high})
    return pd.DataFrame(table)


def fit_temperature(y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Temperature:
    """Return the temperature from 0.01 to 100 with the lowest log loss on these rows; 1 if no other has a lower one.

    Guo et al. (2017), ICML, PMLR 70:1321-1330. The logits are the logarithms of the probabilities. The rows must be
    neither training rows, on which a model is overconfident, nor test rows.
    """
    logits = logarithms(probabilities)
    rows = np.arange(len(y))

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(logits / math.exp(log_temperature), axis=1)[rows, y].mean())

    ends = (-math.log(100), math.log(100))
    best = float(minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-9}).x)
    return Temperature(math.exp(best) if loss(best) < loss(0) else 1.0)


def fit_platt(y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Platt:
    """Return the slope and intercept with the lowest log loss on these rows of two classes.

    Platt (1999), Probabilistic outputs for support vector machines, in Advances in Large Margin Classifiers, 61-74. His
    smoothed targets, (positives + 1) / (positives + 2) and 1 / (negatives + 2), keep both finite where a threshold
    separates the classes. The rows: as for `fit_temperature`.
    """
    positives = int(np.sum(y == 1))
    target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (len(y) - positives + 2))
    terms = np.column_stack([log_odds(probabilities), np.ones(len(y))])

    def loss(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = terms @ x
        return float(np.mean(np.logaddexp(0, z) - target * z)), terms.T @ (expit(z) - target) / len(y)

    # BFGS from the identity: of equally good pairs, as where all log odds are equal, it finds one near the identity.
    best = minimize(loss, np.array([1.0, 0.0]), method="BFGS", jac=True, options={"gtol": 1e-10})
    return Platt(*best.x.tolist())


def choose_threshold(
    y: NDArray[np.int64], positive_probability: NDArray[np.float64], rule: ThresholdRule, target: float | None = None
) -> float:
    """Return the threshold, with 6 digits, above which a probability is decided positive, chosen on these rows.

    "accuracy" and "f1": the one with the highest value; of equals the nearest to 0.5, then the lower. "precision": the
    lowest whose precision reaches `target`, so the one with the highest recall; `UserError` if none does. Candidates
    are 0, 1 and the midpoints between neighbouring probabilities, judged after rounding, as `probability > threshold`
    will decide. The rows must not be test rows.
    """
    scores = np.unique(positive_probability)
    # Halves are rounded down: of two scores that differ in the last digit, the lower one separates them.
    midpoints = np.maximum(scores[:-1] + np.diff(scores) / 2 - 1e-12, 0)
    candidates = np.unique(np.concatenate([[0.0], midpoints, [1.0]]).round(DIGITS))
    negatives, positives = (np.sort(positive_probability[y == label]) for label in (0, 1))
    true = len(positives) - np.searchsorted(positives, candidates, side="right")
    false = len(negatives) - np.searchsorted(negatives, candidates, side="right")
    if rule == "precision":
        if target is None:
            raise ValueError("the rule precision must have a target; got None")
        precision = true / np.maximum(true + false, 1)
        reached = candidates[(precision >= target) & (true > 0)]
        if not len(reached):
            raise UserError(
                f"evaluate.target_precision must be a precision that some threshold reaches on the validation rows; "
                f"got {target}, the highest is {precision.max():.6f}"
            )
        return float(reached[0])
    gain = true - false if rule == "accuracy" else 2 * true / np.maximum(true + false + len(positives), 1)
    best = candidates[gain == gain.max()]
    return float(best[np.argmin(np.abs(best - 0.5).round(DIGITS))])
