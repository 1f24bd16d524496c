"""Texts that occur with different labels."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.formatting import count_noun
from textclf.core.hashing import fingerprints, normalize_texts
from textclf.core.labels import visible
from textclf.report.markup import excerpt
from textclf.report.run import Run

SHOWN = 20  # texts
IDS = 5  # of the rows with one label


@dataclass
class Conflict:
    """A text with several labels: as it occurs first, and the split and id of its rows by label."""

    text: str
    rows: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


def conflicts(run: Run) -> dict[str, Any] | None:
    """Return the first `SHOWN` texts that occur with several labels, and how many there are; None if there are none."""
    number = run.leaks["label_conflicts"]["normalised"]
    if not number:
        return None
    return {
        "number": f"{number:,}",
        "left_out": number > SHOWN,
        "shown": SHOWN,
        "texts": [
            {
                "text": excerpt(conflict.text),
                "labels": [
                    {"name": run.names[label], "rows": count_noun(len(rows), "row"), "ids": _ids(rows)}
                    for label, rows in sorted(conflict.rows.items(), key=lambda pair: -len(pair[1]))
                ],
            }
            for conflict in find_conflicts(run.splits, SHOWN)
        ],
    }


def _ids(rows: list[tuple[str, str]]) -> str:
    ids = [f"{visible(row_id)} ({split})" for split, row_id in rows[:IDS]]
    return ", ".join([*ids, *([f"{len(rows) - IDS:,} more"] if len(rows) > IDS else [])])


def find_conflicts(splits: Mapping[str, Iterable[pd.DataFrame]], limit: int) -> list[Conflict]:
    """Return the first `limit` texts with several labels. Texts are equal if they differ in case and spaces alone.

    Reads the rows twice and keeps twelve bytes of each: a hash of its text and a number for its label.
    """
    codes: dict[str, int] = {}
    hashes, labels = [], []
    for _, rows in _pieces(splits):
        hashes.append(fingerprints(normalize_texts(rows["text"].tolist())))
        names = rows["label"].tolist()
        labels.append(np.array([codes.setdefault(name, len(codes)) for name in names], dtype=np.int32))
    keys = np.concatenate(hashes)
    chosen = _conflicting(keys, np.concatenate(labels), limit)
    conflicts: dict[int, Conflict] = {}
    start = 0
    for split, rows in _pieces(splits):
        part = keys[start : start + len(rows)]
        for place in np.flatnonzero(np.isin(part, chosen)).tolist():
            row = rows.iloc[place]
            conflict = conflicts.setdefault(int(part[place]), Conflict(row["text"]))
            conflict.rows.setdefault(row["label"], []).append((split, row["id"]))
        start += len(rows)
    return list(conflicts.values())


def _pieces(splits: Mapping[str, Iterable[pd.DataFrame]]) -> Iterator[tuple[str, pd.DataFrame]]:
    return ((split, rows) for split, pieces in splits.items() for rows in pieces)


def _conflicting(keys: NDArray[np.uint64], labels: NDArray[np.int32], limit: int) -> NDArray[np.uint64]:
    """Return the first `limit` keys, in the order of the rows, that have several labels."""
    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    other = labels[order][1:] != labels[order][:-1]
    several = np.unique(keys[order][1:][same & other])
    places = np.flatnonzero(np.isin(keys, several))
    found, first = np.unique(keys[places], return_index=True)
    return found[np.argsort(first)][:limit]
