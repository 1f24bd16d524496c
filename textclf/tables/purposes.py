"""The purposes of a table's columns: how the values of each are read, checked and written."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textclf.core.arrow import array_of, encode
from textclf.core.files import COLUMN, SLICE
from textclf.core.quoting import list_names, quote_name, quote_value
from textclf.tables.layout import Layout, Record
from textclf.tables.settings import Data
from textclf.tables.several import JOINT, LABELS, flagged, labels_in, only_value, written_list
from textclf.tables.split_names import split_of_value
from textclf.tables.values import (
    A_NUMBER,
    CONTROL,
    DIGITS,
    NUL,
    are_valid,
    join,
    joined_text,
    kind_of_time,
    label_of,
    parse_time,
    to_array,
    written_cell,
)

DECIMAL_TIME = pa.decimal256(2 * DIGITS, DIGITS)  # the Arrow type of times that are numbers
# The values of a purpose, and which of them are well-formed.
Checked = tuple[pa.Array, NDArray[np.bool_]]


@dataclass
class Purpose:
    """What columns are for; as it is, of ids and groups: texts without control characters."""

    name: str  # as in `Layout.columns`
    columns: tuple[str, ...]
    settings: Data

    has_numbers: ClassVar[bool] = True  # whether integers and booleans are written as texts
    may_drop: ClassVar[bool] = False  # whether data.missing may leave out rows without a value

    @staticmethod
    def written(value: object) -> object:
        """Return a value as a table of texts has it."""
        return value

    def read(self, values: "list[object] | pa.StringArray") -> pa.StringArray:
        """Return the values of a column of a batch as texts."""
        if isinstance(values, list):
            values = list(map(self.written, values))
        return to_array(values, self.has_numbers)

    def check(self, columns: Sequence[pa.StringArray]) -> Checked:
        """Return the values as batches have them, and which rows `write` accepts for sure."""
        return columns[0], are_valid(columns[0], CONTROL)

    def value(self, record: Record) -> str:
        """Return a row's value as text, "" if there is none.

        Raises `ValueError` if text can't hold it.
        """
        column = self.columns[0]
        return label_of({column: self.written(record.get(column))}, column) or ""

    def is_missing(self, record: Record) -> bool:
        """Return whether a row lacks a value that it must have; `ValueError` as `value`."""
        return not self.value(record).strip()

    def empty_error(self, record: Record) -> ValueError:
        """Return the error for a row without a value."""
        column = self.columns[0]
        got = quote_value(record.get(column))
        rule = f"{quote_name(column)} must not be empty; got {got}"
        advice = f"set data.{self.name} to null"
        if self.may_drop:
            noun = "columns" if len(self.columns) > 1 else "column"
            rule = f"{self.name} must not be empty; got {got} in {noun} {list_names(self.columns)}"
            advice = "set data.missing to drop"
        return ValueError(f"{rule}; fill it in, or {advice}")

    def write(self, record: Record) -> Any:
        """Return a row's value as batches have it; `ValueError` if it breaks a rule."""
        value = self.value(record)
        if not value.strip():
            raise self.empty_error(record)
        return self.parse(value)

    def parse(self, value: str) -> Any:
        """Return what a text that is not blank stands for; `ValueError` if it breaks a rule."""
        return value


class Text(Purpose):
    """The text, which may be in several columns."""

    has_numbers = False
    may_drop = True

    def check(self, columns: Sequence[pa.StringArray]) -> Checked:
        values = columns[0]
        if len(columns) > 1:
            rows = zip(*(column.to_pylist() for column in columns), strict=True)
            values = array_of([join(texts, self.settings.text_separator) for texts in rows])
        return values, are_valid(values, NUL)

    def value(self, record: Record) -> str:
        return joined_text(record, self.columns, self.settings.text_separator) or ""


class Repeated(Purpose):
    """Few distinct values, of which each is checked once."""

    @property
    def type(self) -> pa.DataType:
        """The Arrow type of the values."""
        return pa.string()

    def check(self, columns: Sequence[pa.StringArray]) -> Checked:
        values = columns[0]
        if len(columns) > 1:
            values = pc.binary_join_element_wise(*columns, JOINT)
        codes, distinct = encode(values)
        written = list(map(self._write_or_none, distinct))
        if written != distinct or self.type != pa.string():
            values = pa.array(written, self.type).take(codes)
        return values, np.array([value is not None for value in written], bool)[codes]

    def _write_or_none(self, value: str) -> Any:
        cells = value.split(JOINT) if len(self.columns) > 1 else [value]
        try:
            return self.write(dict(zip(self.columns, cells, strict=True)))
        except ValueError:
            return None


class Slice(Repeated):
    """A column of data.slices, which may be empty."""

    def write(self, record: Record) -> str:
        value = self.value(record)
        return value if value.strip() else ""


class Feature(Slice):
    """A column of data.columns, which may hold decimals and dates, too."""

    written = staticmethod(written_cell)


class GivenSplit(Repeated):
    """The split of each row."""

    def parse(self, value: str) -> str:
        return split_of_value(value, self.columns[0])


class Time(Repeated):
    """The time of each row, all of one kind: decimals, or date-times as texts that sort by time."""

    may_drop = True
    written = staticmethod(written_cell)
    kind = ""  # that of the first row

    @property
    def type(self) -> pa.DataType:
        return DECIMAL_TIME if self.kind == A_NUMBER else pa.string()

    def parse(self, value: str) -> Decimal | str:
        got = f"got {quote_value(value)}"
        column = quote_name(self.columns[0])
        try:
            time = parse_time(value, self.settings.time_format)
        except (ValueError, OverflowError):
            rule = (
                "must be a date or a date-time in ISO 8601, such as 2024-05-31, "
                f"or a number of {DIGITS} digits"
            )
            advice = "correct it, or set data.time_format, such as %d.%m.%Y"
            if self.settings.time_format is not None:
                rule = f"must be a time as data.time_format says, {self.settings.time_format}"
                advice = "correct it"
            raise ValueError(f"{column} {rule}; {got}; {advice}") from None
        self.kind = self.kind or kind_of_time(time)
        if kind_of_time(time) != self.kind:
            rule = f"must be {self.kind}, as in the first row"
            raise ValueError(f"{column} {rule}; {got}; write all in one way")
        return time


class Label(Repeated):
    """The label of each row, which may be a list of it alone; an empty list is a missing one."""

    may_drop = True
    written = staticmethod(only_value)

    def parse(self, value: str) -> str:
        """Return the label; `ValueError` unless it is one of data.classes, if they are set."""
        classes = self.settings.classes
        name = self.settings.labels.get(value, value)
        if classes is not None and name not in (*classes, self.settings.no_class_label):
            rule = f"must be one of data.classes ({list_names(classes)})"
            raise ValueError(
                f"{quote_name(', '.join(self.columns))} {rule}; got {quote_value(value)}; "
                "correct it, or add it there, in quotes if it looks like a number or a boolean"
            )
        return value


class LabelSet(Label):
    """The labels of each row, sorted and distinct; a row may have none."""

    type = LABELS
    written = staticmethod(written_list)

    def is_missing(self, record: Record) -> bool:
        return False

    def write(self, record: Record) -> list[str]:
        column, separator = self.columns[0], self.settings.label_separator
        if len(self.columns) > 1:
            labels = flagged(record, self.columns)
        else:
            is_single = self.settings.id is not None
            labels = labels_in(record.get(column), column, separator, is_single)
        return list(map(self.parse, labels))


KINDS: dict[str, type[Purpose]] = {
    "text": Text,
    "label": Label,
    "id": Purpose,
    "group": Purpose,
    "time": Time,
    "split": GivenSplit,
}


def purposes_of(layout: Layout, settings: Data) -> dict[str, Purpose]:
    """Return the purposes of the columns to read, by name."""
    kinds = KINDS | {SLICE + column: Slice for column in settings.slices}
    kinds |= {COLUMN + column: Feature for column in settings.columns}
    if settings.multilabel:
        kinds["label"] = LabelSet
    return {name: kinds[name](name, layout.columns_of(name), settings) for name in layout.columns}
