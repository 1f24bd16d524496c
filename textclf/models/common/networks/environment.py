"""The import of Keras, with the same results whatever the user's environment says."""

import gc
import os
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

from textclf.core.arithmetic import is_x86
from textclf.core.errors import UserError
from textclf.core.quoting import quote_value

# cpu, or gpu for a GPU that TensorFlow sees.
DEVICE_VARIABLE = "TEXTCLF_DEVICE"
# Variables of Keras and TensorFlow, by the start of their names: some change a weight, others end
# in a traceback.
KERAS_VARIABLES = ("KERAS_",)
TENSORFLOW_VARIABLES = ("AUTOGRAPH_", "DNNL_", "ONEDNN_", "TENSORFLOW_", "TF_", "TF2_", "XLA_")
# Those that stay: the workers, what is logged, and how workers are reached.
KEPT_VARIABLES = ("TF_CONFIG", "TF_CPP_", "TF_GRPC_")


def prepare_keras(seed: int) -> Any:
    """Return the module keras, seeded, on the CPU unless a GPU is asked for."""
    keras, tf = import_keras()
    if not on_gpu(os.environ):
        tf.config.set_visible_devices([], "GPU")  # GPU sums are not bit-reproducible
    keras.utils.set_random_seed(seed)
    return keras


def on_gpu(environment: Mapping[str, str]) -> bool:
    """Return whether TensorFlow may use a GPU; `UserError` if TEXTCLF_DEVICE is another word."""
    device = environment.get(DEVICE_VARIABLE) or "cpu"
    if device not in {"cpu", "gpu"}:
        raise UserError(f"{DEVICE_VARIABLE} must be cpu or gpu; got {quote_value(device)}")
    return device == "gpu"


def keras_environment(environment: Mapping[str, str], x86: bool) -> dict[str, str]:
    """Return the environment variables with which Keras is imported.

    `x86` says whether the CPU is of that type. The user's variables of Keras and TensorFlow are
    left out, and so is keras.json, which sets the backend and the type of numbers. With
    TEXTCLF_DEVICE=gpu, TensorFlow's stay: the bytes depend on the GPU anyway.
    """
    dropped = KERAS_VARIABLES if on_gpu(environment) else (*KERAS_VARIABLES, *TENSORFLOW_VARIABLES)
    variables = {
        name: value
        for name, value in environment.items()
        if name.startswith(KEPT_VARIABLES) or not name.startswith(dropped)
    }
    variables["KERAS_BACKEND"] = "tensorflow"
    # Keras neither finds nor writes a file below it.
    variables["KERAS_HOME"] = os.devnull
    if x86:
        variables.setdefault("XLA_FLAGS", "--xla_cpu_max_isa=AVX2")
    return variables


def import_keras() -> tuple[Any, Any]:
    """Return the modules keras and tensorflow, imported with `keras_environment`, which stays."""
    variables = keras_environment(os.environ, is_x86())
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)
    if sys.stderr is not None:  # closed, as by 2>&-
        sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as captured:  # lines about the machine, shown if it fails
        os.dup2(captured.fileno(), 2)
        gc.disable()  # what is imported stays
        try:
            import keras
            import tensorflow as tf
        except BaseException:
            captured.seek(0)
            os.write(stderr, captured.read())
            raise
        finally:
            gc.freeze()
            gc.enable()
            os.dup2(stderr, 2)
            os.close(stderr)
    tf.get_logger().setLevel("ERROR")  # training a second model is no mistake to warn of
    return keras, tf
