"""The power of McNemar's test, and the smallest difference that so many rows detect."""

import math
from collections.abc import Callable

import numpy as np
import scipy  # which imports scipy.special when it is used

from textclf.evaluate.intervals import bisect, normal_quantile

POWER = 0.8  # with which a difference counts as detectable
SPREAD = 7  # standard deviations around the mean number of discordant rows that are summed


def power_curve(n: int, discordant: float, alpha: float) -> Callable[[float], float]:
    """Return the power of McNemar's test on `n` rows at level `alpha`, as a function of the difference.

    `discordant`, above 0, is the share of the rows that only one of two models decides correctly; the difference of
    their accuracies is from 0 to that. The power given the number of discordant rows is averaged over its binomial
    distribution: Duffy (1984), Biometrics 40:1005-1015.
    """
    mean = n * discordant
    reach = SPREAD * math.sqrt(mean) + SPREAD
    m = np.arange(max(1, math.floor(mean - reach)), min(n, math.ceil(mean + reach)) + 1)
    logs = scipy.special.gammaln(n + 1) - scipy.special.gammaln(m + 1) - scipy.special.gammaln(n - m + 1)
    chances = np.exp(logs + scipy.special.xlogy(m, discordant) + scipy.special.xlog1py(n - m, -discordant))
    most = np.floor((m - normal_quantile(1 - alpha / 2) * np.sqrt(m)) / 2)  # rows that the worse model alone has right

    def exact(difference: float) -> float:
        better = (1 + difference / discordant) / 2
        rejected = scipy.special.bdtr(most, m, 1 - better) + scipy.special.bdtr(most, m, better)
        return float(chances @ np.where(most < 0, 0, rejected))

    return exact


def smallest_difference(n: float, discordant: float, alpha: float) -> float | None:
    """Return the smallest difference in accuracy that the test detects with 80% power, as `power_curve` has it.

    None if it would exceed the share of discordant rows. Parts of rows count for nothing.
    """
    if not discordant:
        return None
    curve = power_curve(math.floor(n), discordant, alpha)
    if not curve(0.0) < POWER <= curve(discordant):
        return None
    return bisect(lambda difference: POWER - curve(difference), 0.0, discordant)
