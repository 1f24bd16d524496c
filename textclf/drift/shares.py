"""Shares of two independent samples, such as predicted classes, with intervals of each and of their difference."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textclf.evaluate.intervals import CONFIDENCE, Interval, normal_quantile, wilson

POWER = 0.8
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shares:
    """A share of the reference and of the new texts, their difference (new minus reference), and an interval of each.

    `p` is that of a permutation test that they are equal.
    """

    reference: float
    reference_ends: Interval
    new: float
    new_ends: Interval
    difference: float
    ends: Interval
    p: float


def compare(reference: tuple[float, float], new: tuple[float, float], p: float) -> Shares:
    """Return two shares from the number of successes and of independent trials, above 0, of each.

    The interval of the difference is recovered from the Wilson intervals of the shares: method 10 of Newcombe (1998),
    Stat. Med. 17:873-890.
    """
    shares = [successes / trials for successes, trials in (reference, new)]
    old, now = (wilson(*each, CONFIDENCE) for each in (reference, new))
    difference = shares[1] - shares[0]
    low = difference - math.hypot(shares[1] - now.low, old.high - shares[0])
    high = difference + math.hypot(now.high - shares[1], shares[0] - old.low)
    return Shares(shares[0], old, shares[1], now, difference, Interval(max(low, -1.0), min(high, 1.0)), p)


def effective(parts: Floats, wholes: Floats) -> tuple[float, float]:
    """Return the successes and the independent trials to which a share of words is equivalent, from counts per text.

    sum(parts) / sum(wholes) is a ratio estimate between texts: Cochran (1977), Sampling Techniques, 2.11 and 9A. If all
    words of all texts are alike, each text counts as one trial.
    """
    total = float(wholes.sum())
    if not total:
        return 0.0, float(max(1, len(wholes)))
    share = float(parts.sum()) / total
    between = float(((parts - share * wholes) ** 2).sum())
    variance = share * (1 - share)
    size = variance * total**2 / between if variance > 0 and between > 0 else float(len(wholes))
    size = min(size, total)
    return share * size, size


def smallest_difference(reference: int, new: int, alpha: float) -> float:
    """Return the difference of two shares near a half that a two-sided test at `alpha` finds with 80% probability.

    By the normal approximation, with the variance of a share of a half for both.
    """
    z = normal_quantile(1 - alpha / 2) + normal_quantile(POWER)
    return min(1.0, z * math.sqrt((1 / reference + 1 / new) / 4))
