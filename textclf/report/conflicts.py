"""Texts that occur with different labels."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.splits import ReadColumns
from textclf.core.arrow import normalize_texts
from textclf.core.hashing import fingerprints
from textclf.core.threads import cores, map_ahead
from textclf.pages.labelled import IDS, Labelled, LabelledText
from textclf.report.rows import THREADS, Row, SplitRows
from textclf.report.run import Run

SHOWN = 20  # texts


def conflicts(run: Run, rows: Mapping[str, SplitRows]) -> dict[str, Any] | None:
    """Return the first `SHOWN` texts that occur with several labels, and how many there are; None if there are none."""
    number = run.leaks["label_conflicts"]["normalised"]
    if not number:
        return None
    return {
        "number": f"{number:,}",
        "left_out": number > SHOWN,
        "shown": SHOWN,
        "texts": [
            conflict.shown(run.names)
            for conflict in find_conflicts(rows, min(number, SHOWN), run.settings.data.group is not None)
        ],
    }


def find_conflicts(splits: Mapping[str, SplitRows], limit: int, grouped: bool = False) -> list[LabelledText]:
    """Return the first `limit` texts with several labels. Texts are equal if they differ in case and spaces alone.

    Keeps twelve bytes of each row: a hash of its text and a number for its label. The column `cluster` is that hash,
    unless it is one of groups (`grouped`): then all texts are read again.
    """
    codes: dict[str, int] = {}
    readers = [read for rows in splits.values() for read in rows.readers]
    pieces = list(map_ahead(lambda read: _read_piece(read, grouped), readers, min(THREADS, cores())))
    keys = np.concatenate([piece.keys for piece in pieces])
    labels = np.concatenate([piece.number_labels(codes) for piece in pieces])
    chosen = first_conflicting(keys, labels, limit)
    places = np.flatnonzero(np.isin(keys, chosen))
    found: dict[int, dict[int, list[int]]] = {key: {} for key in chosen.tolist()}
    for key, label, place in zip(keys[places].tolist(), labels[places].tolist(), places.tolist(), strict=True):
        found[key].setdefault(label, []).append(place)
    names = list(codes)
    shown = _rows_at(splits, {place for part in found.values() for rows in part.values() for place in rows[:IDS]})
    return [
        LabelledText(
            shown[next(iter(part.values()))[0]][1].text,
            {
                names[label]: Labelled(len(rows), [(shown[place][0], shown[place][1].id) for place in rows[:IDS]])
                for label, rows in part.items()
            },
        )
        for part in found.values()
    ]


class _Piece(NamedTuple):
    """Some rows: the hash of the text of each, and its label as a position among the labels of the piece."""

    keys: NDArray[np.uint64]
    labels: list[str]
    positions: NDArray[np.int32]

    def number_labels(self, codes: dict[str, int]) -> NDArray[np.int32]:
        """Return the number of the label of each row; new labels are added to `codes`."""
        numbers = [codes.setdefault(name, len(codes)) for name in self.labels]
        return np.array(numbers, dtype=np.int32)[self.positions]


def _read_piece(read: ReadColumns, grouped: bool) -> _Piece:
    rows = read(["text" if grouped else "cluster", "label"])
    keys = fingerprints(normalize_texts(rows["text"])) if grouped else rows["cluster"].to_numpy()
    labels = rows["label"].combine_chunks().dictionary_encode()
    return _Piece(keys, labels.dictionary.to_pylist(), labels.indices.to_numpy())


def _rows_at(splits: Mapping[str, SplitRows], places: Iterable[int]) -> dict[int, tuple[str, Row]]:
    """Return the split and the row at these positions among all rows."""
    found: dict[int, tuple[str, Row]] = {}
    start = 0
    for split, rows in splits.items():
        inside = [place - start for place in places if start <= place < start + len(rows)]
        found |= {start + place: (split, row) for place, row in rows.at(inside).items()}
        start += len(rows)
    return found


def first_conflicting(keys: NDArray[np.uint64], labels: NDArray[np.int32], limit: int) -> NDArray[np.uint64]:
    """Return the first `limit` keys, in the order of the rows, that have several labels."""
    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    other = labels[order][1:] != labels[order][:-1]
    places = np.flatnonzero(np.isin(keys, keys[order][1:][same & other]))
    _, first = np.unique(keys[places], return_index=True)
    return keys[places[np.sort(first)][:limit]]
