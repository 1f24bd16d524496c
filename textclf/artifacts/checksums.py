"""Checksums: a manifest per folder of features or of a trained model; JSON with its own checksum.

Without them, a flipped bit in a vocabulary or the name of a class gives other predictions and no
error.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textclf.core.errors import UserError
from textclf.core.files import (
    read_versioned_json,
    reading,
    require,
    sha256,
    sha256_of_file,
    write_versioned_json,
)

MANIFEST = "manifest.json"  # in the folder whose files it lists
CHECKSUM = "sha256"  # key of JSON that has a checksum of itself


def write_manifest(folder: Path, without: str = "") -> None:
    """Write the SHA-256 of each file in the folder, by its path there, to `MANIFEST`.

    Files with the ending `without` are left out: those whose format has checksums.
    """
    write_checked_json(folder / MANIFEST, {"files": sums_of(folder, without)})


def sums_of(folder: Path, without: str = "") -> dict[str, str]:
    """Return the SHA-256 of each file in the folder but `MANIFEST`, by its path there, sorted."""
    files = filter(Path.is_file, folder.rglob("*"))
    listed = [path for path in files if path.name != MANIFEST and path.suffix != without]
    names = sorted(path.relative_to(folder).as_posix() for path in listed)
    return {name: sha256_of_file(folder / name) for name in names}


def verify_files(folder: Path, names: Iterable[str]) -> None:
    """Raise `UserError` unless each named file has the bytes that `write_manifest` saw."""
    require_same(folder, names, read_checked_json(folder / MANIFEST, ("files",))["files"], MANIFEST)


def require_same(folder: Path, names: Iterable[str], sums: Mapping[str, str], listed: str) -> None:
    """Raise `UserError` unless each named file has the SHA-256 of `sums`.

    These are those in the file `listed`.
    """
    for name in names:
        path = require(folder / name)
        if sums.get(name) != sha256_of_file(path):
            raise UserError(
                f"{path} is damaged or was edited: its SHA-256 is not that in {listed}; "
                "remove it and run dvc repro (or dvc pull) to make it"
            )


def verify_folder(folder: Path) -> None:
    """Raise `UserError` unless all files in a folder's manifest have the bytes that it saw."""
    verify_files(folder, sorted(read_checked_json(folder / MANIFEST, ("files",))["files"]))


def write_checked_json(path: Path, content: Mapping[str, Any], *, sort_keys: bool = True) -> None:
    """Write versioned JSON with the SHA-256 of its content under the key `CHECKSUM`."""
    write_versioned_json(
        path, {**content, CHECKSUM: checksum_of_json(content)}, sort_keys=sort_keys
    )


def read_checked_json(
    path: Path, keys: Iterable[str], optional: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the content, with all these keys and maybe the `optional`, of `write_checked_json`.

    Raises `UserError` if the file is missing or damaged, or was made by a newer textclf.
    """
    content = read_versioned_json(path)
    with reading(path):
        checksum = content.pop(CHECKSUM, None)
        if content.keys() - set(optional) != set(keys) or checksum != checksum_of_json(content):
            raise ValueError(checksum)
    return content


def checksum_of_json(content: Any) -> str:
    """Return the SHA-256 of a value as JSON, whatever the order of its keys."""
    return sha256(json.dumps(content, sort_keys=True).encode())


def combine_checksums(checksums: Mapping[str, str]) -> str:
    """Return one SHA-256 of all names and checksums, whatever their order.

    That of a single file is its own checksum.
    """
    if len(checksums) == 1:
        return next(iter(checksums.values()))
    lines = (f"{name}\0{checksums[name]}\n" for name in sorted(checksums))
    return sha256("".join(lines).encode("utf-8", "surrogatepass"))
