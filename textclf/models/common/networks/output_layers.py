"""The optimizer of a network, its dense layers, and the results of its training."""

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from textclf.artifacts.layers import SIGMOIDS, Layer, LayerModel
from textclf.core.files import zip_member
from textclf.models.common.fitted import Fitted

if TYPE_CHECKING:
    import keras

    from textclf.models.common.networks.settings import NetworkSettings


def build_optimizer(name: str, learning_rate: float) -> "keras.Optimizer":
    """Return the optimizer of that name with the learning rate, otherwise with Keras's defaults."""
    import keras

    return keras.optimizers.get({"class_name": name, "config": {"learning_rate": learning_rate}})


def fitted_network(
    network: "keras.Sequential", layers: LayerModel, history: pd.DataFrame
) -> Fitted:
    """Return the trained network, whose weights are those of the layers."""
    # The last split is train if no rows were watched.
    watched = history[history["split"] == history["split"].iloc[-1]]
    parameters = network.count_params()
    trainable = sum(math.prod(weights.shape) for weights in network.trainable_weights)
    record = {"parameters": parameters}
    if trainable < parameters:
        record["trainable_parameters"] = trainable
    record["epochs"] = int(watched["epoch"].max())
    record["best_epoch"] = int(watched["epoch"].iloc[watched["loss"].argmin()])
    lines: list[str] = []
    # As on a terminal of 80 columns; a narrow one is an error.
    network.summary(line_length=76, print_fn=lines.append)
    files = {"model.keras": lambda path: save_keras(network, path)}
    return Fitted(layers, record, history, files, "\n".join(lines))


def history_table(history: Mapping[str, list[float]]) -> pd.DataFrame:
    """Return loss, accuracy, val_loss and val_accuracy in the form of `Fitted.history`."""
    parts = []
    for split, prefix in (("train", ""), ("watched", "val_")):
        columns = {
            "epoch": np.arange(1, len(history["loss"]) + 1),
            "split": split,
            "loss": history[f"{prefix}loss"],
            "accuracy": history[f"{prefix}accuracy"],
        }
        if history[f"{prefix}loss"]:
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def save_keras(network: "keras.Sequential", path: Path) -> None:
    """Write the network as a .keras file that keras.saving.load_model opens without custom objects.

    It is written again without what differs between saves: the date in metadata.json, the times in
    the zip, and `shared_object_id` in config.json, a memory address.
    """
    network.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(members["metadata.json"])
    metadata["date_saved"] = "1980-01-01@00:00:00"
    members["metadata.json"] = json.dumps(metadata, sort_keys=True).encode()
    config = json.loads(
        members["config.json"],
        object_hook=lambda part: {key: part[key] for key in part if key != "shared_object_id"},
    )
    members["config.json"] = json.dumps(config, sort_keys=True).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zip_member(name), content)


def dense_layers(
    classes: int, settings: "NetworkSettings", multilabel: bool
) -> list["keras.layers.Dense"]:
    """Return hidden layers and that of the output, not built yet.

    The output is one sigmoid unit, one per label or, beyond two classes, softmax.
    """
    import keras

    hidden = [
        keras.layers.Dense(units, activation=settings.activation, name=f"hidden_{number}")
        for number, units in enumerate(settings.units, start=1)
    ]
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    if multilabel:
        units, activation = classes, "sigmoid"
    return [*hidden, keras.layers.Dense(units, activation=activation, name="output")]


def read_dense(network: "keras.Model", classes: int) -> tuple[Layer, ...]:
    """Return the dense layers of a network with their weights, float64.

    One sigmoid per class means several labels.
    """
    import keras

    layers = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dense):
            arrays = (np.asarray(weights, dtype=np.float64) for weights in layer.get_weights())
            kernel, bias = arrays
            layers.append(Layer(kernel, bias, layer.activation.__name__))
    if layers[-1].activation == "sigmoid" and len(layers[-1].bias) == classes:
        layers[-1] = replace(layers[-1], activation=SIGMOIDS)
    return tuple(layers)
