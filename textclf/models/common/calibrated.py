"""Linear classifiers whose scores are made probabilities by sigmoids."""

from typing import Any

import numpy as np

from textclf.artifacts import layers
from textclf.artifacts.features import Features, in_double
from textclf.artifacts.layers import SIGMOIDS
from textclf.core.errors import UserError
from textclf.models.common.class_weights import problems, row_weights
from textclf.models.common.fitted import Fitted
from textclf.models.common.settings import ClassWeight, ModelSettings

# Folds of a cross-validation inside the training rows.
FOLDS = 5
# Fewest rows of each class to calibrate by.
FEWEST_CLASS_ROWS = 2
# Where the dual solver stops: on short texts its objective is then closer to the optimum than the
# primal solver's.
DUAL_TOLERANCE = 1e-2
DUAL_STEPS = 2000


class CalibratedSettings(ModelSettings):
    """Base of the settings of calibrated models."""

    takes_class_texts = False  # the calibration would measure them

    def rows_per_class(self) -> int:
        """Return `FEWEST_CLASS_ROWS`."""
        return FEWEST_CLASS_ROWS


def make_svm(C: float, rows: int, columns: int) -> Any:
    """Return an unfitted LinearSVC with squared hinge loss.

    It has the faster solver for a matrix of this shape.
    """
    from sklearn.svm import LinearSVC

    if rows < columns:
        return LinearSVC(C=C, dual=True, tol=DUAL_TOLERANCE, max_iter=DUAL_STEPS, random_state=0)
    return LinearSVC(C=C, dual=False)


def fit_calibrated(
    estimator: Any, train: Features, class_weight: ClassWeight, presence: bool = False
) -> Fitted:
    """Return a linear classifier of scikit-learn's kind, fitted and calibrated on training rows.

    The sigmoids are those of scikit-learn's CalibratedClassifierCV (Platt 1999), fitted to scores
    of held-out rows in `FOLDS` folds, or as many as the smallest class has rows. With `presence`
    the classifier takes 1 for each term that occurs. Raises `UserError` if a class has fewer than
    `FEWEST_CLASS_ROWS` rows.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold

    X, fits = in_double(train.X), []
    for rows, weights in problems(train, row_weights(train, class_weight)):
        counts = np.bincount(rows.y, minlength=len(rows.classes))
        fewest = int(counts.min())
        if fewest < FEWEST_CLASS_ROWS:
            raise UserError(
                f"each class must have at least {FEWEST_CLASS_ROWS} training rows to calibrate by; "
                f"{rows.classes[counts.argmin()]} has {fewest}"
            )
        folds = StratifiedKFold(min(FOLDS, fewest))
        calibration = CalibratedClassifierCV(estimator, cv=folds, ensemble=False)
        fits += calibration.fit(X, rows.y, sample_weight=weights).calibrated_classifiers_
    coef = np.concatenate([fit.estimator.coef_ for fit in fits])
    intercept = np.concatenate([fit.estimator.intercept_ for fit in fits])
    sigmoids = [sigmoid for fit in fits for sigmoid in fit.calibrators]
    # scikit-learn's have the opposite sign.
    slope = np.array([-sigmoid.a_ for sigmoid in sigmoids])
    offset = np.array([-sigmoid.b_ for sigmoid in sigmoids])
    activation = "sigmoid" if len(intercept) == 1 else "sigmoid_shares"
    if train.multilabel:
        activation = SIGMOIDS
    weights, bias = coef * slope[:, None], intercept * slope + offset
    model = layers.linear(train.classes, weights, bias, activation, presence=presence)
    return Fitted(model, {"parameters": coef.size + intercept.size + slope.size + offset.size})
