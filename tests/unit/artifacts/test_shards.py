from pathlib import Path

import pytest

from textclf.artifacts import shards
from textclf.core.errors import UserError


def save(piece: str, path: Path) -> None:
    path.write_text(piece)


def test_the_shards_of_a_folder_come_in_the_order_of_the_splits(tmp_path: Path) -> None:
    for name in ("validation", "test", "other", "train"):
        (tmp_path / f"{name}.x").touch()
    assert list(shards.of_each_split(tmp_path, ".x")) == ["train", "validation", "test"]
    (tmp_path / "validation.x").unlink()
    assert shards.of_each_split(tmp_path, ".x") == {"train": [tmp_path / "train.x"], "test": [tmp_path / "test.x"]}


def test_one_piece_is_a_file_without_a_number(tmp_path: Path) -> None:
    assert shards.write(["a"], tmp_path, "train", ".x", save) == [tmp_path / "train.x"]
    assert shards.paths(tmp_path, "train", ".x") == [tmp_path / "train.x"]


def test_several_pieces_are_numbered_and_come_back_in_order(tmp_path: Path) -> None:
    written = shards.write("abcdefghijkl", tmp_path, "train", ".x", save)
    assert [path.name for path in written][::11] == ["train-00001.x", "train-00012.x"]
    assert "".join(path.read_text() for path in shards.paths(tmp_path, "train", ".x")) == "abcdefghijkl"


def test_a_shard_that_is_missing_is_named(tmp_path: Path) -> None:
    shards.write("abc", tmp_path, "train", ".x", save)
    (tmp_path / "train-00002.x").unlink()
    with pytest.raises(UserError, match=r"train-00002\.x not found; run dvc repro"):
        shards.paths(tmp_path, "train", ".x")


def test_nothing_is_no_shard(tmp_path: Path) -> None:
    assert shards.write([], tmp_path, "train", ".x", save) == []
    assert shards.paths(tmp_path, "train", ".x") == []
