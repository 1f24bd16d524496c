"""Which slices have rows that are not independent, such as copies of one text."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.evaluate.clusters import LIMIT


class Repeats:
    """The clusters of the rows of a split: how often the cluster of a row occurs."""

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        """Take the keys of the clusters (rows,), equal for the rows of one cluster."""
        _, clusters, counts = np.unique(keys, return_inverse=True, return_counts=True)
        self.rows = np.flatnonzero(counts[clusters] > 1)  # most rows are in no cluster with another one
        self.clusters = clusters[self.rows].astype(np.int64)
        self.counts = counts[self.clusters].astype(np.int64)


class Dependence(NamedTuple):
    """Whether the rows of each slice (slices + 1,) are dependent, and whether all rows that are not in it are.

    Place 0 is of the rows in no slice.
    """

    inside: NDArray[np.bool_]
    outside: NDArray[np.bool_]


def find_dependence(codes: NDArray[np.int64], slices: int, repeats: Repeats) -> Dependence:
    """Return which slices have dependent rows; `codes` (rows,) are their positions, from 1, 0 for rows in none.

    Rows are dependent if the design effect of perfectly correlated clusters, counted within these rows, is more than
    `clusters.LIMIT`: repeats that are few in a split may be most rows of a slice.
    """
    sizes = np.bincount(codes, minlength=slices + 1)
    own = codes[repeats.rows]
    pairs, counts = np.unique(own * len(codes) + repeats.clusters, return_counts=True)
    inside = sizes + np.bincount(pairs // max(len(codes), 1), counts * (counts - 1), minlength=slices + 1)
    # The sum over clusters of (all rows - rows inside)^2
    everything = len(codes) + (repeats.counts - 1).sum()
    across = sizes + np.bincount(own, repeats.counts - 1, minlength=slices + 1)
    outside = everything - 2 * across + inside
    return Dependence(inside > LIMIT * sizes, outside > LIMIT * (len(codes) - sizes))
