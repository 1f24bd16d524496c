"""A linear support vector machine, scikit-learn's LinearSVC, with calibrated scores."""

from pydantic import Field

from textclf.artifacts.dataset import Dataset
from textclf.core.settings import Positive
from textclf.models.common.calibrated import CalibratedSettings, fit_calibrated, make_svm
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.settings import CLASS_WEIGHT, ClassWeight

KIND = "a linear support vector machine with calibrated scores"
ACCEPTS = ("sparse", "dense")


class Settings(CalibratedSettings):
    """A linear SVM, named as in scikit-learn's LinearSVC, with calibrated scores."""

    C: Positive = Field(1.0, description="inverse strength of the regularisation")
    class_weight: ClassWeight = Field(None, description=CLASS_WEIGHT)


def fit(train: Dataset, _watched: Dataset | None, settings: Settings, _folders: Folders) -> Fitted:
    """Return the SVM of `make_svm`, fitted on the training rows; classes one against the rest."""
    rows = train.all("linear_svm")
    return fit_calibrated(make_svm(settings.C, *rows.X.shape), rows, settings.class_weight)
