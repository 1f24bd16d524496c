"""A network trained on several batches, and its checkpoints: few rows and few epochs.

Every training compiles.
"""

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import samples
from tests.refusal import refusal
from tests.unit.models import networks
from textclf.artifacts import features
from textclf.artifacts.features import Features
from textclf.artifacts.shards import Shards
from textclf.models.common import workers
from textclf.models.common.fitted import Fitted
from textclf.models.common.networks import checkpoint, training
from textclf.models.common.networks.checkpoint import State

Data = tuple[Shards[Features], Shards[Features]]  # to train on, and to watch

ROWS = 250
SIZES = (60, 60, 40)  # of the shards of the training rows
BATCH = 7
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
    return samples.write_shards(train, folder, SIZES), samples.write_shards(
        watched, folder, (50, 40), "validation"
    )


@pytest.fixture(scope="module")
def undisturbed(data: Data) -> Callable[..., Fitted]:
    """Returns the network of a training that was never killed; trained once per settings."""

    @cache
    def fit(**changes: object) -> Fitted:
        return networks.train(*data, settings(**changes))

    return fit


# Training


def test_it_learns_and_gives_the_same_bytes_again_whatever_another_training_left(
    data: Data, undisturbed: Callable[..., Fitted], tmp_path: Path
) -> None:
    losses = networks.losses(undisturbed(), "train")
    assert losses[-1] < losses[0] - 0.1
    networks.train(*data, settings(epochs=1, seed=1))
    assert networks.bits(networks.train(*data, settings(), tmp_path)) == networks.bits(
        undisturbed()
    )
    assert not list(tmp_path.iterdir())  # it took no minute


def test_watched_loss_and_accuracy_are_of_all_watched_rows(
    data: Data, undisturbed: Callable[..., Fitted]
) -> None:
    watched = features.concatenate(list(data[1]))
    probabilities = undisturbed().layers.predict_proba(watched.X)
    history = undisturbed().history
    assert history is not None
    last = history.to_dict("records")[-1]
    assert last["split"] == "watched"
    assert last["loss"] == pytest.approx(
        -np.log(probabilities[np.arange(len(watched.y)), watched.y]).mean(), abs=1e-6
    )
    assert last["accuracy"] == pytest.approx(
        (probabilities.argmax(axis=1) == watched.y).mean(), abs=1e-12
    )


# Checkpoints


def kill_in(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, call: int, train: Callable[[], Any]
) -> None:
    """Run a training that ends at that call of this function; each shard has a checkpoint."""
    calls = iter(range(1, 10**6))
    function: Callable[..., Any] = getattr(owner, name)

    def kill(*arguments: Any) -> Any:
        if next(calls) == call:
            raise KilledError
        return function(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "INTERVAL", 0.0)
        patch.setattr(owner, name, kill)
        with pytest.raises(KilledError):
            train()


def read_state(scratch: Path) -> State:
    with np.load(scratch / checkpoint.FILE, allow_pickle=False) as stored:
        return State(**json.loads(stored["state"].tobytes())["state"])


def test_a_training_killed_anywhere_resumes_and_ends_with_the_same_network(
    data: Data, undisturbed: Callable[..., Fitted], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = undisturbed(**STOPPING)
    best, epochs = (int(expected.record[name]) for name in ("best_epoch", "epochs"))
    assert best + 2 == epochs < 9

    def train() -> Fitted:
        return networks.train(*data, settings(**STOPPING), tmp_path)

    # While the third block is made; while the checkpoint after the fourth batch is written; while
    # the epoch after the best is measured.
    batches_done = []
    for owner, name, call in (
        (workers, "distribute", 3),
        (os, "fsync", 3),
        (training.Training, "measure", best),
    ):
        kill_in(monkeypatch, owner, name, call, train)
        state = read_state(tmp_path)
        batches_done.append(state.epoch * len(SIZES) + state.batch)
    assert batches_done[0] in {
        1,
        2,
    }  # the third block is made while the second is in use, or before
    assert batches_done[1] == batches_done[0] + 2
    assert batches_done[2] == (best + (batches_done[1] >= len(SIZES))) * len(SIZES)
    resumed = train()
    assert networks.bits(resumed) == networks.bits(expected)
    assert resumed.record == expected.record
    assert networks.bits(train()) == networks.bits(
        expected
    )  # killed after the last epoch, before the stage was done


def test_a_checkpoint_of_other_settings_or_code_is_not_used(
    data: Data, undisturbed: Callable[..., Fitted], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(checkpoint, "INTERVAL", 0.0)
    networks.train(*data, settings(seed=1), tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "read_code", dict)
        assert networks.bits(networks.train(*data, settings(), tmp_path)) == networks.bits(
            undisturbed()
        )
    assert read_state(tmp_path).epoch == 2
    assert networks.bits(networks.train(*data, settings(), tmp_path)) == networks.bits(
        undisturbed()
    )


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
def test_early_stopping_of_a_history(
    losses: list[float], patience: int | None, best_epoch: int, is_done: bool
) -> None:
    state = State(len(losses), history={"val_loss": losses})
    assert state.best_epoch == best_epoch
    assert state.is_done(5, patience) == is_done


def test_a_library_that_only_another_network_needs_may_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoint, "installed_version", dict.fromkeys(("keras", "numpy"), "1").get)
    assert (
        networks.bits(
            networks.train(networks.rows(), networks.rows(4), networks.settings(units=[]))
        )
        is not None
    )


@pytest.mark.parametrize(
    ("config", "index"),
    [
        (None, (0, 1)),
        ({}, (0, 1)),
        ({"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}, (0, 1)),
        ({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}, (1, 2)),
        ({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": "0"}}, (0, 2)),
        (
            {
                "cluster": {"chief": ["c:1"], "worker": ["a:1"]},
                "task": {"type": "worker", "index": 0},
            },
            (1, 2),
        ),
        (
            {
                "cluster": {"chief": ["c:1"], "worker": ["a:1"]},
                "task": {"type": "chief", "index": 0},
            },
            (0, 2),
        ),
    ],
)
def test_the_chief_is_the_first_worker(
    monkeypatch: pytest.MonkeyPatch, config: dict[str, Any] | None, index: tuple[int, int]
) -> None:
    monkeypatch.delenv(workers.VARIABLE, raising=False)
    if config is not None:
        monkeypatch.setenv(workers.VARIABLE, json.dumps(config))
    assert workers.worker_index() == index
    assert workers.is_chief() == (index[0] == 0)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"cluster": {"worker": ["a:1", "b:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {}}',
    ],
)
def test_a_tf_config_without_the_index_of_this_worker_is_an_error(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(workers.VARIABLE, text)
    assert "TF_CONFIG must be like" in refusal(workers.worker_index)
