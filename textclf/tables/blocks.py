"""CSV and TSV in blocks of whole rows, which Arrow parses.

Python's csv, slower and stricter, reads the first block in doubt and all after it: one with a quote
within an unquoted field, text after a closing quote, a CR without LF, a blank line, undecodable
bytes, rows of another width, a row longer than the block, or a byte order mark at its start.
"""

from codecs import BOM_UTF8
from collections.abc import Generator, Mapping
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from textclf.core.arrow import as_array
from textclf.tables import limits
from textclf.tables.layout import Batch

SHARE = 32  # of `BLOCK_BYTES`: a block has this part of them
LF, CR, QUOTE = b'\n\r"'
Ints = NDArray[np.int64]


def read_blocks(
    text: IO[str],
    delimiter: str,
    quoting: bool,
    width: int,
    positions: Mapping[str, int],
    lines: int,
    head: str = "",
) -> Generator[Batch, None, tuple[str, int]]:
    """Yield the rows of `width` fields up to the first block in doubt, with the named columns.

    `positions` are those of the columns to read, by name; `lines` lines come before the text, whose
    `head` was read already. Return the block in doubt, "" if there is none, and how many lines come
    before it.
    """
    size = limits.BLOCK_BYTES // SHARE
    types = dict.fromkeys(map(str, range(width)), pa.string())
    # A part and what the one before left, up to 4 bytes per character: one block of Arrow, which
    # ends within no quote.
    reading = csv.ReadOptions(use_threads=False, block_size=8 * size, column_names=list(types))
    parsing = csv.ParseOptions(delimiter=delimiter, quote_char=quoting and '"')
    included = list(map(str, positions.values()))
    # UTF-8 needs no check: the blocks are encoded below.
    converting = csv.ConvertOptions(column_types=types, include_columns=included, check_utf8=False)
    rest = b""
    while (part := head + text.read(size)) or rest:
        head = ""
        try:
            block = rest + (part or "\n").encode()
            end, ends = _find_ends(block, delimiter, quoting)
            whole = pa.BufferReader(pa.py_buffer(block).slice(0, end))
            table = csv.read_csv(whole, reading, parsing, converting)
        except ValueError:  # Arrow's errors and those of encoding are ValueErrors, too
            return rest.decode() + part, lines
        columns = dict(zip(positions, map(as_array, table.columns), strict=False))
        yield Batch(lines + 1 + np.append(0, ends[:-1]), columns)
        lines += int(ends[-1])
        rest = block[end:]
    return "", lines


def _find_ends(block: bytes, delimiter: str, quoting: bool) -> tuple[int, Ints]:
    """Return the length of the whole rows of a block, and the number of line ends up to each end.

    Raises `ValueError` in doubt.
    """
    content = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(content == QUOTE) if quoting else np.empty(0, np.int64)

    def are_outside(positions: Ints) -> Any:  # of quotes
        return np.searchsorted(quotes, positions) % 2 == 0

    line_ends = np.flatnonzero(content == LF)
    ends = np.flatnonzero(are_outside(line_ends))
    if not len(ends):
        raise ValueError("a row without end")
    row_ends = line_ends[ends]
    content = content[: row_ends[-1] + 1]
    quotes = quotes[: np.searchsorted(quotes, len(content))]
    around = content[np.append(np.maximum(quotes[::2] - 1, 0), quotes[1::2] + 1)]
    returns = np.flatnonzero(content == CR)
    doubts = (
        ~np.isin(around, list(f'{delimiter}"\r\n'.encode())),
        are_outside(returns[content[returns + 1] != LF]),
        np.isin(content[np.append(0, row_ends[:-1] + 1)], [LF, CR]),
    )
    if block.startswith(BOM_UTF8) or any(doubt.any() for doubt in doubts):
        raise ValueError("not plainly well-formed")
    return len(content), ends + 1
