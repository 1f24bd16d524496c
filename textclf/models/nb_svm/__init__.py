"""The SVM on naive Bayes features, a strong baseline for short texts.

Wang & Manning (2012), Baselines and Bigrams: Simple, Good Sentiment and Topic Classification, ACL,
90-94.
"""

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from textclf.artifacts.dataset import Dataset
from textclf.core.settings import Positive
from textclf.models.common.calibrated import CalibratedSettings, fit_calibrated, make_svm
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.settings import CLASS_WEIGHT, ClassWeight

if TYPE_CHECKING:
    from scipy.sparse import csr_array

KIND = (
    "a support vector machine on naive Bayes features (Wang and Manning, 2012), "
    "with calibrated scores"
)
ACCEPTS = ("sparse",)


class Settings(CalibratedSettings):
    """An SVM on terms weighted by naive Bayes, calibrated; suits ngram_range [1, 2] or [1, 3]."""

    C: Positive = Field(1.0, description="inverse strength of the regularisation")
    alpha: Positive = Field(
        1.0,
        description="added to each count in the ratios; "
        "of several classes, to a class's own by its share of rows",
    )
    beta: Annotated[float, Field(ge=0, le=1)] = Field(
        0.25,
        description="share of the SVM's own weights; "
        "the rest is their mean size, which leans to naive Bayes",
    )
    class_weight: ClassWeight = Field(None, description=CLASS_WEIGHT)


def fit(train: Dataset, _watched: Dataset | None, settings: Settings, _folders: Folders) -> Fitted:
    """Return the classifier fitted on the training rows; several classes one against the rest."""
    estimator = make_estimator(settings, train.multilabel or len(train.classes) > 2)
    return fit_calibrated(estimator, train.all("nb_svm"), settings.class_weight, presence=True)


def log_ratios(
    presence: "csr_array", positive: NDArray[np.bool_], alpha: float, several: bool
) -> NDArray[np.float64]:
    """Return the log-count ratio of each term, (features,).

    It says how much likelier the term is in positive rows than in others. `presence` (rows,
    features) is 1 where a term occurs; `alpha` is added to each count. Of one of `several` classes
    or labels, whose rows are few, their counts get `alpha` times their share per other row: with
    the same `alpha` on both sides, rare terms which the class lacks would be signs of it.
    """
    own = alpha * positive.sum() / (~positive).sum() if several else alpha
    p = own + presence[np.flatnonzero(positive)].sum(axis=0)
    q = alpha + presence[np.flatnonzero(~positive)].sum(axis=0)
    return np.asarray(np.log(p) - np.log(p.sum()) - (np.log(q) - np.log(q.sum())))


def interpolate(weights: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """Return `beta` of the SVM's weights (features,) plus 1 - `beta` of their mean magnitude."""
    return np.asarray((1 - beta) * np.abs(weights).mean() + beta * weights)


def make_estimator(settings: Settings, several: bool) -> Any:
    """Return the unfitted classifier in the form that scikit-learn's meta-estimators take."""
    from scipy.sparse import csr_array, diags_array
    from sklearn.base import BaseEstimator, ClassifierMixin

    class NBSVM(ClassifierMixin, BaseEstimator):
        def fit(
            self,
            X: csr_array,
            y: NDArray[np.int64],
            sample_weight: NDArray[np.float64] | None = None,
        ) -> Any:
            self.classes_ = np.unique(y)
            presence = csr_array((X > 0).astype(np.float64))
            coef, intercept = [], []
            # Of two classes the second is positive; of more, each is against the rest.
            positive_classes = self.classes_ if len(self.classes_) > 2 else self.classes_[1:]
            for name in positive_classes:
                ratios = log_ratios(presence, y == name, settings.alpha, several)
                weighted = presence @ diags_array(ratios)
                svm = make_svm(settings.C, *X.shape).fit(weighted, y == name, sample_weight)
                coef.append(ratios * interpolate(svm.coef_[0], settings.beta))
                intercept.append(svm.intercept_[0])
            self.coef_, self.intercept_ = np.array(coef), np.array(intercept)
            return self

        def decision_function(self, X: csr_array) -> NDArray[np.float64]:
            presence = (X > 0).astype(np.float64)
            scores: NDArray[np.float64] = presence @ self.coef_.T + self.intercept_
            return scores[:, 0] if len(self.classes_) == 2 else scores

        def predict(self, X: csr_array) -> NDArray[np.int64]:
            # The cross-validation requires the method, but uses the scores.
            raise NotImplementedError

    return NBSVM()
