"""Training on rows in memory, by Keras's own fit()."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from textclf.core import progress
from textclf.models.common.networks.results import build_optimizer, diverged, history_table

if TYPE_CHECKING:
    import keras

    from textclf.models.common.networks.settings import NetworkSettings


def compile_blocks(model: "keras.Model", classes: int, settings: "NetworkSettings") -> None:
    """Give the model of `block_model` its optimizer and loss, for `train_blocks`."""
    import keras

    accuracy = keras.metrics.BinaryAccuracy if classes == 2 else keras.metrics.SparseCategoricalAccuracy
    model.compile(
        optimizer=build_optimizer(settings),
        loss="binary_crossentropy" if classes == 2 else "sparse_categorical_crossentropy",
        # The name alone would create its variables while TensorFlow traces the step, which it then traces once more.
        metrics=[accuracy(name="accuracy")],
        jit_compile=True,
    )


def reset(model: "keras.Model", network: "keras.Sequential", optimizer: "keras.Optimizer") -> None:
    """Give the compiled model the weights of `network`, and its optimizer the state of a new `optimizer`."""
    model.set_weights(network.get_weights())
    for each in (optimizer, model.optimizer):
        if not each.built:
            each.build(model.trainable_variables)
    for variable, initial in zip(model.optimizer.variables, optimizer.variables, strict=True):
        variable.assign(initial)


def train_blocks(
    model: "keras.Model", settings: "NetworkSettings", blocks: tuple[Any, int], watched: Any
) -> pd.DataFrame:
    """Train the model of `compile_blocks` on the blocks of `training_blocks` and return its history.

    With early stopping, training ends once the loss on the watched rows (validation rows: params refuses other ones)
    has not fallen for so many epochs, and the weights are those of the epoch of the lowest loss. `watched` is None to
    watch no rows; all epochs are then one for Keras, which has less to do between them, and the history has one row,
    of the last epoch, with the means over all of them. Shows a bar over the epochs on a terminal. Raises `UserError`
    if a loss is not finite.
    """
    import keras

    epochs, dataset, steps = settings.epochs, *blocks
    if watched is None:
        epochs, steps = 1, epochs * steps
    callbacks = [progress_bar(epochs)]
    if settings.early_stopping is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor="val_loss", patience=settings.early_stopping, restore_best_weights=True
            )
        )
    result = model.fit(
        dataset,
        epochs=epochs,
        steps_per_epoch=steps,
        validation_data=None if watched is None else watched.cache(),
        verbose=0,
        shuffle=False,  # training_blocks shuffles
        callbacks=callbacks,
    )
    history = history_table(result.history)
    if watched is None:
        history = history.assign(epoch=settings.epochs)
    infinite = history[~np.isfinite(history["loss"])]
    if len(infinite):
        raise diverged(infinite["loss"].iloc[0], infinite["epoch"].min())
    return history


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
