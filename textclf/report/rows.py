"""The rows of a split: what is counted of all of them, and the few that are shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textclf.artifacts.splits import ReadColumns

Lengths = NDArray[np.int32]  # of each text of a split, in its order

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
                shown = read(["id", "text"]).take(inside - start)
                pairs = zip(shown["id"].to_pylist(), shown["text"].to_pylist(), strict=True)
                rows |= dict(zip(inside.tolist(), (Row(*pair) for pair in pairs), strict=True))
            start += size
        return rows


def open_rows(readers: Sequence[ReadColumns]) -> SplitRows:
    """Return the rows of a split, whose texts are measured piece by piece."""
    lengths = [count_lengths(read(["text"])["text"]) for read in readers]
    words, characters = (np.concatenate(parts) for parts in zip(*lengths, strict=True))
    return SplitRows(readers, [len(words) for words, _ in lengths], words, characters)


def count_lengths(texts: pa.ChunkedArray) -> tuple[Lengths, Lengths]:
    """Return the number of words and the number of characters of each text, as `str.split` and `len` count them."""
    import pyarrow.compute as pc

    characters = pc.utf8_length(texts).to_numpy().astype(np.int32)
    blocks = [chunk[start : start + BLOCK] for chunk in texts.chunks for start in range(0, len(chunk), BLOCK)]
    words = np.concatenate([np.zeros(0, np.int32), *map(_count_words, blocks)])
    other = np.flatnonzero(characters != pc.binary_length(texts).to_numpy())  # not ASCII
    words[other] = [len(text.split()) for text in texts.take(other).to_pylist()]
    return words, characters


def _count_words(texts: pa.StringArray) -> NDArray[np.int32]:
    """Return the number of words of each text, if it is ASCII."""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32, len(texts) + 1, 4 * texts.offset)
    letters = np.frombuffer(data or b"", np.uint8)[ends[0] : ends[-1]]
    ends = ends - ends[0]
    # uint8 wraps around: what lies below the first code of a range is far above it.
    spaces = (letters - np.uint8(9) < 5) | (letters - np.uint8(28) < 5)
    first = ~spaces
    first[1:] &= spaces[:-1]
    begin = ends[:-1][ends[:-1] < ends[1:]]
    first[begin] = ~spaces[begin]
    before = np.zeros(len(first) + 1, dtype=np.int32)  # words that begin before each byte
    np.cumsum(first, dtype=np.int32, out=before[1:])
    words: NDArray[np.int32] = np.diff(before[ends])
    return words
