"""A table in parts, each of which a process reads by itself, with the results of a single reader.

Parts follow from the bytes of the table alone. A large file of lines is cut where a row begins,
which depends on the quotes before: all ranges are scanned first. A range is read with the file's
header above it. That it begins outside quotes is certain once those before it were read without
error, since a reader refuses rows that end within quotes.
"""

import codecs
import csv
import io
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.core import workers
from textclf.core.errors import UserError
from textclf.tables import limits
from textclf.tables.compression import is_compressed
from textclf.tables.delimited import CSV, TSV
from textclf.tables.files import TableFile
from textclf.tables.layout import SOURCE, Batch, Layout
from textclf.tables.read import has_signature, read_batches

PART_BYTES = 2**24  # at most, unless a file or a row that can't be cut is larger
WINDOW = 2**16  # bytes in which the end of a row is looked for first
LF, QUOTE = b'\n"'
# In these encodings line ends and quotes are the bytes of ASCII, wherever they are.
ASCII_BASED = re.compile(r"ascii|utf-8|iso8859-\d+|cp125\d")
DIALECTS = {"csv": CSV, "tsv": TSV}


class Piece(NamedTuple):
    """A file of a table, or a range of it: of bytes, or of the row groups of Parquet."""

    file: TableFile
    start: int = 0
    stop: int | None = None  # None: to the end of the whole file
    head: int = 0  # bytes of the file that are read before those of the range
    shift: int = 0  # what is added to the number of a row in `head` and the range


class Scan(NamedTuple):
    """What a range of bytes has: quotes and line ends, and where its first row ends.

    `first` has, for a range that begins outside quotes and for one that begins inside, the bytes up
    to the first line end outside quotes and the line ends in them; no bytes if there is none.
    """

    quotes: int
    lines: int
    first: tuple[tuple[int, int], tuple[int, int]]


Part = list[Piece]


def cut(files: Sequence[TableFile], layout: Layout) -> list[Part]:
    """Return the parts of a table: one if it is small, or if a time's kind is that of the first."""
    whole = [Piece(file) for file in files]
    if "time" in layout.columns or not all(file.path.is_file() for file in files):
        return [whole]
    sizes = [file.path.stat().st_size for file in files]
    if sum(sizes) <= PART_BYTES:
        return [whole]
    parts: list[Part] = []
    room = 0
    for file, size in zip(files, sizes, strict=True):
        for piece, length in _cut_file(file, size, layout):
            if not parts or length > room:
                parts.append([])
                room = PART_BYTES
            parts[-1].append(piece)
            room -= length
    return parts


def read_piece(piece: Piece, layout: Layout) -> Iterator[Batch]:
    """Yield the rows of a piece in batches, as `read_batches` yields those of a file.

    Raises `UserError` also for what is an error only in a range: read the whole file then.
    """
    file, path = piece.file, piece.file.path
    if piece.stop is None:
        yield from read_batches(path, file.format, layout)
        return
    with path.open("rb") as opened:
        if file.format == "parquet":
            from textclf.tables.columnar import read_parquet

            groups = range(piece.start, piece.stop)
            batches = read_parquet(opened, path, layout, limits.BLOCK_ROWS, groups)
        else:
            head = opened.read(piece.head)
            opened.seek(piece.start)
            content = opened.read(piece.stop - piece.start)
            if content.startswith(BOM_UTF8):
                raise UserError(f"{path} must be read as a whole: a range begins with U+FEFF")
            batches = read_batches(path, file.format, layout, stream=io.BytesIO(head + content))
        for batch in batches:
            yield replace(batch, numbers=np.asarray(batch.numbers) + piece.shift)


def _cut_file(file: TableFile, size: int, layout: Layout) -> Iterator[tuple[Piece, int]]:
    """Yield the pieces of a file and their lengths in bytes."""
    if size > PART_BYTES and not is_compressed(file.path) and file.format == "parquet":
        yield from _cut_row_groups(file, size)
        return
    head = _head(file, layout) if size > PART_BYTES else None
    if head is None or head >= size:
        yield Piece(file), size
        return
    dialect = DIALECTS.get(file.format)
    quoting = dialect is not None and dialect.of(layout).quoting
    ranges = list(pairwise([*range(head, size, PART_BYTES), size]))
    tasks = [(file.path.absolute(), *between, quoting) for between in ranges]
    with workers.pool(len(tasks), 4 * PART_BYTES) as pool:
        scans = pool.map(scan, tasks, "line ends")
    starts = [(head, 0)]  # of each piece, and the lines between the head and it
    above = inside = 0
    for (border, _), found in zip(ranges, scans, strict=True):
        length, ends = found.first[inside]
        if border > head and length:
            starts.append((border + length, above + ends))
        above += found.lines
        inside = (inside + found.quotes) % 2
    if inside:  # the last quote is never closed
        starts = starts[:1]
    for (begin, shift), (stop, _) in zip(starts, [*starts[1:], (size, 0)], strict=True):
        if begin < stop:
            yield Piece(file, begin, stop, head, shift), stop - begin


def scan(path: Path, start: int, stop: int, quoting: bool) -> Scan:
    """Return what a range of a file has; without `quoting` quotes are text."""
    content = np.fromfile(path, np.uint8, stop - start, offset=start)
    quotes = np.count_nonzero(content == QUOTE) if quoting else 0
    first = _first_row(content, quoting, 0), _first_row(content, quoting, 1)
    return Scan(int(quotes), int(np.count_nonzero(content == LF)), first)


def _first_row(content: NDArray[np.uint8], quoting: bool, inside: int) -> tuple[int, int]:
    """Return the bytes up to the first line end outside quotes, and the line ends in them."""
    for size in (WINDOW, len(content)):
        part = content[:size]
        ends = np.flatnonzero(part == LF)
        quotes: Any = np.searchsorted(np.flatnonzero(part == QUOTE), ends) if quoting else 0
        outside = np.flatnonzero((quotes + inside) * np.ones_like(ends) % 2 == 0)
        if len(outside):
            return int(ends[outside[0]]) + 1, int(outside[0]) + 1
    return 0, 0


def _head(file: TableFile, layout: Layout) -> int | None:
    """Return the bytes above the first row; None if the file can't be cut.

    A header must be one line: a quote in it may go on, or be text.
    """
    kind = file.format
    if kind not in {*DIALECTS, "jsonl", "txt"} or is_compressed(file.path):
        return None
    if not ASCII_BASED.fullmatch(codecs.lookup(layout.encoding).name) or has_signature(file.path):
        return None
    if kind not in DIALECTS:
        # Of JSON Lines the first row says whether others may have the key `source`.
        return None if kind == "jsonl" and SOURCE in layout.names() else 0
    if not layout.header:  # the first row has the number of fields
        return None
    with file.path.open("rb") as opened:
        lines = [opened.readline(WINDOW) for _ in range(layout.header)]
    if not all(line.endswith(b"\n") for line in lines):
        return None
    dialect = DIALECTS[kind].of(layout)
    if dialect.quoting:
        row = lines[-1].decode("latin-1")  # where any byte is a character
        try:
            list(csv.reader([row], delimiter=dialect.delimiter, strict=True))
        except csv.Error:
            return None
    return sum(map(len, lines))


def _cut_row_groups(file: TableFile, size: int) -> Iterator[tuple[Piece, int]]:
    """Yield the row groups of a Parquet file, and their lengths; the whole if it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(file.path)
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    except (pa.ArrowException, OSError):
        yield Piece(file), size
        return
    shift = 0
    for number, group in enumerate(groups):
        if group.num_rows:
            yield Piece(file, number, number + 1, 0, shift), group.total_byte_size
        shift += group.num_rows
