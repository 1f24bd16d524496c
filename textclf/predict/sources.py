"""Where a command's texts are: in its arguments, in a table, or in standard input.

How a table is written and which columns it has is said once, in section data of params.yaml: it
holds for every table that has such columns. Otherwise both follow from the table.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textclf.core.errors import UserError
from textclf.core.failures import complain
from textclf.core.files import COLUMN
from textclf.core.quoting import list_names
from textclf.core.settings import load_section
from textclf.predict import inputs
from textclf.predict.inputs import TextBatch
from textclf.tables.arguments import Form
from textclf.tables.columns import column_names, describe_column, find_text
from textclf.tables.files import find_files
from textclf.tables.layout import SEPARATOR, Layout
from textclf.tables.settings import Data, check_options
from textclf.tables.written import find_written, has_tabs

LINES = (None, "lines")  # values of --format with which standard input is a text per line
TEXT = "text"
# Settings of section data on how a table is written, its encoding aside.
FORM = ("format", "delimiter", "quoting", "header", "sheet", "query")


@dataclass(frozen=True, kw_only=True)
class Source:
    """The texts that a command reads: its arguments, a table, or standard input."""

    command: str
    form: Form
    texts: Sequence[str] = ()
    path: Path | None
    # Columns of a table.
    text: Sequence[str] | None
    id: str | None = None
    group: str | None = None
    # Whether rows without --id have the ids of the column that params.yaml names.
    has_ids: bool = True


def require_valid(source: Source) -> None:
    """Raise `UserError` if the arguments that name texts break a rule."""
    form = source.form
    if source.texts and (source.path or form.format):
        raise UserError("texts must be arguments or in a table (--path, --format); got both")
    if source.texts or (source.path is None and form.format in LINES):
        columns = {"text": source.text, "id": source.id, "group": source.group}
        named = [name for name, value in columns.items() if value is not None]
        for name in [*named, *form.settings]:
            if name not in ("format", "encoding"):
                got = "a text per line; set --format, such as csv"
                if source.texts:
                    got = "texts as arguments"
                option = "no-header" if name == "header" else name
                raise UserError(f"--{option} must come with a table; got {got}")
    check_options(vars(form))


def read_batches(
    source: Source, columns: Sequence[str] = (), empty: bool = False
) -> Iterator[TextBatch]:
    """Return the texts of a source, with these columns.

    Raises `UserError` for wrong arguments before any text.

    A row of a table may have no text only if `empty` ones are read.
    """
    require_valid(source)
    if source.texts:
        return inputs.read_arguments(source.texts)
    if source.path is not None:
        return inputs.read_table(source.path, layout_of_table(source, source.path, columns), empty)
    if sys.stdin is None:
        raise UserError("standard input must be open; or give texts as arguments")
    if sys.stdin.isatty():
        complain("one text per line, until Ctrl-D:")
    kind = source.form.format
    layout = _layout(source, source.text or [TEXT], columns, source.form.settings)
    if kind is None or kind == "lines":
        return inputs.read_lines(
            sys.stdin.buffer,
            layout.encoding,
            lambda line: complain(f"warning: {source.command}: {line}"),
        )
    return inputs.read_stream(sys.stdin.buffer, kind, layout, empty)


def _layout(
    source: Source, texts: Sequence[str], beside: Sequence[str], form: Mapping[str, Any]
) -> Layout:
    columns: dict[str, str | tuple[str, ...]] = {"text": tuple(texts)}
    given = {"id": source.id, "group": source.group}
    columns |= {name: column for name, column in given.items() if column is not None}
    columns |= {COLUMN + name: name for name in beside}
    return Layout(columns, option="--", **form)


def layout_of_table(source: Source, path: Path, beside: Sequence[str] = ()) -> Layout:
    """Return how the table of a source is written, and which of its columns to read."""
    form = source.form.settings
    if not (path.is_file() or path.is_dir()):  # a pipe of the shell, which can be read once
        return _layout(source, source.text or [TEXT], beside, form)
    if source.text is None and (kind := _format_of_texts(path, form)):
        return _layout(source, [TEXT], beside, {**form, "format": kind})
    data = _section_data()
    of_data = (data.text,) if isinstance(data.text, str) else data.text
    texts = tuple(source.text or of_data)
    defaults = Data.model_fields
    of_project = {
        name: getattr(data, name) for name in FORM if getattr(data, name) != defaults[name].default
    }
    written = find_written(path, form, data.encoding).settings
    for settings in (written | of_project | form, written | form):
        names: list[str] = []
        with suppress(UserError):
            names = column_names(path, Layout({}, option="--", **settings))
        if set(texts) <= set(names):
            if source.id is None and source.has_ids and data.id in names:
                source = replace(source, id=data.id)
            separator = data.text_separator if texts == of_data else SEPARATOR
            return _layout(source, texts, beside, settings | {"text_separator": separator})
    if source.text is None and names:
        texts = (TEXT,)
        if TEXT not in names:
            texts = (_find_text(source.command, path, names, settings, data),)
    return _layout(source, texts, beside, settings)


def _format_of_texts(path: Path, form: Mapping[str, Any]) -> str | None:
    """Return how files that end in .txt hold texts without labels; None for other files.

    A file has a text on each line; of a folder, each file is one.
    """
    files = find_files(path, Layout({}, option="--", **form))
    if any(file.format != "txt" or has_tabs(file.path) for file in files):
        return None
    return "folders" if path.is_dir() else "lines"


def _section_data() -> Data:
    """Return section data of params.yaml; the defaults if there is none, or if it is wrong."""
    try:
        return load_section("data", Data)
    except (UserError, OSError):
        return Data()


def _find_text(
    command: str, path: Path, names: Sequence[str], form: Mapping[str, Any], data: Data
) -> str:
    """Return the column of the texts, as `textclf init` finds it, and say which it is."""
    layout = Layout({}, option="--", **form)
    labels = {data.label} if isinstance(data.label, str) else set(data.label)
    described = [describe_column(path, layout, name) for name in names if name not in labels]
    text = find_text([column for column in described if column is not None], path)
    complain(f"{command}: {path}: texts in column {list_names([text])}")
    return text
