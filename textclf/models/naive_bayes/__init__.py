"""Multinomial naive Bayes, scikit-learn's MultinomialNB."""

import numpy as np
from pydantic import Field

from textclf.artifacts import layers
from textclf.artifacts.dataset import Dataset
from textclf.core.progress import track
from textclf.core.settings import Positive
from textclf.models.common.class_weights import class_weights
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.settings import CLASS_WEIGHT, ClassWeight, ModelSettings

KIND = "multinomial naive Bayes"
ACCEPTS = ("sparse",)


class Settings(ModelSettings):
    """Multinomial naive Bayes, named as in scikit-learn's MultinomialNB."""

    alpha: Positive = Field(1.0, description="added to each count; a smaller value trusts rare terms more")
    class_weight: ClassWeight = Field(None, description=CLASS_WEIGHT)


def fit(train: Dataset, _watched: Dataset | None, settings: Settings, _folders: Folders) -> Fitted:
    """Return scikit-learn's estimator fitted batch by batch; tf-idf weights are treated as counts."""
    from sklearn.naive_bayes import MultinomialNB

    weights = class_weights(train.classes, train.counts, settings.class_weight)
    estimator = MultinomialNB(alpha=settings.alpha)
    for part in track(train.batches(), "naive_bayes", len(train), "shard"):
        row_weights = None if weights is None else weights[part.y]
        estimator.partial_fit(part.X, part.y, np.arange(len(train.classes)), row_weights)
    # One layer of log probabilities: of each term in each class, and of the classes.
    coef, intercept = estimator.feature_log_prob_, estimator.class_log_prior_
    model = layers.linear(train.classes, coef, intercept, "softmax")
    return Fitted(model, {"parameters": coef.size + intercept.size})
