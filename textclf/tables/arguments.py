"""Arguments on how a table is written, named as in section data of params.yaml."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

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
    no_header: Annotated[bool, Argument("the first line is a row; columns are 1, 2, ...")] = False
    sheet: Annotated[str | None, Argument("of a workbook (default: the first)")] = None
    query: Annotated[
        str | None, Argument("statement for an SQLite file (default: its only table)", "SELECT")
    ] = None

    @property
    def settings(self) -> dict[str, Any]:
        """The values that are given, by the names of section data."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        if "quoting" in given:
            given["quoting"] = self.quoting == "true"
        if given.pop("no_header"):
            given["header"] = False
        return given


@dataclass(frozen=True, kw_only=True)
class LabelledForm(Form):
    """How a table with labels is written; `textclf init` finds the delimiter by the header."""

    format: Annotated[
        str | None, Argument("(default: by the file's ending)", choices=TABLE_FORMATS)
    ] = None
    delimiter: Annotated[str | None, Argument("of csv and tsv (default: by the header)")] = None
