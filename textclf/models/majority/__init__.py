"""The floor: every text gets the shares of the classes among the training rows."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts import layers
from textclf.models.common.class_weights import count_classes
from textclf.models.common.fitted import Fitted
from textclf.models.common.settings import ModelSettings

if TYPE_CHECKING:
    from textclf.artifacts.features import Features
    from textclf.artifacts.shards import Shards

KIND = "the share of each class among the training rows, whatever the text says"
ACCEPTS = ("sparse", "dense", "tokens")


class Settings(ModelSettings):
    """The share of each class: the floor that a model has to beat; nothing to set."""


def fit(train: "Features", watched: "Features", settings: Settings) -> Fitted:  # noqa: ARG001 (nothing to set or watch)
    """Return the class shares of the training rows."""
    return _from_counts(train.classes, np.bincount(train.y, minlength=len(train.classes)))


def fit_stream(
    train: "Shards[Features]",
    watched: "Shards[Features]",  # noqa: ARG001 (it watches none)
    settings: Settings,  # noqa: ARG001 (it has none)
    scratch: Path,  # noqa: ARG001 (it takes seconds)
) -> Fitted:
    """Return the class shares of the training rows, from the labels alone."""
    return _from_counts(*count_classes(train))


def _from_counts(classes: NDArray[np.str_], counts: NDArray[np.int64]) -> Fitted:
    """Return the model as one layer that ignores the text: its bias is the logarithms of the shares."""
    shares = counts / counts.sum()
    model = layers.linear(classes, np.empty((len(shares), 0)), np.log(shares), "softmax")
    summary = ", ".join(f"class {name}: {share:.3f}" for name, share in zip(classes, shares, strict=True))
    return Fitted(model, {"parameters": len(shares) - 1}, summary=summary)  # the last share follows from the others
