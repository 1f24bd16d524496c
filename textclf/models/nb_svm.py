"""The SVM on naive Bayes features, a strong baseline for short texts.

Wang & Manning (2012), Baselines and Bigrams: Simple, Good Sentiment and Topic Classification, ACL, 90-94.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from textclf import params
from textclf.models import Calibrated, calibrated

if TYPE_CHECKING:
    from textclf.vectorize.features import Features


def fit(train: "Features", watched: "Features", settings: params.NBSVM) -> Calibrated:  # noqa: ARG001 (it watches none)
    """The classifier fitted on the training rows; more than two classes one against the rest."""
    return calibrated(estimator(settings), train, settings.class_weight, presence=True)


def log_ratios(presence: csr_array, positive: NDArray[np.bool_], alpha: float) -> NDArray[np.float64]:
    """The logarithm of how much likelier each term (features,) is in the positive rows than in the others.

    `presence` (rows, features) is 1 where a term is there; `alpha` is added to each count.
    """
    p, q = (alpha + presence[np.flatnonzero(side)].sum(axis=0) for side in (positive, ~positive))
    ratios: NDArray[np.float64] = np.log(p) - np.log(p.sum()) - (np.log(q) - np.log(q.sum()))
    return ratios


def interpolated(weights: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """`beta` of the SVM's weights (features,), the rest their mean magnitude."""
    mixed: NDArray[np.float64] = (1 - beta) * np.abs(weights).mean() + beta * weights
    return mixed


def estimator(settings: params.NBSVM) -> Any:
    """The classifier, not yet fitted, as scikit-learn's meta-estimators take it."""
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.svm import LinearSVC

    class NBSVM(ClassifierMixin, BaseEstimator):
        def fit(self, X: csr_array, y: NDArray[np.int64], sample_weight: NDArray[np.float64] | None = None) -> Any:
            self.classes_ = np.unique(y)
            presence = csr_array((X > 0).astype(np.float64))
            coef, intercept = [], []
            for name in self.classes_[1:] if len(self.classes_) == 2 else self.classes_:
                ratios = log_ratios(presence, y == name, settings.alpha)
                svm = LinearSVC(C=settings.C, dual=False).fit(presence @ diags_array(ratios), y == name, sample_weight)
                coef.append(ratios * interpolated(svm.coef_[0], settings.beta))
                intercept.append(svm.intercept_[0])
            self.coef_, self.intercept_ = np.array(coef), np.array(intercept)
            return self

        def decision_function(self, X: csr_array) -> NDArray[np.float64]:
            scores: NDArray[np.float64] = (X > 0).astype(np.float64) @ self.coef_.T + self.intercept_
            return scores[:, 0] if len(self.classes_) == 2 else scores

        def predict(self, X: csr_array) -> NDArray[np.int64]:
            raise NotImplementedError  # the cross-validation wants it to be there, and takes the scores

    return NBSVM()
