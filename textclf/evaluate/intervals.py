"""Confidence intervals of one number, such as a share or a difference of two shares."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import scipy  # which imports scipy.special when it is used
from numpy.typing import NDArray

from textclf.core.files import DIGITS

CONFIDENCE = 0.95

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """The two ends of a confidence interval."""

    low: float
    high: float

    def rounded(self) -> dict[str, float]:
        """Return `low` and `high` with `DIGITS` decimals."""
        return {"low": round(self.low, DIGITS), "high": round(self.high, DIGITS)}


@dataclass(frozen=True)
class Difference:
    """A metric, such as accuracy, of a minus that of b on the same rows, with its interval."""

    difference: float
    low: float
    high: float

    def rounded(self) -> dict[str, float]:
        """Return the difference and its interval by name, with `DIGITS` decimals."""
        return {name: round(value, DIGITS) for name, value in asdict(self).items()}


def wilson(successes: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """Return the Wilson score interval of a share, such as an accuracy; `n` is above 0.

    Wilson (1927), J. Am. Stat. Assoc. 22:209-212, doi:10.1080/01621459.1927.10502953, without
    continuity correction: method 3 of Newcombe (1998), Stat. Med. 17:857-872.
    """
    z, share = normal_quantile((1 + confidence) / 2), successes / n
    middle = (2 * n * share + z**2) / (2 * (n + z**2))
    half = z * math.sqrt(4 * n * share * (1 - share) + z**2) / (2 * (n + z**2))
    # At a share of 0 or 1 the formula gives exactly 0 or 1, apart from rounding errors.
    low = middle - half if successes > 0 else 0.0
    high = middle + half if successes < n else 1.0
    return Interval(low, high)


def on_odds_scale(value: float, half: float) -> Interval:
    """Return the interval of a value from 0 to 1 that is symmetric in its log odds.

    `half` is half its length on the scale of the value.
    """
    middle, length = float(scipy.special.logit(value)), half / (value * (1 - value))
    low, high = scipy.special.expit(middle - length), scipy.special.expit(middle + length)
    return Interval(float(low), float(high))


def normal_quantile(probability: float) -> float:
    """Return the quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(probability)


def degrees_correction(degrees: Floats | float, alpha: Floats | float) -> Any:
    """Return (normal quantile / quantile of Student's t with so many degrees of freedom, or 1)^2.

    Rows whose variance is estimated with few degrees of freedom are worth so much less in a
    two-sided test at the level `alpha`: Korn & Graubard (1998), Survey Methodology 24:193-201.
    The smaller alpha, the less, so that it belongs inside whatever changes the level. Numbers or
    arrays, place by place.
    """
    # With an alpha of 1 both quantiles are 0; the ratio there is that of an alpha just below.
    tail = np.minimum(alpha, 1 - 1e-6) / 2
    normal = scipy.special.stdtrit(np.inf, tail)
    t = scipy.special.stdtrit(np.maximum(degrees, 1), tail)
    return (normal / t) ** 2


def tango(only_a: float, only_b: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """Return the score interval of a difference of two shares of the same `n` rows, above 0.

    `only_a` and `only_b` are the rows in one of the shares alone; the difference is (only_a -
    only_b) / n. The interval holds the differences that the score test does not reject, so it has a
    width even if one or both counts are 0: Tango (1998), Stat. Med. 17:891-908; Fagerland, Lydersen
    & Laake (2014), Stat. Med. 33:2850-2875.
    """
    z = normal_quantile((1 + confidence) / 2)

    def score(delta: float) -> float:
        """Return the test statistic of a difference of `delta`, which falls as `delta` grows."""
        b = (2 * n - only_a + only_b) * delta - only_a - only_b
        c = -only_b * delta * (1 - delta)
        # The likeliest share of only_b.
        share = (math.sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
        variance = n * (2 * share + delta * (1 - delta))
        gap = only_a - only_b - n * delta
        if variance > 0:
            return gap / math.sqrt(variance)
        return math.copysign(math.inf, gap) if gap else 0.0

    estimate = (only_a - only_b) / n
    low = -1.0 if estimate <= -1 else bisect(lambda delta: score(delta) - z, -1.0, estimate)
    high = 1.0 if estimate >= 1 else bisect(lambda delta: score(delta) + z, estimate, 1.0)
    return Interval(low, high)


def difference(a: float, b: float, of_a: Interval, of_b: Interval) -> Interval:
    """Return the interval of a - b for numbers of independent samples, from their intervals.

    The ends are d - sqrt((a - low_a)^2 + (high_b - b)^2) and d + sqrt((high_a - a)^2 + (b -
    low_b)^2) with d = a - b. For Wilson intervals of shares this is the hybrid score interval,
    method 10 of Newcombe (1998), Stat. Med. 17:873-890; for other metrics it is MOVER, the method
    of variance estimates recovery: Zou & Donner (2008), Stat. Med. 27:1693-1702.
    """
    # max: an interval may exclude its own value by rounding.
    below = math.hypot(max(a - of_a.low, 0), max(of_b.high - b, 0))
    above = math.hypot(max(of_a.high - a, 0), max(b - of_b.low, 0))
    return Interval(a - b - below, a - b + above)


def compare_shares(
    counts: Floats,
    degrees: Floats,
    confidence: float,
) -> tuple[Floats, Floats, Floats]:
    """Return the interval of the difference of two independent shares, and its p-value.

    They are the two ends and the p-value, each (pairs,). `counts` (pairs, 4) are the rows in the
    first share and all rows of it, then those of the second; they are worth less by
    `degrees_correction` at each level, with `degrees` (pairs,). The interval is `difference` of
    Jeffreys intervals: Brown, Cai & DasGupta (2001), Stat. Sci. 16:101-133; with few rows Wilson's
    reject too often.
    The p-value is that of the level at which it ends at 0, so that both always agree.
    """
    low, high = _differences(counts, degrees, np.full(len(counts), 1 - confidence))
    # The range of the logarithm of p.
    smallest, largest = np.full(len(counts), -700.0), np.zeros(len(counts))
    for _ in range(60):
        middle = (smallest + largest) / 2
        ends = _differences(counts, degrees, np.exp(middle))
        is_excluded = (ends[0] > 0) | (ends[1] < 0)
        smallest = np.where(is_excluded, smallest, middle)
        largest = np.where(is_excluded, middle, largest)
    return low, high, np.exp(largest)


def _differences(counts: Floats, degrees: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """Return the ends of intervals at the level 1 - alpha (pairs,), as in `compare_shares`."""
    worth = degrees_correction(degrees, alpha)
    (a, low_a, high_a), (b, low_b, high_b) = (
        _jeffreys(counts[:, place], counts[:, place + 1], worth, alpha) for place in (0, 2)
    )
    return a - b - np.hypot(a - low_a, high_b - b), a - b + np.hypot(high_a - a, b - low_b)


def _jeffreys(
    right: Floats,
    rows: Floats,
    worth: Floats,
    alpha: Floats,
) -> tuple[Floats, Floats, Floats]:
    """Return shares, and the ends of their intervals."""
    share, shape = right / rows, (right * worth + 0.5, (rows - right) * worth + 0.5)
    low = scipy.special.betaincinv(*shape, alpha / 2)
    high = scipy.special.betainccinv(*shape, alpha / 2)
    # With an alpha near 1, the share may lie beyond these ends.
    return (
        share,
        np.where(right <= 0, 0, np.minimum(low, share)),
        np.where(right >= rows, 1, np.maximum(high, share)),
    )


def area_score(
    area: float, positives: float, others: float, confidence: float = CONFIDENCE
) -> Interval:
    """Return the interval of a ROC AUC from the numbers of rows of the class and of other rows.

    Both are above 0. It has a width even if the area is 1. It holds the areas whose standard error,
    by the exponential model of Hanley & McNeil (1982) with both sample sizes replaced by their
    mean, puts the estimate within the normal quantile: method 5 of Newcombe (2006), Stat. Med.
    25:559-573, doi:10.1002/sim.2324.
    """
    z = normal_quantile((1 + confidence) / 2)
    mean = max((positives + others) / 2 - 1, 0.0)

    def gap(true: float) -> float:
        """Return by how much the distance to the estimate exceeds what chance explains."""
        of_pairs = (1 - true) / (2 - true) + true / (1 + true)
        spread = true * (1 - true) * (1 + mean * of_pairs) / (positives * others)
        return abs(true - area) - z * math.sqrt(spread)

    low = 0.0 if area <= 0 else bisect(gap, 0.0, area)
    high = 1.0 if area >= 1 else bisect(lambda true: -gap(true), area, 1.0)
    return Interval(low, high)


def bisect(falling: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function that is positive at `low` and negative at `high` changes its sign."""
    for _ in range(60):  # halves the range to the precision of a double
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2
