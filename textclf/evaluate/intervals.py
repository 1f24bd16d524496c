"""Confidence intervals of one number: of a share, of a mean, and from bootstrap resamples."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """The two ends of a confidence interval."""

    low: float
    high: float


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the Wilson score interval of a share, such as an accuracy; `n` is at least 1.

    Wilson (1927), J. Am. Stat. Assoc. 22:209-212, doi:10.1080/01621459.1927.10502953, without continuity correction:
    method 3 of Newcombe (1998), Stat. Med. 17:857-872.
    """
    z, share = normal_quantile((1 + confidence) / 2), successes / n
    middle = (2 * n * share + z**2) / (2 * (n + z**2))
    half = z * math.sqrt(4 * n * share * (1 - share) + z**2) / (2 * (n + z**2))
    # At a share of 0 or 1 the formula gives exactly 0 or 1, apart from rounding errors.
    return Interval(middle - half if successes > 0 else 0.0, middle + half if successes < n else 1.0)


def normal_quantile(probability: float) -> float:
    """Return the quantile of the standard normal distribution."""
    from scipy.special import ndtri  # importing scipy.stats takes half a second more

    return float(ndtri(probability))


def normal(mean: float, standard_error: float, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of a mean of many rows by the central limit theorem."""
    half = normal_quantile((1 + confidence) / 2) * standard_error
    return Interval(mean - half, mean + half)


def variance_of_mean(
    rows: NDArray[np.int64], sums: NDArray[np.float64], sums_of_squares: NDArray[np.float64], stratified: bool = True
) -> float:
    """Return the variance of a mean over all rows, from counts and sums over the rows of each class, all (classes,).

    `stratified` as for `bootstrap.resamples`: the variance between the classes then counts for nothing. Cochran (1977),
    Sampling Techniques, 5.3, with shares of rows as weights.
    """
    if not stratified:
        rows, sums, sums_of_squares = (np.atleast_1d(values.sum()) for values in (rows, sums, sums_of_squares))
    within = sums_of_squares - np.divide(sums**2, rows, out=np.zeros_like(sums), where=rows > 0)
    return float(np.maximum(within, 0).sum() / rows.sum() ** 2)


def percentile(draws: NDArray[np.float64], confidence: float = CONFIDENCE) -> Interval:
    """Return the percentile interval of the bootstrap, from a metric's values in the resamples (resamples,).

    Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13. It stays within the range of the metric, is
    the same for any monotone transformation, and needs no formula for each metric. Its limits, measured by
    benchmarks/coverage.py: it is accurate to first order only, so too short with few rows: a 95% interval covers 92 to
    94% with 25 or 50 rows in the smaller class. It does not suit the expected calibration error, which is biased upward
    in a sample and again in its resamples (67 to 91%), nor stratified resamples where class counts were left to chance
    (76% for the difference from a model that always decides one class). It does not cover the variation between
    training runs or splits. Resamples in which the metric is undefined (NaN) are left out.
    """
    low, high = np.nanquantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))
