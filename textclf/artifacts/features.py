"""The features of each split: npz files without pickles, the input of every model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from textclf.artifacts import shards
from textclf.artifacts.shards import Shards
from textclf.core.files import reading

SUFFIX = ".npz"


@dataclass(frozen=True)
class Features:
    """The rows of one split, or of one shard, as a model sees them.

    `ids`: (rows,) text. `X`: (rows, features), CSR with sorted indices and non-negative weights: int64 for counts and
    presence, float64 for tf-idf. `y`: (rows,) int64, the position of each row's label in `classes`. `classes`:
    (classes,) text, in order.
    """

    ids: NDArray[np.str_]
    X: csr_array
    y: NDArray[np.int64]
    classes: NDArray[np.str_]

    def take(self, rows: NDArray[Any]) -> "Features":
        """Return the rows of a mask or of positions, in their order."""
        return Features(self.ids[rows], self.X[rows], self.y[rows], self.classes)


def read(folder: Path) -> dict[str, Features]:
    """Return the features of each split, in the order of `SPLITS`; `UserError` if train or test is missing."""
    return {name: concatenate(list(pieces)) for name, pieces in open_shards(folder).items()}


def open_shards(folder: Path) -> dict[str, Shards[Features]]:
    """Return the shards of each split, in the order of `SPLITS`; `UserError` if train or test is missing."""
    return shards.open_splits(folder, SUFFIX, read_shard)


def read_shard(path: Path) -> Features:
    """Return the features of one shard; `UserError` if it is missing or damaged."""
    with reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        X = csr_array((stored["data"], stored["indices"], stored["indptr"]), shape=tuple(stored["shape"]))
        return Features(stored["ids"], X, stored["y"], stored["classes"])


def read_labels(path: Path) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return `classes` and `y` of one shard without reading the rest; `UserError` if it is missing or damaged."""
    with reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return stored["classes"], stored["y"]  # an array of an npz is read when it is named


def write(features: Features, path: Path) -> None:
    """Write features as npz: arrays named as in `Features`, with `X` as its parts data, indices, indptr and shape."""
    X = features.X
    with path.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            ids=features.ids,
            y=features.y,
            classes=features.classes,
            data=X.data,
            indices=X.indices,
            indptr=X.indptr,
            shape=np.array(X.shape, dtype=np.int64),
        )


def concatenate(pieces: Sequence[Features]) -> Features:
    """Return the rows of all pieces, at least one, as one piece."""
    if len(pieces) == 1:
        return pieces[0]
    X = csr_array(vstack([piece.X for piece in pieces], format="csr"))
    ids, y = (np.concatenate([getattr(piece, name) for piece in pieces]) for name in ("ids", "y"))
    return Features(ids, X, y, pieces[0].classes)


def shape(features: Features) -> dict[str, int]:
    """Return the numbers of rows, features (columns) and nonzeros."""
    rows, columns = features.X.shape
    return {"rows": rows, "features": columns, "nonzeros": features.X.nnz}
