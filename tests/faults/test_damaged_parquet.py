"""Splits and predictions with damaged files: the same rows as before, or an error, never others."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.faults import damage
from tests.faults.campaign import seed, tries
from textclf.artifacts import predictions, shards, splits
from textclf.artifacts.predictions import Predictions

pytestmark = pytest.mark.slow

KINDS = (damage.flip, damage.flip, damage.flip, damage.cut, damage.blank)
ROWS = 200


def write_splits(folder: Path) -> Callable[[], object]:
    """Write splits of several shards, and return a function that reads all that stages read of them."""
    folder.mkdir()
    for split in ("train", "test"):
        labels = ["yes" if n % 3 else "no" for n in range(ROWS)]
        clusters = np.arange(ROWS, dtype=np.uint64) ** np.uint64(7)
        rows = {"id": [f"a.txt:{n}" for n in range(ROWS)], "text": [f"text {n % 50}" for n in range(ROWS)]}
        splits.write_shards(pd.DataFrame({**rows, "label": labels, "cluster": clusters}), folder, split)
    splits.write_classes(["no", "yes"], folder)
    splits.write_checksums({"a.txt": "0" * 64}, folder)

    def read() -> object:
        parts = splits.open_shards(folder)
        columns = [splits.read_column(path, name) for part in parts.values() for path in part.paths for name in ("id",)]
        clusters = [keys.tobytes() for split in parts for keys in splits.open_clusters(folder, split)]
        rows = {split: part.to_csv() for split, part in splits.read(folder).items()}
        return rows, columns, clusters, splits.read_classes(folder), splits.read_checksums(folder)

    return read


def write_predictions(folder: Path) -> Callable[[], object]:
    """Write predictions in two row groups, and return a function that reads them."""
    folder.mkdir()
    positive = np.random.default_rng(0).random(ROWS)
    rows = Predictions(
        np.array([f"a.txt:{n}" for n in range(ROWS)], dtype=object),
        np.repeat(np.array(["train", "test"], dtype=object), ROWS // 2),
        np.arange(ROWS) % 2,
        np.column_stack([1 - positive, positive]),
        ("no", "yes"),
    )
    predictions.write([rows.take(slice(0, 100)), rows.take(slice(100, ROWS))], folder / "a.parquet")

    def read() -> object:
        parts = [*predictions.batches(folder / "a.parquet"), predictions.read(folder / "a.parquet")]
        return [
            (part.ids.tolist(), part.split.tolist(), part.y.tobytes(), part.probabilities.tobytes(), part.classes)
            for part in parts
        ]

    return read


@pytest.mark.parametrize("write", [write_splits, write_predictions])
def test_damage_of_one_file_never_changes_a_row(
    write: Callable[[Path], Callable[[], object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "ROWS", 150)
    read = write(tmp_path / "data")
    files = sorted((tmp_path / "data").iterdir())
    assert damage.silent_answers(files, read, tries(400), seed(), KINDS) == []


@pytest.mark.parametrize("write", [write_splits, write_predictions])
def test_a_flipped_bit_in_the_key_of_the_checksum_changes_no_row(
    write: Callable[[Path], Callable[[], object]], tmp_path: Path
) -> None:
    read = write(tmp_path / "data")
    path = min((tmp_path / "data").glob("*.parquet"))
    start = path.read_bytes().index(b"textclf.sha256") - 2

    for position in range(8 * start, 8 * (start + 18)):

        def flip_there(data: bytes, _: random.Random, position: int = position) -> bytes:
            damaged = bytearray(data)
            damaged[position // 8] ^= 1 << position % 8
            return bytes(damaged)

        assert damage.silent_answers([path], read, 1, 0, [flip_there]) == []
