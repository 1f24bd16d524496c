"""The features of each split: npz files without pickles, the input of every model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import scipy  # which imports scipy.sparse when it is used
from numpy.typing import NDArray

from textclf.artifacts import shards, tokens
from textclf.artifacts.shards import Shards
from textclf.artifacts.tokens import Tokens
from textclf.core.files import reading, write_npz

SUFFIX = ".npz"
# Beside the features, if the representation has pretrained vectors of its tokens.
VECTORS = "vectors.npy"
# Beside them, npz of another ending: it is in no split, and the manifest covers it.
CLASS_TEXTS = "class_texts.rows"
SPARSE, DENSE, TOKENS = ("sparse", "dense", "tokens")

Dense = NDArray[np.float32]
Sparse: TypeAlias = "scipy.sparse.csr_array"
Matrix: TypeAlias = "Sparse | Dense | Tokens"


@dataclass(frozen=True)
class Features:
    """The rows of one split, or of one shard, as a model sees them.

    `X` is a `Matrix`. Sparse: CSR with sorted indices and non-negative weights, int64 for counts
    and presence, float64 for tf-idf and for sparse and dense features side by side.
    """

    ids: NDArray[np.str_]
    X: Any  # each model knows of which kinds its own may be
    # (rows,) int64, positions in `classes`, -1 for no class; or of labels (rows, classes) int8, 0
    # or 1.
    y: NDArray[Any]
    classes: NDArray[np.str_]
    # (rows, classes), the probabilities to fit; None: `y` alone.
    targets: NDArray[np.float64] | None = None

    @property
    def multilabel(self) -> bool:
        """Return whether a row has a set of labels."""
        return self.y.ndim == 2

    def take(self, rows: NDArray[Any]) -> "Features":
        """Return the rows of a mask or of positions, in their order."""
        targets = None if self.targets is None else self.targets[rows]
        return Features(self.ids[rows], self.X[rows], self.y[rows], self.classes, targets)

    def probabilities(self) -> NDArray[np.float64]:
        """Return the targets; without them 1 for the class or each label of a row, 0 for others."""
        if self.targets is not None:
            return self.targets
        return self.y.astype(np.float64) if self.multilabel else np.eye(len(self.classes))[self.y]


def kind_of(X: Matrix) -> str:
    """Return the kind of features: sparse, dense or tokens."""
    if isinstance(X, Tokens):
        return TOKENS
    return DENSE if isinstance(X, np.ndarray) else SPARSE


def read(folder: Path) -> dict[str, Features]:
    """Return the features of each split, in the order of `SPLITS`.

    Raises `UserError` if train or test is missing.
    """
    return {name: concatenate(list(pieces)) for name, pieces in open_shards(folder).items()}


def open_shards(folder: Path, unknown: bool = False) -> dict[str, Shards[Features]]:
    """Return the shards of each split, as `shards.open_splits`.

    Raises `UserError` if train or test is missing.
    """
    return shards.open_splits(folder, SUFFIX, read_shard, unknown)


def read_shard(path: Path) -> Features:
    """Return the features of one shard; `UserError` if it is missing or damaged."""
    with reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        X: Matrix
        if "indptr" in stored:
            parts = (stored["data"], stored["indices"], stored["indptr"])
            X = scipy.sparse.csr_array(parts, shape=tuple(stored["shape"]))
        elif "starts" in stored:
            X = _read_tokens(stored, path.with_name(VECTORS))
        else:
            X = stored["X"]
        return Features(stored["ids"], X, stored["y"], stored["classes"])


def read_class_texts(folder: Path) -> Features | None:
    """Return the rows to train on of no split: one for each text of class_texts.

    None if there are none.
    """
    path = folder / CLASS_TEXTS
    return read_shard(path) if path.exists() else None


def _read_tokens(stored: Any, vectors: Path) -> Tokens:
    """Return the tokens of an open npz, with the vectors of its folder if there are some."""
    pretrained = None
    if vectors.exists():
        with reading(vectors):
            pretrained = np.load(vectors, mmap_mode="r", allow_pickle=False)
    return Tokens(
        stored["token_ids"],
        stored["starts"],
        int(stored["vocabulary"]),
        int(stored["length"]),
        "pre" if stored["padding_first"] else "post",
        pretrained,
    )


def read_arrays(path: Path, *names: str) -> list[NDArray[Any]]:
    """Return arrays of one shard, named as `write` does, without the rest.

    Raises `UserError` if it is missing or damaged.
    """
    with reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return [stored[name] for name in names]


def write(features: Features, path: Path) -> None:
    """Write features as npz, without pretrained vectors of tokens: all shards have the same."""
    with path.open("wb") as file:
        own = {"ids": features.ids, "y": features.y, "classes": features.classes}
        write_npz(file, **own, **_arrays_of(features.X))


def _arrays_of(X: Matrix) -> dict[str, Any]:
    if isinstance(X, Tokens):
        return {
            "token_ids": X.ids,
            "starts": X.starts,
            "vocabulary": np.int64(X.vocabulary),
            "length": np.int64(X.length),
            "padding_first": np.bool_(X.padding == "pre"),
        }
    if isinstance(X, np.ndarray):
        return {"X": X}
    return {
        "data": X.data,
        "indices": X.indices,
        "indptr": X.indptr,
        "shape": np.array(X.shape, dtype=np.int64),
    }


def concatenate(pieces: Sequence[Features]) -> Features:
    """Return the rows of all pieces, at least one and of one kind, as one piece."""
    if len(pieces) == 1:
        return pieces[0]
    parts = [piece.X for piece in pieces]
    X: Matrix
    match kind_of(parts[0]):
        case "tokens":
            X = tokens.concatenate(parts)
        case "dense":
            X = np.concatenate(parts)
        case _:
            X = scipy.sparse.csr_array(scipy.sparse.vstack(parts, format="csr"))
    ids = np.concatenate([piece.ids for piece in pieces])
    y = np.concatenate([piece.y for piece in pieces])
    soft = any(piece.targets is not None for piece in pieces)
    targets = np.concatenate([piece.probabilities() for piece in pieces]) if soft else None
    return Features(ids, X, y, pieces[0].classes, targets)


def stack_columns(blocks: "Sequence[Sparse | Dense]", scales: Sequence[float]) -> Sparse:
    """Return blocks of the same rows side by side, each times its scale, as CSR of float64."""
    scaled = zip(blocks, scales, strict=True)
    parts = [scipy.sparse.csr_array(block).astype(np.float64) * scale for block, scale in scaled]
    return scipy.sparse.csr_array(scipy.sparse.hstack(parts, format="csr"))


def squared_norms(X: "Sparse | Dense") -> NDArray[np.float64]:
    """Return the squared length of each row, (rows,)."""
    if isinstance(X, np.ndarray):
        return np.asarray((X.astype(np.float64) ** 2).sum(axis=1))
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    squares = X.data.astype(np.float64) ** 2
    return np.bincount(rows, squares, minlength=X.shape[0]).astype(np.float64)


def in_double(X: "Sparse | Dense") -> Any:
    """Return dense features as float64, in which scikit-learn then computes.

    Sparse ones stay as they are.
    """
    return X.astype(np.float64) if isinstance(X, np.ndarray) else X


def as_sparse(features: Features) -> Features:
    """Return the rows with dense features as CSR of float64."""
    if not isinstance(features.X, np.ndarray):
        return features
    return replace(features, X=scipy.sparse.csr_array(features.X.astype(np.float64)))


def unit_scale(rows: float, squares: float) -> float:
    """Return the factor that makes the mean squared length of rows 1; 1 if all are empty.

    `squares` is the sum of the squared lengths.
    """
    return float((rows / squares) ** 0.5) if squares else 1.0


def shape(features: Features) -> dict[str, int]:
    """Return the numbers of rows, features (columns) and nonzeros (of tokens: of tokens)."""
    X = features.X
    rows, columns = X.shape
    nonzeros = int(np.count_nonzero(X)) if isinstance(X, np.ndarray) else X.nnz
    return {"rows": rows, "features": columns, "nonzeros": nonzeros}
