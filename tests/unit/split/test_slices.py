"""Columns of data.slices in the splits, by either method, and nothing else changed."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.split.rows import split_table, write_csv
from textclf.artifacts import shards, splits
from textclf.core.files import SPLITS
from textclf.core.text_row import TextRow
from textclf.split.settings import Split
from textclf.tables.settings import Data

METHODS = ["random", "hash"]


def made(count: int) -> list[tuple[str, str, str, str]]:
    return [(f"text {n}", str(n % 2), ("web", "", "ios")[n % 3], f"v{n}") for n in range(count)]


def run(folder: Path, table: Path, method: Any, slices: list[str]) -> Path:
    data = Data(path=str(table), slices=tuple(slices))
    settings = Split(method=method, validation_size=0.2, seed=1)
    split_table(folder, data, settings)
    return folder / "splits"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "c.csv", made(120), ("text", "label", "platform", "version"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.usefixtures("small")
def test_each_row_keeps_its_values(tmp_path: Path, table: Path, method: str) -> None:
    folder = run(tmp_path, table, method, ["platform", "version"])
    result: dict[str, tuple[str, str]] = {}
    for name in SPLITS:
        paths = shards.paths(folder, name, ".parquet")
        assert len(paths) > 1
        for path in paths:
            rows = pq.read_table(path)
            assert rows.column_names == [
                "id",
                "text",
                "label",
                "cluster",
                "slice_platform",
                "slice_version",
            ]
            result |= {
                row["text"]: (row["slice_platform"], row["slice_version"])
                for row in rows.to_pylist()
            }
    assert result == {text: (platform, version) for text, _, platform, version in made(120)}


@pytest.mark.parametrize("method", [*METHODS, "time"])
def test_columns_are_carried_with_decimals_dates_and_missing_values(
    tmp_path: Path, method: Any
) -> None:
    prices = [None if n % 3 else n / 2 for n in range(120)]
    dates = [date(2024, 1, 1 + n % 28) for n in range(120)]
    rows = {
        "text": [f"text {n}" for n in range(120)],
        "label": [n % 2 for n in range(120)],
        "n": range(120),
    }
    pq.write_table(pa.table({**rows, "price": prices, "created": dates}), tmp_path / "c.parquet")
    data = Data(path=str(tmp_path / "c.parquet"), columns=("price", "created"), time="n")
    split_table(
        tmp_path, data, Split(method=method, seed=1, group_duplicates=False, stratify=False)
    )
    texts = [
        text
        for name in ("train", "test")
        for text in splits.read_texts(tmp_path / f"splits/{name}.parquet")
    ]
    expected = {f"text {n}": ("" if n % 3 else str(n / 2), f"{dates[n]}") for n in range(120)}
    assert {
        text: tuple(text.columns.values()) for text in texts if isinstance(text, TextRow)
    } == expected


@pytest.mark.parametrize("method", METHODS)
def test_the_rows_of_each_split_do_not_depend_on_slices(
    tmp_path: Path, table: Path, method: str
) -> None:
    without = run(tmp_path, table, method, [])
    before = {name: pq.read_table(without / f"{name}.parquet") for name in SPLITS}
    files = {path.name: path.read_bytes() for path in without.iterdir()}
    assert before["test"].column_names == splits.CLUSTERED.names
    assert run(tmp_path, table, method, []) == without
    assert {path.name: path.read_bytes() for path in without.iterdir()} == files
    with_slices = run(tmp_path, table, method, ["platform"])
    for name, rows in before.items():
        assert (
            pq.read_table(with_slices / f"{name}.parquet")
            .select(splits.CLUSTERED.names)
            .equals(rows)
        )
