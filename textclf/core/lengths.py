"""The lengths of texts, in words and characters, from their bytes."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textclf.core.arrow import to_bytes

if TYPE_CHECKING:
    import pyarrow as pa

Lengths = NDArray[np.int32]  # of each text, in their order

BLOCK = 4096  # texts whose bytes are looked at together: they fit in the cache of a CPU


def count_lengths(texts: "pa.ChunkedArray") -> tuple[Lengths, Lengths]:
    """Return the number of words and the number of characters of each text, as `str.split` and `len` count them."""
    blocks = [chunk[start : start + BLOCK] for chunk in texts.chunks for start in range(0, len(chunk), BLOCK)]
    counted = [(np.zeros(0, np.int32), np.zeros(0, np.int32)), *map(_count_in_block, blocks)]
    words, characters = (np.concatenate(parts) for parts in zip(*counted, strict=True))
    return words, characters


def _count_in_block(texts: "pa.StringArray") -> tuple[Lengths, Lengths]:
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
