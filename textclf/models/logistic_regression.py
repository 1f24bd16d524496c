"""Logistic regression, as scikit-learn has it: the lesson's "better results without a neural network"."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf import params

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
    def record(self) -> Mapping[str, int]:
        """Coefficients and intercepts; steps of the solver."""
        return {
            "parameters": self.estimator.coef_.size + self.estimator.intercept_.size,
            "iterations": int(self.estimator.n_iter_.max()),
        }

    def predict_proba(self, X: csr_array) -> NDArray[np.float64]:
        """Probabilities by the logistic function, or softmax beyond two classes."""
        probabilities: NDArray[np.float64] = self.estimator.predict_proba(X)
        return probabilities

    def save(self, folder: Path) -> None:
        """Write model.npz: `coef` (1 or classes, features), `intercept` (1 or classes,), `classes`."""
        with (folder / "model.npz").open("wb") as file:
            np.savez(
                file,
                allow_pickle=False,
                coef=self.estimator.coef_,
                intercept=self.estimator.intercept_,
                classes=self.classes,
            )


def fit(train: "Features", watched: "Features", settings: params.LogisticRegression) -> LogisticRegression:  # noqa: ARG001
    """scikit-learn's estimator fitted on the training rows; it watches none."""
    from sklearn.linear_model import LogisticRegression as Estimator

    return LogisticRegression(train.classes, Estimator(**settings.model_dump()).fit(train.X, train.y))
