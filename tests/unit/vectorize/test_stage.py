"""Representations that transform batch by batch: whole splits, resumed after a kill."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from tests import samples, stored_splits
from tests.refusal import refusal
from textclf.artifacts import features, shards, splits
from textclf.artifacts.features import Matrix
from textclf.artifacts.shapes import Part
from textclf.artifacts.shards import Shards
from textclf.artifacts.tokens import Tokens
from textclf.vectorize import representation, stage
from textclf.vectorize.wordpieces.settings import Settings

CLASSES = ["bad", "good"]
SIZES = {"train": 23, "test": 4}
CUT = {"train": 11, "test": 2}  # texts that end in two exclamation marks or three


class Lengths:
    """Dense features: the number of characters and of words of each text."""

    kind: ClassVar[str] = "dense"
    columns = 2

    def __init__(self, calls_before_a_kill: int | None = None) -> None:
        self.left, self.seen = calls_before_a_kill, 0

    def transform(self, texts: Iterable[str]) -> Matrix:
        texts = list(texts)
        if self.left == 0:
            raise KeyboardInterrupt
        self.left = None if self.left is None else self.left - 1
        self.seen += len(texts)
        return self.encode(texts)

    def count_cut(self, texts: Iterable[str]) -> int:
        return sum(text.endswith("!!") for text in texts)

    def encode(self, texts: list[str]) -> Matrix:
        return np.array([[len(text), len(text.split())] for text in texts], dtype=np.float32)

    def to_json(self) -> dict[str, Any]:
        return {"name": type(self).__name__}


class Letters(Lengths):
    """Tokens: a letter each."""

    kind = "tokens"
    columns = 128

    def encode(self, texts: list[str]) -> Matrix:
        ids = np.array([ord(letter) for text in texts for letter in text], dtype=np.int32)
        return Tokens(ids, np.cumsum([0, *map(len, texts)], dtype=np.int64), 128, 50)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "ROWS", 3)
    monkeypatch.setattr(shards, "ROWS", 10)


@pytest.fixture
def rows(tmp_path: Path) -> dict[str, Shards[pd.DataFrame]]:
    folder = tmp_path / "splits"
    folder.mkdir()
    splits.write_classes(CLASSES, folder)
    for name, size in SIZES.items():
        texts = [f"{name} text{'!' * (number % 4)}" for number in range(size)]
        frame = pd.DataFrame(
            {"id": [f"{name}-{number}" for number in range(size)], "text": texts, "label": "good"}
        )
        stored_splits.write_shards(frame, folder, name)
    return splits.open_shards(folder)


def run(
    rows: dict[str, Shards[pd.DataFrame]], tmp_path: Path, model: Lengths, name: str
) -> dict[str, Any]:
    return dict(make(rows, tmp_path, model, name).splits)


def make(rows: dict[str, Shards[pd.DataFrame]], tmp_path: Path, model: Lengths, name: str) -> Part:
    (tmp_path / name).mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(representation, "fit", lambda *_: model)
        made = stage.vectorize(
            rows,
            CLASSES,
            "pieces",
            Settings(),
            tmp_path / name,
            tmp_path / "pretrained",
            tmp_path / "scratch",
        )
    return made.parts["pieces"]


def test_the_share_of_ids_with_a_pretrained_vector_is_noted(
    rows: dict[str, Shards[pd.DataFrame]], tmp_path: Path
) -> None:
    model: Any = Letters()
    model.vectors = np.zeros((128, 2), dtype=np.float32)
    model.vectors[[3, 5], [0, 1]] = 1
    assert make(rows, tmp_path, model, "known").notes == {"coverage": 2 / 128}
    assert make(rows, tmp_path, Letters(), "letters").notes == {}


@pytest.mark.parametrize("kind", [Lengths, Letters])
def test_the_features_of_every_shard_are_those_of_its_texts(
    kind: type[Lengths], rows: dict[str, Shards[pd.DataFrame]], tmp_path: Path
) -> None:
    shapes = run(rows, tmp_path, kind(), "features")
    written = features.read(tmp_path / "features")
    for name, split in splits.read(tmp_path / "splits").items():
        X = kind().encode(split["text"].tolist())
        assert written[name].ids.tolist() == split["id"].tolist()
        assert written[name].y.tolist() == [1] * SIZES[name]
        assert written[name].classes.tolist() == CLASSES
        if isinstance(X, Tokens):
            assert written[name].X.ids.tolist() == X.ids.tolist()
            assert written[name].X.starts.tolist() == X.starts.tolist()
        else:
            np.testing.assert_array_equal(written[name].X, X)
        assert shapes[name] == features.shape(written[name]) | {"cut": CUT[name]}


@pytest.mark.parametrize("kind", [Lengths, Letters])
@pytest.mark.parametrize("calls", [0, 1, 5, 9])
def test_a_run_that_was_killed_goes_on_where_it_was_and_gives_the_same_bytes(
    kind: Callable[..., Lengths], calls: int, rows: dict[str, Shards[pd.DataFrame]], tmp_path: Path
) -> None:
    shapes = run(rows, tmp_path, kind(), "undisturbed")
    for path in sorted((tmp_path / "scratch").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(KeyboardInterrupt):
        run(rows, tmp_path, kind(calls), "features")
    done = sum(len(features.read_shard(path).ids) for path in (tmp_path / "scratch").rglob("*.npz"))
    again = kind()
    assert run(rows, tmp_path, again, "features") == shapes
    assert again.seen == sum(SIZES.values()) - done
    assert done > 0 or calls == 0
    assert samples.contents(tmp_path / "features") == samples.contents(tmp_path / "undisturbed")


def test_chunks_of_other_texts_are_not_used(
    rows: dict[str, Shards[pd.DataFrame]], tmp_path: Path
) -> None:
    run(rows, tmp_path, Lengths(), "first")
    changed = splits.read(tmp_path / "splits")["test"].assign(text="other")
    stored_splits.write(changed, tmp_path / "splits" / "test.parquet")
    run(rows, tmp_path, Lengths(), "second")
    assert features.read(tmp_path / "second")["test"].X.tolist() == [[5, 1]] * SIZES["test"]


def test_a_chunk_that_is_damaged_is_one_line(
    rows: dict[str, Shards[pd.DataFrame]], tmp_path: Path
) -> None:
    run(rows, tmp_path, Lengths(), "first")
    chunk = min((tmp_path / "scratch").rglob("*.npz"))
    chunk.write_bytes(chunk.read_bytes()[:-30])
    assert "is damaged; remove it" in refusal(run, rows, tmp_path, Lengths(), "second")
