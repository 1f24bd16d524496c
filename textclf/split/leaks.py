"""Counts of classes, duplicate texts, texts shared between splits, and texts with several labels."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.files import SPLITS
from textclf.core.hashing import fingerprints, normalize_texts


class _Rows(NamedTuple):
    """Some rows of a split: fingerprints of texts, normalised texts and groups, and codes of labels."""

    exact: NDArray[np.uint64]
    normalised: NDArray[np.uint64]
    labels: NDArray[np.int32]
    group: NDArray[np.uint64]  # empty if groups are not counted


def count_leaks(splits: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return the report of `LeakCounter` for splits in memory.

    Groups are counted if the rows have the columns group and split: only given splits can divide a group.
    """
    counter = LeakCounter()
    for name, rows in splits.items():
        groups = rows["group"].tolist() if {"group", "split"} <= set(rows) else None
        counter.add(name, rows["text"].tolist(), rows["label"].tolist(), groups)
    return counter.report()


class LeakCounter:
    """Counts classes, duplicates, leaks and label conflicts, in twenty bytes per row: hashes of its text and a label.

    With ten million distinct texts, the chance that two have the same hash, and a count is off by one, is three in a
    million.
    """

    def __init__(self) -> None:
        """Start with no rows."""
        self._codes: dict[str, int] = {}  # by label, in order of first occurrence
        self._rows: dict[str, list[_Rows]] = {}  # by split

    def add(self, split: str, texts: list[str], labels: list[str], groups: list[str] | None = None) -> None:
        """Add rows of a split."""
        self.add_hashes(
            split,
            fingerprints(texts),
            fingerprints(normalize_texts(texts)),
            self.encode(labels),
            None if groups is None else fingerprints(groups),
        )

    def add_hashes(
        self,
        split: str,
        exact: NDArray[np.uint64],
        normalised: NDArray[np.uint64],
        labels: NDArray[np.int32],
        groups: NDArray[np.uint64] | None = None,
    ) -> None:
        """Add rows of a split: fingerprints of their texts, normalised texts and groups, and labels from `encode`."""
        rows = _Rows(exact, normalised, labels, np.empty(0, np.uint64) if groups is None else groups)
        self._rows.setdefault(split, []).append(rows)

    def encode(self, labels: list[str]) -> NDArray[np.int32]:
        """Return the integer code of each label: (labels,)."""
        for label in dict.fromkeys(labels):
            self._codes.setdefault(label, len(self._codes))
        return np.array([self._codes[label] for label in labels], np.int32)

    def report(self) -> dict[str, Any]:
        """Return the counts, for exact and for normalised texts (`<kind>` is exact or normalised).

        `<split>.classes.<class>`: rows of the class. `duplicates.<kind>.<split>`: rows that repeat an earlier text of
        their split. `leaks.<kind>.<later>_in_<earlier>`: rows of a split (test, validation) whose text is also in a
        split that is used before it. `label_conflicts.<kind>`: distinct texts with more than one label. If groups were
        added, `leaks.group.<later>_in_<earlier>`: rows whose group is also in a split that is used before theirs.
        """
        names = sorted(self._rows, key=SPLITS.index)
        labels = {name: np.concatenate([rows.labels for rows in self._rows[name]]) for name in names}
        report: dict[str, Any] = {name: {"classes": self._class_counts(labels[name])} for name in names}
        report |= {"duplicates": {}, "leaks": {}, "label_conflicts": {}}
        for kind in ("exact", "normalised"):
            keys = {name: np.concatenate([getattr(rows, kind) for rows in self._rows[name]]) for name in names}
            report["label_conflicts"][kind] = _count_conflicts(
                np.concatenate(list(keys.values())), np.concatenate(list(labels.values()))
            )
            for split_keys in keys.values():
                split_keys.sort()
            report["duplicates"][kind] = {name: int((hashes[1:] == hashes[:-1]).sum()) for name, hashes in keys.items()}
            report["leaks"][kind] = _count_pairs(keys)
        groups = {name: np.sort(np.concatenate([rows.group for rows in self._rows[name]])) for name in names}
        if any(len(keys) for keys in groups.values()):
            report["leaks"]["group"] = _count_pairs(groups)
        return report

    def _class_counts(self, labels: NDArray[np.int32]) -> dict[str, int]:
        counts = np.bincount(labels, minlength=len(self._codes)).tolist()
        return {label: count for label, count in zip(self._codes, counts, strict=True) if count}


def _count_pairs(keys: Mapping[str, NDArray[np.uint64]]) -> dict[str, int]:
    """Return how many keys of each split an earlier one has too, by pair; the keys of a split are sorted."""
    return {
        f"{later}_in_{earlier}": _count_common(keys[later], keys[earlier])
        for position, later in enumerate(keys)
        for earlier in list(keys)[:position]
    }


def _count_common(keys: NDArray[np.uint64], others: NDArray[np.uint64]) -> int:
    """Return how many of the keys are among the others; both are sorted."""
    if not len(others):
        return 0
    return int((others[np.searchsorted(others, keys).clip(max=len(others) - 1)] == keys).sum())


def _count_conflicts(keys: NDArray[np.uint64], labels: NDArray[np.int32]) -> int:
    """Return how many distinct keys have more than one label."""
    order = np.argsort(keys)
    keys, labels = keys[order], labels[order]
    return len(np.unique(keys[1:][(keys[1:] == keys[:-1]) & (labels[1:] != labels[:-1])]))
