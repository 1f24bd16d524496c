"""Predictions as JSON Lines, CSV or Parquet, written batch by batch."""

import contextlib
import csv
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring as quote_json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.predictions import PREFIX
from textclf.core import parquet
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.core.outputs import outputs, writing
from textclf.core.quoting import quote_name

if TYPE_CHECKING:
    from textclf.predict.predictor import Term

# First characters of cells that spreadsheets compute, the last four in full width: OWASP, CSV Injection.
FORMULA = (*"=+-@\t\r\n", *"\uff1d\uff0b\uff0d\uff20")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # but tab and line end
GROUP_ROWS, GROUP_BYTES = 2**16, 2**24  # a row group of Parquet is written when it has as many of either


@dataclass(frozen=True)
class PredictedBatch:
    """Texts with their predictions: lists of one item per text, `probabilities` (texts, classes).

    `sets` are prediction sets, None if no coverage was asked for; a label is None if its set has not one class.
    """

    ids: list[str]
    texts: list[str]
    labels: Sequence[str | None]
    probabilities: NDArray[np.float64]
    explanations: "list[list[Term]] | None"
    sets: list[list[str]] | None = None


@dataclass(frozen=True)
class Columns:
    """The columns of the output: `id`, `label`, a probability per class; optionally `text`, `set` and `explanation`.

    Without `formulas`, CSV has an apostrophe before each id, text and label that a spreadsheet would compute.
    """

    classes: tuple[str, ...]
    text: bool
    explanation: bool
    formulas: bool = True
    sets: bool = False

    def names(self) -> list[str]:
        """Return the names in order."""
        return [
            "id",
            *(["text"] if self.text else []),
            "label",
            *(["set"] if self.sets else []),
            *(PREFIX + name for name in self.classes),
            *(["explanation"] if self.explanation else []),
        ]

    def of(self, batch: PredictedBatch) -> dict[str, Sequence[Any]]:
        """Return the values of a batch by column, in order."""
        named = (batch.ids, batch.texts, batch.labels, batch.sets or [], batch.explanations or [])
        values: dict[str, Sequence[Any]] = dict(zip(("id", "text", "label", "set", "explanation"), named, strict=True))
        for name, column in zip(self.classes, batch.probabilities.T.tolist(), strict=True):
            values[PREFIX + name] = column
        return {name: values[name] for name in self.names()}


class LineWriter:
    """What the writers of a line per text share: each makes cells of values, and lines of cells."""

    def __init__(self, stream: IO[bytes], columns: Columns) -> None:
        """Write to the stream."""
        self.stream, self.columns = stream, columns

    def write(self, batch: PredictedBatch) -> None:
        """Write a batch."""
        made: dict[str, Callable[[Any], str]] = {"set": set_json, "explanation": explanation_json}
        made |= {PREFIX + name: f"%.{DIGITS}f".__mod__ for name in self.columns.classes}
        cells = [map(made.get(name, self.quote), values) for name, values in self.columns.of(batch).items()]
        self.write_rows(zip(*cells, strict=True))

    def close(self) -> None:
        """Do nothing: each line is complete."""

    abort = close

    def quote(self, text: str | None) -> str:
        """Return an id, a text or a label as a cell; None is a label that is missing."""
        raise NotImplementedError

    def write_rows(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows of cells as lines."""
        raise NotImplementedError


class JsonLinesWriter(LineWriter):
    """A JSON object per line, probabilities and weights with six digits."""

    def __init__(self, stream: IO[bytes], columns: Columns) -> None:
        """Write to the stream."""
        super().__init__(stream, columns)
        keys = [quote_json(name).replace("%", "%%") for name in columns.names()]
        self.line = f"{{{', '.join(f'{key}: %s' for key in keys)}}}\n"

    def quote(self, text: str | None) -> str:
        """Return the text as JSON."""
        return "null" if text is None else quote_json(text)

    def write_rows(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows of cells as objects."""
        self.stream.write("".join(map(self.line.__mod__, rows)).encode())


class CsvWriter(LineWriter):
    """CSV with a header and LF line ends, probabilities with six digits, sets and explanations as JSON."""

    def __init__(self, stream: IO[bytes], columns: Columns) -> None:
        """Write the header to the stream."""
        super().__init__(stream, columns)
        self.write_rows([columns.names()])

    def quote(self, text: str | None) -> str:
        """Return the text, after an apostrophe if a spreadsheet would take it for a formula: it then shows the text."""
        if text is None:
            return ""
        return f"'{text}" if not self.columns.formulas and text.startswith(FORMULA) else text

    def write_rows(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows of cells, quoted where necessary."""
        lines = _Lines()
        csv.writer(lines, lineterminator="\r\n").writerows(rows)  # so that a field with a lone CR is quoted, too
        self.stream.write("".join(lines).encode())


class _Lines(list[str]):
    """A file for `csv.writer` that keeps the lines, each ended by LF instead of CRLF."""

    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


class ParquetWriter:
    """Parquet: text as string, probabilities as double, a set as a list, an explanation as one of term and weight."""

    def __init__(self, stream: IO[bytes], columns: Columns) -> None:
        """Write to the stream; it stays open."""
        import pyarrow as pa

        terms = pa.list_(pa.struct([("term", pa.string()), ("weight", pa.float64())]))
        types = {name: pa.float64() if name.startswith(PREFIX) else pa.string() for name in columns.names()}
        lists = {name: kind for name, kind in (("set", pa.list_(pa.string())), ("explanation", terms)) if name in types}
        self.schema = pa.schema(list((types | lists).items()))
        self.columns = columns
        self.writer = parquet.Writer(stream, self.schema)
        self.waiting: list[Any] = []  # tables of the next row group

    def write(self, batch: PredictedBatch) -> None:
        """Write a batch, or keep it until the row group is large enough."""
        import pyarrow as pa

        self.waiting.append(pa.table(self.columns.of(batch), self.schema))
        if sum(map(len, self.waiting)) >= GROUP_ROWS or sum(table.nbytes for table in self.waiting) >= GROUP_BYTES:
            self._write_group()

    def close(self) -> None:
        """Write the last row group and the footer."""
        self._write_group()
        self.writer.close()

    def abort(self) -> None:
        """Discard the footer, so that no reader takes the output for complete."""
        self.writer.abort()

    def _write_group(self) -> None:
        import pyarrow as pa

        if self.waiting:
            self.writer.write_table(pa.concat_tables(self.waiting))
            self.waiting = []


def set_json(labels: list[str]) -> str:
    """Return the labels of a prediction set as JSON."""
    return f"[{', '.join(map(quote_json, labels))}]"


def explanation_json(terms: "list[Term]") -> str:
    """Return terms and weights as JSON, weights with six digits."""
    return json.dumps([{"term": term, "weight": round(weight, DIGITS)} for term, weight in terms], ensure_ascii=False)


@dataclass(frozen=True)
class Format:
    """A format of predictions: the endings of its files, and its writer."""

    endings: tuple[str, ...]
    writer: type[LineWriter | ParquetWriter]


FORMATS = {
    "jsonl": Format((".jsonl", ".ndjson"), JsonLinesWriter),
    "csv": Format((".csv",), CsvWriter),
    "parquet": Format((".parquet",), ParquetWriter),
}
DEFAULT = "jsonl"
ENDINGS = {ending: name for name, kind in FORMATS.items() for ending in kind.endings}


class Terminal(io.BufferedIOBase):
    """Standard output on a terminal: shows control characters of the texts, which the terminal would obey."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write to the stream."""
        self.stream = stream

    def write(self, lines: Any) -> int:
        """Write whole lines in UTF-8."""
        return self.stream.write(CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", lines.decode()).encode())

    def flush(self) -> None:
        """Pass on what was written."""
        self.stream.flush()


def write(batches: Iterable[PredictedBatch], stream: IO[bytes], kind: str, columns: Columns) -> None:
    """Write each batch to the stream as soon as it is available; `kind` is one of `FORMATS`."""
    writer = FORMATS[kind].writer(stream, columns)
    try:
        for batch in batches:
            writer.write(batch)
            stream.flush()
        writer.close()
    except BaseException:
        writer.abort()
        raise
    stream.flush()


def require_other_files(read: Mapping[str, Path], written: Mapping[str, Path | None]) -> None:
    """Raise `UserError` if a file that is written would replace one that is read, or another one that is written.

    The keys are the names of the arguments.
    """
    files: dict[str, str] = {}
    for option, path in read.items():
        files.setdefault(os.path.realpath(path), option)
    for option, target in written.items():
        if target is None or (target.exists() and not target.is_file()):  # a device may be written twice
            continue
        first = files.setdefault(os.path.realpath(target), option)
        if first != option:
            raise UserError(f"{option} must be another file than {first}; got {quote_name(str(target))}")


@contextlib.contextmanager
def open_output(path: Path, option: str = "--output") -> Iterator[IO[bytes]]:
    """Open a file that replaces the one at `path` if the block ends without error; a device or pipe is opened itself.

    A link stays a link, and the permissions of a replaced file stay. Raises `UserError`, which calls the path `option`,
    for a folder, and for a file in a folder that does not exist or is not writable.
    """
    if path.exists() and not path.is_file():
        if path.is_dir():
            raise UserError(f"{option} must be a file; got the folder {path}")
        with writing(path), path.open("wb") as stream:
            yield stream
        return
    target = Path(os.path.realpath(path))
    if not (target.parent.is_dir() and os.access(target.parent, os.W_OK | os.X_OK)):
        raise UserError(f"{option} must be in an existing folder that is writable; got {path}")
    with outputs(target) as (scratch,), scratch.open("wb") as stream:
        if target.exists():
            shutil.copymode(target, scratch)
        yield stream
