"""CSV files in a project's folder that people edit and commands extend, which may be a header alone."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


def read_header(path: Path) -> tuple[str, list[str]]:
    """Return the delimiter of a file, which a spreadsheet may have changed, and its columns; none without a file."""
    if not path.is_file():
        return ",", []
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        line = file.readline(csv.field_size_limit())
    delimiter = next((mark for mark in DELIMITERS if mark in line), ",")
    return delimiter, next(csv.reader([line], delimiter=delimiter), [])


def read_edited(
    path: Path, columns: Sequence[str], rule: str, noun: str, add: Callable[..., None], delimiter: str = ","
) -> dict[str, int]:
    """Call `add` with the texts in these columns, of which the first is `id`, of each row; return the line of each id.

    Blank lines are skipped. Raises `UserError` with a line for each mistake and each `ValueError` of `add`, of many for
    the first few; for a file that is missing or empty, which breaks `rule`. `noun` names the rows.
    """
    if not path.is_file():
        raise UserError(f"{path} {rule}; got no such file; make it")
    if not path.stat().st_size:
        raise UserError(f"{path} {rule}; got an empty file")
    lines: dict[str, int] = {}
    errors: list[str] = []
    rows = 0
    for number, record in _records(
        path, Layout(dict(zip(columns, columns, strict=True)), delimiter=delimiter, option="")
    ):
        rows += 1
        try:
            if isinstance(record, ValueError):
                raise record
            row, *others = ((label_of if name in LABELS else text_of)(record, name) or "" for name in columns)
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
    """Yield the lines that are not blank and their rows; the `UserError` of a file that is no CSV has no advice."""
    try:
        for batch in read_batches(path, "csv", layout):
            for number, record in map(batch.row, range(len(batch))):
                if isinstance(record, ValueError) or any(record.values()):
                    yield number, record
    except UserError as error:
        raise UserError(*map(_without_advice, error.lines)) from None


def raise_first(errors: Sequence[str], path: Path, rows: int, noun: str) -> None:
    """Raise `UserError` with the first lines of these, if there are any, and how many are not shown."""
    if errors:
        total = f"{path}: {len(errors)} of {rows} {noun} are wrong, {ERRORS_SHOWN} shown"
        raise UserError(*errors[:ERRORS_SHOWN], *([total] if len(errors) > ERRORS_SHOWN else []))


def append_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Replace a file, in one step, by itself with more rows; without one, begin with a header of these columns."""
    before = path.read_bytes() if path.exists() else f"{','.join(columns)}\n".encode()
    header = read_header(path)[1] or columns
    added = csv_lines([[str(row.get(name, "")) for name in header] for row in rows])
    with outputs(path) as [scratch]:
        scratch.write_bytes(before + b"\n" * (not before.endswith(b"\n")) + added)


def _without_advice(line: str) -> str:
    """Return a line of an error without the advice to change settings of a table, which this file has not."""
    return ADVICE.sub("", line)
