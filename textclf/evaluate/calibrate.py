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

PRIOR = 0.5  # of the logarithm of a temperature, whose 95% range is then 0.38 to 2.7, and of a slope
INTERCEPT_PRIOR = 1.0  # of an intercept, in log odds


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


def fit_temperature(y: NDArray[np.int64], probabilities: NDArray[np.float64], worth: float = 1.0) -> Temperature:
    """Return the most probable temperature from 0.01 to 100, given these rows and a prior around 1.

    Guo et al. (2017), ICML, PMLR 70:1321-1330, but with a normal prior of standard deviation `PRIOR` on the logarithm
    of the temperature: without one the temperature falls to 0.01 if all rows are right. The logits are the logarithms
    of the probabilities; a row is worth `worth` independent ones. The rows must be neither training rows, on which a
    model is overconfident, nor test rows.
    """
    logits = logarithms(probabilities)
    rows = np.arange(len(y))

    def loss(log_temperature: float) -> float:
        fit = -float(log_softmax(logits / math.exp(log_temperature), axis=1)[rows, y].mean())
        return fit + (log_temperature / PRIOR) ** 2 / (2 * worth * len(y))

    ends = (-math.log(100), math.log(100))
    best = float(minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-9}).x)
    return Temperature(math.exp(best) if loss(best) < loss(0) else 1.0)


def fit_platt(y: NDArray[np.int64], probabilities: NDArray[np.float64], worth: float = 1.0) -> Platt:
    """Return the most probable slope and intercept, given these rows of two classes and a prior around 1 and 0.

    Platt (1999), Probabilistic outputs for support vector machines, in Advances in Large Margin Classifiers, 61-74, but
    with normal priors of standard deviation `PRIOR` on the slope and `INTERCEPT_PRIOR` on the intercept instead of his
    smoothed targets, which make an accurate model on few rows far too unsure. The rows: as for `fit_temperature`.
    """
    terms = np.column_stack([log_odds(probabilities), np.ones(len(y))])
    identity = np.array([1.0, 0.0])
    precision = 1 / (np.array([PRIOR, INTERCEPT_PRIOR]) ** 2 * worth * len(y))

    def loss(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z, shift = terms @ x, x - identity
        value = float(np.mean(np.logaddexp(0, z) - y * z) + precision @ shift**2 / 2)
        return value, terms.T @ (expit(z) - y) / len(y) + precision * shift

    best = minimize(loss, identity, method="BFGS", jac=True, options={"gtol": 1e-10})
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
