"""Texts that stream in and predictions that stream out, a batch at a time, in memory that does not grow with them."""

import codecs
import contextlib
import csv
import io
import json
import os
import select
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring as quoted
from pathlib import Path
from typing import IO, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.predictions import PREFIX
from textclf.core import files
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.predict.predictor import Predictor, Term
from textclf.tables import readers as tables
from textclf.tables.readers import SURROGATE, Layout

ROWS, CHARACTERS = 4096, 2**20  # of a batch at most; one text may be longer
CHUNK = 2**18  # bytes of a stream that are read at once, if so many are there
SAID = 5  # lines that are not in the encoding and are named one by one
GROUP_ROWS, GROUP_BYTES = 2**16, 2**24  # of a row group of Parquet, whatever the batches
FORMATS = ("jsonl", "csv", "parquet")

Rows = tuple[list[str], list[str]]  # ids and texts

MARK = "textclf.mark"  # how a decoder treats what it can't decode: a surrogate stands for it
codecs.register_error(MARK, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


# In


def of_arguments(texts: Iterable[str]) -> Iterator[Rows]:
    """The texts of a command line, numbered from 1."""
    plain = [SURROGATE.sub("\ufffd", text) for text in texts]  # as Python has bytes that are not UTF-8
    yield [str(number) for number, _ in enumerate(plain, start=1)], plain


def of_lines(stream: IO[bytes], encoding: str, warn: Callable[[str], object]) -> Iterator[Rows]:
    """The lines of a stream, numbered from 1, as soon as they are there; an empty line is an empty text.

    Only LF ends a line; a CR before it and a byte order mark before the first are left out. What is not in the
    encoding is read as U+FFFD, and `warn` is told of it: one line must not keep the others from being classified.
    """
    count = wrong = 0
    for complete in _complete_lines(_decoded(stream, encoding)):
        for start in range(0, len(complete), ROWS):
            texts = [line.removesuffix("\r") for line in complete[start : start + ROWS]]
            for place, line in enumerate(texts):
                if not line.isascii() and SURROGATE.search(line):
                    texts[place] = SURROGATE.sub("\ufffd", line)
                    wrong += 1
                    if wrong <= SAID:
                        warn(f"line {count + place + 1} is not {encoding}; what is not is read as U+FFFD")
            yield [str(number) for number in range(count + 1, count + len(texts) + 1)], texts
            count += len(texts)
    if wrong > SAID:
        warn(f"{wrong} of {count} lines are not {encoding}, {SAID} named")


def _decoded(stream: IO[bytes], encoding: str) -> Iterator[str]:
    """The text of a stream, piece by piece as it comes; what is not in the encoding becomes surrogates."""
    decoder = codecs.getincrementaldecoder(encoding)(MARK)
    read = getattr(stream, "read1", stream.read)
    chunk = b"begun"
    while chunk:
        chunk = read(CHUNK)
        try:
            yield decoder.decode(chunk, final=not chunk)
        except UnicodeError as error:  # UTF-16 without a byte order mark
            raise UserError(f"standard input must be {encoding}; {tables.line_of(error)}; set --encoding") from error


def _complete_lines(pieces: Iterable[str]) -> Iterator[list[str]]:
    """The lines that each piece ends, and the rest as a line of its own; no byte order mark before the first."""
    begun: list[str] = []  # pieces of a line of which the end is still to come
    first = True
    for piece in pieces:
        *complete, rest = (piece.removeprefix("\ufeff") if first else piece).split("\n")
        first = first and not piece
        if complete:
            complete[0] = "".join([*begun, complete[0]])
            begun = []
            yield complete
        if rest:
            begun.append(rest)
    if begun:
        yield ["".join(begun)]


def of_table(path: Path, layout: Layout) -> Iterator[Rows]:
    """The rows of a file, or of the files of a folder: ids as the pipeline has them, or of a column; texts.

    `UserError` at the first row that breaks a rule, or has no text.
    """
    for name, file, kind in tables.files_of(path, layout):
        yield from _batches(tables.records(file, kind, layout), layout, name, str(file))


def of_stream(stream: IO[bytes], kind: str, layout: Layout) -> Iterator[Rows]:
    """The rows of a stream in a format, as `of_table` has those of a file.

    Those of a line each come as soon as they are there.
    """
    watched = None if kind == "parquet" else _Watched(stream)
    opened = stream if watched is None else cast("IO[bytes]", watched)
    yield from _batches(tables.records(Path("stdin"), kind, layout, opened), layout, "stdin", "stdin", watched)


class _Watched(io.BufferedIOBase):
    """A stream of which one can tell whether reading on would mean to wait."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.lines = 0  # read so far

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        chunk: bytes = getattr(self.stream, "read1", self.stream.read)(size)
        self.lines += chunk.count(b"\n")
        return chunk

    def waits(self, line: int) -> bool:
        """Whether what follows the line is still to come."""
        if line != self.lines:
            return False
        try:
            return not select.select([self.stream], [], [], 0)[0]
        except (OSError, ValueError):  # it is no stream of the system's
            return False


def _batches(
    records: Iterable[tables.Numbered], layout: Layout, name: str, place: str, stream: _Watched | None = None
) -> Iterator[Rows]:
    """The rows in batches; those before a row that breaks a rule come before the error."""
    ids: list[str] = []
    texts: list[str] = []
    characters = 0
    try:
        for number, identity, text in _rows(records, layout, name, place):
            ids.append(identity)
            texts.append(text)
            characters += len(text)
            full = len(ids) == ROWS or characters >= CHARACTERS
            if full or (stream is not None and stream.waits(number)):
                yield ids, texts
                ids, texts, characters = [], [], 0
    except UserError:
        if ids:
            yield ids, texts
        raise
    if ids:
        yield ids, texts


def _rows(records: Iterable[tables.Numbered], layout: Layout, name: str, place: str) -> Iterator[tuple[int, str, str]]:
    """The number, the id and the text of each row."""
    columns = layout.columns
    for number, record in records:
        try:
            if isinstance(record, ValueError):
                raise record
            text = _there(tables.text_of, record, columns["text"])
            identity = _there(tables.label_of, record, columns["id"]) if "id" in columns else f"{name}:{number}"
        except ValueError as error:
            raise UserError(f"{place}:{number}: {error}") from error
        yield number, identity, text


def _there(value_of: Callable[[tables.Record, str], str | None], record: tables.Record, column: str) -> str:
    """The value in a column; `ValueError` if nothing is there."""
    if record and column not in record:
        raise ValueError(f"must have the key {tables.named(column)}; got {tables.listed(list(record))}")
    if (value := value_of(record, column)) is None:
        raise ValueError(f"{tables.named(column)} must be text; got nothing")
    return value


# Out


@dataclass(frozen=True)
class Batch:
    """Predictions of some rows: all lists and `probabilities` (rows, classes) in the same order."""

    ids: list[str]
    texts: list[str]
    labels: list[str]
    probabilities: NDArray[np.float64]
    explanations: list[list[Term]] | None


def predict(rows: Iterable[Rows], predictor: Predictor, terms: int | None = None) -> Iterator[Batch]:
    """The predictions of each batch, with `terms` explained where that is not None."""
    for ids, texts in rows:
        probabilities = predictor.predict_proba(texts)
        explanations = None if terms is None else predictor.explain(texts, terms)
        yield Batch(ids, texts, predictor.labels(probabilities), probabilities, explanations)


class Writer(Protocol):
    """What writes batches in a format."""

    def write(self, batch: Batch) -> None:
        """Write a batch."""

    def close(self) -> None:
        """Write what ends the file; the stream stays open."""

    def abandon(self) -> None:
        """Write nothing more."""


@dataclass(frozen=True)
class Shape:
    """What a row of the output has beside id and label: its text, an explanation, and these classes."""

    classes: tuple[str, ...]
    text: bool
    explanation: bool

    def names(self) -> list[str]:
        """The columns in order."""
        return [
            "id",
            *(["text"] if self.text else []),
            "label",
            *(PREFIX + name for name in self.classes),
            *(["explanation"] if self.explanation else []),
        ]


class JsonLines:
    """An object a line; probabilities with six digits."""

    def __init__(self, stream: IO[bytes], shape: Shape) -> None:
        """Write to the stream."""
        self.stream = stream
        self.shape = shape
        values = [f"%.{DIGITS}f" if name.startswith(PREFIX) else "%s" for name in shape.names()]
        names = [quoted(name).replace("%", "%%") for name in shape.names()]
        self.row = "{" + ", ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True)) + "}\n"

    def write(self, batch: Batch) -> None:
        """Write the rows."""
        labels = {name: quoted(name) for name in self.shape.classes}
        columns: list[Iterable[Any]] = [map(quoted, batch.ids)]
        if self.shape.text:
            columns.append(map(quoted, batch.texts))
        columns.append(map(labels.__getitem__, batch.labels))
        columns += batch.probabilities.T.tolist()
        if batch.explanations is not None:
            columns.append(map(explained, batch.explanations))
        self.stream.write("".join(map(self.row.__mod__, zip(*columns, strict=True))).encode())

    def close(self) -> None:
        """Nothing ends it."""

    def abandon(self) -> None:
        """Nothing is held back."""


class _Lines(list[str]):
    """Lines that are written, each with LF for its CRLF."""

    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


class Csv:
    """A header and a row a line, each ended by LF; probabilities with six digits, explanations as JSON."""

    def __init__(self, stream: IO[bytes], shape: Shape) -> None:
        """Write the header to the stream."""
        self.stream = stream
        self.shape = shape
        self._rows([shape.names()])

    def write(self, batch: Batch) -> None:
        """Write the rows."""
        columns: list[Iterable[Any]] = [batch.ids]
        if self.shape.text:
            columns.append(batch.texts)
        columns.append(batch.labels)
        columns += [map(f"%.{DIGITS}f".__mod__, column) for column in batch.probabilities.T.tolist()]
        if batch.explanations is not None:
            columns.append(map(explained, batch.explanations))
        self._rows(zip(*columns, strict=True))

    def close(self) -> None:
        """Nothing ends it."""

    def abandon(self) -> None:
        """Nothing is held back."""

    def _rows(self, rows: Iterable[Iterable[Any]]) -> None:
        lines = _Lines()
        csv.writer(lines, lineterminator="\r\n").writerows(rows)  # it puts quotes around what holds either
        self.stream.write("".join(lines).encode())


class _Gate:
    """A stream to write to until it is shut; then bytes are lost."""

    closed = False

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.shut = False

    def write(self, data: bytes) -> int:
        return len(data) if self.shut else self.stream.write(data)

    def flush(self) -> None:
        """The stream is flushed by who opened it."""


class Parquet:
    """Text as string, probabilities as double, an explanation as a list of term and weight."""

    def __init__(self, stream: IO[bytes], shape: Shape) -> None:
        """Write to the stream."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        terms = pa.list_(pa.struct([("term", pa.string()), ("weight", pa.float64())]))
        kinds = {name: pa.float64() if name.startswith(PREFIX) else pa.string() for name in shape.names()}
        self.schema = pa.schema(list((kinds | ({"explanation": terms} if shape.explanation else {})).items()))
        self.shape = shape
        self.gate = _Gate(stream)
        self.writer = pq.ParquetWriter(self.gate, self.schema, compression="zstd")
        self.waiting: list[Any] = []  # tables of the row group to come

    def write(self, batch: Batch) -> None:
        """Write the rows."""
        import pyarrow as pa

        columns: list[Any] = [batch.ids, *([batch.texts] if self.shape.text else []), batch.labels]
        columns += list(batch.probabilities.T)
        if batch.explanations is not None:
            columns.append([[{"term": term, "weight": weight} for term, weight in row] for row in batch.explanations])
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self.schema, strict=True)]
        self.waiting.append(pa.table(arrays, self.schema))
        if sum(map(len, self.waiting)) >= GROUP_ROWS or sum(table.nbytes for table in self.waiting) >= GROUP_BYTES:
            self._group()

    def close(self) -> None:
        """Write the footer."""
        self._group()
        self.writer.close()

    def abandon(self) -> None:
        """No footer, which would make a whole file of half the rows, though the writer adds one when it is swept up."""
        self.gate.shut = True

    def _group(self) -> None:
        import pyarrow as pa

        if self.waiting:
            self.writer.write_table(pa.concat_tables(self.waiting))
            self.waiting = []


def explained(terms: list[Term]) -> str:
    """Terms and weights as JSON, weights with six digits."""
    return json.dumps([{"term": term, "weight": round(weight, DIGITS)} for term, weight in terms], ensure_ascii=False)


WRITERS: dict[str, type[JsonLines | Csv | Parquet]] = {"jsonl": JsonLines, "csv": Csv, "parquet": Parquet}


def write(batches: Iterable[Batch], stream: IO[bytes], kind: str, shape: Shape) -> None:
    """Write the batches to the stream, each as soon as it is there."""
    writer = WRITERS[kind](stream, shape)
    try:
        for batch in batches:
            writer.write(batch)
            stream.flush()
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    stream.flush()


@contextlib.contextmanager
def target(path: Path) -> Iterator[IO[bytes]]:
    """A file open to be written, which takes its place when the block ends well; a device or a pipe as it is."""
    if path.exists() and not path.is_file():
        if path.is_dir():
            raise UserError(f"--output must be a file; got the folder {path}")
        with path.open("wb") as stream:
            yield stream
        return
    real = Path(os.path.realpath(path))  # a link stays one
    if not (real.parent.is_dir() and os.access(real.parent, os.W_OK | os.X_OK)):
        raise UserError(f"--output must be in a folder that is there and may be written to; got {path}")
    with files.outputs(real) as (scratch,), scratch.open("wb") as stream:
        if real.exists():
            shutil.copymode(real, scratch)
        yield stream
