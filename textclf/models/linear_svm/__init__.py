"""A linear support vector machine, scikit-learn's LinearSVC, with calibrated scores."""

from typing import TYPE_CHECKING

from pydantic import Field

from textclf.core.settings import Positive
from textclf.models.common.calibrated import CalibratedSettings, fit_calibrated, make_svm
from textclf.models.common.fitted import Fitted
from textclf.models.common.settings import CLASS_WEIGHT, ClassWeight

if TYPE_CHECKING:
    from textclf.artifacts.features import Features

KIND = "a linear support vector machine with calibrated scores"
ACCEPTS = ("sparse", "dense")


class Settings(CalibratedSettings):
    """A linear SVM, named as in scikit-learn's LinearSVC, with calibrated scores."""

    C: Positive = Field(1.0, description="inverse strength of the regularisation")
    class_weight: ClassWeight = Field(None, description=CLASS_WEIGHT)


def fit(train: "Features", watched: "Features", settings: Settings) -> Fitted:  # noqa: ARG001 (it watches none)
    """Return the SVM of `make_svm`, fitted on the training rows; several classes one against the rest."""
    return fit_calibrated(make_svm(settings.C, *train.X.shape), train, settings.class_weight)
