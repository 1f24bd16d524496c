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
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf import params
from textclf.errors import UserError

if TYPE_CHECKING:
    import keras

    from textclf.features import Features

ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
PREDICTED_AT_ONCE = 8192  # rows
DEVICE_VARIABLE = "TEXTCLF_DEVICE"  # cpu, or gpu for a GPU that TensorFlow sees


class Network:
    """The trained network: `plain`, the lesson's stack of Dense layers, and `sparse`, the same on sparse rows."""

    def __init__(self, plain: "keras.Sequential", sparse: "keras.Model", history: pd.DataFrame) -> None:
        """Keep both, and the epochs."""
        self.plain = plain
        self.sparse = sparse
        self.history = history

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
        """Probabilities of both classes; the network's one output is that of the second."""
        ids, counts = padded(X)
        output = self.sparse.predict([ids, counts], batch_size=PREDICTED_AT_ONCE, verbose=0)
        second = output[:, 0].astype(np.float64)
        return np.column_stack([1 - second, second])

    def save(self, folder: Path) -> None:
        """Write model.keras, which keras.saving.load_model opens without custom objects."""
        target = folder / "model.keras"
        self.plain.save(target)
        make_repeatable(target)


def fit(train: "Features", watched: "Features", settings: params.Keras) -> Network:
    """The network trained on the training rows; its history also has the loss on the watched rows.

    With early stopping, the watched rows (validation rows: params refuses it otherwise) end the training once
    their loss has not fallen for so many epochs, and the weights are those of the epoch of the lowest.
    Shows a progress bar over the epochs on a terminal.
    """
    keras, tf = load_keras()
    if os.environ.get(DEVICE_VARIABLE, "cpu") != "gpu":
        tf.config.set_visible_devices([], "GPU")  # a GPU adds up in an order of its own
    keras.utils.set_random_seed(settings.seed)
    plain = stack(train.X.shape[1], settings)
    sparse = over_sparse_rows(plain)
    sparse.compile(
        optimizer=keras.optimizers.get(
            {"class_name": settings.optimizer, "config": {"learning_rate": settings.learning_rate}}
        ),
        loss="binary_crossentropy",
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
        steps_per_epoch=blocks_an_epoch(len(train.y), settings.batch_size),
        validation_data=tf.data.Dataset.from_tensors((padded(watched.X), column(watched.y))),
        verbose=0,
        shuffle=False,  # epochs_of_blocks shuffles
        callbacks=callbacks,
    )
    history = tidy(fitted.history)
    diverged = history[~np.isfinite(history["loss"])]
    if len(diverged):
        loss, epoch = diverged["loss"].iloc[0], diverged["epoch"].min()
        raise UserError(f"the loss must stay finite; got {loss} in epoch {epoch}: set train.keras.learning_rate lower")
    plain.set_weights(sparse.get_weights())
    return Network(plain, sparse, history)


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


def stack(features: int, settings: params.Keras) -> "keras.Sequential":
    """The lesson's network, not yet trained: hidden Dense layers, then one sigmoid."""
    import keras

    hidden = [
        keras.layers.Dense(units, activation=settings.activation, name=f"hidden_{number}")
        for number, units in enumerate(settings.units, start=1)
    ]
    output = keras.layers.Dense(1, activation="sigmoid", name="output")
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
            (ids, counts), y = data
            step = super().train_step

            def body(number: Any, _: Any) -> Any:
                return number + 1, step(((ids[number], counts[number]), y[number]))

            logs = {"accuracy": tf.zeros(()), "loss": tf.zeros(())}
            return tf.while_loop(lambda number, _: number < tf.shape(y)[0], body, (0, logs))[1]

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

    An epoch is one block of its full batches, then one of the rows that are left, if any: ids and counts
    (steps, batch, K) and labels (steps, batch, 1).
    """
    import tensorflow as tf

    arrays = (padded(train.X), column(train.y))
    rows = len(train.y)
    steps, left = divmod(rows, settings.batch_size)

    def blocks(epoch: Any) -> Any:
        order = tf.random.experimental.stateless_shuffle(tf.range(rows), seed=tf.stack([settings.seed, epoch]))
        full, rest = tf.split(order, [rows - left, left])
        dataset = tf.data.Dataset.from_tensors(gathered(full, steps, settings.batch_size)).take(min(steps, 1))
        return dataset.concatenate(tf.data.Dataset.from_tensors(gathered(rest, 1, left)).take(min(left, 1)))

    def gathered(order: Any, steps: int, batch: int) -> Any:
        return tf.nest.map_structure(
            lambda array: tf.reshape(tf.gather(array, order), (steps, batch, array.shape[1])), arrays
        )

    return tf.data.Dataset.range(settings.epochs).flat_map(blocks)


def blocks_an_epoch(rows: int, batch: int) -> int:
    """How many blocks `epochs_of_blocks` makes of an epoch: 1 or 2."""
    return (rows >= batch) + (rows % batch > 0)


def padded(X: csr_array) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Term ids and counts of each row, both (rows, K), K the most terms in a row; 0 where a row has fewer."""
    terms = np.diff(X.indptr)
    there = np.arange(max(terms.max(initial=0), 1)) < terms[:, None]
    ids, counts = np.zeros(there.shape, np.int32), np.zeros(there.shape, np.float32)
    ids[there], counts[there] = X.indices, X.data
    return ids, counts


def column(y: NDArray[np.int64]) -> NDArray[np.float32]:
    """Labels as the binary cross-entropy wants them, (rows, 1)."""
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
