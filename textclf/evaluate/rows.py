"""The rows of a split, and what each model says of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Costs
from textclf.evaluate.metrics import Labels

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """The rows of a split and what each model says of them.

    `y` (rows,) are the positions of the actual classes; `probabilities` (rows, classes) and `decided` (rows,) are by
    model; a row that is decided as no class has -1. With several labels per text `y` and `decided` are (rows, labels),
    and the labels are the classes. `clusters` (rows,) are the positions of the clusters of dependent rows, None if the
    rows are independent. `stratified` says whether the split fixed the shares of the classes; `costs` are those of
    `Decision`.
    """

    y: Labels
    probabilities: Mapping[str, Floats]
    decided: Mapping[str, Labels]
    clusters: Ints | None
    stratified: bool
    classes: int
    costs: Costs | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    @property
    def multilabel(self) -> bool:
        """Return whether a row has a set of labels."""
        return self.y.ndim == 2

    @property
    def binary(self) -> bool:
        """Return whether a row is of one of two classes."""
        return self.classes == 2 and not self.multilabel

    @property
    def sides(self) -> int:
        """Return the number of classes of a decision; two with several labels per text, for each label."""
        return 2 if self.multilabel else self.classes

    def wrong(self, model: str) -> NDArray[np.bool_]:
        """Return which rows a model decides wrongly, (rows,); with several labels, all but exactly right sets."""
        wrong = self.decided[model] != self.y
        return np.asarray(wrong.any(axis=1) if self.multilabel else wrong)

    def is_actual(self, place: int) -> NDArray[np.bool_]:
        """Return which rows have the class or label at a place, (rows,)."""
        return self._is(self.y, place)

    def is_decided(self, model: str, place: int) -> NDArray[np.bool_]:
        """Return which rows a model decides as the class or label at a place, (rows,)."""
        return self._is(self.decided[model], place)

    def _is(self, labels: Labels, place: int) -> NDArray[np.bool_]:
        chosen: NDArray[np.bool_] = labels[:, place] == 1 if self.multilabel else labels == place
        return chosen

    def independent(self, some: NDArray[np.bool_]) -> int:
        """Return the number of clusters that some rows (rows,) are in, or of these rows if all are independent."""
        return int(np.count_nonzero(some if self.clusters is None else np.bincount(self.clusters[some])))

    def by_class(self, labels: Ints) -> Ints:
        """Return the number of clusters, or of independent rows, with each class (classes,); -1 is no class."""
        if self.clusters is not None:
            labels = np.unique(np.stack([labels, self.clusters]), axis=1)[0]
        return np.bincount(labels[labels >= 0], minlength=self.classes)
