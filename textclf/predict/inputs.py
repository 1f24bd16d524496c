"""Texts to classify, in batches: of the command line, the lines of a stream, or any table.

Memory does not grow with the number of texts, and what a pipe delivers is passed on as soon as it
arrives.
"""

import codecs
import io
import select
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, NamedTuple, cast

from textclf.core.errors import UserError
from textclf.core.files import COLUMN
from textclf.core.quoting import first_line, list_names
from textclf.core.text_row import TextRow
from textclf.tables.files import find_files
from textclf.tables.formats import FORMATS
from textclf.tables.layout import Layout, NumberedRow, place
from textclf.tables.lines import SURROGATE
from textclf.tables.read import read_batches
from textclf.tables.values import cell_of, joined_text, label_of

BATCH_ROWS, BATCH_CHARACTERS = 4096, 2**20  # at most, but a single text may be longer
WARNINGS = 5  # lines in another encoding that are named one by one
REPLACEMENT = "\ufffd"

MARK = "textclf.mark"  # error handler of decoders: a surrogate for what can't be decoded
codecs.register_error(MARK, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


NumberedText = tuple[int, str, str]  # line, id and text


class TextBatch(NamedTuple):
    """Texts and the id of each, or the group of each if their layout has a column for that."""

    ids: list[str]
    texts: list[str]


def read_arguments(texts: Iterable[str]) -> Iterator[TextBatch]:
    """Yield the texts of a command line in one batch, numbered from 1."""
    # A surrogate is Python's form of a byte that is not UTF-8.
    unicode_texts = [SURROGATE.sub(REPLACEMENT, text) for text in texts]
    yield TextBatch([str(number) for number in range(1, len(unicode_texts) + 1)], unicode_texts)


def read_lines(
    stream: IO[bytes], encoding: str, warn: Callable[[str], object]
) -> Iterator[TextBatch]:
    """Yield the lines of a stream, numbered from 1, as soon as they arrive.

    An empty line is an empty text.

    Only LF ends a line. A CR before it and a byte order mark at the start are left out. Bytes that
    can't be decoded are read as U+FFFD and reported to `warn`.
    """
    counted = _LineCounter(stream, encoding)
    yield from _batches(_read_lines(counted, encoding, warn), counted)


def _read_lines(
    stream: "_LineCounter", encoding: str, warn: Callable[[str], object]
) -> Iterator[NumberedText]:
    number = undecodable = 0
    text = io.TextIOWrapper(cast("IO[bytes]", stream), encoding, MARK, newline="\n")
    try:
        for number, whole in enumerate(text, start=1):
            line = whole.removeprefix("\ufeff") if number == 1 else whole
            if not line:
                return  # a byte order mark alone
            read = line.removesuffix("\n").removesuffix("\r")
            if not read.isascii() and SURROGATE.search(read):
                undecodable += 1
                if undecodable <= WARNINGS:
                    warn(f"line {number} is not {encoding}; undecodable bytes are read as U+FFFD")
                read = SURROGATE.sub(REPLACEMENT, read)
            yield number, str(number), read
    except UnicodeError as error:  # UTF-16 without a byte order mark
        raise UserError(
            f"standard input must be {encoding}; {first_line(error)}; set --encoding"
        ) from error
    if undecodable > WARNINGS:
        warn(f"{undecodable} of {number} lines are not {encoding}, {WARNINGS} shown")


def read_table(path: Path, layout: Layout, empty: bool = False) -> Iterator[TextBatch]:
    """Yield the rows of a file, or of the files of a folder.

    Without a column of ids, an id is `file:line`.

    Raises `UserError` at the first row that breaks a rule or, unless texts may be `empty`, has
    none, after the rows before it.
    """
    for file in find_files(path, layout):
        rows = _rows(file.path, file.format, layout)
        yield from _batches(_checked_rows(rows, layout, file.name, str(file.path), empty))


def read_stream(
    stream: IO[bytes], kind: str, layout: Layout, empty: bool = False
) -> Iterator[TextBatch]:
    """Yield the rows of a stream as `read_table` does; rows on lines as soon as they arrive."""
    counted = _LineCounter(stream, layout.encoding) if FORMATS[kind].by_line else None
    rows = _rows(Path("stdin"), kind, layout, cast("IO[bytes]", counted or stream))
    yield from _batches(_checked_rows(rows, layout, "stdin", "stdin", empty), counted)


def _rows(
    path: Path, kind: str, layout: Layout, stream: IO[bytes] | None = None
) -> Iterator[NumberedRow]:
    """Yield the rows of a file or a stream; those on lines as soon as their line has been read."""
    most = 1 if FORMATS[kind].by_line else None
    for batch in read_batches(path, kind, replace(layout, every_key=True), most, stream):
        yield from map(batch.row, range(len(batch)))


class _LineCounter(io.BufferedIOBase):
    """A stream that counts its lines, to tell whether reading another row would block."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self.stream = stream
        self.lines = 0
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        chunk: bytes = getattr(self.stream, "read1", self.stream.read)(size)
        self.lines += self._decoder.decode(chunk).count("\n")
        return chunk

    def blocks_after(self, line: int) -> bool:
        """Return whether a reader of the lines up to this one would have to wait for the next."""
        if line < self.lines:
            return False
        try:
            return not select.select([self.stream], [], [], 0)[0]
        except (
            OSError,
            ValueError,
        ):  # nothing can be told of a pipe on Windows, or of a stream in memory
            return True


def _batches(
    rows: Iterable[NumberedText], stream: _LineCounter | None = None
) -> Iterator[TextBatch]:
    """Yield the rows in batches; those that were read before an error, or a wait for `stream`."""
    batch = TextBatch([], [])
    characters = 0
    try:
        for number, row_id, text in rows:
            batch.ids.append(row_id)
            batch.texts.append(text)
            characters += len(text)
            full = len(batch.ids) == BATCH_ROWS or characters >= BATCH_CHARACTERS
            if full or (stream is not None and stream.blocks_after(number)):
                yield batch
                batch, characters = TextBatch([], []), 0
    except UserError:
        if batch.ids:
            yield batch
        raise
    if batch.ids:
        yield batch


def _checked_rows(
    rows: Iterable[NumberedRow], layout: Layout, name: str, path: str, empty: bool = False
) -> Iterator[NumberedText]:
    """Yield the texts of rows.

    Raises `UserError` at one without. `name` is the file in ids, `path` the file in errors.
    """
    texts, named = layout.columns_of("text"), layout.columns_of("group") or layout.columns_of("id")
    beside = [
        purpose.removeprefix(COLUMN) for purpose in layout.columns if purpose.startswith(COLUMN)
    ]
    for number, record in rows:
        try:
            if isinstance(record, ValueError):
                raise record
            joined = joined_text(record, texts, layout.text_separator)
            text = "" if joined is None and empty else _require_value(joined, texts)
            row_id = (
                place(name, number)
                if not named
                else _require_value(label_of(record, named[0]), named)
            )
            if beside:
                text = TextRow(
                    text, {name: cell_of(record, name) for name in beside}, place(path, number)
                )
        except ValueError as error:
            raise UserError(f"{place(path, number)}: {error}") from error
        yield number, row_id, text


def _require_value(value: str | None, columns: Sequence[str]) -> str:
    """Return the value of some columns; `ValueError` if there is none."""
    if value is None:
        raise ValueError(
            f"{list_names(columns)} must be text; got nothing; "
            "give it a value, or leave the row out"
        )
    return value
