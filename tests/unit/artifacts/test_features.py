"""Features, written and read back."""

import gc
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from textclf.artifacts import features
from textclf.artifacts.features import Features
from textclf.core.errors import UserError

COUNTS = Features(
    np.array(["c:3", "c:10", "é"]),
    csr_array(np.array([[0, 1, 2, 0], [0, 0, 0, 0], [3, 0, 0, 1]])),
    np.array([1, 0, 1]),
    np.array(["neg", "pos"]),
)
TFIDF = Features(COUNTS.ids, csr_array(COUNTS.X * 0.1), COUNTS.y, COUNTS.classes)


def equal(one: Features, other: Features) -> bool:
    arrays = [
        [part.ids, part.y, part.classes, part.X.data, part.X.indices, part.X.indptr, np.array(part.X.shape)]
        for part in (one, other)
    ]
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(*arrays, strict=True))


@pytest.mark.parametrize("part", [COUNTS, TFIDF], ids=["counts", "tf-idf"])
def test_written_features_read_back_and_repeat_byte_for_byte(tmp_path: Path, part: Features) -> None:
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


def test_damaged_features_are_an_error(tmp_path: Path) -> None:
    features.write(COUNTS, tmp_path / "train.npz")
    content = (tmp_path / "train.npz").read_bytes()
    (tmp_path / "train.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"train\.npz is damaged; remove it"):
        features.read_shard(tmp_path / "train.npz")


def test_damaged_labels_are_an_error_and_their_file_is_closed(tmp_path: Path) -> None:
    features.write(COUNTS, tmp_path / "train.npz")
    content = (tmp_path / "train.npz").read_bytes()
    for part in (content[:-30], content[:30], b"", b"PK" + bytes(100)):
        (tmp_path / "train.npz").write_bytes(part)
        with pytest.raises(UserError, match="is damaged"):
            features.read_labels(tmp_path / "train.npz")
        gc.collect()  # an open file would be an error


def test_pieces_are_concatenated_in_order() -> None:
    rows = [slice(0, 1), slice(1, 1), slice(1, 3)]
    pieces = [Features(COUNTS.ids[part], COUNTS.X[part], COUNTS.y[part], COUNTS.classes) for part in rows]
    assert equal(features.concatenate(pieces), COUNTS)
    assert features.concatenate(pieces[:1]) is pieces[0]


def test_shape_counts_rows_columns_and_nonzeros() -> None:
    assert features.shape(COUNTS) == {"rows": 3, "features": 4, "nonzeros": 4}
