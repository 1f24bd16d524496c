"""The network, and its layers as the form that makes all predictions."""

from typing import TYPE_CHECKING

from textclf.artifacts.layers import LayerModel
from textclf.models.common.networks.dense import dense_layers, read_dense

if TYPE_CHECKING:
    import keras

    from textclf.models.common.networks.settings import NetworkSettings


def build_network(features: int, classes: int, settings: "NetworkSettings") -> "keras.Sequential":
    """Return the untrained network: hidden Dense layers, then one sigmoid unit or, beyond two classes, softmax."""
    import keras

    return keras.Sequential([keras.Input((features,), name="counts"), *dense_layers(classes, settings)], name="network")


def layer_model(network: "keras.Model", classes: tuple[str, ...]) -> LayerModel:
    """Return the network's weights, float64, as the layers that make all predictions."""
    return LayerModel(classes, read_dense(network))
