"""Small tables of results, such as the curves in plots/*.csv: named columns of equal length, as numpy arrays."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]


class Columns(Protocol):
    """Columns by name: a `Table`, a mapping of sequences, or a data frame."""

    def keys(self) -> Any:
        """Return the names, in order."""

    def __getitem__(self, name: str, /) -> Any:
        """Return the values of a column."""


class Table:
    """Columns by name, in order, all with as many values as the table has rows. A table is never changed.

    A column of text has dtype object and holds `str`; a column of numbers is int64 or float64.
    """

    def __init__(self, columns: Mapping[str, Any] | Columns) -> None:
        """Take the columns; a single text or number stands in every row. Raise `ValueError` for unequal lengths."""
        names = columns.keys()
        arrays = {str(name): _column(columns[name]) for name in names}
        lengths = {len(array) for array in arrays.values() if array.ndim}
        if len(lengths) > 1:
            raise ValueError(f"the columns of a table must have one length; got {sorted(lengths)}")
        self._rows = lengths.pop() if lengths else min(1, len(arrays))
        self._columns = {
            name: array if array.ndim else np.full(self._rows, array[()], array.dtype) for name, array in arrays.items()
        }

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._rows

    def __getitem__(self, name: str, /) -> Column:
        """Return a column; `KeyError` if there is none of this name."""
        return self._columns[name]

    def keys(self) -> list[str]:
        """Return the names of the columns, in order."""
        return list(self._columns)

    def select(self, names: Sequence[str]) -> "Table":
        """Return the table with these columns alone, in this order."""
        return Table({name: self[name] for name in names})

    def assign(self, **columns: Any) -> "Table":
        """Return the table with columns added or, in their place, exchanged."""
        return Table(self._columns | columns)

    def where(self, rows: NDArray[Any] | slice) -> "Table":
        """Return the rows of a mask, of positions or of a slice, in their order."""
        return Table({name: column[rows] for name, column in self._columns.items()})

    def groups(self, name: str) -> Iterator[tuple[Any, "Table"]]:
        """Yield each value of a column with its rows, in the order in which the values occur first."""
        values = self[name]
        for value in dict.fromkeys(values.tolist()):
            yield value, self.where(values == value)

    def records(self) -> list[dict[str, Any]]:
        """Return each row as a mapping from names to Python's own values."""
        columns = [column.tolist() for column in self._columns.values()]
        return [dict(zip(self._columns, row, strict=True)) for row in zip(*columns, strict=True)]


def from_records(records: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> Table:
    """Return a table of records that have the same keys; `columns` are those of a table without rows."""
    names = list(records[0]) if records else columns
    return Table({name: [record[name] for record in records] for name in names})


def concatenate(tables: Sequence[Table]) -> Table:
    """Return the rows of all tables, at least one and all with the same columns, in order.

    Numbers of which some are integers and some are not become float64.
    """
    names = tables[0].keys()
    parts = {name: [table[name] for table in tables if len(table)] for name in names}
    return Table({name: np.concatenate(columns) if columns else tables[0][name] for name, columns in parts.items()})


def _column(values: Any) -> Column:
    """Return values as an array: numbers as they are, anything else as objects."""
    array = np.asarray(values)
    return array if array.dtype.kind in "iufb" else np.asarray(values, dtype=object)
