"""Compressed files: which endings mark them, and how their bytes are read."""

import contextlib
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

from textclf.core.errors import UserError
from textclf.core.quoting import first_line


def _open_gzip(path: Path) -> IO[bytes]:
    import gzip

    return cast("IO[bytes]", gzip.open(path))


def _open_zstd(path: Path) -> IO[bytes]:
    import pyarrow as pa

    return cast("IO[bytes]", pa.CompressedInputStream(path.open("rb"), "zstd"))


class Compression(NamedTuple):
    """A compression: its name, and the function that opens a file to read the decompressed bytes."""

    name: str
    open: Callable[[Path], IO[bytes]]


COMPRESSIONS = {
    ".gz": Compression("gzip", _open_gzip),
    ".zst": Compression("zstd", _open_zstd),
}


def is_compressed(path: Path) -> bool:
    """Return whether a file is compressed, by its ending."""
    return path.suffix.lower() in COMPRESSIONS


def uncompressed_name(name: str) -> Path:
    """Return a file's name without the ending of its compression."""
    path = Path(name)
    return path.with_suffix("") if is_compressed(path) else path


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file to read its bytes, decompressed if it is compressed."""
    return COMPRESSIONS[path.suffix.lower()].open(path) if is_compressed(path) else path.open("rb")


@contextlib.contextmanager
def decompressing(path: Path) -> Iterator[None]:
    """Raise `UserError` if the block, which reads a file that `open_bytes` opened, finds it cut off or damaged."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # an error of the file system
        name = COMPRESSIONS[path.suffix.lower()].name
        raise UserError(f"{path} must be a whole {name} file; {first_line(error)}; copy it again") from error
