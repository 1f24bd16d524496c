"""Splits of a data frame, written as the stage split writes them."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from textclf.artifacts import shards
from textclf.artifacts.splits import (
    CLASSES,
    CLUSTERED,
    SCHEMA,
    SUFFIX,
    read_classes,
    write_classes,
    write_table,
)


def write(rows: pd.DataFrame, path: Path) -> None:
    """Write rows as Parquet without columns that are not `CLUSTERED`; `cluster` may be missing.

    If there is no file of classes beside it, it is written too, with the labels of these rows.
    """
    schema = CLUSTERED if "cluster" in rows else SCHEMA
    _require_classes(rows, path.parent)
    rows = rows.assign(label=rows["label"].map(read_classes(path.parent).index))
    write_table(pa.Table.from_pandas(rows, schema=schema, preserve_index=False), path)


def write_shards(rows: pd.DataFrame, folder: Path, name: str) -> list[Path]:
    """Write the rows of a split, in their order, and return the paths of its shards."""
    _require_classes(rows, folder)
    starts = range(0, len(rows), shards.ROWS)
    return shards.write(
        (rows.iloc[start : start + shards.ROWS] for start in starts), folder, name, SUFFIX, write
    )


def _require_classes(rows: pd.DataFrame, folder: Path) -> None:
    if not (folder / CLASSES).exists():
        write_classes(sorted(set(rows["label"])), folder)
