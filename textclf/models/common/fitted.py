"""What fitting a model gives, and what the package of a model must offer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from textclf.artifacts import classifiers

if TYPE_CHECKING:
    import pandas as pd

    from textclf.artifacts.dataset import Dataset
    from textclf.models.common.settings import ModelSettings


@dataclass(frozen=True)
class Fitted:
    """A fitted model."""

    # A `textclf.artifacts.classifiers.Classifier`; each model knows of which form.
    layers: Any
    # Numbers about the training, among them `parameters`, the count of fitted numbers.
    record: Mapping[str, int | float]
    # Columns epoch (from 1), split (train or watched), loss and accuracy.
    history: "pd.DataFrame | None" = None
    # Writers of other files, such as model.keras, by their names.
    files: Mapping[str, Callable[[Path], None]] = field(default_factory=dict)
    # For people; by default the record on one line.
    summary: str = ""

    def write(self, folder: Path) -> None:
        """Write the files of the model into a folder."""
        classifiers.write(self.layers, folder)
        for name, write in self.files.items():
            write(folder / name)

    def __str__(self) -> str:
        """Return the summary."""
        return self.summary or ", ".join(f"{name} {value}" for name, value in self.record.items())


@dataclass(frozen=True)
class Folders:
    """What a fit may use besides rows."""

    # The folder of all pretrained weights.
    pretrained: Path
    # May keep what a fit needs to resume after a kill; the run that succeeds removes it.
    scratch: Path | None = None


class ModelPackage(Protocol):
    """The package of a model, textclf/models/<name>/.

    A package may also have `notes(settings)`, which returns sentences for the model card and the
    report on how the model was trained, and `CROSSVALIDATED`, the number of training rows up to
    which it is cross-validated to make choices, because more would take too long.
    """

    KIND: str  # what the model is, in a few words, for its card
    ACCEPTS: tuple[str, ...]  # kinds of features that it can be fitted on
    Settings: "type[ModelSettings]"

    def fit(
        self,
        train: "Dataset",
        watched: "Dataset | None",
        settings: "ModelSettings",
        folders: Folders,
    ) -> Fitted:
        """Return a model fitted on the training rows.

        It may look at the watched rows but must not learn from them. There are no watched rows in a
        cross-validation that makes choices, and in a fit for `export.refit`.
        """
