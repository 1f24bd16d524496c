"""Counts of classes, duplicate texts, texts shared between splits, and texts with several labels."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.core.files import SPLITS
from textclf.core.strings import as_array, encode, hash_normalized, hash_texts

if TYPE_CHECKING:
    import pyarrow as pa


class _Rows(NamedTuple):
    """Some rows of a split: fingerprints of texts, normalised texts and groups, and codes of labels."""

    exact: NDArray[np.uint64]
    normalised: NDArray[np.uint64]
    labels: NDArray[np.int32]
    group: NDArray[np.uint64]  # empty if groups are not counted


def count_leaks(splits: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of `LeakCounter` for splits in memory: frames or tables with the columns text and label.

    Groups are counted if the rows have the columns group and split: only given splits can divide a group.
    """
    counter = LeakCounter()
    for name, rows in splits.items():
        with_groups = {"group", "split"} <= set(getattr(rows, "column_names", None) or rows.columns)
        text, label, *group = (as_array(rows[each]) for each in ("text", "label", *["group"] * with_groups))
        counter.add(name, text, label, *group)
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

    def add(
        self,
        split: str,
        texts: "pa.StringArray",
        labels: "pa.StringArray",
        groups: "pa.StringArray | None" = None,
    ) -> None:
        """Add rows of a split."""
        self.add_hashes(
            split,
            hash_texts(texts),
            hash_normalized(texts),
            self.encode(labels),
            None if groups is None else hash_texts(groups),
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

    def encode(self, labels: "pa.StringArray") -> NDArray[np.int32]:
        """Return the integer code of each label: (labels,)."""
        codes, distinct = encode(labels)
        return np.array([self._codes.setdefault(label, len(self._codes)) for label in distinct], np.int32)[codes]

    def class_counts(self) -> dict[str, dict[str, int]]:
        """Return the rows of each class, by split."""
        return {name: self._count_classes(parts) for name, parts in self._rows.items()}

    def report(self) -> dict[str, Any]:
        """Return the counts, for exact and for normalised texts (`<kind>` is exact or normalised).

        `<split>.classes.<class>`: rows of the class. `duplicates.<kind>.<split>`: rows that repeat an earlier text of
        their split. `leaks.<kind>.<later>_in_<earlier>`: rows of a split (test, validation) whose text is also in a
        split that is used before it. `label_conflicts.<kind>`: distinct texts with more than one label. If groups were
        added, `leaks.group.<later>_in_<earlier>`: rows whose group is also in a split that is used before theirs.
        """
        names = sorted(self._rows, key=SPLITS.index)
        report: dict[str, Any] = {name: {"classes": classes} for name, classes in self.class_counts().items()}
        report |= {"duplicates": {}, "leaks": {}, "label_conflicts": {}}
        for kind in ("exact", "normalised"):
            keys, labels = self._repeated(kind, names)
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

    def _repeated(
        self, kind: str, names: Sequence[str]
    ) -> tuple[dict[str, NDArray[np.uint64]], dict[str, NDArray[np.int32]]]:
        """Return the keys and the labels of rows by split: of all rows whose key others may have, too.

        No other rows count, and these are few: looking for them takes less time than sorting all with their labels.
        """
        hashes = [getattr(rows, kind) for name in names for rows in self._rows[name]]
        candidates = _Candidates(hashes)
        keys, labels = {}, {}
        for name in names:
            parts = [(getattr(rows, kind), rows.labels) for rows in self._rows[name]]
            chosen = [candidates.among(part) for part, _ in parts]
            keys[name] = np.concatenate([part[rows] for (part, _), rows in zip(parts, chosen, strict=True)])
            labels[name] = np.concatenate([codes[rows] for (_, codes), rows in zip(parts, chosen, strict=True)])
        return keys, labels

    def _count_classes(self, parts: Sequence[_Rows]) -> dict[str, int]:
        counts = sum(np.bincount(rows.labels, minlength=len(self._codes)) for rows in parts)
        return {label: count for label, count in zip(self._codes, np.asarray(counts).tolist(), strict=True) if count}


class _Candidates:
    """The keys that occur more than once, and perhaps a few others: those that begin with the same bits."""

    def __init__(self, parts: Sequence[NDArray[np.uint64]]) -> None:
        keys = np.concatenate(parts)
        self._bits = max(len(keys), 2).bit_length() + 1
        keys.sort()
        self._starts = np.zeros(1 << self._bits, bool)
        self._starts[self._start(keys[1:][keys[1:] == keys[:-1]])] = True

    def among(self, keys: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Return the positions of the keys that are candidates."""
        return np.flatnonzero(self._starts[self._start(keys)])

    def _start(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        return (keys >> np.uint64(64 - self._bits)).view(np.int64)


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
    found = keys[1:][(keys[1:] == keys[:-1]) & (labels[1:] != labels[:-1])]
    return int(np.count_nonzero(found[1:] != found[:-1])) + (len(found) > 0)
