"""Parquet with a checksum of the whole file, which readers verify before they parse it.

Parquet's own checksums cover the data of pages, but neither their headers nor the footer: there, a
flipped bit renames a column, makes other rows of the same data, or ends the process in pyarrow. So
the footer has the SHA-256 of the file, as it is with zeros in its place.
"""

import contextlib
import functools
import hashlib
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

KEY = b"textclf.sha256"  # in the footer's metadata
# The key as Thrift encodes it, with its length and that of the value.
START = b"\x18\x0e" + KEY + b"\x18\x40"
EMPTY = b"0" * 64


class ChecksumError(ValueError):
    """A file does not have the checksum that is in its footer."""


class _Sink:
    """A stream that ignores what is written after an error.

    pyarrow writes the footer even then, when it collects its writer.
    """

    closed = False

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.failed = False

    def write(self, data: bytes) -> int:
        if not self.failed:
            self.stream.write(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: the owner of the stream flushes it."""


@contextlib.contextmanager
def writing(stream: IO[bytes], schema: "pa.Schema") -> Iterator["pq.ParquetWriter"]:
    """Yield a writer to a stream, which need not be seekable.

    The footer is written if the block ends without error.
    """
    import pyarrow.parquet as pq

    sink = _Sink(stream)
    writer = pq.ParquetWriter(sink, schema, compression="zstd")
    try:
        yield writer
        writer.close()
    except BaseException:
        sink.failed = True
        raise


@contextlib.contextmanager
def create(path: Path, schema: "pa.Schema") -> Iterator["pq.ParquetWriter"]:
    """Yield the writer of a new file; add its checksum when the block ends without error."""
    with path.open("w+b") as file:
        with writing(file, schema) as writer:
            writer.add_key_value_metadata({KEY: EMPTY})
            yield writer
        file.flush()
        with mmap.mmap(file.fileno(), 0) as content:
            offset, checksum = _checksum(content)
            content[offset : offset + len(EMPTY)] = checksum


def write_table(table: "pa.Table", target: Path) -> None:
    """Write a table as a file."""
    with create(target, table.schema) as writer:
        writer.write_table(table)


def open_file(path: Path) -> "pq.ParquetFile":
    """Return the reader of a file that `create` wrote; `ChecksumError` if its bytes are others."""
    import pyarrow.parquet as pq

    status = path.stat()
    _verify_once(path, status.st_ino, status.st_size, status.st_mtime_ns)
    return pq.ParquetFile(path)


@functools.cache
def _verify_once(path: Path, *_version: int) -> None:
    """Verify a file when a process first reads it, and again if it is another version.

    A stage reads a file several times.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        offset, checksum = _checksum(content)
        if content[offset : offset + len(EMPTY)] != checksum:
            raise ChecksumError("its bytes do not have the checksum in its footer")


def _checksum(content: mmap.mmap) -> tuple[int, bytes]:
    """Return the offset of the checksum in a file, and the one that belongs there."""
    offset = content.rfind(START) + len(START)
    with memoryview(content) as view:
        checksum = hashlib.sha256(view[:offset])
        checksum.update(EMPTY)
        checksum.update(view[offset + len(EMPTY) :])
    return offset, checksum.hexdigest().encode()
