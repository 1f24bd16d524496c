"""The rows of a split: what is counted of all of them, and the few that are shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from textclf.artifacts.splits import ReadColumns
from textclf.core.arrow import Lengths, count_lengths


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

    def at(self, places: Iterable[int]) -> pd.DataFrame:
        """Return `id` and `text` of the rows at these positions, which index them; reads only the pieces with one."""
        wanted = np.unique(np.fromiter(places, dtype=np.int64))
        rows = [pd.DataFrame({"id": [], "text": []}, dtype=str)]
        start = 0
        for read, size in zip(self.readers, self.sizes, strict=True):
            inside = wanted[(wanted >= start) & (wanted < start + size)]
            if len(inside):
                rows.append(read(["id", "text"]).take(inside - start).to_pandas().set_index(inside))
            start += size
        return pd.concat(rows)


def open_rows(readers: Sequence[ReadColumns]) -> SplitRows:
    """Return the rows of a split, whose texts are measured piece by piece."""
    lengths = [count_lengths(read(["text"])["text"]) for read in readers]
    words, characters = (np.concatenate(parts) for parts in zip(*lengths, strict=True))
    return SplitRows(readers, [len(words) for words, _ in lengths], words, characters)
