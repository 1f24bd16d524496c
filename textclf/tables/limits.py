"""How long a row and a text may be, and how many rows are in memory at a time, so that no file can exhaust it."""

import io
import warnings
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TypeVar

from textclf.core import resources
from textclf.core.errors import UserError

T = TypeVar("T")

TEXT_CHARACTERS = 2**25  # of a text; the complete works of Shakespeare have a sixth of it
ROW_BYTES = 2**26  # of a row with all its columns, as it is stored
BLOCK_ROWS, BLOCK_BYTES = 4096, 2**25  # in memory at a time; a single row may be longer
CHUNK_BYTES = 2**20  # of a long file that are parsed at a time; a short one is read line by line
ADVICE = "shorten it, or leave it out"


def row_too_long(place: str, advice: str = ADVICE) -> UserError:
    """Return the error for a row of more than `ROW_BYTES`."""
    return UserError(f"{place}: a row must be at most {ROW_BYTES // 2**20} MiB long; got more; {advice}")


def with_limited_memory(items: Iterator[T]) -> Iterator[T]:
    """Yield what a library reads; an item for which there is not enough memory is a MemoryError, whatever it claims.

    Warnings of the library are left out: they tell of what a file has besides values, such as validation of cells.
    """
    limit = resources.memory_limit()
    while True:
        with warnings.catch_warnings(), resources.limited_memory(limit):
            warnings.simplefilter("ignore")
            some = list(islice(items, 1))
        if not some:
            return
        yield some[0]


class LineGuard(io.BufferedIOBase):
    """A stream of lines that raises `UserError` when one of them gets too long, before all of it is in memory."""

    def __init__(self, stream: IO[bytes], path: Path, encoding: str, advice: str = ADVICE, before: int = 0) -> None:
        """Read from `stream`, which errors call `path`, after so many lines of it. It is closed with this one."""
        self._stream, self._path, self._advice = stream, path, advice
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        end = "\n".encode(encoding)
        self._end = b"\n" if b"\n" in end else end  # UTF-16: the byte may be part of another letter, which is harmless
        self._lines, self._length = before, 0  # complete lines; bytes since then

    def readable(self) -> bool:
        """Return True, which `io.TextIOWrapper` asks for."""
        return True

    def read1(self, size: int = -1) -> bytes:
        """Return up to so many bytes of the stream."""
        chunk = self._read(size)
        if ends := chunk.count(self._end):
            self._lines += ends
            self._length = len(chunk) - chunk.rfind(self._end)
        else:
            self._length += len(chunk)
        if self._length > ROW_BYTES:
            raise row_too_long(f"{self._path}:{self._lines + 1}", self._advice)
        return chunk

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
        super().close()
