"""BERT and MPNet encoders as ONNX, built from configuration and weights alone.

Devlin et al. (2019), NAACL-HLT, 4171-4186, doi:10.18653/v1/N19-1423. The weights have the names of
the Transformers library, such as `encoder.layer.0.attention.self.query.weight`.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.core.files import read_json
from textclf.pretrained.onnx_graph import FLOAT, FLOAT16, IDS, MASK, Graph

if TYPE_CHECKING:
    import onnx

Pooling = Literal["mean", "cls"]
Weights = Mapping[str, NDArray[Any]]
WORDS = "embeddings.word_embeddings.weight"  # the largest array
# What follows the name of an array that is stored as two: 4 bits per number, from -8 to 7, and a
# scale per block. The low bits of the bytes of a block are its first half. The product is rounded
# to float16.
BITS = ".bits"
SCALES = ".scales"
BLOCK = 32  # numbers
# Activations of the configuration as operators of ONNX with their attributes.
ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "gelu": ("Gelu", {"approximate": "none"}),
    "gelu_new": ("Gelu", {"approximate": "tanh"}),
    "gelu_pytorch_tanh": ("Gelu", {"approximate": "tanh"}),
    "relu": ("Relu", {}),
}
_SIZES = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "inner": "intermediate_size",
    "positions": "max_position_embeddings",
    "vocabulary": "vocab_size",
    "types": "type_vocab_size",
}
MPNET_SKIPPED = 2  # positions before the first token's
FAR = 128  # the distance from which all are in one bucket
DISTANCE_SCORES = "encoder.relative_attention_bias.weight"  # by bucket of distances and head
_POSITIONS = "embeddings.position_embeddings.weight"
_MPNET_NAMES = {
    "attn.q": "self.query",
    "attn.k": "self.key",
    "attn.v": "self.value",
    "attn.o": "output.dense",
    "attention.LayerNorm": "attention.output.LayerNorm",
}


@dataclass(frozen=True)
class Config:
    """The sizes of an encoder.

    They are `hidden` per token, `inner` in the feed-forward layers, `positions` at most in a row.
    """

    layers: int
    hidden: int
    heads: int
    inner: int
    positions: int
    vocabulary: int
    types: int
    epsilon: float
    activation: str
    buckets: int = 0  # of distances between tokens, in MPNet
    padding: int = 0  # the id of padding in the tokenizer

    def shapes(self, stored: Container[str] = ()) -> dict[str, tuple[int, ...]]:
        """Return the shape of each array that an encoder needs, by its name.

        They are those in a file that has the arrays in `stored`.
        """
        hidden, inner = self.hidden, self.inner
        shapes: dict[str, tuple[int, ...]] = {
            WORDS: (self.vocabulary, hidden),
            "embeddings.position_embeddings.weight": (self.positions, hidden),
            "embeddings.token_type_embeddings.weight": (self.types, hidden),
        }
        norms, linears = ["embeddings.LayerNorm"], {}
        for number in range(self.layers):
            layer = f"encoder.layer.{number}"
            for part in ("self.query", "self.key", "self.value", "output.dense"):
                linears[f"{layer}.attention.{part}"] = (hidden, hidden)
            linears[f"{layer}.intermediate.dense"] = (inner, hidden)
            linears[f"{layer}.output.dense"] = (hidden, inner)
            norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
        for name, (rows, columns) in linears.items():
            shapes |= {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}
        for name in norms:
            shapes |= {f"{name}.weight": (hidden,), f"{name}.bias": (hidden,)}
        if self.buckets:
            shapes[DISTANCE_SCORES] = (self.buckets, self.heads)
        for name in [name for name in shapes if name + BITS in stored]:
            rows, columns = shapes.pop(name)
            shapes |= {
                name + BITS: (rows, columns // BLOCK, BLOCK // 2),
                name + SCALES: (rows, columns // BLOCK, 1),
            }
        return shapes


def read_config(path: Path) -> Config:
    """Return the sizes in a config.json; `UserError` unless it is that of a BERT or MPNet."""
    content, keys = read_json(path), _SIZES
    if not isinstance(content, dict) or content.get("model_type") not in ("bert", "mpnet"):
        kind = content.get("model_type") if isinstance(content, dict) else content
        raise UserError(
            f"{path}: model_type must be bert or mpnet; got {kind!r}; "
            "use such an encoder, or an ONNX file"
        )
    if content["model_type"] == "mpnet":
        content = {"type_vocab_size": 1} | content
        keys = {**_SIZES, "buckets": "relative_attention_num_buckets"}
    sizes: dict[str, Any] = {name: content.get(key) for name, key in keys.items()}
    for name, key in keys.items():
        if type(sizes[name]) is not int or sizes[name] < 1:
            raise UserError(
                f"{path}: {key} must be an integer from 1; got {sizes[name]!r}; download it again"
            )
    if sizes["hidden"] % sizes["heads"]:
        raise UserError(
            f"{path}: hidden_size must be a multiple of num_attention_heads; download it again"
        )
    activation, epsilon = content.get("hidden_act"), content.get("layer_norm_eps", 1e-12)
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise UserError(
            f"{path}: hidden_act must be one of {', '.join(ACTIVATIONS)}; got {activation!r}"
        )
    is_absolute = content.get("position_embedding_type", "absolute") == "absolute"
    if not is_absolute or not isinstance(epsilon, float) or not 0 < epsilon < 1:
        raise UserError(
            f"{path} must have absolute positions and a decimal layer_norm_eps; "
            "use an ONNX file instead"
        )
    padding = content.get("pad_token_id", 0)
    if type(padding) is not int or not 0 <= padding < sizes["vocabulary"]:
        raise UserError(
            f"{path}: pad_token_id must be the id of a token; got {padding!r}; download it again"
        )
    if "buckets" in sizes:
        sizes["positions"] -= MPNET_SKIPPED
    return Config(**sizes, epsilon=epsilon, activation=activation, padding=padding)


def select_weights(arrays: Weights, config: Config, path: Path) -> dict[str, NDArray[Any]]:
    """Return the encoder's arrays by name, without a prefix `bert.`.

    Raises `UserError` if their file lacks one. They are float16 or float32, as in the file; `WORDS`
    stays in 4 bits if it is stored so.
    """
    selected: dict[str, NDArray[Any]] = {}
    arrays = as_bert(arrays, config.hidden) if config.buckets else arrays
    for name, shape in config.shapes(arrays).items():
        array = arrays.get(name, arrays.get(f"bert.{name}"))
        if array is None or array.shape != shape:
            actual = "nothing" if array is None else f"shape {list(array.shape)}"
            raise UserError(
                f"{path}: {name} must have the shape {list(shape)}; got {actual}; "
                "use a BERT encoder and its config.json"
            )
        is_small = array.dtype == np.float16 or name.endswith(BITS)
        selected[name] = array if is_small else array.astype(np.float32, copy=False)
    in_bits = [name for name in selected if name.endswith(BITS) and name != WORDS + BITS]
    for name in [name.removesuffix(BITS) for name in in_bits]:
        bits, scales = selected.pop(name + BITS), selected.pop(name + SCALES)
        numbers = np.concatenate([bits & 15, bits >> 4], axis=-1).astype(np.float32) - 8
        selected[name] = (numbers * scales).astype(np.float16).reshape(len(bits), -1)
    return selected


# Continues a graph from the token vectors; returns the name of the output.
Head = Callable[[Graph, str], str]


def encoder_model(
    config: Config,
    weights: Weights,
    head: Head | None = None,
    output: str = "token_vectors",
    shape: tuple[str | int, ...] | None = None,
) -> "onnx.ModelProto":
    """Return a model from token ids to the vectors of the tokens, or to what `head` makes of these.

    Inputs: `input_ids` and `attention_mask`, both (rows, length) int64; the mask is 1 for tokens
    and 0 for padding. Output: float32, named `output`, of the given `shape`, without a head (rows,
    length, hidden).
    """
    from onnx import TensorProto, helper

    graph = Graph()
    builder = _Encoder(graph, config, weights)
    vectors = builder.embeddings()
    ignored = graph.add("Sub", graph.constant(np.float32(1)), graph.add("Cast", MASK, to=FLOAT))
    # So the exp of the sum is 0 for padding.
    ignored = graph.add("Mul", ignored, graph.constant(np.finfo(np.float32).min))
    # (rows, 1, 1, length)
    added = graph.add("Unsqueeze", ignored, graph.constant(np.array([1, 2])))
    if config.buckets:
        added = graph.add("Add", added, builder.scores_of_distances())
    for number in range(config.layers):
        vectors = builder.layer(f"encoder.layer.{number}", vectors, added)
    graph.add("Identity", vectors if head is None else head(graph, vectors), name=output)
    ids, mask = (
        helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "length"])
        for name in (IDS, MASK)
    )
    dimensions = list(shape or ("rows", "length", config.hidden))
    result = helper.make_tensor_value_info(output, TensorProto.FLOAT, dimensions)
    return graph.model([ids, mask], [result])


class _Encoder:
    """The parts of an encoder, added to a graph."""

    def __init__(self, graph: Graph, config: Config, weights: Weights) -> None:
        self.graph, self.config, self.weights = graph, config, weights

    def embeddings(self) -> str:
        """Add the normalised sum of the vectors of words, positions and the first token type."""
        graph, weights, words = self.graph, self.weights, self.words()
        # Every text is of the first type, so that its vector is a constant of all positions.
        types = weights["embeddings.token_type_embeddings.weight"][0].astype(np.float32)
        positions = graph.constant(weights["embeddings.position_embeddings.weight"] + types)
        length = graph.add("Shape", IDS, start=1, end=2)
        zero, axis = graph.constant(np.array([0])), graph.constant(np.array([0]))
        values = graph.add("Add", words, graph.add("Slice", positions, zero, length, axis))
        return self.normalize("embeddings.LayerNorm", values)

    def words(self) -> str:
        """Add the vectors of words; those of 4 bits are converted only when they are used."""
        graph, weights = self.graph, self.weights
        if WORDS in weights:
            return graph.add("Gather", graph.constant(weights[WORDS]), IDS)
        bits = graph.add("Gather", graph.constant(weights[WORDS + BITS]), IDS)
        scales = graph.add("Gather", graph.constant(weights[WORDS + SCALES]), IDS)
        low = graph.add("BitwiseAnd", bits, graph.constant(np.uint8(15)))
        high = graph.add("BitShift", bits, graph.constant(np.uint8(4)), direction="RIGHT")
        numbers = graph.add("Cast", graph.add("Concat", low, high, axis=-1), to=FLOAT)
        numbers = graph.add("Sub", numbers, graph.constant(np.float32(8)))
        rounded = graph.add("Cast", graph.add("Mul", numbers, scales), to=FLOAT16)
        rounded = graph.add("Cast", rounded, to=FLOAT)
        return graph.add("Reshape", rounded, graph.constant(np.array([0, 0, self.config.hidden])))

    def normalize(self, name: str, values: str) -> str:
        scale = self.graph.constant(self.weights[f"{name}.weight"])
        shift = self.graph.constant(self.weights[f"{name}.bias"])
        inputs, epsilon = (values, scale, shift), self.config.epsilon
        return self.graph.add("LayerNormalization", *inputs, axis=-1, epsilon=epsilon)

    def linear(self, name: str, values: str) -> str:
        kernel, bias = self.weights[f"{name}.weight"].T, self.weights[f"{name}.bias"]
        return dense(self.graph, values, kernel, bias)

    def scores_of_distances(self) -> str:
        """Add the scores of attention that MPNet learned for the distances of tokens.

        They are (heads, length, length).
        """
        graph = self.graph
        scores = distance_scores(self.weights[DISTANCE_SCORES], self.config.positions)
        length = graph.add("Shape", IDS, start=1, end=2)
        starts, axes = graph.constant(np.array([0, 0])), graph.constant(np.array([1, 2]))
        ends = graph.add("Concat", length, length, axis=0)
        return graph.add("Slice", graph.constant(scores), starts, ends, axes)

    def layer(self, name: str, values: str, added: str) -> str:
        """Add one layer: attention and a feed-forward network, both residual.

        `added` goes to the scores of attention.
        """
        context = self.attention(f"{name}.attention.self", values, added)
        attended = self.linear(f"{name}.attention.output.dense", context)
        residual = self.graph.add("Add", attended, values)
        values = self.normalize(f"{name}.attention.output.LayerNorm", residual)
        operator, attributes = ACTIVATIONS[self.config.activation]
        inner = self.linear(f"{name}.intermediate.dense", values)
        outer = self.linear(f"{name}.output.dense", self.graph.add(operator, inner, **attributes))
        return self.normalize(f"{name}.output.LayerNorm", self.graph.add("Add", outer, values))

    def attention(self, name: str, values: str, added: str) -> str:
        """Add the self-attention of all heads, (rows, length, hidden).

        The dense layer that follows it is left out.
        """
        graph, heads = self.graph, self.config.heads
        size = self.config.hidden // heads
        scale = np.float32(1 / np.sqrt(size))  # of the scores, applied to the queries
        kernels = [self.weights[f"{name}.{part}.weight"].T for part in ("query", "key", "value")]
        biases = [self.weights[f"{name}.{part}.bias"] for part in ("query", "key", "value")]
        # One product for queries, keys and values: (rows, length, 3 x heads x size) -> (rows, 3 x
        # heads, length, size)
        kernel = np.concatenate([kernels[0] * scale, *kernels[1:]], axis=1)
        joint = dense(graph, values, kernel, np.concatenate([biases[0] * scale, *biases[1:]]))
        joint = graph.add("Reshape", joint, graph.constant(np.array([0, 0, 3 * heads, size])))
        joint = graph.add("Transpose", joint, perm=[0, 2, 1, 3])
        names = [f"{name}.{part}" for part in ("queries", "keys", "values")]
        queries, keys, contents = graph.split("Split", joint, names=names, axis=1, num_outputs=3)
        scores = graph.add("MatMul", queries, graph.add("Transpose", keys, perm=[0, 1, 3, 2]))
        shares = graph.add("Softmax", graph.add("Add", scores, added), axis=-1)
        context = graph.add("Transpose", graph.add("MatMul", shares, contents), perm=[0, 2, 1, 3])
        return graph.add("Reshape", context, graph.constant(np.array([0, 0, self.config.hidden])))


def dense(graph: Graph, values: str, kernel: NDArray[Any], bias: NDArray[Any]) -> str:
    """Add `values @ kernel + bias`; `kernel` is (inputs, outputs), `bias` (outputs,)."""
    product = graph.add("MatMul", values, graph.constant(np.ascontiguousarray(kernel)))
    return graph.add("Add", product, graph.constant(bias))


def pool_vectors(graph: Graph, vectors: str, pooling: Pooling) -> str:
    """Add the mean vector of a row's tokens, or the vector of its first token: (rows, hidden)."""
    if pooling == "cls":
        return graph.add("Gather", vectors, graph.constant(np.int64(0)), axis=1)
    axis = graph.constant(np.array([1]))
    mask = graph.add("Unsqueeze", graph.add("Cast", MASK, to=FLOAT), graph.constant(np.array([2])))
    total = graph.add("ReduceSum", graph.add("Mul", vectors, mask), axis, keepdims=0)
    return graph.add("Div", total, graph.add("ReduceSum", mask, axis, keepdims=0))


def as_bert(arrays: Weights, hidden: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of an MPNet by the names of BERT's; the vector of its token type is 0.

    Song et al. (2020), NeurIPS, arXiv:2004.09297: BERT's with scores of attention for the distance
    between tokens.
    """
    renamed = {"embeddings.token_type_embeddings.weight": np.zeros((1, hidden), np.float32)}
    for name, array in arrays.items():
        known = name.removeprefix("mpnet.")
        for theirs, ours in _MPNET_NAMES.items():
            known = known.replace(theirs, ours)
        renamed[known] = array[MPNET_SKIPPED:] if known == _POSITIONS else array
    return renamed


def distance_scores(scores: NDArray[Any], positions: int) -> NDArray[Any]:
    """Return what MPNet adds to the scores of attention: (heads, positions, positions).

    The attended token is last.
    """
    places = np.arange(positions)
    buckets = distance_buckets(positions, len(scores))[places - places[:, None] + positions - 1]
    return np.ascontiguousarray(scores[buckets].transpose(2, 0, 1))


def distance_buckets(positions: int, buckets: int) -> NDArray[np.int64]:
    """Return the bucket of each distance of an attended token, (2 x positions - 1,).

    The first is the farthest token before. Half of the buckets are for tokens that follow; of each
    half, half are for one distance, others grow up to `FAR`.
    """
    distances = np.arange(1 - positions, positions)
    half, single = buckets // 2, buckets // 4
    growth = np.log(np.maximum(abs(distances), 1) / single) / np.log(FAR / single)
    large = np.minimum(single + (growth * (half - single)).astype(int), half - 1)
    near = np.where(abs(distances) < single, abs(distances), large)
    return np.asarray(near + half * (distances > 0))
