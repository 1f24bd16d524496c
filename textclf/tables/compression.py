"""Compressed files: their endings, their bytes, and copies for readers that move in a file."""

import contextlib
import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from textclf.core.errors import UserError
from textclf.core.outputs import writing
from textclf.core.quoting import first_line

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}  # by ending


def is_compressed(path: Path) -> bool:
    """Return whether a file is compressed, by its ending."""
    return path.suffix.lower() in COMPRESSIONS


def uncompressed_name(name: str) -> Path:
    """Return a file's name without the ending of its compression."""
    path = Path(name)
    return path.with_suffix("") if is_compressed(path) else path


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file to read its bytes, decompressed if it is compressed."""
    match COMPRESSIONS.get(path.suffix.lower()):
        case "gzip":
            return cast("IO[bytes]", gzip.open(path))
        case "zstd":
            import pyarrow as pa

            return cast("IO[bytes]", pa.CompressedInputStream(path.open("rb"), "zstd"))
        case _:
            return path.open("rb")


@contextlib.contextmanager
def decompressing(path: Path) -> Iterator[None]:
    """Raise `UserError` if a file of `open_bytes` that the block reads is cut off or damaged."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # an error of the file system
        name = COMPRESSIONS[path.suffix.lower()]
        raise UserError(
            f"{path} must be a whole {name} file; {first_line(error)}; copy it again"
        ) from error


@contextlib.contextmanager
def stored(stream: IO[bytes], path: Path) -> Iterator[Path]:
    """Yield the path of a file with the bytes of the stream: its own, or a temporary copy.

    Raises `UserError` if the disk is full.
    """
    is_whole_file = getattr(stream, "name", None) in {path, str(path)} and path.is_file()
    if is_whole_file and not is_compressed(path):
        yield path
        return
    # Windows opens no file twice that is removed when it is closed, and removes none that Arrow has
    # mapped.
    folder = Path(tempfile.mkdtemp(prefix="textclf-"))
    try:
        with writing(Path(tempfile.gettempdir())), (folder / "copy").open("wb") as copy:
            shutil.copyfileobj(stream, copy)
        yield folder / "copy"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
