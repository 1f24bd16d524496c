"""The dense layers with which every network ends."""

from typing import TYPE_CHECKING

import numpy as np

from textclf.artifacts.layers import Layer

if TYPE_CHECKING:
    import keras

    from textclf.models.common.networks.settings import NetworkSettings


def dense_layers(classes: int, settings: "NetworkSettings") -> list["keras.layers.Dense"]:
    """Return hidden layers, then one sigmoid unit or, beyond two classes, softmax; not built yet."""
    import keras

    hidden = [
        keras.layers.Dense(units, activation=settings.activation, name=f"hidden_{number}")
        for number, units in enumerate(settings.units, start=1)
    ]
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    return [*hidden, keras.layers.Dense(units, activation=activation, name="output")]


def read_dense(network: "keras.Model") -> tuple[Layer, ...]:
    """Return the dense layers of a network with their weights, float64."""
    import keras

    layers = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dense):
            kernel, bias = (np.asarray(weights, dtype=np.float64) for weights in layer.get_weights())
            layers.append(Layer(kernel, bias, layer.activation.__name__))
    return tuple(layers)
