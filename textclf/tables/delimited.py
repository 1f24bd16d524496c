"""CSV and TSV: a header, then a row per record, numbered by the line on which it begins."""

import codecs
import csv
import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice
from operator import itemgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING

from textclf.core import threads
from textclf.core.errors import UserError
from textclf.tables import limits
from textclf.tables.arrow_csv import Parser
from textclf.tables.chunks import Chunks, count_lines
from textclf.tables.layout import SOURCE, Block, Layout, NumberedRow, Record, Rows
from textclf.tables.limits import LineGuard, in_blocks, row_too_long
from textclf.tables.lines import decode_lines, decoding_error, is_unicode, read_lines, strip_end

if TYPE_CHECKING:
    import _csv

DELIMITERS = ",;\t|"  # that a header may have instead of the expected one


@dataclass(frozen=True)
class Dialect:
    """What separates the fields, and whether quotes are special, unless the layout says otherwise."""

    delimiter: str
    quoting: bool

    def adapt(self, layout: Layout) -> "Dialect":
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


def read_rows(stream: IO[bytes], path: Path, layout: Layout, dialect: Dialect) -> Iterator[NumberedRow]:
    """Yield the rows one by one, each as soon as its line has been read."""
    dialect = dialect.adapt(layout)
    if dialect.quoting:
        rows = _parse_quoted(_QuotedRows(stream, path, layout, dialect.delimiter))
    else:
        rows = _parse_unquoted(read_lines(stream, path, layout), dialect.delimiter)
    _, fields = next(rows, (0, None))
    header = read_header(fields, path, layout, dialect.quoting)
    for number, values in rows:
        yield number, header.to_record(values)


def read_blocks(stream: IO[bytes], path: Path, layout: Layout, dialect: Dialect) -> Iterator[Rows]:
    """Yield the rows many at a time: those of a long file as Arrow parses them, where it and Python's csv agree."""
    dialect = dialect.adapt(layout)
    reader = _QuotedRows if dialect.quoting else _UnquotedRows
    chunks = Chunks(stream, dialect.quoting)
    by_arrow = codecs.lookup(layout.encoding).name == "utf-8" and chunks.is_long()
    rest = reader(chunks.rest(), path, layout, dialect.delimiter)
    _, first = rest.take(1)
    header = read_header(first[0] if first else None, path, layout, dialect.quoting)
    if not by_arrow:
        yield from _by_line(rest, header)
        return
    chunks.skip_lines(rest.lines)
    parse = Parser(dialect.delimiter, dialect.quoting, header.width, dict(header.positions)).parse
    while not chunks.is_empty:
        end = yield from _by_chunk(chunks, parse)
        before = chunks.line
        rest = reader(chunks.rest(), path, layout, dialect.delimiter, before)
        yield from _by_line(rest, header, end)
        chunks.skip_lines(rest.lines - before)


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


def _by_line(rest: "_QuotedRows | _UnquotedRows", header: Header, end: float = math.inf) -> Iterator[Rows]:
    """Yield the rows that begin up to line `end`, and more if they are in the same block."""
    while rest.lines < end:
        numbers, rows = rest.take(limits.BLOCK_ROWS)
        if not rows:
            return
        yield header.to_rows(numbers, rows)


def _parse_unquoted(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line, no fields for a blank line; quotes are text."""
    for number, line in enumerate(lines, start=1):
        row = strip_end(line)
        yield number, row.split(delimiter) if row else []


def _parse_quoted(quoted: "_QuotedRows") -> Iterator[tuple[int, list[str]]]:
    """Yield the first line's number and the fields of each row as in RFC 4180, no fields for a blank line."""
    while True:
        numbers, rows = quoted.take(1)
        if not rows:
            return
        yield numbers[0], rows[0]


class _UnquotedRows:
    """The rows of a stream whose quotes are text; it begins after so many lines of the file."""

    def __init__(self, stream: IO[bytes], path: Path, layout: Layout, delimiter: str, before: int = 0) -> None:
        self.lines, self._delimiter = before, delimiter  # lines of the file that were read
        self._unread = read_lines(stream, path, layout, before)

    def take(self, count: int) -> tuple[Sequence[int], list[list[str]]]:
        """Return up to `count` further rows, fewer if they are long, and the number of each."""
        block = next(in_blocks(islice(self._unread, count), len), [])
        first, self.lines = self.lines + 1, self.lines + len(block)
        return range(first, first + len(block)), [values for _, values in _parse_unquoted(block, self._delimiter)]


class _QuotedRows:
    """The rows of a stream as in RFC 4180, of limited length; it begins after so many lines of the file."""

    def __init__(self, stream: IO[bytes], path: Path, layout: Layout, delimiter: str, before: int = 0) -> None:
        self.path, self.option, self.before = path, layout.option, before
        self.guard = LineGuard(stream, path, layout.encoding, self.advice, before)
        csv.field_size_limit(limits.ROW_BYTES)
        lines = decode_lines(self.guard, layout, at_start=not before)
        self.reader: _csv.Reader = csv.reader(lines, delimiter=delimiter, strict=True)

    @property
    def lines(self) -> int:
        """How many lines of the file were read."""
        return self.before + self.reader.line_num

    @property
    def advice(self) -> str:
        return f"{limits.ADVICE}; if quotes are text here, set {self.option}quoting to false"

    def take(self, count: int) -> tuple[Sequence[int], list[list[str]]]:
        """Return up to `count` further rows, fewer if they are long, and the line on which each begins."""
        reader, size = self.reader, 0
        first, rows = self.lines + 1, list[list[str]]()
        try:
            while len(rows) < count and size < limits.BLOCK_BYTES:
                before, step = len(rows), min(limits.STEP, count - len(rows))
                self.guard.start_rows(step)
                rows.extend(islice(reader, step))
                if len(rows) == before:
                    break
                size += sum(map(len, chain.from_iterable(rows[before:])))
        except csv.Error as error:  # `rows` has those before it
            raise self._error(error, _first_lines(first, rows)[-1]) from error
        if self.lines == first - 1 + len(rows):
            return range(first, first + len(rows)), rows
        return _first_lines(first, rows)[:-1], rows

    def _error(self, error: csv.Error, first: int) -> UserError:
        """Return the error for a row that begins in line `first` and was read to the reader's line."""
        if "field limit" in str(error):
            return row_too_long(f"{self.path}:{first}", self.advice)
        return _quote_error(error, self.path, first, self.lines, self.option)


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
