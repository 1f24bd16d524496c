"""The network and its optimizer, and the import of Keras."""

import os
import sys
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from textclf.artifacts.layers import Layer, LayerModel
from textclf.core.errors import UserError
from textclf.models.common.fitted import Fitted
from textclf.models.keras.saving import save_keras

if TYPE_CHECKING:
    import keras

    from textclf.models.keras import Settings

DEVICE_VARIABLE = "TEXTCLF_DEVICE"  # cpu, or gpu for a GPU that TensorFlow sees


def prepare_keras(settings: "Settings") -> Any:
    """Return the module keras with its random numbers seeded, on the CPU unless a GPU is asked for."""
    keras, tf = import_keras()
    if os.environ.get(DEVICE_VARIABLE, "cpu") != "gpu":
        tf.config.set_visible_devices([], "GPU")  # GPU sums are not bit-reproducible
    keras.utils.set_random_seed(settings.seed)
    return keras


def import_keras() -> tuple[Any, Any]:
    """Return the modules keras and tensorflow, imported without what this model does not use.

    Keras imports matplotlib and scikit-learn where they are installed, which takes a second; TensorFlow writes lines
    about the machine to stderr before it can be told not to. These are shown if the import fails.
    """
    hidden = {name: None for name in ("matplotlib", "sklearn") if name not in sys.modules}
    sys.modules.update(hidden)  # type: ignore[arg-type]
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            import keras
            import tensorflow as tf
        except BaseException:
            captured.seek(0)
            os.write(stderr, captured.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            for name in hidden:
                del sys.modules[name]
    tf.get_logger().setLevel("ERROR")  # training a second model is no mistake to warn of
    return keras, tf


def build_network(features: int, classes: int, settings: "Settings") -> "keras.Sequential":
    """Return the untrained network: hidden Dense layers, then one sigmoid unit or, beyond two classes, softmax."""
    import keras

    hidden = [
        keras.layers.Dense(units, activation=settings.activation, name=f"hidden_{number}")
        for number, units in enumerate(settings.units, start=1)
    ]
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    output = keras.layers.Dense(units, activation=activation, name="output")
    return keras.Sequential([keras.Input((features,), name="counts"), *hidden, output], name="network")


def build_optimizer(settings: "Settings") -> "keras.Optimizer":
    """Return the optimizer of that name with the learning rate, otherwise with Keras's defaults."""
    import keras

    return keras.optimizers.get({"class_name": settings.optimizer, "config": {"learning_rate": settings.learning_rate}})


def layer_model(network: "keras.Sequential", classes: tuple[str, ...]) -> LayerModel:
    """Return the network's weights, float64, as the layers that make all predictions."""
    layers = []
    for layer in network.layers:
        kernel, bias = (np.asarray(weights, dtype=np.float64) for weights in layer.get_weights())
        layers.append(Layer(kernel, bias, layer.activation.__name__))
    return LayerModel(classes, tuple(layers))


def fitted_network(network: "keras.Sequential", classes: tuple[str, ...], history: pd.DataFrame) -> Fitted:
    """Return the trained network; the file model.keras opens in any Keras without custom objects."""
    watched = history[history["split"] == "watched"]
    record = {
        "parameters": network.count_params(),
        "epochs": len(watched),
        "best_epoch": int(watched["epoch"].to_numpy()[watched["loss"].to_numpy().argmin()]),
    }
    lines: list[str] = []
    network.summary(print_fn=lines.append)
    files = {"model.keras": lambda path: save_keras(network, path)}
    return Fitted(layer_model(network, classes), record, history, files, "\n".join(lines))


def history_table(history: Mapping[str, list[float]]) -> pd.DataFrame:
    """Return Keras's history in the form of `Fitted.history`."""
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


def diverged(loss: float, epoch: int) -> UserError:
    """Return the error of a loss that is not finite."""
    return UserError(f"the loss must stay finite; got {loss} in epoch {epoch}: set train.keras.learning_rate lower")
