"""Files that are no lines of text: reading them from any place, and from what they are stored in."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from textclf.core.errors import UserError
from textclf.core.quoting import first_line
from textclf.tables.compression import is_compressed


@contextlib.contextmanager
def seekable(stream: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    """Yield the stream, or a temporary copy of it if it can't be read from its end, where a footer may be."""
    if not is_compressed(path) and stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield copy


@contextlib.contextmanager
def stored(stream: IO[bytes], path: Path) -> Iterator[Path]:
    """Yield the path of a file with the bytes of the stream: its own, or that of a temporary copy."""
    if not is_compressed(path) and path.is_file() and getattr(stream, "name", None) in {path, str(path)}:
        yield path
        return
    with tempfile.NamedTemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.flush()
        yield Path(copy.name)


def damaged(path: Path, kind: str, reason: object) -> UserError:
    """Return the error for a file that its library can't read as one of this kind."""
    return UserError(f"{path} must be a whole {kind} file; {first_line(reason)}; copy it again")
