"""The training of a network, whatever the number of rows, on one machine or several.

The rows are ordered by (seed, epoch, batch of the dataset) alone: a killed training resumes to the
same network.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.dataset import Dataset
from textclf.artifacts.layers import LayerModel
from textclf.core import progress
from textclf.models.common import workers
from textclf.models.common.class_weights import class_weights
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.networks.checkpoint import Checkpoint, State
from textclf.models.common.networks.compiled import (
    CompiledNetwork,
    Inputs,
    compile_network,
    make_block,
)
from textclf.models.common.networks.environment import prepare_keras
from textclf.models.common.networks.output_layers import (
    build_optimizer,
    fitted_network,
    history_table,
)

if TYPE_CHECKING:
    import keras

    from textclf.models.common.networks.settings import NetworkSettings

# Most rows of a block, and most numbers in its inputs, unless one step has more.
BLOCK_ROWS = 2048
BLOCK_NUMBERS = 2**24
# Most rows that are measured at a time, and most numbers in the arrays of a layer, unless one row
# has more.
MEASURED_ROWS = 1024
MEASURED_NUMBERS = 2**26


@dataclass(frozen=True)
class Architecture:
    """What distinguishes the networks of one model."""

    # The untrained network, of Keras's own layers, from features, number of classes, settings and
    # `multilabel`.
    build: "Callable[[Any, int, Any, bool], keras.Sequential]"
    # The same network with an arithmetic that does not depend on the CPU.
    exact: "Callable[[keras.Sequential], keras.Model]"
    # What the network takes, from features and their width.
    inputs: Inputs
    # The width of features: numbers per row.
    width: Callable[[Any], int]
    # The form that makes all predictions, from the network and its classes.
    layer_model: "Callable[[keras.Model, tuple[str, ...]], LayerModel]"


def fit_network(
    architecture: Architecture,
    train: Dataset,
    watched: Dataset | None,
    settings: "NetworkSettings",
    folders: Folders,
) -> Fitted:
    """Return the network trained on the training rows.

    Its history has the loss on the watched rows, if any. All workers of TF_CONFIG train together,
    unless there is a single batch of rows. With early stopping the weights are those of the epoch
    with the lowest loss on the watched rows. Resumes from the checkpoint in the scratch folder.
    Raises `UserError` if a loss is not finite.
    """
    prepare_keras(settings.seed)
    strategy = workers.make_strategy(len(train))
    names = tuple(train.classes.tolist())
    network = architecture.build(train.readers[0]().X, len(names), settings, train.multilabel)
    compiled = compile_network(
        architecture.exact, network.to_json(), settings.optimizer, strategy, train.multilabel
    )
    compiled.reset(network, build_optimizer(settings.optimizer, settings.learning_rate))
    checkpoint = Checkpoint(
        compiled.network, compiled.optimizer, folders.scratch, settings, strategy
    )
    history = Training(architecture, compiled, train, watched, settings, strategy).run(checkpoint)
    network.set_weights(compiled.network.get_weights())
    return fitted_network(network, architecture.layer_model(network, names), history_table(history))


class TrainingBlock(NamedTuple):
    """A block to train on."""

    block: Any  # or the blocks of all devices of this worker, in TensorFlow's own wrapping
    steps: int
    rows: int
    ends_batch: bool  # whether it is the last block of its batch of the dataset


@dataclass(frozen=True)
class Training:
    """A training with its rows; one batch of a dataset is in memory at a time."""

    architecture: Architecture
    compiled: CompiledNetwork
    train: Dataset
    watched: Dataset | None
    settings: "NetworkSettings"
    strategy: Any

    def run(self, checkpoint: Checkpoint) -> Mapping[str, list[float]]:
        """Train the network from the checkpoint on and return its history."""
        network, settings = self.compiled.network, self.settings
        state = checkpoint.restore()
        rows_left = self.train.rows * (settings.epochs - state.epoch)
        with closing(progress.bar("train", rows_left)) as bar:
            while not state.is_done(settings.epochs, settings.early_stopping):
                for block, steps, rows, ends_batch in self.epoch_blocks(state):
                    state.add(*self.compiled.train(block, steps))
                    bar.update(rows)
                    if ends_batch:
                        state.batch += 1
                        checkpoint.save(state)
                measured = None if self.watched is None else self.measure(self.watched)
                state.end_epoch(self.train.rows, measured)
                if settings.early_stopping is not None and state.best_epoch == state.epoch:
                    checkpoint.best_weights = network.get_weights()
        if checkpoint.best_weights is not None:
            network.set_weights(checkpoint.best_weights)
        return state.history

    def epoch_blocks(self, state: State) -> Iterator[TrainingBlock]:
        """Yield what is left of the epoch."""
        architecture, seed = self.architecture, self.settings.seed
        devices = self.strategy.num_replicas_in_sync
        weights = class_weights(self.train, self.settings.class_weight)
        weights = equal_weights(self.train) if weights is None else weights

        order = np.random.default_rng((seed, state.epoch)).permutation(len(self.train))
        for number in order[state.batch :].tolist():
            part = self.train.readers[number]()
            order_of_rows = draw_order(len(part.y), seed, state.epoch, number)
            width, batch = architecture.width(part.X), min(self.settings.batch_size, len(part.y))
            steps = max(1, min(BLOCK_ROWS, BLOCK_NUMBERS // width) // batch)
            shape, inputs = (steps, batch), architecture.inputs
            for start in range(0, len(part.y), steps * batch):
                rows = order_of_rows[start : start + steps * batch]
                make = partial(make_block, part, rows, shape, inputs, width, weights, devices)
                block = workers.distribute(self.strategy, make)
                ends_batch = start + len(rows) == len(part.y)
                yield TrainingBlock(block, -(-len(rows) // batch), len(rows), ends_batch)

    def measure(self, watched: Dataset) -> tuple[float, float]:
        """Return mean loss and accuracy over all rows; the workers share their batches."""
        architecture, weights, totals = self.architecture, equal_weights(watched), np.zeros(2)
        index, count = workers.worker_index() if self.strategy.num_replicas_in_sync > 1 else (0, 1)
        for read in watched.readers[index::count]:
            part = read()
            width = architecture.width(part.X)
            most = max(1, MEASURED_NUMBERS // numbers_per_row(self.compiled.network, width))
            shape = (1, min(MEASURED_ROWS, len(part.y), most))
            for start in range(0, len(part.y), shape[1]):
                rows = np.arange(start, min(start + shape[1], len(part.y)))
                block = make_block(part, rows, shape, architecture.inputs, width, weights)
                totals += self.compiled.measure(block)
        loss, correct = (workers.sum_over_workers(self.strategy, totals) / watched.rows).tolist()
        return loss, correct


def equal_weights(rows: Dataset) -> NDArray[np.float64]:
    """Return weights as those of `class_weights`, all 1."""
    return np.ones((2, len(rows.classes)) if rows.multilabel else len(rows.classes))


def numbers_per_row(network: "keras.Model", width: int) -> int:
    """Return about how many numbers the widest layer has in memory for a row.

    A row has `width` terms or tokens.
    """
    layers = [
        (layer.output.shape[-1] or 1) * getattr(layer, "kernel_size", (1,))[0]
        for layer in network.layers
    ]
    return width * max(layers)


def draw_order(rows: int, seed: int, epoch: int, batch: int) -> NDArray[np.int64]:
    """Return the positions of the rows of a batch of the dataset in the order of an epoch."""
    import tensorflow as tf

    seeds = tf.constant([seed, epoch], tf.int64)
    if batch:
        seeds = tf.random.experimental.stateless_fold_in(seeds, batch)
    return np.asarray(tf.random.experimental.stateless_shuffle(tf.range(rows), seed=seeds).numpy())
