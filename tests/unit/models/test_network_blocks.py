"""Blocks of rows, and the order of the rows."""

import json
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests import samples
from textclf.artifacts import features
from textclf.artifacts.features import Features
from textclf.artifacts.shards import Shards
from textclf.models.common.networks import training
from textclf.models.common.networks.checkpoint import State
from textclf.models.common.networks.compiled import NO_ROW, Block, make_block
from textclf.models.common.networks.training import Training
from textclf.models.keras.build import ARCHITECTURE

SIZES = (60, 60, 40)  # of the batches of the training rows
ONE_DEVICE = SimpleNamespace(num_replicas_in_sync=1)  # the part of a strategy that blocks depend on


@pytest.fixture(scope="module")
def rows() -> Features:
    return samples.rows(count=sum(SIZES))


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory, rows: Features) -> Shards[Features]:
    return samples.write_shards(rows, tmp_path_factory.mktemp("features"), SIZES)


def make_blocks(
    part: Features, order: list[int], shape: tuple[int, int], devices: int = 1
) -> list[Block]:
    """Return the block of each device; the weight of a row is the position of its class, from 1."""
    weights = np.arange(1.0, len(part.classes) + 1)
    inputs, width = ARCHITECTURE.inputs, ARCHITECTURE.width(part.X)
    return [
        make_block(part, np.array(order), shape, inputs, width, weights, devices, n)
        for n in range(devices)
    ]


def dense_rows(ids: Any, counts: Any) -> list[list[int]]:
    """Return padded rows as those of a dense matrix."""
    X = np.zeros((len(ids), samples.TERMS))
    np.add.at(X, (np.arange(len(ids))[:, None], ids), counts)
    return [[int(count) for count in row] for row in X]


@pytest.mark.parametrize("devices", [1, 2, 3, 5])
@pytest.mark.parametrize("number", [1, 4, 8, 9])
def test_the_devices_of_all_workers_divide_the_rows_of_every_step(
    rows: Features, devices: int, number: int
) -> None:
    order, batch, steps = np.random.default_rng(1).permutation(20)[:number].tolist(), 4, 3
    blocks = make_blocks(rows, order, (steps, batch), devices)
    for step in range(steps):
        expected = order[step * batch : (step + 1) * batch]
        terms, labels, weights = [], [], []
        for block in blocks:
            assert block.y.shape == (steps, -(-batch // devices))
            assert block.sizes[step] == len(expected)
            known = block.y[step] != NO_ROW
            ids, counts = (array[step] for array in block.inputs)
            assert not counts[~known].any()
            assert not block.weights[step][~known].any()
            terms += dense_rows(ids[known], counts[known])
            labels += block.y[step][known].tolist()
            weights += block.weights[step][known].tolist()
        assert sorted(terms) == sorted(rows.X[expected].toarray().tolist())
        assert sorted(labels) == sorted(rows.y[expected].tolist())
        assert weights == [label + 1 for label in labels]


def epoch(
    shards: Shards[Features], state: State, seed: int = 0, batch: int = 7
) -> list[tuple[Any, int, int, bool]]:
    """Return an epoch's blocks as lists, each with its steps, rows and end of batch."""
    settings = samples.settings("keras", batch_size=batch, seed=seed)
    compiled: Any = None
    blocks = Training(
        ARCHITECTURE, compiled, samples.dataset(shards), None, settings, ONE_DEVICE
    ).epoch_blocks(state)
    return [
        ([array.tolist() for array in (*block.inputs, block.y)], steps, rows, ends)
        for block, steps, rows, ends in blocks
    ]


def test_every_epoch_takes_the_batches_and_their_rows_in_its_own_order(
    shards: Shards[Features], rows: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "BLOCK_ROWS", 30)
    epochs = [epoch(shards, State(number)) for number in range(8)]
    expected = sorted(rows.X.toarray().tolist())
    for blocks in epochs:
        taken = []
        for (ids, counts, y), steps, number, _ in blocks:
            known = np.ravel(y) != NO_ROW
            assert known.sum() == number <= 28
            assert -(-number // 7) == steps
            taken += dense_rows(np.vstack(ids)[known], np.vstack(counts)[known])
        assert sorted(taken) == expected
        assert [ends for *_, ends in blocks].count(True) == len(SIZES)
    assert len({json.dumps(blocks) for blocks in epochs}) == 8
    lengths = {
        tuple(np.diff([0, *(at for at, (*_, ends) in enumerate(blocks, 1) if ends)]))
        for blocks in epochs
    }
    assert len(lengths) > 1  # the small batch is not always the last
    assert epoch(shards, State(2)) == epochs[2]
    assert epoch(shards, State(), seed=1) != epochs[0]


def test_an_epoch_resumes_after_the_batches_that_are_done(shards: Shards[Features]) -> None:
    assert epoch(shards, State(1, batch=2)) == epoch(shards, State(1))[2:]


def test_rows_of_many_terms_make_smaller_blocks(
    shards: Shards[Features], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "BLOCK_NUMBERS", 20 * 8)  # twenty rows of eight terms
    assert max(number for _, _, number, _ in epoch(shards, State())) == 14
    assert max(number for _, _, number, _ in epoch(shards, State(), batch=25)) == 25


def test_no_more_than_two_batches_are_in_memory(shards: Shards[Features]) -> None:
    references: list[Any] = []
    alive = []  # batches in memory, at each read

    def read(path: Path) -> Features:
        part = features.read_shard(path)
        references.append(weakref.ref(part.X))
        alive.append(sum(reference() is not None for reference in references))
        return part

    epoch(Shards(shards.paths, read), State())
    assert len(alive) == len(SIZES)
    assert max(alive) <= 2
