"""The effective number of rows that are not independent, such as those of one text or group."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.evaluate.intervals import degrees_correction

# Independent rows, or clusters, that are wrong, below which no variance is estimated.
FEW = 5
# The width of an interval that is a point, apart from rounding errors.
TINY = 1e-9
# Degrees of freedom beyond which Student's t is taken as normal.
MANY = 10_000
# The design effect of perfectly correlated clusters up to which rows count as independent.
LIMIT = 1.1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def are_dependent(sizes: NDArray[Any]) -> bool:
    """Return whether the rows of clusters of these sizes cannot be taken as independent.

    They can if the design effect, rows / `effective_sample_size`, is at most `LIMIT`. Where no text
    occurs more than twice, `LIMIT` is reached if 5% of the rows repeat another one.
    """
    return len(sizes) > 0 and int(sizes.sum()) > LIMIT * effective_sample_size(sizes)


def effective_sample_size(sizes: NDArray[Any], times: NDArray[Any] | float = 1.0) -> float:
    """Return the effective number of rows in clusters of these sizes whose rows are all alike.

    The rows of a cluster are right or wrong together. It is n^2 / sum(m^2) for clusters of m of n
    rows: Kish (1965), Survey Sampling, 5.4. `times` is as for `cr2`.
    """
    sizes = sizes.astype(np.float64)
    return float((sizes * times).sum() ** 2 / (sizes @ (sizes * times)))


def cr2(sums: Floats, sizes: Floats, times: Floats | None = None) -> tuple[float, float]:
    """Return the variance of a mean over the rows of clusters, and its degrees of freedom.

    `sums` (strata, clusters) are those of the deviations of the rows from the means of their
    strata, `sizes` (strata, clusters) the numbers of rows, at least two clusters of each stratum;
    `times` (clusters,) says how often there are such clusters, once by default. The variance is the
    sum over the clusters of the squares of their sums, divided by the root of 1 - m / n for m of
    the n rows of a stratum, over the square of all rows. The degrees of freedom are Satterthwaite's
    for rows of one variance: Bell & McCaffrey (2002), Survey Methodology 28:169-181; or those for
    the squares at hand if these are fewer. Beyond `MANY` they are approximated.
    """
    times = np.ones(sizes.shape[1]) if times is None else times
    counts = (sizes @ times)[:, np.newaxis]
    rows, of_clusters = counts.sum(), sizes.sum(axis=0)
    alike, roots = of_clusters**2 @ times, np.sqrt(1 - sizes / counts)
    squares = (sums / roots).sum(axis=0) ** 2
    variance = float(squares @ times / rows**2)
    if rows**2 > MANY * alike:  # t is normal
        return variance, float(rows**2 / alike)
    weights = sizes / roots
    within = (weights**2 / counts).sum(axis=0) ** 2
    between = ((weights * times @ weights.T) ** 2 / counts / counts.T).sum() - within @ times
    fourth = squares**2 @ times
    # The fourth moment of a normal sum is 3 times its squared variance.
    at_hand = 3 * (variance * rows**2) ** 2 / fourth if fourth else np.inf
    return variance, float(min(rows**2 / (alike + between), at_hand))


def variance_of_mean(values: Floats, strata: Ints) -> float:
    """Return the variance of the mean of independent values (rows,), as `cr2` of single rows.

    Only the variance within `strata` (rows,) counts, each of more than one row: Cochran (1977),
    Sampling Techniques, 5.3.
    """
    counts = np.maximum(np.bincount(strata), 1)
    deviations = values - (np.bincount(strata, values) / counts)[strata]
    within = np.bincount(strata, deviations**2) * counts / np.maximum(counts - 1, 1)
    return float(within.sum()) / len(values) ** 2


def independent_rows(
    values: NDArray[Any],
    clusters: Ints,
    rare: NDArray[np.bool_],
    copies: NDArray[Any] | None = None,
    times: NDArray[Any] | None = None,
) -> tuple[float, float]:
    """Return how many independent rows have as certain a mean, and its degrees of freedom.

    That is the number of rows whose mean would have this variance by `cr2`, at most that of these
    rows. With fewer than `FEW` clusters with a `rare` value, such as a mistake, or without one, no
    variance is estimated; the rows of a cluster then count `effective_sample_size`. `values`,
    `clusters` and `rare` are (rows,). `copies` (rows,) says how many rows of its cluster each row
    stands for, `times` (clusters,) how often there is such a cluster; both are one by default.
    """
    sizes = np.bincount(clusters, copies).astype(np.float64, copy=False)
    often = np.ones(len(sizes)) if times is None else times[: len(sizes)].astype(np.float64)
    of_rare = None if copies is None else copies[rare]
    rares = np.bincount(clusters[rare], of_rare, minlength=len(sizes))
    if min(often @ (rares > 0), often @ (rares < sizes)) < FEW:
        alike = effective_sample_size(sizes, often)
        return alike, alike - 1
    weights = None if copies is None else copies * often[clusters]
    deviations: Floats = values - np.average(values, weights=weights)
    of_copies = deviations if copies is None else deviations * copies
    sums = np.bincount(clusters, of_copies).astype(np.float64, copy=False)
    variance, degrees = cr2(sums[np.newaxis], sizes[np.newaxis], often)
    independent = rows = float(sizes @ often)
    if variance:
        spread = float(np.average(deviations**2, weights=weights))
        independent = min(spread / variance + 1, rows)
    return independent, degrees


def effective_rows(
    values: NDArray[Any],
    clusters: Ints,
    rare: NDArray[np.bool_],
    confidence: float,
    copies: NDArray[Any] | None = None,
    times: NDArray[Any] | None = None,
) -> float:
    """Return the `independent_rows`, after the `degrees_correction` at this level."""
    rows, degrees = independent_rows(values, clusters, rare, copies, times)
    return rows * float(degrees_correction(degrees, 1 - confidence))
