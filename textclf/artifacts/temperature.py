"""The temperature of a model, fitted to rows that did not train it."""

import math

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Temperature, logarithms
from textclf.core.files import DIGITS

# Standard deviation of the prior of a slope, and of the logarithm of a temperature, whose 95% range
# is then 0.38 to 2.7.
PRIOR = 0.5


def fit_temperature(
    y: NDArray[np.int64], probabilities: NDArray[np.float64], worth: float = 1.0
) -> Temperature:
    """Return the most probable temperature from 0.01 to 100, given these rows and a prior around 1.

    Guo et al. (2017), ICML, PMLR 70:1321-1330, but with a normal prior of standard deviation
    `PRIOR` on the logarithm of the temperature: without one the temperature falls to 0.01 if all
    rows are right. A row is worth `worth` independent ones. Labels alone, with probabilities of 0
    and 1, have no prior. The rows must be neither training rows nor test rows.
    """
    from scipy.optimize import minimize_scalar  # takes long to import

    logits = logarithms(probabilities)
    gaps = logits - logits[np.arange(len(y)), y][:, np.newaxis]
    precision = 0 if np.isin(probabilities, (0, 1)).all() else 1 / (PRIOR**2 * worth * len(y))

    def loss(log_temperature: float) -> float:
        fit = float(np.logaddexp.reduce(gaps / math.exp(log_temperature), axis=1).mean())
        return fit + precision * log_temperature**2 / 2

    ends = (-math.log(100), math.log(100))
    best = float(minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-9}).x)
    return Temperature(round(math.exp(best), DIGITS) if loss(best) < loss(0) else 1.0)
