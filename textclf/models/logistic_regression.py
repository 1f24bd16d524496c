"""Logistic regression, as scikit-learn has it: the lesson's "better results without a neural network"."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf import params, portable
from textclf.errors import UserError
from textclf.models import FOLDS, row_weights
from textclf.portable import Portable

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression as Estimator

    from textclf.features import Features


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


def fit(
    train: "Features",
    watched: "Features",  # noqa: ARG001 (it watches none)
    settings: params.LogisticRegression,
) -> LogisticRegression:
    """scikit-learn's estimator fitted on the training rows.

    Of several values of C it takes the one with the lowest log loss in a stratified cross-validation of
    `FOLDS` folds inside the training rows; the vocabulary is that of all of them. `UserError` where a class
    has fewer rows than there are folds.
    """
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
