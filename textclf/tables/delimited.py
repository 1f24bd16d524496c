"""CSV and TSV: a row per record, numbered by the line on which it begins, below a header if any."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from textclf.core.errors import UserError
from textclf.tables.layout import SOURCE, Batch, Layout, Record, in_batches
from textclf.tables.lines import decoded, decoding_error, lines_of, strip_end

DELIMITERS = ",;\t|"  # that a header may have instead of the expected one
MOST_CHARACTERS = 2**26  # of a field; that of a quote that is never closed has more


@dataclass(frozen=True)
class Dialect:
    """The delimiter, and whether quotes are special, unless the layout says otherwise."""

    delimiter: str
    quoting: bool

    def of(self, layout: Layout) -> "Dialect":
        """Return the dialect that a layout says, or this one."""
        quoting = self.quoting if layout.quoting is None else layout.quoting
        return Dialect(layout.delimiter or self.delimiter, quoting)

    def read(self, stream: IO[bytes], path: Path, layout: Layout, most: int) -> Iterator[Batch]:
        """Yield the rows below the header; with `most` 1 one by one, without pyarrow."""
        dialect = self.of(layout)
        with decoded(stream, layout) as text:
            lines = lines_of(text)
            above = list(islice(lines, layout.header - 1)) if layout.header else []
            first_row: list[str] = []
            rows = _Rows(_note(lines, first_row), path, layout, dialect, len(above))
            number, fields = next(iter(rows), (1, None))
            header = read_header(fields, number, path, layout, dialect.quoting)
            # Without a header the first row is read again, as one of the rows.
            rest, before = ("", rows.lines) if layout.header else ("".join(first_row), 0)
            if most > 1:
                from textclf.tables.blocks import read_blocks

                blocks = read_blocks(
                    text,
                    dialect.delimiter,
                    dialect.quoting,
                    header.width,
                    header.positions,
                    before,
                    rest,
                )
                rest, before = yield from blocks
            rows = _Rows(lines_of(text, rest, before + 1), path, layout, dialect, before)
            records = ((number, header.to_record(fields)) for number, fields in rows)
            yield from in_batches(records, layout, most)


def _note(lines: Iterator[str], noted: list[str]) -> Iterator[str]:
    """Yield lines, and add each to those that are noted."""
    for line in lines:
        noted.append(line)
        yield line


CSV, TSV = Dialect(",", quoting=True), Dialect("\t", quoting=False)


@dataclass(frozen=True)
class Header:
    """The header of a delimited table: its number of fields and positions of columns to read."""

    width: int
    positions: Mapping[str, int]
    layout: Layout
    hint: str  # advice for a row of another width

    def to_record(self, fields: list[str]) -> Record | ValueError:
        """Return a row's record, or the rule that it breaks; a blank line has only None."""
        if error := decoding_error("".join(fields), self.layout):
            return error
        if not fields:
            return dict.fromkeys(self.positions)
        if any(fields[self.width :]) or len(fields) < self.width:
            return ValueError(
                f"must have {self.width} fields, as the header has; got {len(fields)}; {self.hint}"
            )
        return {name: fields[position] for name, position in self.positions.items()}


def read_header(
    fields: list[str] | None, number: int, path: Path, layout: Layout, quoting: bool
) -> Header:
    """Return the header; `fields` are those of the row in line `number`, None in an empty file.

    Raises `UserError` if it is no header, or lacks a column that is to be read.
    """
    if fields is None:
        raise UserError(f"{path} must have a header and rows; got an empty file")
    if not fields:
        raise UserError(f"{path}:{number}: must be a header; got a blank line; remove it")
    line = "".join(fields)
    if error := decoding_error(line, layout):
        raise UserError(f"{path}:{number}: {error}")
    if "\0" in line:
        raise UserError(
            f"{path}:{number}: must be {layout.encoding}; got NUL; set {layout.option}encoding"
        )
    names = layout.column_names(fields)
    layout.require_columns(path, names, _header_hint(fields, layout))
    hint = (
        "put quotes around a field that contains the delimiter or a line end"
        if quoting
        else f"if there are quotes around fields, set {layout.option}quoting to true"
    )
    positions = {name: names.index(name) for name in layout.names() if name in names}
    return Header(len(fields), positions, layout, hint)


def _header_hint(fields: list[str], layout: Layout) -> str:
    """Return advice for a first row that lacks a column to read."""
    if fields[0].lstrip().startswith(("{", "[{")) or fields == ["["]:
        return f"; if this is JSON, set {layout.option}format to jsonl or json"
    if len(fields) > 1:
        return layout.header_hint(fields, "line")
    for delimiter in DELIMITERS:
        names = {name.strip('"') for name in fields[0].split(delimiter)}
        if set(layout.names()) - {SOURCE} <= names:
            advice = "format to tsv" if delimiter == "\t" else f"delimiter to {delimiter!r}"
            return f"; set {layout.option}{advice}"
    return f"; if another character separates the columns, set {layout.option}delimiter"


class _Rows:
    """The rows of lines; `before` lines were read before."""

    def __init__(
        self, lines: Iterator[str], path: Path, layout: Layout, dialect: Dialect, before: int = 0
    ) -> None:
        self.path, self.layout, self.dialect = path, layout, dialect
        self.lines = before  # how many lines of the file were read
        counted = self._count(lines)
        if dialect.quoting:
            csv.field_size_limit(MOST_CHARACTERS)
            self._reader: Iterator[list[str]] = csv.reader(
                counted, delimiter=dialect.delimiter, strict=True
            )
        else:
            rows = map(strip_end, counted)
            self._reader = (row.split(dialect.delimiter) if row else [] for row in rows)

    def _count(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            self.lines += 1
            yield line

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line on which each row begins and its fields; once.

        These are those of RFC 4180, or what the delimiter separates; a blank line has none.
        """
        while True:
            first = self.lines + 1
            try:
                fields = next(self._reader, None)
            except csv.Error as error:
                raise self._error(error, first) from error
            if fields is None:
                return
            yield first, fields

    def _error(self, error: csv.Error, first: int) -> UserError:
        """Return the error for a row that begins in line `first` and was read up to `lines`."""
        where, message = f"{self.path}:{first}", str(error)
        if "new-line" in message:
            return UserError(
                f"{where}: must contain no lone CR outside quotes; "
                "put quotes around the text that contains it, "
                "or save the file with LF or CRLF line ends"
            )
        advice = f"if quotes are text here, set {self.layout.option}quoting to false"
        if "end of data" in message:
            got = "the end of the file inside quotes"
        elif "field limit" in message:
            got = f"more than {MOST_CHARACTERS:,} characters inside quotes"
        else:
            got = f"text after a closing quote in line {self.lines}"
            if first == 1:  # such as "text";"label"
                advice = (
                    f"if another character separates the columns, set {self.layout.option}delimiter"
                )
        return UserError(
            f"{where}: quotes must be closed, and doubled inside quotes; got {got}; {advice}"
        )
