"""The training of a network, whatever the number of rows, on one machine or several.

The order of the rows is drawn from (seed, epoch, batch of the dataset) and nothing else, so that a training that was
killed resumes from its last checkpoint and ends with the same network as an undisturbed one.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features
from textclf.artifacts.layers import LayerModel
from textclf.core import progress
from textclf.core.threads import map_ahead
from textclf.models.common.class_weights import class_weights
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.networks import workers
from textclf.models.common.networks.blocks import Inputs, make_block
from textclf.models.common.networks.checkpoint import Checkpoint, State
from textclf.models.common.networks.compiled import CompiledNetwork, compile_network
from textclf.models.common.networks.environment import prepare_keras
from textclf.models.common.networks.results import build_optimizer, fitted_network, history_table
from textclf.models.common.workers import worker_index

if TYPE_CHECKING:
    import keras

    from textclf.models.common.networks.settings import NetworkSettings

BLOCK_ROWS = 2048
BLOCK_NUMBERS = 2**24  # in the inputs of a block, unless one step has more
MEASURED_ROWS = 1024  # at a time


@dataclass(frozen=True)
class Architecture:
    """What distinguishes the networks of one model.

    `build` returns the untrained network, of Keras's own layers, from features, the number of classes and settings;
    `exact` the same network with an arithmetic that does not depend on the CPU, which is trained. `inputs` returns what
    it takes, from features and their `width`: of how many numbers per row. `layer_model` returns the form that makes
    all predictions.
    """

    build: "Callable[[Any, int, Any], keras.Sequential]"
    exact: "Callable[[keras.Sequential], keras.Model]"
    inputs: Inputs
    width: Callable[[Any], int]
    layer_model: "Callable[[keras.Model, tuple[str, ...]], LayerModel]"


def fit_network(
    architecture: Architecture,
    train: Dataset,
    watched: Dataset | None,
    settings: "NetworkSettings",
    folders: Folders,
) -> Fitted:
    """Return the network trained on the training rows, with the loss on the watched rows, if any, in its history.

    At most two batches of a dataset are in memory. All workers of TF_CONFIG train together, unless there is one batch
    only. See `run_training`.
    """
    prepare_keras(settings)
    strategy = workers.make_strategy(len(train))
    names = tuple(train.classes.tolist())
    network = architecture.build(train.readers[0]().X, len(names), settings)
    compiled = compile_network(architecture.exact, network.to_json(), settings.optimizer, strategy)
    compiled.reset(network, build_optimizer(settings.optimizer, settings.learning_rate))
    history = run_training(architecture, compiled, train, watched, settings, folders, strategy)
    network.set_weights(compiled.network.get_weights())
    return fitted_network(network, architecture.layer_model(network, names), history_table(history))


def run_training(
    architecture: Architecture,
    compiled: CompiledNetwork,
    train: Dataset,
    watched: Dataset | None,
    settings: "NetworkSettings",
    folders: Folders,
    strategy: Any,
) -> Mapping[str, list[float]]:
    """Train the network and return its history.

    With early stopping, training ends once the loss on the watched rows (validation rows: params refuses other ones)
    has not fallen for so many epochs, and the weights are those of the epoch of the lowest loss. Resumes from the
    checkpoint in the scratch folder. Raises `UserError` if a loss is not finite.
    """
    weights = class_weights(train.classes, train.counts, settings.class_weight)
    weights = np.ones(len(train.classes)) if weights is None else weights
    network = compiled.network
    checkpoint = Checkpoint(network, compiled.optimizer, folders.scratch, settings, strategy)
    state = checkpoint.restore(State())
    with closing(progress.bar("train", train.rows * (settings.epochs - state.epoch))) as bar:
        while not state.is_done(settings):
            for block, steps, rows, ends_batch in epoch_blocks(architecture, train, weights, state, settings, strategy):
                state.add(*compiled.train(block, steps))
                bar.update(rows)
                if ends_batch:
                    state.batch += 1
                    checkpoint.save(state)
            measured = None if watched is None else measure(architecture, compiled, watched, strategy)
            state.end_epoch(train.rows, measured)
            if settings.early_stopping is not None and state.best_epoch == state.epoch:
                checkpoint.best_weights = network.get_weights()
    if checkpoint.best_weights is not None:
        network.set_weights(checkpoint.best_weights)
    return state.history


def epoch_blocks(
    architecture: Architecture,
    train: Dataset,
    weights: NDArray[np.float64],
    state: State,
    settings: "NetworkSettings",
    strategy: Any,
) -> Iterator[tuple[Any, int, int, bool]]:
    """Yield what is left of the epoch: each block, its numbers of steps and rows, and whether it ends its batch.

    With several devices a block is those of all devices of this worker, in TensorFlow's own wrapping.
    """
    batch, devices = settings.batch_size, strategy.num_replicas_in_sync

    def places() -> Iterator[tuple[Features, NDArray[np.int64], int, int, bool]]:
        order = np.random.default_rng((settings.seed, state.epoch)).permutation(len(train))
        for number in order[state.batch :].tolist():
            part = train.readers[number]()
            rows = draw_order(len(part.y), settings.seed, state.epoch, number)
            width = architecture.width(part.X)
            steps = max(1, min(BLOCK_ROWS, BLOCK_NUMBERS // width) // batch)
            for start in range(0, len(rows), steps * batch):
                end = start + steps * batch
                yield part, rows[start:end], width, steps, end >= len(rows)

    def make(place: tuple[Features, NDArray[np.int64], int, int, bool]) -> tuple[Any, int, int, bool]:
        part, positions, width, steps, ends_batch = place
        make_part = partial(make_block, part, positions, (steps, batch), architecture.inputs, width, weights, devices)
        return workers.distribute(strategy, make_part), -(-len(positions) // batch), len(positions), ends_batch

    return map_ahead(make, places(), 1)


def draw_order(rows: int, seed: int, epoch: int, batch: int) -> NDArray[np.int64]:
    """Return the positions of the rows of a batch of the dataset in the order in which an epoch takes them."""
    import tensorflow as tf

    seeds = tf.constant([seed, epoch], tf.int64)
    if batch:
        seeds = tf.random.experimental.stateless_fold_in(seeds, batch)
    order: NDArray[np.int64] = tf.random.experimental.stateless_shuffle(tf.range(rows), seed=seeds).numpy()
    return order


def measure(
    architecture: Architecture, compiled: CompiledNetwork, watched: Dataset, strategy: Any
) -> tuple[float, float]:
    """Return mean loss and accuracy over all rows, whose batches the workers divide among themselves."""
    index, count = worker_index() if strategy.num_replicas_in_sync > 1 else (0, 1)
    weights, totals = np.ones(len(watched.classes)), np.zeros(2)
    for read in watched.readers[index::count]:
        part = read()
        shape, width = (1, min(MEASURED_ROWS, len(part.y))), architecture.width(part.X)
        for start in range(0, len(part.y), shape[1]):
            positions = np.arange(start, min(start + shape[1], len(part.y)))
            totals += compiled.measure(make_block(part, positions, shape, architecture.inputs, width, weights))
    loss, correct = (workers.sum_over_workers(strategy, totals) / watched.rows).tolist()
    return loss, correct
