"""The columns of a table: their names, and what is in them."""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np

from textclf.core.display import list_in
from textclf.core.errors import UserError
from textclf.core.files import COLUMN
from textclf.core.quoting import list_few, list_names, quote_argument, quote_name
from textclf.tables import folders
from textclf.tables.excel import UnsavedFormulaError
from textclf.tables.files import TableFile, find_files
from textclf.tables.layout import SOURCE, Layout, place
from textclf.tables.read import read_batches
from textclf.tables.values import CONTROL, SEPARATORS, UNFIT, to_array, written_cell

# How a date begins, also after a day of the week and with an hour, and a whole decimal
MEASURE = re.compile(
    r"\d{4}[-/]\d\d?[-/]\d\d?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|"
    r"[A-Z][a-z]{2},? \w{2,3} \w{2,3} (\d{4} )?\d\d:\d\d:\d\d|-?\d*[.,]\d+$"
)
# At least this share of the texts has white space or letters beyond ASCII.
SPACED = 0.1
# A column of which more than this share are decimals or dates combines no labels.
MEASURED = 0.5
# The form of a column of lists that may be labels.
LISTS = "["
# A column of which more than this share are lists of any kind has no texts.
LISTED = 0.5
# Formats whose files all have the same columns.
OF_TEXTS = {folders.FORMAT, "txt"}
SHOWN = 3  # files that are named in an error
# Distinct values of a column up to which its form is looked for.
MOST_CELLS = 20_000


@dataclass(frozen=True)
class Column:
    """A column, and what its values look like."""

    name: str
    values: int  # that are not empty
    distinct: int
    mean_length: float  # in characters
    spaced: float  # share of values with white space or letters beyond ASCII, as sentences have
    measured: float  # share of dates and decimals
    whole: float  # share of integers
    form: str = ""  # how its cells hold several labels each: see `form_of`
    repeats_name: bool = False  # whether its name is one of its values
    listed: float = 0.0  # share of lists, also if they are written as texts
    is_plain: bool = True  # whether no value is a list or has a control character


@dataclass(frozen=True)
class _Asking(Layout):
    """A layout that requires no columns and takes down which ones a reader finds."""

    asked: list[str] = field(default_factory=list)

    def require_columns(
        self,
        path: Path,  # noqa: ARG002 (as in Layout)
        names: Sequence[str],
        hint: str = "",  # noqa: ARG002
    ) -> None:
        """Take down the names, which every reader passes here."""
        self.asked.extend(names)


def column_names(path: Path, layout: Layout) -> list[str]:
    """Return the names of the columns of a table's first file.

    Raises `UserError` if it has none or can't be read.
    """
    return _names_in(find_files(path, layout)[0], layout)


def _names_in(file: TableFile, layout: Layout) -> list[str]:
    asking = _Asking(**{**vars(layout), "columns": {}})
    for _ in read_batches(file.path, file.format, asking, 1):
        if asking.asked:
            break
    if not asking.asked:
        raise UserError(f"{file.path} must have rows; got none")
    return asking.asked


def require_same_columns(path: Path, layout: Layout, wanted: Container[str] = ()) -> None:
    """Raise `UserError` if a file of a table lacks a column that another one has.

    Only those `wanted` count, if there are any.
    """
    files = [file for file in find_files(path, layout) if file.format not in OF_TEXTS]
    names = {file.name: _names_in(file, layout) for file in files}
    every = dict.fromkeys(chain.from_iterable(names.values()))
    needed = [name for name in every if name in (wanted or every) and name not in {"", SOURCE}]
    lacking = {file: [name for name in needed if name not in names[file]] for file in names}
    whole = [file for file, missing in lacking.items() if not missing]
    if len(whole) < len(names):
        lacks = [
            f"{quote_name(file)} (lacks {list_names(missing)})"
            for file, missing in lacking.items()
            if missing
        ]
        only = f" {quote_argument(whole[0])}" if len(whole) == 1 else ""
        raise UserError(
            f"{path}: the files have different columns: {list_few(lacks, SHOWN)}; choose files by "
            f"--files{only}, or columns that all have by --text and --label; "
            "files without labels are for textclf predict --path"
        )


def describe_column(path: Path, layout: Layout, name: str) -> Column | None:
    """Return what is in a column of a table; None if it holds neither texts nor labels nor numbers.

    `layout` describes the table; its columns are not used. Rows that break a rule are left out.
    """
    from textclf.tables.several import form_of  # needs pyarrow

    length = spaced = measured = whole = listed = 0
    is_plain = True
    cells: set[str] = set()
    hashes = [np.empty(0, np.int64)]  # 8 bytes per value, since all of them may be distinct
    try:
        for values in read_values(path, layout, name):
            is_plain = is_plain and not any(map(_has_control, values))
            texts = [text for text in map(str.strip, values) if text and text != UNFIT]
            hashes.append(np.fromiter(map(hash, texts), np.int64, len(texts)))
            cells.update(texts if len(cells) <= MOST_CELLS else ())
            length += sum(map(len, texts))
            spaced += sum(not text.isascii() or len(text.split(None, 1)) > 1 for text in texts)
            measured += sum(MEASURE.match(text) is not None for text in texts)
            whole += sum(text.isdecimal() for text in texts)
            listed += sum(map(_is_list, texts))
    except UnsavedFormulaError:
        raise
    except UserError:
        return None
    all_hashes = np.concatenate(hashes)
    count = len(all_hashes)
    form = form_of(cells, count) if len(cells) <= MOST_CELLS else ""
    if form in SEPARATORS and measured > MEASURED * count:
        form = ""  # decimals with a comma
    total = max(count, 1)
    means = length / total, spaced / total, measured / total, whole / total
    is_plain = is_plain and not listed
    return Column(
        name,
        count,
        len(np.unique(all_hashes)),
        *means,
        form,
        name in cells,
        listed / total,
        is_plain,
    )


def _is_list(text: str) -> bool:
    """Return whether a text is a list; one of objects need not be JSON, as pandas writes it."""
    return text.startswith("[{") or list_in(text) is not None


def _has_control(value: str) -> bool:
    """Return whether a value has a control character, as what is no text has, too."""
    return not value.isprintable() and CONTROL.search(value) is not None


def read_values(path: Path, layout: Layout, name: str) -> Iterator[list[str]]:
    """Yield the values of a column as texts, in batches; rows that break a rule are left out."""
    from textclf.tables.several import written_list

    one = replace(layout, columns={"label": name, COLUMN + name: name})
    for file in find_files(path, one):
        for batch in read_batches(file.path, file.format, one):
            column = batch.columns.get(name, [])
            if isinstance(column, list):
                column = [written_list(written_cell(value)) for value in column]
            yield to_array(column, numbers=True).to_pylist()


def find_text(columns: Sequence[Column], path: Path) -> str:
    """Return the name of the column of long values that rarely repeat and are no identifiers."""
    texts = [
        column
        for column in columns
        if column.values and column.spaced >= SPACED and column.listed <= LISTED
    ]
    if not texts:
        names = list_names([column.name for column in columns])
        raise UserError(
            f"{path} must have a column of texts; got none among {names}; name it by --text"
        )
    return max(texts, key=lambda column: column.mean_length * column.distinct / column.values).name


def require_rows(path: Path, layout: Layout) -> None:
    """Raise `UserError`, for a table of which no row can be read, with what is wrong."""
    one = replace(layout, columns={"text": column_names(path, layout)[0]})
    for file in find_files(path, one):
        for batch in read_batches(file.path, file.format, one):
            for position, error in batch.broken.items():
                where = place(str(file.path), int(batch.numbers[position]))
                raise UserError(f"{where}: {error}")
    raise UserError(f"{path} must have rows below its header; got none")
