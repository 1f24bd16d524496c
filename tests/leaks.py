"""Counts of leaks between splits in memory."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from textclf.core.arrow import as_array, hash_normalized
from textclf.split.leaks import LeakCounter

COLUMNS = ("text", "label")


def count_leaks(splits: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of `LeakCounter` for splits with the columns text and label."""
    counter = LeakCounter()
    for name, rows in splits.items():
        counter.add(
            name,
            counter.encode(normalised(pa.table({each: as_array(rows[each]) for each in COLUMNS}))),
        )
    return counter.report()


def normalised(rows: pa.Table) -> pa.Table:
    return rows.append_column("normalised", pa.array(hash_normalized(as_array(rows["text"]))))
