"""CSV files of a project that people edit and commands extend; they may be a header alone."""

import csv
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.files import csv_lines
from textclf.core.outputs import outputs
from textclf.core.quoting import quote_value
from textclf.tables.corpus import ERRORS_SHOWN
from textclf.tables.delimited import DELIMITERS
from textclf.tables.layout import Layout, NumberedRow
from textclf.tables.read import read_batches
from textclf.tables.values import label_of, text_of

LABELS = ("id", "label", "suggested")  # columns without control characters
ADVICE = re.compile(r"; (or |if [^;]*, )?set .*")


@dataclass(frozen=True)
class Form:
    """How a CSV file is written, which a spreadsheet may have changed; it stays so."""

    columns: Sequence[str] = ()
    delimiter: str = ","
    line_end: str = "\n"
    mark: bytes = b""  # the byte order mark, if there is one

    def file(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Return the bytes of a file with these rows."""
        return self.mark + self.lines([self.columns, *rows])

    def lines(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Return rows as the bytes of lines."""
        return csv_lines(rows, self.delimiter, self.line_end)


def read_form(path: Path) -> Form:
    """Return the form of a file; that of a new one, without columns, if there is none."""
    if not path.is_file():
        return Form()
    with path.open("rb") as file:
        start = file.readline(csv.field_size_limit())
    line = start.decode("utf-8-sig", errors="replace")
    delimiter = next((mark for mark in DELIMITERS if mark in line), ",")
    columns = next(csv.reader([line], delimiter=delimiter), [])
    line_end = "\r\n" if line.endswith("\r\n") else "\n"
    return Form(columns, delimiter, line_end, BOM_UTF8 if start.startswith(BOM_UTF8) else b"")


def read_edited(
    path: Path, columns: Sequence[str], rule: str, noun: str, add: Callable[..., None]
) -> dict[str, int]:
    """Call `add` with the texts in these columns of each row; return the line of each id.

    The first column is `id`. Blank lines are skipped. Raises `UserError` with a line for each
    mistake and each `ValueError` of `add`, of many for the first few; for a file that is missing or
    empty, which breaks `rule`. `noun` names the rows.
    """
    if not path.is_file():
        raise UserError(f"{path} {rule}; got no such file; make it")
    if not path.stat().st_size:
        raise UserError(f"{path} {rule}; got an empty file")
    lines: dict[str, int] = {}
    errors: list[str] = []
    rows = 0
    delimiter = read_form(path).delimiter
    layout = Layout(dict(zip(columns, columns, strict=True)), delimiter=delimiter, option="")
    readers = [(name, label_of if name in LABELS else text_of) for name in columns]
    for number, record in _records(path, layout):
        rows += 1
        try:
            if isinstance(record, ValueError):
                raise record
            row, *others = (read(record, name) or "" for name, read in readers)
            _require_id(row, lines.setdefault(row, number), number)
            add(row, *others)
        except ValueError as error:
            errors.append(f"{path}:{number}: {_without_advice(str(error))}")
    raise_first(errors, path, rows, noun)
    return lines


def _require_id(row: str, first: int, number: int) -> None:
    if not row.strip():
        raise ValueError(f"id must not be empty; got {quote_value(row)}")
    if first != number:
        raise ValueError(f"id must be unique; got {quote_value(row)}, as in line {first}")


def _records(path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield the lines that are not blank and their rows; `UserError` without advice on settings."""
    try:
        for batch in read_batches(path, "csv", layout):
            for number, record in map(batch.row, range(len(batch))):
                if isinstance(record, ValueError) or any(record.values()):
                    yield number, record
    except UserError as error:
        raise UserError(*map(_without_advice, error.lines)) from None


def raise_first(errors: Sequence[str], path: Path, rows: int, noun: str) -> None:
    """Raise `UserError` with the first of these lines, if there are any, and how many there are."""
    lines = list(errors[:ERRORS_SHOWN])
    if len(errors) > ERRORS_SHOWN:
        lines.append(f"{path}: {len(errors)} of {rows} {noun} are wrong, {ERRORS_SHOWN} shown")
    if lines:
        raise UserError(*lines)


def append_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Add rows to a file in its form, in one step; a new file begins with these columns."""
    form = read_form(path) if path.exists() else Form(columns)
    before = path.read_bytes() if path.exists() else form.file([])
    if not before.endswith(b"\n"):
        before += form.line_end.encode()
    with outputs(path) as [scratch]:
        added = [[str(row.get(name, "")) for name in form.columns] for row in rows]
        scratch.write_bytes(before + form.lines(added))


def _without_advice(line: str) -> str:
    """Return a line of an error without advice on settings of tables, which this file lacks."""
    return ADVICE.sub("", line)
