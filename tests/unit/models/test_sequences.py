"""The networks over token ids: few rows and epochs, since every training compiles."""

import dataclasses
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests import samples
from tests.unit.models import networks
from textclf.artifacts.features import Features
from textclf.artifacts.shards import Shards
from textclf.artifacts.tokens import Tokens
from textclf.core.errors import UserError
from textclf.models import cnn, embedding
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.networks import environment, sequences

ROWS, IDS, LENGTH, DIMENSIONS = 12, 9, 6, 3
SMALL = {
    "dimensions": DIMENSIONS,
    "units": (4,),
    "learning_rate": 0.05,
    "epochs": 3,
    "batch_size": ROWS,
}
CNN: dict[str, object] = {"filters": 4, "kernel_size": 2}
KINDS: list[tuple[Any, dict[str, object]]] = [
    (embedding, {"pooling": "max"}),
    (embedding, {"pooling": "average"}),
    (embedding, {"pooling": "flatten"}),
    (cnn, CNN),
]
# Each compiles for seconds. The kinds of every run have a front that picks ids and one that picks
# patterns.
each_kind = pytest.mark.parametrize(
    ("package", "own"),
    [
        pytest.param(
            package,
            own,
            id=str(own.get("pooling", "convolution")),
            marks=pytest.mark.nightly if own.get("pooling") in {"average", "flatten"} else (),
        )
        for package, own in KINDS
    ],
)


def rows(count: int = ROWS, classes: int = 2, vectors: bool = False) -> Features:
    """Return texts of random ids, the first of them empty; each class has an id of its own."""
    generator = np.random.default_rng(1)
    y = np.arange(count) % classes
    lengths = generator.integers(1, LENGTH + 1, count) * (np.arange(count) > 0)
    starts = np.cumsum([0, *lengths]).astype(np.int64)
    ids = generator.integers(classes + 1, IDS, starts[-1]).astype(np.int32)
    ids[starts[:-1][lengths > 0]] = y[lengths > 0] + 1
    pretrained = generator.normal(size=(IDS, DIMENSIONS)).astype(np.float32) if vectors else None
    X: Any = Tokens(ids, starts, IDS, LENGTH, vectors=pretrained)
    return Features(np.arange(count).astype(str), X, y, np.arange(classes).astype(str))


def settings(package: ModuleType, **changes: object) -> Any:
    return package.Settings(**SMALL | changes)


@cache
def fit(package: ModuleType, repetition: int = 0, **changes: object) -> Fitted:  # noqa: ARG001
    """Return a fitted network; a repetition is fitted anew."""
    return fit_rows(package, rows(), rows(), settings(package, **changes))


def fit_rows(
    package: ModuleType,
    train: Features | Shards[Features],
    watched: Features,
    chosen: Any,
    scratch: Path | None = None,
) -> Fitted:
    fitted: Fitted = package.fit(
        samples.dataset(train),
        samples.dataset(watched),
        chosen,
        Folders(Path("pretrained"), scratch),
    )
    return fitted


def bits(fitted: Fitted) -> list[bytes]:
    assert fitted.layers.front is not None
    return [
        *networks.bits(fitted),
        *(array.tobytes() for array in fitted.layers.front.arrays().values()),
    ]


def weights(fitted: Fitted) -> list[NDArray[np.float64]]:
    """Return the weights in the order of Keras."""
    assert fitted.layers.front is not None
    dense = [array for layer in fitted.layers.layers for array in (layer.kernel, layer.bias)]
    return [*fitted.layers.front.arrays().values(), *dense]


# The networks of the course


@pytest.mark.parametrize(
    ("package", "changes", "parameters", "trainable"),
    [
        (embedding, {"pooling": "flatten"}, 137_371, 137_371),
        (embedding, {"pooling": "max"}, 87_871, 87_871),
        (embedding, {"vectors": "trained"}, 87_871, 87_871),
        (embedding, {"vectors": "frozen"}, 87_871, 521),
        (cnn, {}, 240_129, 240_129),
    ],
    ids=str,
)
def test_the_networks_are_those_of_the_course(
    package: ModuleType, changes: dict[str, object], parameters: int, trainable: int
) -> None:
    X = Tokens(
        np.zeros(0, np.int32),
        np.zeros(1, np.int64),
        1747,
        100,
        vectors=np.zeros((1747, 50), np.float32),
    )
    network = sequences.build_network(X, 2, package.Settings(**changes), False, package.own_layers)
    assert network.count_params() == parameters
    assert sum(int(np.prod(array.shape)) for array in network.trainable_weights) == trainable
    assert [layer.units for layer in network.layers[-2:]] == [10, 1]


def test_the_defaults_are_those_of_the_course() -> None:
    defaults = embedding.Settings(), cnn.Settings()
    assert [(each.epochs, each.dimensions, each.batch_size) for each in defaults] == [
        (50, 50, 10),
        (10, 100, 10),
    ]


# Training


@each_kind
@pytest.mark.parametrize("classes", [2, pytest.param(3, marks=pytest.mark.nightly)])
def test_training_on_blocks_is_training_by_keras(
    package: ModuleType, own: dict[str, object], classes: int
) -> None:
    # One batch per epoch, so that the order of the rows does not matter.
    part = rows(classes=classes)
    class_weight = {"0": 0.5, "1": 3.0, "2": 1.0} if classes == 3 else None
    chosen = settings(package, **own, class_weight=class_weight)
    fitted = fit_rows(package, part, part, chosen)
    network, losses = train_plainly(package, part, chosen)
    for ours, theirs in zip(weights(fitted), network.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert networks.losses(fitted, "train") == pytest.approx(losses, abs=1e-5)


def train_plainly(package: ModuleType, part: Features, chosen: Any) -> tuple[Any, list[float]]:
    """Return the network trained by Keras's layers on one batch, and each epoch's loss."""
    keras, tf = environment.import_keras()
    keras.utils.set_random_seed(chosen.seed)
    X: Any = part.X
    classes = len(part.classes)
    network = sequences.build_network(X, classes, chosen, False, package.own_layers)
    optimizer = keras.optimizers.Adam(chosen.learning_rate)
    loss = (
        keras.losses.BinaryCrossentropy()
        if classes == 2
        else keras.losses.SparseCategoricalCrossentropy()
    )
    by_class = dict(chosen.class_weight or ())
    by_row = np.array([by_class.get(str(label), 1.0) for label in part.y], dtype=np.float32)
    losses = []
    for _ in range(chosen.epochs):
        with tf.GradientTape() as tape:
            value = loss(part.y[:, None], network(X.padded()), sample_weight=by_row)
        gradients = tape.gradient(value, network.trainable_weights)
        # Keras would square the parts of the embedding's gradient one by one: one part for each
        # place of an id.
        optimizer.apply(
            [tf.convert_to_tensor(gradient) for gradient in gradients], network.trainable_weights
        )
        losses.append(float(value))
    return network, losses


@each_kind
@pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # of h5py, which writes the weights
def test_predictions_are_of_the_saved_network(
    package: ModuleType, own: dict[str, object], tmp_path: Path
) -> None:
    from keras.saving import load_model

    fitted, part = fit(package, **own), rows(20)
    fitted.files["model.keras"](tmp_path / "model.keras")
    network: Any = load_model(tmp_path / "model.keras", safe_mode=True)
    for padding in ("post", "pre"):
        X: Any = part.X
        X = dataclasses.replace(X, padding=padding)
        keras = np.asarray(network(X.padded()), dtype=np.float64)
        assert fitted.layers.predict_proba(X)[:, 1:] == pytest.approx(keras, abs=1e-6)


# Pretrained vectors


@pytest.mark.slow
def test_frozen_vectors_stay_and_trained_ones_move() -> None:
    X: Any = rows(vectors=True).X
    for choice, moves in (("frozen", False), ("trained", True)):
        part = rows(vectors=True)
        fitted = fit_rows(embedding, part, part, settings(embedding, vectors=choice))
        assert fitted.layers.front is not None
        assert (
            fitted.layers.front.embedding.astype(np.float32).tolist() != X.vectors.tolist()
        ) == moves
        parameters = IDS * DIMENSIONS + DIMENSIONS * 4 + 4 + 4 + 1
        assert fitted.record["parameters"] == parameters
        assert fitted.record.get("trainable_parameters") == (
            None if moves else parameters - IDS * DIMENSIONS
        )


def test_vectors_of_another_length_are_refused_in_a_line() -> None:
    part = rows(vectors=True)
    with pytest.raises(
        UserError, match="dimensions must be 3, as in the pretrained vectors; got 5"
    ):
        fit_rows(embedding, part, part, settings(embedding, vectors="frozen", dimensions=5))


def test_a_pattern_longer_than_the_texts_is_refused_in_a_line() -> None:
    with pytest.raises(
        UserError, match="kernel_size must be at most the length of the texts, 6; got 7"
    ):
        fit_rows(cnn, rows(), rows(), settings(cnn, filters=4, kernel_size=7))
