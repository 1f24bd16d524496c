"""A linear support vector machine, as scikit-learn has it."""

from typing import TYPE_CHECKING

from textclf import params
from textclf.models import Calibrated, calibrated

if TYPE_CHECKING:
    from textclf.vectorize.features import Features


def fit(train: "Features", watched: "Features", settings: params.LinearSVM) -> Calibrated:  # noqa: ARG001 (it watches none)
    """scikit-learn's LinearSVC with its squared hinge loss, fitted on the training rows; more classes one by one.

    The primal problem is solved, whose solver draws no random numbers.
    """
    from sklearn.svm import LinearSVC

    return calibrated(LinearSVC(C=settings.C, dual=False), train, settings.class_weight)
