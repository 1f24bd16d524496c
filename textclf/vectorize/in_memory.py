"""Rows in memory as the features of one model.

They are for studies that train it many times, and for a fit on more rows.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.features import Features, squared_norms, stack_columns, unit_scale
from textclf.vectorize import representation
from textclf.vectorize.remembered import Remembering
from textclf.vectorize.representation import Block, Union
from textclf.vectorize.settings import Combine, Vectorize

if TYPE_CHECKING:
    import pandas as pd


def vectorize_splits(
    splits: "Mapping[str, pd.DataFrame]",
    name: str,
    vectorize: Vectorize,
    combine: Combine,
    classes: Sequence[str],
    pretrained: Path,
) -> dict[str, Features]:
    """Return the features of each split in a representation that `fit` fits on training rows."""
    fitted, train = fit(splits["train"], name, vectorize, combine, classes, pretrained)
    others = {
        split: _features(fitted.transform(rows["text"]), rows, classes)
        for split, rows in splits.items()
        if split != "train"
    }
    return {"train": train, **others}


def fit(
    rows: "pd.DataFrame",
    name: str,
    vectorize: Vectorize,
    combine: Combine,
    classes: Sequence[str],
    pretrained: Path,
) -> tuple[Any, Features]:
    """Return a representation fitted on the texts of the rows, and their features.

    `name` is in vectorize or combine; a pair is made as by the stage combine. Raises `UserError` if
    no term is left.
    """

    def learn(name: str) -> tuple[Any, Any]:
        pair = combine.pairs().get(name)
        if pair is None:
            settings = vectorize[name]
            fitted: Any
            if getattr(settings, "frozen", False):  # it learns nothing
                fitted = _remembering(settings, pretrained)
            else:
                fitted = representation.fit(rows["text"], settings, pretrained)
            return fitted, fitted.transform(rows["text"])
        (first, left), (second, right) = learn(pair.first), learn(pair.second)
        scales = [unit_scale(X.shape[0], float(squared_norms(X).sum())) for X in (left, right)]
        blocks = [Block(pair.first, scales[0], first), Block(pair.second, scales[1], second)]
        return Union(blocks), stack_columns([left, right], scales)

    fitted, X = learn(name)
    return fitted, _features(X, rows, classes)


def _features(X: Any, rows: "pd.DataFrame", classes: Sequence[str]) -> Features:
    ids, y = rows["id"].to_numpy(dtype=str), encode_labels(rows["label"], classes)
    return Features(ids, X, y, np.array(classes, dtype=str))


def encode_labels(labels: "Sequence[Any] | pd.Series", classes: Sequence[str]) -> NDArray[Any]:
    """Return the position of each label among the classes, (rows,) int64.

    Lists of labels become (rows, classes) int8, 0 or 1.
    """
    position = {name: number for number, name in enumerate(classes)}
    if all(isinstance(label, str) for label in labels):
        return np.array([position[label] for label in labels], dtype=np.int64)
    matrix = np.zeros((len(labels), len(classes)), np.int8)
    for row, names in enumerate(labels):
        matrix[row, [position[name] for name in names]] = 1
    return matrix


@lru_cache(maxsize=4)
def _remembering(settings: Any, pretrained: Path) -> Remembering:
    return Remembering(representation.fit((), settings, pretrained))
