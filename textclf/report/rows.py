"""The rows of a split: what is counted of all of them, and the few that are shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textclf.artifacts.splits import ReadColumns
from textclf.core.arrow import to_bytes
from textclf.core.threads import cores, map_ahead

Lengths = NDArray[np.int32]  # of each text of a split, in its order

T = TypeVar("T")
R = TypeVar("R")

THREADS = 4  # each holds a piece in memory
BLOCK = 4096  # texts whose bytes are looked at together: they fit in the cache of a CPU


class Row(NamedTuple):
    """A row to show."""

    id: str
    text: str


@dataclass(frozen=True)
class SplitRows:
    """The rows of a split in pieces: a reader of each piece, and its number of rows.

    `words` and `characters` (rows,) are the lengths of the texts.
    """

    readers: Sequence[ReadColumns]
    sizes: Sequence[int]
    words: Lengths
    characters: Lengths

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.words)

    def at(self, places: Iterable[int]) -> dict[int, Row]:
        """Return the rows at these positions; only the pieces that hold one are read."""
        wanted = np.unique(np.fromiter(places, dtype=np.int64))
        rows: dict[int, Row] = {}
        start = 0
        for read, size in zip(self.readers, self.sizes, strict=True):
            inside = wanted[(wanted >= start) & (wanted < start + size)]
            if len(inside):
                shown = read(["id", "text"])
                for place in inside.tolist():
                    rows[place] = Row(*(shown[name][place - start].as_py() for name in Row._fields))
            start += size
        return rows


def open_rows(readers: Sequence[ReadColumns]) -> SplitRows:
    """Return the rows of a split, whose texts are measured piece by piece."""
    lengths = list(map_ahead(lambda read: count_lengths(read(["text"])["text"]), readers, min(THREADS, cores())))
    words, characters = (np.concatenate(parts) for parts in zip(*lengths, strict=True))
    return SplitRows(readers, [len(words) for words, _ in lengths], words, characters)


def count_lengths(texts: pa.ChunkedArray) -> tuple[Lengths, Lengths]:
    """Return the number of words and the number of characters of each text, as `str.split` and `len` count them."""
    blocks = [chunk[start : start + BLOCK] for chunk in texts.chunks for start in range(0, len(chunk), BLOCK)]
    counted = [(np.zeros(0, np.int32), np.zeros(0, np.int32)), *map(_count_in_block, blocks)]
    words, characters = (np.concatenate(parts) for parts in zip(*counted, strict=True))
    return words, characters


def _count_in_block(texts: pa.StringArray) -> tuple[Lengths, Lengths]:
    """Return the lengths of texts: of those that are ASCII from their bytes, of the others one by one."""
    ends, letters = to_bytes(texts)
    words, characters = np.diff(_words_before(letters, ends)[ends]), np.diff(ends)
    others = np.diff(np.searchsorted(np.flatnonzero(letters > 127), ends))  # bytes of each text that are not ASCII
    for row in np.flatnonzero(others).tolist():
        text = letters[ends[row] : ends[row + 1]].tobytes().decode("utf-8")
        words[row], characters[row] = len(text.split()), len(text)
    return words, characters


def _words_before(letters: NDArray[np.uint8], ends: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the number of words that begin before each byte of ASCII texts, and before their end (bytes + 1,)."""
    # uint8 wraps around: what lies below the first code of a range is far above it.
    spaces = (letters - np.uint8(9) < 5) | (letters - np.uint8(28) < 5)
    first = ~spaces
    first[1:] &= spaces[:-1]
    begin = ends[:-1][ends[:-1] < ends[1:]]
    first[begin] = ~spaces[begin]
    before = np.zeros(len(first) + 1, dtype=np.int32)
    np.cumsum(first, dtype=np.int32, out=before[1:])
    return before
