"""Rows made up for the tests of splitting."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stages import split as stage
from textclf.artifacts import shards
from textclf.core.arrow import array_of
from textclf.core.files import SPLITS, read_json
from textclf.split.settings import Split
from textclf.tables.settings import Data

NO_CORRECTIONS, NO_LABELLED = (
    Path(__file__).with_name(f"no_{name}.csv") for name in ("corrections", "labelled")
)


def corpus(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"c:{number}" for number in range(count)],
            "text": [f"text {number}" for number in range(count)],
            "label": [str(number % 2) for number in range(count)],
        }
    )


def numbered(count: int) -> list[tuple[str, str]]:
    return [(f"text {number}", str(number % 2)) for number in range(count)]


def batch_of(rows: Sequence[tuple[str, str]], start: int = 0) -> pa.RecordBatch:
    """Return pairs of text and label as a batch whose ids count from `start`."""
    columns = {
        "id": array_of([f"c:{number}" for number in range(start, start + len(rows))]),
        "text": array_of([text for text, _ in rows]),
        "label": array_of([label for _, label in rows]),
    }
    return pa.RecordBatch.from_pydict(columns)


def in_order(parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    together = pd.concat(parts.values()).sort_values("id", key=lambda ids: ids.str[2:].astype(int))
    return together.reset_index(drop=True)


def write_csv(
    path: Path, rows: Sequence[tuple[str, ...]], header: tuple[str, ...] = ("text", "label")
) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def split_table(
    folder: Path,
    data: Data,
    split: Split,
    corrections: Path = NO_CORRECTIONS,
    labelled: Path = NO_LABELLED,
) -> Any:
    """Run the stage, which writes splits and splits.json in folder; return its report."""
    report = folder / "splits.json"
    places = {
        "splits": folder / "splits",
        "report": report,
        "corrections": corrections,
        "labelled": labelled,
    }
    stage.run(data, split, **places)
    return read_json(report)


def rows_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each split in folder / splits, as its files have them."""
    files = {name: shards.paths(folder / "splits", name, ".parquet") for name in SPLITS}
    return {
        name: [row for path in paths for row in pq.read_table(path).to_pylist()]
        for name, paths in files.items()
    }
