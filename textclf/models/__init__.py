"""The models a user may name in train.models: a module here, and a section of the same name in params.

A module has one function, ``fit(train, watched, settings)``, which learns from the training rows and returns
a `Model`. `watched` are rows to look at while training and to learn nothing from.

A module that learns from more rows than memory holds has another, ``fit_stream(train, watched, settings, scratch)``,
which is given the shards of either. In the folder `scratch`, which it makes if it wants one, it may keep what it needs
to go on after it was killed: the next run on the same shards and settings finds it, and the first that ends well
removes it.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.artifacts import layers as portable
from textclf.artifacts.layers import Portable
from textclf.core.errors import UserError
from textclf.core.files import reading
from textclf.params import ClassWeight, Section

if TYPE_CHECKING:
    from textclf.vectorize.features import Features, Shards


FOLDS = 5  # of a cross-validation inside the training rows


class Model(Protocol):
    """A fitted classifier."""

    @property
    def record(self) -> Mapping[str, int | float]:
        """Numbers about the training, `parameters` (the count of fitted numbers) among them."""

    @property
    def history(self) -> pd.DataFrame | None:
        """A row an epoch and split with the columns `epoch` (from 1), `split` (train or watched), `loss`, `accuracy`.

        None where there are no epochs.
        """

    def summary(self) -> str:
        """What was fitted, in a few lines for a person."""

    def predict_proba(self, X: csr_array) -> NDArray[np.float64]:
        """Probabilities (rows, classes) of the rows (rows, features); each row sums to 1."""

    def portable(self) -> Portable:
        """The same model as layers of numbers."""

    def save(self, folder: Path) -> None:
        """Write the model's files into a folder that exists, each with bytes that repeat.

        They are those of `portable.write`, and what the library that trained it opens, if it has such a file.
        """


class Module(Protocol):
    """What a module of this package offers."""

    def fit(self, train: "Features", watched: "Features", settings: Section) -> Model:
        """A model fitted on the training rows."""


@runtime_checkable
class StreamModule(Module, Protocol):
    """What a module offers that learns from shards too."""

    def fit_stream(self, train: "Shards", watched: "Shards", settings: Section, scratch: Path) -> Model:
        """A model fitted on the training rows, of which one shard is in memory at a time."""


def module(name: str) -> Module:
    """The module of a model's name."""
    loaded: Module = importlib.import_module(f"{__name__}.{name}")
    return loaded


# What several of them share


def row_weights(train: "Features", class_weight: ClassWeight) -> NDArray[np.float64] | None:
    """The weight of each training row (rows,) by its class, or None if all weigh the same.

    `balanced` gives every class the same sum, and the rows the mean 1: rows / (classes x rows of the class), as
    scikit-learn has it. (Its LinearSVC's own class_weight would, beyond two classes, weigh one class and not the
    rest that it is held against.) `UserError` unless a mapping names every class and no other.
    """
    counts = np.bincount(train.y, minlength=len(train.classes))
    weights = class_weights(train.classes, counts, class_weight)
    return None if weights is None else weights[train.y]


def class_weights(
    classes: NDArray[np.str_], counts: NDArray[np.int64], class_weight: ClassWeight
) -> NDArray[np.float64] | None:
    """What a training row of each class (classes,) weighs, as in `row_weights`; `counts` are the rows of each."""
    if class_weight is None:
        return None
    if class_weight == "balanced":
        weights: NDArray[np.float64] = counts.sum() / (len(counts) * counts)
        return weights
    given, names = dict(class_weight), classes.tolist()
    if set(given) != set(names):
        raise UserError(f"class_weight must name the classes {', '.join(names)}; got {', '.join(given)}")
    return np.array([given[name] for name in names])


def count_classes(shards: "Shards") -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """The names of the classes, and how many rows of the shards are of each; nothing but the labels is read."""
    counts = []
    for path in shards.paths:
        with reading(path), np.load(path, allow_pickle=False) as stored:  # an array of an npz is read when it is named
            counts.append(np.bincount(stored["y"], minlength=len(names := stored["classes"])))
    return names, np.sum(counts, axis=0)


class Calibrated:
    """Scores that are linear in the features, and sigmoids that make probabilities of them.

    `coef` (1 or classes, features), `intercept`, `slope` and `offset` (1 or classes,): with two classes the scores
    are of the second, with more of each class against the rest. `presence` says that the scores are of whether a
    term is there, whatever its weight.
    """

    history = None

    def __init__(self, classes: NDArray[np.str_], arrays: Mapping[str, NDArray[np.float64]], presence: bool) -> None:
        """Keep the names of the classes and the arrays, by name."""
        self.classes = classes
        self.arrays = dict(arrays)
        self.presence = presence

    @property
    def record(self) -> Mapping[str, int | float]:
        """Weights, intercepts, and the two numbers of each sigmoid."""
        return {"parameters": sum(array.size for array in self.arrays.values())}

    def summary(self) -> str:
        """The record, on a line."""
        return f"parameters {self.record['parameters']}"

    def predict_proba(self, X: csr_array) -> NDArray[np.float64]:
        """Each class's sigmoid of its score; of more than two classes their shares."""
        from scipy.special import expit

        terms = (X > 0).astype(np.float64) if self.presence else X
        scores = terms @ self.arrays["coef"].T + self.arrays["intercept"]
        z = self.arrays["slope"] * scores + self.arrays["offset"]
        if z.shape[1] == 1:
            return np.hstack([expit(-z), expit(z)])
        # A row that no class wants, so that all are 0, is anybody's.
        shares = np.maximum(expit(z), np.finfo(np.float64).tiny)
        probabilities: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
        return probabilities

    def portable(self) -> Portable:
        """One layer, the sigmoids' numbers within its own."""
        slope, offset = self.arrays["slope"], self.arrays["offset"]
        coef, intercept = self.arrays["coef"] * slope[:, None], self.arrays["intercept"] * slope + offset
        activation = "sigmoid" if len(intercept) == 1 else "sigmoid_shares"
        return portable.linear(self.classes, coef, intercept, activation, self.presence)

    def save(self, folder: Path) -> None:
        """Write the files of `portable.write`."""
        portable.write(self.portable(), folder)


def calibrated(estimator: Any, train: "Features", class_weight: ClassWeight, presence: bool = False) -> Calibrated:
    """A linear classifier of scikit-learn's kind fitted on the training rows, its scores as probabilities.

    The sigmoids are fitted to scores of rows that the classifier did not see, in a stratified cross-validation of
    `FOLDS` folds, or as many as the smallest class has rows: Platt (1999), as scikit-learn's
    CalibratedClassifierCV has it. `UserError` where a class has fewer than two rows.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold

    fewest = int(np.bincount(train.y, minlength=len(train.classes)).min())
    if fewest < 2:
        raise UserError(f"a class must have at least 2 training rows to calibrate by; one has {fewest}")
    search = CalibratedClassifierCV(estimator, cv=StratifiedKFold(min(FOLDS, fewest)), ensemble=False)
    (fitted,) = search.fit(train.X, train.y, sample_weight=row_weights(train, class_weight)).calibrated_classifiers_
    arrays = {
        "coef": fitted.estimator.coef_,
        "intercept": fitted.estimator.intercept_,
        "slope": np.array([-sigmoid.a_ for sigmoid in fitted.calibrators]),  # scikit-learn's have the other sign
        "offset": np.array([-sigmoid.b_ for sigmoid in fitted.calibrators]),
    }
    return Calibrated(train.classes, arrays, presence)
