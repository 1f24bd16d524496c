"""The rows of a split, and what each model says of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Costs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """The rows of a split and what each model says of them.

    `y` (rows,) are the positions of the actual classes; `probabilities` (rows, classes) and `decided` (rows,) are by
    model. `clusters` (rows,) are the positions of the clusters of dependent rows, None if the rows are independent.
    `stratified` says whether the split fixed the shares of the classes; `costs` are those of `Decision`. A row that is
    decided as no class has -1.
    """

    y: Ints
    probabilities: Mapping[str, Floats]
    decided: Mapping[str, Ints]
    clusters: Ints | None
    stratified: bool
    classes: int
    costs: Costs | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    def wrong(self, model: str) -> NDArray[np.bool_]:
        """Return which rows a model decides wrongly, (rows,)."""
        wrong: NDArray[np.bool_] = self.decided[model] != self.y
        return wrong

    def independent(self, some: NDArray[np.bool_]) -> int:
        """Return the number of clusters that some rows (rows,) are in, or of these rows if all are independent."""
        return int(np.count_nonzero(some if self.clusters is None else np.bincount(self.clusters[some])))
