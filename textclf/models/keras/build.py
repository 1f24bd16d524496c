"""The network: dense layers over a bag of words, with the same arithmetic over sparse rows.

A dense layer over a bag of words sums the kernel's rows of the words that occur, times their
counts. Doing just that is faster, never needs a dense matrix and, compiled by XLA for AVX2, gives
the same bits on every x86-64 CPU.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.artifacts.layers import LayerModel
from textclf.models.common.networks.exact import with_dense_gradient
from textclf.models.common.networks.output_layers import dense_layers, read_dense
from textclf.models.common.networks.training import Architecture

if TYPE_CHECKING:
    import keras

    from textclf.models.common.networks.settings import NetworkSettings

# Padding is narrowed by a factor of 16 each time, but not below 256 columns.
NARROWEST = 256
NARROWING = 16


def build_network(
    features: int, classes: int, settings: "NetworkSettings", multilabel: bool = False
) -> "keras.Sequential":
    """Return the untrained network: the layers of `dense_layers`."""
    import keras

    layers = dense_layers(classes, settings, multilabel)
    return keras.Sequential([keras.Input((features,), name="counts"), *layers], name="network")


def layer_model(network: "keras.Model", classes: tuple[str, ...]) -> LayerModel:
    """Return the network's weights, float64, as the layers that make all predictions."""
    return LayerModel(classes, read_dense(network, len(classes)))


def over_sparse_rows(network: "keras.Sequential") -> "keras.Model":
    """Return a network of the same layers that takes rows of `pad_rows`."""
    import keras

    class SparseDense(keras.layers.Dense):
        """Dense over rows given as term ids (B, K) and counts (B, K).

        It computes sum_k kernel[id_k] * count_k + bias.
        """

        # The shape of the padded row does not matter.
        def build(self, input_shape: Any) -> None:  # noqa: ARG002
            super().build((None, features))
            self.input_spec = None

        # Keras passes it.
        def call(self, inputs: Any, training: bool | None = None) -> Any:  # noqa: ARG002
            ids, counts = inputs
            rows = keras.ops.take(with_dense_gradient(self.kernel), ids, axis=0)
            return self.activation(keras.ops.sum(rows * counts[..., None], axis=1) + self.bias)

        def compute_output_shape(self, input_shape: Any) -> tuple[None, int]:  # noqa: ARG002
            return (None, self.units)

    first, *others = network.layers
    features = network.input_shape[-1]
    inputs = (keras.Input((None,), dtype="int32"), keras.Input((None,)))
    layer = SparseDense(first.units, activation=first.activation, name=first.name)
    layer.input_spec = None  # Dense expects one input
    output = layer(inputs)
    for layer in others:
        output = layer.__class__.from_config(layer.get_config())(output)
    return keras.Model(inputs, output)


def pad_rows(X: Any, width: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return term ids and counts of each row, CSR or dense, both (rows, K).

    They are 0 where a row has fewer than K terms. K is `width`, which no row exceeds, or a
    sixteenth of it, and so on, if that holds these rows as well: one long row must not slow all
    others, and XLA compiles again for each K.
    """
    X = csr_array(X)
    terms = np.diff(X.indptr)
    columns, fewest = width, max(NARROWEST, terms.max(initial=0))
    while -(-columns // NARROWING) >= fewest:
        columns = -(-columns // NARROWING)
    filled = np.arange(columns) < terms[:, None]
    ids, counts = np.zeros(filled.shape, np.int32), np.zeros(filled.shape, np.float32)
    ids[filled], counts[filled] = X.indices, X.data
    return ids, counts


def width_of(X: Any) -> int:
    """Return the width to which rows, CSR or dense, are padded.

    It is the most terms of a row rounded up to a multiple of 4 and of an eighth of the next power
    of two, so that few batches of a dataset have another width.
    """
    most = X.shape[1] if isinstance(X, np.ndarray) else int(np.diff(X.indptr).max(initial=1))
    step = max(4, (1 << (most - 1).bit_length()) // 8)
    return -(-most // step) * step


ARCHITECTURE = Architecture(
    build=lambda X, *how: build_network(X.shape[1], *how),
    exact=over_sparse_rows,
    inputs=pad_rows,
    width=width_of,
    layer_model=layer_model,
)
