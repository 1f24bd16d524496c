"""The fit of logistic regression, on all rows together or batch by batch."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from operator import iadd
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.sparse import csr_array
from scipy.special import expit, log_expit, log_softmax, logit

from textclf.artifacts import layers
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features, as_sparse, in_double
from textclf.artifacts.layers import SIGMOIDS
from textclf.core import progress, resources
from textclf.core.resources import cores
from textclf.models.common.calibrated import FEWEST_CLASS_ROWS, FOLDS
from textclf.models.common.class_weights import (
    Problem,
    class_weights,
    count_rows,
    problems,
    row_weights,
    weigh,
)
from textclf.models.common.crossvalidation import as_new_texts
from textclf.models.common.fitted import Fitted

# Classes less probable than this are left out when a row with target probabilities is copied for
# each class: more copies would only take longer.
LEAST_PROBABLE = 1e-3
# Memory of lbfgs, in vectors of all parameters; measured.
VECTORS = 24
# Decrease of the objective in a step at which the solver stops, scipy's `ftol`.
DECREASE = 5e-5
# Number of earlier steps that the solver remembers.
MEMORY = 5
# Most evaluations in a line search, as in scikit-learn.
LINE_SEARCH = 50
# Most scores of a part of the rows, so that a batch with many classes is summed in parts.
SCORES = 2**22
# Most threads, because each has a batch in memory.
THREADS = 4

Array = NDArray[np.float64]
# Features, classes and targets of a batch.
Batch = tuple[csr_array, NDArray[np.integer], Array | None]


def in_memory(train: Features, settings: Any) -> Fitted:
    """Return scikit-learn's LogisticRegression fitted on all training rows, or one per label."""
    from sklearn import exceptions, linear_model  # takes long to import

    X, parts = in_double(train.X), problems(train, row_weights(train, settings.class_weight))
    features, classes = train.X.shape[1], len(train.classes)
    shape = parameter_shape(features, len(parts[0].rows.classes))
    purpose = f"lbfgs with {features:,} features x {classes:,} classes (stream takes less)"
    resources.require_memory(VECTORS * 8 * int(np.prod(shape)), purpose)
    C = settings.C if isinstance(settings.C, float) else choose_strength(parts, settings)
    fits = [linear_model.LogisticRegression(C=C, max_iter=settings.max_iter) for _ in parts]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", exceptions.ConvergenceWarning)
        for estimator, (rows, weights) in zip(fits, parts, strict=True):
            _fit(estimator, X, rows.y, weights, rows.targets)
    steps = max(int(estimator.n_iter_[0]) for estimator in fits)
    if any(issubclass(warning.category, exceptions.ConvergenceWarning) for warning in caught):
        warnings.warn(
            f"logistic regression has not converged after {steps} steps; raise max_iter",
            stacklevel=2,
        )
    coef = np.concatenate([estimator.coef_ for estimator in fits])
    intercept = np.concatenate([estimator.intercept_ for estimator in fits])
    return _fitted(train, coef, intercept, {"iterations": steps, "C": C})


def on_stream(train: Dataset, C: float, settings: Any) -> Fitted:
    """Return the model fitted batch by batch: see `minimize_on_stream`."""
    features, classes = train.columns, len(train.classes)
    shape = (features + 1, classes) if train.multilabel else parameter_shape(features, classes)
    purpose = f"logistic regression with {features:,} features x {classes:,} classes"
    resources.require_memory(VECTORS * 8 * int(np.prod(shape)), purpose)
    weights = class_weights(train, settings.class_weight)
    parameters, passes = minimize_on_stream(train, shape, weights, C, settings.max_iter)
    coefficients = parameters.reshape(len(parameters), -1).T
    return _fitted(train, coefficients[:, :-1], coefficients[:, -1], {"passes": passes, "C": C})


def parameter_shape(features: int, classes: int) -> tuple[int, ...]:
    """Return the shape of the parameters, as `Rows.sums` takes them."""
    return (features + 1,) if classes == 2 else (features + 1, classes)


def choose_strength(parts: Sequence[Problem], settings: Any) -> float:
    """Return the value of C, one of several, with the lowest log loss, summed over all labels.

    It is the mean over the held-out rows of `FOLDS` folds, or of as many as the smallest class has
    rows. A label with fewer than `FEWEST_CLASS_ROWS` rows has no say; if there is no other, it is
    the middle value.
    """
    from sklearn import exceptions, linear_model, metrics, model_selection

    losses, least = np.zeros(len(settings.C)), 0
    for part, weights in parts:
        X, y, targets = in_double(part.X), part.y, part.targets
        fewest = int(np.bincount(y, minlength=len(part.classes)).min())
        least = max(least, fewest)
        if fewest < FEWEST_CLASS_ROWS:
            continue
        for fitted, held_out in model_selection.StratifiedKFold(min(FOLDS, fewest)).split(y, y):
            new_texts = as_new_texts(X[fitted], X[held_out])
            fitted_weights = None if weights is None else weights[fitted]
            fitted_targets = None if targets is None else targets[fitted]
            for number, C in enumerate(settings.C):
                estimator = linear_model.LogisticRegression(C=C, max_iter=settings.max_iter)
                with warnings.catch_warnings():
                    # The fit on all rows will warn.
                    warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
                    _fit(estimator, X[fitted], y[fitted], fitted_weights, fitted_targets)
                probabilities = estimator.predict_proba(new_texts)
                losses[number] += metrics.log_loss(
                    y[held_out], probabilities, labels=estimator.classes_
                )
    if least < FEWEST_CLASS_ROWS:
        middle = settings.C[len(settings.C) // 2]
        warnings.warn(
            f"a class has {least} training row, too few to choose C by; it is {middle:g}",
            stacklevel=2,
        )
        return float(middle)
    return float(settings.C[int(losses.argmin())])


def _fit(
    estimator: Any, X: Any, y: NDArray[np.integer], weights: Array | None, targets: Array | None
) -> None:
    """Fit an estimator to rows with one label each, or to targets.

    Targets are fitted as a copy of the row for each probable class. A copy weighs as much as its
    class is probable, which is the same as the cross-entropy with the targets.
    """
    if targets is not None:
        rows, y = np.nonzero(targets >= LEAST_PROBABLE)
        shares = targets[rows, y] / np.bincount(rows, targets[rows, y])[rows]
        weights = shares if weights is None else shares * weights[rows]
        # The estimator must know each class: it gets one more row of each, which weighs nothing.
        classes = np.arange(targets.shape[1])
        X = X[np.append(rows, np.zeros_like(classes))]
        y = np.append(y, classes)
        weights = np.append(weights, np.zeros(len(classes)))
    estimator.fit(X, y, sample_weight=weights)


def _fitted(
    train: Features | Dataset, weights: Array, intercepts: Array, record: dict[str, int | float]
) -> Fitted:
    """Return the weights as one layer.

    They are (1 or classes, features): of the positive class, or of each class or label.
    """
    activation = "sigmoid" if len(train.classes) == 2 else "softmax"
    if train.multilabel:
        activation = SIGMOIDS
    model = layers.linear(train.classes, weights, intercepts, activation)
    return Fitted(model, {"parameters": weights.size + intercepts.size, **record})


@dataclass(frozen=True)
class Rows:
    """Some training rows."""

    X: Any  # (rows, features) float64, CSR or dense
    y: NDArray[np.integer]  # (rows,), or (rows, labels)
    weights: Array | None  # in the shape of `y`; None if all weigh 1
    # (rows, classes or labels); None if `y` has all of the probability.
    targets: Array | None = None

    def sums(self, parameters: Array, total: float) -> Array:
        """Return the sum of the losses, then the flat gradient of that sum divided by `total`.

        The shape is (1 + parameters,). With two classes the parameters are the weights of the
        features and the intercept, (features + 1,); with more, or with labels, they are (features +
        1, classes).
        """
        binary = parameters.ndim == self.y.ndim  # of each label, if there are several
        scores = self.X @ parameters[:-1] + parameters[-1]
        if binary and self.targets is not None:
            targets = self.targets if self.y.ndim == 2 else self.targets[:, 1]
            losses = -log_expit(-scores) - targets * scores
            slopes = expit(scores) - targets
        elif binary:
            losses = -log_expit(np.where(self.y == 1, scores, -scores))
            slopes = expit(scores) - self.y
        elif self.targets is not None:
            logarithms = log_softmax(scores, axis=1)
            losses = -(self.targets * logarithms).sum(axis=1)
            slopes = np.exp(logarithms) - self.targets
        else:
            logarithms = log_softmax(scores, axis=1)
            actual = (np.arange(len(self.y)), self.y)
            losses = -logarithms[actual]
            slopes = np.exp(logarithms)
            slopes[actual] -= 1
        if self.weights is not None:
            losses *= self.weights
            slopes *= self.weights if binary else self.weights[:, None]
        slopes /= total
        gradient = (slopes.T @ self.X).T
        return np.concatenate([[losses.sum()], gradient.ravel(), np.ravel(slopes.sum(axis=0))])


@dataclass(frozen=True)
class StandardFeatures:
    """Features less their means and scaled, on which the solver works."""

    shape: tuple[int, ...]  # of the parameters
    means: Array  # (features,)
    scales: Array  # (features + 1,), or (features + 1, classes)
    start: Array  # intercepts where the solver starts

    def parameters(self, point: Array) -> Array:
        """Return the parameters for the features, (`shape`), from those for the scaled ones."""
        parameters: Array = (point.reshape(self.shape).T * self.scales.T).T
        parameters[-1] -= self.means @ parameters[:-1]
        parameters[-1] += self.start
        return parameters

    def gradient(self, flat: Array) -> Array:
        """Return the flat gradient for the scaled features from that for the features."""
        gradient = flat.reshape(self.shape)
        centred = gradient - np.multiply.outer(np.append(self.means, 0), gradient[-1])
        scaled: Array = (centred.T * self.scales.T).T
        return scaled.ravel()


def minimize_on_stream(
    train: Dataset, shape: tuple[int, ...], class_weights: Array | None, C: float, max_iter: int
) -> tuple[Array, int]:
    """Return the parameters near the minimum of the objective, and the number of passes.

    The objective is that of scikit-learn's LogisticRegression. `shape` is that of the parameters in
    `Rows.sums`; `class_weights` is that of the module of this name. The solver works on features
    less their means and divided by the root of the objective's curvature: some 15 to 25 steps then
    come nearer to the minimum than 100 without.
    """
    totals = count_rows(train) * (1.0 if class_weights is None else class_weights)
    sums = totals.sum(axis=0)  # of each label
    total, shares = float(np.mean(sums)), totals / sums
    penalty = 1 / (C * total)  # of half the squared weights
    start = np.zeros(shape)
    if train.multilabel:
        # Without this the first steps would only learn how rare each label is.
        start[-1] = logit(shares[1])
    with closing(progress.bar("logistic_regression", None, "shard", scaled=False)) as bar:
        stream = Stream(train, class_weights, bar)
        first = stream.sum(lambda rows: _sums_with_moments(rows, start, total))
        start_sums, means, squares = np.split(first, [1 + start.size, start.size + shape[0]])
        # Second derivative of the mean loss by a score.
        curvature = (shares * (1 - shares)).mean(axis=0) * (sums / total)
        curvatures = np.multiply.outer(np.maximum(squares - means**2, 0), curvature) + penalty
        scales = 1 / np.sqrt(np.concatenate([curvatures, [curvature]]))

        features = StandardFeatures(shape, means, scales, start[-1])
        # The length of a good first step; the solver's own has length 1.
        length = np.linalg.norm(features.gradient(start_sums[1:]))

        def objective(point: Array) -> tuple[float, Array]:
            parameters, sums = features.parameters(length * point), start_sums
            if point.any():
                sums = stream.sum(lambda rows: rows.sums(parameters, total))
            weights, gradient = parameters[:-1], sums[1:].reshape(shape).copy()
            gradient[:-1] += penalty * weights
            value = float(sums[0]) / total + float(0.5 * penalty * np.vdot(weights, weights))
            return value, length * features.gradient(gradient)

        options = {
            "maxiter": max_iter,
            "gtol": 0,
            "ftol": DECREASE,
            "maxcor": MEMORY,
            "maxls": LINE_SEARCH,
        }
        solve: Any = optimize.minimize
        origin = np.zeros(start.size)
        solution = solve(objective, origin, jac=True, method="L-BFGS-B", options=options)
        return features.parameters(length * solution.x), stream.passes


def _sums_with_moments(rows: Rows, parameters: Array, total: float) -> Array:
    """Return the sums of the rows, and their shares in each feature's mean and mean square."""
    X, weights = rows.X, np.ones(len(rows.y)) if rows.weights is None else rows.weights
    weights = (weights if weights.ndim == 1 else weights.mean(axis=1)) / total
    squared = csr_array((X.data**2, X.indices, X.indptr), shape=X.shape)
    return np.concatenate([rows.sums(parameters, total), X.T @ weights, squared.T @ weights])


class Stream:
    """The training rows, read again for each sum over them or kept in memory.

    Batches are kept in up to half of the free memory. Each batch is summed by itself, and these
    sums are added in order, whatever is kept and however many threads.
    """

    def __init__(self, train: Dataset, class_weights: Array | None, bar: Any) -> None:
        """Read nothing yet; `bar` shows how many batches were summed."""
        self._train, self._class_weights = train, class_weights
        # Scores of a row: one with two classes; with two labels it has 2, but counts as 1.
        scores = 1 if len(train.classes) == 2 else len(train.classes)
        self._size = max(1, SCORES // scores)
        self._cache: dict[int, Batch] = {}
        self._room = (resources.available_memory() or 0) // 2
        self._threads = min(THREADS, len(train), cores())
        self._bar = bar
        self.passes = 0

    def sum(self, function: Callable[[Rows], Array]) -> Array:
        """Return the sums over all rows."""
        self.passes += 1

        def of_batch(number: int) -> Array:
            return reduce(iadd, map(function, self._read(number)))

        with ThreadPoolExecutor(self._threads) as threads:
            return reduce(iadd, self._counted(threads.map(of_batch, range(len(self._train)))))

    def _counted(self, results: Iterator[Array]) -> Iterator[Array]:
        for result in results:
            yield result
            self._bar.update()

    def _read(self, number: int) -> list[Rows]:
        """Return the rows of a batch, in parts with at most `SCORES` scores."""
        X, y, targets = self._cache.get(number) or self._read_batch(number)
        X = csr_array((X.data.astype(np.float64), X.indices, X.indptr), shape=X.shape)
        weights = None if self._class_weights is None else weigh(self._class_weights, y)
        if len(y) <= self._size:
            return [Rows(X, y, weights, targets)]
        parts = []
        for start in range(0, len(y), self._size):
            part = slice(start, start + self._size)
            part_weights = None if weights is None else weights[part]
            part_targets = None if targets is None else targets[part]
            parts.append(Rows(X[part], y[part], part_weights, part_targets))
        return parts

    def _read_batch(self, number: int) -> Batch:
        """Return features, classes and targets of a batch, and keep them if there is room.

        Counts up to 255 are kept in a byte each.
        """
        batch = as_sparse(self._train.readers[number]())
        X, y = batch.X, batch.y
        if X.dtype.kind == "i" and X.data.max(initial=0) <= np.iinfo(np.uint8).max:
            X = csr_array((X.data.astype(np.uint8), X.indices, X.indptr), shape=X.shape)
        size = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes + y.nbytes
        size += 0 if batch.targets is None else batch.targets.nbytes
        if size <= self._room:
            self._room -= size
            self._cache[number] = X, y, batch.targets
        return X, y, batch.targets
