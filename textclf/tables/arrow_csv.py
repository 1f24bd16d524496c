"""Whole rows of a delimited file, parsed by Arrow if it and Python's csv must agree on them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textclf.core.arrow import as_array
from textclf.tables.layout import Block

if TYPE_CHECKING:
    import pyarrow as pa

BOM = "\ufeff".encode()
LF, CR, QUOTE = 10, 13, 34


@dataclass(frozen=True)
class Parser:
    """How rows are written, how many fields each has, and the positions of those to read, by the columns' names."""

    delimiter: str
    quoting: bool
    width: int
    positions: dict[str, int]

    def parse(self, chunk: bytes, line: int, next_line: int) -> Block | None:
        """Return the rows on the lines from one to before another; None if a reader has to look at them line by line.

        Arrow reads a lone CR as the end of a row, joins what follows a closing quote to what it closed, and leaves out
        a byte order mark. All these, and rows of another width, blank lines, NUL and bytes that are not UTF-8, are left
        to the other reader.
        """
        try:
            chunk.decode()
        except UnicodeDecodeError:
            return None
        if b"\0" in chunk or chunk.startswith(BOM):
            return None
        content = np.frombuffer(chunk, np.uint8)
        quotes = np.flatnonzero(content == QUOTE) if self.quoting else np.empty(0, np.int64)
        if not self._are_at_ends(content, quotes) or not _ends_are_pairs(chunk, content, quotes):
            return None
        if _has_blank_line(chunk, content, quotes):
            return None
        if (columns := self._columns(chunk, line_ends_in_fields=False)) and columns[0] == next_line - line:
            return Block(range(line, next_line), columns[1])
        ends = np.flatnonzero(content == LF)
        outside = np.flatnonzero(np.searchsorted(quotes, ends) % 2 == 0)  # which ends
        rows = len(outside) + (next_line - line - len(ends))  # the last line may lack its end
        if not (columns := self._columns(chunk, line_ends_in_fields=True)) or columns[0] != rows:
            return None
        lines_before = np.concatenate([[0], outside + 1])[:rows]
        return Block(line + lines_before, columns[1])

    def _are_at_ends(self, content: NDArray[np.uint8], quotes: NDArray[np.int64]) -> bool:
        """Return whether every quote begins a field, ends it, or is one of two in a row between these."""
        if len(quotes) % 2 or not len(quotes):
            return not len(quotes)
        opening, closing = quotes[::2], quotes[1::2]
        limits = np.zeros(256, bool)
        limits[[ord(self.delimiter), LF, QUOTE]] = True
        before = limits[content[opening - 1]]
        before[opening == 0] = True
        # A quote before an opening one must be the closing one of the same field.
        before[1:] &= (content[opening[1:] - 1] != QUOTE) | (opening[1:] == closing[:-1] + 1)
        limits[CR] = True
        after = limits[content[np.minimum(closing + 1, len(content) - 1)]]
        after[closing == len(content) - 1] = True
        return bool(before.all() and after.all())

    def _columns(self, chunk: bytes, line_ends_in_fields: bool) -> "tuple[int, dict[str, pa.StringArray]] | None":
        """Return the number of rows and the columns to read; None if the rows differ in width."""
        import pyarrow as pa
        from pyarrow import csv

        names = [str(position) for position in range(self.width)]
        wanted = list(dict.fromkeys(names[position] for position in self.positions.values()))
        if not wanted:
            return None
        try:
            table = csv.read_csv(
                pa.BufferReader(chunk),
                csv.ReadOptions(use_threads=False, block_size=len(chunk) + 1, column_names=names),
                csv.ParseOptions(
                    delimiter=self.delimiter,
                    quote_char='"' if self.quoting else False,
                    newlines_in_values=line_ends_in_fields,
                    ignore_empty_lines=False,
                ),
                csv.ConvertOptions(
                    check_utf8=False,
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=wanted,
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        columns = {name: as_array(table.column(names[position])) for name, position in self.positions.items()}
        return table.num_rows, columns


def _has_blank_line(chunk: bytes, content: NDArray[np.uint8], quotes: NDArray[np.int64]) -> bool:
    """Return whether a line outside quotes is blank, of which Arrow makes a row of empty fields."""
    if chunk[0] in {LF, CR}:
        return True
    ends = content == LF
    blank = ends[:-1] & ends[1:]
    if b"\r" in chunk:
        blank |= ends[:-1] & (content[1:] == CR)
    return bool(blank.any() and (np.searchsorted(quotes, np.flatnonzero(blank)) % 2 == 0).any())


def _ends_are_pairs(chunk: bytes, content: NDArray[np.uint8], quotes: NDArray[np.int64]) -> bool:
    """Return whether each CR outside quotes is followed by an LF."""
    if b"\r" not in chunk:
        return True
    if not len(quotes):
        return chunk.count(b"\r") == chunk.count(b"\r\n")
    returns = np.flatnonzero(content == CR)
    returns = returns[np.searchsorted(quotes, returns) % 2 == 0]
    return bool((content[np.minimum(returns + 1, len(content) - 1)] == LF).all())
