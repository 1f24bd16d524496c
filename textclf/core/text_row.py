"""A text together with the values in other columns of its row."""

from collections.abc import Mapping


class TextRow(str):
    """A text with the values of other columns, all text.

    It is a str, so whatever reads texts takes it as it is.
    """

    __slots__ = ("columns", "place")
    columns: Mapping[str, str]  # "" for a missing value
    place: str  # of the row, for errors

    def __new__(
        cls, text: str, columns: Mapping[str, str] | None = None, place: str = ""
    ) -> "TextRow":
        """Return a text with the values of its row."""
        row = super().__new__(cls, text)
        row.columns, row.place = columns or {}, place
        return row
