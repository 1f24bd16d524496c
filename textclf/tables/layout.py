"""How a table is laid out, and the shapes in which readers return its rows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.core.quoting import list_names, quote_value

if TYPE_CHECKING:
    import pyarrow as pa

SLICE = "slice_"  # before the name of a column of data.slices: its purpose, and its name in the splits
SOURCE = "source"  # column that is filled with the file's name, without endings, in files that lack it
WHOLE_FILE = 0  # number of a row that is all of its file
NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")

Record = Mapping[str, object]  # column: value
NumberedRow = tuple[int, Record | ValueError]  # line or row number from 1, and the record or the rule that it breaks


@dataclass(frozen=True)
class Block:
    """Consecutive rows: their numbers, and per column its values, which are a list or an array of texts without nulls.

    An array has valid UTF-8.
    """

    numbers: Sequence[int] | NDArray[np.int64]
    columns: Mapping[str, "list[object] | pa.StringArray"]

    def rows(self) -> Iterator[tuple[int, Record]]:
        """Yield the rows one by one."""
        numbers = self.numbers if isinstance(self.numbers, Sequence) else self.numbers.tolist()
        columns = [values if isinstance(values, list) else values.to_pylist() for values in self.columns.values()]
        for number, row in zip(numbers, zip(*columns, strict=True), strict=True):
            yield number, dict(zip(self.columns, row, strict=True))

    def select(self, positions: NDArray[np.int64]) -> "Block":
        """Return the rows at these positions, which increase."""
        columns = {
            name: [values[position] for position in positions] if isinstance(values, list) else values.take(positions)
            for name, values in self.columns.items()
        }
        return Block([int(self.numbers[position]) for position in positions], columns)


Rows = Block | list[NumberedRow]  # consecutive rows: together if all are well-formed, else one by one


@dataclass(frozen=True)
class Layout:
    """How a table is written, and which columns to read from it.

    `columns` maps purposes (text, label, id, group, split, slice_<column>) to column names. `option` is the
    prefix of setting names in errors: `data.` for params.yaml, `--` for a command line. The other fields are
    as in section data of params.yaml.
    """

    columns: Mapping[str, str]
    files: str = "**/*"
    format: str = "auto"
    encoding: str = "utf-8"
    delimiter: str | None = None
    quoting: bool | None = None
    sheet: str | None = None
    query: str | None = None
    option: str = "data."

    def names(self) -> list[str]:
        """Return the names of the columns to read, each once."""
        return list(dict.fromkeys(self.columns.values()))

    def require_columns(self, path: Path, names: Sequence[str], hint: str = "") -> None:
        """Raise `UserError` unless each column to read is exactly once among `names`; `hint` ends its lines.

        The column `source` may be missing.
        """
        lines = []
        for purpose, wanted in self.columns.items():
            if wanted == SOURCE and SOURCE not in names:
                continue
            if (count := names.count(wanted)) != 1:
                got = f"{count} columns named {quote_value(wanted)}" if count else quote_value(wanted)
                rule = f"must be one of its columns ({list_names(names)})"
                setting = "slices" if purpose.startswith(SLICE) else purpose
                lines.append(f"{path}: {self.option}{setting} {rule}; got {got}{hint}")
        if lines:
            raise UserError(*lines)

    def header_hint(self, names: Sequence[str], unit: str) -> str:
        """Return advice for a first line or row, in which no column to read was found and which looks like data."""
        wanted = set(self.columns.values()) - {SOURCE}
        looks = any(NUMBER.fullmatch(name) or len(name) > 40 or name.count(" ") > 3 for name in names)
        return f"; if {unit} 1 is no header, put one above it" if looks and not wanted & set(names) else ""


def place(name: str, number: int) -> str:
    """Return where a row is: `file:line`, or the file alone if the row is all of it."""
    return name if number == WHOLE_FILE else f"{name}:{number}"
