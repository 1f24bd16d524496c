"""Labels that a user has corrected: a CSV file with the columns id and label, which may be a header alone."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.files import sha256_of_file
from textclf.core.quoting import quote_value
from textclf.core.unchanged import unchanged
from textclf.tables.corpus import ERRORS_SHOWN
from textclf.tables.layout import Layout, Record
from textclf.tables.read import read_batches
from textclf.tables.values import label_of

COLUMNS = ("id", "label")
RULE = "must be a CSV file of corrected labels (the header id,label alone if there are none)"
ADVICE = re.compile(r"; (if [^;]*, )?set .*")


@dataclass(frozen=True)
class Corrections:
    """The corrected label of each row by its id, in the order of the file, and the line of each id."""

    path: Path
    labels: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows that have a corrected label."""
        return len(self.labels)


@contextlib.contextmanager
def unchanged_corrections(path: Path, multilabel: bool = False) -> Iterator[Corrections]:
    """Yield the corrections in a file; `UserError` if there is none, or if it changes before the end of the block."""
    if not path.is_file():
        raise UserError(f"{path} {RULE}; got no such file; make it")
    with unchanged(path, lambda: {path.name: sha256_of_file(path)}):
        yield read(path, multilabel)


def read(path: Path, multilabel: bool = False) -> Corrections:
    """Return the corrections in a file; `UserError` with a line for each mistake, of many the first few.

    Other columns than id and label are ignored, and so are blank lines. `multilabel`: a label may be `[]`.
    """
    if not path.stat().st_size:
        raise UserError(f"{path} {RULE}; got an empty file")
    corrections = Corrections(path)
    errors: list[str] = []
    layout = Layout(dict(zip(COLUMNS, COLUMNS, strict=True)), option="")
    try:
        for batch in read_batches(path, "csv", layout):
            for number, record in map(batch.row, range(len(batch))):
                try:
                    _add(corrections, number, record, multilabel)
                except ValueError as error:
                    errors.append(f"{path}:{number}: {_without_advice(str(error))}")
    except UserError as error:
        raise UserError(*map(_without_advice, error.lines)) from None
    raise_first(errors, path, len(errors) + len(corrections))
    return corrections


def raise_first(errors: list[str], path: Path, corrections: int) -> None:
    """Raise `UserError` with the first lines of these, if there are any, and how many are not shown."""
    if errors:
        total = f"{path}: {len(errors)} of {corrections} corrections are wrong, {ERRORS_SHOWN} shown"
        raise UserError(*errors[:ERRORS_SHOWN], *([total] if len(errors) > ERRORS_SHOWN else []))


def _without_advice(line: str) -> str:
    """Return a line of an error without the advice to change settings of a table, which this file has not."""
    return ADVICE.sub("", line)


def _add(corrections: Corrections, number: int, record: Record | ValueError, multilabel: bool) -> None:
    if isinstance(record, ValueError):
        raise record
    if not any(record.values()):
        return
    values = []
    for column in COLUMNS:
        value = label_of(record, column) or ""
        if not value.strip():
            advice = "; write [] for none" if multilabel and column == "label" else ""
            raise ValueError(f"{column} must not be empty; got {quote_value(record.get(column))}{advice}")
        values.append(value)
    row, label = values
    if (first := corrections.lines.setdefault(row, number)) != number:
        raise ValueError(f"id must be unique; got {quote_value(row)}, as in line {first}")
    corrections.labels[row] = label
