"""How a table is written, as far as its bytes show it: encoding, delimiter, header and sheet."""

import codecs
import csv
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from textclf.core.errors import UserError
from textclf.core.quoting import list_names
from textclf.tables.compression import decompressing, open_bytes
from textclf.tables.delimited import CSV, DELIMITERS, TSV
from textclf.tables.files import TableFile, find_files
from textclf.tables.formats import FORMATS
from textclf.tables.layout import Layout, looks_like_data
from textclf.tables.lines import decoded, lines_of, strip_end

UTF_8, UTF_16 = "utf-8", "utf-16"
# What most tables are written in that are not Unicode: the encoding of Windows in western Europe.
WESTERN = "cp1252"
MARKS_OF_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Bytes of a file by which its encoding is found, and those that are read at a time.
DECODED_BYTES, CHUNK = 2**26, 2**20
# Lines of a file, or rows of a sheet, by which the header is found.
SAMPLE = 100
# Lines by which a header is found where most files have none; a column of few values has at least
# so many rows per value.
UNHEADED_SAMPLE, ROWS_PER_VALUE = 1000, 4
# Rows of a title above a header, at most.
MOST_TITLES = 10
# Share of the rows that must have one number of fields.
REGULAR = 0.5
WORDS = 3  # with letters beyond ASCII that are shown
WORD = re.compile(r"[^\W\d_]+")
# Before each label in a line of fastText.
FASTTEXT = "__label__"
# A field in quotes.
QUOTED = re.compile(r'"(?:[^"]|"")*"')


class Written(NamedTuple):
    """How a table is written: settings of section data, and phrases that say so."""

    settings: dict[str, Any]
    phrases: list[str]


class _Shape(NamedTuple):
    """Rows as a delimiter divides them: share of the usual number of fields, line of the header."""

    regular: float
    header: int


def find_written(path: Path, given: Mapping[str, Any], expected: str = UTF_8) -> Written:
    """Return how a table is written, as far as it is not `given` and not as is usual.

    `given` has settings of section data by name, `expected` is the encoding of texts in ASCII and
    of texts that are not Unicode; if it is UTF-8, these are cp1252. Raises `UserError` if there is
    no such file.
    """
    layout = Layout({}, option="--", **given)
    files = find_files(path, layout)
    first = files[0]
    settings: dict[str, Any] = {}
    phrases = []
    if "encoding" not in given and FORMATS[first.format].is_text:
        encoding, words = _find_encoding(files, expected)
        layout = replace(layout, encoding=encoding)
        if encoding != UTF_8:
            settings["encoding"] = encoding
            shown = f" ({', '.join(words)})" if words else ""
            phrases.append(f"encoding {encoding}{shown}")
    if first.format in {"csv", "tsv", "txt"} and first.path.is_file():
        _require_columns(first, layout)
    if _is_quoted(first, layout):
        layout = replace(layout, quoting=True)
        settings["quoting"] = True
        phrases.append("fields in quotes (data.quoting: true)")
    if first.format in {"csv", "tsv"} and first.path.is_file():
        found = _find_delimiter(first, layout)
    elif first.format == "txt" and first.path.is_file() and _has_header(first, layout):
        found = {"format": "tsv"}
    elif first.format == "excel":
        found, others = _find_sheet(first, layout)
    else:
        found = {}
    for name, value in found.items():
        if name in given:
            continue
        settings[name] = value
        phrase = f"{name} {value!r}" if name == "delimiter" else f"{name} {value}"
        if name == "sheet":
            phrase += f", not {list_names(others)}"
        phrases.append(phrase)
    return Written(settings, phrases)


def has_tabs(path: Path) -> bool:
    """Return whether the beginning of a file has a tab, as UCI's format has on each line."""
    with decompressing(path), open_bytes(path) as stream:
        return b"\t" in stream.read(CHUNK)


def _find_encoding(files: Sequence[TableFile], expected: str) -> tuple[str, list[str]]:
    """Return the encoding of some files, and a few words with letters beyond ASCII."""
    undecodable = beyond_ascii = 0
    for file in files:
        with decompressing(file.path), open_bytes(file.path) as stream:
            decoder = codecs.getincrementaldecoder(UTF_8)("replace")
            chunk = start = stream.read(CHUNK)
            if start.startswith(MARKS_OF_UTF_16):
                return UTF_16, _words(start, UTF_16)
            read = 0
            while chunk and read < DECODED_BYTES:
                read += len(chunk)
                text = decoder.decode(chunk)
                if not text.isascii():
                    wrong = text.count("\ufffd")
                    undecodable += wrong
                    beyond_ascii += len(text) - len(text.encode("ascii", "ignore")) - wrong
                chunk = stream.read(CHUNK)
        # A few wrong bytes among letters that UTF-8 decodes are mistakes, which are named by row.
        if undecodable > beyond_ascii:
            encoding = WESTERN if expected == UTF_8 else expected
            words = _words(start, encoding)
            return encoding, words
    return (UTF_8 if beyond_ascii else expected), []


def _words(start: bytes, encoding: str) -> list[str]:
    """Return the first distinct words of a file that have letters beyond ASCII."""
    words = WORD.findall(start.decode(encoding, "ignore"))
    return list(dict.fromkeys(word for word in words if not word.isascii()))[:WORDS]


def _first_lines(file: TableFile, layout: Layout, count: int = SAMPLE) -> list[str]:
    with decompressing(file.path), open_bytes(file.path) as stream, decoded(stream, layout) as text:
        return list(islice(lines_of(text), count))


def _require_columns(file: TableFile, layout: Layout) -> None:
    """Raise `UserError` for fastText's lines of a label, a space and a text."""
    if "".join(_first_lines(file, layout, 1)).startswith(FASTTEXT):
        program = (
            f'BEGIN {{print "label\\ttext"}} {{sub(/^{FASTTEXT}/, ""); sub(/ /, "\\t"); print}}'
        )
        raise UserError(
            f"{file.path} must have columns; got lines of fastText, {FASTTEXT}… and a text; "
            f"if each has one label, run: awk '{program}' {shlex.quote(str(file.path))} > texts.tsv"
        )


def _is_quoted(file: TableFile, layout: Layout) -> bool:
    """Return whether TSV, where quotes usually are text, is written with quotes around fields.

    They are around all names of the header, or most fields, and make rows of one width.
    """
    if file.format != "tsv" or layout.quoting is not None or not file.path.is_file():
        return False
    delimiter, lines = layout.delimiter or TSV.delimiter, _first_lines(file, layout)
    divided = [strip_end(line).split(delimiter) for line in lines]
    quoted = [[QUOTED.fullmatch(field) is not None for field in fields] for fields in divided]
    each = list(chain.from_iterable(quoted))
    widths: set[int] = set()
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    # The sample may end inside quotes; any other mistake is before its end.
    with suppress(csv.Error):
        widths.update(len(fields) for fields in rows if fields)
    are_around = any(map(all, quoted[:1])) or sum(each) > REGULAR * len(each)
    return are_around and len(widths) == 1 and rows.line_num == len(lines)


def _find_delimiter(file: TableFile, layout: Layout) -> dict[str, Any]:
    """Return the delimiter of a CSV or TSV file and the line of its header, if they are unusual."""
    usual = CSV if file.format == "csv" else TSV
    dialect = usual.of(layout)
    lines = _first_lines(file, layout)
    others = () if layout.delimiter else DELIMITERS
    shapes: dict[str, _Shape] = {}
    for delimiter in dict.fromkeys([dialect.delimiter, *others]):
        shapes[delimiter] = _shape(_divide(lines, delimiter, dialect.quoting))
    best = max(shapes, key=lambda delimiter: shapes[delimiter].regular)
    found: dict[str, Any] = {}
    if shapes[best].regular >= REGULAR:
        if best != dialect.delimiter:
            found["delimiter"] = best
        if shapes[best].header > 1:
            found["header"] = shapes[best].header
    return found


def _has_header(file: TableFile, layout: Layout) -> bool:
    """Return whether lines with tabs have a header: one whose cells look unlike those below it.

    They are names, none of them is a value of its column, and the values of some column repeat.
    """
    lines = _first_lines(file, layout, UNHEADED_SAMPLE)
    rows = [strip_end(line).split("\t") for line in lines if not line.isspace()]
    header, *below = rows or [[]]
    columns = list(zip(*(row for row in below if len(row) == len(header)), strict=True))
    if len(header) < 2 or not columns or len(columns[0]) < REGULAR * len(below):
        return False
    are_names = not any(map(looks_like_data, header))
    recur = any(name in column for name, column in zip(header, columns, strict=True))
    repeat = any(len(set(column)) * ROWS_PER_VALUE <= len(column) for column in columns)
    return are_names and repeat and not recur


def _divide(lines: Sequence[str], delimiter: str, quoting: bool) -> list[tuple[int, list[str]]]:
    """Return the line on which each row begins and its fields, up to a mistake."""
    rows = csv.reader(
        lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE
    )
    divided = []
    while True:
        line = rows.line_num + 1
        try:
            fields = next(rows, None)
        except csv.Error:
            break
        if fields is None:
            break
        divided.append((line, fields))
    return divided


def _shape(rows: Sequence[tuple[int, list[str]]]) -> _Shape:
    """Return the share of the rows that have the usual number of fields, and where the header is.

    A header is below rows of a title, at most half of whose cells are filled.
    """
    widths = [_width(fields) for _, fields in rows]
    usual, count = max(
        Counter(width for width in widths if width > 1).items(),
        key=lambda pair: pair[1],
        default=(0, 0),
    )
    titles = 0
    for _, fields in rows[:MOST_TITLES]:
        if 2 * sum(map(bool, map(str.strip, fields))) > max(usual, 2):
            break
        titles += 1
    regular = count / max(len(rows), 1)
    if titles < len(rows) and widths[titles] == usual:
        return _Shape(regular, rows[titles][0])
    return _Shape(regular, 1)


def _width(fields: Sequence[str]) -> int:
    """Return the number of fields without empty ones at the end."""
    width = len(fields)
    while width and not fields[width - 1].strip():
        width -= 1
    return width


def _find_sheet(file: TableFile, layout: Layout) -> tuple[dict[str, Any], list[str]]:
    """Return the sheet of a workbook with the most rows, if there are several, and the others.

    Return the row of its header, too, if that is not the first.
    """
    from textclf.tables.excel import first_rows

    with file.path.open("rb") as stream:
        sheets = first_rows(stream, file.path, layout, SAMPLE)
    if not sheets:
        return {}, []
    filled = {name: sum(_width(fields) > 1 for _, fields in rows) for name, rows in sheets.items()}
    best = max(filled, key=lambda name: filled[name])
    found: dict[str, Any] = {}
    if len(sheets) > 1:
        found["sheet"] = best
    header = _shape(sheets[best]).header
    if header > 1:
        found["header"] = header
    return found, [name for name in sheets if name != best]
