"""Multinomial naive Bayes, as scikit-learn has it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf import params
from textclf.artifacts import layers as portable
from textclf.artifacts.layers import Portable
from textclf.core.progress import counted
from textclf.models import class_weights, count_classes, row_weights

if TYPE_CHECKING:
    from sklearn.naive_bayes import MultinomialNB

    from textclf.vectorize.features import Features, Shards


class NaiveBayes:
    """A fitted scikit-learn MultinomialNB."""

    history = None

    def __init__(self, classes: NDArray[np.str_], estimator: "MultinomialNB") -> None:
        """Keep the estimator and the names of its classes."""
        self.classes = classes
        self.estimator = estimator

    @property
    def record(self) -> Mapping[str, int | float]:
        """Logarithms of the probabilities of terms and classes."""
        return {"parameters": self.estimator.feature_log_prob_.size + self.estimator.class_log_prior_.size}

    def summary(self) -> str:
        """The record, on a line."""
        return f"parameters {self.record['parameters']}"

    def predict_proba(self, X: csr_array) -> NDArray[np.float64]:
        """Bayes' rule on terms taken as independent."""
        probabilities: NDArray[np.float64] = self.estimator.predict_proba(X)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return probabilities

    def portable(self) -> Portable:
        """One layer of logarithms: of each term's probability in each class, and of the classes'."""
        estimator = self.estimator
        return portable.linear(self.classes, estimator.feature_log_prob_, estimator.class_log_prior_, "softmax")

    def save(self, folder: Path) -> None:
        """Write the files of `portable.write`: kernel_1 is scikit-learn's `feature_log_prob_`, transposed."""
        portable.write(self.portable(), folder)


def fit(train: "Features", watched: "Features", settings: params.NaiveBayes) -> NaiveBayes:  # noqa: ARG001 (it watches none)
    """scikit-learn's estimator fitted on the training rows; it takes tf-idf for counts."""
    from sklearn.naive_bayes import MultinomialNB

    estimator = MultinomialNB(alpha=settings.alpha)
    return NaiveBayes(train.classes, estimator.fit(train.X, train.y, row_weights(train, settings.class_weight)))


def fit_stream(train: "Shards", watched: "Shards", settings: params.NaiveBayes, scratch: Path) -> NaiveBayes:  # noqa: ARG001
    """The same of shards: the counts of each are added up, which of whole numbers is the same to the bit."""
    from sklearn.naive_bayes import MultinomialNB

    classes, counts = count_classes(train)
    weights = class_weights(classes, counts, settings.class_weight)
    estimator = MultinomialNB(alpha=settings.alpha)
    for part in counted(train, "naive_bayes", len(train), "shard"):
        estimator.partial_fit(part.X, part.y, np.arange(len(classes)), None if weights is None else weights[part.y])
    return NaiveBayes(classes, estimator)
