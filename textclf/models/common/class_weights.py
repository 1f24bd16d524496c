"""Weights of training rows by their class."""

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.features import Features
from textclf.core.errors import UserError
from textclf.core.quoting import list_names, quote_name
from textclf.models.common.settings import ClassWeight


def row_weights(train: Features, class_weight: ClassWeight) -> NDArray[np.float64] | None:
    """Return the weight of each training row, (rows,), or None if all weigh the same.

    With `balanced` all classes have the same total weight and the mean weight is 1: rows / (classes x rows of the
    class), as in scikit-learn. (With more than two classes, LinearSVC's own class_weight would weigh a class but not
    the rows that it is compared with.) A class that a mapping does not name
    weighs 1. Raises `UserError` for a name that is no class.
    """
    counts = np.bincount(train.y, minlength=len(train.classes))
    weights = class_weights(train.classes, counts, class_weight)
    return None if weights is None else weights[train.y]


def class_weights(
    classes: NDArray[np.str_], counts: NDArray[np.int64], class_weight: ClassWeight
) -> NDArray[np.float64] | None:
    """Return the weight of a training row of each class, (classes,), as `row_weights`; `counts` are rows per class."""
    if class_weight is None:
        return None
    if class_weight == "balanced":
        weights: NDArray[np.float64] = counts.sum() / (len(counts) * counts)
        return weights
    given, names = dict(class_weight), classes.tolist()
    if unknown := [name for name in given if name not in names]:
        raise UserError(
            f"class_weight must name classes ({list_names(names)}); got {quote_name(unknown[0])}; correct it"
        )
    return np.array([given.get(name, 1.0) for name in names])
