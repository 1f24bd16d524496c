"""Arguments on how a table is written, named as in section data of params.yaml."""

from dataclasses import dataclass
from typing import Annotated, Literal

from textclf.core.command import Argument
from textclf.tables.formats import FORMATS, TABLE_FORMATS


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a table of texts is written."""

    files: Annotated[str | None, Argument("which files of a folder (default: all)", "GLOB")] = None
    format: Annotated[str | None, Argument("(default: by the file's ending)", choices=FORMATS)] = (
        None
    )
    encoding: Annotated[str | None, Argument("(default: utf-8)")] = None
    delimiter: Annotated[str | None, Argument("of csv and tsv (default: a comma, a tab)")] = None
    quoting: Annotated[
        Literal["true", "false"] | None, Argument('whether "..." may contain delimiters')
    ] = None
    sheet: Annotated[str | None, Argument("of a workbook (default: the first)")] = None
    query: Annotated[
        str | None, Argument("statement for an SQLite file (default: its only table)", "SELECT")
    ] = None

    @property
    def quoted(self) -> bool | None:
        """Return whether delimiters may be quoted; None for the default."""
        return None if self.quoting is None else self.quoting == "true"


@dataclass(frozen=True, kw_only=True)
class LabelledForm(Form):
    """How a table with labels is written; `textclf init` finds the delimiter by the header."""

    format: Annotated[
        str | None, Argument("(default: by the file's ending)", choices=TABLE_FORMATS)
    ] = None
    delimiter: Annotated[str | None, Argument("of csv and tsv (default: by the header)")] = None
