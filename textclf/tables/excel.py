"""Excel workbooks (.xlsx): a header, then a row per record, numbered as in the sheet."""

import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from textclf.core.errors import UserError
from textclf.core.files import whole_file
from textclf.core.quoting import list_names, quote_name, quote_value
from textclf.tables.compression import stored
from textclf.tables.layout import Layout, NumberedRow

Cell = tuple[str, Any]  # openpyxl's type of a cell's value, and the value
EMPTY: Cell = ("n", None)
UNSAVED: Cell = ("f", None)  # a formula without a value
KIND = "Excel (.xlsx)"
# Bytes of a sheet's XML that are searched at a time, and those that a formula takes at most.
CHUNK, LONGEST = 2**20, 2**16
# In a sheet's XML, merged cells and formulas without a value. An empty text is a value.
MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+\d+):[A-Z]+(\d+)"')
FORMULA = re.compile(
    rb'<(?:\w+:)?c\s(?![^>]*\bt="str")[^>]*?\br="([A-Z]+\d+)"[^>]*>\s*'
    rb"<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)


class UnsavedFormulaError(UserError):
    """A formula in a column to read has no value, as in workbooks that a program wrote."""


def read_rows(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield the rows of the sheet that the layout names, or of the first.

    Empty rows at its end are left out. As in CSV, an empty cell is an empty text. A formula has the
    value that was saved with it; `UnsavedFormulaError` if there is none. Cells that are merged with
    one above have its value, unless this is in the header.
    """
    with stored(stream, path) as file, file.open("rb") as opened:
        sheet = _without_end(_parse_sheet(opened, path, layout))
        first = next(islice(sheet, max(layout.header - 1, 0), None), None)
        if first is None:
            raise UserError(f"{path} must have a header and rows; got an empty sheet")
        cells_of_first = ["" if value is None else str(value) for _, value in first]
        while cells_of_first and not cells_of_first[-1]:
            cells_of_first.pop()
        header = layout.column_names(cells_of_first)
        if not layout.header:
            sheet = chain([first], sheet)
        layout.require_columns(path, header, layout.header_hint(header, "row"))
        positions = {name: header.index(name) for name in layout.names() if name in header}
        for number, row in enumerate(sheet, start=layout.header + 1):
            cells = {
                name: row[position] if position < len(row) else EMPTY
                for name, position in positions.items()
            }
            if unsaved := [name for name, cell in cells.items() if cell == UNSAVED]:
                raise UnsavedFormulaError(
                    f"{path}:{number}: {quote_name(unsaved[0])} must be a value; got a formula "
                    "without a saved value; open the workbook in Excel or LibreOffice and save it"
                )
            failed = next((name for name, (kind, _) in cells.items() if kind == "e"), None)
            if failed is not None:
                got = f"the error {cells[failed][1]} of a formula"
                yield number, ValueError(f"{failed} must be a value; got {got}; correct it")
            else:
                blank = None if _is_empty(row) else ""
                values = {name: value for name, (_, value) in cells.items()}
                yield (
                    number,
                    {name: blank if value is None else value for name, value in values.items()},
                )


def _is_empty(row: list[Cell]) -> bool:
    return all(cell == EMPTY for cell in row)


def _without_end(rows: Iterator[list[Cell]]) -> Iterator[list[Cell]]:
    """Yield the rows up to the last one that is not empty."""
    empty = 0
    for row in rows:
        if _is_empty(row):
            empty += 1
            continue
        yield from ([] for _ in range(empty))
        empty = 0
        yield row


def first_rows(
    stream: IO[bytes], path: Path, layout: Layout, most: int
) -> dict[str, list[tuple[int, list[str]]]]:
    """Return the numbers and the cells, as texts, of the first rows of each sheet.

    There is only the sheet that the layout names, if it names one.
    """
    with whole_file(path, KIND):
        book = _open(stream)
        sheets = book.worksheets if layout.sheet is None else [_choose_sheet(book, path, layout)]
        rows = {sheet.title: islice(_cells(sheet, 0), most) for sheet in sheets}
        return {
            title: [
                (number, ["" if value is None else str(value) for _, value in row])
                for number, row in enumerate(cells, start=1)
            ]
            for title, cells in rows.items()
        }


def _parse_sheet(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[list[Cell]]:
    """Yield the cells of each row of the sheet that the layout names, or of the first."""
    with whole_file(path, KIND):
        yield from _cells(_choose_sheet(_open(stream), path, layout), layout.header)


def _open(stream: IO[bytes]) -> Any:
    import openpyxl

    # It warns of what a sheet has besides values, such as validation.
    warnings.filterwarnings("ignore", module="openpyxl")
    return openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)


def _cells(sheet: Any, header: int) -> Iterator[list[Cell]]:
    """Yield the cells of each row of a sheet; a row ends with its last cell.

    Cells of the first column of a merged range have the value of its first cell, except those below
    the row of the header that are merged with it.
    """
    merged, unsaved = _marks(sheet)
    repeated: dict[int, tuple[int, Cell]] = {}  # by column: up to which row, and the cell
    sheet.reset_dimensions()  # some programs save wrong ones
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = [(cell.data_type, cell.value) for cell in row]
        for column in unsaved.get(number, ()):
            cells[column] = UNSAVED
        repeated = {column: held for column, held in repeated.items() if held[0] >= number}
        for column, (_, cell) in repeated.items():
            cells += [EMPTY] * (column + 1 - len(cells))
            cells[column] = cell
        for column, last in merged.get(number, ()):
            if column < len(cells) and not number <= header < last:
                repeated[column] = last, cells[column]
        yield cells


def _marks(sheet: Any) -> tuple[dict[int, set[tuple[int, int]]], dict[int, set[int]]]:
    """Return what openpyxl leaves out of a sheet that it reads row by row.

    These are the merged ranges by first row, each as its first column and last row; and, by row,
    the columns of formulas without a value. Columns are numbered from 0.
    """
    from openpyxl.utils import coordinate_to_tuple

    merged: dict[int, set[tuple[int, int]]] = defaultdict(set)
    unsaved: dict[int, set[int]] = defaultdict(set)
    text = b""
    with sheet._get_source() as source:
        while chunk := source.read(CHUNK):
            text = text[-LONGEST:] + chunk
            for match in MERGED.finditer(text):
                row, column = coordinate_to_tuple(match[1].decode())
                merged[row].add((column - 1, int(match[2])))
            for match in FORMULA.finditer(text):
                row, column = coordinate_to_tuple(match[1].decode())
                unsaved[row].add(column - 1)
    return merged, unsaved


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
