"""Parquet with a checksum of the whole file, which readers verify before they parse it.

Parquet's own checksums are optional and cover pages, but not the footer: there, a flipped bit renames a column or
points to another page. So the footer has the SHA-256 of the file, as it is with zeros in its place. A file without one,
of another program, is read as it is, unless the reader knows that it was written with one: damage of the footer may
hide that there was a checksum.
"""

import contextlib
import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

KEY = b"textclf.sha256"  # in the footer's metadata
FOUND = b"\x18\x0e" + KEY  # as Thrift encodes it, with its length
START = FOUND + b"\x18\x40"  # and the length of the value
EMPTY = b"0" * 64
TAIL = 2**24  # bytes in which the footer ends with its metadata
CHUNK = 2**20


class ChecksumError(ValueError):
    """A file does not have the checksum that is in its footer."""


class Writer:
    """A writer of Parquet to a stream, which need not be seekable; the footer is written if the block has no error."""

    def __init__(self, stream: IO[bytes], schema: "pa.Schema") -> None:
        """Write to the stream; it stays open."""
        import pyarrow.parquet as pq

        self._output = _Output(stream)
        self._writer = pq.ParquetWriter(self._output, schema, compression="zstd")
        self._writer.add_key_value_metadata({KEY: EMPTY})

    def write_table(self, table: "pa.Table") -> None:
        """Write the table as one row group, or as several if it has more than a million rows."""
        self._writer.write_table(table)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._output.held = bytearray()  # after an error, too: pyarrow writes the footer when it collects its writer
        if kind is None:
            self._writer.close()
            self._output.finish()


class _Output:
    """A stream that computes the checksum of what is written and, at the end, keeps it back in `held`."""

    closed = False

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.sum = hashlib.sha256()
        self.held: bytearray | None = None

    def write(self, data: bytes) -> int:
        if self.held is None:
            self.sum.update(data)
            self.stream.write(data)
        else:
            self.held += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: the owner of the stream flushes it."""

    def finish(self) -> None:
        end = bytes(self.held or b"")
        self.sum.update(end)
        before, _, after = end.rpartition(START + EMPTY)
        self.stream.write(before + START + self.sum.hexdigest().encode() + after)


@contextlib.contextmanager
def create(path: Path, schema: "pa.Schema") -> Iterator[Writer]:
    """Yield the writer of a new file, which is complete when the block ends without error."""
    with path.open("wb") as stream, Writer(stream, schema) as writer:
        yield writer


def write_table(table: "pa.Table", target: Path) -> None:
    """Write a table as a file."""
    with create(target, table.schema) as writer:
        writer.write_table(table)


def open_file(source: Path | IO[bytes], required: bool = False) -> "pq.ParquetFile":
    """Return the reader of a file or of a seekable stream; `ChecksumError` if its bytes are not those written.

    `required` says that the file was written with a checksum.
    """
    import pyarrow.parquet as pq

    if isinstance(source, Path):
        found = source.stat()
        _verify_once(source, required, found.st_ino, found.st_size, found.st_mtime_ns)
    else:
        verify(source, required)
    return pq.ParquetFile(source)


@functools.cache
def _verify_once(path: Path, required: bool, *_version: int) -> None:
    """Verify a file when a process first reads it, and again if it is another version: a stage reads several times."""
    verify(path, required)


def verify(source: Path | IO[bytes], required: bool = False) -> None:
    """Raise `ChecksumError` if a file, or a seekable stream, has a checksum that is not that of its bytes.

    Also if it has none and one is `required`.
    """
    with source.open("rb") if isinstance(source, Path) else contextlib.nullcontext(source) as stream:
        size = stream.seek(0, os.SEEK_END)
        start = stream.seek(max(0, size - TAIL))
        tail = stream.read()
        stream.seek(0)
        if (found := tail.rfind(FOUND)) < 0:
            if required:
                raise ChecksumError("it has no checksum in its footer")
            return
        checksum = hashlib.sha256()
        for position in range(0, start, CHUNK):
            checksum.update(stream.read(min(CHUNK, start - position)))
        stream.seek(0)
    value = found + len(START)
    for part in (tail[:value], EMPTY, tail[value + len(EMPTY) :]):
        checksum.update(part)
    if tail[value : value + len(EMPTY)] != checksum.hexdigest().encode():
        raise ChecksumError("its bytes do not have the checksum in its footer")
