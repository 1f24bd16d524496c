"""The rows of a split in batches."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests import samples
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features
from textclf.core import resources
from textclf.core.errors import UserError


def assert_same(ours: Features, expected: Features) -> None:
    assert ours.ids.tolist() == expected.ids.tolist()
    assert ours.X.toarray().tolist() == expected.X.toarray().tolist()
    assert ours.y.tolist() == expected.y.tolist()


@pytest.mark.parametrize("size", [7, 60])
def test_shards_are_batches_that_can_be_read_again_and_all_together(tmp_path: Path, size: int) -> None:
    part = samples.rows(3)
    shards = samples.write_shards(part, tmp_path, size)
    dataset = Dataset.of_shards(shards)
    assert len(dataset) == len(shards)
    for _ in range(2):
        for batch, shard in zip(dataset.batches(), shards, strict=True):
            assert_same(batch, shard)
    assert_same(dataset.all("a model"), part)
    assert (dataset.rows, dataset.columns) == (60, samples.TERMS)
    assert dataset.classes.tolist() == part.classes.tolist()
    assert dataset.counts.tolist() == np.bincount(part.y).tolist()


def test_rows_in_memory_are_one_batch_whatever_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "available_memory", lambda: 0)
    part = samples.rows(2)
    dataset = Dataset.of_rows(part)
    assert (len(dataset), dataset.rows, dataset.columns) == (1, 60, samples.TERMS)
    assert dataset.all("a model") is part


def test_rows_that_memory_does_not_hold_together_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Dataset.of_shards(samples.write_shards(samples.rows(), tmp_path, 7))
    monkeypatch.setattr(resources, "available_memory", lambda: 3 * dataset.size - 1)
    with pytest.raises(UserError, match=r"^a model, which does not train on a stream, needs about .* of memory; "):
        dataset.all("a model")
    monkeypatch.setattr(resources, "available_memory", lambda: 3 * dataset.size)
    assert len(dataset.all("a model").y) == 60


def test_sets_of_labels_are_counted_shard_by_shard(tmp_path: Path) -> None:
    part = samples.label_rows()
    for rows in (Dataset.of_rows(part), Dataset.of_shards(samples.write_shards(part, tmp_path, 25))):
        assert rows.multilabel
        assert rows.rows == 60
        assert rows.counts.tolist() == part.y.sum(axis=0).tolist()
        assert rows.fewest == part.y.sum(axis=0).min()
    common = dataclasses.replace(part, y=1 - part.y)
    assert Dataset.of_rows(common).fewest == part.y.sum(axis=0).min()  # rows without a label
    assert not Dataset.of_rows(samples.rows(3)).multilabel
