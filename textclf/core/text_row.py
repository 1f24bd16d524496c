"""A text together with the values in other columns of its row."""

from collections.abc import Mapping
from datetime import date
from typing import Any


class TextRow(str):
    """A text that carries the values of other columns, all text, for the representation `columns`.

    It is a str, so whatever reads texts alone takes it as it is.
    """

    __slots__ = ("columns", "place")
    columns: Mapping[str, str]  # "" for a missing value
    place: str  # of the row, for errors

    def __new__(cls, text: str, columns: Mapping[str, str] | None = None, place: str = "") -> "TextRow":
        """Return a text with the values of its row."""
        row = super().__new__(cls, text)
        row.columns, row.place = columns or {}, place
        return row


def written_cell(value: object) -> Any:
    """Return a number, a boolean or a date as text, None if it is missing; any other value as it is."""
    value = value.item() if hasattr(value, "item") else value  # of numpy
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, date | int | float):
        return value
    return None if value != value else str(value)  # NaN and NaT differ from themselves
