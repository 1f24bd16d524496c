"""Multinomial naive Bayes, scikit-learn's MultinomialNB."""

import numpy as np
from pydantic import Field

from textclf.artifacts import layers
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.layers import SIGMOIDS
from textclf.core.progress import track
from textclf.core.settings import Positive
from textclf.models.common.class_weights import class_weights, problems, weigh
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.settings import CLASS_WEIGHT, ClassWeight, ModelSettings

KIND = "multinomial naive Bayes"
ACCEPTS = ("sparse",)


class Settings(ModelSettings):
    """Multinomial naive Bayes, named as in scikit-learn's MultinomialNB."""

    alpha: Positive = Field(
        1.0, description="added to each count; a smaller value trusts rare terms more"
    )
    class_weight: ClassWeight = Field(None, description=CLASS_WEIGHT)


def fit(train: Dataset, _watched: Dataset | None, settings: Settings, _folders: Folders) -> Fitted:
    """Return scikit-learn's estimator fitted batch by batch, one per label.

    It takes tf-idf weights as counts.
    """
    from sklearn.naive_bayes import MultinomialNB

    weights = class_weights(train, settings.class_weight)
    problem_count = len(train.classes) if train.multilabel else 1
    estimators = [MultinomialNB(alpha=settings.alpha) for _ in range(problem_count)]
    for part in track(train.batches(), "naive_bayes", len(train), "shard"):
        of_rows = None if weights is None else weigh(weights, part.y)
        for estimator, (rows, row_weights) in zip(estimators, problems(part, of_rows), strict=True):
            estimator.partial_fit(rows.X, rows.y, np.arange(len(rows.classes)), row_weights)
    # One layer of log probabilities: of each term in each class, and of the classes; of labels, of
    # their log odds.
    if train.multilabel:
        activation = SIGMOIDS
        coef = np.vstack([np.diff(estimator.feature_log_prob_, axis=0) for estimator in estimators])
        intercept = np.concatenate(
            [np.diff(estimator.class_log_prior_) for estimator in estimators]
        )
    else:
        activation = "softmax"
        coef, intercept = estimators[0].feature_log_prob_, estimators[0].class_log_prior_
    model = layers.linear(train.classes, coef, intercept, activation)
    return Fitted(model, {"parameters": coef.size + intercept.size})
