"""Optimizer steps on blocks of rows, compiled."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras


class Block(Protocol):
    """Steps over rows of a shard, or the part of them that one device of one worker takes; a named tuple of arrays.

    `y` (steps, rows) int32 is -1 where there is no row; `weights` (steps, rows) float32; `sizes` (steps,) float32, the
    number of rows of the whole step. What else it has is for `Inputs`.
    """

    @property
    def y(self) -> Any: ...  # noqa: D102

    @property
    def weights(self) -> Any: ...  # noqa: D102

    @property
    def sizes(self) -> Any: ...  # noqa: D102


Inputs = Callable[[Any, Any], Any]  # from a block and the number of a step, what the network takes; not compiled by XLA
Output = Callable[[Any], Any]  # from that, probabilities (rows, units)


class DealtRows(NamedTuple):
    """Rows of a shard as steps of one device.

    `positions` (steps, rows) int64, -1 where there is no row; the others as in `Block`.
    """

    positions: NDArray[np.int64]
    y: NDArray[np.int32]
    weights: NDArray[np.float32]
    sizes: NDArray[np.float32]


def deal_rows(
    y: NDArray[np.int64],
    weights: NDArray[np.float64],
    positions: NDArray[np.int64],
    batch: int,
    devices: int,
    device: int,
) -> DealtRows:
    """Return the rows at these positions, in this order, as steps of `batch` rows; this device's only.

    `y` are the labels of all rows of the shard, `weights` those of the classes.
    """
    steps, width = -(-len(positions) // batch), -(-batch // devices)
    grid = np.full((steps, width * devices), -1)
    whole = np.full(steps * batch, -1)
    whole[: len(positions)] = positions
    grid[:, :batch] = whole.reshape(steps, batch)
    sizes = (grid >= 0).sum(axis=1)
    grid = grid[:, device::devices]
    labels = np.where(grid < 0, -1, y[grid]).astype(np.int32)
    weight = np.where(labels < 0, 0, weights[labels]).astype(np.float32)
    return DealtRows(grid, labels, weight, sizes.astype(np.float32))


def compile_steps(
    variables: Sequence[Any], inputs: Inputs, output: Output, optimizer: "keras.Optimizer", batch: int, strategy: Any
) -> tuple[Callable[[Any, int], None], Callable[[], tuple[float, float]]]:
    """Return two functions: one runs the steps of a block of so many rows; one returns sums since its last call.

    The sums are those of the weighted losses, and the number of correct rows. `variables` are those to train.
    """
    import keras
    import tensorflow as tf

    single_device = strategy.num_replicas_in_sync == 1
    with strategy.scope():
        optimizer.build(variables)
        totals = tf.Variable(
            tf.zeros(2, tf.float64),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )

    def loss_above(values: Any, y: Any, weights: Any, size: Any) -> tuple[Any, Any]:
        predicted = output(values)
        labels = tf.maximum(y, 0)
        if predicted.shape[1] == 1:
            losses = keras.losses.binary_crossentropy(labels[:, None], predicted)
            best = tf.cast(predicted[:, 0] > 0.5, y.dtype)
        else:
            losses = keras.losses.sparse_categorical_crossentropy(labels, predicted)
            best = tf.argmax(predicted, axis=1, output_type=y.dtype)
        loss = tf.reduce_sum(losses * weights)
        return loss / size, tf.stack([loss, tf.reduce_sum(tf.cast(best == y, loss.dtype))])

    def update(gradients: Any) -> None:
        optimizer.apply(gradients, variables)

    loss_above = tf.function(loss_above, jit_compile=True)
    if single_device:
        update = tf.function(update, jit_compile=True)  # several machines sum gradients here, which XLA can't

    def step(number: Any, block: Block) -> None:
        with tf.GradientTape() as tape:
            values = inputs(block, number)
            loss, loss_and_correct = loss_above(
                values, *(array[number] for array in (block.y, block.weights, block.sizes))
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
