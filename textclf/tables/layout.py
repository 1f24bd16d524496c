"""The layout of a table, and the batches of bounded size in which readers return its rows."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.core.files import COLUMN, SLICE
from textclf.core.quoting import list_names, quote_value
from textclf.tables import limits

if TYPE_CHECKING:
    import pyarrow as pa

# A column that is filled with the file's name, without endings, in files that lack it.
SOURCE = "source"
SEPARATOR = " "  # between the texts of several columns, unless data.text_separator is set
WHOLE_FILE = 0  # number of a row that is all of its file
NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")

Record = Mapping[str, object]  # column: value
# The number of a line or row, from 1, and the record or the rule that it breaks.
NumberedRow = tuple[int, Record | ValueError]


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of a file."""

    numbers: Sequence[int] | NDArray[np.int64]  # lines or rows from 1
    # By name; texts without nulls if Arrow read them.
    columns: Mapping[str, "list[object] | pa.StringArray"]
    # The rule that a row breaks, by position.
    broken: Mapping[int, ValueError] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.numbers)

    @property
    def size(self) -> int:
        """The length of its texts, about, in bytes."""
        size = 0
        for column in self.columns.values():
            if isinstance(column, list):
                size += sum(len(value) for value in column if isinstance(value, str))
            else:
                size += column.nbytes
        return size

    def row(self, position: int) -> NumberedRow:
        """Return the row at a position."""
        number = int(self.numbers[position])
        if position in self.broken:
            return number, self.broken[position]
        values = {
            name: column[position] if isinstance(column, list) else column[position].as_py()
            for name, column in self.columns.items()
        }
        return number, values


@dataclass(frozen=True)
class Layout:
    """How a table is written, as in section data of params.yaml, and which columns to read."""

    # By purpose: text, label, id, group, time, split, slice_<column>, column_<column>
    columns: Mapping[str, str | tuple[str, ...]]
    files: str = "**/*"
    format: str = "auto"
    encoding: str = "utf-8"
    delimiter: str | None = None
    quoting: bool | None = None
    header: int = 1  # the line or row of the header; 0 if there is none: then columns are 1, 2, ...
    sheet: str | None = None
    query: str | None = None
    text_separator: str = SEPARATOR
    option: str = "data."  # prefix of setting names in errors; -- for a command line
    every_key: bool = False  # whether a JSON object that lacks a column to read breaks a rule

    def columns_of(self, purpose: str) -> tuple[str, ...]:
        """Return the names of the columns of a purpose, none if it has none."""
        names = self.columns.get(purpose, ())
        return (names,) if isinstance(names, str) else names

    def names(self) -> list[str]:
        """Return the names of the columns to read, each once."""
        names = (name for purpose in self.columns for name in self.columns_of(purpose))
        return list(dict.fromkeys(names))

    def require_columns(self, path: Path, names: Sequence[str], hint: str = "") -> None:
        """Raise `UserError` unless each column to read is once among `names`, or is `source`.

        `hint` ends the lines of the error.
        """
        lines = []
        wanted = [(purpose, name) for purpose in self.columns for name in self.columns_of(purpose)]
        for purpose, column in wanted:
            count = names.count(column)
            if count == 1 or (column == SOURCE and not count):
                continue
            got = quote_value(column)
            if count:
                got = f"{count} columns named {got}; rename one"
            if near := [name for name in names if name.strip() == column.strip() != name]:
                got += f"; write {quote_value(near[0])}, with its spaces"
            rule = f"must be one of its columns ({list_names(names)})"
            setting = self.option + ("slices" if purpose.startswith(SLICE) else purpose)
            if purpose.startswith(COLUMN):
                is_setting = self.option == "data."
                setting = "data.columns" if is_setting else "a column that the model reads"
            lines.append(f"{path}: {setting} {rule}; got {got}{hint}")
        if lines:
            raise UserError(*lines)

    def header_hint(self, names: Sequence[str], unit: str) -> str:
        """Return advice for a first line or row that has no column to read and looks like data."""
        wanted = set(self.names()) - {SOURCE}
        if any(map(looks_like_data, names)) and not wanted & set(names):
            no_header = "set data.header to false"
            if self.option == "--":
                no_header = "add --no-header"
            return f"; if {unit} {self.header} is no header, {no_header}"
        return ""

    def column_names(self, first: Sequence[str]) -> list[str]:
        """Return the names of the columns of a table whose first row is this one."""
        if self.header:
            return list(first)
        return [str(number) for number in range(1, len(first) + 1)]


def looks_like_data(name: str) -> bool:
    """Return whether a cell of a header is a number or a text rather than the name of a column."""
    return bool(NUMBER.fullmatch(name)) or len(name) > 40 or name.count(" ") > 3


def place(name: str, number: int) -> str:
    """Return where a row is: `file:line`, or the file alone if the row is all of it."""
    return name if number == WHOLE_FILE else f"{name}:{number}"


RowReader = Callable[[IO[bytes], Path, Layout], Iterator[NumberedRow]]
BatchReader = Callable[[IO[bytes], Path, Layout, int], Iterator[Batch]]


def by_row(read_rows: RowReader) -> BatchReader:
    """Return the reader of a format whose rows are read one by one."""
    return lambda stream, path, layout, most: in_batches(
        read_rows(stream, path, layout), layout, most
    )


def in_batches(rows: Iterable[NumberedRow], layout: Layout, most: int) -> Iterator[Batch]:
    """Yield the rows in batches of `most`, or fewer if they are long; those before an error too."""
    collected: list[NumberedRow] = []
    size = 0
    try:
        for number, record in rows:
            collected.append((number, record))
            if not isinstance(record, ValueError):
                texts = (value for value in record.values() if isinstance(value, str | bytes))
                size += sum(map(len, texts))
            if len(collected) >= most or size >= limits.BLOCK_BYTES:
                yield _batch(collected, layout)
                collected, size = [], 0
    except UserError:
        if collected:
            yield _batch(collected, layout)
        raise
    if collected:
        yield _batch(collected, layout)


def _batch(rows: list[NumberedRow], layout: Layout) -> Batch:
    numbers, records = zip(*rows, strict=True)
    errors = ((row, record) for row, record in enumerate(records) if isinstance(record, ValueError))
    broken = dict(errors)
    whole = list(records)
    for position in broken:
        whole[position] = {}
    names = layout.names()
    if SOURCE in names and not any(SOURCE in record for record in whole):
        names.remove(SOURCE)
    columns = {name: [record.get(name) for record in whole] for name in names}
    return Batch(numbers, columns, broken)
