"""Multinomial naive Bayes, scikit-learn's MultinomialNB."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from textclf.artifacts import layers
from textclf.core.progress import track
from textclf.core.settings import Positive
from textclf.models.common.class_weights import class_weights, count_classes, row_weights
from textclf.models.common.fitted import Fitted
from textclf.models.common.settings import CLASS_WEIGHT, ClassWeight, ModelSettings

if TYPE_CHECKING:
    from textclf.artifacts.features import Features
    from textclf.artifacts.shards import Shards

KIND = "multinomial naive Bayes"
ACCEPTS = ("sparse",)


class Settings(ModelSettings):
    """Multinomial naive Bayes, named as in scikit-learn's MultinomialNB."""

    alpha: Positive = Field(1.0, description="added to each count; a smaller value trusts rare terms more")
    class_weight: ClassWeight = Field(None, description=CLASS_WEIGHT)


def fit(train: "Features", watched: "Features", settings: Settings) -> Fitted:  # noqa: ARG001 (it watches none)
    """Return scikit-learn's estimator fitted on the training rows; tf-idf weights are treated as counts."""
    from sklearn.naive_bayes import MultinomialNB

    estimator = MultinomialNB(alpha=settings.alpha)
    return _fitted(train.classes, estimator.fit(train.X, train.y, row_weights(train, settings.class_weight)))


def fit_stream(
    train: "Shards[Features]",
    watched: "Shards[Features]",  # noqa: ARG001 (it watches none)
    settings: Settings,
    scratch: Path,  # noqa: ARG001 (nothing to resume)
) -> Fitted:
    """Return the estimator fitted shard by shard; sums of whole counts are the same to the bit as in `fit`."""
    from sklearn.naive_bayes import MultinomialNB

    classes, counts = count_classes(train)
    weights = class_weights(classes, counts, settings.class_weight)
    estimator = MultinomialNB(alpha=settings.alpha)
    for part in track(train, "naive_bayes", len(train), "shard"):
        estimator.partial_fit(part.X, part.y, np.arange(len(classes)), None if weights is None else weights[part.y])
    return _fitted(classes, estimator)


def _fitted(classes: NDArray[np.str_], estimator: Any) -> Fitted:
    """Return one layer of log probabilities: of each term in each class, and of the classes."""
    coef, intercept = estimator.feature_log_prob_, estimator.class_log_prior_
    return Fitted(layers.linear(classes, coef, intercept, "softmax"), {"parameters": coef.size + intercept.size})
