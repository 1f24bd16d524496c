"""The fit of logistic regression, on all rows together or batch by batch."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from textclf.artifacts import layers
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features, in_double
from textclf.core import resources
from textclf.core.errors import UserError
from textclf.models.common.calibrated import FOLDS
from textclf.models.common.class_weights import class_weights, row_weights
from textclf.models.common.fitted import Fitted
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
    """Return the best of several values of C, as scikit-learn's GridSearchCV chooses.

    Raises `UserError` if a class has fewer rows than there are folds.
    """
    if (fewest := counts.min()) < FOLDS:
        raise UserError(f"a class must have at least {FOLDS} training rows to choose C by; one has {fewest}")
    search = GridSearchCV(
        LogisticRegression(max_iter=settings.max_iter),
        {"C": list(settings.C)},
        scoring="neg_log_loss",
        cv=StratifiedKFold(FOLDS),
        refit=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the fit to all rows will warn
        best = search.fit(in_double(train.X), train.y, sample_weight=weights).best_params_
    return float(best["C"])


def _fitted(classes: NDArray[np.str_], weights: Array, intercepts: Array, record: dict[str, int | float]) -> Fitted:
    """Return the weights, of the positive class or of each one, (1 or classes, features), as one layer."""
    model = layers.linear(classes, weights, intercepts, "sigmoid" if len(classes) == 2 else "softmax")
    return Fitted(model, {"parameters": weights.size + intercepts.size, **record})
