"""Logistic regression, as scikit-learn has it: the lesson's "better results without a neural network".

Rows in memory are fitted to the optimum, by L-BFGS. A stream of shards is fitted near it, by stochastic gradient
descent with averaged weights, in a few passes whatever the number of rows.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf import params
from textclf.artifacts import layers as portable
from textclf.artifacts.layers import Portable
from textclf.core.errors import UserError
from textclf.core.progress import Progress
from textclf.models import FOLDS, class_weights, count_classes, row_weights
from textclf.vectorize.features import read_shard

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression as Estimator

    from textclf.vectorize.features import Features, Shards

IN_MEMORY = 250_000  # training rows up to which the solver auto is lbfgs, and beyond which it is sgd
PASSES, UPDATES = 5, 10**6  # over the rows at least, of sgd; and over so many rows, those of all passes together
STEP = 2.5  # of sgd, over the R^2 of `descend`


class LogisticRegression:
    """A fitted scikit-learn LogisticRegression."""

    history = None

    def __init__(self, classes: NDArray[np.str_], estimator: "Estimator") -> None:
        """Keep the estimator and the names of its classes."""
        self.classes = classes
        self.estimator = estimator

    @property
    def record(self) -> Mapping[str, int | float]:
        """Coefficients and intercepts; steps of the solver; the C that was given or chosen."""
        return {
            "parameters": self.estimator.coef_.size + self.estimator.intercept_.size,
            "iterations": int(self.estimator.n_iter_.max()),
            "C": float(self.estimator.C),
        }

    def summary(self) -> str:
        """The record, on a line."""
        return ", ".join(f"{name} {value}" for name, value in self.record.items())

    def predict_proba(self, X: csr_array) -> NDArray[np.float64]:
        """Probabilities by the logistic function, or softmax beyond two classes."""
        probabilities: NDArray[np.float64] = self.estimator.predict_proba(X)
        return probabilities

    def portable(self) -> Portable:
        """One layer of scikit-learn's coefficients."""
        activation = "sigmoid" if len(self.classes) == 2 else "softmax"
        return portable.linear(self.classes, self.estimator.coef_, self.estimator.intercept_, activation)

    def save(self, folder: Path) -> None:
        """Write the files of `portable.write`: kernel_1 is scikit-learn's `coef_`, transposed."""
        portable.write(self.portable(), folder)


class Descended:
    """A linear classifier whose weights stochastic gradient descent found, in so many passes over the rows.

    `coef` (1 or classes, features) and `intercept` (1 or classes,): with two classes the log odds of the second, with
    more those of each class against the rest, whose sigmoids' shares are the probabilities.
    """

    history = None

    def __init__(
        self,
        classes: NDArray[np.str_],
        coef: NDArray[np.float64],
        intercept: NDArray[np.float64],
        passes: int,
        C: float,
    ) -> None:
        """Keep the numbers, and the layer that they are."""
        self.record: Mapping[str, int | float] = {"parameters": coef.size + intercept.size, "passes": passes, "C": C}
        activation = "sigmoid" if len(intercept) == 1 else "sigmoid_shares"
        self.layer = portable.linear(classes, coef, intercept, activation)

    def summary(self) -> str:
        """The record, on a line."""
        return ", ".join(f"{name} {value}" for name, value in self.record.items())

    def predict_proba(self, X: csr_array) -> NDArray[np.float64]:
        """Probabilities by the logistic function; beyond two classes, each one's share."""
        return self.layer.predict_proba(X)

    def portable(self) -> Portable:
        """The layer."""
        return self.layer

    def save(self, folder: Path) -> None:
        """Write the files of `portable.write`."""
        portable.write(self.layer, folder)


def fit(
    train: "Features",
    watched: "Features",  # noqa: ARG001 (it watches none)
    settings: params.LogisticRegression,
) -> LogisticRegression | Descended:
    """scikit-learn's estimator fitted on the training rows; with the solver sgd, what `descend` gives.

    Of several values of C it takes the one with the lowest log loss in a stratified cross-validation of
    `FOLDS` folds inside the training rows; the vocabulary is that of all of them. `UserError` where a class
    has fewer rows than there are folds.
    """
    if descends(len(train.y), settings):
        counts = np.bincount(train.y, minlength=len(train.classes))
        return descend([lambda: train], train.classes, counts, settings)

    from sklearn.linear_model import LogisticRegression as Estimator

    estimator = Estimator(max_iter=settings.max_iter)
    weights = row_weights(train, settings.class_weight)
    if isinstance(settings.C, float):
        return LogisticRegression(train.classes, estimator.set_params(C=settings.C).fit(train.X, train.y, weights))

    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    if (fewest := np.bincount(train.y, minlength=len(train.classes)).min()) < FOLDS:
        raise UserError(f"a class must have at least {FOLDS} training rows to choose C by; one has {fewest}")
    search = GridSearchCV(estimator, {"C": list(settings.C)}, scoring="neg_log_loss", cv=StratifiedKFold(FOLDS))
    return LogisticRegression(train.classes, search.fit(train.X, train.y, sample_weight=weights).best_estimator_)


def fit_stream(
    train: "Shards",
    watched: "Shards",
    settings: params.LogisticRegression,
    scratch: Path,  # noqa: ARG001 (it takes seconds)
) -> LogisticRegression | Descended:
    """What `descend` gives of the training rows; what `fit` does, with the solver lbfgs."""
    classes, counts = count_classes(train)
    if descends(int(counts.sum()), settings):
        return descend([partial(read_shard, path) for path in train.paths], classes, counts, settings)
    return fit(train.together(), next(iter(watched)), settings)


def descends(rows: int, settings: params.LogisticRegression) -> bool:
    """Whether the solver is sgd, given or, as auto, chosen by the number of training rows."""
    return settings.solver == "sgd" or (settings.solver == "auto" and rows > IN_MEMORY)


def descend(
    shards: Sequence[Callable[[], "Features"]],
    classes: NDArray[np.str_],
    counts: NDArray[np.int64],
    settings: params.LogisticRegression,
) -> Descended:
    """scikit-learn's SGDClassifier fitted on shards, each read when its turn comes; `counts` (classes,) are their rows.

    It minimises what lbfgs does, but beyond two classes one against the rest. The order of the shards is drawn from
    the number of the pass, that of a shard's rows from both numbers. There are as many passes as it takes for `UPDATES`
    rows, which scikit-learn's guide found to be enough, but `PASSES` at least and max_iter at most. Steps are constant,
    and the weights the mean of the second half of them: Bach & Moulines (2013), NeurIPS 26, 773-781, with R^2 the mean
    fourth power of the rows' norms over the mean square, so that long rows and heavy classes do not throw the weights
    about. More passes over few rows take shorter steps, by the square root, as the error of constant ones stays.
    `UserError` if there are several values of C.
    """
    from sklearn.linear_model import SGDClassifier

    if not isinstance(settings.C, float):
        raise UserError(
            f"train.logistic_regression.C must be one number where the solver is sgd, as auto is beyond {IN_MEMORY:,} "
            f"training rows; got {list(settings.C)}"
        )
    given = class_weights(classes, counts, settings.class_weight)
    weights = np.ones(len(classes)) if given is None else given
    rows = int(counts.sum())
    passes = min(settings.max_iter, max(PASSES, math.ceil(UPDATES / rows)))
    estimator = SGDClassifier(
        loss="log_loss",
        alpha=1 / (settings.C * rows),
        fit_intercept=False,  # it would take steps of a hundredth: a column of ones does better
        learning_rate="constant",
        eta0=STEP / squared_norm(shards, weights) / math.sqrt(max(1, passes / PASSES)),
        average=max(1, rows * (passes // 2)),
    )
    progress = Progress("logistic_regression", passes * rows)
    for number in range(passes):
        for shard in np.random.default_rng(number).permutation(len(shards)):
            part = shards[shard]()
            estimator.set_params(random_state=int(np.random.default_rng([number, shard]).integers(2**31)))
            estimator.partial_fit(with_ones(part.X), part.y, np.arange(len(classes)), weights[part.y])
            progress.add(len(part.y))
    progress.close()
    return Descended(classes, estimator.coef_[:, :-1], estimator.coef_[:, -1], passes, settings.C)


def squared_norm(shards: Sequence[Callable[[], "Features"]], weights: NDArray[np.float64]) -> float:
    """The R^2 of `descend`, where each row's squared norm is times the weight of its class."""
    second = fourth = 0.0
    for read in shards:
        part = read()
        squares = weights[part.y] * with_ones(part.X).power(2).sum(axis=1)
        second, fourth = second + squares.sum(), fourth + (squares**2).sum()
    return float(fourth / second)


def with_ones(X: csr_array) -> csr_array:
    """The rows as float64 with a further column, of ones."""
    rows, columns = X.shape
    ends = X.indptr[1:]
    starts = X.indptr + np.arange(rows + 1, dtype=X.indptr.dtype)
    arrays = np.insert(X.data.astype(np.float64), ends, 1.0), np.insert(X.indices, ends, columns), starts
    return csr_array(arrays, shape=(rows, columns + 1))
