"""The dense layers with which every network ends."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from textclf.artifacts.layers import SIGMOIDS, Layer

if TYPE_CHECKING:
    import keras

    from textclf.models.common.networks.settings import NetworkSettings


def dense_layers(classes: int, settings: "NetworkSettings", multilabel: bool) -> list["keras.layers.Dense"]:
    """Return hidden layers, then one sigmoid unit, one per label or, beyond two classes, softmax; not built yet."""
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
    """Return the dense layers of a network with their weights, float64; one sigmoid per class means several labels."""
    import keras

    layers = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dense):
            kernel, bias = (np.asarray(weights, dtype=np.float64) for weights in layer.get_weights())
            layers.append(Layer(kernel, bias, layer.activation.__name__))
    if layers[-1].activation == "sigmoid" and len(layers[-1].bias) == classes:
        layers[-1] = replace(layers[-1], activation=SIGMOIDS)
    return tuple(layers)
