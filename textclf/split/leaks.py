"""Counts of classes, duplicate texts, texts shared between splits, and conflicting labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textclf.core import workers
from textclf.core.arrow import (
    array_of_numbers,
    as_array,
    encode,
    fingerprints,
    flat,
    hash_texts,
    numbers_of,
    refilled,
    rows_of,
)
from textclf.core.files import SPLITS
from textclf.split.partitions import Partitions, Place, read, tasks_of

# Of each row: hashes of its normalised text, text and set of labels; and of its group.
SPLIT = ("split", np.int8)
TEXTS = np.dtype([("normalised", np.uint64), ("exact", np.uint64), ("labels", np.uint64), SPLIT])
GROUPS = np.dtype([("group", np.uint64), SPLIT])
Ints = NDArray[np.int64]
MEMORY = 2**28  # of a process that counts a partition


class LeakCounter:
    """Counts classes, duplicates, leaks and label conflicts.

    It writes 25 bytes per row to disk: hashes of its text and labels. With ten million distinct
    texts, the chance that two have the same hash is three in a million.
    """

    def __init__(self, folder: Path, partitions: int = 1) -> None:
        """Start with no rows, and write to files in the folder."""
        self.folder = folder
        self._positions: dict[str, int] = {}  # by label, in order of first occurrence
        self._hashes: list[int] = []  # of each label
        self._classes: dict[str, Counter[str]] = {}  # rows of each label, by split
        self._rows = Counter[str]()
        self._empty = Counter[str]()  # rows without labels, by split, if rows have sets of labels
        self._texts = [Partitions(folder / "texts", TEXTS, partitions)]
        self._groups: list[Partitions] = []  # unless they count

    def encode(self, rows: pa.Table) -> pa.Table:
        """Return rows with their labels as positions in `labels`."""
        labels = as_array(rows["label"])
        codes, distinct = encode(flat(labels))
        numbers = [self._positions.setdefault(label, len(self._positions)) for label in distinct]
        new = self.labels[len(self._hashes) :]
        self._hashes.extend(fingerprints(new).tolist())
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
        column = as_array(rows["label"])
        labels = numbers_of(flat(column))
        sets = np.array(self._hashes, np.uint64)[labels]
        if pa.types.is_list(column.type):
            of_rows, sets = sets, np.zeros(len(rows), np.uint64)
            np.add.at(sets, rows_of(column), of_rows)
            lengths = np.diff(numbers_of(column.offsets))
            self._empty[split] += int((lengths == 0).sum())
        counts = np.bincount(labels, minlength=len(self._positions)).tolist()
        self._classes.setdefault(split, Counter()).update(
            dict(zip(self._positions, counts, strict=True))
        )
        self._rows[split] += len(rows)
        exact = hash_texts(as_array(rows["text"]))
        number = SPLITS.index(split)
        self._texts[0].add(numbers_of(as_array(rows["normalised"])), exact, sets, number)
        names = set(rows.column_names)
        if "group" in names and not names.isdisjoint({"split", "time"}):
            if not self._groups:
                count = self._texts[0].count
                self._groups = [Partitions(self.folder / "groups", GROUPS, count)]
            self._groups[0].add(hash_texts(as_array(rows["group"])), number)

    def close(self) -> None:
        """Write what is left, so that the counter can go to another process."""
        for file in (*self._texts, *self._groups):
            file.close()

    def merge(self, other: "LeakCounter") -> None:
        """Add the rows of another counter, which has been closed."""
        for label in other.labels:
            self._positions.setdefault(label, len(self._positions))
        for split, counts in other._classes.items():
            self._classes.setdefault(split, Counter()).update(counts)
        self._rows.update(other._rows)
        self._empty.update(other._empty)
        self._texts += other._texts
        self._groups += other._groups

    def class_counts(self) -> dict[str, dict[str, int]]:
        """Return the rows of each class, by split."""
        return {
            name: {label: counts[label] for label in self._positions if counts[label]}
            for name, counts in self._classes.items()
        }

    def row_counts(self) -> dict[str, int]:
        """Return the number of rows, by split."""
        return dict(self._rows)

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
        for name in self._rows if self._empty else ():
            report[name] |= {"rows": self._rows[name], "without_labels": self._empty[name]}
        report |= {"duplicates": {}, "leaks": {}, "label_conflicts": {}}
        for count, files in ((_count_texts, self._texts), (_count_groups, self._groups)):
            tasks = [(*places, names) for places in tasks_of(files)]
            with workers.pool(len(tasks), MEMORY) as pool:
                for counted in pool.map(count, tasks, "duplicates"):
                    _add(report, counted)
        return report


def _add(report: dict[str, Any], counted: dict[str, Any]) -> None:
    """Add the numbers of a report to those of another."""
    for name, value in counted.items():
        if isinstance(value, dict):
            _add(report.setdefault(name, {}), value)
        else:
            report[name] = report.get(name, 0) + value


def _count_texts(places: Sequence[Place], names: Sequence[str]) -> dict[str, Any]:
    """Return the duplicates, leaks and label conflicts of a partition."""
    rows = read(places, TEXTS)
    report: dict[str, Any] = {"duplicates": {}, "leaks": {}, "label_conflicts": {}}
    repeated = np.arange(len(rows))
    # Normalised texts come first: only rows of one normalised text can have one exact text.
    for kind in ("normalised", "exact"):
        repeated, starts = _repeated(rows[kind], repeated)
        counts = _count_splits(rows["split"][repeated], starts, names)
        report["leaks"][kind] = _leaks(counts)
        labels = rows["labels"][repeated]
        lowest, highest = np.minimum.reduceat(labels, starts), np.maximum.reduceat(labels, starts)
        report["label_conflicts"][kind] = int((lowest != highest).sum())
        report["duplicates"][kind] = {
            name: int((rows - (rows > 0)).sum()) for name, rows in counts.items()
        }
    return report


def _count_groups(places: Sequence[Place], names: Sequence[str]) -> dict[str, Any]:
    """Return the leaks of the groups of a partition."""
    rows = read(places, GROUPS)
    repeated, starts = _repeated(rows["group"], np.arange(len(rows)))
    return {"leaks": {"group": _leaks(_count_splits(rows["split"][repeated], starts, names))}}


def _repeated(keys: NDArray[np.uint64], rows: Ints) -> tuple[Ints, Ints]:
    """Return those of the rows whose key others have too, by key, and where each key starts."""
    order = rows[np.argsort(keys[rows])]
    is_first = np.append(True, np.diff(keys[order]) != 0)[: len(order)]
    is_repeated = ~(is_first & np.append(is_first[1:], True))
    return order[is_repeated], np.flatnonzero(is_first[is_repeated])


def _count_splits(
    splits: NDArray[np.int8], starts: Ints, names: Sequence[str]
) -> dict[str, NDArray[np.int32]]:
    """Return the rows of each key by split: (keys,)."""
    return {
        name: np.add.reduceat(splits == SPLITS.index(name), starts, dtype=np.int32)
        for name in names
    }


def _leaks(counts: Mapping[str, NDArray[np.int32]]) -> dict[str, int]:
    return {
        f"{later}_in_{earlier}": int(counts[later][counts[earlier] > 0].sum())
        for earlier, later in combinations(counts, 2)
    }
