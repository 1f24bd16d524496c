"""The files of a table: a single one, or those of a folder that match, each with its format."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import NamedTuple

from textclf.core.errors import UserError
from textclf.core.formatting import count_noun
from textclf.core.quoting import list_names
from textclf.tables import folders
from textclf.tables.compression import COMPRESSIONS, uncompressed_name
from textclf.tables.formats import ENDINGS
from textclf.tables.layout import Layout

# Characters that would break an id or a line of an error.
UNPRINTABLE = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# The end of the path of an object in DVC's cache, to which `cache.type: symlink` links what DVC
# tracks.
CACHED = re.compile(r"/[0-9a-f]{2}/[0-9a-f]{30}$")
# A saved dataset of Hugging Face has this file beside its Arrow files, and lists there those that
# hold the rows.
STATE = "state.json"
DESCRIPTIONS = frozenset({STATE, "dataset_info.json", "dataset_dict.json"})
# Files that systems leave in folders, besides hidden ones, in lower case.
CLUTTER = frozenset({"thumbs.db", "desktop.ini"})
# Files beside folders of texts that are fewer than this share of them are no texts.
LOOSE = 0.1
# What to do with files that are no table, by ending.
ADVICE = {
    **dict.fromkeys((".xls", ".xlsb", ".xlsm", ".ods"), "save it as .xlsx or .csv"),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".7z"), "unpack it"),
    **dict.fromkeys((".bz2", ".xz"), "decompress it"),
}


class TableFile(NamedTuple):
    """A file to read: its name in the ids of rows (in NFC), its path, format and split, if any."""

    name: str
    path: Path
    format: str
    split: str | None = None


def find_files(path: Path, layout: Layout) -> list[TableFile]:
    """Return the files of a table in the order of their names.

    A name is the path below the folder, with slashes. Hidden files are left out, and what a saved
    dataset of Hugging Face has besides its rows. Raises `UserError` if there is none, or one can't
    be read or is a link, except to DVC's cache, whose files never change.
    """
    if path.is_dir():
        files = keep_rows(_match(path, layout))
    elif path.exists():  # a file, or a pipe such as a shell's <(...)
        files = {_require_printable(path.name, path): path}
    else:
        where = repr(str(path)) if UNPRINTABLE.search(str(path)) else path
        raise UserError(f"{where} not found; set {layout.option}path to a file or folder of texts")
    if layout.format == "auto" and path.is_dir():
        files = _without_other_files(files)
    inside = {name: file for name, file in files.items() if "/" in name}
    loose = [file for name, file in files.items() if name not in inside]
    if len(loose) < LOOSE * len(inside) and folders.is_folder_per_class(inside):
        _require_none(loose, layout)
    if layout.format == "auto" and path.is_dir() and folders.is_folder_per_class(files):
        layout = replace(layout, format=folders.FORMAT)
    if layout.format == folders.FORMAT and "label" in layout.columns:
        for name, file in files.items():
            if "/" not in name:
                where = f"in the folder that {layout.option}path names"
                raise UserError(
                    f"{file} must be in a folder named for its class, {where}; got none"
                )
    return [TableFile(name, file, _format(file, layout)) for name, file in sorted(files.items())]


def _without_other_files(files: dict[str, Path]) -> dict[str, Path]:
    """Return files without those that lie in folders of texts and are none, such as images.

    All stay if they are no folders of texts, or if a share of them may be tables.
    """
    others = {name for name in files if "/" in name and not folders.is_text(name)}
    texts = {name: file for name, file in files.items() if name not in others}
    tables = [name for name in others if uncompressed_name(name).suffix.lower() in ENDINGS]
    inside = {name: file for name, file in texts.items() if "/" in name}
    if len(tables) < LOOSE * len(inside) and folders.is_folder_per_class(inside):
        return texts
    return files


def _require_none(loose: Sequence[Path], layout: Layout) -> None:
    """Raise `UserError` if files lie beside folders of texts that are named for their classes."""
    if loose and layout.format == "auto":
        raise UserError(
            f"{loose[0]} must be in a folder named for its class, as the other files are; "
            f"move it elsewhere, or set {layout.option}files to */*.txt"
        )


def describe_folders(files: Sequence[TableFile]) -> Iterator[str]:
    """Yield a line that says so if the files are read as texts of their folders' classes."""
    if files and files[0].format == folders.FORMAT:
        classes = list_names(sorted({folders.composed(file.path.parent.name) for file in files}))
        paths = {file.path for file in files}
        others = [
            other
            for folder in {path.parent for path in paths}
            for other in folder.iterdir()
            if other.is_file() and other not in paths and not _is_clutter([other.name])
        ]
        ignored = f"; left out: {count_noun(len(others), 'other file')}" if others else ""
        line = f"{len(files)} files, each a text whose label is the name of its folder ({classes})"
        yield line + ignored


def source_name(name: str) -> str:
    """Return the value of the column `source` for a file: its name without folder and endings."""
    return uncompressed_name(name).stem


def keep_rows(files: Mapping[str, Path]) -> dict[str, Path]:
    """Return the files of a folder, by name, without those that hold no rows of a saved dataset.

    These describe the dataset, or cache a change of it.
    """
    arrow_folders = {file.parent for file in files.values() if _is_arrow(file)}
    listed = {folder: _listed_files(folder) for folder in arrow_folders}
    # A DatasetDict has a folder per split.
    described = {*listed, *(folder.parent for folder in listed)}
    with_rows = {}
    for name, file in files.items():
        is_description = file.name in DESCRIPTIONS and file.parent in described
        is_cache = _is_arrow(file) and file.name not in (listed[file.parent] or {file.name})
        if not is_description and not is_cache:
            with_rows[name] = file
    return with_rows


def _is_arrow(file: Path) -> bool:
    return file.suffix.lower() == ".arrow"


def _listed_files(folder: Path) -> set[str] | None:
    """Return the names of the files with rows of a saved dataset; None if the folder is none."""
    path = folder / STATE
    if not path.is_file():
        return None
    try:
        return {str(file["filename"]) for file in json.loads(path.read_bytes())["_data_files"]}
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise UserError(f"{path} must list the files of a saved dataset; save it again") from error


def _match(folder: Path, layout: Layout) -> dict[str, Path]:
    """Return the files of a folder that match `layout.files`, by name."""
    files: dict[str, Path] = {}
    _require_readable(folder, layout)
    for file in folder.glob(layout.files):
        parts = file.relative_to(folder).parts
        if _is_clutter(parts):
            continue
        name = _require_printable("/".join(parts), file)
        is_file = file.is_file()
        if not is_file and not file.is_dir():
            raise UserError(f"{file} must be a file; got a broken link or a device; remove it")
        inner = [parent for parent in file.parents if folder in parent.parents]
        for part in (file, *inner):
            _require_no_link(part, layout)
        if is_file and name in files:
            raise UserError(
                f"{file} must have a name of its own; {files[name]} is the same in NFC; rename one"
            )
        if is_file:
            files[name] = file
    if not files:
        rule = f"must contain files that match {layout.option}files"
        raise UserError(f"{folder} {rule}; got none for {layout.files}")
    return files


def _is_clutter(parts: Sequence[str]) -> bool:
    return any(part.startswith(".") or part.lower() in CLUTTER for part in parts)


def _require_no_link(path: Path, layout: Layout) -> None:
    """Raise `UserError` for a link unless it leads into DVC's cache: DVC tracks no other target."""
    if path.is_symlink() and not CACHED.search(path.resolve().as_posix()):
        kind = "folder" if path.is_dir() else "file"
        advice = f"set {layout.option}path to it" if path.is_dir() else "put the file itself there"
        raise UserError(
            f"{path} must be a {kind} itself; got a link, which is not followed; {advice}"
        )


def _require_readable(folder: Path, layout: Layout) -> None:
    """Raise `PermissionError` for a folder that the pattern looks into and that can't be read.

    Raises `UserError` for a link to a folder that it would look into. Glob itself leaves out both
    in silence.
    """
    parts = PurePath(layout.files).parents  # "**" of "**/*.csv": all folders
    above = [str(parent) for parent in parts if parent.name]
    for inner in (folder, *(inner for part in above for inner in folder.glob(part))):
        is_hidden = any(part.startswith(".") for part in inner.relative_to(folder).parts)
        if is_hidden or not inner.is_dir():
            continue
        for entry in inner.iterdir():
            if "**" in layout.files and entry.is_dir() and not entry.name.startswith("."):
                _require_no_link(entry, layout)


def _require_printable(name: str, path: Path) -> str:
    """Return the name in NFC; `UserError` if it can't be part of an id and of an error's line."""
    if UNPRINTABLE.search(name):
        raise UserError(
            f"{str(path)!r} must have a name in UTF-8 without control characters; rename it"
        )
    return folders.composed(name)


def _format(path: Path, layout: Layout) -> str:
    """Return the name of a file's format: the layout's, or by the ending."""
    if layout.format != "auto":
        return layout.format
    ending = uncompressed_name(path.name).suffix.lower()
    if ending in ADVICE:
        raise UserError(
            f"{path} must be in a format that textclf reads; got {ending}; {ADVICE[ending]}"
        )
    if ending not in ENDINGS:
        raise UserError(
            f"{path} must end in {', '.join(ENDINGS)}, "
            f"optionally followed by {' or '.join(COMPRESSIONS)}; "
            f"set its {layout.option}format, or match other files by {layout.option}files"
        )
    return ENDINGS[ending]
