"""The checksums of a table's files, by which it is known to be the one that was split."""

from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.files import sha256_of_file
from textclf.core.quoting import quote_name
from textclf.core.unchanged import Checksums, first_change
from textclf.tables.given import find_table
from textclf.tables.settings import Data


def checksums(path: Path, settings: Data) -> dict[str, str]:
    """Return the SHA-256 of each file of a table, by its name in ids, sorted; `UserError` as `find_table`."""
    return {file.name: sha256_of_file(file.path) for file in find_table(path, settings) if file.path.is_file()}


def require_split_rows(path: Path, settings: Data, split: Checksums) -> None:
    """Raise `UserError` unless a table's files are those that the stage split read; `split` are their checksums."""
    if name := first_change(split, checksums(path, settings)):
        raise UserError(
            f"{path} must be the table that was split; {quote_name(name)} changed after the stage split had read it; "
            "run dvc repro --force split, then dvc repro"
        )
