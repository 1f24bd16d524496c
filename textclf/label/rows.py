"""The file to label, such as to_label.csv: a CSV file whose rows are answered one by one."""

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from textclf.core.display import labelled_names, list_in, visible
from textclf.core.errors import UserError
from textclf.core.outputs import clear, locked
from textclf.core.settings import PARAMS_FILE, load_section
from textclf.predict.outputs import open_output
from textclf.tables.edited import Form, read_edited, read_form
from textclf.tables.settings import Data
from textclf.tables.several import labels_in
from textclf.tables.values import label_of

COLUMNS = ("id", "text", "label", "by", "at", "suggested", "probability", "why")
ANSWER = ("label", "by", "at")  # columns that an answer fills, added to a file that lacks them
SPLITS = Path("data/splits")
# Both are written by `textclf label --merge`; the table only before there is a project.
CONFLICTS = Path("conflicts.csv")
TABLE = Path("table.csv")
LABELS = {"label", "suggested"}
RULE = "must be a CSV file with the columns id and text"


class AnsweredError(UserError):
    """A row is not open any more: it was answered elsewhere, or it has left the file."""


class _EditedError(Exception):
    """An editor has saved the file while an answer was being written."""


@dataclass(frozen=True)
class Row:
    """A text with its answer and suggestion.

    With several labels per text, `label` and `suggested` are JSON lists.
    """

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

    @property
    def answer(self) -> tuple[str, str, str]:
        """The cells of `ANSWER`."""
        return self.label, self.by, self.at

    def cell(self, column: str) -> str:
        """Return the cell in a column of the file."""
        return str(getattr(self, column)) if column in COLUMNS else self.other.get(column, "")


def _answered_meanwhile(row: Row) -> AnsweredError:
    return AnsweredError(f"this text has been answered meanwhile: {row.label or 'discarded'}")


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

    Several processes may answer the rows of one file, and an editor may change it meanwhile: a
    change is one of the file as it is then.
    """

    def __init__(self, path: Path, multilabel: bool = False) -> None:
        """Read the file; `UserError` if it breaks a rule. Clear what a killed process left."""
        clear(path.resolve())
        self.path, self.multilabel, self._seen = path, multilabel, (0, 0, 0)
        # What was answered here, the last one last, by the ids of the rows: no others are opened
        # again.
        self.own: dict[str, tuple[str, str, str]] = {}
        self.rows: list[Row] = []
        self._read()

    @property
    def labels(self) -> list[str]:
        """The labels and suggestions in the file, in the order in which they first occur."""
        cells = [cell for row in self.rows for cell in (row.label, row.suggested)]
        labels = (label for cell in cells for label in labels_of(cell, self.multilabel))
        return list(dict.fromkeys(labels))

    def answer(self, row_id: str, label: str, by: str) -> None:
        """Write the answer to an open row; the label "" discards its text.

        Raises `AnsweredError` if the row is not open.
        """

        def answered(row: Row) -> Row:
            if not row.open:
                raise _answered_meanwhile(row)
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return replace(row, label=label, by=by, at=now)

        self.own[row_id] = self._change(row_id, answered).answer

    def undo(self, row_id: str) -> None:
        """Open a row again: empty the cells of its answer.

        Raises `AnsweredError` if the answer is not the one given here.
        """

        def opened(row: Row) -> Row:
            if not row.open and row.answer != self.own.get(row_id):
                raise _answered_meanwhile(row)
            return replace(row, label="", by="", at="")

        try:
            self._change(row_id, opened)
        except AnsweredError:
            self.own.pop(row_id, None)
            raise
        self.own.pop(row_id, None)

    def _change(self, row_id: str, change: Callable[[Row], Row]) -> Row:
        """Change a row of the file as it is now, and return it; other processes wait."""
        with locked(self.path):
            while True:
                now = _signature(self.path.stat())
                if self._seen != now:
                    self._read()
                    self._seen = now
                row = next((row for row in self.rows if row.id == row_id), None)
                if row is None:
                    raise AnsweredError(f"this text is no longer in {self.path}")
                changed = change(row)
                with contextlib.suppress(_EditedError):
                    self._write(changed)
                    self.rows = [changed if row.id == row_id else row for row in self.rows]
                    return changed

    def _write(self, changed: Row) -> None:
        """Replace the file by one with the changed row; `_EditedError` if an editor changed it."""
        content = self._content(changed)
        with open_output(self.path) as stream:
            stream.write(content)
            stream.flush()
            written = os.fstat(stream.fileno())
            if self._seen != _signature(self.path.stat()):
                raise _EditedError
        self._seen = _signature(written)

    def _content(self, changed: Row) -> bytes:
        """Return the bytes of the file with the changed row."""
        return _as_csv([changed if row.id == changed.id else row for row in self.rows], self.form)

    def _read(self) -> None:
        """Read the rows, and the columns to write, those of the file first."""
        if self.path.suffix.lower() != ".csv" or not self.path.is_file():
            got = self.path if self.path.exists() else f"{self.path}, which does not exist"
            raise UserError(f"the file to label {RULE}; got {got}; textclf suggest makes one")
        rows: list[Row] = []
        form = read_form(self.path)
        columns = list(dict.fromkeys(["id", "text", *form.columns]))
        separator = load_section("data", Data).label_separator if PARAMS_FILE.exists() else None

        def add(*values: str) -> None:
            cells = dict(zip(columns, values, strict=True))
            for name in LABELS & cells.keys():
                cell = cells[name].strip()
                if self.multilabel and cell:
                    cell = cell_of(labels_in(cell, name, separator, single=True), True)
                cells[name] = cell
            other = {name: cells.pop(name) for name in columns if name not in COLUMNS}
            rows.append(Row(**cells, other=other))

        read_edited(self.path, columns, RULE, "rows", add)
        missing = [name for name in ANSWER if name not in form.columns]
        self.form, self.rows = replace(form, columns=[*form.columns, *missing]), rows


def read_rows(path: Path, multilabel: bool = False) -> list[Row]:
    """Return the rows of a file to label; `UserError` if it breaks a rule."""
    return LabelFile(path, multilabel).rows


def is_multilabel(paths: Iterable[Path]) -> bool:
    """Return whether texts have several labels, by params.yaml, or else by the files to label."""
    if PARAMS_FILE.exists():
        return load_section("data", Data).multilabel
    return any(
        list_in(row.label or row.suggested) is not None for path in paths for row in read_rows(path)
    )


def write_rows(
    path: Path, rows: Iterable[Row], columns: Sequence[str] = COLUMNS, *, new: bool = False
) -> None:
    """Write a file to label with these columns, atomically.

    The old file is there until the new one is on the disk. Raises `FileExistsError` if a `new` file
    is there already.
    """
    with open_output(path, new=new) as stream:
        stream.write(_as_csv(rows, replace(read_form(path), columns=columns)))


def _as_csv(rows: Iterable[Row], form: Form) -> bytes:
    return form.file([[row.cell(name) for name in form.columns] for row in rows])


def _signature(status: os.stat_result) -> tuple[int, int, int]:
    """Return what differs when a file was written anew."""
    return status.st_ino, status.st_size, status.st_mtime_ns


class Label(NamedTuple):
    """A label, what is shown for it, and the number that chooses it."""

    name: str
    shown: str
    key: str


@dataclass
class Session:
    """The answers of one person."""

    answers: LabelFile
    by: str
    known: list[str]  # labels in their order
    titles: Mapping[str, str]  # what to show for a label
    blind: bool  # whether given and suggested labels are hidden

    def labels(self) -> list[Label]:
        """Return the labels; a key is the position from 1, or the label if all are numbers."""
        # New labels are last, so that keys stay.
        self.known += [name for name in self.answers.labels if name not in self.known]
        shown = labelled_names(self.known, self.titles)
        numbers = all(name.isascii() and name.isdecimal() for name in shown)
        return [
            Label(name, shown[name], name if numbers else str(key))
            for key, name in enumerate(shown, start=1)
        ]

    def row(self, skipped: Sequence[str] = (), row_id: str = "") -> Row | None:
        """Return the open row with this id, else the first open one, those skipped last.

        Return None if no row is open.
        """
        rows = {row.id: row for row in self.answers.rows if row.open}
        order = [row_id, *(name for name in rows if name not in skipped), *skipped]
        return next((rows[name] for name in order if name in rows), None)

    def answer(self, row_id: str, labels: Sequence[str] | None) -> None:
        """Store the labels of a row; None discards it.

        Raises `ValueError` if a label could not be read again.
        """
        names = [(label_of({"label": label}, "label") or "").strip() for label in labels or ()]
        if "" in names:
            raise ValueError("a label must not be empty")
        cell = "" if labels is None else cell_of(names, self.answers.multilabel)
        self.answers.answer(row_id, cell, self.by)

    def see(self, row: Row) -> dict[str, Any]:
        """Return what may be seen of a row; `default` are the labels that Enter chooses."""
        seen = Row(row.id, row.text) if self.blind else row
        shown = {label.name: label.shown for label in self.labels()}
        labels, facts = {}, {}
        for name in ("given", "suggested"):
            labels[name] = labels_of(getattr(seen, name), self.answers.multilabel)
            facts[name] = ", ".join(shown.get(label, label) for label in labels[name])
        facts |= {"probability": seen.probability, "why": visible(seen.why)}
        other = {"id": row.id, **row.other}
        return {
            "id": row.id,
            "text": row.text,
            "review": bool(row.given),
            "default": labels["given" if seen.given else "suggested"],
            "facts": {name: fact for name, fact in facts.items() if fact},
            "other": {name: visible(cell) for name, cell in other.items() if cell},
        }
