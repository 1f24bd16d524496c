"""Vectors of a frozen encoder that are kept for the next run."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests import stored_splits, tiny_bert
from tests.unit.vectorize.lengths import Lengths
from textclf.artifacts import packages, splits
from textclf.vectorize import remembered, stage
from textclf.vectorize.encoder import representation as encoder
from textclf.vectorize.encoder.settings import Settings
from textclf.vectorize.remembered import FOLDER, Remembering, remembering

TEXTS = ["good food", "bad", "good food", ""]


@pytest.fixture
def settings(here: Path) -> Settings:
    folder = tiny_bert.write_folder(here / "tiny")
    (here / ".dvc").mkdir()
    return Settings(pretrained=None, path=str(folder), sha256=tiny_bert.checksum(folder), length=16)


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the texts that the encoder gets from now on; "built" if a graph is built."""
    seen: list[str] = []
    encode, build = encoder.Representation._encode, encoder._build

    def noting(self: Any, texts: list[str]) -> Any:
        seen.extend(texts)
        return encode(self, texts)

    def building(*given: Any) -> bytes:
        seen.append("built")
        return build(*given)

    monkeypatch.setattr(encoder.Representation, "_encode", noting)
    monkeypatch.setattr(encoder, "_build", building)
    return seen


def fit(settings: Settings) -> Any:
    return encoder.Representation.fit((), settings, Path("nowhere"))


def test_each_text_is_encoded_once() -> None:
    lengths = Lengths()
    remembering = Remembering(lengths)
    assert remembering.transform(["ab", "c", "ab"]).tolist() == [[2], [1], [2]]
    assert remembering.transform(["c", "def"]).tolist() == [[1], [3]]
    assert remembering.transform([]).shape == (0, 1)
    assert lengths.seen == ["ab", "c", "def"]


def test_the_next_run_encodes_new_texts_alone_and_builds_no_graph_without_one(
    settings: Settings, encoded: list[str]
) -> None:
    plain = fit(settings)
    expected, content = plain.transform([*TEXTS, "food"]).tobytes(), plain.to_json()
    encoded.clear()
    assert remembering(fit(settings)).transform(TEXTS).tobytes() == expected[: len(TEXTS) * 8 * 4]
    assert encoded == ["built", "", "good food", "bad", ""]  # the first tells the number of columns
    encoded.clear()
    again = remembering(fit(settings))
    assert again.transform(TEXTS).tobytes() == expected[: len(TEXTS) * 8 * 4]
    assert (again.to_json(), again.columns, encoded) == (content, 8, [])
    assert again.transform([*TEXTS, "food"]).tobytes() == expected
    assert encoded == ["food", "built"]


def test_an_exported_encoder_has_the_vectors_of_the_training(
    settings: Settings, encoded: list[str], tmp_path: Path
) -> None:
    fitted = remembering(fit(settings))
    vectors = fitted.transform(TEXTS)
    fitted.share(tmp_path / "models")
    encoded.clear()
    exported = encoder.Representation.from_json(fitted.to_json(), tmp_path / "models")
    assert remembering(exported).transform(TEXTS).tobytes() == vectors.tobytes()
    assert encoded == []


@pytest.mark.parametrize(
    "change",
    [
        {"pooling": "cls"},
        {"normalize": False},
        {"window": "mean"},
        {"length": 5},
        {"weights": 1},
        {"cpu": "x"},
    ],
)
def test_what_determines_a_vector_has_a_file_of_its_own(
    settings: Settings, change: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembering(fit(settings)).transform(TEXTS)
    if "weights" in change:
        (tmp_path / "tiny/model.safetensors").write_bytes(
            tiny_bert.safetensors(tiny_bert.weights(1))
        )
        change = {"sha256": tiny_bert.checksum(tmp_path / "tiny")}
    if "cpu" in change:
        (tmp_path / "cpuinfo").write_text("model name : another\n")
        monkeypatch.setattr(remembered, "CPUINFO", tmp_path / "cpuinfo")
        change = {}
    other = settings.model_copy(update=change)
    assert (
        remembering(fit(other)).transform(TEXTS).tobytes() == fit(other).transform(TEXTS).tobytes()
    )
    assert len([*FOLDER.iterdir()]) == 4


def npz(array: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, kept=array)
    return file.getvalue()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "truncated": lambda content: content[:-100],
    "a flipped bit": lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
    "another array": lambda _: npz(np.ones(3)),
    "a pickle": lambda _: npz(np.array([{}], dtype=object)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_or_foreign_file_is_ignored(
    settings: Settings, damage: Callable[[bytes], bytes]
) -> None:
    expected = fit(settings).transform(TEXTS).tobytes()
    remembering(fit(settings)).transform(TEXTS)
    for path in [*FOLDER.glob("*/*")]:
        path.write_bytes(damage(path.read_bytes()))
    for _ in range(2):
        again = remembering(fit(settings))
        assert (again.transform(TEXTS).tobytes(), again.columns) == (expected, 8)


@pytest.mark.parametrize(("limit", "value"), [("FILES", 2), ("BYTES", 700)])
def test_the_newest_files_stay(
    settings: Settings, limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    fitted = remembering(fit(settings))
    for text in ("good", "bad", "food", "."):
        fitted.transform([text])
        written += {*FOLDER.glob("*/*")} - {*written}
    for age, path in enumerate(written):
        os.utime(path, (age, age))
    monkeypatch.setattr(remembered, limit, value)
    fitted.transform(["pad"])
    left = {*FOLDER.glob("*/*")}
    assert (len(left), left & {*written}) == (2, {written[-1]})


def test_many_texts_write_no_file(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 2)
    fitted = fit(settings)
    assert remembering(fitted, 3) is fitted
    remembering(fitted).transform(["more", "than", "two"])
    assert len([*FOLDER.glob("*/*")]) == 1


def test_no_file_is_written_without_dvc(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / ".dvc").rmdir()
    fitted = fit(settings)
    assert remembering(fitted) is fitted
    assert remembering(lengths := Lengths()) is lengths
    assert not (tmp_path / ".dvc").exists()


def test_the_features_have_the_same_bytes_with_and_without_the_file(
    settings: Settings, encoded: list[str], tmp_path: Path
) -> None:
    rows = tmp_path / "splits"
    rows.mkdir()
    splits.write_classes(["bad", "good"], rows)
    for name, texts in (("train", TEXTS), ("test", ["food", "bad"])):
        frame = pd.DataFrame(
            {"id": [f"{name}-{n}" for n in range(len(texts))], "text": texts, "label": "good"}
        )
        stored_splits.write_shards(frame, rows, name)

    def make(name: str) -> dict[str, bytes]:
        (made := tmp_path / name).mkdir()
        given = (
            splits.open_shards(rows),
            ["bad", "good"],
            "s",
            settings,
            made,
            Path("nowhere"),
            tmp_path / f".{name}",
        )
        stage.vectorize(*given)
        packages.write(made)
        return {path.name: path.read_bytes() for path in made.iterdir()}

    (dvc := tmp_path / ".dvc").rename(tmp_path / "aside")
    without = make("without")
    (tmp_path / "aside").rename(dvc)
    assert make("first") == without
    encoded.clear()
    assert make("second") == without
    assert encoded == []
