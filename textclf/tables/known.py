"""Checksums of large files of a table, kept from stage to stage so that each is computed once.

A file is known by its place, size and times, as DVC knows it. The records are no outputs; one that
is missing, damaged or of another version of the file is made anew.
"""

import contextlib
import time
from pathlib import Path

from textclf.core.files import sha256, sha256_of_file
from textclf.core.ownership import RECORDS
from textclf.core.workers import atomic_path

FOLDER = RECORDS / "checksums"
# Bytes of a file that is read faster than it is worth a record.
SMALL = 2**24
# Seconds after a change in which the next one may leave the times as they are.
SETTLES = 2.0


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file of a table; where there is no folder .dvc, none is kept."""
    version = _version(path)
    if version[0] < SMALL or not Path(".dvc").is_dir():
        return sha256_of_file(path)
    record = FOLDER / sha256(str(path.absolute()).encode())
    with contextlib.suppress(OSError, ValueError, IndexError):
        kept = record.read_text(encoding="utf-8")
        if kept == _record(version, kept.split()[-2]):
            return kept.split()[-2]
    computed = sha256_of_file(path)
    if time.time() - max(version[2:]) / 1e9 > SETTLES and _version(path) == version:
        with contextlib.suppress(OSError):
            FOLDER.mkdir(parents=True, exist_ok=True)
            with atomic_path(record, FOLDER) as temporary:
                temporary.write_text(_record(version, computed), encoding="utf-8")
    return computed


def _version(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]


def _record(version: list[int], computed: str) -> str:
    """Return a line with the version of a file, its checksum, and that of this line."""
    line = f"{version} {computed}"
    return f"{line} {sha256(line.encode())}"
