"""Whole rows of a delimited file, parsed by Arrow if it and Python's csv must agree on them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from textclf.core.arrow import as_array
from textclf.tables.layout import Batch

BOM = "\ufeff".encode()
LF, CR, QUOTE = 10, 13, 34


@dataclass(frozen=True)
class Parser:
    """How rows are written, how many fields each has, and the positions of those to read, by the columns' names."""

    delimiter: str
    quoting: bool
    width: int
    positions: dict[str, int]

    def parse(self, chunk: bytes, line: int, next_line: int) -> Batch | None:
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
        if not self._are_at_ends(content, quotes):
            return None
        ends, returns = np.flatnonzero(content == LF), np.flatnonzero(content == CR)
        rows = np.append([0], _outside(quotes, ends) + 1)
        rows = rows[rows < len(content)]
        has_blank_line = np.isin(content[rows], (LF, CR)).any()
        after_returns = content[np.minimum(_outside(quotes, returns) + 1, len(content) - 1)]
        if has_blank_line or (after_returns != LF).any():
            return None
        by_line = len(rows) == next_line - line
        columns = self._columns(chunk, line_ends_in_fields=not by_line)
        if columns is None or columns[0] != len(rows):
            return None
        return Batch(range(line, next_line) if by_line else line + np.searchsorted(ends, rows), columns[1])

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

    def _columns(self, chunk: bytes, line_ends_in_fields: bool) -> tuple[int, dict[str, pa.StringArray]] | None:
        """Return the number of rows and the columns to read; None if the rows differ in width."""
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


def _outside(quotes: NDArray[np.int64], positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return those of the positions, which increase, that are not between quotes."""
    outside: NDArray[np.int64] = positions[np.searchsorted(quotes, positions) % 2 == 0]
    return outside
