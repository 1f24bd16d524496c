"""The columns of a table: their names, and what is in them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from textclf.core.errors import UserError
from textclf.tables.files import find_files
from textclf.tables.layout import Block, Layout
from textclf.tables.read import read_blocks

# How a date begins, and a whole decimal
MEASURE = re.compile(r"\d{4}-\d\d?-\d\d?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|-?\d*[.,]\d+$")
MOST_DISTINCT = 1000  # distinct values of a column that are counted


@dataclass(frozen=True)
class Column:
    """A column: its number of values that are not empty, their length in characters, and what they look like.

    `distinct` is the number of distinct values, at most `MOST_DISTINCT` + 1. `spaced` is the share of values that have
    white space within or letters beyond ASCII, as sentences have and identifiers have not;
    `measured` the share of dates and decimals.
    """

    name: str
    values: int
    distinct: int
    mean_length: float
    spaced: float
    measured: float


class _NamesFoundError(Exception):
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
    count = length = spaced = measured = 0
    distinct: set[str] = set()
    try:
        for values in _values(path, one, name):
            texts = [text for text in map(_text_of, values) if text]
            count += len(texts)
            length += sum(map(len, texts))
            spaced += sum(not text.isascii() or len(text.split(None, 1)) > 1 for text in texts)
            measured += sum(MEASURE.match(text) is not None for text in texts)
            if len(distinct) <= MOST_DISTINCT:
                distinct.update(texts)
    except UserError:
        return None
    means = (total / max(count, 1) for total in (length, spaced, measured))
    return Column(name, count, min(len(distinct), MOST_DISTINCT + 1), *means)


def _values(path: Path, layout: Layout, name: str) -> Iterator[list[object]]:
    for file in find_files(path, layout):
        for rows in read_blocks(file.path, file.format, layout):
            if isinstance(rows, Block):
                yield rows.lists().get(name, [])
            else:
                yield [record.get(name) for _, record in rows if not isinstance(record, ValueError)]


def _text_of(value: object) -> str:
    """Return a text, an integer or a boolean as text; "" for what can be neither text nor label."""
    return str(value).strip() if isinstance(value, str | int) else ""
