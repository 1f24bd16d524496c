"""Steps on blocks of sparse rows.

A step multiplies sparse rows by the first layer's kernel, and the transposed rows by its gradient, in TensorFlow's own
kernels, which add term after term; XLA compiles the rest. So a step costs what its terms cost, whatever the longest
row, and nothing is compiled again for other rows.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.features import Features
from textclf.models.common.networks.steps import Inputs, Output, deal_rows

if TYPE_CHECKING:
    import keras


class Block(NamedTuple):
    """Steps over rows of a shard, or the part of them that one device of one worker takes.

    The terms of step s are those from `starts[s]` to `starts[s + 1]`: `places` (terms, 2) int64, the row in the batch
    and the column; `counts` (terms,) float32. `y` (steps, rows) int32 is -1 where there is no row; `weights` (steps,
    rows) float32; `sizes` (steps,) float32, the number of rows of the whole step.
    """

    places: NDArray[np.int64]
    counts: NDArray[np.float32]
    starts: NDArray[np.int64]
    y: NDArray[np.int32]
    weights: NDArray[np.float32]
    sizes: NDArray[np.float32]


def make_block(
    part: Features, weights: NDArray[np.float64], positions: NDArray[np.int64], batch: int, devices: int, device: int
) -> Block:
    """Return the rows of a shard at these positions, in this order, as steps of `batch` rows; this device's only."""
    dealt = deal_rows(part.y, weights, positions, batch, devices, device)
    step, place = np.nonzero(dealt.positions >= 0)
    X = part.X[dealt.positions[step, place]]
    terms = np.diff(X.indptr)
    places = np.column_stack([np.repeat(place, terms), X.indices]).astype(np.int64, copy=False)
    starts = np.concatenate([[0], np.bincount(step, terms, len(dealt.sizes)).cumsum()]).astype(np.int64)
    return Block(places, X.data.astype(np.float32), starts, dealt.y, dealt.weights, dealt.sizes)


def compile_inputs(network: "keras.Model", width: int) -> Inputs:
    """Return a function that sums the first kernel's rows of the terms of a step of `width` rows."""
    import tensorflow as tf

    kernel = network.layers[0].kernel

    def inputs(block: Block, number: Any) -> Any:
        terms = slice(block.starts[number], block.starts[number + 1])
        X = tf.SparseTensor(block.places[terms], block.counts[terms], (width, kernel.shape[0]))
        return tf.sparse.sparse_dense_matmul(X, kernel)

    return inputs


def compile_output(network: "keras.Model") -> Output:
    """Return a function from these sums to the probabilities."""
    first, *others = network.layers

    def output(sums: Any) -> Any:
        values = first.activation(sums + first.bias)
        for layer in others:
            values = layer(values)
        return values

    return output
