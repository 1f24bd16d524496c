"""Training on rows in memory, by Keras's own fit()."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from textclf.core import progress
from textclf.models.common.fitted import Fitted
from textclf.models.common.networks.environment import prepare_keras
from textclf.models.common.networks.results import build_optimizer, diverged, fitted_network, history_table
from textclf.models.keras.build import build_network, layer_model
from textclf.models.keras.sparse import (
    block_shapes,
    most_terms,
    over_sparse_rows,
    training_blocks,
    validation_batches,
)

if TYPE_CHECKING:
    import keras

    from textclf.artifacts.features import Features
    from textclf.models.keras import Settings


def fit(train: "Features", watched: "Features", settings: "Settings") -> Fitted:
    """Return the network trained on the training rows, with the loss on the watched rows in its history.

    With early stopping, training ends once the loss on the watched rows (validation rows: params refuses other ones)
    has not fallen for so many epochs, and the weights are those of the epoch of the lowest loss. Shows a bar over the
    epochs on a terminal. Raises `UserError` if a loss is not finite.
    """
    keras = prepare_keras(settings)
    network = build_network(train.X.shape[1], len(train.classes), settings)
    sparse = over_sparse_rows(network)
    sparse.compile(
        optimizer=build_optimizer(settings),
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
    result = sparse.fit(
        training_blocks(train, settings),
        epochs=settings.epochs,
        steps_per_epoch=len(block_shapes(len(train.y), settings.batch_size, most_terms(train.X))),
        validation_data=validation_batches(watched.X, network.layers[0].units, watched.y).cache(),
        verbose=0,
        shuffle=False,  # training_blocks shuffles
        callbacks=callbacks,
    )
    history = history_table(result.history)
    infinite = history[~np.isfinite(history["loss"])]
    if len(infinite):
        raise diverged(infinite["loss"].iloc[0], infinite["epoch"].min())
    network.set_weights(sparse.get_weights())
    return fitted_network(network, layer_model(network, tuple(train.classes.tolist())), history)


def progress_bar(epochs: int) -> "keras.callbacks.Callback":
    """Return a callback that shows the progress over the epochs."""
    import keras

    bar = progress.bar("train", epochs, "epoch", scaled=False)

    class Bar(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:  # noqa: ARG002
            bar.set_postfix({name: f"{value:.3f}" for name, value in (logs or {}).items()}, refresh=False)
            bar.update()

        def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:  # noqa: ARG002
            bar.close()

    return Bar()
