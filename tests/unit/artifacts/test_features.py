"""Features, written and read back."""

import dataclasses
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests import samples
from tests.refusal import refusal
from textclf.artifacts import features
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features
from textclf.artifacts.tokens import Tokens
from textclf.core import resources
from textclf.core.errors import UserError

COUNTS = Features(
    np.array(["c:3", "c:10", "é"]),
    csr_array(np.array([[0, 1, 2, 0], [0, 0, 0, 0], [3, 0, 0, 1]])),
    np.array([1, 0, 1]),
    np.array(["neg", "pos"]),
)
TFIDF = Features(COUNTS.ids, csr_array(COUNTS.X * 0.1), COUNTS.y, COUNTS.classes)
DENSE = Features(
    COUNTS.ids, np.array([[0.5, 0], [1, 2], [0, 0]], dtype=np.float32), COUNTS.y, COUNTS.classes
)
SEQUENCES = Tokens(np.array([2, 1, 4], dtype=np.int32), np.array([0, 2, 2, 3]), 5, 4, "pre")
TOKENS = Features(COUNTS.ids, SEQUENCES, COUNTS.y, COUNTS.classes)


def arrays_of(X: Any) -> list[Any]:
    match features.kind_of(X):
        case "sparse":
            return [X.data, X.indices, X.indptr, np.array(X.shape)]
        case "dense":
            return [X]
        case _:
            return [X.ids, X.starts, np.array([X.vocabulary, X.length, X.padding == "pre"])]


def equal(one: Features, other: Features) -> bool:
    arrays = [[part.ids, part.y, part.classes, *arrays_of(part.X)] for part in (one, other)]
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(*arrays, strict=True))


each_kind = pytest.mark.parametrize(
    "part", [COUNTS, TFIDF, DENSE, TOKENS], ids=["counts", "tf-idf", "dense", "tokens"]
)


@each_kind
def test_written_features_read_back_and_repeat_byte_for_byte(
    tmp_path: Path, part: Features
) -> None:
    for name in ("test", "train"):
        features.write(part, tmp_path / f"{name}.npz")
    assert (tmp_path / "train.npz").read_bytes() == (tmp_path / "test.npz").read_bytes()
    parts = features.read(tmp_path)
    assert list(parts) == ["train", "test"]
    assert equal(parts["train"], part)


def test_written_features_need_no_pickle(tmp_path: Path) -> None:
    features.write(COUNTS, tmp_path / "train.npz")
    with np.load(tmp_path / "train.npz", allow_pickle=False) as stored:
        assert sorted(stored) == ["classes", "data", "ids", "indices", "indptr", "shape", "y"]
        assert all(stored[name].dtype.kind in "iU" for name in stored)


@pytest.mark.parametrize(
    "read", [features.read_shard, lambda path: features.read_arrays(path, "y")]
)
def test_a_damaged_file_is_an_error_and_closed(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "train.npz"
    features.write(COUNTS, path)
    content = path.read_bytes()
    for part in (content[:-30], content[:30], b"", b"PK" + bytes(100)):
        path.write_bytes(part)
        assert refusal(read, path).startswith(f"{path} is damaged; remove it")
        gc.collect()  # an open file would be an error


@each_kind
def test_rows_taken_and_concatenated_are_the_same_rows(part: Features) -> None:
    pieces = [part.take(np.array(rows, dtype=np.int64)) for rows in ([0], [], [1, 2])]
    assert equal(features.concatenate(pieces), part)
    assert features.concatenate(pieces[:1]) is pieces[0]


def test_blocks_stand_side_by_side_each_times_its_scale() -> None:
    stacked = features.stack_columns([COUNTS.X, DENSE.X], [2.0, 0.5])
    assert stacked.dtype == np.float64
    assert stacked.toarray().tolist() == [
        [0, 2, 4, 0, 0.25, 0],
        [0, 0, 0, 0, 0.5, 1],
        [6, 0, 0, 2, 0, 0],
    ]


@pytest.mark.parametrize(("part", "expected"), [(COUNTS, [5, 0, 10]), (DENSE, [0.25, 5, 0])])
def test_squared_norms_are_those_of_the_rows(part: Features, expected: list[float]) -> None:
    assert features.squared_norms(part.X).tolist() == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (COUNTS, {"rows": 3, "features": 4, "nonzeros": 4}),
        (DENSE, {"rows": 3, "features": 2, "nonzeros": 3}),
        (TOKENS, {"rows": 3, "features": 5, "nonzeros": 3}),
    ],
)
def test_the_shape_counts_what_is_not_zero(part: Features, expected: dict[str, int]) -> None:
    assert features.shape(part) == expected


def test_pretrained_vectors_beside_the_shards_come_with_the_tokens(tmp_path: Path) -> None:
    vectors = np.arange(10, dtype=np.float32).reshape(5, 2)
    np.save(tmp_path / features.VECTORS, vectors)
    features.write(TOKENS, tmp_path / "train.npz")
    assert np.array_equal(features.read_shard(tmp_path / "train.npz").X.vectors, vectors)


def assert_same(ours: Features, expected: Features) -> None:
    assert ours.ids.tolist() == expected.ids.tolist()
    assert ours.X.toarray().tolist() == expected.X.toarray().tolist()
    assert ours.y.tolist() == expected.y.tolist()


@pytest.mark.parametrize("size", [7, 60])
def test_shards_are_batches_that_can_be_read_again_and_all_together(
    tmp_path: Path, size: int
) -> None:
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


def test_rows_that_memory_does_not_hold_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Dataset.of_shards(samples.write_shards(samples.rows(), tmp_path, 7))
    monkeypatch.setattr(resources, "available_memory", lambda: 3 * dataset.size - 1)
    with pytest.raises(
        UserError, match=r"^a model, which does not train on a stream, needs about .* of memory; "
    ):
        dataset.all("a model")
    monkeypatch.setattr(resources, "available_memory", lambda: 3 * dataset.size)
    assert len(dataset.all("a model").y) == 60


def test_sets_of_labels_are_counted_shard_by_shard(tmp_path: Path) -> None:
    part = samples.label_rows()
    for rows in (
        Dataset.of_rows(part),
        Dataset.of_shards(samples.write_shards(part, tmp_path, 25)),
    ):
        assert rows.multilabel
        assert rows.rows == 60
        assert rows.counts.tolist() == part.y.sum(axis=0).tolist()
        assert rows.fewest == part.y.sum(axis=0).min()
    common = dataclasses.replace(part, y=1 - part.y)
    assert Dataset.of_rows(common).fewest == part.y.sum(axis=0).min()  # rows without a label
    assert not Dataset.of_rows(samples.rows(3)).multilabel
