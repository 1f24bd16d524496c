"""Texts of no class: scores of a text that are low if it belongs to none of the classes."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.dataset import Dataset
from textclf.artifacts.layers import LayerModel
from textclf.core.files import reading, write_npy

ENERGY, DISTANCE = "energy", "distance"
# Beside the other files of a model on dense features, if there are texts of no class.
MEANS = "model.means.npy"

Floats = NDArray[np.float64]


def scores_of(model: Any, means: Floats | None, X: Any) -> dict[str, Floats]:
    """Return the scores of rows of features (rows,) by name.

    The probability of the decided class is not among them. `ENERGY`, only for a `LayerModel`: minus
    the energy of Liu et al. (2020), NeurIPS 33:21464-21475. `DISTANCE`, if there are `means`
    (classes, features): minus the Euclidean distance to the nearest one; on sentence vectors it
    finds more than the Mahalanobis distance of Lee et al. (2018), NeurIPS 31:7167-7177.
    """
    scores = {ENERGY: model.log_sum(X)} if isinstance(model, LayerModel) else {}
    if means is not None:
        rows = X.astype(np.float64)
        squares = (rows**2).sum(axis=1)[:, None] - 2 * rows @ means.T + (means**2).sum(axis=1)
        scores[DISTANCE] = -np.sqrt(np.maximum(squares.min(axis=1), 0))
    return scores


def fit_means(train: Dataset) -> Floats | None:
    """Return the mean of the training rows of each class (classes, features).

    None unless their features are dense.
    """
    sums = None
    for rows in train.batches():
        if not isinstance(rows.X, np.ndarray):
            return None
        sums = np.zeros((len(train.classes), rows.X.shape[1])) if sums is None else sums
        np.add.at(sums, rows.y, rows.X.astype(np.float64))
    return None if sums is None else sums / train.counts[:, None]


def write_means(means: Floats, folder: Path) -> None:
    """Write the means into the folder of a model."""
    with (folder / MEANS).open("wb") as file:
        write_npy(file, means)


def read_means(folder: Path) -> Floats | None:
    """Return the means in the folder of a model; None without any, `UserError` if damaged."""
    path = folder / MEANS
    if not path.exists():
        return None
    with reading(path):
        return np.asarray(np.load(path, allow_pickle=False))
