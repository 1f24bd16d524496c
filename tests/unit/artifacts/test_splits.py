"""The rows of the splits and their classes, written and read back."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests import stored_splits
from tests.refusal import refusal
from textclf.artifacts import shards, splits
from textclf.artifacts.shards import Shards

ROWS = pd.DataFrame({"id": ["c:0", "c:1"], "text": ["Good food", "é\n"], "label": ["1", "0"]})


def test_written_rows_read_back_and_repeat_byte_for_byte(tmp_path: Path) -> None:
    stored_splits.write(ROWS, tmp_path / "test.parquet")
    stored_splits.write(ROWS.assign(group="x"), tmp_path / "train.parquet")  # the group is left out
    parts = splits.read(tmp_path)
    assert list(parts) == ["train", "test"]
    assert parts["train"].equals(ROWS)
    assert (tmp_path / "train.parquet").read_bytes() == (tmp_path / "test.parquet").read_bytes()
    schema = pq.read_schema(tmp_path / "train.parquet")
    assert schema.equals(splits.SCHEMA)
    assert not schema.metadata  # no version of pandas


def test_a_column_is_read_alone(tmp_path: Path) -> None:
    stored_splits.write(ROWS, tmp_path / "train.parquet")
    assert splits.read_column(tmp_path / "train.parquet", "text") == ["Good food", "é\n"]
    assert "train.parquet is damaged" in refusal(
        splits.read_column, tmp_path / "train.parquet", "group"
    )


@pytest.mark.parametrize(
    "classes", [["1", "0"], ["007", "NA", "true", "a,b", 'say "so"', "é😀", " "]]
)
def test_classes_are_read_in_their_order(tmp_path: Path, classes: list[str]) -> None:
    splits.write_classes(classes, tmp_path)
    assert splits.read_classes(tmp_path) == classes


def test_the_numbers_of_ordered_classes_are_read_back(tmp_path: Path) -> None:
    splits.write_classes(["1", "2", "5"], tmp_path, (1, 2, 5))
    assert splits.read_scale(tmp_path) == (1, 2, 5)
    assert splits.read_classes(tmp_path) == ["1", "2", "5"]
    splits.write_classes(["a", "b"], tmp_path)
    assert splits.read_scale(tmp_path) is None


@pytest.mark.parametrize("content", ['{"0": 1}', '"01"', "[0, 1]", "[", "", '["0", null]'])
def test_classes_that_are_no_list_of_text_are_damaged(tmp_path: Path, content: str) -> None:
    (tmp_path / splits.CLASSES).write_text(content)
    assert "classes.json is damaged; remove it and run dvc repro" in refusal(
        splits.read_classes, tmp_path
    )


def test_clusters_are_read_of_all_shards_and_are_no_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "ROWS", 1)
    stored_splits.write_shards(
        ROWS.assign(cluster=np.array([2**64 - 1, 5], np.uint64)), tmp_path, "train"
    )
    stored_splits.write(ROWS, tmp_path / "test.parquet")
    assert [part.tolist() for part in splits.open_clusters(tmp_path, "train")] == [[2**64 - 1], [5]]
    assert splits.read(tmp_path)["train"].equals(ROWS)
    assert list(splits.open_clusters(tmp_path, "validation")) == []
    assert "test.parquet is damaged" in refusal(list, splits.open_clusters(tmp_path, "test"))


def test_columns_are_read_as_they_are_needed_and_the_checksum_is_verified(tmp_path: Path) -> None:
    for name in ("train", "test"):
        stored_splits.write(ROWS, tmp_path / f"{name}.parquet")
    opened = splits.open_columns(tmp_path)
    assert list(opened) == ["train", "test"]
    ((read,), (damaged,)) = opened.values()
    assert read(["label", "id"]).to_pydict() == {"label": [1, 0], "id": ["c:0", "c:1"]}
    assert read(["text"]).to_pydict() == {"text": ["Good food", "é\n"]}
    assert "train.parquet is damaged" in refusal(read, ["group"])
    data = bytearray((tmp_path / "test.parquet").read_bytes())
    data[-9] ^= 1
    (tmp_path / "test.parquet").write_bytes(data)
    assert "test.parquet is damaged" in refusal(damaged, ["text"])


def save(piece: str, path: Path) -> None:
    path.write_text(piece)


def test_the_shards_of_a_folder_come_in_the_order_of_the_splits(tmp_path: Path) -> None:
    for name in ("validation", "test", "other", "train"):
        (tmp_path / f"{name}.x").touch()
    assert list(shards.open_splits(tmp_path, ".x", Path.read_text)) == [
        "train",
        "validation",
        "test",
    ]
    (tmp_path / "validation.x").unlink()
    opened = shards.open_splits(tmp_path, ".x", Path.read_text)
    assert {name: pieces.paths for name, pieces in opened.items()} == {
        "train": (tmp_path / "train.x",),
        "test": (tmp_path / "test.x",),
    }


@pytest.mark.parametrize("name", ["train", "test"])
def test_train_and_test_are_required(tmp_path: Path, name: str) -> None:
    for other in {"train", "validation", "test"} - {name}:
        (tmp_path / f"{other}.x").touch()
    assert f"{name}.x not found; run dvc repro" in refusal(
        shards.open_splits, tmp_path, ".x", Path.read_text
    )


def test_shards_are_read_one_at_a_time_in_every_iteration(tmp_path: Path) -> None:
    read: list[str] = []

    def read_and_note(path: Path) -> str:
        read.append(path.name)
        return path.read_text()

    pieces = Shards(shards.write("abc", tmp_path, "train", ".x", save), read_and_note)
    assert len(pieces) == 3
    assert next(iter(pieces)) == "a"
    assert read == ["train-00001.x"]
    assert [*pieces, *pieces] == [*"abcabc"]


@pytest.mark.parametrize("pieces", ["", "a", "abcdefghijkl"])
def test_several_pieces_are_numbered_and_come_back_in_order(tmp_path: Path, pieces: str) -> None:
    names = (
        ["train.x"] if len(pieces) == 1 else [f"train-{n:05}.x" for n in range(1, len(pieces) + 1)]
    )
    assert [path.name for path in shards.write(pieces, tmp_path, "train", ".x", save)] == names
    assert "".join(path.read_text() for path in shards.paths(tmp_path, "train", ".x")) == pieces


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    shards.write("abc", tmp_path, "train", ".x", save)
    (tmp_path / "train-00002.x").unlink()
    assert "train-00002.x not found; run dvc repro" in refusal(
        shards.paths, tmp_path, "train", ".x"
    )
