"""Sums over the test rows of each slice, and clusters of these rows, such as copies of a text."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.evaluate.clusters import FEW, LIMIT, TINY, cr2
from textclf.evaluate.intervals import degrees_correction
from textclf.evaluate.settings import OF_COUNTS, OF_SUMS
from textclf.evaluate.slices.membership import Membership

# With more classes, slices have no metric of confusion counts, which are kept per slice.
MOST_CLASSES = 100

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Repeats:
    """The rows of a split that share a cluster with another one.

    `rows` are their positions, `places` (rows,) those of their clusters, `sizes` (clusters,) the
    numbers of rows of these.
    """

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        """Take the keys of the clusters (rows,), equal for the rows of one cluster."""
        _, clusters, counts = np.unique(keys, return_inverse=True, return_counts=True)
        repeated = counts > 1
        self.rows, self.sizes = np.flatnonzero(repeated[clusters]), counts[repeated]
        self.places = (np.cumsum(repeated) - 1)[clusters[self.rows]]

    def members(self, codes: NDArray[np.integer[Any]], slices: int) -> list[Ints]:
        """Return which repeated rows are in each slice.

        `codes` (rows,) are the positions of the slices of the rows, -1 for none.
        """
        own = codes[self.rows] + 1
        order = np.argsort(own, kind="stable")
        ends = np.cumsum(np.bincount(own, minlength=slices + 1))
        return np.split(order, ends)[1:-1]

    def count(self, members: Ints, weights: NDArray[Any] | None = None) -> Floats:
        """Return how many of some repeated rows are in each cluster, (clusters,).

        With `weights`, the sum of these.
        """
        counts = np.bincount(self.places[members], weights, minlength=len(self.sizes))
        return counts.astype(np.float64, copy=False)

    def are_dependent(self, members: Ints, rows: float, everything: int) -> bool:
        """Return whether the rows of a slice, or all others of `everything`, are not independent.

        As `clusters.are_dependent`: repeats that are few in a split may be most rows of a slice.
        """
        sizes = self.count(members)
        inside, outside = (sizes, rows), (self.sizes - sizes, everything - rows)
        return any(
            (part * (part - 1)).sum() > (LIMIT - 1) * number for part, number in (inside, outside)
        )


class Worth(NamedTuple):
    """How many independent rows a row is worth: for the accuracy of a slice, and its difference.

    The latter, from the other rows, is worth less by `degrees_correction` at the level of each
    test, with its `degrees` of freedom.
    """

    mean: float = 1.0
    difference: float = 1.0
    degrees: float = math.inf


class Correct:
    """The rows that a model decides correctly, in all and by the clusters of repeated rows."""

    def __init__(self, repeats: Repeats, correct: NDArray[np.bool_]) -> None:
        """Count the rows that are `correct` (rows,)."""
        self._repeats = repeats
        self._all, self._hits = len(correct), int(correct.sum())
        self._right = correct[repeats.rows].astype(np.float64)
        self._by_cluster = np.bincount(repeats.places, self._right)
        self._correlation = correlation(repeats.sizes, self._by_cluster, self._all, self._hits)

    def worth(self, members: Ints, rows: float, hits: float, confidence: float) -> Worth:
        """Return what the rows of a slice are worth.

        Of them `hits` are correct, and `members` are repeated rows. The variances are those of
        `cr2`; that of a difference is smaller where a slice and the others share clusters. With few
        clusters with a mistake, or without one, the rows of a cluster have the `correlation` of
        those of all clusters: Kish (1965), Survey Sampling, 5.4.
        """
        repeats = self._repeats
        # In the slice and outside, (2,), and by cluster, (2, clusters).
        of_rows, of_hits, sizes, rights = (
            np.stack([own, everything - own])
            for own, everything in (
                (rows, self._all),
                (hits, self._hits),
                (repeats.count(members), repeats.sizes),
                (repeats.count(members, self._right[members]), self._by_cluster),
            )
        )
        # Four clusters more stand for all others, of one row: in the slice a right and a wrong one,
        # and outside.
        alone_right = of_hits - rights.sum(axis=1)
        alone_wrong = of_rows - sizes.sum(axis=1) - alone_right
        alone = np.stack([alone_right, alone_wrong], axis=1)
        times = np.append(np.ones(len(repeats.sizes)), alone)
        sizes = np.append(sizes, [[1, 1, 0, 0], [0, 0, 1, 1]], axis=1)
        rights = np.append(rights, [[1, 0, 0, 0], [0, 0, 1, 0]], axis=1)
        shares, pairs = of_hits / of_rows, sizes**2 @ times - of_rows
        alike = of_rows**2 / (of_rows + self._correlation * pairs)
        few = np.minimum((rights > 0) @ times, (rights < sizes) @ times) < FEW
        sums = rights - shares[:, np.newaxis] * sizes
        own, degrees = alike[0], alike[0] - 1
        if not few[0]:
            variance, degrees = cr2(sums[:1], sizes[:1], times)
            own = min(shares[0] * (1 - shares[0]) / max(variance, TINY**2) + 1, of_rows[0])
        mean = own * float(degrees_correction(degrees, 1 - confidence)) / of_rows[0]
        if few.any():
            return Worth(mean, (1 / of_rows).sum() / (1 / own + 1 / alike[1]), degrees)
        weights = self._all / np.array([of_rows[0], -of_rows[1]])
        variance, degrees = cr2(sums * weights[:, np.newaxis], sizes, times)
        ratio = (shares * (1 - shares) / (of_rows - 1)).sum() / max(variance, TINY**2)
        return Worth(mean, min(ratio, 1), degrees)


def correlation(sizes: NDArray[Any], rights: NDArray[Any], rows: int, hits: int) -> float:
    """Return how alike the rows of a cluster are, from 0 to 1, by how many are right in each.

    `sizes` and `rights` (clusters,) are those of the clusters of several rows; `rows` and `hits`
    are the numbers of all rows and of the right ones. It is the mean product of the deviations of
    two rows of a cluster, over the variance of a row; 1 if fewer than `FEW` clusters have a
    mistake, or a right row. The squared sum of a cluster is that of `cr2`.
    """
    if min(np.count_nonzero(rights > 0), np.count_nonzero(rights < sizes)) < FEW:
        return 1.0
    share = hits / rows
    squares = (rights - share * sizes) ** 2 / (1 - sizes / rows)
    own = rights * (1 - share) ** 2 + (sizes - rights) * share**2
    products = (squares - own).sum() / (sizes * (sizes - 1)).sum()
    return float(np.clip(products / (share * (1 - share)), 0, 1))


class SliceSums:
    """Sums over the slices of each family of the test rows.

    `repeats` are the clusters of the rows. By family `rows` (slices + 1,) are the rows of each
    slice, and `dependent` (slices,) says whose rows, or others, are not independent. Place 0 of the
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
        if metric in OF_COUNTS and len(classes) > MOST_CLASSES:
            raise UserError(
                f"params.yaml: evaluate.slice_metric must be null or one of {', '.join(OF_SUMS)} "
                f"with more than {MOST_CLASSES} classes; "
                f"got {metric} and {len(classes):,} classes"
            )
        self.membership, self.metric = membership, metric
        if keys is None:
            keys = np.arange(membership.rows, dtype=np.uint64)
        self.repeats = Repeats(keys)
        self.rows: list[Floats] = []
        self.dependent: list[list[bool]] = []
        for place in range(len(membership.families)):
            rows = self.total(place, np.ones(membership.rows))
            slices = zip(self.members(place), rows[1:].tolist(), strict=True)
            self.rows.append(rows)
            self.dependent.append(
                [
                    self.repeats.are_dependent(members, number, membership.rows)
                    for members, number in slices
                ]
            )

    def members(self, place: int) -> list[Ints]:
        """Return which repeated rows are in each slice of a family, as `Repeats.members`."""
        family = self.membership.families[place]
        return self.repeats.members(family.codes, len(family.values))

    def total(self, place: int, values: NDArray[Any]) -> Floats:
        """Return the sums of values (rows,) over the slices of a family, (slices + 1,)."""
        return self._sum(place, np.zeros(len(values), np.int64), 1, values)[:, 0]

    def confusion(
        self, place: int, y: NDArray[np.int64], decided: NDArray[np.int64], classes: int
    ) -> NDArray[np.int64]:
        """Return the rows of the slices of a family as `confusion_matrix`.

        It is (slices + 1, classes, columns).
        """
        columns = classes + int((decided < 0).any())
        cells = columns * y + decided % columns
        counts = self._sum(place, cells, classes * columns, np.ones(len(y)))
        return counts.astype(np.int64).reshape(-1, classes, columns)

    def _sum(
        self, place: int, columns: NDArray[np.int64], count: int, values: NDArray[Any]
    ) -> Floats:
        family = self.membership.families[place]
        slices = len(family.values) + 1
        cells = (family.codes.astype(np.int64) + 1) * count + columns
        sums = np.bincount(cells, values, minlength=slices * count)
        return sums.astype(np.float64).reshape(slices, count)
