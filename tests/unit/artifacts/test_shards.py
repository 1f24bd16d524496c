from pathlib import Path

import pytest

from tests.refusal import refusal
from textclf.artifacts import shards
from textclf.artifacts.shards import Shards


def save(piece: str, path: Path) -> None:
    path.write_text(piece)


def test_the_shards_of_a_folder_come_in_the_order_of_the_splits(tmp_path: Path) -> None:
    for name in ("validation", "test", "other", "train"):
        (tmp_path / f"{name}.x").touch()
    assert list(shards.open_splits(tmp_path, ".x", Path.read_text)) == ["train", "validation", "test"]
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
    assert f"{name}.x not found; run dvc repro" in refusal(shards.open_splits, tmp_path, ".x", Path.read_text)


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
    names = ["train.x"] if len(pieces) == 1 else [f"train-{n:05}.x" for n in range(1, len(pieces) + 1)]
    assert [path.name for path in shards.write(pieces, tmp_path, "train", ".x", save)] == names
    assert "".join(path.read_text() for path in shards.paths(tmp_path, "train", ".x")) == pieces


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    shards.write("abc", tmp_path, "train", ".x", save)
    (tmp_path / "train-00002.x").unlink()
    assert "train-00002.x not found; run dvc repro" in refusal(shards.paths, tmp_path, "train", ".x")
