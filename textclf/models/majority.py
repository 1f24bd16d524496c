"""The floor: each class gets its share of the training rows, whatever the text."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.artifacts import layers as portable
from textclf.artifacts.layers import Portable
from textclf.models import count_classes
from textclf.params import Section

if TYPE_CHECKING:
    from textclf.vectorize.features import Features, Shards


class Majority:
    """Shares of the classes among the training rows, (classes,) float64."""

    history = None

    def __init__(self, classes: NDArray[np.str_], shares: NDArray[np.float64]) -> None:
        """Keep the shares in the order of the classes."""
        self.classes = classes
        self.shares = shares

    @property
    def record(self) -> Mapping[str, int | float]:
        """One parameter a class, less the one that follows from the others."""
        return {"parameters": len(self.shares) - 1}

    def summary(self) -> str:
        """The shares."""
        return ", ".join(f"class {name}: {share:.3f}" for name, share in zip(self.classes, self.shares, strict=True))

    def predict_proba(self, X: csr_array) -> NDArray[np.float64]:
        """The shares, once a row."""
        return np.tile(self.shares, (X.shape[0], 1))

    def portable(self) -> Portable:
        """One layer that looks at no term."""
        return portable.linear(self.classes, np.empty((len(self.shares), 0)), np.log(self.shares), "softmax")

    def save(self, folder: Path) -> None:
        """Write the files of `portable.write`: bias_1 is the logarithms of the shares."""
        portable.write(self.portable(), folder)


def fit(train: "Features", watched: "Features", settings: Section) -> Majority:  # noqa: ARG001 (it has nothing to set)
    """The shares of the training rows."""
    counts = np.bincount(train.y, minlength=len(train.classes))
    return Majority(train.classes, counts / counts.sum())


def fit_stream(train: "Shards", watched: "Shards", settings: Section, scratch: Path) -> Majority:  # noqa: ARG001
    """The same of shards."""
    classes, counts = count_classes(train)
    return Majority(classes, counts / counts.sum())
