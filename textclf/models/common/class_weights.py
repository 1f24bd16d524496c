"""Weights of training rows by their class, and labels as one problem each."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features
from textclf.core.errors import UserError
from textclf.core.quoting import list_names, quote_name
from textclf.models.common.settings import ClassWeight

Array = NDArray[np.float64]


def row_weights(train: Features, class_weight: ClassWeight) -> NDArray[np.float64] | None:
    """Return the weight of each training row, in the shape of `y`; None if all weigh the same.

    Unlike LinearSVC's own class_weight, they also weigh the rows that a class is compared with.
    """
    weights = class_weights(Dataset.of_rows(train), class_weight)
    return None if weights is None else weigh(weights, train.y)


def weigh(weights: NDArray[np.float64], y: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the weights of rows by `class_weights`, in the shape of `y`."""
    return np.asarray(weights[y] if y.ndim == 1 else np.where(y, weights[1], weights[0]))


def class_weights(train: Dataset, class_weight: ClassWeight) -> NDArray[np.float64] | None:
    """Return the weight of a training row of each class.

    It is (classes,) or, of labels, (2, labels): the weights of a row without and with each label.
    With `balanced`, rows / (classes x rows of the class), as in scikit-learn. A class that a
    mapping does not name weighs 1. Raises `UserError` for a name that is no class.
    """
    if class_weight is None:
        return None
    if class_weight == "balanced":
        counts = count_rows(train)
        return train.rows / (len(counts) * counts)
    given, names = dict(class_weight), train.classes.tolist()
    unknown = [name for name in given if name not in names]
    if unknown:
        raise UserError(
            f"class_weight must name classes ({list_names(names)}); "
            f"got {quote_name(unknown[0])}; correct it"
        )
    weights = np.array([given.get(name, 1.0) for name in names])
    return np.array([np.ones(len(names)), weights]) if train.multilabel else weights


def count_rows(train: Dataset) -> NDArray[np.int64]:
    """Return the training rows of each class, or those without and with each label."""
    if train.multilabel:
        return np.array([train.rows - train.counts, train.counts])
    return train.counts


class Problem(NamedTuple):
    """Rows with one class each, and their weights (rows,), None if all weigh the same."""

    rows: Features
    weights: Array | None


def problems(part: Features, weights: Array | None) -> list[Problem]:
    """Return the rows as one problem, or as one per label: the classes without and with it."""
    if not part.multilabel:
        return [Problem(part, weights)]
    one_per_label = []
    for number, name in enumerate(part.classes):
        y, classes = part.y[:, number].astype(np.int64), np.array([f"not {name}", name])
        label_weights = None if weights is None else weights[:, number]
        targets = None
        if part.targets is not None:
            probabilities = part.targets[:, number]
            targets = np.stack([1 - probabilities, probabilities], 1)
        rows = replace(part, y=y, classes=classes, targets=targets)
        one_per_label.append(Problem(rows, label_weights))
    return one_per_label
