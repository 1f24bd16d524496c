"""The files of a labelled table, their checksums, and the splits that files or a column give."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path

from textclf.core.arrow import encode
from textclf.core.errors import UserError
from textclf.core.files import COLUMN, SLICE, SPLITS
from textclf.core.quoting import list_few, quote_name
from textclf.core.unchanged import Checksums, first_change
from textclf.tables import folders, known
from textclf.tables.files import TableFile, find_files, source_name
from textclf.tables.layout import Layout
from textclf.tables.read import read_batches
from textclf.tables.settings import AUTO, Data
from textclf.tables.split_names import OF_VALUES, split_of_file
from textclf.tables.values import to_array

SHOWN = 3  # files of a split that are named


def layout_of(settings: Data) -> Layout:
    """Return the layout that the settings describe."""
    columns: dict[str, str | tuple[str, ...] | None]
    columns = {name: getattr(settings, name) for name in ("text", "label", "id", "group", "time")}
    columns["split"] = settings.split_column
    columns |= {SLICE + column: column for column in settings.slices}
    columns |= {COLUMN + column: column for column in settings.columns}
    return Layout(
        {name: column for name, column in columns.items() if column is not None},
        settings.files if isinstance(settings.files, str) else "**/*",
        settings.format,
        settings.encoding,
        settings.delimiter,
        settings.quoting,
        int(settings.header),
        settings.sheet,
        settings.query,
    )


def find_table(path: Path, settings: Data) -> list[TableFile]:
    """Return the files of a table in the order of their names, with the splits that they give.

    Raises `UserError` as `find_files`; also if only some files of a folder name a split, or one
    belongs to two.
    """
    layout = layout_of(settings)
    if isinstance(settings.files, Mapping):
        return _files_by_split(path, layout, settings.files)
    files = find_files(path, layout)
    if settings.split != AUTO or not path.is_dir():
        return files
    files = [file._replace(split=split_of_file(_naming_part(file))) for file in files]
    named = [file for file in files if file.split]
    unnamed = [file for file in files if not file.split]
    if named and unnamed:
        got = f"{quote_name(named[0].name)} ({named[0].split}) and {quote_name(unnamed[0].name)}"
        raise UserError(
            f"{path}: all files or none must name a split; got {got}; "
            "say which files are which in data.files, name a column in data.split, "
            "or set data.split to null to split the rows of all files anew"
        )
    return files


def _naming_part(file: TableFile) -> str:
    """Return the part of a file's name that may name a split.

    Of a text in a folder per class this is the path of the folder that holds the class's folder.
    """
    if file.format != folders.FORMAT:
        return file.name
    folder, _, _ = file.name.rpartition("/")
    return folder.rpartition("/")[0]


def _files_by_split(path: Path, layout: Layout, globs: Mapping[str, str]) -> list[TableFile]:
    files: dict[str, TableFile] = {}
    for split, glob in globs.items():
        matching = find_files(path, replace(layout, files=glob))
        if not path.is_dir():
            raise UserError(
                f"{path} must be a folder, in which data.files names the files of each split; "
                "got a file"
            )
        for file in matching:
            if other := files.get(file.name):
                got = f"{other.split} and {split} in data.files"
                raise UserError(f"{file.path} must belong to one split; got {got}")
            files[file.name] = file._replace(split=split)
    return [files[name] for name in sorted(files)]


def checksums(path: Path, settings: Data) -> dict[str, str]:
    """Return the SHA-256 of each file of a table by name, sorted; `UserError` as `find_table`."""
    return {file.name: known.checksum(file.path) for file in find_table(path, settings)}


def require_split_rows(path: Path, settings: Data, split: Checksums) -> None:
    """Raise `UserError` unless a table's files have the checksums that the stage split read."""
    if name := first_change(split, checksums(path, settings)):
        raise UserError(
            f"{path} must be the table that was split; {quote_name(name)} changed "
            "after the stage split had read it; run dvc repro --force split, then dvc repro"
        )


def given_splits(path: Path, settings: Data) -> set[str]:
    """Return the splits that a table gives, and `SUGGESTED`; empty if it gives none.

    A split column is read once for it.
    """
    files = find_table(path, settings)
    column = settings.split_column
    if column is None:
        return {file.split for file in files if file.split}
    layout = layout_of(settings)
    values = chain.from_iterable(_column(file, layout, column) for file in files)
    words = (value.strip().lower() for value in values)
    return {OF_VALUES[word] for word in words if word in OF_VALUES}


def _column(file: TableFile, layout: Layout, name: str) -> Iterator[str]:
    """Yield the values in a column of a file as text, each at least once."""
    for batch in read_batches(file.path, file.format, replace(layout, columns={"split": name})):
        values = to_array(batch.columns.get(name, [source_name(file.name)]), numbers=True)
        yield from encode(values)[1]


def describe(path: Path, settings: Data) -> str:
    """Return the line that says how the table gives its splits; empty if it gives none."""
    if settings.split_column is not None:
        return f"splits as given in column {quote_name(settings.split_column)}"
    names: dict[str, list[str]] = {}
    for file in find_table(path, settings):
        if file.split:
            names.setdefault(file.split, []).append(quote_name(file.name))
    if not names:
        return ""
    lists = [f"{split} from {list_few(names[split], SHOWN)}" for split in SPLITS if split in names]
    pool = "; data.split: null splits all rows anew" if isinstance(settings.files, str) else ""
    return f"splits as given by files: {', '.join(lists)}{pool}"
