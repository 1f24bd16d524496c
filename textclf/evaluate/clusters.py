"""Rows that are not independent of each other, such as those of one text or group: what they are worth."""

import math
from typing import Any

import numpy as np
import scipy  # which imports scipy.special when it is used
from numpy.typing import NDArray

from textclf.evaluate.intervals import normal_quantile

EXACT_SUM = 20_000  # sums of differences up to which a test is exact
LIMIT = 1.1  # design effect of perfectly correlated clusters, up to which rows count as independent

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def are_dependent(keys: NDArray[np.uint64]) -> bool:
    """Return whether the rows with these keys of clusters (rows,) cannot be taken as independent.

    They can if the design effect would be at most `LIMIT` even if the rows of each cluster were right or wrong
    together. It is sum(m^2) / sum(m) for clusters of m rows: Kish (1965), Survey Sampling, 5.4. Where no text occurs
    more than twice, `LIMIT` is reached if 5% of the rows repeat another one.
    """
    sizes = np.unique(keys, return_counts=True)[1]
    return bool((sizes.astype(np.float64) ** 2).sum() > LIMIT * len(keys))


def correlation(values: NDArray[Any], clusters: Ints, rare: NDArray[np.bool_], sizes: Ints) -> float:
    """Return the correlation of the values (rows,) of two rows of a cluster, from 0 to 1; 0 if no two rows share one.

    The estimate is the mean product of the deviations of all pairs, divided by the variance: the intraclass correlation
    of Fisher (1925), Statistical Methods for Research Workers, chapter 7. It is as uncertain as there are few clusters
    with a `rare` value (rows,), such as a mistake, or without one: with m of these, it is averaged with a correlation
    of 1 that counts as one more cluster. Without that, intervals of an accuracy near 100% would be too
    narrow. `sizes` (clusters,) are the numbers of rows.
    """
    pairs = (sizes * (sizes - 1)).astype(np.float64)
    if not pairs.any():
        return 0.0
    rows, deviations = len(values), values - values.mean()
    variance, share = float((deviations**2).mean()), float((sizes**2).sum()) / rows**2
    estimate = 1.0
    if variance > 0 and share < 1:
        products = (sum_by_cluster(deviations, clusters) ** 2).sum() / (1 - share) - rows * variance
        estimate = min(max(float(products / (variance * pairs.sum())), 0.0), 1.0)
    rares = np.bincount(clusters[rare], minlength=len(sizes))
    either = pairs[rares > 0].sum(), pairs[rares < sizes].sum()
    weight = float(min(either) * pairs.sum() / (pairs**2).sum())  # number of clusters, if all have as many rows
    return (weight * estimate + 1) / (weight + 1)


def effective_rows(values: NDArray[Any], clusters: Ints, rare: NDArray[np.bool_], confidence: float) -> float:
    """Return the number of independent rows whose mean value is as certain as that of these; arguments (rows,).

    It is the number of rows divided by the `design_effect` of their `correlation`, times `few_clusters`.
    """
    sizes = np.bincount(clusters)
    effect = design_effect(len(values), float((sizes**2).sum()), correlation(values, clusters, rare, sizes))
    return len(values) / effect * few_clusters(int(np.count_nonzero(sizes)), confidence)


def design_effect(rows: float, squares: float, correlated: float) -> float:
    """Return by how much a correlation within clusters raises the variance of a mean over rows.

    `squares` is the sum of the squared sizes of their clusters: Kish (1965), Survey Sampling, 5.4.
    """
    return 1 + correlated * (squares / rows - 1)


def few_clusters(count: int, confidence: float) -> float:
    """Return (normal quantile / quantile of Student's t with `count` - 1 degrees of freedom)^2.

    Effective rows are multiplied by it: Korn & Graubard (1998), Survey Methodology 24:193-201.
    """
    quantile = (1 + confidence) / 2
    return float((normal_quantile(quantile) / scipy.special.stdtrit(max(count - 1, 1), quantile)) ** 2)


def sum_by_cluster(values: NDArray[Any], clusters: NDArray[np.int64]) -> Floats:
    """Return the sum of the values (rows,) in each cluster."""
    return np.bincount(clusters, values).astype(np.float64, copy=False)


def sign_flip(sums: Floats) -> float:
    """Return the two-sided p-value that either of two models is equally likely to be right, from differences.

    `sums` (clusters,) are the rows that only the first model decides correctly minus those that only the second does.
    If the models are alike, either sign of each sum is equally likely. The distribution of their total over all signs
    is exact up to `EXACT_SUM`, then normal: Obuchowski (1998), Stat. Med. 17:1495-1507. If no sum exceeds 1, it is
    McNemar's exact test.
    """
    sizes = np.abs(sums[sums != 0]).round().astype(np.int64)
    total, reach = abs(round(float(sums.sum()))), int(sizes.sum())
    if not total:
        return 1.0
    if reach > EXACT_SUM:
        return float(scipy.special.erfc(total / math.sqrt(2 * float((sizes.astype(np.float64) ** 2).sum()))))
    gammaln = scipy.special.gammaln
    chances = np.ones(1)  # of each sum of the sizes with a plus
    for size, number in zip(*np.unique(sizes, return_counts=True), strict=True):
        pluses = np.arange(number + 1)
        steps = np.zeros(size * number + 1)
        steps[::size] = np.exp(
            gammaln(number + 1) - gammaln(pluses + 1) - gammaln(number - pluses + 1) - number * math.log(2)
        )
        chances = np.convolve(chances, steps)
    totals = np.abs(2 * np.arange(reach + 1) - reach)
    return min(float(chances[totals >= total].sum()), 1.0)
