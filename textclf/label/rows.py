"""The file to label, such as to_label.csv: a CSV file whose rows are answered one by one."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.files import csv_lines
from textclf.core.labels import list_in
from textclf.core.settings import PARAMS_FILE, load_section
from textclf.predict.outputs import open_output
from textclf.tables.edited import read_edited, read_header
from textclf.tables.settings import Data
from textclf.tables.several import labels_in

COLUMNS = ("id", "text", "label", "by", "at", "suggested", "probability", "why")
ANSWER = ("label", "by", "at")  # columns that an answer fills, added to a file that lacks them
SPLITS = Path("data/splits")
CONFLICTS, TABLE = Path("conflicts.csv"), Path("table.csv")  # of `textclf label --merge`; the table before a project
LABELS = {"label", "suggested"}
RULE = "must be a CSV file with the columns id and text"


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
    if not cell:
        return []
    return list(json.loads(cell)) if multilabel else [cell]


def cell_of(labels: Iterable[str], multilabel: bool) -> str:
    """Return the labels as a cell of `Row`: at most one, or a JSON list of them, sorted."""
    return json.dumps(sorted(set(labels)), ensure_ascii=False) if multilabel else "".join(labels)


class LabelFile:
    """The rows of a file to label; an answer is on the disk when `answer` returns.

    If the file has changed on the disk, as by an editor, it is read again first.
    """

    def __init__(self, path: Path, multilabel: bool = False) -> None:
        """Read the file; raise `UserError` if it breaks a rule."""
        self.path, self.multilabel, self._written = path, multilabel, (0, 0, 0)
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
        """Read the rows, and the columns to write, those of the file first."""
        if self.path.suffix.lower() != ".csv" or not self.path.is_file():
            got = self.path if self.path.exists() else f"{self.path}, which does not exist"
            raise UserError(f"the file to label {RULE}; got {got}; textclf suggest makes one")
        rows: list[Row] = []
        delimiter, names = read_header(self.path)
        columns = list(dict.fromkeys(["id", "text", *names]))
        separator = load_section("data", Data).label_separator if PARAMS_FILE.exists() else None

        def add(*values: str) -> None:
            cells = dict(zip(columns, values, strict=True))
            for name in LABELS & cells.keys():
                cells[name] = cell = cells[name].strip()
                if self.multilabel and cell:
                    cells[name] = cell_of(labels_in(cell, name, separator, single=True), True)
            other = {name: cells.pop(name) for name in columns if name not in COLUMNS}
            rows.append(Row(**cells, other=other))

        read_edited(self.path, columns, RULE, "rows", add, delimiter)
        self.columns, self.rows = [*names, *(name for name in ANSWER if name not in names)], rows

    def _change(self, changed: Row) -> None:
        rows = [changed if row.id == changed.id else row for row in self.rows]
        write_rows(self.path, rows, self.columns)
        self.rows, self._written = rows, _signature(self.path)


def read_rows(path: Path, multilabel: bool = False) -> list[Row]:
    """Return the rows of a file to label; `UserError` if it breaks a rule."""
    return LabelFile(path, multilabel).rows


def is_multilabel(paths: Iterable[Path]) -> bool:
    """Return whether texts have several labels: by params.yaml, or without it by the labels in files to label."""
    if PARAMS_FILE.exists():
        return load_section("data", Data).multilabel
    return any(list_in(row.label or row.suggested) is not None for path in paths for row in read_rows(path))


def write_rows(path: Path, rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> None:
    """Write a file to label with these columns, atomically: the old file is there until the new one is on the disk."""
    cells = [[getattr(row, name) if name in COLUMNS else row.other.get(name, "") for name in columns] for row in rows]
    with open_output(path) as stream:
        stream.write(csv_lines([columns, *cells]))


def _signature(path: Path) -> tuple[int, int, int]:
    """Return what differs when a file was written anew."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
