"""Folders that `save_to_disk` of Hugging Face's datasets wrote: which of their files hold rows."""

import json
from collections.abc import Mapping
from pathlib import Path

from textclf.core.errors import UserError

STATE = "state.json"  # beside the Arrow files; lists those that hold the rows
DESCRIPTIONS = frozenset({STATE, "dataset_info.json", "dataset_dict.json"})


def keep_rows(files: Mapping[str, Path]) -> dict[str, Path]:
    """Return the files of a folder, by name, without those that describe a saved dataset or cache a change of it."""
    listed = {folder: _listed_files(folder) for folder in {file.parent for file in files.values() if _is_arrow(file)}}
    described = {*listed, *(folder.parent for folder in listed)}  # a DatasetDict has a folder per split
    return {
        name: file
        for name, file in files.items()
        if not (file.name in DESCRIPTIONS and file.parent in described)
        and not (_is_arrow(file) and file.name not in (listed[file.parent] or {file.name}))
    }


def _is_arrow(file: Path) -> bool:
    return file.suffix.lower() == ".arrow"


def _listed_files(folder: Path) -> set[str] | None:
    """Return the names of the files with the rows of a saved dataset; None if the folder is none."""
    path = folder / STATE
    if not path.is_file():
        return None
    try:
        return {str(file["filename"]) for file in json.loads(path.read_bytes())["_data_files"]}
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise UserError(f"{path} must list the files of a saved dataset; save it again") from error
