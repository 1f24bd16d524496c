"""Small networks for tests of keras, fitted once per settings: each fit compiles."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, random_array

from tests import samples
from textclf.artifacts.features import Features
from textclf.artifacts.shards import Shards
from textclf.models import keras
from textclf.models.common.fitted import Fitted, Folders

ROWS, TERMS = 7, 6


def settings(**changes: object) -> Any:
    small = {"units": [4, 3], "learning_rate": 0.1, "epochs": 2, "batch_size": 3}
    return samples.settings("keras", **small | changes)


def rows(count: int = ROWS, classes: int = 2) -> Features:
    """Return rows of random counts, the first of them empty."""
    counts = random_array((count, TERMS), density=0.5, rng=np.random.default_rng(1))
    X = csr_array(np.ceil(3 * counts.toarray()).astype(np.int64) * (np.arange(count) > 0)[:, None])
    return Features(
        np.arange(count).astype(str), X, np.arange(count) % classes, np.arange(classes).astype(str)
    )


def train(
    rows: Features | Shards[Features],
    watched: Features | Shards[Features] | None,
    settings: Any,
    scratch: Path | None = None,
) -> Fitted:
    watched_rows = None if watched is None else samples.dataset(watched)
    return keras.fit(
        samples.dataset(rows), watched_rows, settings, Folders(Path("pretrained"), scratch)
    )


@cache
def fit(seed: int = 0, repetition: int = 0) -> Fitted:  # noqa: ARG001 (a repetition is fitted anew)
    """Return a fitted network without hidden layers, which XLA compiles in a second."""
    return train(rows(), rows(4), settings(units=[], seed=seed, batch_size=ROWS))


@cache
def fit_deep() -> Fitted:
    """Return a fitted network with two hidden layers, in full batches and a smaller last one."""
    return train(rows(), rows(4), settings())


@cache
def fit_stopping(epochs: int, patience: int | None) -> Fitted:
    """Return a network without hidden layers that watches rows on which its loss must rise."""
    changes = {
        "units": [],
        "batch_size": ROWS,
        "epochs": epochs,
        "early_stopping": patience,
        "learning_rate": 0.05,
    }
    return train(rows(), opposite(), settings(**changes))


def opposite() -> Features:
    """Return training rows with all labels but two wrong: the loss first falls, then rises."""
    part = rows()
    return Features(
        part.ids, part.X, np.where(np.arange(ROWS) < 2, part.y, 1 - part.y), part.classes
    )


def bits(fitted: Fitted) -> list[bytes]:
    """Return everything that a training decides, as bytes."""
    assert fitted.history is not None
    arrays = [
        array.tobytes() for layer in fitted.layers.layers for array in (layer.kernel, layer.bias)
    ]
    return [*arrays, repr(fitted.history.to_dict("records")).encode()]


def losses(fitted: Fitted, split: str) -> list[float]:
    """Return the loss of each epoch on the rows of a split, train or watched."""
    assert fitted.history is not None
    return [float(loss) for loss in fitted.history["loss"][fitted.history["split"] == split]]


def dense_probabilities(network: Any, X: csr_array) -> NDArray[np.float64]:
    """Return the probabilities of a Keras network of Dense layers."""
    output: NDArray[np.float64] = np.asarray(
        network(X.toarray().astype(np.float32)), dtype=np.float64
    )
    return np.hstack([1 - output, output]) if output.shape[1] == 1 else output
