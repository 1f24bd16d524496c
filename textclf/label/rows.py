"""The file to label, such as to_label.csv: a CSV file whose rows are answered one by one."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.files import csv_lines
from textclf.core.quoting import quote_value
from textclf.predict.outputs import open_output
from textclf.tables.columns import column_names
from textclf.tables.corpus import ERRORS_SHOWN
from textclf.tables.delimited import DELIMITERS
from textclf.tables.edited import without_advice
from textclf.tables.layout import Layout, Record
from textclf.tables.read import read_batches
from textclf.tables.several import labels_in
from textclf.tables.values import label_of, text_of

COLUMNS = ("id", "text", "label", "by", "at", "suggested", "probability", "why")
ANSWER = ("label", "by", "at")  # columns that an answer fills, added to a file that lacks them


class AnsweredError(UserError):
    """A row is not open any more: it was answered elsewhere, or it has left the file."""


@dataclass(frozen=True)
class Row:
    """A text with its answer and suggestion; of several labels per text, `label` and `suggested` are JSON lists."""

    id: str
    text: str
    label: str = ""
    by: str = ""  # without a label: the text was discarded
    at: str = ""  # UTC
    suggested: str = ""
    probability: str = ""
    why: str = ""
    given: str = ""  # the label under review; in no file to label
    other: dict[str, str] = field(default_factory=dict)  # cells of other columns of the file

    @property
    def open(self) -> bool:
        """Whether the row has no answer."""
        return not self.label and not self.by


def labels_of(cell: str, multilabel: bool) -> list[str]:
    """Return the labels in a cell of `Row`: none, one, or those of a JSON list."""
    if multilabel and cell:
        labels: list[str] = json.loads(cell)
        return labels
    return [cell] if cell else []


def cell_of(labels: Iterable[str], multilabel: bool) -> str:
    """Return the labels as a cell of `Row`: at most one, or a JSON list of them, sorted."""
    return json.dumps(sorted(set(labels)), ensure_ascii=False) if multilabel else "".join(labels)


def answer(row: Row, label: str, by: str) -> Row:
    """Return an open row with its answer, given now; "" discards the text. `AnsweredError` if it is not open."""
    if not row.open:
        raise AnsweredError(f"{quote_value(row.id)} has been answered meanwhile: {label_or_discarded(row)}")
    return replace(row, label=label, by=by, at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def label_or_discarded(row: Row) -> str:
    """Return the label of an answered row, quoted, or that it was discarded."""
    return quote_value(row.label) if row.label else "discarded"


class LabelFile:
    """The rows of a file to label, each answer of which is on the disk when `answer` returns.

    If the file has changed on the disk, as by an editor, it is read again first.
    """

    def __init__(self, path: Path, multilabel: bool = False) -> None:
        """Read the file; raise `UserError` if it breaks a rule."""
        self.path, self.multilabel = path, multilabel
        self._read()

    @property
    def rows(self) -> Sequence[Row]:
        """All rows, in the order of the file as it was last read."""
        return list(self._rows.values())

    @property
    def labels(self) -> list[str]:
        """The labels and suggestions in the file, in the order in which they first occur."""
        cells = [cell for row in self._rows.values() for cell in (row.label, row.suggested)]
        return list(dict.fromkeys(label for cell in cells for label in labels_of(cell, self.multilabel)))

    def answer(self, row_id: str, label: str, by: str) -> None:
        """Write the answer to an open row; the label "" discards its text. `AnsweredError` if it is not open."""
        self._change(answer(self._row(row_id), label, by))

    def undo(self, row_id: str) -> None:
        """Open a row again: empty the cells of its answer."""
        self._change(replace(self._row(row_id), label="", by="", at=""))

    def _row(self, row_id: str) -> Row:
        if self._written != _signature(self.path):
            self._read()
        if row_id not in self._rows:
            raise AnsweredError(f"{quote_value(row_id)} is no longer in {self.path}")
        return self._rows[row_id]

    def _read(self) -> None:
        self._written = _signature(self.path)  # before it is read: what changes meanwhile is read again
        self._columns, rows = _read(self.path, self.multilabel)
        self._rows = {row.id: row for row in rows}

    def _change(self, row: Row) -> None:
        rows = {**self._rows, row.id: row}
        write_rows(self.path, list(rows.values()), self._columns)
        self._rows, self._written = rows, _signature(self.path)


def read_rows(path: Path, multilabel: bool = False) -> list[Row]:
    """Return the rows of a file to label; `UserError` with a line for each mistake, of many the first few."""
    return _read(path, multilabel)[1]


def write_rows(path: Path, rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> None:
    """Write a file to label with these columns, atomically: the old file is there until the new one is on the disk."""
    cells = [[getattr(row, name) if name in COLUMNS else row.other.get(name, "") for name in columns] for row in rows]
    with open_output(path) as stream:
        stream.write(csv_lines([columns, *cells]))


def _read(path: Path, multilabel: bool) -> tuple[list[str], list[Row]]:
    """Return the columns to write, those of the file first, and the rows."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        got = path if path.exists() else f"{path}, which does not exist"
        raise UserError(f"the file to label must be a CSV file; got {got}; textclf suggest makes one")
    rows: dict[str, Row] = {}
    errors: list[str] = []
    try:
        layout = Layout({}, format="csv", option="")
        names = column_names(path, layout)
        if len(names) == 1:  # as spreadsheets save it where the comma is for decimals
            layout = replace(layout, delimiter=next((mark for mark in DELIMITERS if mark in names[0]), None))
            names = column_names(path, layout)
        for number, record in _records(path, replace(layout, columns={name: name for name in ("id", "text", *names)})):
            try:
                _add(rows, record, multilabel)
            except ValueError as error:
                errors.append(f"{path}:{number}: {without_advice(str(error))}")
    except UserError as error:
        raise UserError(*map(without_advice, error.lines)) from None
    if errors:
        raise UserError(*errors[:ERRORS_SHOWN])
    return [*names, *(name for name in ANSWER if name not in names)], list(rows.values())


def _records(path: Path, layout: Layout) -> Iterator[tuple[int, Record | ValueError]]:
    for batch in read_batches(path, "csv", layout):
        for number, record in map(batch.row, range(len(batch))):
            if isinstance(record, ValueError) or any(record.values()):  # no blank line
                yield number, record


def _add(rows: dict[str, Row], record: Record | ValueError, multilabel: bool) -> None:
    """Add the row of a record to the rows by id; `ValueError` if it breaks a rule."""
    if isinstance(record, ValueError):
        raise record
    cells = {name: (text_of(record, name) or "") for name in record}
    for name in ("id", "label", "suggested"):
        cells[name] = (label_of(record, name) or "").strip()
    for name in ("label", "suggested") if multilabel else ():
        if cells[name]:
            cells[name] = cell_of(labels_in(cells[name], name, None, single=True), multilabel)
    other = {name: cells.pop(name) for name in list(cells) if name not in COLUMNS}
    row = Row(**cells, other=other)
    if not row.id or row.id in rows:
        raise ValueError(f"id must be unique and not empty; got {quote_value(row.id)}")
    rows[row.id] = row


def _signature(path: Path) -> tuple[int, ...] | None:
    """Return what differs when a file was written anew; None without the file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
