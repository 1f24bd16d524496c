"""Sums over the test rows of each slice."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.evaluate.metrics import FROM_COUNTS, ROW_MEANS
from textclf.evaluate.slices.dependence import Repeats, sum_squares
from textclf.evaluate.slices.membership import Membership

MOST_CLASSES = 100  # with a metric of confusion counts, which are kept per slice

Floats = NDArray[np.float64]


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
                f"params.yaml: evaluate.slice_metric must be null or one of {', '.join(ROW_MEANS)} with more than "
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
        """Return the rows of the slices of a family by actual and decided class, (slices + 1, classes, classes)."""
        counts = self._sum(place, classes * y + decided, classes**2, np.ones(len(y)))
        return counts.astype(np.int64).reshape(-1, classes, classes)

    def _sum(self, place: int, columns: NDArray[np.int64], count: int, values: NDArray[Any]) -> Floats:
        family = self.membership.families[place]
        slices = len(family.values) + 1
        cells = (family.codes.astype(np.int64) + 1) * count + columns
        return np.bincount(cells, values, minlength=slices * count).astype(np.float64).reshape(slices, count)
