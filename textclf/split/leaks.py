"""Counts of classes, duplicate texts, texts shared between splits, and conflicting labels."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textclf.core.arrow import (
    array_of_numbers,
    as_array,
    encode,
    flat,
    hash_texts,
    numbers_of,
    refilled,
)
from textclf.core.files import SPLITS


class _Rows(NamedTuple):
    """Some rows of a split: hashes of texts, normalised texts and groups; positions of labels."""

    exact: NDArray[np.uint64]
    normalised: NDArray[np.uint64]
    labels: NDArray[np.int32]
    # The number of each row's set of labels, which is its label if it has one.
    sets: NDArray[np.int32]
    group: NDArray[np.uint64]  # empty if groups are not counted


class LeakCounter:
    """Counts classes, duplicates, leaks and label conflicts.

    It takes twenty bytes per row: hashes of its text and a label. With ten million distinct texts,
    the chance that two have the same hash is three in a million.
    """

    def __init__(self) -> None:
        """Start with no rows."""
        self._positions: dict[str, int] = {}  # by label, in order of first occurrence
        # The number of each set of several labels or none.
        self._sets: dict[tuple[int, ...], int] = {}
        self._rows: dict[str, list[_Rows]] = {}  # by split

    def encode(self, rows: pa.Table) -> pa.Table:
        """Return rows with their labels as positions in `labels`."""
        labels = as_array(rows["label"])
        codes, distinct = encode(flat(labels))
        numbers = [self._positions.setdefault(label, len(self._positions)) for label in distinct]
        positions = array_of_numbers(np.array(numbers, np.int32)[codes])
        column = rows.column_names.index("label")
        return rows.set_column(column, "label", refilled(labels, positions))

    @property
    def labels(self) -> list[str]:
        """The labels so far, by first occurrence."""
        return list(self._positions)

    def add(self, split: str, rows: pa.Table) -> None:
        """Add rows of a split, with the columns text, label and normalised.

        Labels are from `encode`; normalised is a hash of the text. The groups of the rows count too
        if the table gives splits or times: only then can a group be divided.
        """
        exact = hash_texts(as_array(rows["text"]))
        normalised = numbers_of(as_array(rows["normalised"]))
        names = set(rows.column_names)
        grouped = "group" in names and not names.isdisjoint({"split", "time"})
        groups = hash_texts(as_array(rows["group"])) if grouped else np.empty(0, np.uint64)
        column = as_array(rows["label"])
        labels = sets = numbers_of(flat(column))
        if pa.types.is_list(column.type):
            keys = map(tuple, column.to_pylist())
            sets = np.array([self._sets.setdefault(key, len(self._sets)) for key in keys], np.int32)
        self._rows.setdefault(split, []).append(_Rows(exact, normalised, labels, sets, groups))

    def class_counts(self) -> dict[str, dict[str, int]]:
        """Return the rows of each class, by split."""
        return {name: self._count_classes(parts) for name, parts in self._rows.items()}

    def row_counts(self) -> dict[str, int]:
        """Return the number of rows, by split."""
        return {name: sum(len(rows.sets) for rows in parts) for name, parts in self._rows.items()}

    def report(self) -> dict[str, Any]:
        """Return the counts, for exact and for normalised texts (`<kind>` is exact or normalised).

        `<split>.classes.<class>`: rows of the class; of labels also `<split>.rows` and
        `<split>.without_labels`. `duplicates.<kind>.<split>`: rows that repeat a text of their
        split. `leaks.<kind>.<later>_in_<earlier>`: rows whose text, or of the kind group whose
        group, is also in a split that is used before theirs. `label_conflicts.<kind>`: distinct
        texts with more than one label, or with different sets of labels.
        """
        names = sorted(self._rows, key=SPLITS.index)
        report: dict[str, Any] = {
            name: {"classes": classes} for name, classes in self.class_counts().items()
        }
        if self._sets:
            none = self._sets.get((), -1)
            for name, rows in self.row_counts().items():
                empty = sum(int((part.sets == none).sum()) for part in self._rows[name])
                report[name] |= {"rows": rows, "without_labels": empty}
        report |= {"duplicates": {}, "leaks": {}, "label_conflicts": {}}
        parts = [(split, rows) for split, name in enumerate(names) for rows in self._rows[name]]
        sets = np.concatenate([rows.sets for _, rows in parts])
        splits = np.concatenate([np.full(len(rows.sets), split, np.int8) for split, rows in parts])
        repeated = np.arange(len(sets))
        # Normalised texts come first: only rows of one normalised text can have one exact text.
        kinds = ["normalised", "exact"]
        if any(len(rows.group) for _, rows in parts):
            kinds.append("group")
        for kind in kinds:
            keys = np.concatenate([getattr(rows, kind) for _, rows in parts])
            if kind == "group":
                repeated = np.arange(len(keys))
            order = repeated[np.argsort(keys[repeated])]
            is_first = np.append(True, np.diff(keys[order]) != 0)[: len(order)]
            # Rows that are alone with their key are counted nowhere.
            is_repeated = ~(is_first & np.append(is_first[1:], True))
            repeated, starts = order[is_repeated], np.flatnonzero(is_first[is_repeated])
            rows_of = {
                name: np.add.reduceat(splits[repeated] == split, starts, dtype=np.int32)
                for split, name in enumerate(names)
            }
            report["leaks"][kind] = {
                f"{later}_in_{earlier}": int(rows_of[later][rows_of[earlier] > 0].sum())
                for earlier, later in combinations(names, 2)
            }
            if kind != "group":
                lowest = np.minimum.reduceat(sets[repeated], starts)
                highest = np.maximum.reduceat(sets[repeated], starts)
                report["label_conflicts"][kind] = int((lowest != highest).sum())
                report["duplicates"][kind] = {
                    name: int((rows - (rows > 0)).sum()) for name, rows in rows_of.items()
                }
        return report

    def _count_classes(self, parts: Sequence[_Rows]) -> dict[str, int]:
        counts = sum(np.bincount(rows.labels, minlength=len(self._positions)) for rows in parts)
        by_class = zip(self._positions, np.asarray(counts).tolist(), strict=True)
        return {label: count for label, count in by_class if count}
