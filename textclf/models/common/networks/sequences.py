"""Networks over sequences of token ids: an embedding, layers of a model's own that end in one vector, dense layers."""

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


Layers = Callable[[Any], "Sequence[keras.Layer]"]  # from the settings of a model, its own layers


def fit_sequences(
    train: Dataset,
    watched: Dataset | None,
    settings: SequenceSettings,
    folders: Folders,
    own: Layers,
) -> Fitted:
    """Return the network with a model's own layers, trained on the training rows: see `fit_network`."""
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
    """Return the untrained network: embedding, the model's own layers, dense layers; of Keras's own layers only."""
    import keras

    embedding = keras.layers.Embedding(
        X.vocabulary, settings.dimensions, trainable=settings.vectors != "frozen", name="embedding"
    )
    layers = [keras.Input((X.length,), dtype=IDS, name="token_ids"), embedding, *own(settings)]
    network = keras.Sequential(
        [*layers, *dense_layers(classes, settings, multilabel)], name="network"
    )
    if settings.vectors is not None:
        embedding.set_weights([require_vectors(X.vectors, settings)])
    return network


def require_vectors(vectors: Any, settings: SequenceSettings) -> Any:
    """Return the pretrained vectors of the ids; `UserError` if they have another length than the settings say."""
    if (dimensions := vectors.shape[1]) != settings.dimensions:
        raise UserError(
            f"dimensions must be {dimensions}, as in the pretrained vectors; got {settings.dimensions}"
        )
    return vectors


def layer_model(network: "keras.Model", classes: tuple[str, ...]) -> LayerModel:
    """Return the network's weights, float64, as the front and the layers that make all predictions."""
    import keras

    def find(kind: type) -> Any:
        return next((layer for layer in network.layers if isinstance(layer, kind)), None)

    def arrays(layer: "keras.Layer") -> list[Any]:
        return [np.asarray(weights, dtype=np.float64) for weights in layer.get_weights()]

    (embedding,), length = arrays(find(keras.layers.Embedding)), network.input_shape[-1]
    convolution = None
    if (layer := find(keras.layers.Conv1D)) is not None:
        kernel, bias = arrays(layer)
        convolution = Convolution(kernel, bias, layer.activation.__name__)
    (pooling,) = (
        POOLING[name] for layer in network.layers if (name := layer.__class__.__name__) in POOLING
    )
    return LayerModel(
        classes,
        read_dense(network, len(classes)),
        front=TokenFront(embedding, length, pooling, convolution),
    )
