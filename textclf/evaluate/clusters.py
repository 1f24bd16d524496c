"""Rows that are not independent of each other, such as those of one text or group: what they are worth."""

import math
from typing import Any

import numpy as np
import scipy  # which imports scipy.special when it is used
from numpy.typing import NDArray

from textclf.evaluate.boundary import FEW
from textclf.evaluate.intervals import normal_quantile

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


def variance_of_mean(values: Floats, clusters: Ints | None, strata: Ints | None = None) -> tuple[float, float]:
    """Return the variance of the mean of values (rows,), and the degrees of freedom of its estimate.

    Only the variance within `strata` (rows,) counts, if there are any: Cochran (1977), Sampling Techniques, 5.3. It is
    CR2 over the clusters (rows,): over n^2 the sum of the squares of the clusters' summed deviations, divided by the
    root of 1 - m / n for m of the n rows of a stratum. The degrees of freedom are Satterthwaite's for rows of one
    variance: Bell & McCaffrey (2002), Survey Methodology 28:169-181; or those for the squares at hand if these are
    fewer, since a few large clusters may have most of the variance. Each stratum has rows of at least two clusters. Of
    independent rows, clusters of one row, they are s^2 / n and n - 1, as in a t test.
    """
    rows, strata = len(values), np.zeros(len(values), np.int64) if strata is None else strata
    counts = np.maximum(np.bincount(strata), 1)
    deviations = values - (np.bincount(strata, values) / counts)[strata]
    if clusters is None:
        return float((deviations**2 * (counts / np.maximum(counts - 1, 1))[strata]).sum()) / rows**2, rows - 1.0
    cells = clusters * len(counts) + strata
    sizes = np.bincount(cells, minlength=(int(clusters.max()) + 1) * len(counts)).reshape(-1, len(counts))
    kept = 1 - sizes / counts
    sums = np.bincount(cells, deviations, minlength=sizes.size).reshape(sizes.shape)
    squares, weights = (sums / np.sqrt(kept)).sum(axis=1) ** 2, sizes / np.sqrt(kept * counts)
    between = ((weights.T @ weights) ** 2).sum() - ((weights**2).sum(axis=1) ** 2).sum()
    degrees = rows**2 / ((sizes.sum(axis=1) ** 2).sum() + between)
    total, fourth = float(squares.sum()), float((squares**2).sum())
    # The fourth moment of a normal sum is 3 times its squared variance.
    return total / rows**2, min(float(degrees), 3 * total**2 / fourth if fourth else math.inf)


def independent_rows(values: NDArray[Any], clusters: Ints, rare: NDArray[np.bool_]) -> tuple[float, float]:
    """Return how many independent rows have as certain a mean value as these, and the degrees of freedom of that.

    That is the number of rows whose mean would have this `variance_of_mean`, at most that of these rows. With few
    clusters with a `rare` value, as `is_rare` has it, no variance is estimated; the rows of a cluster then count as
    alike: n^2 / sum(m^2) for clusters of m of n rows, Kish (1965), Survey Sampling, 5.4. All arguments are (rows,).
    """
    if is_rare(clusters, rare):
        worth = len(values) ** 2 / float((np.bincount(clusters).astype(np.float64) ** 2).sum())
        return worth, worth - 1
    variance, degrees = variance_of_mean(values, clusters)
    return min(float(values.var()) / variance + 1, len(values)) if variance else float(len(values)), degrees


def is_rare(clusters: Ints, rare: NDArray[np.bool_]) -> bool:
    """Return whether fewer than `FEW` clusters have a `rare` value, such as a mistake, or another; both (rows,)."""
    sizes = np.bincount(clusters)
    rares = np.bincount(clusters[rare], minlength=len(sizes))
    return bool(min(np.count_nonzero(rares), np.count_nonzero(rares < sizes)) < FEW)


def effective_rows(values: NDArray[Any], clusters: Ints, rare: NDArray[np.bool_], confidence: float) -> float:
    """Return `independent_rows` times (normal quantile / Student's t)^2: Korn & Graubard (1998), Surv. Methodol. 24."""
    worth, degrees = independent_rows(values, clusters, rare)
    return worth * few_degrees(degrees, confidence)


def few_degrees(degrees: float, confidence: float) -> float:
    """Return (normal quantile / quantile of Student's t with so many degrees of freedom, or 1 if these are fewer)^2."""
    quantile = (1 + confidence) / 2
    return float((normal_quantile(quantile) / scipy.special.stdtrit(max(degrees, 1), quantile)) ** 2)


def sum_by_cluster(values: NDArray[Any], clusters: NDArray[np.int64]) -> Floats:
    """Return the sum of the values (rows,) in each cluster."""
    return np.bincount(clusters, values).astype(np.float64, copy=False)
