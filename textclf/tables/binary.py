"""Files that are no lines of text: reading them from any place, and from what they are stored in."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from textclf.core import resources
from textclf.core.outputs import writing
from textclf.tables.compression import is_compressed

PART = 2**25  # bytes of a stream that are copied at a time


@contextlib.contextmanager
def seekable(stream: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    """Yield the stream, or a temporary copy of it if it can't be read from its end, where a footer may be."""
    if not is_compressed(path) and stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        _copy(stream, copy, path)
        copy.seek(0)
        yield copy


@contextlib.contextmanager
def stored(stream: IO[bytes], path: Path) -> Iterator[Path]:
    """Yield the path of a file with the bytes of the stream: its own, or that of a temporary copy."""
    if not is_compressed(path) and path.is_file() and getattr(stream, "name", None) in {path, str(path)}:
        yield path
        return
    with tempfile.NamedTemporaryFile() as copy:
        _copy(stream, cast("IO[bytes]", copy), path)
        copy.flush()
        yield Path(copy.name)


def _copy(stream: IO[bytes], copy: IO[bytes], path: Path) -> None:
    """Copy a stream; `UserError` before the disk is full, since compressed bytes may become any number."""
    while part := stream.read(PART):
        resources.require_disk(Path(tempfile.gettempdir()), 4 * PART, f"a copy of {path}")
        with writing(Path(tempfile.gettempdir())):
            copy.write(part)
