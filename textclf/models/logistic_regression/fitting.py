"""The fit of logistic regression, on all rows together or batch by batch."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from textclf.artifacts import layers
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features, in_double
from textclf.core import resources
from textclf.models.common.calibrated import FEWEST, FOLDS
from textclf.models.common.class_weights import class_weights, row_weights
from textclf.models.common.fitted import Fitted
from textclf.models.common.held_out import as_new_texts
from textclf.models.logistic_regression.stream import Array, minimize_on_stream

VECTORS = 24  # of all parameters in the memory of lbfgs, measured


def in_memory(train: Features, counts: NDArray[np.int64], settings: Any) -> Fitted:
    """Return scikit-learn's LogisticRegression of all training rows; `counts` are rows per class.

    A penalty of several strengths is chosen by `choose_strength`.
    """
    shape = parameter_shape(train.X.shape[1], len(train.classes))
    purpose = f"lbfgs with {train.X.shape[1]:,} features x {len(train.classes):,} classes (stream takes less)"
    resources.require_memory(VECTORS * 8 * int(np.prod(shape)), purpose)
    weights = row_weights(train, settings.class_weight)
    C = settings.C if isinstance(settings.C, float) else choose_strength(train, counts, weights, settings)
    estimator = LogisticRegression(C=C, max_iter=settings.max_iter)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        estimator.fit(in_double(train.X), train.y, sample_weight=weights)
    steps = int(estimator.n_iter_[0])
    if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
        warnings.warn(f"logistic regression has not converged after {steps} steps; raise max_iter", stacklevel=2)
    return _fitted(train.classes, estimator.coef_, estimator.intercept_, {"iterations": steps, "C": C})


def on_stream(train: Dataset, C: float, settings: Any) -> Fitted:
    """Return the model fitted batch by batch: see `minimize_on_stream`."""
    features, classes = train.columns, len(train.classes)
    shape = parameter_shape(features, classes)
    purpose = f"logistic regression with {features:,} features x {classes:,} classes"
    resources.require_memory(VECTORS * 8 * int(np.prod(shape)), purpose)
    weights = class_weights(train.classes, train.counts, settings.class_weight)
    parameters, passes = minimize_on_stream(train, shape, weights, C, settings.max_iter)
    coefficients = parameters.reshape(len(parameters), -1).T
    return _fitted(train.classes, coefficients[:, :-1], coefficients[:, -1], {"passes": passes, "C": C})


def parameter_shape(features: int, classes: int) -> tuple[int, ...]:
    """Return the shape of the parameters, as `Rows.sums` takes them."""
    return (features + 1,) if classes == 2 else (features + 1, classes)


def choose_strength(train: Features, counts: NDArray[np.int64], weights: Array | None, settings: Any) -> float:
    """Return the value of C, one of several, with the lowest mean log loss over the held-out rows of some folds.

    They are `FOLDS` folds, or as many as the smallest class has rows. With fewer than `FEWEST` it is the middle one.
    """
    if (fewest := int(counts.min())) < FEWEST:
        middle = settings.C[len(settings.C) // 2]
        warnings.warn(f"a class has {fewest} training row, too few to choose C by; it is {middle:g}", stacklevel=2)
        return float(middle)
    X, y = in_double(train.X), train.y
    losses = np.zeros(len(settings.C))
    for fitted, held_out in StratifiedKFold(min(FOLDS, fewest)).split(y, y):
        rows = as_new_texts(X[fitted], X[held_out])
        for place, C in enumerate(settings.C):
            estimator = LogisticRegression(C=C, max_iter=settings.max_iter)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the fit to all rows will warn
                estimator.fit(X[fitted], y[fitted], sample_weight=None if weights is None else weights[fitted])
            losses[place] += log_loss(y[held_out], estimator.predict_proba(rows), labels=estimator.classes_)
    return float(settings.C[int(losses.argmin())])


def _fitted(classes: NDArray[np.str_], weights: Array, intercepts: Array, record: dict[str, int | float]) -> Fitted:
    """Return the weights, of the positive class or of each one, (1 or classes, features), as one layer."""
    model = layers.linear(classes, weights, intercepts, "sigmoid" if len(classes) == 2 else "softmax")
    return Fitted(model, {"parameters": weights.size + intercepts.size, **record})
