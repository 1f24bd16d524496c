"""Optimizer steps on blocks of sparse rows, compiled.

A step multiplies sparse rows by the first layer's kernel, and the transposed rows by its gradient, in TensorFlow's own
kernels, which add term after term; XLA compiles the rest. So a step costs what its terms cost, whatever the longest
row, and nothing is compiled again for other rows.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.features import Features

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
    steps, width = -(-len(positions) // batch), -(-batch // devices)
    grid = np.full((steps, width * devices), -1)
    whole = np.full(steps * batch, -1)
    whole[: len(positions)] = positions
    grid[:, :batch] = whole.reshape(steps, batch)
    sizes = (grid >= 0).sum(axis=1)
    grid = grid[:, device::devices]
    step, place = np.nonzero(grid >= 0)
    X, y = part.X[grid[step, place]], np.full(grid.shape, -1, dtype=np.int32)
    y[step, place] = part.y[grid[step, place]]
    terms = np.diff(X.indptr)
    places = np.column_stack([np.repeat(place, terms), X.indices]).astype(np.int64, copy=False)
    starts = np.concatenate([[0], np.bincount(step, terms, steps).cumsum()]).astype(np.int64)
    weight = np.where(y < 0, 0, weights[y]).astype(np.float32)
    return Block(places, X.data.astype(np.float32), starts, y, weight, sizes.astype(np.float32))


def compile_steps(
    network: "keras.Sequential", optimizer: "keras.Optimizer", batch: int, strategy: Any
) -> tuple[Callable[[Any, int], None], Callable[[], tuple[float, float]]]:
    """Return two functions: one runs the steps of a block of so many rows; one returns sums since its last call.

    The sums are those of the weighted losses, and the number of correct rows.
    """
    import keras
    import tensorflow as tf

    first, *others = network.layers
    variables = network.trainable_variables
    width = -(-batch // strategy.num_replicas_in_sync)
    single_device = strategy.num_replicas_in_sync == 1
    with strategy.scope():
        optimizer.build(variables)
        totals = tf.Variable(
            tf.zeros(2, tf.float64),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )

    def loss_above(sums: Any, y: Any, weights: Any, size: Any) -> tuple[Any, Any]:
        output = first.activation(sums + first.bias)
        for layer in others:
            output = layer(output)
        labels = tf.maximum(y, 0)
        if output.shape[1] == 1:
            losses = keras.losses.binary_crossentropy(labels[:, None], output)
            best = tf.cast(output[:, 0] > 0.5, y.dtype)
        else:
            losses = keras.losses.sparse_categorical_crossentropy(labels, output)
            best = tf.argmax(output, axis=1, output_type=y.dtype)
        loss = tf.reduce_sum(losses * weights)
        return loss / size, tf.stack([loss, tf.reduce_sum(tf.cast(best == y, loss.dtype))])

    def update(gradients: Any) -> None:
        optimizer.apply(gradients, variables)

    loss_above = tf.function(loss_above, jit_compile=True)
    if single_device:
        update = tf.function(update, jit_compile=True)  # several machines sum gradients here, which XLA can't

    def step(number: Any, block: Block) -> None:
        terms = slice(block.starts[number], block.starts[number + 1])
        X = tf.SparseTensor(block.places[terms], block.counts[terms], (width, first.kernel.shape[0]))
        with tf.GradientTape() as tape:
            sums = tf.sparse.sparse_dense_matmul(X, first.kernel)
            loss, loss_and_correct = loss_above(
                sums, *(array[number] for array in (block.y, block.weights, block.sizes))
            )
        update(tape.gradient(loss, variables))
        totals.assign_add(tf.cast(loss_and_correct, totals.dtype))

    def loop(number: Any, block: Any) -> None:
        def body(at: Any) -> Any:
            strategy.run(step, args=(at, block))
            return at + 1

        tf.while_loop(lambda at: at < number, body, [0])

    loop = tf.function(loop, reduce_retracing=True)

    def run_steps(block: Any, rows: int) -> None:
        loop(tf.constant(-(-rows // batch)), block)

    def take_sums() -> tuple[float, float]:
        loss, correct = totals.numpy()
        totals.assign(tf.zeros_like(totals))
        return float(loss), float(correct)

    return run_steps, take_sums
