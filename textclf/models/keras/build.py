"""The network, and its layers as the form that makes all predictions."""

from typing import TYPE_CHECKING

import numpy as np

from textclf.artifacts.layers import Layer, LayerModel

if TYPE_CHECKING:
    import keras

    from textclf.models.common.networks.settings import NetworkSettings


def build_network(features: int, classes: int, settings: "NetworkSettings") -> "keras.Sequential":
    """Return the untrained network: hidden Dense layers, then one sigmoid unit or, beyond two classes, softmax."""
    import keras

    hidden = [
        keras.layers.Dense(units, activation=settings.activation, name=f"hidden_{number}")
        for number, units in enumerate(settings.units, start=1)
    ]
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    output = keras.layers.Dense(units, activation=activation, name="output")
    return keras.Sequential([keras.Input((features,), name="counts"), *hidden, output], name="network")


def layer_model(network: "keras.Sequential", classes: tuple[str, ...]) -> LayerModel:
    """Return the network's weights, float64, as the layers that make all predictions."""
    layers = []
    for layer in network.layers:
        kernel, bias = (np.asarray(weights, dtype=np.float64) for weights in layer.get_weights())
        layers.append(Layer(kernel, bias, layer.activation.__name__))
    return LayerModel(classes, tuple(layers))
