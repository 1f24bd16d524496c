"""Excel workbooks (.xlsx): a sheet with a header, then a row per record, numbered as in the sheet."""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from textclf.core.errors import UserError
from textclf.core.quoting import list_names, quote_value
from textclf.tables.binary import damaged
from textclf.tables.layout import Layout, NumberedRow

Cell = tuple[str, Any]  # openpyxl's type of a cell's value, and the value
EMPTY: Cell = ("n", None)


def read_rows(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield the rows of the sheet that the layout names, or of the first.

    As in CSV, an empty cell is an empty text and an empty row is one without values. Empty rows at the end are none,
    since a sheet has no end of its own. A formula has the value that was saved with it.
    """
    sheet = _read_sheet(io.BytesIO(stream.read()), path, layout)
    while sheet and all(cell == EMPTY for cell in sheet[-1]):
        sheet.pop()
    if not sheet:
        raise UserError(f"{path} must have a header and rows; got an empty sheet")
    header = ["" if value is None else str(value) for _, value in sheet[0]]
    while header and not header[-1]:
        header.pop()
    layout.require_columns(path, header, layout.header_hint(header, "row"))
    positions = {name: header.index(name) for name in layout.names() if name in header}
    for number, row in enumerate(sheet[1:], start=2):
        cells = {name: row[position] if position < len(row) else EMPTY for name, position in positions.items()}
        failed = next((name for name, (kind, _) in cells.items() if kind == "e"), None)
        if failed is not None:
            got = f"the error {cells[failed][1]} of a formula"
            yield number, ValueError(f"{failed} must be a value; got {got}; correct it")
        else:
            blank = None if all(cell == EMPTY for cell in row) else ""
            yield number, {name: blank if value is None else value for name, (_, value) in cells.items()}


def _read_sheet(stream: IO[bytes], path: Path, layout: Layout) -> list[list[Cell]]:
    """Return the cells of a sheet, row by row; a row ends with its last cell."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a workbook has besides values, such as validation of cells
        try:
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            sheet = _choose_sheet(book, path, layout)
            sheet.reset_dimensions()  # some programs save wrong ones
            return [[(cell.data_type, cell.value) for cell in row] for row in sheet.iter_rows()]
        except (UserError, MemoryError):
            raise
        except Exception as error:  # openpyxl lets through whatever a damaged part of the file leads to
            raise damaged(path, "Excel (.xlsx)", error) from error


def _choose_sheet(book: Any, path: Path, layout: Layout) -> Any:
    """Return the sheet that the layout names, or the first; `UserError` if there is none."""
    sheets = {sheet.title: sheet for sheet in book.worksheets}  # without sheets that are charts
    if not sheets:
        raise UserError(f"{path} must have a sheet of cells; got none")
    if layout.sheet is None:
        return next(iter(sheets.values()))
    if layout.sheet not in sheets:
        rule = f"{layout.option}sheet must be one of its sheets ({list_names(list(sheets))})"
        raise UserError(f"{path}: {rule}; got {quote_value(layout.sheet)}")
    return sheets[layout.sheet]
