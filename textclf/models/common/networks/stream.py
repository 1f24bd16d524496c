"""Training on shards, one in memory after the other, on one machine or several.

The order of the rows is drawn from (seed, epoch, shard) and nothing else, so that a training that was killed resumes
from its last checkpoint and ends with the same network as an undisturbed one.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.features import Features
from textclf.artifacts.layers import LayerModel
from textclf.artifacts.shards import Shards
from textclf.core import progress
from textclf.core.workers import code
from textclf.models.common.class_weights import class_weights, count_classes
from textclf.models.common.fitted import Fitted
from textclf.models.common.networks import workers
from textclf.models.common.networks.checkpoint import FILE, INTERVAL, Checkpoint, State
from textclf.models.common.networks.environment import prepare_keras
from textclf.models.common.networks.results import build_optimizer, diverged, fitted_network, history_table
from textclf.models.common.networks.steps import Block, Inputs, Output, compile_steps
from textclf.models.common.scratch import fingerprint
from textclf.models.common.workers import worker_index

if TYPE_CHECKING:
    import keras

    from textclf.models.common.networks.settings import NetworkSettings

T = TypeVar("T")

BLOCK_ROWS = 8192  # of a block, which is one call of TensorFlow
SMALLEST = 1e-7  # probability that a loss takes the logarithm of, as in Keras


@dataclass(frozen=True)
class Streamed:
    """How a kind of network is trained on shards.

    `build` returns the network to train, from features of a shard and the number of classes. `make_block` returns steps
    over the rows of a shard at some positions, from shard, weights of the classes, positions, rows of a step, number of
    devices and the device. `inputs` and `output`: see `textclf.models.common.networks.steps.compile_steps`.
    `layer_model` returns the form that makes all predictions, `plain` the network to save with the trained weights.
    """

    build: Callable[[Features, int], "keras.Model"]
    make_block: Callable[..., Block]
    inputs: Callable[["keras.Model", int], Inputs]
    output: Callable[["keras.Model"], Output]
    layer_model: Callable[["keras.Model", tuple[str, ...]], LayerModel]
    plain: Callable[["keras.Model"], "keras.Sequential"]


@dataclass(frozen=True)
class TrainingRows:
    """The shards to train on and to watch, and what must be known of them before.

    `counts` (classes,) int64 are training rows per class; `weights` (classes,) the weight of a row of each; `digest`
    covers everything that decides the result.
    """

    train: Shards[Features]
    watched: Shards[Features]
    classes: NDArray[np.str_]
    counts: NDArray[np.int64]
    weights: NDArray[np.float64]
    digest: str

    @property
    def number(self) -> int:
        """The number of training rows."""
        return int(self.counts.sum())


def fit_stream(
    kind: Streamed, train: Shards[Features], watched: Shards[Features], settings: "NetworkSettings", scratch: Path
) -> Fitted:
    """Return the network trained with at most two shards in memory, on all the workers of TF_CONFIG.

    Its state is kept in the scratch folder, so that a training that was killed resumes and ends with the same network.
    It is not the network of a training in memory on the same rows, which shuffles all of them at once.
    """
    prepare_keras(settings)
    strategy = workers.make_strategy()
    rows = survey(train, watched, settings)
    with strategy.scope():
        network = kind.build(train.read(train.paths[0]), len(rows.classes))
        optimizer = build_optimizer(settings)
    history = run_training(kind, network, optimizer, rows, settings, scratch, strategy)
    layers = kind.layer_model(network, tuple(rows.classes.tolist()))
    return fitted_network(kind.plain(network), layers, history_table(history))


def survey(train: Shards[Features], watched: Shards[Features], settings: "NetworkSettings") -> TrainingRows:
    """Return the rows to train on; their labels are read once."""
    classes, counts = count_classes(train)
    weights = class_weights(classes, counts, settings.class_weight)
    digest = hashlib.sha256(fingerprint({"train": train, "watched": watched}, settings).encode())
    for library in ("keras", "numpy", "scipy", "tensorflow"):
        digest.update(f"{library} {version(library)}\n".encode())
    digest.update(code().encode())  # other code may train another network
    weights = np.ones(len(classes)) if weights is None else weights
    return TrainingRows(train, watched, classes, counts, weights, digest.hexdigest())


def run_training(
    kind: Streamed,
    network: "keras.Model",
    optimizer: "keras.Optimizer",
    rows: TrainingRows,
    settings: "NetworkSettings",
    scratch: Path,
    strategy: Any,
) -> Mapping[str, list[float]]:
    """Train the network and return Keras's history; with early stopping the weights are those of the best epoch.

    Resumes from the checkpoint in the scratch folder if it is of the same inputs; the chief writes it. Raises
    `UserError` if a loss is not finite.
    """
    classes = tuple(rows.classes.tolist())
    width = -(-settings.batch_size // strategy.num_replicas_in_sync)
    inputs, output = kind.inputs(network, width), kind.output(network)
    variables = network.trainable_variables
    run_steps, take_sums = compile_steps(variables, inputs, output, optimizer, settings.batch_size, strategy)
    checkpoint = Checkpoint(network, optimizer, scratch / FILE, strategy)
    state = checkpoint.restore(State(rows.digest))
    with closing(progress.bar("train", rows.number * (settings.epochs - state.epoch))) as bar:
        while not state.is_done(settings):
            for block, number, ends_shard in prefetch(epoch_blocks(kind.make_block, rows, state, settings, strategy)):
                run_steps(block, number)
                bar.update(number)
                if ends_shard:
                    end_shard(state, *take_sums())
                    if state.shard < len(rows.train):
                        checkpoint.save(state, interval=INTERVAL)
            end_epoch(state, rows.number, *evaluate(kind.layer_model(network, classes), rows.watched, strategy))
            if settings.early_stopping is not None and state.best_epoch == state.epoch:
                checkpoint.best_weights = network.get_weights()
            checkpoint.save(state)
    if checkpoint.best_weights is not None:
        network.set_weights(checkpoint.best_weights)
    return state.history


def end_shard(state: State, loss: float, correct: float) -> None:
    """Add a shard's summed loss and number of correct rows to the state; `UserError` if the loss is not finite."""
    if not np.isfinite(loss):
        raise diverged(loss, state.epoch + 1)
    state.loss, state.correct, state.shard = state.loss + loss, state.correct + correct, state.shard + 1


def end_epoch(state: State, rows: int, loss: float, accuracy: float) -> None:
    """Add an epoch to the history, with the watched loss and accuracy; `UserError` if the loss is not finite."""
    numbers = {"loss": state.loss / rows, "accuracy": state.correct / rows, "val_loss": loss, "val_accuracy": accuracy}
    state.epoch, state.shard, state.loss, state.correct = state.epoch + 1, 0, 0.0, 0.0
    for name, number in numbers.items():
        state.history[name].append(number)
    if not np.isfinite(loss):
        raise diverged(loss, state.epoch)


def epoch_blocks(
    make_block: Callable[..., Block], rows: TrainingRows, state: State, settings: "NetworkSettings", strategy: Any
) -> Iterator[tuple[Any, int, bool]]:
    """Yield what is left of the epoch: blocks, the number of rows of each, and whether it is the last of its shard.

    A block is what `make_block` returns or, with several devices, their blocks in TensorFlow's own wrapping.
    """
    at_once = max(1, BLOCK_ROWS // settings.batch_size) * settings.batch_size
    seeds = (settings.seed, state.epoch)
    for shard in shuffle(len(rows.train), *seeds)[state.shard :].tolist():
        part = rows.train.read(rows.train.paths[shard])
        order = shuffle(len(part.y), *seeds, shard)
        for start in range(0, len(order), at_once):
            positions = order[start : start + at_once]
            make = partial(
                make_block, part, rows.weights, positions, settings.batch_size, strategy.num_replicas_in_sync
            )
            yield workers.distribute(strategy, make), len(positions), start + at_once >= len(order)


def shuffle(number: int, *seeds: int) -> NDArray[np.int64]:
    """Return the integers below `number` in an order drawn from the seeds."""
    return np.random.default_rng(seeds).permutation(number)


def prefetch(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, each made in a thread while the one before it is in use."""
    iterator = iter(items)
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, iterator, None)
        while (item := following.result()) is not None:
            following = thread.submit(next, iterator, None)
            yield item


def evaluate(model: LayerModel, watched: Shards[Features], strategy: Any) -> tuple[float, float]:
    """Return mean loss and accuracy over the rows of all shards, which the workers divide among themselves."""
    index, count = worker_index()
    total = np.zeros(3)
    for path in watched.paths[index::count]:
        part = watched.read(path)
        probabilities = model.predict_proba(part.X)
        of_label = probabilities[np.arange(len(part.y)), part.y]
        losses = -np.log(np.clip(of_label, SMALLEST, 1 - SMALLEST))
        total += losses.sum(), (probabilities.argmax(axis=1) == part.y).sum(), len(part.y)
    loss, correct, rows = workers.sum_over_workers(strategy, total).tolist()
    return loss / rows, correct / rows
