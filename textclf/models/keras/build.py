"""The network and its optimizer, and the import of Keras."""

import os
import sys
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from textclf.artifacts.layers import Layer, LayerModel
from textclf.core.arithmetic import is_x86
from textclf.core.errors import UserError
from textclf.core.quoting import quote_value
from textclf.models.common.fitted import Fitted
from textclf.models.keras.saving import save_keras

if TYPE_CHECKING:
    import keras

    from textclf.models.keras import Settings

DEVICE_VARIABLE = "TEXTCLF_DEVICE"  # cpu, or gpu for a GPU that TensorFlow sees
# Variables of Keras and TensorFlow, by the start of their names: some change a weight, others end in a traceback.
KERAS_VARIABLES = ("KERAS_",)
TENSORFLOW_VARIABLES = ("AUTOGRAPH_", "DNNL_", "ONEDNN_", "TENSORFLOW_", "TF_", "TF2_", "XLA_")
KEPT_VARIABLES = ("TF_CONFIG", "TF_CPP_", "TF_GRPC_")  # the workers, what is logged, how workers are reached


def prepare_keras(settings: "Settings") -> Any:
    """Return the module keras with its random numbers seeded, on the CPU unless a GPU is asked for."""
    keras, tf = import_keras()
    if not on_gpu(os.environ):
        tf.config.set_visible_devices([], "GPU")  # GPU sums are not bit-reproducible
    keras.utils.set_random_seed(settings.seed)
    return keras


def on_gpu(environment: Mapping[str, str]) -> bool:
    """Return whether TensorFlow may use a GPU; `UserError` if TEXTCLF_DEVICE is neither cpu nor gpu."""
    device = environment.get(DEVICE_VARIABLE) or "cpu"
    if device not in {"cpu", "gpu"}:
        raise UserError(f"{DEVICE_VARIABLE} must be cpu or gpu; got {quote_value(device)}")
    return device == "gpu"


def keras_environment(environment: Mapping[str, str], x86: bool) -> dict[str, str]:
    """Return the environment variables with which Keras is imported, whatever the user's own say.

    The user's variables of Keras and TensorFlow are left out, and a folder without keras.json is named as Keras's own,
    for that file also sets the backend and the type of numbers. With TEXTCLF_DEVICE=gpu, TensorFlow's variables are
    the user's: the bytes depend on the GPU anyway. `x86` says whether the CPU is of the type x86-64.
    """
    dropped = KERAS_VARIABLES if on_gpu(environment) else (*KERAS_VARIABLES, *TENSORFLOW_VARIABLES)
    kept = {
        name: value
        for name, value in environment.items()
        if name.startswith(KEPT_VARIABLES) or not name.startswith(dropped)
    }
    own = {"KERAS_BACKEND": "tensorflow", "KERAS_HOME": os.devnull}  # Keras neither finds nor writes a file below it
    if x86 and "XLA_FLAGS" not in kept:
        own["XLA_FLAGS"] = "--xla_cpu_max_isa=AVX2"
    return kept | own


def import_keras() -> tuple[Any, Any]:
    """Return the modules keras and tensorflow, imported without what this model does not use.

    The variables of `keras_environment` are set for the rest of the process, because TensorFlow reads some of them
    late. Keras imports matplotlib and scikit-learn where they are installed, which takes a second; TensorFlow writes
    lines about the machine to stderr before it can be told not to. These are shown if the import fails.
    """
    variables = keras_environment(os.environ, is_x86())
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)
    hidden = {name: None for name in ("matplotlib", "sklearn") if name not in sys.modules}
    sys.modules.update(hidden)  # type: ignore[arg-type]
    if sys.stderr is not None:  # closed, as by 2>&-
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
    network.summary(line_length=76, print_fn=lines.append)  # as on a terminal of 80 columns; a narrow one is an error
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
