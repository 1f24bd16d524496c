"""CSV files in a project's folder that people edit and commands extend, which may be a header alone."""

import contextlib
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from textclf.core.errors import UserError
from textclf.core.files import csv_lines, sha256_of_file
from textclf.core.outputs import outputs
from textclf.core.quoting import quote_value
from textclf.core.unchanged import unchanged
from textclf.tables.corpus import ERRORS_SHOWN
from textclf.tables.layout import Layout, Record
from textclf.tables.read import read_batches

ADVICE = re.compile(r"; (or |if [^;]*, )?set .*")
Content = TypeVar("Content")


@contextlib.contextmanager
def unchanged_file(path: Path, rule: str, read: Callable[[], Content]) -> Iterator[Content]:
    """Yield what `read` returns; `UserError` if there is no file, or if it changes before the end of the block."""
    if not path.is_file():
        raise UserError(f"{path} {rule}; got no such file; make it")
    with unchanged(path, lambda: {path.name: sha256_of_file(path)}):
        yield read()


def read_edited(path: Path, columns: Sequence[str], rule: str, add: Callable[[int, Record], None], noun: str) -> None:
    """Call `add` with the line and the values of each row but blank ones; other columns are ignored.

    Raises `UserError` with a line for each `ValueError` of `add`, of many for the first few, and for an empty file,
    which breaks `rule`; `noun` names the rows.
    """
    if not path.stat().st_size:
        raise UserError(f"{path} {rule}; got an empty file")
    errors: list[str] = []
    rows = 0
    try:
        for batch in read_batches(path, "csv", Layout(dict(zip(columns, columns, strict=True)), option="")):
            for number, record in map(batch.row, range(len(batch))):
                try:
                    if isinstance(record, ValueError):
                        raise record
                    if any(record.values()):
                        rows += 1
                        add(number, record)
                except ValueError as error:
                    errors.append(f"{path}:{number}: {without_advice(str(error))}")
    except UserError as error:
        raise UserError(*map(without_advice, error.lines)) from None
    raise_first(errors, path, rows, noun)


def raise_first(errors: Sequence[str], path: Path, rows: int, noun: str) -> None:
    """Raise `UserError` with the first lines of these, if there are any, and how many are not shown."""
    if errors:
        total = f"{path}: {len(errors)} of {rows} {noun} are wrong, {ERRORS_SHOWN} shown"
        raise UserError(*errors[:ERRORS_SHOWN], *([total] if len(errors) > ERRORS_SHOWN else []))


def note_id(lines: dict[str, int], row: str, number: int) -> None:
    """Note the line of an id; `ValueError` if it is that of an earlier line too."""
    if (first := lines.setdefault(row, number)) != number:
        raise ValueError(f"id must be unique; got {quote_value(row)}, as in line {first}")


def append_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Replace a file, in one step, by itself with more rows; without one, begin with a header of these columns."""
    before = path.read_bytes() if path.exists() else f"{','.join(columns)}\n".encode()
    header = next(csv.reader(io.StringIO(before.decode("utf-8-sig"), newline="")))
    added = csv_lines([[str(row.get(name, "")) for name in header] for row in rows])
    with outputs(path) as [scratch]:
        scratch.write_bytes(before + b"\n" * (not before.endswith(b"\n")) + added)


def without_advice(line: str) -> str:
    """Return a line of an error without the advice to change settings of a table, which this file has not."""
    return ADVICE.sub("", line)
