"""Texts to classify, in batches: from the command line, the lines of a stream, or a table in any format.

Memory does not grow with the number of texts, and what a pipe delivers is passed on as soon as it arrives.
"""

import codecs
import io
import select
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, NamedTuple, cast

from textclf.core.errors import UserError
from textclf.core.quoting import first_line, quote_name
from textclf.tables import limits
from textclf.tables.files import find_files
from textclf.tables.formats import FORMATS
from textclf.tables.layout import Layout, NumberedRow, Record, place
from textclf.tables.lines import SURROGATE
from textclf.tables.read import read_batches
from textclf.tables.values import label_of, text_of

BATCH_ROWS, BATCH_CHARACTERS = 4096, 2**20  # at most, but a single text may be longer
CHUNK = 2**18  # bytes read from a stream at a time, at most
WARNINGS = 5  # lines in another encoding that are named one by one
REPLACEMENT = "\ufffd"

MARK = "textclf.mark"  # error handler of decoders: a surrogate for what can't be decoded
codecs.register_error(MARK, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


class TextBatch(NamedTuple):
    """Texts and the id of each."""

    ids: list[str]
    texts: list[str]


def read_arguments(texts: Iterable[str]) -> Iterator[TextBatch]:
    """Yield the texts of a command line in one batch, numbered from 1."""
    unicode_texts = [SURROGATE.sub(REPLACEMENT, text) for text in texts]  # Python's form of bytes that are not UTF-8
    yield TextBatch([str(number) for number in range(1, len(unicode_texts) + 1)], unicode_texts)


def read_lines(stream: IO[bytes], encoding: str, warn: Callable[[str], object]) -> Iterator[TextBatch]:
    """Yield the lines of a stream, numbered from 1, as soon as they arrive; an empty line is an empty text.

    Only LF ends a line. A CR before it and a byte order mark at the start are left out. Bytes that can't be decoded are
    read as U+FFFD and reported to `warn`, so that one bad line does not keep the others from being classified. Raises
    `UserError` at a text that is too long.
    """
    count = undecodable = 0
    for lines in _complete_lines(_decode(stream, encoding)):
        for start in range(0, len(lines), BATCH_ROWS):
            texts = [line.removesuffix("\r") for line in lines[start : start + BATCH_ROWS]]
            numbers = range(count + 1, count + len(texts) + 1)
            for position, text in enumerate(texts):
                if len(text) > limits.TEXT_CHARACTERS:
                    yield TextBatch(list(map(str, numbers[:position])), texts[:position])
                    raise _too_long(numbers[position])
                if not text.isascii() and SURROGATE.search(text):
                    texts[position] = SURROGATE.sub(REPLACEMENT, text)
                    undecodable += 1
                    if undecodable <= WARNINGS:
                        warn(f"line {numbers[position]} is not {encoding}; undecodable bytes are read as U+FFFD")
            yield TextBatch(list(map(str, numbers)), texts)
            count += len(texts)
    if undecodable > WARNINGS:
        warn(f"{undecodable} of {count} lines are not {encoding}, {WARNINGS} shown")


def _too_long(number: int) -> UserError:
    rule = f"a text must have at most {limits.TEXT_CHARACTERS:,} characters"
    return UserError(f"standard input:{number}: {rule}; got more; {limits.ADVICE}")


def _decode(stream: IO[bytes], encoding: str) -> Iterator[str]:
    """Yield the text of a stream in pieces as they arrive, with surrogates for what can't be decoded."""
    decoder = codecs.getincrementaldecoder(encoding)(MARK)
    read = getattr(stream, "read1", stream.read)
    at_end = False
    while not at_end:
        chunk = read(CHUNK)
        at_end = not chunk
        try:
            yield decoder.decode(chunk, final=at_end)
        except UnicodeError as error:  # UTF-16 without a byte order mark
            raise UserError(f"standard input must be {encoding}; {first_line(error)}; set --encoding") from error


def _complete_lines(pieces: Iterable[str]) -> Iterator[list[str]]:
    """Yield the lines that each piece completes, and the rest at the end, without a byte order mark at the start."""
    unfinished: list[str] = []  # pieces of a line whose end has not arrived
    first, count, length = True, 0, 0
    for piece in pieces:
        *complete, rest = (piece.removeprefix("\ufeff") if first else piece).split("\n")
        first = first and not piece
        if complete:
            complete[0] = "".join([*unfinished, complete[0]])
            unfinished = []
            yield complete
            count, length = count + len(complete), 0
        if rest:
            unfinished.append(rest)
            if (length := length + len(rest)) > limits.TEXT_CHARACTERS + 1:  # a CR may come before the LF
                raise _too_long(count + 1)
    if unfinished:
        yield ["".join(unfinished)]


def read_table(path: Path, layout: Layout) -> Iterator[TextBatch]:
    """Yield the rows of a file, or of the files of a folder; without a column of ids, an id is `file:line`.

    Raises `UserError` at the first row that breaks a rule or has no text, after the rows before it.
    """
    for file in find_files(path, layout):
        yield from _batches(_rows(file.path, file.format, layout), layout, file.name, str(file.path))


def read_stream(stream: IO[bytes], kind: str, layout: Layout) -> Iterator[TextBatch]:
    """Yield the rows of a stream in a format of tables as `read_table` does; rows on lines as soon as they arrive."""
    if not FORMATS[kind].by_line:
        yield from _batches(_rows(Path("stdin"), kind, layout, stream), layout, "stdin", "stdin")
        return
    counted = _LineCounter(stream)
    rows = _rows(Path("stdin"), kind, layout, cast("IO[bytes]", counted))
    yield from _batches(rows, layout, "stdin", "stdin", counted)


def _rows(path: Path, kind: str, layout: Layout, stream: IO[bytes] | None = None) -> Iterator[NumberedRow]:
    """Yield the rows of a file or a stream; those on lines as soon as their line has been read."""
    most = 1 if FORMATS[kind].by_line else None
    for batch in read_batches(path, kind, replace(layout, every_key=True), most, stream):
        yield from map(batch.row, range(len(batch)))


class _LineCounter(io.BufferedIOBase):
    """A stream that counts the lines read so far, so that it can tell whether reading another row would block."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.lines = 0

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        chunk: bytes = getattr(self.stream, "read1", self.stream.read)(size)
        self.lines += chunk.count(b"\n")
        return chunk

    def blocks_after(self, line: int) -> bool:
        """Return whether a reader that has taken the lines up to this one would have to wait for the next."""
        if line != self.lines:
            return False
        try:
            return not select.select([self.stream], [], [], 0)[0]
        except (OSError, ValueError):  # not a stream of the operating system
            return False


def _batches(
    rows: Iterable[NumberedRow], layout: Layout, name: str, path: str, stream: _LineCounter | None = None
) -> Iterator[TextBatch]:
    """Yield the rows in batches; if a row breaks a rule, the rows before it come first.

    `name` is the file in ids, `path` the file in errors.
    """
    batch = TextBatch([], [])
    characters = 0
    try:
        for number, row_id, text in _checked_rows(rows, layout, name, path):
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


def _checked_rows(rows: Iterable[NumberedRow], layout: Layout, name: str, path: str) -> Iterator[tuple[int, str, str]]:
    """Yield the number, the id and the text of each row."""
    columns = layout.columns
    for number, record in rows:
        try:
            if isinstance(record, ValueError):
                raise record
            text = _require_value(text_of, record, columns["text"])
            row_id = _require_value(label_of, record, columns["id"]) if "id" in columns else place(name, number)
        except ValueError as error:
            raise UserError(f"{place(path, number)}: {error}") from error
        yield number, row_id, text


def _require_value(value_of: Callable[[Record, str], str | None], record: Record, column: str) -> str:
    """Return the value in a column; `ValueError` if there is none."""
    if (value := value_of(record, column)) is None:
        raise ValueError(f"{quote_name(column)} must be text; got nothing; give it a value, or leave the row out")
    return value
