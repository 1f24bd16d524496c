"""The fit of logistic regression, on all rows together or batch by batch."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import iadd
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.sparse import csr_array
from scipy.special import expit, inv_boxcox, log_expit, logit, xlogy

from textclf.artifacts import layers
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.decisions import logarithms
from textclf.artifacts.features import Features, as_sparse, in_double
from textclf.artifacts.layers import SIGMOIDS
from textclf.artifacts.temperature import fit_temperature
from textclf.core import resources, workers
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
# Sizes of a batch in memory while it is summed.
COPIES = 3

Array = NDArray[np.float64]


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
    # The predictions of a teacher are too many to send them with each batch to a cluster.
    remote = settings.teacher is None
    parameters, passes = minimize_on_stream(train, shape, weights, C, settings.max_iter, remote)
    coefficients = parameters.reshape(len(parameters), -1).T
    return _fitted(train, coefficients[:, :-1], coefficients[:, -1], {"passes": passes, "C": C})


def parameter_shape(features: int, classes: int) -> tuple[int, ...]:
    """Return the shape of the parameters, as `Rows.sums` takes them."""
    return (features + 1,) if classes == 2 else (features + 1, classes)


def choose_strength(parts: Sequence[Problem], settings: Any) -> float:
    """Return the value of C, one of several, with the lowest log loss, summed over all labels.

    It is the mean over the held-out rows of `FOLDS` folds, or of as many as the smallest class has
    rows, with the temperature that fits them best: a larger C makes probabilities bolder, which a
    temperature corrects, but also the order of the classes better or worse, which it can't. A label
    with fewer than `FEWEST_CLASS_ROWS` rows has no say; if there is no other, it is the middle
    value.
    """
    from sklearn import exceptions, linear_model, model_selection

    losses, least = np.zeros(len(settings.C)), 0
    for part, weights in parts:
        X, y, targets = in_double(part.X), part.y, part.targets
        fewest = int(np.bincount(y, minlength=len(part.classes)).min())
        least = max(least, fewest)
        if fewest < FEWEST_CLASS_ROWS:
            continue
        folds = [*model_selection.StratifiedKFold(min(FOLDS, fewest)).split(y, y)]
        probabilities: list[list[Array]] = [[] for _ in settings.C]
        for fitted, held_out in folds:
            new_texts = as_new_texts(X[fitted], X[held_out])
            fitted_weights = None if weights is None else weights[fitted]
            fitted_targets = None if targets is None else targets[fitted]
            for C, of_folds in zip(settings.C, probabilities, strict=True):
                estimator = linear_model.LogisticRegression(C=C, max_iter=settings.max_iter)
                with warnings.catch_warnings():
                    # The fit on all rows will warn.
                    warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
                    _fit(estimator, X[fitted], y[fitted], fitted_weights, fitted_targets)
                of_folds.append(estimator.predict_proba(new_texts))
        actual = y[np.concatenate([held_out for _, held_out in folds])]
        losses += [_calibrated_loss(actual, np.concatenate(each)) for each in probabilities]
    if least < FEWEST_CLASS_ROWS:
        middle = settings.C[len(settings.C) // 2]
        warnings.warn(
            f"a class has {least} training row, too few to choose C by; it is {middle:g}",
            stacklevel=2,
        )
        return float(middle)
    return float(settings.C[int(losses.argmin())])


def _calibrated_loss(y: NDArray[np.integer], probabilities: Array) -> float:
    """Return the mean log loss of rows with the temperature that fits them best."""
    calibrated = fit_temperature(y.astype(np.int64), probabilities).apply(probabilities)
    return -float(logarithms(calibrated[np.arange(len(y)), y]).mean())


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
        else:
            scores -= scores.max(axis=1, keepdims=True)
            # The exponential of the C library: that of numpy depends on the CPU of a worker that
            # imported numpy before textclf.
            slopes = inv_boxcox(scores, 0.0)
            sums = slopes.sum(axis=1, keepdims=True)
            slopes /= sums
            scores -= xlogy(1.0, sums)
            if self.targets is not None:
                losses = -(self.targets * scores).sum(axis=1)
                slopes -= self.targets
            else:
                actual = (np.arange(len(self.y)), self.y)
                losses = -scores[actual]
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
    train: Dataset,
    shape: tuple[int, ...],
    class_weights: Array | None,
    C: float,
    max_iter: int,
    remote: bool = True,
) -> tuple[Array, int]:
    """Return the parameters near the minimum of the objective, and the number of passes.

    The objective is that of scikit-learn's LogisticRegression. `shape` is that of the parameters in
    `Rows.sums`; `class_weights` is that of the module of this name. The solver works on features
    less their means and divided by the root of the objective's curvature: some 15 to 25 steps then
    come nearer to the minimum than 100 without. Unless `remote`, the rows stay in this process.
    """
    totals = count_rows(train) * (1.0 if class_weights is None else class_weights)
    sums = totals.sum(axis=0)  # of each label
    total, shares = float(np.mean(sums)), totals / sums
    penalty = 1 / (C * total)  # of half the squared weights
    start = np.zeros(shape)
    if train.multilabel:
        # Without this the first steps would only learn how rare each label is.
        start[-1] = logit(shares[1])
    # Bytes of a batch while it is summed: an npz is not compressed.
    memory = COPIES * train.size // len(train)
    tasks = [(read,) for read in train.readers]
    with workers.keep(read_batch, tasks, "logistic_regression", memory, remote) as batches:
        first = batches.sum(sum_batch, _sums_with_moments, class_weights, start, total)
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
                sums = batches.sum(sum_batch, Rows.sums, class_weights, parameters, total)
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
        return features.parameters(length * solution.x), batches.passes


def _sums_with_moments(rows: Rows, parameters: Array, total: float) -> Array:
    """Return the sums of the rows, and their shares in each feature's mean and mean square."""
    X, weights = rows.X, np.ones(len(rows.y)) if rows.weights is None else rows.weights
    weights = (weights if weights.ndim == 1 else weights.mean(axis=1)) / total
    squared = csr_array((X.data**2, X.indices, X.indptr), shape=X.shape)
    return np.concatenate([rows.sums(parameters, total), X.T @ weights, squared.T @ weights])


class Batch(NamedTuple):
    """Rows of a batch as they are kept: counts up to 255 take a byte each."""

    X: csr_array
    y: NDArray[np.integer]
    targets: Array | None

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays."""
        targets = 0 if self.targets is None else self.targets.nbytes
        return (
            self.X.data.nbytes
            + self.X.indices.nbytes
            + self.X.indptr.nbytes
            + (self.y.nbytes + targets)
        )


def read_batch(read: Callable[[], Features]) -> Batch:
    """Return the rows that a reader reads, to be kept."""
    rows = as_sparse(read())
    X = rows.X
    if X.dtype.kind == "i" and X.data.max(initial=0) <= np.iinfo(np.uint8).max:
        X = csr_array((X.data.astype(np.uint8), X.indices, X.indptr), shape=X.shape)
    return Batch(X, rows.y, rows.targets)


def sum_batch(
    batch: Batch,
    function: Callable[..., Array],
    class_weights: Array | None,
    parameters: Array,
    total: float,
) -> Array:
    """Return the sum of a function of `Rows`, in parts with at most `SCORES` scores."""
    X, y, targets = batch
    X = csr_array((X.data.astype(np.float64), X.indices, X.indptr), shape=X.shape)
    weights = None if class_weights is None else weigh(class_weights, y)
    # Scores of a row: one with two classes.
    step = max(1, SCORES // (parameters.shape[1] if parameters.ndim > 1 else 1))
    if len(y) <= step:
        return function(Rows(X, y, weights, targets), parameters, total)
    sums = []
    for start in range(0, len(y), step):
        part = slice(start, start + step)
        part_weights = None if weights is None else weights[part]
        part_targets = None if targets is None else targets[part]
        sums.append(function(Rows(X[part], y[part], part_weights, part_targets), parameters, total))
    return reduce(iadd, sums)
