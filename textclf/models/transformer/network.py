"""The network: a BERT of a config.json, and a classification layer over its pooled output.

Its weights have the names and shapes of the pretrained files (PyTorch's), and the trained ones go
to the same graph.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.onnx_classifier import SCORES, OnnxClassifier
from textclf.artifacts.tokens import PADDING
from textclf.models.transformer import CONTRASTIVE, Settings
from textclf.pretrained.bert import (
    ACTIVATIONS,
    DISTANCE_SCORES,
    Config,
    dense,
    distance_buckets,
    encoder_model,
    pool_vectors,
)
from textclf.pretrained.onnx_graph import Graph

if TYPE_CHECKING:
    import keras

Arrays = Mapping[str, NDArray[np.float32]]

HEAD = "classifier"  # the name of the new layer
# Other layers have the names of their arrays in the pretrained files; these are parts of attention.
PARTS = {
    "query": "self.query",
    "key": "self.key",
    "value": "self.value",
    "attention_output": "output.dense",
}
ARRAYS = {"kernel": "weight", "embeddings": "weight", "gamma": "weight", "beta": "bias"}
EMBEDDINGS = "embeddings."
DISTANCES = DISTANCE_SCORES.removesuffix(".weight")
BLOCK = "encoder.layer."  # how the names of the transformer's layers begin
# Added to the scores of padding, whose shares are then 0.
MASKED = -1e9


def build_network(
    config: Config, classes: int, settings: "Settings", multilabel: bool = False
) -> "keras.Model":
    """Return the network with random weights.

    It maps token ids (rows, tokens) int32 to scores (rows, units): one unit, the log odds of the
    positive class, or one per class or label. All ids but `PADDING` are attended to.
    """
    import keras

    from textclf.models.transformer.attention import Attention

    layers, ops = keras.layers, keras.ops
    rate, epsilon, activation = settings.dropout, config.epsilon, activation_of(config)

    def residual(name: str, outer: Any, values: Any) -> Any:
        total = layers.Add()([layers.Dropout(rate)(outer), values])
        return layers.LayerNormalization(epsilon=epsilon, name=f"{name}.LayerNorm")(total)

    ids = keras.Input((None,), dtype="int32", name="ids")
    mask = ids != PADDING
    places = ops.cumsum(ops.ones_like(ids[:1, :]), axis=1) - 1  # of tokens, (1, tokens)
    values = layers.Add()(
        [
            layers.Embedding(size, config.hidden, name=f"{EMBEDDINGS}{name}_embeddings")(numbers)
            for name, size, numbers in (
                ("word", config.vocabulary, ids),
                ("position", config.positions, places),
                ("token_type", config.types, ops.zeros_like(ids)),
            )
        ]
    )
    values = layers.LayerNormalization(epsilon=epsilon, name=f"{EMBEDDINGS}LayerNorm")(values)
    values = layers.Dropout(rate)(values)
    added = ops.where(mask, 0.0, MASKED)[:, None, None, :]
    if config.buckets:
        # Attended tokens are last.
        distances = places[:, None, :] - places[:, :, None] + config.positions - 1
        buckets = ops.take(distance_buckets(config.positions, config.buckets), distances)
        scores = layers.Embedding(config.buckets, config.heads, name=DISTANCES)(buckets)
        added += ops.transpose(scores, (0, 3, 1, 2))
    for number in range(config.layers):
        name = f"{BLOCK}{number}"
        attention = Attention(config.hidden, config.heads, rate, f"{name}.attention")
        values = residual(f"{name}.attention.output", attention(values, added), values)
        inner = layers.Dense(config.inner, activation, name=f"{name}.intermediate.dense")(values)
        outer = layers.Dense(config.hidden, name=f"{name}.output.dense")(inner)
        values = residual(f"{name}.output", outer, values)
    pooled = values[:, 0] if settings.pooling == "cls" else mean_of_tokens(values, mask)
    pooled = layers.Dropout(rate)(pooled)
    units = 1 if classes == 2 and not multilabel else classes
    network = keras.Model(ids, layers.Dense(units, name=HEAD)(pooled), name="transformer")
    for layer in network.layers if settings.freeze else ():
        layer.trainable = not is_frozen(layer.name, settings.freeze)
    return network


def activation_of(config: Config) -> Any:
    """Return the activation of the feed-forward layers, that of `textclf.pretrained.bert`."""
    import keras

    operator, attributes = ACTIVATIONS[config.activation]
    approximate = attributes.get("approximate") == "tanh"
    return {
        "Relu": keras.ops.relu,
        "Gelu": functools.partial(keras.ops.gelu, approximate=approximate),
    }[operator]


def mean_of_tokens(values: Any, mask: Any) -> Any:
    """Return the mean over the tokens that are not padding, (rows, columns).

    It is 0 for a row of padding alone.
    """
    import keras

    weights = keras.ops.cast(mask, values.dtype)[..., None]
    count = keras.ops.maximum(keras.ops.sum(weights, axis=1), 1.0)
    return keras.ops.sum(values * weights, axis=1) / count


def is_frozen(layer: str, freeze: int) -> bool:
    """Return whether a layer is of the embeddings or one of the `freeze` lowest layers."""
    number = layer.removeprefix(BLOCK).partition(".")[0]
    is_embedding = layer.startswith(EMBEDDINGS) or layer == DISTANCES
    return is_embedding or (number.isdigit() and int(number) < freeze)


@dataclass(frozen=True)
class Place:
    """Where an array is in the pretrained files: its name, its shape, and whether transposed."""

    name: str
    shape: tuple[int, ...]
    transposed: bool = False


def place_of(path: str, shape: tuple[int, ...]) -> Place:
    """Return the place of an array that Keras calls `path`.

    A path is such as encoder.layer.0.attention/query/kernel. Keras splits the columns of attention
    into heads, which are joined in the files; kernels are transposed there.
    """
    layer, *inner, array = path.split("/")
    stored = ".".join([layer, *(PARTS[part] for part in inner)])
    name = f"{stored}.{ARRAYS.get(array, array)}"
    if array == "embeddings":
        return Place(name, shape)
    if array != "kernel":
        return Place(name, (math.prod(shape),))
    # The number of dimensions of the kernel that are inputs.
    inputs = 2 if inner[-1:] == ["attention_output"] else 1
    return Place(name, (math.prod(shape[inputs:]), math.prod(shape[:inputs])), transposed=True)


def set_pretrained(network: "keras.Model", arrays: Arrays) -> None:
    """Set all weights but those of the new layer."""
    for variable in network.weights:
        place = place_of(variable.path, variable.shape)
        if not place.name.startswith(HEAD):
            array = arrays[place.name].T if place.transposed else arrays[place.name]
            variable.assign(array.reshape(variable.shape))


def drawn(network: "keras.Model") -> tuple[tuple[Any, NDArray[Any]], ...]:
    """Return the variables of the new layer and of dropout, not pretrained, with their values."""
    weights = (variable for variable in network.weights if not variable.path.startswith(HEAD))
    pretrained = {id(variable) for variable in weights}
    others = (variable for variable in network.variables if id(variable) not in pretrained)
    return tuple((variable, np.asarray(variable).copy()) for variable in others)


def trained_arrays(network: "keras.Model") -> dict[str, NDArray[np.float32]]:
    """Return all weights by their names in pretrained files, in the shapes that they have there."""
    arrays = {}
    for variable in network.weights:
        place = place_of(variable.path, variable.shape)
        array = np.asarray(variable)
        if place.transposed:
            array = array.reshape(place.shape[::-1]).T
        else:
            array = array.reshape(place.shape)
        arrays[place.name] = np.ascontiguousarray(array)
    return arrays


def make_classifier(
    config: Config,
    arrays: Mapping[str, NDArray[np.float32]],
    classes: tuple[str, ...],
    length: int,
    settings: Settings,
    multilabel: bool = False,
) -> OnnxClassifier:
    """Return the classifier with the arrays of `trained_arrays`.

    The same arguments give the same bytes.
    """
    kernel, bias = arrays[f"{HEAD}.weight"].T, arrays[f"{HEAD}.bias"]

    def head(graph: Graph, vectors: str) -> str:
        pooled = pool_vectors(graph, vectors, settings.pooling)
        if settings.objective == CONTRASTIVE:
            pooled = graph.add("LpNormalization", pooled, axis=-1, p=2)
        return dense(graph, pooled, kernel, bias)

    proto = encoder_model(config, arrays, head, SCORES, ("rows", len(bias)))
    content = proto.SerializeToString(deterministic=True)
    return OnnxClassifier(classes, config.vocabulary, length, content, multilabel)
