"""Sums over the rows of each slice for every model, which grow batch by batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.core.errors import UserError
from textclf.evaluate.clusters import group_rows
from textclf.evaluate.metrics import FROM_COUNTS, ROW_MEANS
from textclf.evaluate.slices.dependence import Repeats, find_dependence
from textclf.evaluate.slices.membership import Membership

MOST_CLASSES = 100  # with a metric of confusion counts, which are kept per slice

Floats = NDArray[np.float64]


@dataclass
class ModelSums:
    """Sums of one model over the slices of each family; place 0 of the first axis is of the rows in none of them.

    `right` (slices + 1, groups): right rows by group of dependent rows. With a metric: `confusion`
    (slices + 1, classes, classes) by actual and decided class, or `losses` (slices + 1, groups) and their `squares`
    (slices + 1,). `decided` (classes,) are all rows by decided class.
    """

    decided: NDArray[np.int64]
    right: list[NDArray[np.int32]]
    confusion: list[NDArray[np.int64]] = field(default_factory=list)
    losses: list[Floats] = field(default_factory=list)
    squares: list[Floats] = field(default_factory=list)


class SliceSums:
    """Sums over the slices of the test rows, for all models; independent rows are all in one group."""

    def __init__(
        self,
        membership: Membership,
        classes: Sequence[str],
        metric: str | None = None,
        keys: NDArray[np.uint64] | None = None,
    ) -> None:
        """Start without rows; `keys` (rows,) are those of their clusters, None if all rows are independent.

        `dependence` says by family which slices have dependent rows.

        Raises `UserError` if there are too many classes for the metric.
        """
        if metric in FROM_COUNTS and len(classes) > MOST_CLASSES:
            raise UserError(
                f"params.yaml: evaluate.slice_metric must be null or one of {', '.join(ROW_MEANS)} with more than "
                f"{MOST_CLASSES} classes; got {metric} and {len(classes):,} classes"
            )
        self.membership, self.classes, self.metric = membership, classes, metric
        repeats = Repeats(np.zeros(0, np.uint64) if keys is None else keys)
        self.dependence = [
            find_dependence(family.codes.astype(np.int64) + 1, len(family.values), repeats)
            for family in membership.families
        ]
        dependent = any(part.any() for found in self.dependence for part in found)
        independent = np.zeros(membership.rows, np.int64)
        self.groups = group_rows(keys) if dependent and keys is not None else independent
        self.size = int(self.groups.max(initial=0)) + 1
        self.models: dict[str, ModelSums] = {}
        self._added = 0
        self.rows = [
            self._count_cells(place, self._cells(place, slice(None))) for place in range(len(membership.families))
        ]

    def add(self, models: Mapping[str, Predictions], decisions: Mapping[str, Decision]) -> None:
        """Add the next test rows, the same ones of each model."""
        y = next(iter(models.values())).y
        part = slice(self._added, self._added + len(y))
        self._added += len(y)
        cells = [self._cells(place, part) for place in range(len(self.membership.families))]
        for name, rows in models.items():
            calibrated = decisions[name].calibrate(rows.probabilities)
            decided = decisions[name].decide(calibrated)
            sums = self.models.setdefault(name, self._empty())
            sums.decided += np.bincount(decided, minlength=len(self.classes))
            right = decided == y
            losses = ROW_MEANS[self.metric](y, calibrated) if self.metric in ROW_MEANS else None
            for place, cell in enumerate(cells):
                sums.right[place] += self._count_cells(place, cell[right])
                if losses is not None:
                    sums.losses[place] += self._by_cell(place, cell, losses)
                    sums.squares[place] += self._by_cell(place, cell, losses**2).sum(axis=1)
                elif self.metric is not None:
                    matrices = sums.confusion[place]
                    kinds = (cell // self.size * matrices.shape[1] + y) * matrices.shape[1] + decided
                    matrices += np.bincount(kinds, minlength=matrices.size).reshape(matrices.shape)

    def _empty(self) -> ModelSums:
        right = [np.zeros(rows.shape, np.int32) for rows in self.rows]
        sums = ModelSums(np.zeros(len(self.classes), np.int64), right)
        if self.metric in ROW_MEANS:
            sums.losses = [np.zeros(rows.shape) for rows in self.rows]
            sums.squares = [np.zeros(len(rows)) for rows in self.rows]
        elif self.metric is not None:
            shape = len(self.classes), len(self.classes)
            sums.confusion = [np.zeros((len(rows), *shape), np.int64) for rows in self.rows]
        return sums

    def _cells(self, place: int, part: slice) -> NDArray[np.int64]:
        """Return for some rows the slice of a family, counted from 1, times the number of groups, plus the group."""
        codes = self.membership.families[place].codes[part].astype(np.int64) + 1
        return codes * self.size + self.groups[part]

    def _count(self, place: int) -> int:
        return (len(self.membership.families[place].values) + 1) * self.size

    def _count_cells(self, place: int, cells: NDArray[np.int64]) -> NDArray[np.int32]:
        return np.bincount(cells, minlength=self._count(place)).astype(np.int32).reshape(-1, self.size)

    def _by_cell(self, place: int, cells: NDArray[np.int64], values: Floats) -> Floats:
        sums = np.bincount(cells, values, minlength=self._count(place)).astype(np.float64, copy=False)
        return sums.reshape(-1, self.size)
