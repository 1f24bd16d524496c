"""Logistic regression on a stream of shards: stochastic gradient descent with averaged weights."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.artifacts import layers
from textclf.artifacts.features import as_sparse
from textclf.core import progress
from textclf.models.common.class_weights import class_weights
from textclf.models.common.fitted import Fitted

if TYPE_CHECKING:
    from textclf.artifacts.features import Features

PASSES = 5  # over the rows, at least
UPDATES = 10**6  # rows seen in all passes together, at least
STEP = 2.5  # learning rate times the R^2 of `squared_norm`


def fit_sgd(
    shards: Sequence[Callable[[], "Features"]],
    classes: NDArray[np.str_],
    counts: NDArray[np.int64],
    C: float,
    settings: Any,
) -> Fitted:
    """Return scikit-learn's SGDClassifier fitted on shards, each read when it is needed; `counts` are rows per class.

    It minimises the same loss as lbfgs, but with more than two classes one against the rest. The order of the shards
    is drawn from the number of the pass, that of the rows of a shard from the numbers of both. There are as many
    passes as `UPDATES` rows need, which scikit-learn's guide recommends, but at least `PASSES` and at most max_iter.
    The learning rate is constant, and the weights are the mean over the second half of the steps: Bach & Moulines
    (2013), NeurIPS 26, 773-781, with R^2 the mean fourth power of the row norms over their mean square, so that long
    rows and heavy classes do not destabilise the weights. More passes over few rows take shorter steps, by the square
    root, since the error of constant steps does not shrink. `settings` are those of logistic regression, `C` their
    single value.
    """
    from sklearn.linear_model import SGDClassifier

    given = class_weights(classes, counts, settings.class_weight)
    weights = np.ones(len(classes)) if given is None else given
    rows = int(counts.sum())
    passes = min(settings.max_iter, max(PASSES, math.ceil(UPDATES / rows)))
    estimator = SGDClassifier(
        loss="log_loss",
        alpha=1 / (C * rows),
        fit_intercept=False,  # its steps would be a hundredth as long: a column of ones does better
        learning_rate="constant",
        eta0=STEP / squared_norm(shards, weights) / math.sqrt(max(1, passes / PASSES)),
        average=max(1, rows * (passes // 2)),
    )
    bar = progress.bar("logistic_regression", passes * rows)
    for number in range(passes):
        for shard in np.random.default_rng(number).permutation(len(shards)):
            part = as_sparse(shards[shard]())
            estimator.set_params(random_state=int(np.random.default_rng([number, shard]).integers(2**31)))
            estimator.partial_fit(add_ones(part.X), part.y, np.arange(len(classes)), weights[part.y])
            bar.update(len(part.y))
    bar.close()
    coef, intercept = estimator.coef_[:, :-1], estimator.coef_[:, -1]
    activation = "sigmoid" if len(intercept) == 1 else "sigmoid_shares"
    record = {"parameters": coef.size + intercept.size, "passes": passes, "C": C}
    return Fitted(layers.linear(classes, coef, intercept, activation), record)


def squared_norm(shards: Sequence[Callable[[], "Features"]], weights: NDArray[np.float64]) -> float:
    """Return the R^2 of `fit_sgd`, with each squared row norm multiplied by the weight of its class."""
    second = fourth = 0.0
    for read in shards:
        part = as_sparse(read())
        squares = weights[part.y] * add_ones(part.X).power(2).sum(axis=1)
        second, fourth = second + squares.sum(), fourth + (squares**2).sum()
    return float(fourth / second)


def add_ones(X: csr_array) -> csr_array:
    """Return the rows as float64 with a last column of ones."""
    rows, columns = X.shape
    ends = X.indptr[1:]
    starts = X.indptr + np.arange(rows + 1, dtype=X.indptr.dtype)
    arrays = np.insert(X.data.astype(np.float64), ends, 1.0), np.insert(X.indices, ends, columns), starts
    return csr_array(arrays, shape=(rows, columns + 1))
