"""Counts of leaks between splits in memory."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from textclf.core.arrow import as_array, hash_normalized
from textclf.split.leaks import LeakCounter

COLUMNS = ("text", "label")


def count_leaks(splits: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of `LeakCounter` for splits with the columns text and label."""
    with tempfile.TemporaryDirectory() as folder:
        return counted(LeakCounter(Path(folder)), splits)


def counted(counter: LeakCounter, splits: Mapping[str, Any]) -> dict[str, Any]:
    for name, rows in splits.items():
        counter.add(
            name,
            counter.encode(normalised(pa.table({each: as_array(rows[each]) for each in COLUMNS}))),
        )
    counter.close()
    return counter.report()


def normalised(rows: pa.Table) -> pa.Table:
    return rows.append_column("normalised", pa.array(hash_normalized(as_array(rows["text"]))))
