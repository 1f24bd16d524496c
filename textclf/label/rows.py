"""The file to label, such as to_label.csv: a CSV file whose rows are answered one by one."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.files import csv_lines
from textclf.core.quoting import quote_value
from textclf.predict.outputs import open_output
from textclf.tables.columns import column_names
from textclf.tables.delimited import DELIMITERS
from textclf.tables.edited import records, without_advice
from textclf.tables.layout import Layout, Record
from textclf.tables.several import labels_in
from textclf.tables.values import label_of, text_of

COLUMNS = ("id", "text", "label", "by", "at", "suggested", "probability", "why")
ANSWER = ("label", "by", "at")  # columns that an answer fills, added to a file that lacks them
LABELS = ("label", "suggested")


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


class LabelFile:
    """The rows of a file to label; an answer is on the disk when `answer` returns.

    If the file has changed on the disk, as by an editor, it is read again first.
    """

    def __init__(self, path: Path, multilabel: bool = False) -> None:
        """Read the file; raise `UserError` if it breaks a rule."""
        self.path, self.multilabel = path, multilabel
        self._read()

    @property
    def labels(self) -> list[str]:
        """The labels and suggestions in the file, in the order in which they first occur."""
        cells = [cell for row in self.rows for cell in (row.label, row.suggested)]
        return list(dict.fromkeys(label for cell in cells for label in labels_of(cell, self.multilabel)))

    def answer(self, row_id: str, label: str, by: str) -> None:
        """Write the answer to an open row; the label "" discards its text. `AnsweredError` if it is not open."""
        row = self._find(row_id)
        if not row.open:
            raise AnsweredError(f"this text has been answered meanwhile: {row.label or 'discarded'}")
        self._change(replace(row, label=label, by=by, at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))

    def undo(self, row_id: str) -> None:
        """Open a row again: empty the cells of its answer."""
        self._change(replace(self._find(row_id), label="", by="", at=""))

    def _find(self, row_id: str) -> Row:
        if self._written != _signature(self.path):
            self._read()
        if row := next((row for row in self.rows if row.id == row_id), None):
            return row
        raise AnsweredError(f"this text is no longer in {self.path}")

    def _read(self) -> None:
        self._written = _signature(self.path)  # before it is read: what changes meanwhile is read again
        self.columns, self.rows = _read(self.path, self.multilabel)

    def _change(self, changed: Row) -> None:
        rows = [changed if row.id == changed.id else row for row in self.rows]
        write_rows(self.path, rows, self.columns)
        self.rows, self._written = rows, _signature(self.path)


def read_rows(path: Path, multilabel: bool = False) -> list[Row]:
    """Return the rows of a file to label; `UserError` if it breaks a rule."""
    return _read(path, multilabel)[1]


def write_rows(path: Path, rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> None:
    """Write a file to label with these columns, atomically: the old file is there until the new one is on the disk."""
    cells = [[getattr(row, name) if name in COLUMNS else row.other.get(name, "") for name in columns] for row in rows]
    with open_output(path) as stream:
        stream.write(csv_lines([columns, *cells]))


def _read(path: Path, multilabel: bool) -> tuple[list[str], list[Row]]:
    """Return the columns to write, those of the file first, and the rows."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        raise UserError(f"the file to label must be a CSV file that exists; got {path}; textclf suggest makes one")
    rows: dict[str, Row] = {}
    with path.open(encoding="utf-8", errors="replace") as file:
        header = file.readline()
    delimiter = next((mark for mark in DELIMITERS if mark in header), None)  # ; in files of many spreadsheets
    layout = Layout({}, format="csv", delimiter=delimiter, option="")
    names = column_names(path, layout)
    for number, record in records(path, replace(layout, columns={name: name for name in ("id", "text", *names)})):
        try:
            _add(rows, record, multilabel)
        except ValueError as error:
            raise UserError(without_advice(f"{path}:{number}: {error}")) from error
    return [*names, *(name for name in ANSWER if name not in names)], list(rows.values())


def _add(rows: dict[str, Row], record: Record | ValueError, multilabel: bool) -> None:
    """Add the row of a record; `ValueError` if it breaks a rule."""
    if isinstance(record, ValueError):
        raise record
    cells = {name: text_of(record, name) or "" for name in record}
    cells |= {name: (label_of(record, name) or "").strip() for name in ("id", *LABELS) if name in cells}
    if multilabel:
        cells |= {
            name: cell_of(labels_in(cells[name], name, None, single=True), True) for name in LABELS if cells.get(name)
        }
    if not cells["id"] or cells["id"] in rows:
        raise ValueError(f"id must be unique and not empty; got {quote_value(cells['id'])}")
    other = {name: cells.pop(name) for name in record if name not in COLUMNS}
    rows[cells["id"]] = Row(**cells, other=other)


def _signature(path: Path) -> tuple[int, ...] | None:
    """Return what differs when a file was written anew; None without the file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
