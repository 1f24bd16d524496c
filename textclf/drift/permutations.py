"""Permutation tests that reference and new texts are exchangeable, with repeated texts taken into account.

The copies of a text on both sides, such as (2, 0) or (1, 1), are exchanged among the texts with as many copies in all.
This is exact if each row is drawn independently, and if all copies of a text belong to one side together. Clusters of
texts of one group are exchanged as a whole, among those of as many texts: exact if groups are drawn independently.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from textclf.drift.features import Floats
from textclf.drift.pool import Pool

CELLS = 2**19  # texts times permutations in memory at a time
TOLERANCE = 1e-9  # statistics that differ less are equal


def permutations(pool: Pool, count: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield places of texts in chunks (texts, permutations): first the identity, then `count` random permutations."""
    generator = np.random.default_rng(seed)
    _, starts, sizes = np.unique(pool.clusters, return_index=True, return_counts=True)
    kinds = np.column_stack([sizes, pool.copies[starts]])
    strata = [(starts[(kinds == kind).all(axis=1)], np.arange(kind[0])) for kind in np.unique(kinds, axis=0)]
    strata = [(firsts, offsets) for firsts, offsets in strata if len(firsts) > 1]
    step = max(1, CELLS // max(1, len(pool.texts)))
    identity = np.arange(len(pool.texts))[:, None]
    for start in range(0, count + 1, step):
        chunk = np.repeat(identity, min(step, count + 1 - start), axis=1)
        for firsts, offsets in strata:
            moved = generator.permuted(chunk[firsts], axis=0)
            chunk[(firsts[:, None] + offsets).ravel()] = (moved[:, None] + offsets[:, None]).reshape(-1, chunk.shape[1])
        if start == 0:
            chunk[:, :1] = identity
        yield chunk


def upper_p(statistics: Floats) -> float:
    """Return the one-sided p-value of the first of the statistics (permutations + 1,): large values are significant.

    (b + 1) / (m + 1) with b of m random permutations at least as large, which is never too small: Phipson & Smyth
    (2010), Stat. Appl. Genet. Mol. Biol. 9:39, doi:10.2202/1544-6115.1585.
    """
    return float(np.mean(statistics >= statistics[0] - TOLERANCE))


def deviations(statistics: Floats) -> Floats:
    """Return how far each statistic is from the mean over all permutations, the observed one among them: exact."""
    distances: Floats = np.abs(statistics - statistics.mean(axis=0))
    return distances


def max_t(statistics: Floats, largest: Floats) -> Floats:
    """Return the p-value of each of several standardised statistics, corrected for all of them.

    `largest` (permutations + 1,) is the largest one of each permutation: the single-step maxT method of Westfall &
    Young (1993), Resampling-Based Multiple Testing, chapter 2.
    """
    larger = len(largest) - np.searchsorted(np.sort(largest), statistics - TOLERANCE)
    return larger / len(largest)  # not 1 minus a share, which can be just above alpha


def differences(pool: Pool, parts: Floats, wholes: Floats, count: int, seed: int) -> Floats:
    """Return sum(parts) / sum(wholes) over new texts minus that over reference texts, (permutations + 1, columns).

    `parts` (texts, columns), `wholes` (texts,). A text that both sides have counts on both.
    """
    found = []
    for chunk in permutations(pool, count, seed):
        sides = [(side > 0).astype(np.float64)[chunk].T for side in (pool.new, pool.reference)]
        new, reference = ((side @ parts) / np.maximum(side @ wholes, 1)[:, None] for side in sides)
        found.append(new - reference)
    return np.concatenate(found)


def distances(pool: Pool, values: Floats, count: int, seed: int) -> Floats:
    """Return the Kolmogorov-Smirnov statistics of new and reference texts, (permutations + 1, columns).

    `values` (texts, columns). A text that both sides have counts on both.
    """
    orders = np.argsort(values, axis=0, kind="stable")
    ends = np.diff(np.take_along_axis(values, orders, axis=0), axis=0, append=np.inf) > TOLERANCE  # of equal values
    new, reference = ((side > 0) / (side > 0).sum() for side in (pool.new, pool.reference))
    found = []
    for chunk in permutations(pool, count, seed):
        steps = (new - reference)[chunk]
        columns = [np.cumsum(steps[order], axis=0)[end] for order, end in zip(orders.T, ends.T, strict=True)]
        found.append(np.column_stack([np.abs(column).max(axis=0) for column in columns]))
    return np.concatenate(found)
