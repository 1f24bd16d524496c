"""Texts as vectors: the bag of words, and the file that carries it from stage to stage."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.errors import UserError
from textclf.files import of_each_split, reading
from textclf.params import Vectorize

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.feature_extraction.text import CountVectorizer


@dataclass(frozen=True)
class Features:
    """The rows of one split as a model sees them.

    `ids` (rows,) text; `X` (rows, features) CSR with sorted indices, the counts of each term; `y` (rows,)
    int64, the position of each row's label in `classes`; `classes` (classes,) text, sorted.
    """

    ids: NDArray[np.str_]
    X: csr_array
    y: NDArray[np.int64]
    classes: NDArray[np.str_]


def vectorizer(settings: Vectorize) -> "CountVectorizer":
    """scikit-learn's CountVectorizer under the settings, not yet fitted."""
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(**settings.model_dump())


def vectorize(splits: "dict[str, pd.DataFrame]", settings: Vectorize) -> tuple[dict[str, Features], list[str]]:
    """Features of each split, and the vocabulary in the order of their columns.

    The vocabulary is that of the training rows alone; the classes are theirs too. `UserError` if no term
    is left.
    """
    counter = vectorizer(settings)
    try:
        counter.fit(splits["train"]["text"])
    except ValueError as error:  # "empty vocabulary", "no terms remain", "max_df corresponds to < ..."
        raise UserError(f"no vocabulary under the settings of vectorize: {error}") from error
    classes = np.unique(splits["train"]["label"].to_numpy(dtype=str))
    features = {}
    for name, rows in splits.items():
        X = csr_array(counter.transform(rows["text"]))
        X.sort_indices()
        y = np.searchsorted(classes, rows["label"].to_numpy(dtype=str)).astype(np.int64)
        features[name] = Features(rows["id"].to_numpy(dtype=str), X, y, classes)
    return features, [str(term) for term in counter.get_feature_names_out()]


def shape(features: Features) -> dict[str, int]:
    """How many rows, features (columns) and nonzeros there are."""
    rows, columns = features.X.shape
    return {"rows": rows, "features": columns, "nonzeros": features.X.nnz}


def write(features: Features, path: Path) -> None:
    """Write the features of a split as an npz without pickles: arrays named as in `Features`, X as its parts."""
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


def read(folder: Path) -> dict[str, Features]:
    """The features of each split in a folder, in the order of `SPLITS`; `UserError` if there are none."""
    return {name: _read(path) for name, path in of_each_split(folder, ".npz").items()}


def _read(path: Path) -> Features:
    with reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        X = csr_array((stored["data"], stored["indices"], stored["indptr"]), shape=tuple(stored["shape"]))
        return Features(stored["ids"], X, stored["y"], stored["classes"])
