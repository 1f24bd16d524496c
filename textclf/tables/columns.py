"""The columns of a table: their names, and what is in them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from textclf.core.errors import UserError
from textclf.tables.files import find_files
from textclf.tables.layout import Block, Layout
from textclf.tables.read import read_blocks

# How a date begins, and a whole decimal
MEASURE = re.compile(r"\d{4}-\d\d?-\d\d?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|-?\d*[.,]\d+$")


@dataclass(frozen=True)
class Column:
    """A column: its number of values that are not empty, their length in characters, and what they look like.

    `distinct` is the number of distinct values. `spaced` is the share of values that have white space within or letters
    beyond ASCII, as sentences have and identifiers have not; `measured` the share of dates and decimals; `whole` that
    of integers.
    """

    name: str
    values: int
    distinct: int
    mean_length: float
    spaced: float
    measured: float
    whole: float


class _NamesFoundError(BaseException):  # which no reader takes for damage
    """Stops a reader that has found the names of its columns."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = list(names)


class _NamesOnly(Layout):
    """A layout with which a reader stops at the names of the columns."""

    def require_columns(self, path: Path, names: Sequence[str], hint: str = "") -> None:  # noqa: ARG002 (as in Layout)
        """Raise `_NamesFoundError` with the names, which every reader passes here."""
        raise _NamesFoundError(names)


def column_names(path: Path, layout: Layout) -> list[str]:
    """Return the names of the columns of a table's first file; raise `UserError` if it has none or can't be read."""
    file = find_files(path, layout)[0]
    asking = _NamesOnly(**{**vars(layout), "columns": {}})
    try:
        for _ in read_blocks(file.path, file.format, asking):
            pass
    except _NamesFoundError as found:
        return found.names
    raise UserError(f"{file.path} must have rows; got none")


def describe_column(path: Path, layout: Layout, name: str) -> Column | None:
    """Return what is in a column of a table; None if it holds neither texts nor labels, such as decimals.

    `layout` describes the table; its columns are not used. Rows that break a rule are left out.
    """
    one = replace(layout, columns={"label": name})
    length = spaced = measured = whole = 0
    hashes = [np.empty(0, np.int64)]  # 8 bytes per value, since all of them may be distinct
    try:
        for values in _values(path, one, name):
            texts = [text for text in map(_text_of, values) if text]
            hashes.append(np.fromiter(map(hash, texts), np.int64, len(texts)))
            length += sum(map(len, texts))
            spaced += sum(not text.isascii() or len(text.split(None, 1)) > 1 for text in texts)
            measured += sum(MEASURE.match(text) is not None for text in texts)
            whole += sum(text.isdecimal() for text in texts)
    except UserError:
        return None
    every = np.concatenate(hashes)
    means = (total / max(len(every), 1) for total in (length, spaced, measured, whole))
    return Column(name, len(every), len(np.unique(every)), *means)


def _values(path: Path, layout: Layout, name: str) -> Iterator[list[object]]:
    for file in find_files(path, layout):
        for rows in read_blocks(file.path, file.format, layout):
            if isinstance(rows, Block):
                values = rows.columns.get(name, [])
                yield values if isinstance(values, list) else values.to_pylist()
            else:
                yield [record.get(name) for _, record in rows if not isinstance(record, ValueError)]


def _text_of(value: object) -> str:
    """Return a text, an integer or a boolean as text; "" for what can be neither text nor label."""
    return str(value).strip() if isinstance(value, str | int) else ""
