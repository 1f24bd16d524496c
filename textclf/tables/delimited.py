"""CSV and TSV: a header, then a row per record, numbered by the line on which it begins."""

import codecs
import csv
import math
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice
from operator import itemgetter
from pathlib import Path
from typing import IO

from textclf.core import threads
from textclf.core.errors import UserError
from textclf.tables import limits
from textclf.tables.chunks import Chunks, count_lines
from textclf.tables.layout import SOURCE, Block, Layout, NumberedRow, Record, Rows
from textclf.tables.limits import row_too_long
from textclf.tables.lines import decoding_error, is_unicode, read_lines, strip_end

DELIMITERS = ",;\t|"  # that a header may have instead of the expected one


@dataclass(frozen=True)
class Dialect:
    """What separates the fields, and whether quotes are special, unless the layout says otherwise."""

    delimiter: str
    quoting: bool

    def read_rows(self, stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
        """Yield the rows one by one, each as soon as its line has been read."""
        rows = self._adapt(layout).by_line(stream, path, layout)
        header = rows.header()
        while True:
            numbers, one = rows.take(1)
            if not one:
                return
            yield numbers[0], header.to_record(one[0])

    def read_blocks(self, stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Rows]:
        """Yield the rows many at a time: of UTF-8 as Arrow parses them, where it and Python's csv agree."""
        dialect = self._adapt(layout)
        if codecs.lookup(layout.encoding).name != "utf-8":
            rows = dialect.by_line(stream, path, layout)
            yield from rows.blocks(rows.header())
            return
        from textclf.tables.arrow_csv import Parser  # needs pyarrow, which reading row by row does without

        chunks = Chunks(stream, path, dialect.quoting, dialect.advice(layout))
        header = _Rows(chunks.lines(), path, layout, dialect).header()
        parse = Parser(dialect.delimiter, dialect.quoting, header.width, dict(header.positions)).parse
        while not chunks.is_empty:
            end = yield from _by_chunk(chunks, parse)
            yield from _Rows(chunks.lines(), path, layout, dialect, chunks.line).blocks(header, end)

    def by_line(self, stream: IO[bytes], path: Path, layout: Layout) -> "_Rows":
        """Return the rows of a stream, each read when it is asked for."""
        return _Rows(read_lines(stream, path, layout, self.advice(layout)), path, layout, self)

    def advice(self, layout: Layout) -> str:
        """Return what to do with a row that is too long."""
        quotes = f"; if quotes are text here, set {layout.option}quoting to false" if self.quoting else ""
        return f"{limits.ADVICE}{quotes}"

    def _adapt(self, layout: Layout) -> "Dialect":
        """Return the dialect with what the layout sets."""
        return Dialect(
            self.delimiter if layout.delimiter is None else layout.delimiter,
            self.quoting if layout.quoting is None else layout.quoting,
        )


CSV, TSV = Dialect(",", quoting=True), Dialect("\t", quoting=False)


@dataclass(frozen=True)
class Header:
    """The header of a delimited table: the number of fields, and the positions of the columns to read."""

    width: int
    positions: Mapping[str, int]
    layout: Layout
    hint: str  # advice for a row of another width

    def to_record(self, fields: list[str]) -> Record | ValueError:
        """Return a row's record, or the rule that it breaks; all values of a blank line are None."""
        if error := decoding_error("".join(fields), self.layout):
            return error
        if not fields:
            return dict.fromkeys(self.positions)
        if len(fields) != self.width:
            return ValueError(f"must have {self.width} fields, as the header has; got {len(fields)}; {self.hint}")
        return {name: fields[position] for name, position in self.positions.items()}

    def to_rows(self, numbers: Sequence[int], rows: list[list[str]]) -> Rows:
        """Return rows as a block, or one by one if one of them is blank or breaks a rule."""
        if set(map(len, rows)) == {self.width} and is_unicode("".join(chain.from_iterable(rows))):
            columns = {name: list(map(itemgetter(position), rows)) for name, position in self.positions.items()}
            return Block(numbers, columns)
        return [(number, self.to_record(fields)) for number, fields in zip(numbers, rows, strict=True)]


def read_header(fields: list[str] | None, path: Path, layout: Layout, quoting: bool) -> Header:
    """Return the header; `fields` are those of the first row, None in an empty file.

    Raises `UserError` if it is no header, or lacks a column that is to be read.
    """
    if fields is None:
        raise UserError(f"{path} must have a header and rows; got an empty file")
    if not fields:
        raise UserError(f"{path}:1: must be a header; got a blank line; remove it")
    line = "".join(fields)
    if error := decoding_error(line, layout):
        raise UserError(f"{path}:1: {error}")
    if "\0" in line:
        raise UserError(f"{path}:1: must be {layout.encoding}; got NUL; set {layout.option}encoding")
    layout.require_columns(path, fields, _header_hint(fields, layout))
    hint = (
        "put quotes around a field that contains the delimiter or a line end"
        if quoting
        else f"if there are quotes around fields, set {layout.option}quoting to true"
    )
    positions = {name: fields.index(name) for name in layout.names() if name in fields}
    return Header(len(fields), positions, layout, hint)


def _header_hint(fields: list[str], layout: Layout) -> str:
    """Return advice for a first row that lacks a column to read."""
    if fields[0].lstrip().startswith(("{", "[{")) or fields == ["["]:
        return f"; if this is JSON, set {layout.option}format to jsonl or json"
    if len(fields) > 1:
        return layout.header_hint(fields, "line")
    for delimiter in DELIMITERS:
        names = {name.strip('"') for name in fields[0].split(delimiter)}
        if set(layout.columns.values()) - {SOURCE} <= names:
            advice = "format to tsv" if delimiter == "\t" else f"delimiter to {delimiter!r}"
            return f"; set {layout.option}{advice}"
    return f"; if another character separates the columns, set {layout.option}delimiter"


def _by_chunk(chunks: Chunks, parse: Callable[[bytes, int, int], Block | None]) -> Generator[Block, None, int]:
    """Yield the rows of each chunk, up to one that `parse` leaves to a reader by line; return the line where it ends.

    The chunks are parsed on all cores.
    """
    waiting: deque[tuple[bytes, Callable[[], Block | None]]] = deque()
    while True:
        while len(waiting) < threads.depth():
            line = chunks.line + 1
            if not (chunk := chunks.take()):
                break
            waiting.append((chunk, threads.start(parse, chunk, line, chunks.line + 1)))
        if not waiting:
            return chunks.line + 1
        chunk, parsed = waiting.popleft()
        if (block := parsed()) is None:
            chunks.put_back([chunk, *(other for other, _ in waiting)])
            return chunks.line + count_lines(chunk)
        yield block


class _Rows:
    """The rows of lines, each of limited length; they come after so many lines of the file."""

    def __init__(self, lines: Iterator[str], path: Path, layout: Layout, dialect: Dialect, before: int = 0) -> None:
        self.path, self.layout, self.dialect = path, layout, dialect
        self.lines = before  # how many lines of the file were read
        self._length, self._longest = 0, 0  # of the rows that are being read, and how long they may be
        counted = self._count(lines)
        if dialect.quoting:
            csv.field_size_limit(limits.ROW_BYTES)
            self._reader: Iterator[list[str]] = csv.reader(counted, delimiter=dialect.delimiter, strict=True)
        else:
            self._reader = (row.split(dialect.delimiter) if row else [] for row in map(strip_end, counted))

    def _count(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            self.lines += 1
            self._length += len(line)
            if self._length > self._longest:
                raise csv.Error("rows of many lines are larger than the field limit")
            yield line

    def header(self) -> Header:
        """Return the header, which is the first row."""
        _, first = self.take(1)
        return read_header(first[0] if first else None, self.path, self.layout, self.dialect.quoting)

    def blocks(self, header: Header, end: float = math.inf) -> Iterator[Rows]:
        """Yield the rows that begin up to line `end`, and more if they are in the same block."""
        while self.lines < end:
            numbers, rows = self.take(limits.BLOCK_ROWS)
            if not rows:
                return
            yield header.to_rows(numbers, rows)

    def take(self, count: int) -> tuple[Sequence[int], list[list[str]]]:
        """Return up to `count` further rows, fewer if they are long, and the line on which each begins.

        The fields are those of RFC 4180, or what the delimiter separates; a blank line has none.
        """
        first, rows, size = self.lines + 1, list[list[str]](), 0
        try:
            while len(rows) < count and size < limits.BLOCK_BYTES:
                before, step = len(rows), min(limits.STEP, count - len(rows))
                self._length, self._longest = 0, step * limits.ROW_BYTES
                rows.extend(islice(self._reader, step))
                if len(rows) == before:
                    break
                size += sum(map(len, chain.from_iterable(rows[before:])))
        except csv.Error as error:  # `rows` has those before it
            raise self._error(error, _first_lines(first, rows)[-1]) from error
        if self.lines == first - 1 + len(rows):
            return range(first, first + len(rows)), rows
        return _first_lines(first, rows)[:-1], rows

    def _error(self, error: csv.Error, first: int) -> UserError:
        """Return the error for a row that begins in line `first` and was read to the last line so far."""
        if "field limit" in str(error):
            return row_too_long(f"{self.path}:{first}", self.dialect.advice(self.layout))
        return _quote_error(error, self.path, first, self.lines, self.layout.option)


def _first_lines(first: int, rows: list[list[str]]) -> list[int]:
    """Return the line on which each row begins, and the line after the last row.

    A row spans one line more than there are LFs in its fields, which stand in quotes.
    """
    return list(accumulate((1 + sum(value.count("\n") for value in fields) for fields in rows), initial=first))


def _quote_error(error: csv.Error, path: Path, first: int, last: int, option: str) -> UserError:
    """Return the error for the quotes of a row that begins in line `first` and was read to line `last`."""
    if "new-line" in str(error):
        rule = (
            "must contain no lone CR outside quotes; put quotes around the text that contains it, "
            "or save the file with LF or CRLF line ends"
        )
    else:
        at_end = "end of data" in str(error)
        got = "the end of the file inside quotes" if at_end else f"text after a closing quote in line {last}"
        advice = f"if quotes are text here, set {option}quoting to false"
        if first == 1 and not at_end:  # such as "text";"label"
            advice = f"if another character separates the columns, set {option}delimiter"
        rule = f"quotes must be closed, and doubled inside quotes; got {got}; {advice}"
    return UserError(f"{path}:{first}: {rule}")
