"""Predictions as JSON Lines, CSV or Parquet, written batch by batch."""

import contextlib
import io
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from json.encoder import encode_basestring as quote_json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.predictions import PREFIX
from textclf.core import parquet
from textclf.core.errors import UserError
from textclf.core.files import DIGITS, csv_lines
from textclf.core.outputs import outputs, writing
from textclf.core.quoting import FORMULA, quote_name
from textclf.core.scale import Scale

if TYPE_CHECKING:
    from textclf.predict.predictor import Term

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # but tab and line end
NO_TEXT = "no text"  # the reason why a row has no label
MANY = 10  # classes with a probability each in text that people read, at most
# A row group of Parquet is written when it has as many rows, or texts of as many bytes.
GROUP_ROWS = 2**16
GROUP_BYTES = 2**24


@dataclass(frozen=True)
class PredictedBatch:
    """Texts with their predictions: lists of one item per text."""

    ids: list[str]
    texts: list[str]
    # Each is a str, a list of several labels, or None: see `reasons`, or a set of not one class.
    labels: Sequence[Any]
    probabilities: NDArray[np.float64]  # (texts, classes)
    explanations: (
        "Sequence[list[Term] | dict[str, list[Term]]] | None"  # of several labels by label
    )
    sets: list[list[str]] | None = None  # prediction sets, if a coverage was asked for
    reasons: Sequence[str | None] = ()
    top: "Sequence[list[Term]] | None" = None  # the most probable classes with their probabilities

    def without(self, rows: Collection[int]) -> "PredictedBatch":
        """Return the batch without the predictions of some rows: no label, NaN probabilities."""
        probabilities = self.probabilities.copy()
        probabilities[list(rows)] = np.nan

        def cleared(values: Sequence[Any] | None, empty: Any) -> Any:
            if not values:
                return values
            return [empty if row in rows else value for row, value in enumerate(values)]

        return replace(
            self,
            labels=cleared(self.labels, None),
            probabilities=probabilities,
            explanations=cleared(self.explanations, []),
            sets=cleared(self.sets, []),
            reasons=cleared(self.reasons, NO_TEXT),
            top=cleared(self.top, []),
        )


@dataclass(frozen=True)
class Columns:
    """Which columns there are besides `id`, `label` and `confidence`.

    The confidence is the probability of the label, or else the highest one.
    """

    classes: tuple[str, ...]
    text: bool
    explanation: int | None  # terms at most
    formulas: bool = True  # otherwise CSV has an apostrophe before what a spreadsheet would compute
    sets: float | None = None  # their coverage
    multilabel: bool = False  # whether a text has a list of labels, and of confidences
    reasons: bool = False
    top: int | None = None  # classes at most, in place of a probability per class
    every: bool = False  # a probability per class also of more than `MANY`
    scale: Scale | None = None  # of ordered classes that are numbers: adds the expected number

    def names(self) -> list[str]:
        """Return the names in order."""
        named = self.classes if self.every or len(self.classes) <= MANY else ()
        return [
            "id",
            *(["text"] if self.text else []),
            "label",
            *(["expected"] if self.scale else []),
            *(["reason"] if self.reasons else []),
            *(["set"] if self.sets is not None else []),
            "confidence",
            *(["top"] if self.top else [PREFIX + name for name in named]),
            *(["explanation"] if self.explanation else []),
        ]

    def of(self, batch: PredictedBatch) -> dict[str, Sequence[Any]]:
        """Return the values of a batch by column, in order."""
        named = (
            batch.ids,
            batch.texts,
            batch.labels,
            batch.reasons,
            batch.sets,
            batch.top,
            batch.explanations,
        )
        names = ("id", "text", "label", "reason", "set", "top", "explanation")
        values: dict[str, Any] = dict(zip(names, named, strict=True))
        columns = dict(zip(self.classes, _columns_of(batch.probabilities), strict=True))
        highest = _columns_of(batch.probabilities.max(axis=1, keepdims=True))[0]
        labels = enumerate(batch.labels)
        if self.multilabel:
            values["confidence"] = [
                several and [columns[label][row] for label in several] for row, several in labels
            ]
        else:
            values["confidence"] = [
                highest[row] if label is None else columns[label][row] for row, label in labels
            ]
        if self.scale is not None:
            expected = (batch.probabilities * self.scale).sum(axis=1, keepdims=True)
            values["expected"] = _columns_of(expected)[0]
        values |= {PREFIX + name: column for name, column in columns.items()}
        return {name: values[name] for name in self.names()}

    def cells(
        self, batch: PredictedBatch, quote: Callable[[str | None], str]
    ) -> Iterator[tuple[str, ...]]:
        """Yield the values of each text as in a line; `quote` writes ids, texts and labels."""
        number: Callable[[Any], str] = f"%.{DIGITS}f".__mod__
        quote_list: Callable[[Any], str] = _quote_list
        if np.isnan(batch.probabilities).any():
            nothing = quote(None)
            number = _or(nothing, number)
            quote_list = _or(nothing, _quote_list)
        made: dict[str, Callable[[Any], str]] = {
            "set": _quote_list,
            "explanation": _quote_terms,
            "confidence": number,
            "expected": number,
        }
        made["top"] = lambda pairs: _quote_pairs(pairs, "label", "probability")
        if self.multilabel:
            made |= {
                "label": quote_list,
                "confidence": _or_list(number, quote(None)),
            }
        made |= {PREFIX + name: number for name in self.classes}
        return zip(
            *(map(made.get(name, quote), values) for name, values in self.of(batch).items()),
            strict=True,
        )


def _columns_of(probabilities: NDArray[np.float64]) -> list[list[float | None]]:
    """Return the values of each column; None where a text has no prediction."""
    missing = np.isnan(probabilities)
    values: NDArray[Any] = probabilities
    if missing.any():
        values = probabilities.astype(object)
        values[missing] = None
    columns: list[list[float | None]] = values.T.tolist()
    return columns


def _or(nothing: str, quote: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return a function that writes None as `nothing`, and other values as `quote` does."""
    return lambda value: nothing if value is None else quote(value)


def _or_list(number: Callable[[Any], str], nothing: str) -> Callable[[Any], str]:
    return _or(nothing, lambda numbers: f"[{', '.join(map(number, numbers))}]")


def _quote_list(labels: Sequence[str]) -> str:
    return f"[{', '.join(map(quote_json, labels))}]"


def _quote_terms(explained: "list[Term] | dict[str, list[Term]]") -> str:
    if isinstance(explained, dict):
        members = (
            f"{quote_json(label)}: {_quote_terms(terms)}" for label, terms in explained.items()
        )
        return f"{{{', '.join(members)}}}"
    return _quote_pairs(explained, "term", "weight")


def _quote_pairs(pairs: "list[Term]", key: str, value: str) -> str:
    return json.dumps(
        [{key: name, value: round(number, DIGITS)} for name, number in pairs], ensure_ascii=False
    )


def write_json_lines(
    batches: Iterable[PredictedBatch], stream: IO[bytes], columns: Columns
) -> None:
    """Write a JSON object per line, probabilities and weights with six digits."""
    keys = [quote_json(name).replace("%", "%%") for name in columns.names()]
    line = f"{{{', '.join(f'{key}: %s' for key in keys)}}}\n"
    for batch in batches:
        rows = columns.cells(batch, lambda text: "null" if text is None else quote_json(text))
        stream.write("".join(map(line.__mod__, rows)).encode())
        stream.flush()


def write_csv(batches: Iterable[PredictedBatch], stream: IO[bytes], columns: Columns) -> None:
    """Write CSV with a header, probabilities with six digits, lists and explanations as JSON."""

    def quote(
        text: str | None,
    ) -> str:  # with an apostrophe, a spreadsheet shows what it would take for a formula
        return (
            f"'{text}" if text and not columns.formulas and text.startswith(FORMULA) else text or ""
        )

    stream.write(csv_lines([columns.names()]))
    for batch in batches:
        stream.write(csv_lines(columns.cells(batch, quote)))
        stream.flush()


def write_parquet(batches: Iterable[PredictedBatch], stream: IO[bytes], columns: Columns) -> None:
    """Write Parquet: probabilities as double, a set as a list of labels.

    An explanation is a list of term and weight.

    With several labels per text, `label` and `confidence` are lists, and an explanation is a map
    from labels to lists.
    """
    import pyarrow as pa

    terms = pa.list_(pa.struct([("term", pa.string()), ("weight", pa.float64())]))
    top = pa.list_(pa.struct([("label", pa.string()), ("probability", pa.float64())]))
    labels, number = pa.list_(pa.string()), pa.float64()
    types = {
        "confidence": number,
        "expected": number,
        "set": labels,
        "top": top,
        "explanation": terms,
    }
    types |= {PREFIX + name: number for name in columns.classes}
    if columns.multilabel:
        types |= {
            "label": labels,
            "confidence": pa.list_(number),
            "explanation": pa.map_(pa.string(), terms),
        }
    schema = pa.schema([(name, types.get(name, pa.string())) for name in columns.names()])
    waiting: list[pa.Table] = []  # of the next row group
    with parquet.writing(stream, schema) as writer:
        for batch in batches:
            waiting.append(pa.table(columns.of(batch), schema))
            if (
                sum(map(len, waiting)) >= GROUP_ROWS
                or sum(table.nbytes for table in waiting) >= GROUP_BYTES
            ):
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting))


FORMATS = {"jsonl": write_json_lines, "csv": write_csv, "parquet": write_parquet}
DEFAULT = "jsonl"
ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}


class Terminal(io.BufferedIOBase):
    """Standard output on a terminal: shows control characters, which the terminal would obey."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write to the stream."""
        self.stream = stream

    def write(self, lines: Any) -> int:
        """Write whole lines in UTF-8."""
        return self.stream.write(
            CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", lines.decode()).encode()
        )

    def flush(self) -> None:
        """Pass on what was written."""
        self.stream.flush()


def write(
    batches: Iterable[PredictedBatch], stream: IO[bytes], kind: str, columns: Columns
) -> None:
    """Write each batch to the stream as soon as it is available; `kind` is one of `FORMATS`."""
    FORMATS[kind](batches, stream, columns)
    stream.flush()


def require_other_files(read: Mapping[str, Path], written: Mapping[str, Path | None]) -> None:
    """Raise `UserError` if a written file is read or written too; the keys name the arguments."""
    files: dict[str, str] = {}
    for option, path in read.items():
        files.setdefault(os.path.realpath(path), option)
    for option, target in written.items():
        if target is None or (
            target.exists() and not target.is_file()
        ):  # a device may be written twice
            continue
        first = files.setdefault(os.path.realpath(target), option)
        if first != option:
            raise UserError(
                f"{option} must be another file than {first}; got {quote_name(str(target))}"
            )


@contextlib.contextmanager
def open_output(path: Path, option: str = "--output", *, new: bool = False) -> Iterator[IO[bytes]]:
    """Open a file that replaces the one at `path` if the block ends without error.

    A device or pipe is opened itself.

    A link and permissions stay. Raises `UserError` if it can't be written, which calls the path
    `option` if its folder is the reason, and `FileExistsError` if a `new` file is there at the end.
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
    with outputs(target, new=new) as (scratch,), scratch.open("wb") as stream:
        yield stream
