"""The network trained on shards: small shards and few epochs, since every training compiles for a second or two."""

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests import samples
from tests.unit.models import networks
from textclf.artifacts import features
from textclf.artifacts.features import Features
from textclf.artifacts.shards import Shards
from textclf.core.errors import UserError
from textclf.models.common.fitted import Fitted
from textclf.models.common.networks import checkpoint, stream, workers
from textclf.models.common.networks.checkpoint import State
from textclf.models.keras import training
from textclf.models.keras.steps import Block, make_block
from textclf.models.keras.stream import fit_stream

Data = tuple[Shards[Features], Shards[Features]]  # to train on, and to watch

ROWS = 250
SIZES = (60, 60, 40)  # of the shards of the training rows
BATCH = 7
ONE_DEVICE = SimpleNamespace(num_replicas_in_sync=1)  # the part of a strategy that blocks depend on
STOPPING = {"learning_rate": 0.3, "epochs": 9, "early_stopping": 2}  # the watched loss soon rises


class KilledError(Exception):
    """Ends a training in the middle."""


def settings(**changes: object) -> Any:
    small = {"units": [3], "learning_rate": 0.05, "epochs": 3, "batch_size": BATCH}
    return samples.settings("keras", **small | changes)


@pytest.fixture(scope="module")
def rows() -> Features:
    return samples.rows(count=ROWS)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, rows: Features) -> Data:
    folder = tmp_path_factory.mktemp("features")
    train, watched = (samples.take(rows, part) for part in np.split(np.arange(ROWS), [sum(SIZES)]))
    return samples.write_shards(train, folder, SIZES), samples.write_shards(watched, folder, (50, 40), "validation")


@pytest.fixture(scope="module")
def undisturbed(data: Data, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Fitted]:
    """Returns the network of a training that was never killed; trained once per settings."""

    @cache
    def fit(**changes: object) -> Fitted:
        return fit_stream(*data, settings(**changes), tmp_path_factory.mktemp("scratch"))

    return fit


# Blocks


def make_blocks(part: Features, order: list[int], batch: int, devices: int = 1) -> list[Block]:
    """Return the block of each device; the weight of a row is the position of its class, from 1."""
    weights = np.arange(1.0, len(part.classes) + 1)
    return [make_block(part, weights, np.array(order), batch, devices, device) for device in range(devices)]


@pytest.mark.parametrize("devices", [1, 2, 3, 5])
@pytest.mark.parametrize("number", [1, 4, 8, 9])
def test_the_devices_of_all_workers_divide_the_rows_of_every_step(rows: Features, devices: int, number: int) -> None:
    order, batch = np.random.default_rng(1).permutation(20)[:number].tolist(), 4
    blocks = make_blocks(rows, order, batch, devices)
    steps = -(-number // batch)
    for step in range(steps):
        expected = order[step * batch : (step + 1) * batch]
        counts, labels, weights = [], [], []
        for block in blocks:
            assert block.y.shape == (steps, -(-batch // devices))
            assert block.sizes.tolist() == [min(batch, number - start) for start in range(0, number, batch)]
            terms = slice(block.starts[step], block.starts[step + 1])
            X = np.zeros((block.y.shape[1], samples.TERMS))
            np.add.at(X, tuple(block.places[terms].T), block.counts[terms])
            filled = block.y[step] >= 0
            assert not X[~filled].any()
            assert not block.weights[step][~filled].any()
            counts += X[filled].tolist()
            labels += block.y[step][filled].tolist()
            weights += block.weights[step][filled].tolist()
        assert sorted(counts) == sorted(rows.X[expected].toarray().tolist())
        assert sorted(labels) == sorted(rows.y[expected].tolist())
        assert weights == [label + 1 for label in labels]


def test_rows_without_a_term_are_rows_too() -> None:
    part = Features(np.array(["1", "2"]), csr_array((2, 5), dtype=np.int64), np.array([0, 1]), np.array(["a", "b"]))
    (block,) = make_blocks(part, [1, 0], 2)
    assert block.places.shape == (0, 2)
    assert block.y.tolist() == [[1, 0]]


def epoch(data: Data, state: State, **changes: object) -> list[tuple[list[Any], int, bool]]:
    """Return the blocks of an epoch, with the number of their rows and whether they end a shard."""
    surveyed = stream.survey(*data, settings(**changes))
    blocks = stream.epoch_blocks(make_block, surveyed, state, settings(**changes), ONE_DEVICE)
    return [([array.tolist() for array in block], number, ends) for block, number, ends in blocks]


def test_every_epoch_takes_the_shards_and_their_rows_in_its_own_order(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BLOCK_ROWS", 30)
    epochs = [epoch(data, State("", number)) for number in range(8)]
    assert all(sum(number for _, number, _ in blocks) == sum(SIZES) for blocks in epochs)
    assert all([ends for *_, ends in blocks].count(True) == len(SIZES) for blocks in epochs)
    assert all(number <= 30 for blocks in epochs for _, number, _ in blocks)
    assert len({json.dumps(blocks) for blocks in epochs}) == 8
    lengths = {tuple(np.diff([0, *(at for at, (*_, ends) in enumerate(blocks, 1) if ends)])) for blocks in epochs}
    assert len(lengths) > 1  # the small shard is not always the last
    assert epoch(data, State("", 2)) == epochs[2]
    assert epoch(data, State(""), seed=1) != epochs[0]


def test_an_epoch_resumes_after_the_shards_that_are_done(data: Data) -> None:
    assert epoch(data, State("", 1, shard=2)) == epoch(data, State("", 1))[2:]


def test_the_next_item_is_made_while_the_one_before_is_in_use_and_no_more() -> None:
    made = []

    def items() -> Any:
        for number in range(5):
            made.append(number)
            yield number

    for item in stream.prefetch(items()):
        assert len(made) <= item + 2
    assert made == list(range(5))


def test_an_error_in_the_next_item_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(stream.prefetch(1 // number for number in (1, 0)))


def test_no_more_than_two_shards_are_in_memory(data: Data) -> None:
    import weakref

    references: list[Any] = []
    alive = []  # shards in memory, at each read

    def read(path: Path) -> Features:
        part = features.read_shard(path)
        references.append(weakref.ref(part.X))
        alive.append(sum(reference() is not None for reference in references))
        return part

    epoch((Shards(data[0].paths, read), data[1]), State(""))
    assert len(alive) == len(SIZES)
    assert max(alive) <= 2


# Training


@pytest.mark.parametrize(
    ("classes", "given"), [(2, None), pytest.param(3, "balanced", marks=pytest.mark.nightly)], ids=str
)
def test_it_is_the_training_of_the_network_in_memory(tmp_path: Path, classes: int, given: str | None) -> None:
    # One shard of one batch, so that the order of the rows does not matter.
    rows = samples.rows(classes)
    shards = samples.write_shards(rows, tmp_path, len(rows.y))
    chosen = settings(batch_size=len(rows.y), epochs=4, class_weight=given)
    streamed = fit_stream(shards, shards, chosen, tmp_path / "scratch")
    fitted = training.fit(rows, rows, chosen)
    for ours, expected in zip(streamed.layers.layers, fitted.layers.layers, strict=True):
        np.testing.assert_allclose(ours.kernel, expected.kernel, atol=1e-5)
        np.testing.assert_allclose(ours.bias, expected.bias, atol=1e-5)
    assert streamed.history is not None
    assert fitted.history is not None
    columns = ["epoch", "loss", "accuracy"]
    for column in columns:
        np.testing.assert_allclose(streamed.history[column], fitted.history[column], atol=1e-5)
    assert streamed.history["split"].tolist() == fitted.history["split"].tolist()
    assert streamed.layers.predict_proba(rows.X) == pytest.approx(fitted.layers.predict_proba(rows.X), abs=1e-5)
    assert streamed.record == fitted.record


def test_it_learns_and_gives_the_same_bytes_again_whatever_another_training_left(
    data: Data, undisturbed: Callable[..., Fitted], tmp_path: Path
) -> None:
    losses = networks.losses(undisturbed(), "train")
    assert losses[-1] < losses[0] - 0.1
    fit_stream(*data, settings(epochs=1, seed=1), tmp_path)
    assert read_state(tmp_path).epoch == 1
    assert networks.bits(fit_stream(*data, settings(), tmp_path)) == networks.bits(undisturbed())
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.FILE]


def test_the_watched_loss_and_accuracy_are_those_of_all_watched_rows(
    data: Data, undisturbed: Callable[..., Fitted]
) -> None:
    watched = features.concatenate(list(data[1]))
    probabilities = undisturbed().layers.predict_proba(watched.X)
    history = undisturbed().history
    assert history is not None
    last = history.to_dict("records")[-1]
    assert last["split"] == "watched"
    assert last["loss"] == pytest.approx(-np.log(probabilities[np.arange(len(watched.y)), watched.y]).mean(), abs=1e-6)
    assert last["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == watched.y).mean(), abs=1e-12)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of h5py, which writes the weights
def test_the_saved_network_predicts_as_the_layers(
    undisturbed: Callable[..., Fitted], rows: Features, tmp_path: Path
) -> None:
    from keras.saving import load_model

    path = tmp_path / "model.keras"
    undisturbed().files["model.keras"](path)
    saved = networks.dense_probabilities(load_model(path, safe_mode=True), rows.X)
    assert saved == pytest.approx(undisturbed().layers.predict_proba(rows.X), abs=1e-6)


def test_a_network_that_diverged_is_an_error(data: Data, tmp_path: Path) -> None:
    chosen = settings(units=[], optimizer="sgd", learning_rate=1e38)
    with pytest.raises(UserError, match=r"got nan in epoch 1: set the learning_rate"):
        fit_stream(*data, chosen, tmp_path)


# Checkpoints


def kill_in(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, call: int, train: Callable[[], Any]) -> None:
    """Run a training that ends when this function is called for that time; it writes a checkpoint after every shard."""
    calls = iter(range(1, 10**6))
    function: Callable[..., Any] = getattr(owner, name)

    def kill(*arguments: Any) -> Any:
        if next(calls) == call:
            raise KilledError
        return function(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(stream, "INTERVAL", 0.0)
        patch.setattr(owner, name, kill)
        with pytest.raises(KilledError):
            train()


def read_state(scratch: Path) -> State:
    with np.load(scratch / checkpoint.FILE, allow_pickle=False) as stored:
        return State(**json.loads(stored["state"].tobytes()))


def test_a_training_killed_anywhere_resumes_and_ends_with_the_same_network(
    data: Data, undisturbed: Callable[..., Fitted], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = undisturbed(**STOPPING)
    best, epochs = (int(expected.record[name]) for name in ("best_epoch", "epochs"))
    assert best + 2 == epochs < 9

    def train() -> Fitted:
        return fit_stream(*data, settings(**STOPPING), tmp_path)

    # While the third block is made; while the checkpoint after the fourth shard is written; while the epoch after the
    # best is evaluated.
    shards_done = []
    for owner, name, call in ((workers, "distribute", 3), (os, "fsync", 3), (stream, "evaluate", best)):
        kill_in(monkeypatch, owner, name, call, train)
        state = read_state(tmp_path)
        shards_done.append(state.epoch * len(SIZES) + state.shard)
    assert shards_done[0] in {1, 2}  # the third block is made while the second is in use, or before
    assert shards_done[1] == shards_done[0] + 2
    assert shards_done[2] == (best + (shards_done[1] >= len(SIZES))) * len(SIZES) - 1
    resumed = train()
    assert networks.bits(resumed) == networks.bits(expected)
    assert resumed.record == expected.record
    assert networks.bits(train()) == networks.bits(expected)  # killed after the last epoch, before the stage was done


def test_a_checkpoint_of_other_shards_or_settings_is_not_used(data: Data, rows: Features, tmp_path: Path) -> None:
    digest = stream.survey(*data, settings()).digest
    assert stream.survey(*data, settings()).digest == digest
    train = samples.take(rows, np.arange(sum(SIZES)))
    digests = {
        digest,
        stream.survey(*data, settings(epochs=4)).digest,
        stream.survey(*data[::-1], settings()).digest,
        stream.survey(samples.write_shards(train, tmp_path, SIZES[::-1]), data[1], settings()).digest,
    }
    assert len(digests) == 4


def test_a_checkpoint_of_other_code_is_not_used(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = stream.survey(*data, settings()).digest
    monkeypatch.setattr(stream, "code", lambda: "other")
    assert stream.survey(*data, settings()).digest != digest


@pytest.mark.parametrize(
    ("losses", "patience", "best_epoch", "is_done"),
    [
        ([], None, 0, False),
        ([3.0, 4.0, 5.0], None, 1, False),
        ([3.0, 2.0, 5.0], 2, 2, False),
        ([3.0, 2.0, 5.0, 2.0], 2, 2, True),
        ([3.0, 2.0, 5.0, 1.0], 2, 4, False),
        ([3.0, 2.0, 1.0, 0.5, 0.25], 2, 5, True),  # that was the last epoch
    ],
)
def test_early_stopping_follows_from_the_history(
    losses: list[float], patience: int | None, best_epoch: int, is_done: bool
) -> None:
    state = State("", len(losses), history={"val_loss": losses})
    assert state.best_epoch == best_epoch
    assert state.is_done(settings(epochs=5, early_stopping=patience)) == is_done
