"""A compiled network: one call of TensorFlow takes steps of a batch each over a block of rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.features import Features
from textclf.models.common.class_weights import weigh
from textclf.models.common.networks.output_layers import build_optimizer

if TYPE_CHECKING:
    import keras

# The sum of the weighted losses of rows, and the number of correct rows.
Sums = tuple[float, float]
# Stands in place of the position, and of the label, of a row.
NO_ROW = -1

Arrays = tuple[NDArray[Any], ...]
# From features and a width, what a network takes: arrays (rows, ...).
Inputs = Callable[[Any, int], Arrays]


@dataclass(frozen=True)
class CompiledNetwork:
    """A network, its optimizer, and what they do with a block."""

    network: "keras.Model"
    optimizer: "keras.Optimizer"
    # Takes so many steps with a block, or with those of all devices of this worker.
    train: Callable[[Any, int], Sums]
    # Returns the sums of the first step.
    measure: Callable[["Block"], Sums]

    def reset(self, network: "keras.Sequential", optimizer: "keras.Optimizer") -> None:
        """Take the weights of a network of these layers and the state of such an optimizer."""
        self.network.set_weights(network.get_weights())
        optimizer.build(network.trainable_variables)
        for variable, initial in zip(self.optimizer.variables, optimizer.variables, strict=True):
            variable.assign(initial)


@lru_cache(maxsize=1)
def compile_network(
    exact: "Callable[[keras.Sequential], keras.Model]",
    config: str,
    optimizer_name: str,
    strategy: Any,
    multilabel: bool,
) -> CompiledNetwork:
    """Return the network of this configuration, JSON, with the arithmetic of `exact`.

    Compiling takes as long as dozens of epochs, so the last network is kept, which a
    cross-validation trains several times.
    """
    import keras
    import tensorflow as tf

    with strategy.scope():
        network = exact(keras.models.model_from_json(config))
        optimizer = build_optimizer(optimizer_name, learning_rate=1.0)  # `reset` sets the rate
        variables = network.trainable_variables
        optimizer.build(variables)
        totals = _make_totals()

    losses_of = partial(_losses_of_step, network, multilabel)

    @tf.function(jit_compile=True)
    def gradients_of(number: Any, block: "Block") -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            loss, sums = losses_of(number, block)
        return tape.gradient(loss, variables), sums

    def step(number: Any, block: "Block") -> None:
        gradients, sums = gradients_of(number, block)
        optimizer.apply(gradients, variables)
        totals.assign_add(sums)

    # Several devices add up their gradients in each step, which XLA can't.
    @tf.function(jit_compile=strategy.num_replicas_in_sync == 1, reduce_retracing=True)
    def run_steps(block: Any, steps: Any) -> None:
        def body(number: Any) -> Any:
            strategy.run(step, args=(number, block))
            return number + 1

        tf.while_loop(lambda number: number < steps, body, [0])

    @tf.function(jit_compile=True, reduce_retracing=True)
    def measure_step(block: Any) -> Any:
        loss, sums = losses_of(0, block)
        return loss, sums[1]

    def train(block: Any, steps: int) -> Sums:
        totals.assign(tf.zeros_like(totals))
        run_steps(block, tf.constant(steps))
        loss, correct = totals.numpy().tolist()
        return loss, correct

    def measure(block: "Block") -> Sums:
        loss, correct = measure_step(block)
        return float(loss) * float(block.sizes[0]), float(correct)

    return CompiledNetwork(network, optimizer, train, measure)


def _make_totals() -> Any:
    """Return `Sums` of 0, in which each device adds up its own until they are read."""
    import tensorflow as tf

    return tf.Variable(
        tf.zeros(2),
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.SUM,
    )


def _losses_of_step(
    network: "keras.Model", multilabel: bool, number: Any, block: "Block"
) -> tuple[Any, Any]:
    """Return the mean loss of a step, and the sums over its rows."""
    import keras
    import tensorflow as tf

    inputs, y, weights, size = tf.nest.map_structure(lambda array: array[number], tuple(block))
    predicted = network(inputs, training=True)
    labels, truth, soft = tf.maximum(y, 0), y, y.dtype.is_floating
    if soft:
        # A prediction is correct if it is the class that the teacher gives most probability.
        most_probable = tf.argmax(y, axis=1, output_type=tf.int32)
        truth = tf.round(y) if multilabel else tf.where(y[:, 0] < 0, NO_ROW, most_probable)
    if multilabel:
        labels = tf.cast(labels, predicted.dtype)
        losses = keras.ops.binary_crossentropy(labels, predicted) / predicted.shape[1]
        best = tf.cast(predicted > 0.5, truth.dtype)
    elif predicted.shape[1] == 1:
        positive = labels[:, 1:] if soft else labels[:, None]
        losses = keras.losses.binary_crossentropy(positive, predicted)
        best = tf.cast(predicted[:, 0] > 0.5, truth.dtype)
    else:
        if soft:
            losses = keras.losses.categorical_crossentropy(labels, predicted)
        else:
            losses = keras.losses.sparse_categorical_crossentropy(labels, predicted)
        best = tf.argmax(predicted, axis=1, output_type=truth.dtype)
    loss = tf.reduce_sum(losses * weights)
    correct = tf.reduce_all(best == truth, axis=1) if multilabel else best == truth
    return loss / size, tf.stack([loss, tf.reduce_sum(tf.cast(correct, loss.dtype))])


class Block(NamedTuple):
    """Steps over rows, or the part of them that one device of one worker takes."""

    inputs: Arrays  # what the network takes, each (steps, rows, ...)
    # (steps, rows), or (steps, rows, labels) int32, or targets (steps, rows, classes) float32;
    # `NO_ROW` where no row is
    y: NDArray[np.int32 | np.float32]
    weights: NDArray[np.float32]  # (steps, rows), or (steps, rows, labels)
    sizes: NDArray[np.float32]  # (steps,), the number of rows of the whole step


def make_block(
    part: Features,
    positions: NDArray[np.int64],
    shape: tuple[int, int],
    inputs: Inputs,
    width: int,
    weights: NDArray[np.float64],
    devices: int = 1,
    device: int = 0,
) -> Block:
    """Return the rows at these positions, in this order, as a block; this device's rows only.

    `shape` is the number of steps and that of the rows of a step on all devices together. What the
    rows do not fill is empty, because XLA compiles for each shape anew. `weights` are those of
    `class_weights`.
    """
    steps, batch = shape
    share = -(-batch // devices)
    grid = np.full((steps, batch), NO_ROW)
    grid.flat[: len(positions)] = positions
    sizes = (grid != NO_ROW).sum(axis=1).astype(np.float32)
    grid = np.pad(grid, ((0, 0), (0, share * devices - batch)), constant_values=NO_ROW)
    grid = grid[:, device::devices]
    known = grid != NO_ROW
    rows = grid[known]
    labels = part.y[rows]
    y = labels.astype(np.int32) if part.targets is None else part.targets[rows].astype(np.float32)
    return Block(
        tuple(_fill(known, array, 0) for array in inputs(part.X[rows], width)),
        _fill(known, y, NO_ROW),
        _fill(known, weigh(weights, labels).astype(np.float32), 0),
        sizes,
    )


def _fill(known: NDArray[np.bool_], rows: NDArray[Any], missing: int) -> NDArray[Any]:
    """Return the rows where they are known, (steps, rows, ...), and `missing` elsewhere."""
    filled = np.full((*known.shape, *rows.shape[1:]), missing, rows.dtype)
    filled[known] = rows
    return filled
