"""Texts as sequences of token ids, the features of models that read words in their order."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

PADDING = 0  # the id of no token

Side = Literal["pre", "post"]


@dataclass(frozen=True)
class Tokens:
    """Sequences of token ids, one per row; a ragged array.

    A row longer than `length` is a text in windows, one after the other, all but the last one of
    this length.
    """

    ids: NDArray[np.int32]  # (tokens,), row after row, each from 1 to `vocabulary` - 1
    starts: NDArray[np.int64]  # (rows + 1,), where each row starts and the last ends
    vocabulary: int  # number of ids, `PADDING` among them
    length: int  # to which rows are padded
    padding: Side = "post"  # the side on which they are
    vectors: NDArray[np.float32] | None = None  # (vocabulary, dimensions), pretrained

    @property
    def shape(self) -> tuple[int, int]:
        """Return the number of rows and the number of ids, `PADDING` among them."""
        return len(self.starts) - 1, self.vocabulary

    @property
    def nnz(self) -> int:
        """Return the number of tokens in all rows."""
        return len(self.ids)

    def __getitem__(self, rows: Any) -> "Tokens":
        """Return the rows of a slice, a mask or positions, in their order."""
        chosen = np.arange(self.shape[0])[rows]
        lengths = np.diff(self.starts)[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.arange(starts[-1]) + np.repeat(self.starts[:-1][chosen] - starts[:-1], lengths)
        return replace(self, ids=self.ids[places], starts=starts)

    def windows(self) -> "tuple[Tokens, NDArray[np.int64]]":
        """Return every window as a row of its own, and the first window of each row, (rows,)."""
        counts = np.maximum(-(-np.diff(self.starts) // self.length), 1)
        first = np.cumsum(counts) - counts
        number = np.arange(counts.sum()) - np.repeat(first, counts)
        starts = np.repeat(self.starts[:-1], counts) + number * self.length
        return replace(self, starts=np.append(starts, self.starts[-1])), first

    def padded(self, length: int | None = None) -> NDArray[np.int32]:
        """Return the ids as a matrix (rows, length), filled with `PADDING`.

        `length` is that of the rows by default.
        """
        width = self.length if length is None else length
        lengths = np.diff(self.starts)
        matrix = np.full((len(lengths), width), PADDING, dtype=np.int32)
        filled = np.arange(width) < lengths[:, None]
        matrix[filled if self.padding == "post" else filled[:, ::-1]] = self.ids
        return matrix


def average_windows(values: NDArray[Any], lengths: Any, first: Any) -> NDArray[np.float64]:
    """Return the mean over the windows of each text, (texts, columns).

    `lengths` (windows,) are their weights. `first` (texts,) is the position of each text's first
    window. The mean of a single window is that window to the bit.
    """
    lengths, first = np.asarray(lengths, dtype=np.float64), np.asarray(first, dtype=np.int64)
    counts = np.diff(np.append(first, len(lengths)))
    shares = lengths / np.repeat(np.add.reduceat(lengths, first), counts)
    return np.add.reduceat(values * shares[:, None], first)


def concatenate(pieces: "list[Tokens]") -> Tokens:
    """Return the rows of all pieces, at least one, as one piece."""
    ends = np.cumsum([0, *(piece.nnz for piece in pieces)])
    starts = [piece.starts[1:] + end for piece, end in zip(pieces, ends[:-1], strict=True)]
    ids = np.concatenate([piece.ids for piece in pieces])
    return replace(pieces[0], ids=ids, starts=np.concatenate([[0], *starts]).astype(np.int64))
