"""The network trained on shards: small shards and few epochs, since every training compiles for a second or two."""

import itertools
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
from textclf.artifacts import shards
from textclf.core.errors import UserError
from textclf.models import keras as network
from textclf.models import multiworker, streaming
from textclf.models.streaming import State
from textclf.vectorize import features
from textclf.vectorize.features import Features, Shards

ROWS = 250
SIZES = (60, 60, 40)  # of the shards of the training rows
BATCH = 7
ALONE = SimpleNamespace(num_replicas_in_sync=1)  # what of a strategy the blocks depend on


class KilledError(Exception):
    """What ends a training in the middle."""


def settings(**changes: object) -> Any:
    chosen = {"units": [3], "learning_rate": 0.05, "epochs": 3, "batch_size": BATCH}
    return samples.settings("keras", **chosen | changes)


def written(folder: Path, rows: Features, sizes: tuple[int, ...], name: str = "train") -> Shards:
    """The rows as shards of these sizes."""
    folder.mkdir(exist_ok=True)
    borders = np.cumsum((0, *sizes))
    pieces = [samples.taken(rows, np.arange(start, end)) for start, end in itertools.pairwise(borders)]
    return Shards(shards.write(pieces, folder, name, ".npz", features.write))


@pytest.fixture(scope="module")
def rows() -> Features:
    return samples.rows(count=ROWS)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, rows: Features) -> tuple[Shards, Shards]:
    """Shards of training rows and of rows to watch."""
    folder = tmp_path_factory.mktemp("features")
    watched = samples.taken(rows, np.arange(sum(SIZES), ROWS))
    return written(folder, rows, SIZES), written(folder, watched, (50, 40), "validation")


@pytest.fixture(scope="module")
def whole(data: tuple[Shards, Shards], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., network.Network]:
    """The network of a training that nothing disturbed, trained once for each of the settings."""

    @cache
    def trained(**changes: object) -> network.Network:
        return network.fit_stream(*data, settings(**changes), tmp_path_factory.mktemp("scratch"))

    return trained


def content(model: network.Network) -> list[bytes]:
    """All that a training makes."""
    return [*(weights.tobytes() for weights in model.plain.get_weights()), model.history.to_csv().encode()]


def blocks_of(part: Features, order: list[int], batch: int, devices: int = 1) -> list[streaming.Block]:
    weights = np.arange(1.0, len(part.classes) + 1)
    return [streaming.block(part, weights, np.array(order), batch, devices, device) for device in range(devices)]


# Blocks


@pytest.mark.parametrize("devices", [1, 2, 3, 5])
@pytest.mark.parametrize("number", [1, 4, 8, 9])
def test_the_devices_of_all_workers_share_out_the_rows_of_every_step(rows: Features, devices: int, number: int) -> None:
    order, batch = np.random.default_rng(1).permutation(20)[:number].tolist(), 4
    blocks = blocks_of(rows, order, batch, devices)
    steps = -(-number // batch)
    for step in range(steps):
        wanted = order[step * batch : (step + 1) * batch]
        found, labels, weights = [], [], []
        for block in blocks:
            assert block.y.shape == (steps, -(-batch // devices))
            assert block.sizes.tolist() == [min(batch, number - start) for start in range(0, number, batch)]
            some = slice(block.starts[step], block.starts[step + 1])
            X = np.zeros((block.y.shape[1], samples.TERMS))
            np.add.at(X, tuple(block.places[some].T), block.counts[some])
            there = block.y[step] >= 0
            assert not X[~there].any()
            assert not block.weights[step][~there].any()
            found += X[there].tolist()
            labels += block.y[step][there].tolist()
            weights += block.weights[step][there].tolist()
        assert sorted(found) == sorted(rows.X[wanted].toarray().tolist())
        assert sorted(labels) == sorted(rows.y[wanted].tolist())
        assert weights == [label + 1 for label in labels]


def test_rows_without_a_term_are_rows_too() -> None:
    part = Features(np.array(["1", "2"]), csr_array((2, 5), dtype=np.int64), np.array([0, 1]), np.array(["a", "b"]))
    (block,) = blocks_of(part, [1, 0], 2)
    assert block.places.shape == (0, 2)
    assert block.y.tolist() == [[1, 0]]


def epoch_of(data: tuple[Shards, Shards], state: State, **changes: object) -> list[tuple[list[Any], int, bool]]:
    """The blocks of an epoch, with the number of their rows and whether they end a shard."""
    rows = streaming.survey(*data, settings(**changes))
    blocks = streaming.epoch_of_blocks(rows, state, settings(**changes), ALONE)
    return [([array.tolist() for array in block], number, ends) for block, number, ends in blocks]


def test_every_epoch_takes_the_shards_and_their_rows_in_an_order_of_its_own(
    data: tuple[Shards, Shards], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "ROWS_AT_ONCE", 30)
    epochs = [epoch_of(data, State("", epoch)) for epoch in range(8)]
    assert all(sum(number for _, number, _ in epoch) == sum(SIZES) for epoch in epochs)
    assert all([ends for *_, ends in epoch].count(True) == len(SIZES) for epoch in epochs)
    assert all(number <= 30 for epoch in epochs for _, number, _ in epoch)
    assert len({json.dumps(epoch) for epoch in epochs}) == 8
    lengths = {tuple(np.diff([0, *(at for at, (*_, ends) in enumerate(epoch, 1) if ends)])) for epoch in epochs}
    assert len(lengths) > 1  # the small shard is not always the last
    assert epoch_of(data, State("", 2)) == epochs[2]
    assert epoch_of(data, State(""), seed=1) != epochs[0]


def test_an_epoch_goes_on_after_the_shards_that_are_done(data: tuple[Shards, Shards]) -> None:
    assert epoch_of(data, State("", 1, shard=2)) == epoch_of(data, State("", 1))[2:]


def test_what_comes_next_is_made_while_the_one_before_is_in_use_and_no_more() -> None:
    made = []

    def items() -> Any:
        for number in range(5):
            made.append(number)
            yield number

    for item in streaming.ahead(items()):
        assert len(made) <= item + 2
    assert made == list(range(5))


def test_an_error_in_what_comes_next_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(streaming.ahead(1 // number for number in (1, 0)))


def test_no_more_than_two_shards_are_in_memory(data: tuple[Shards, Shards], monkeypatch: pytest.MonkeyPatch) -> None:
    import weakref

    alive: list[Any] = []
    most = []

    def read(path: Path) -> Features:
        part = features.read_shard(path)
        alive.append(weakref.ref(part.X))
        most.append(sum(reference() is not None for reference in alive))
        return part

    monkeypatch.setattr(streaming, "read_shard", read)
    epoch_of(data, State(""))
    assert len(most) == 1 + len(SIZES)
    assert max(most) <= 2


# Training


@pytest.mark.parametrize(("classes", "given"), [(2, None), (3, "balanced")], ids=str)
def test_it_is_the_training_of_the_dense_network(tmp_path: Path, classes: int, given: str | None) -> None:
    # One batch a shard and one shard, so that the order of the rows does not matter.
    rows = samples.rows(classes)
    data = written(tmp_path, rows, (len(rows.y),))
    chosen = settings(batch_size=len(rows.y), epochs=4, class_weight=given)
    streamed = network.fit_stream(data, data, chosen, tmp_path / "scratch")
    fitted = network.fit(rows, rows, chosen)
    for ours, theirs in zip(streamed.plain.get_weights(), fitted.plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    columns = ["epoch", "loss", "accuracy"]
    np.testing.assert_allclose(streamed.history[columns], fitted.history[columns], atol=1e-5)
    assert streamed.history["split"].equals(fitted.history["split"])
    assert streamed.predict_proba(rows.X) == pytest.approx(fitted.predict_proba(rows.X), abs=1e-5)
    assert streamed.record == fitted.record


def test_it_learns_and_gives_the_same_bytes_again_whatever_another_training_left(
    data: tuple[Shards, Shards], whole: Callable[..., network.Network], tmp_path: Path
) -> None:
    losses = whole().history.loc[whole().history["split"] == "train", "loss"].to_numpy()
    assert losses[-1] < losses[0] - 0.1
    network.fit_stream(*data, settings(epochs=1, seed=1), tmp_path)
    assert state_in(tmp_path).epoch == 1
    assert content(network.fit_stream(*data, settings(), tmp_path)) == content(whole())
    assert [path.name for path in tmp_path.iterdir()] == [streaming.STATE]


def test_the_watched_numbers_are_those_of_all_watched_rows(
    data: tuple[Shards, Shards], whole: Callable[..., network.Network]
) -> None:
    watched = data[1].together()
    probabilities = whole().predict_proba(watched.X)
    last = whole().history.iloc[-1]
    assert last["split"] == "watched"
    assert last["loss"] == pytest.approx(-np.log(probabilities[np.arange(len(watched.y)), watched.y]).mean(), abs=1e-6)
    assert last["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == watched.y).mean(), abs=1e-12)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # h5py's, which writes the weights
def test_what_is_saved_is_what_predicts(whole: Callable[..., network.Network], rows: Features, tmp_path: Path) -> None:
    from textclf.artifacts import layers as portable

    whole().save(tmp_path)
    assert np.array_equal(portable.read(tmp_path).predict_proba(rows.X), whole().predict_proba(rows.X))
    assert whole().plain.predict(rows.X.toarray(), verbose=0)[:, 0] == pytest.approx(
        whole().predict_proba(rows.X)[:, 1], abs=1e-6
    )


def test_a_network_that_diverged_is_an_error(data: tuple[Shards, Shards], tmp_path: Path) -> None:
    chosen = settings(units=[], optimizer="sgd", learning_rate=1e38)
    with pytest.raises(UserError, match=r"got nan in epoch 1: set train\.keras\.learning_rate"):
        network.fit_stream(*data, chosen, tmp_path)


# What survives


STOPPING = {
    "learning_rate": 0.3,
    "epochs": 9,
    "early_stopping": 2,
}  # with which the loss on the watched rows rises soon


def killed_in(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, call: int, train: Callable[[], Any]) -> None:
    """The training ends when this function is called for that time; its state is kept after every shard."""
    calls = iter(range(1, 10**6))
    whole: Callable[..., Any] = getattr(owner, name)

    def killed(*arguments: Any) -> Any:
        if next(calls) == call:
            raise KilledError
        return whole(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(streaming, "SECONDS", 0.0)
        patch.setattr(owner, name, killed)
        with pytest.raises(KilledError):
            train()


def state_in(scratch: Path) -> State:
    with np.load(scratch / streaming.STATE, allow_pickle=False) as stored:
        return State(**json.loads(stored["state"].tobytes()))


def test_a_training_that_ended_anywhere_goes_on_to_the_very_same_end(
    data: tuple[Shards, Shards],
    whole: Callable[..., network.Network],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    undisturbed = whole(**STOPPING)
    best, epochs = (int(undisturbed.record[name]) for name in ("best_epoch", "epochs"))
    assert best + 2 == epochs < 9

    def train() -> network.Network:
        return network.fit_stream(*data, settings(**STOPPING), tmp_path)

    # While the second shard of the first epoch is prepared; while the state after the fourth is written; while the
    # epoch after the best is evaluated.
    shards_done = []
    for owner, name, call in (
        (streaming, "block", 3),
        (os, "fsync", 3),
        (streaming, "evaluated", best),
    ):
        killed_in(monkeypatch, owner, name, call, train)
        shards_done.append(state_in(tmp_path).epoch * len(SIZES) + state_in(tmp_path).shard)
    assert shards_done[0] in {1, 2}  # the third block is made while the second is in use, or before
    assert shards_done[1] == shards_done[0] + 2
    assert shards_done[2] == (best + (shards_done[1] >= len(SIZES))) * len(SIZES) - 1
    again = train()
    assert content(again) == content(undisturbed)
    assert again.record == undisturbed.record
    assert content(train()) == content(undisturbed)  # killed after the last epoch, before the stage was done


def test_a_state_of_other_shards_or_settings_is_not_taken(
    data: tuple[Shards, Shards], rows: Features, tmp_path: Path
) -> None:
    assert streaming.survey(*data, settings()).digest == streaming.survey(*data, settings()).digest
    digests = {
        streaming.survey(*data, settings()).digest,
        streaming.survey(*data, settings(epochs=4)).digest,
        streaming.survey(*data[::-1], settings()).digest,
        streaming.survey(written(tmp_path, rows, SIZES[::-1]), data[1], settings()).digest,
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("losses", "patience", "best", "over"),
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
    losses: list[float], patience: int | None, best: int, over: bool
) -> None:
    state = State("", len(losses), history={"val_loss": losses})
    assert state.best == best
    assert state.over(settings(epochs=5, early_stopping=patience)) == over


# Many workers


@pytest.mark.parametrize(
    ("config", "place"),
    [
        (None, (0, 1)),
        ({}, (0, 1)),
        ({"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}, (0, 1)),
        ({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}, (1, 2)),
        ({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": "0"}}, (0, 2)),
        ({"cluster": {"chief": ["c:1"], "worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}, (1, 2)),
        ({"cluster": {"chief": ["c:1"], "worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}, (0, 2)),
    ],
)
def test_the_chief_is_the_first_worker(
    monkeypatch: pytest.MonkeyPatch, config: dict[str, Any] | None, place: tuple[int, int]
) -> None:
    monkeypatch.delenv(multiworker.VARIABLE, raising=False)
    if config is not None:
        monkeypatch.setenv(multiworker.VARIABLE, json.dumps(config))
    assert multiworker.place() == place
    assert multiworker.is_chief() == (place[0] == 0)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"cluster": {"worker": ["a:1", "b:1"]}}', '{"cluster": {"worker": ["a:1"]}, "task": {}}']
)
def test_a_tf_config_that_names_no_place_is_an_error(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(multiworker.VARIABLE, text)
    with pytest.raises(UserError, match="TF_CONFIG must be like"):
        multiworker.place()
