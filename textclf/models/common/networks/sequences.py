"""Networks over sequences of token ids: an embedding, layers of a model's own that end in one vector, dense layers."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from textclf.artifacts.layers import LayerModel
from textclf.artifacts.token_front import Convolution, Pooling, TokenFront
from textclf.artifacts.tokens import Tokens
from textclf.core.errors import UserError
from textclf.models.common.fitted import Fitted
from textclf.models.common.networks.blocks import training_blocks, validation_batches
from textclf.models.common.networks.dense import dense_layers, read_dense
from textclf.models.common.networks.environment import prepare_keras
from textclf.models.common.networks.exact import over_blocks
from textclf.models.common.networks.results import fitted_network
from textclf.models.common.networks.sequence_settings import SequenceSettings
from textclf.models.common.networks.training import compile_blocks, train_blocks

if TYPE_CHECKING:
    import keras

    from textclf.artifacts.features import Features

IDS = "int32"
POOLING: dict[str, Pooling] = {"Flatten": "flatten", "GlobalMaxPooling1D": "max", "GlobalAveragePooling1D": "average"}


Layers = Callable[[Any], "Sequence[keras.Layer]"]  # from the settings of a model, its own layers


def fit_sequences(train: "Features", watched: "Features | None", settings: SequenceSettings, own: Layers) -> Fitted:
    """Return the network with a model's own layers, trained on the training rows.

    See `textclf.models.common.networks.training.train_blocks`. Raises `UserError` if the features lack the vectors
    that the settings ask for.
    """
    prepare_keras(settings)
    X: Any = train.X  # Tokens
    network = build_network(X, len(train.classes), settings, own)
    model = over_blocks(network)
    cells = max(math.prod(layer.output.shape[1:]) * getattr(layer, "kernel_size", (1,))[0] for layer in network.layers)
    blocks = training_blocks(model, train, settings, lambda rows: X[rows].padded(), IDS, X.length)
    batches = None
    if watched is not None:
        Z: Any = watched.X
        batches = validation_batches(watched.y, lambda rows: Z[rows].padded(), IDS, cells)
    compile_blocks(model, len(train.classes), settings)
    history = train_blocks(model, settings, blocks, batches)
    network.set_weights(model.get_weights())
    return fitted_network(network, layer_model(network, tuple(train.classes.tolist())), history)


def build_network(X: Tokens, classes: int, settings: SequenceSettings, own: Layers) -> "keras.Sequential":
    """Return the untrained network: embedding, the model's own layers, dense layers; of Keras's own layers only."""
    import keras

    embedding = keras.layers.Embedding(
        X.vocabulary, settings.dimensions, trainable=settings.vectors != "frozen", name="embedding"
    )
    layers = [keras.Input((X.length,), dtype=IDS, name="token_ids"), embedding, *own(settings)]
    network = keras.Sequential([*layers, *dense_layers(classes, settings)], name="network")
    if settings.vectors is not None:
        embedding.set_weights([require_vectors(X, settings)])
    return network


def require_vectors(X: Tokens, settings: SequenceSettings) -> Any:
    """Return the pretrained vectors of the ids; `UserError` if there are none or they have another length."""
    if X.vectors is None:
        raise UserError(
            f"vectors must be null for a representation without pretrained vectors; got {settings.vectors}: "
            "set vectors of the representation too, to glove-6b-50d for example"
        )
    if (dimensions := X.vectors.shape[1]) != settings.dimensions:
        raise UserError(f"dimensions must be {dimensions}, as in the pretrained vectors; got {settings.dimensions}")
    return X.vectors


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
    (pooling,) = (POOLING[name] for layer in network.layers if (name := layer.__class__.__name__) in POOLING)
    return LayerModel(classes, read_dense(network), front=TokenFront(embedding, length, pooling, convolution))
