"""The network, and its layers as the form that makes all predictions."""

from typing import TYPE_CHECKING

from textclf.artifacts.layers import LayerModel
from textclf.models.common.networks.dense import dense_layers, read_dense
from textclf.models.common.networks.training import Architecture
from textclf.models.keras.sparse import over_sparse_rows, pad_rows, width_of

if TYPE_CHECKING:
    import keras

    from textclf.models.common.networks.settings import NetworkSettings


def build_network(features: int, classes: int, settings: "NetworkSettings") -> "keras.Sequential":
    """Return the untrained network: hidden Dense layers, then one sigmoid unit or, beyond two classes, softmax."""
    import keras

    layers = dense_layers(classes, settings)
    return keras.Sequential([keras.Input((features,), name="counts"), *layers], name="network")


def layer_model(network: "keras.Model", classes: tuple[str, ...]) -> LayerModel:
    """Return the network's weights, float64, as the layers that make all predictions."""
    return LayerModel(classes, read_dense(network))


ARCHITECTURE = Architecture(
    build=lambda X, classes, settings: build_network(X.shape[1], classes, settings),
    exact=over_sparse_rows,
    inputs=pad_rows,
    width=width_of,
    layer_model=layer_model,
)
