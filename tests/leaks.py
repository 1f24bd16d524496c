"""Counts of leaks between splits in memory."""

from collections.abc import Mapping
from typing import Any

from textclf.core.arrow import as_array, hash_normalized, hash_texts
from textclf.split.leaks import LeakCounter


def count_leaks(splits: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of `LeakCounter` for splits with the columns text and label."""
    counter = LeakCounter()
    for name, rows in splits.items():
        texts, labels = (as_array(rows[each]) for each in ("text", "label"))
        counter.add(name, hash_texts(texts), hash_normalized(texts), counter.encode(labels))
    return counter.report()
