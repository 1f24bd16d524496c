"""The rows of the splits and their classes, written and read back."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests import stored_splits
from tests.refusal import refusal
from textclf.artifacts import shards, splits

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
    assert "train.parquet is damaged" in refusal(splits.read_column, tmp_path / "train.parquet", "group")


@pytest.mark.parametrize("classes", [["1", "0"], ["007", "NA", "true", "a,b", 'say "so"', "é😀", " "]])
def test_classes_are_read_in_their_order(tmp_path: Path, classes: list[str]) -> None:
    splits.write_classes(classes, tmp_path)
    assert splits.read_classes(tmp_path) == classes


@pytest.mark.parametrize("content", ['{"0": 1}', '"01"', "[0, 1]", "[", "", '["0", null]'])
def test_classes_that_are_no_list_of_text_are_damaged(tmp_path: Path, content: str) -> None:
    (tmp_path / splits.CLASSES).write_text(content)
    assert "classes.json is damaged; remove it and run dvc repro" in refusal(splits.read_classes, tmp_path)


def test_clusters_are_read_of_all_shards_and_are_no_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "ROWS", 1)
    stored_splits.write_shards(ROWS.assign(cluster=np.array([2**64 - 1, 5], np.uint64)), tmp_path, "train")
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
