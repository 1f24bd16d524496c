"""Sums over the test rows of each slice, and how many of them are of the same cluster, such as copies of one text."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.evaluate.clusters import LIMIT, design_effect, few_clusters
from textclf.evaluate.metrics import FROM_COUNTS, LOSSES
from textclf.evaluate.slices.membership import Membership

MOST_CLASSES = 100  # with a metric of confusion counts, which are kept per slice

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Repeats:
    """The clusters of the rows of a split: `clusters` (rows,) are their positions, `count` is their number.

    `rows` are the positions of the rows that share a cluster with another one, `sizes` the rows of their clusters.
    """

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        """Take the keys of the clusters (rows,), equal for the rows of one cluster."""
        _, clusters, counts = np.unique(keys, return_inverse=True, return_counts=True)
        self.clusters, self.count = clusters.astype(np.int64), len(counts)
        self.rows = np.flatnonzero(counts[clusters] > 1)  # most rows are in no cluster with another one
        self.sizes = counts[clusters[self.rows]].astype(np.int64)


class Squares(NamedTuple):
    """Sums over the clusters, for each slice (slices + 1,); place 0 is of the rows in no slice.

    `rows` is the number of rows in the slice, `inside` the sum of their squared numbers per cluster, `outside` that of
    the other rows, and `across` the sum of the products of both numbers.
    """

    rows: Ints
    inside: Ints
    outside: Ints
    across: Ints

    def dependent(self, place: int) -> bool:
        """Return whether the rows in a slice, or all other rows, are not independent.

        As in `clusters.are_dependent`: repeats that are few in a split may be most rows of a slice.
        """
        rows = self.rows[place]
        return bool(self.inside[place] > LIMIT * rows or self.outside[place] > LIMIT * (self.rows.sum() - rows))


def sum_squares(codes: Ints, slices: int, repeats: Repeats) -> Squares:
    """Return the sums of each slice; `codes` (rows,) are the positions of the slices from 1, 0 for rows in none."""
    sizes = np.bincount(codes, minlength=slices + 1)
    own = codes[repeats.rows]
    pairs, counts = np.unique(own * len(codes) + repeats.clusters[repeats.rows], return_counts=True)
    inside = sizes + np.bincount(pairs // max(len(codes), 1), counts * (counts - 1), minlength=slices + 1).astype(int)
    everything = len(codes) + int((repeats.sizes - 1).sum())
    # times all rows of a cluster
    of_all = sizes + np.bincount(own, repeats.sizes - 1, minlength=slices + 1).astype(int)
    return Squares(sizes, inside, everything - 2 * of_all + inside, of_all - inside)


class Worth(NamedTuple):
    """How many independent rows a row is worth: for the mean of a slice, and for its difference from the other rows."""

    mean: float
    difference: float


def worth(squares: Squares, place: int, correlated: float, clusters: int, confidence: float) -> Worth:
    """Return what the rows of a slice are worth, from the correlation within clusters over all rows of the split.

    The variances are those of means over rows that have this correlation within clusters and none between: Rao & Scott
    (1992), Biometrics 48:577-585. A difference is more certain where a slice and the other rows share clusters, but no
    row is worth more than one.
    """
    rows, inside, outside, across = (int(sums[place]) for sums in squares)
    others = int(squares.rows.sum()) - rows
    few, effects = few_clusters(clusters, confidence), [design_effect(rows, inside, correlated)]
    effects.append(design_effect(others, outside, correlated))
    variance = effects[0] / rows + effects[1] / others - 2 * correlated * across / (rows * others)
    return Worth(few / effects[0], few * min((1 / rows + 1 / others) / max(variance, 1e-12), 1.0))


class SliceSums:
    """Sums over the slices of each family of the test rows.

    `repeats` are the clusters of the rows, `squares` by family the sums over the clusters of each slice. Place 0 of the
    first axis is of the rows in none of the slices, here and in every sum.
    """

    def __init__(
        self,
        membership: Membership,
        classes: Sequence[str],
        metric: str | None = None,
        keys: NDArray[np.uint64] | None = None,
    ) -> None:
        """Take the keys of the clusters of the rows (rows,), None if all rows are independent.

        Raises `UserError` if there are too many classes for the metric.
        """
        if metric in FROM_COUNTS and len(classes) > MOST_CLASSES:
            raise UserError(
                f"params.yaml: evaluate.slice_metric must be null or one of {', '.join(LOSSES)} with more than "
                f"{MOST_CLASSES} classes; got {metric} and {len(classes):,} classes"
            )
        self.membership, self.metric = membership, metric
        self.repeats = Repeats(np.arange(membership.rows, dtype=np.uint64) if keys is None else keys)
        self.squares = [
            sum_squares(family.codes.astype(np.int64) + 1, len(family.values), self.repeats)
            for family in membership.families
        ]

    def total(self, place: int, values: NDArray[Any]) -> Floats:
        """Return the sums of values (rows,) over the rows of the slices of a family, (slices + 1,)."""
        return self._sum(place, np.zeros(len(values), np.int64), 1, values)[:, 0]

    def confusion(
        self, place: int, y: NDArray[np.int64], decided: NDArray[np.int64], classes: int
    ) -> NDArray[np.int64]:
        """Return the rows of the slices of a family as `metrics.confusion_matrix`, (slices + 1, classes, columns)."""
        columns = classes + int((decided < 0).any())
        counts = self._sum(place, columns * y + decided % columns, classes * columns, np.ones(len(y)))
        return counts.astype(np.int64).reshape(-1, classes, columns)

    def _sum(self, place: int, columns: NDArray[np.int64], count: int, values: NDArray[Any]) -> Floats:
        family = self.membership.families[place]
        slices = len(family.values) + 1
        cells = (family.codes.astype(np.int64) + 1) * count + columns
        return np.bincount(cells, values, minlength=slices * count).astype(np.float64).reshape(slices, count)
