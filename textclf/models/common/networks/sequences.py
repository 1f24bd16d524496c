"""Networks over sequences of token ids.

They are an embedding, layers of a model's own that end in one vector, and dense layers.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from textclf.artifacts.dataset import Dataset
from textclf.artifacts.layers import LayerModel
from textclf.artifacts.token_front import Convolution, Pooling, TokenFront
from textclf.artifacts.tokens import Tokens
from textclf.core.errors import UserError
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.networks.exact import exact_network
from textclf.models.common.networks.output_layers import dense_layers, read_dense
from textclf.models.common.networks.settings import SequenceSettings
from textclf.models.common.networks.training import Architecture, fit_network

if TYPE_CHECKING:
    import keras

IDS = "int32"
POOLING: dict[str, Pooling] = {
    "Flatten": "flatten",
    "GlobalMaxPooling1D": "max",
    "GlobalAveragePooling1D": "average",
}

# From the settings of a model, its own layers.
Layers = Callable[[Any], "Sequence[keras.Layer]"]


def fit_sequences(
    train: Dataset,
    watched: Dataset | None,
    settings: SequenceSettings,
    folders: Folders,
    own: Layers,
) -> Fitted:
    """Return the network with a model's own layers, trained as by `fit_network`."""
    architecture = Architecture(
        build=partial(build_network, own=own),
        exact=exact_network,
        inputs=lambda X, width: (X.padded(width),),
        width=lambda X: X.length,
        layer_model=layer_model,
    )
    return fit_network(architecture, train, watched, settings, folders)


def build_network(
    X: Tokens, classes: int, settings: SequenceSettings, multilabel: bool, own: Layers
) -> "keras.Sequential":
    """Return the untrained network: embedding, the model's own layers, dense layers.

    All of them are Keras's own kinds of layers.
    """
    import keras

    embedding = keras.layers.Embedding(
        X.vocabulary, settings.dimensions, trainable=settings.vectors != "frozen", name="embedding"
    )
    ids = keras.Input((X.length,), dtype=IDS, name="token_ids")
    layers = [ids, embedding, *own(settings), *dense_layers(classes, settings, multilabel)]
    network = keras.Sequential(layers, name="network")
    if settings.vectors is not None:
        embedding.set_weights([require_vectors(X.vectors, settings)])
    return network


def require_vectors(vectors: Any, settings: SequenceSettings) -> Any:
    """Return the pretrained vectors of the ids; `UserError` if `dimensions` is not their length."""
    dimensions = vectors.shape[1]
    if dimensions != settings.dimensions:
        raise UserError(
            f"dimensions must be {dimensions}, as in the pretrained vectors; "
            f"got {settings.dimensions}"
        )
    return vectors


def layer_model(network: "keras.Model", classes: tuple[str, ...]) -> LayerModel:
    """Return the network's weights, float64, as the front and layers that make all predictions."""
    import keras

    def find(kind: type) -> Any:
        return next((layer for layer in network.layers if isinstance(layer, kind)), None)

    def arrays(layer: "keras.Layer") -> list[Any]:
        return [np.asarray(weights, dtype=np.float64) for weights in layer.get_weights()]

    (embedding,), length = arrays(find(keras.layers.Embedding)), network.input_shape[-1]
    convolution = None
    layer = find(keras.layers.Conv1D)
    if layer is not None:
        kernel, bias = arrays(layer)
        convolution = Convolution(kernel, bias, layer.activation.__name__)
    kinds = (layer.__class__.__name__ for layer in network.layers)
    (pooling,) = (POOLING[kind] for kind in kinds if kind in POOLING)
    front = TokenFront(embedding, length, pooling, convolution)
    return LayerModel(classes, read_dense(network, len(classes)), front=front)
