"""The models a user may name in train.models: a module here, and a section of the same name in params.

A module has one function, ``fit(train, watched, settings)``, which learns from the training rows and returns
a `Model`. `watched` are rows to look at while training and to learn nothing from.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.params import Section

if TYPE_CHECKING:
    from textclf.features import Features


class Model(Protocol):
    """A fitted classifier."""

    @property
    def record(self) -> Mapping[str, int | float]:
        """Numbers about the training, `parameters` (the count of fitted numbers) among them."""

    @property
    def history(self) -> pd.DataFrame | None:
        """A row an epoch and split with the columns `epoch` (from 1), `split` (train or watched), `loss`, `accuracy`.

        None where there are no epochs.
        """

    def summary(self) -> str:
        """What was fitted, in a few lines for a person."""

    def predict_proba(self, X: csr_array) -> NDArray[np.float64]:
        """Probabilities (rows, classes) of the rows (rows, features); each row sums to 1."""

    def save(self, folder: Path) -> None:
        """Write the model's files into a folder that exists, each with bytes that repeat."""


class Module(Protocol):
    """What a module of this package offers."""

    def fit(self, train: "Features", watched: "Features", settings: Section) -> Model:
        """A model fitted on the training rows."""


def module(name: str) -> Module:
    """The module of a model's name."""
    loaded: Module = importlib.import_module(f"{__name__}.{name}")
    return loaded
