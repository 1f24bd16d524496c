"""Sums over the test rows of each slice, and how many of them are of the same cluster, such as copies of one text."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.evaluate.clusters import LIMIT, few_degrees, independent_rows, is_rare, variance_of_mean
from textclf.evaluate.metrics import FROM_COUNTS, LOSSES
from textclf.evaluate.slices.membership import Membership

MOST_CLASSES = 100  # with a metric of confusion counts, which are kept per slice

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Repeats:
    """The clusters of the rows of a split: `clusters` (rows,) are their positions.

    `rows` are the positions of the rows that share a cluster with another one, which most rows do not; `places`
    (repeated rows,) are the positions of their clusters among those, and `sizes` the numbers of rows of these.
    """

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        """Take the keys of the clusters (rows,), equal for the rows of one cluster."""
        _, clusters, counts = np.unique(keys, return_inverse=True, return_counts=True)
        repeated = counts > 1
        self.clusters, self.rows = clusters.astype(np.int64), np.flatnonzero(repeated[clusters])
        self.places, self.sizes = (np.cumsum(repeated) - 1)[clusters[self.rows]], counts[repeated]

    def are_dependent(self, inside: NDArray[np.bool_]) -> bool:
        """Return whether the rows in a slice (rows,), or all other rows, are not independent.

        As `clusters.are_dependent`: repeats that are few in a split may be most rows of a slice.
        """
        sizes = np.bincount(self.places[inside[self.rows]], minlength=len(self.sizes))
        rows = int(np.count_nonzero(inside))
        return any(
            (part * (part - 1)).sum() > (LIMIT - 1) * number
            for part, number in ((sizes, rows), (self.sizes - sizes, len(inside) - rows))
        )


class Worth(NamedTuple):
    """How many independent rows a row is worth: for the accuracy of a slice, and its difference from the other rows."""

    mean: float = 1.0
    difference: float = 1.0


def worth(right: NDArray[np.bool_], inside: NDArray[np.bool_], clusters: Ints, confidence: float) -> Worth:
    """Return what dependent rows are worth; `inside` (rows,) are those of a slice.

    A difference is more certain where a slice and the other rows share clusters. With few clusters with a mistake, or
    without one, in either part, the rows of a cluster count as alike.
    """
    rows, parts = int(np.count_nonzero(inside)), [(right[some], clusters[some]) for some in (inside, ~inside)]
    own, others = (independent_rows(values, of, values) for values, of in parts)
    mean = own[0] / rows * few_degrees(own[1], confidence)
    if any(is_rare(of, values) for values, of in parts):
        return Worth(mean, min(mean, others[0] / (len(right) - rows)))
    influences = np.where(inside, right / rows, right / (rows - len(right)))
    variance, degrees = variance_of_mean(influences, clusters, inside.astype(np.int64))
    independent = variance_of_mean(influences, None, inside.astype(np.int64))[0]
    return Worth(mean, min(independent / variance, 1) * few_degrees(degrees, confidence))


class SliceSums:
    """Sums over the slices of each family of the test rows.

    `repeats` are the clusters of the rows. By family `rows` (slices + 1,) are the rows of each slice, and `dependent`
    (slices,) says whose rows, or others, are not independent. Place 0 of the first axis is of the rows in none of the
    slices, here and in every sum.
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
        self.rows = [self.total(place, np.ones(membership.rows)) for place in range(len(membership.families))]
        self.dependent = [
            [self.repeats.are_dependent(family.codes == place) for place in range(len(family.values))]
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
