"""The fit of logistic regression, on all rows together or batch by batch."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts import layers
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features, in_double
from textclf.artifacts.layers import SIGMOIDS
from textclf.core import resources
from textclf.models.common.calibrated import FEWEST_CLASS_ROWS, FOLDS
from textclf.models.common.class_weights import Problem, class_weights, problems, row_weights
from textclf.models.common.crossvalidation import as_new_texts
from textclf.models.common.fitted import Fitted
from textclf.models.logistic_regression.stream import Array, minimize_on_stream

LEAST_PROBABLE = 1e-3  # of a class that counts as one of a row with targets; more would only take longer
VECTORS = 24  # of all parameters in the memory of lbfgs, measured


def in_memory(train: Features, settings: Any) -> Fitted:
    """Return scikit-learn's LogisticRegression of all training rows, or one for each of several labels per text."""
    from sklearn import exceptions, linear_model  # takes long to import

    X, parts = in_double(train.X), problems(train, row_weights(train, settings.class_weight))
    shape = parameter_shape(train.X.shape[1], len(parts[0].rows.classes))
    purpose = f"lbfgs with {train.X.shape[1]:,} features x {len(train.classes):,} classes (stream takes less)"
    resources.require_memory(VECTORS * 8 * int(np.prod(shape)), purpose)
    C = settings.C if isinstance(settings.C, float) else choose_strength(parts, settings)
    fits = [linear_model.LogisticRegression(C=C, max_iter=settings.max_iter) for _ in parts]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", exceptions.ConvergenceWarning)
        for estimator, (rows, weights) in zip(fits, parts, strict=True):
            _fit(estimator, X, rows.y, weights, rows.targets)
    steps = max(int(estimator.n_iter_[0]) for estimator in fits)
    if any(issubclass(warning.category, exceptions.ConvergenceWarning) for warning in caught):
        warnings.warn(f"logistic regression has not converged after {steps} steps; raise max_iter", stacklevel=2)
    coef, intercept = (np.concatenate([getattr(fit, name) for fit in fits]) for name in ("coef_", "intercept_"))
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
    """Return the value of C, one of several, with the lowest log loss, summed over the problems of all labels.

    It is the mean over the held-out rows of `FOLDS` folds, or of as many as the smallest class has rows. A label with
    fewer than `FEWEST_CLASS_ROWS` rows has no say; if there is no other, it is the middle value.
    """
    from sklearn import exceptions, linear_model, metrics, model_selection

    losses, least = np.zeros(len(settings.C)), 0
    for part, weights in parts:
        X, y, others = in_double(part.X), part.y, (weights, part.targets)
        least = max(least, fewest := int(np.bincount(y, minlength=len(part.classes)).min()))
        folds = model_selection.StratifiedKFold(min(FOLDS, fewest)).split(y, y) if fewest >= FEWEST_CLASS_ROWS else ()
        for fitted, held_out in folds:
            rows = as_new_texts(X[fitted], X[held_out])
            for place, C in enumerate(settings.C):
                estimator = linear_model.LogisticRegression(C=C, max_iter=settings.max_iter)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", exceptions.ConvergenceWarning)  # the fit to all rows will warn
                    _fit(estimator, X[fitted], y[fitted], *(each if each is None else each[fitted] for each in others))
                losses[place] += metrics.log_loss(y[held_out], estimator.predict_proba(rows), labels=estimator.classes_)
    if least < FEWEST_CLASS_ROWS:
        middle = settings.C[len(settings.C) // 2]
        warnings.warn(f"a class has {least} training row, too few to choose C by; it is {middle:g}", stacklevel=2)
        return float(middle)
    return float(settings.C[int(losses.argmin())])


def _fit(estimator: Any, X: Any, y: NDArray[np.integer], weights: Array | None, targets: Array | None) -> None:
    """Fit an estimator to rows with a label each or, with targets, to a copy of the row for each probable class.

    A copy weighs as much as its class is probable, which is the same as the cross-entropy with the targets.
    """
    if targets is not None:
        rows, y = np.nonzero(targets >= LEAST_PROBABLE)
        shares = targets[rows, y] / np.bincount(rows, targets[rows, y])[rows]
        weights = shares if weights is None else shares * weights[rows]
        classes = np.arange(targets.shape[1])  # of which the estimator must know each
        X, y, weights = X[np.append(rows, 0 * classes)], np.append(y, classes), np.append(weights, 0.0 * classes)
    estimator.fit(X, y, sample_weight=weights)


def _fitted(train: Features | Dataset, weights: Array, intercepts: Array, record: dict[str, int | float]) -> Fitted:
    """Return the weights, of the positive class or of each class or label, (1 or classes, features), as one layer."""
    activation = SIGMOIDS if train.multilabel else "sigmoid" if len(train.classes) == 2 else "softmax"
    model = layers.linear(train.classes, weights, intercepts, activation)
    return Fitted(model, {"parameters": weights.size + intercepts.size, **record})
