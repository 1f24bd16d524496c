"""The network trained on shards, one in memory after the other, by one machine or many.

A step multiplies sparse rows by the first layer's kernel, and the transposed rows by its gradient, in TensorFlow's own
kernels, which add up term after term; XLA compiles the rest. So a step costs what its terms cost, whatever the longest
row, and nothing is compiled again for other rows. The order of the rows is drawn from (seed, epoch, shard) and nothing
else, so that a training that was killed goes on from its last state as if nothing had been.
"""

import hashlib
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from textclf import params
from textclf.artifacts.layers import Portable
from textclf.core.errors import UserError
from textclf.core.files import reading
from textclf.core.progress import Progress
from textclf.models import class_weights, count_classes, multiworker
from textclf.vectorize.features import Features, Shards, read_shard

if TYPE_CHECKING:
    import keras

    from textclf.models.keras import Network

T = TypeVar("T")

ROWS_AT_ONCE = 8192  # of a block, which is one call of TensorFlow
SMALLEST = 1e-7  # probability that a loss takes the logarithm of, as Keras has it
SECONDS = 60.0  # between two states kept within an epoch
STATE = "training.npz"  # in the scratch folder


@dataclass(frozen=True)
class Rows:
    """The shards to train on and those to watch, and what has to be known of them before.

    `counts` (classes,) int64 are training rows; `weights` (classes,) what a row of each weighs; `digest` is of all
    that decides the result.
    """

    train: Shards
    watched: Shards
    columns: int
    classes: NDArray[np.str_]
    counts: NDArray[np.int64]
    weights: NDArray[np.float64]
    digest: str

    @property
    def number(self) -> int:
        """Training rows."""
        return int(self.counts.sum())


def survey(train: Shards, watched: Shards, settings: params.Keras) -> Rows:
    """The rows, their labels read once."""
    classes, counts = count_classes(train)
    weights = class_weights(classes, counts, settings.class_weight)
    columns = read_shard(train.paths[0]).X.shape[1]
    digest = hashlib.sha256(fingerprint({"train": train, "watched": watched}, settings).encode())
    for library in ("keras", "numpy", "scipy", "tensorflow"):
        digest.update(f"{library} {version(library)}\n".encode())
    for source in (Path(__file__), Path(__file__).parent / "keras.py"):
        digest.update(source.read_bytes())  # a state of other code may be of another training
    weights = np.ones(len(classes)) if weights is None else weights
    return Rows(train, watched, columns, classes, counts, weights, digest.hexdigest())


@dataclass
class State:
    """How far a training is: epochs done, and of the next one shards done, with their sums; the history so far."""

    digest: str
    epoch: int = 0
    shard: int = 0
    loss: float = 0.0
    right: float = 0.0
    history: dict[str, list[float]] = field(
        default_factory=lambda: {name: [] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
    )

    @property
    def best(self) -> int:
        """The epoch of the lowest loss on the watched rows, from 1; 0 before there is any."""
        losses = self.history["val_loss"]
        return 1 + int(np.argmin(losses)) if losses else 0

    def over(self, settings: params.Keras) -> bool:
        """Whether all epochs are done, or so many that early stopping has seen enough."""
        stopped = settings.early_stopping is not None and self.epoch - self.best >= settings.early_stopping
        return stopped or self.epoch >= settings.epochs


def train(
    network: "Network", optimizer: "keras.Optimizer", rows: Rows, settings: params.Keras, scratch: Path, strategy: Any
) -> Mapping[str, list[float]]:
    """Keras's history of the training, after which the network has its weights: with early stopping, the best epoch's.

    Its state lies in the scratch folder, and a training of the same inputs goes on from there; the chief writes it.
    `UserError` where a loss is not finite.
    """
    steps, sums = compiled(network.plain, optimizer, settings.batch_size, strategy)
    kept = Kept(network.plain, optimizer, scratch / STATE, strategy)
    state = kept.restore(State(rows.digest))
    with closing(Progress("train", rows.number * (settings.epochs - state.epoch))) as progress:
        while not state.over(settings):
            for block, number, ends in ahead(epoch_of_blocks(rows, state, settings, strategy)):
                steps(block, number)
                progress.add(number)
                if ends:
                    end_shard(state, *sums())
                    if state.shard < len(rows.train):
                        kept.save(state, every=SECONDS)
            end_epoch(state, rows.number, *evaluated(network.portable(), rows.watched, strategy))
            if settings.early_stopping is not None and state.best == state.epoch:
                kept.best = network.plain.get_weights()
            kept.save(state)
    if kept.best is not None:
        network.plain.set_weights(kept.best)
    return state.history


def end_shard(state: State, loss: float, right: float) -> None:
    """One more shard is done, with these sums over its rows; `UserError` where they are not finite."""
    if not np.isfinite(loss):
        raise diverged(loss, state.epoch + 1)
    state.loss, state.right, state.shard = state.loss + loss, state.right + right, state.shard + 1


def end_epoch(state: State, rows: int, loss: float, accuracy: float) -> None:
    """The epoch is in the history, with the numbers of the watched rows; `UserError` where they are not finite."""
    numbers = {"loss": state.loss / rows, "accuracy": state.right / rows, "val_loss": loss, "val_accuracy": accuracy}
    state.epoch, state.shard, state.loss, state.right = state.epoch + 1, 0, 0.0, 0.0
    for name, number in numbers.items():
        state.history[name].append(number)
    if not np.isfinite(loss):
        raise diverged(loss, state.epoch)


def diverged(loss: float, epoch: int) -> UserError:
    """The error of a loss that is not finite."""
    return UserError(f"the loss must stay finite; got {loss} in epoch {epoch}: set train.keras.learning_rate lower")


# Blocks of steps


class Block(NamedTuple):
    """Steps of a shard's rows, or the part of each that one device of one worker takes.

    The terms of step s are those from `starts[s]` to `starts[s + 1]`: `places` (terms, 2) int64, the row in the batch
    and the column; `counts` (terms,) float32. `y` (steps, rows) int32 is -1 where there is no row; `weights` as many
    float32; `sizes` (steps,) float32, the rows of the whole step.
    """

    places: NDArray[np.int64]
    counts: NDArray[np.float32]
    starts: NDArray[np.int64]
    y: NDArray[np.int32]
    weights: NDArray[np.float32]
    sizes: NDArray[np.float32]


def epoch_of_blocks(rows: Rows, state: State, settings: params.Keras, strategy: Any) -> Iterator[tuple[Any, int, bool]]:
    """What is left of the epoch: blocks, how many rows each has, and whether it is the last of its shard.

    A block is a `Block`, or where there are several devices their blocks in TensorFlow's own wrapping.
    """
    at_once = max(1, ROWS_AT_ONCE // settings.batch_size) * settings.batch_size
    seeds = (settings.seed, state.epoch)
    for shard in shuffled(len(rows.train), *seeds)[state.shard :].tolist():
        part = read_shard(rows.train.paths[shard])
        order = shuffled(len(part.y), *seeds, shard)
        for start in range(0, len(order), at_once):
            taken = order[start : start + at_once]
            of_device = partial(block, part, rows.weights, taken, settings.batch_size, strategy.num_replicas_in_sync)
            yield multiworker.of_devices(strategy, of_device), len(taken), start + at_once >= len(order)


def shuffled(number: int, *seeds: int) -> NDArray[np.int64]:
    """The numbers below the first in the order of these seeds."""
    return np.random.default_rng(seeds).permutation(number)


def block(
    part: Features, weights: NDArray[np.float64], taken: NDArray[np.int64], batch: int, devices: int, device: int
) -> Block:
    """The rows of a shard taken, in this order, as steps of a batch, and of each what this of the devices takes."""
    steps, width = -(-len(taken) // batch), -(-batch // devices)
    grid = np.full((steps, width * devices), -1)
    whole = np.full(steps * batch, -1)
    whole[: len(taken)] = taken
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


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The items, each made while the one before it is in use."""
    iterator = iter(items)
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, iterator, None)
        while (item := following.result()) is not None:
            following = thread.submit(next, iterator, None)
            yield item


# A step


def compiled(
    plain: "keras.Sequential", optimizer: "keras.Optimizer", batch: int, strategy: Any
) -> tuple[Callable[[Any, int], None], Callable[[], tuple[float, float]]]:
    """Two functions: one takes the steps of a block of so many rows; one gives sums over the rows since its last call.

    These are the weighted losses, and the rows that were right.
    """
    import keras
    import tensorflow as tf

    first, *others = plain.layers
    variables = plain.trainable_variables
    width = -(-batch // strategy.num_replicas_in_sync)
    alone = strategy.num_replicas_in_sync == 1
    with strategy.scope():
        optimizer.build(variables)
        seen = tf.Variable(
            tf.zeros(2, tf.float64),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )

    def above(sums: Any, y: Any, weights: Any, size: Any) -> tuple[Any, Any]:
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

    above = tf.function(above, jit_compile=True)
    if alone:
        update = tf.function(update, jit_compile=True)  # between machines it adds up gradients, which XLA can't

    def step(number: Any, block: Block) -> None:
        some = slice(block.starts[number], block.starts[number + 1])
        X = tf.SparseTensor(block.places[some], block.counts[some], (width, first.kernel.shape[0]))
        with tf.GradientTape() as tape:
            sums = tf.sparse.sparse_dense_matmul(X, first.kernel)
            loss, both = above(sums, *(array[number] for array in (block.y, block.weights, block.sizes)))
        update(tape.gradient(loss, variables))
        seen.assign_add(tf.cast(both, seen.dtype))

    def loop(number: Any, block: Any) -> None:
        def body(at: Any) -> Any:
            strategy.run(step, args=(at, block))
            return at + 1

        tf.while_loop(lambda at: at < number, body, [0])

    loop = tf.function(loop, reduce_retracing=True)

    def steps(block: Any, rows: int) -> None:
        loop(tf.constant(-(-rows // batch)), block)

    def sums() -> tuple[float, float]:
        loss, right = seen.numpy()
        seen.assign(tf.zeros_like(seen))
        return float(loss), float(right)

    return steps, sums


def evaluated(model: Portable, watched: Shards, strategy: Any) -> tuple[float, float]:
    """Mean loss and accuracy over the rows of all shards, which the workers share out."""
    number, workers = multiworker.place()
    total = np.zeros(3)
    for path in watched.paths[number::workers]:
        part = read_shard(path)
        probabilities = model.predict_proba(part.X)
        of_label = probabilities[np.arange(len(part.y)), part.y]
        losses = -np.log(np.clip(of_label, SMALLEST, 1 - SMALLEST))
        total += losses.sum(), (probabilities.argmax(axis=1) == part.y).sum(), len(part.y)
    loss, right, rows = multiworker.added_up(strategy, total).tolist()
    return loss / rows, right / rows


# What survives a kill


def fingerprint(splits: Mapping[str, Shards], settings: params.Section) -> str:
    """16 hexadecimal digits that change with the shards and the settings.

    Of a shard it takes the checksums that the npz, a zip, has of its arrays, so that no array is read.
    """
    found = hashlib.sha256(repr(settings).encode())
    for split, shards in splits.items():
        for path in shards.paths:
            with reading(path), zipfile.ZipFile(path) as stored:
                for array in stored.infolist():
                    found.update(f"{split} {path.name} {array.filename} {array.file_size} {array.CRC}\n".encode())
    return found.hexdigest()[:16]


class Kept:
    """The state of a training in a file: all variables of the network and its optimizer, and the best weights yet."""

    def __init__(self, plain: "keras.Sequential", optimizer: "keras.Optimizer", path: Path, strategy: Any) -> None:
        """Keep the variables, which are built, and where the state goes."""
        self.variables = [*plain.variables, *optimizer.variables]
        self.weights = [array.shape for array in plain.get_weights()]
        self.path, self.strategy, self.saved = path, strategy, time.monotonic()
        self.best: list[NDArray[np.float32]] | None = None

    def save(self, state: State, every: float = 0.0) -> None:
        """Write the state, whole or not at all, if the last is so many seconds old."""
        if time.monotonic() - self.saved < every or not multiworker.is_chief():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {f"variable_{number}": np.asarray(variable) for number, variable in enumerate(self.variables)}
        arrays |= {f"best_{number}": array for number, array in enumerate(self.best or ())}
        scratch = self.path.with_suffix(".new")
        with scratch.open("wb") as file:
            text = np.frombuffer(json.dumps(asdict(state)).encode(), dtype=np.uint8)
            np.savez(file, allow_pickle=False, state=text, **arrays)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self.path)
        self.saved = time.monotonic()

    def restore(self, start: State) -> State:
        """The state written last, if it is of a training with the digest of this one; else the start.

        The chief reads it, and the other workers have it of the chief.
        """
        arrays: dict[str, NDArray[Any]] = {}
        if multiworker.is_chief() and self.path.exists():
            with reading(self.path), self.path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                if json.loads(stored["state"].tobytes())["digest"] == start.digest:
                    arrays = dict(stored)
        best = len(self.weights) * ("best_0" in arrays)
        text = arrays.get("state", np.zeros(0, dtype=np.uint8))
        length, best = multiworker.of_chief(self.strategy, np.array([len(text), best])).tolist()
        if not length:
            return start
        text = multiworker.of_chief(self.strategy, np.resize(text, length).astype(np.int32))
        for number, variable in enumerate(self.variables):
            value = arrays.get(f"variable_{number}", np.zeros(variable.shape, variable.dtype))
            variable.assign(multiworker.of_chief(self.strategy, value))
        found = [arrays.get(f"best_{number}", np.zeros(self.weights[number], np.float32)) for number in range(best)]
        self.best = [multiworker.of_chief(self.strategy, array) for array in found] or None
        return State(**json.loads(bytes(text.tolist())))
