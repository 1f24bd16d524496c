"""The lesson's network, trained by Keras's own fit() on sparse rows.

A dense layer over a bag of words adds up the kernel's rows of the words that are there, times their counts.
Doing just that, instead of multiplying by a row of zeros, is the same arithmetic on the same weights; it is
faster, never needs a dense matrix, and, compiled by XLA for AVX2, gives the same bits on every x86-64 CPU.
What is saved is the plain stack of Dense layers with the trained weights, which any Keras can load.
"""

import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf import params
from textclf.artifacts import layers as portable
from textclf.artifacts.layers import Layer, Portable
from textclf.models import multiworker, row_weights, streaming

if TYPE_CHECKING:
    import keras

    from textclf.vectorize.features import Features, Shards

ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
ROWS_AT_ONCE, CELLS_AT_ONCE = 8192, 2**27  # rows of a prediction; numbers of 4 bytes in an array that is padded
NARROWEST, NARROWER = 256, 16  # rows are not padded to fewer columns, and to so many times fewer at a time
DEVICE_VARIABLE = "TEXTCLF_DEVICE"  # cpu, or gpu for a GPU that TensorFlow sees


class Network:
    """The trained network: `plain`, the lesson's stack of Dense layers, and `sparse`, the same on sparse rows.

    Without the latter it predicts as `portable` does, for which no row is padded.
    """

    def __init__(
        self, classes: NDArray[np.str_], plain: "keras.Sequential", sparse: "keras.Model | None", history: pd.DataFrame
    ) -> None:
        """Keep both, the names of the classes, and the epochs."""
        self.classes = tuple(classes.tolist())
        self.plain = plain
        self.sparse = sparse
        self.history = history

    @property
    def widest(self) -> int:
        """Units of the first layer."""
        units: int = self.plain.layers[0].units
        return units

    @property
    def record(self) -> Mapping[str, int | float]:
        """Trainable weights; epochs trained; the epoch of the lowest loss on the watched rows."""
        watched = self.history[self.history["split"] == "watched"]
        return {
            "parameters": self.plain.count_params(),
            "epochs": len(watched),
            "best_epoch": int(watched["epoch"].to_numpy()[watched["loss"].to_numpy().argmin()]),
        }

    def summary(self) -> str:
        """Keras's table of the layers and their parameters."""
        lines: list[str] = []
        self.plain.summary(print_fn=lines.append)
        return "\n".join(lines)

    def predict_proba(self, X: csr_array) -> NDArray[np.float64]:
        """Probabilities of the classes; of two, the network's one output is that of the second."""
        if self.sparse is None:
            return self.portable().predict_proba(X)
        output = self.sparse.predict(batches(X, self.widest), verbose=0).astype(np.float64)
        if output.shape[1] == 1:
            return np.column_stack([1 - output[:, 0], output[:, 0]])
        probabilities: NDArray[np.float64] = output / output.sum(axis=1, keepdims=True)
        return probabilities

    def portable(self) -> Portable:
        """The Dense layers' own weights."""
        layers = []
        for layer in self.plain.layers:
            kernel, bias = (np.asarray(weights, dtype=np.float64) for weights in layer.get_weights())
            layers.append(Layer(kernel, bias, layer.activation.__name__))
        return Portable(self.classes, tuple(layers))

    def save(self, folder: Path) -> None:
        """Write the files of `portable.write`, and model.keras.

        keras.saving.load_model opens the latter without custom objects.
        """
        portable.write(self.portable(), folder)
        target = folder / "model.keras"
        self.plain.save(target)
        make_repeatable(target)


def fit(train: "Features", watched: "Features", settings: params.Keras) -> Network:
    """The network trained on the training rows; its history also has the loss on the watched rows.

    With early stopping, the watched rows (validation rows: params refuses it otherwise) end the training once
    their loss has not fallen for so many epochs, and the weights are those of the epoch of the lowest.
    Shows a progress bar over the epochs on a terminal.
    """
    keras = ready_keras(settings)
    plain = stack(train.X.shape[1], len(train.classes), settings)
    sparse = over_sparse_rows(plain)
    sparse.compile(
        optimizer=optimizer(settings),
        loss="binary_crossentropy" if len(train.classes) == 2 else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=True,
    )
    callbacks = [progress_bar(settings.epochs)]
    if settings.early_stopping is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor="val_loss", patience=settings.early_stopping, restore_best_weights=True
            )
        )
    fitted = sparse.fit(
        epochs_of_blocks(train, settings),
        epochs=settings.epochs,
        steps_per_epoch=len(blocks_of_epoch(len(train.y), settings.batch_size, longest(train.X))),
        validation_data=batches(watched.X, plain.layers[0].units, watched.y).cache(),
        verbose=0,
        shuffle=False,  # epochs_of_blocks shuffles
        callbacks=callbacks,
    )
    history = tidy(fitted.history)
    diverged = history[~np.isfinite(history["loss"])]
    if len(diverged):
        raise streaming.diverged(diverged["loss"].iloc[0], diverged["epoch"].min())
    plain.set_weights(sparse.get_weights())
    return Network(train.classes, plain, sparse, history)


def fit_stream(train: "Shards", watched: "Shards", settings: params.Keras, scratch: Path) -> Network:
    """The network as `fit` trains it, with no more than two shards in memory, and on all the workers of TF_CONFIG.

    Its state is kept in the scratch folder, so that a training that was killed goes on from there and ends with the
    very same network. It is not that of `fit` on the same rows, which shuffles all of them at once.
    """
    ready_keras(settings)
    strategy = multiworker.strategy()
    rows = streaming.survey(train, watched, settings)
    with strategy.scope():
        plain, steps = stack(rows.columns, len(rows.classes), settings), optimizer(settings)
    network = Network(rows.classes, plain, None, pd.DataFrame())
    network.history = tidy(streaming.train(network, steps, rows, settings, scratch, strategy))
    return network


def ready_keras(settings: params.Keras) -> Any:
    """The module keras, its random numbers begun by the seed, and on the CPU unless a GPU is asked for."""
    keras, tf = load_keras()
    if os.environ.get(DEVICE_VARIABLE, "cpu") != "gpu":
        tf.config.set_visible_devices([], "GPU")  # a GPU adds up in an order of its own
    keras.utils.set_random_seed(settings.seed)
    return keras


def optimizer(settings: params.Keras) -> "keras.Optimizer":
    """The optimizer of that name, its other settings as Keras has them."""
    import keras

    return keras.optimizers.get({"class_name": settings.optimizer, "config": {"learning_rate": settings.learning_rate}})


def load_keras() -> tuple[Any, Any]:
    """The modules keras and tensorflow, imported without what this model has no use for.

    Keras imports matplotlib and scikit-learn where it finds them, which takes a second; TensorFlow writes
    lines about the machine to stderr before it can be told not to. They are shown if the import fails.
    """
    hidden = {name: None for name in ("matplotlib", "sklearn") if name not in sys.modules}
    sys.modules.update(hidden)  # type: ignore[arg-type]
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as kept_back:
        os.dup2(kept_back.fileno(), 2)
        try:
            import keras
            import tensorflow as tf
        except BaseException:
            kept_back.seek(0)
            os.write(stderr, kept_back.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            for name in hidden:
                del sys.modules[name]
    tf.get_logger().setLevel("ERROR")  # training a second model is no mistake to be warned of
    return keras, tf


def stack(features: int, classes: int, settings: params.Keras) -> "keras.Sequential":
    """The lesson's network, not yet trained: hidden Dense layers, then one sigmoid, or beyond two classes softmax."""
    import keras

    hidden = [
        keras.layers.Dense(units, activation=settings.activation, name=f"hidden_{number}")
        for number, units in enumerate(settings.units, start=1)
    ]
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    output = keras.layers.Dense(units, activation=activation, name="output")
    return keras.Sequential([keras.Input((features,), name="counts"), *hidden, output], name="network")


def over_sparse_rows(plain: "keras.Sequential") -> "keras.Model":
    """A model of the same layers and weights whose input is `padded` rows, and whose batches come in blocks."""
    import keras
    import tensorflow as tf

    @tf.custom_gradient
    def with_dense_gradient(kernel: Any) -> Any:
        # The gradient of take names a term once for each of its rows, and Keras's optimizers square these parts
        # one by one; those of Dense square their sum. A dense gradient is that sum.
        return tf.identity(kernel), tf.convert_to_tensor

    class SparseDense(keras.layers.Dense):
        """Dense over rows given as term ids (B, K) and counts (B, K): sum_k kernel[id_k] * count_k + bias."""

        def build(self, input_shape: Any) -> None:  # noqa: ARG002 (that of the padded row says nothing)
            super().build((None, features))
            self.input_spec = None

        def call(self, inputs: Any, training: bool | None = None) -> Any:  # noqa: ARG002 (Keras passes it)
            ids, counts = inputs
            rows = keras.ops.take(with_dense_gradient(self.kernel), ids, axis=0)
            return self.activation(keras.ops.sum(rows * counts[..., None], axis=1) + self.bias)

        def compute_output_shape(self, input_shape: Any) -> tuple[None, int]:  # noqa: ARG002
            return (None, self.units)

    class BlockModel(keras.Model):
        """A model that takes all the steps of a block in one call, so that XLA compiles the loop as well."""

        def train_step(self, data: Any) -> Any:
            step = super().train_step

            def body(number: Any, _: Any) -> Any:
                return number + 1, step(tf.nest.map_structure(lambda array: array[number], data))

            logs = {"accuracy": tf.zeros(()), "loss": tf.zeros(())}
            return tf.while_loop(lambda number, _: number < tf.shape(data[1])[0], body, (0, logs))[1]

    first, *others = plain.layers
    features = plain.input_shape[-1]
    inputs = [keras.Input((None,), dtype="int32"), keras.Input((None,))]
    layer = SparseDense(first.units, activation=first.activation, name=first.name)
    layer.input_spec = None  # Dense expects one input
    output = layer(inputs)
    for layer in others:
        output = layer.__class__.from_config(layer.get_config())(output)
    model = BlockModel(inputs, output)
    model.set_weights(plain.get_weights())
    return model


def epochs_of_blocks(train: "Features", settings: params.Keras) -> Any:
    """A dataset of the training rows, every epoch in an order of its own, drawn from the seed.

    An epoch is the blocks of `blocks_of_epoch`: ids and counts (steps, batch, K), labels (steps, batch, 1) and, where
    classes are weighted, the rows' weights (steps, batch, 1).
    """
    import tensorflow as tf

    labels = [column(train.y)]
    if (weights := row_weights(train, settings.class_weight)) is not None:
        labels.append(weights.astype(np.float32)[:, None])
    rows, widest = len(train.y), longest(train.X)
    shapes = blocks_of_epoch(rows, settings.batch_size, widest)
    borders = np.cumsum([steps * batch for steps, batch in shapes])[:-1]

    def blocks() -> Iterator[Any]:
        for epoch in range(settings.epochs):
            seed = np.array([settings.seed, epoch])
            order = tf.random.experimental.stateless_shuffle(tf.range(rows), seed=seed).numpy()
            for shape, taken in zip(shapes, np.split(order, borders), strict=True):
                arrays = (padded(train.X[taken], widest), *(array[taken] for array in labels))
                yield tf.nest.map_structure(lambda array, shape=shape: array.reshape(*shape, -1), arrays)

    return dataset(blocks, settings.epochs * len(shapes), dimensions=3, labels=len(labels))


def blocks_of_epoch(rows: int, batch: int, terms: int) -> list[tuple[int, int]]:
    """Steps and batch of each block: the full batches in one, or in as few as memory allows, then the rows left."""
    steps, left = divmod(rows, batch)
    most = max(1, CELLS_AT_ONCE // (2 * batch * terms))  # ids and counts
    full = [(min(most, steps - start), batch) for start in range(0, steps, most)]
    return full + [(1, left)] * (left > 0)


def batches(X: csr_array, units: int, y: NDArray[np.int64] | None = None) -> Any:
    """A dataset of the rows in their order, with their labels if there are any, for a first layer of so many units.

    A batch is ids and counts (B, K), and labels (B, 1), of as many rows as memory allows.
    """
    widest = longest(X)
    size = max(1, min(ROWS_AT_ONCE, CELLS_AT_ONCE // (widest * units)))

    def parts() -> Iterator[Any]:
        for start in range(0, X.shape[0], size):
            some = slice(start, start + size)
            rows = padded(X[some], widest)
            yield (rows,) if y is None else (rows, column(y[some]))

    return dataset(parts, -(-X.shape[0] // size), dimensions=2, labels=0 if y is None else 1)


def dataset(generator: Callable[[], Iterator[Any]], number: int, dimensions: int, labels: int) -> Any:
    """The number of elements that the generator yields, as Keras takes them: ids and counts, then arrays of floats.

    Rows are padded when their turn comes: all of them together could be many times the size of the sparse matrix.
    """
    import tensorflow as tf

    rows = tuple(tf.TensorSpec((None,) * dimensions, dtype) for dtype in (tf.int32, tf.float32))
    label = tf.TensorSpec((*(None,) * (dimensions - 1), 1), tf.float32)
    elements = tf.data.Dataset.from_generator(generator, output_signature=(rows, *[label] * labels))
    return elements.apply(tf.data.experimental.assert_cardinality(number))  # Keras warns where it has to find out


def padded(X: csr_array, widest: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Term ids and counts of each row, both (rows, K), 0 where a row has fewer terms than K.

    K is `widest`, which no row exceeds, or a sixteenth of it, and so on, where that holds the rows as well: one long
    row must not make all others slow, and XLA compiles anew for every K.
    """
    terms = np.diff(X.indptr)
    columns = widest
    while (narrower := -(-columns // NARROWER)) >= max(NARROWEST, terms.max(initial=0)):
        columns = narrower
    there = np.arange(columns) < terms[:, None]
    ids, counts = np.zeros(there.shape, np.int32), np.zeros(there.shape, np.float32)
    ids[there], counts[there] = X.indices, X.data
    return ids, counts


def longest(X: csr_array) -> int:
    """The most terms in a row, and at least 1."""
    return int(np.diff(X.indptr).max(initial=1))


def column(y: NDArray[np.int64]) -> NDArray[np.float32]:
    """Labels as Keras's losses want them, (rows, 1)."""
    return y.astype(np.float32)[:, None]


def tidy(history: Mapping[str, list[float]]) -> pd.DataFrame:
    """Keras's history as `Model.history` describes it."""
    parts = [
        pd.DataFrame(
            {
                "epoch": np.arange(1, len(history["loss"]) + 1),
                "split": split,
                "loss": history[f"{prefix}loss"],
                "accuracy": history[f"{prefix}accuracy"],
            }
        )
        for split, prefix in (("train", ""), ("watched", "val_"))
    ]
    return pd.concat(parts, ignore_index=True)


def progress_bar(epochs: int) -> "keras.callbacks.Callback":
    """A callback that shows the epochs on a terminal, and nothing in a log."""
    import keras
    from tqdm import tqdm

    bar = tqdm(total=epochs, unit="epoch", desc="train", disable=None, leave=False)

    class Bar(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:  # noqa: ARG002
            bar.set_postfix({name: f"{value:.3f}" for name, value in (logs or {}).items()}, refresh=False)
            bar.update()

        def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:  # noqa: ARG002
            bar.close()

    return Bar()


def make_repeatable(path: Path) -> None:
    """Rewrite a .keras file without what differs from one save to the next.

    That is the date in metadata.json, the times in the zip, and `shared_object_id` in config.json, which is
    an address in memory and serves only objects that are shared.
    """
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(members["metadata.json"])
    metadata["date_saved"] = "1980-01-01@00:00:00"
    members["metadata.json"] = json.dumps(metadata, sort_keys=True).encode()
    config = json.loads(members["config.json"], object_hook=_without_address)
    members["config.json"] = json.dumps(config, sort_keys=True).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), content)


def _without_address(mapping: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != "shared_object_id"}
