"""A stream of UTF-8 in chunks of whole rows, any part of which can be read line by line instead."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from textclf.tables import limits
from textclf.tables.limits import row_too_long

LF, QUOTE = b"\n", b'"'


class Chunks:
    """A stream of rows that end in LF, in chunks of about `limits.CHUNK_BYTES`.

    With `quoting`, an LF between quotes ends no row. This takes each quote for one that opens or closes; a chunk that
    has others must be put back and read from `lines`.
    """

    def __init__(self, stream: IO[bytes], path: Path, quoting: bool, advice: str) -> None:
        """Read nothing yet. An error about a line that is too long names `path` and ends in `advice`."""
        self.line = 0  # how many lines were taken
        self._path, self._advice = path, advice
        self._quoting = quoting
        self._read = getattr(stream, "read1", stream.read)
        self._held, self._taken = b"", 0  # bytes that were read, and how many of them were taken
        self._failure: Exception | None = None  # of reading on; raised when all before it has been taken
        self._at_end = False

    def take(self) -> bytes:
        """Return the next chunk; empty at the end, and also if a row is too long for it, or can't be read."""
        size = min(limits.CHUNK_BYTES, limits.ROW_BYTES // 8)
        most = 4 * size
        while True:
            self._fill(size)
            end = self._last_end()
            if self._at_end and self._failure is None:
                end = len(self._held)
            if end or self._at_end or len(self._held) >= most:
                break
            size *= 2
        chunk, self._taken = self._held[:end], end
        self.line += count_lines(chunk)
        return chunk

    def put_back(self, chunks: list[bytes]) -> None:
        """Put chunks that were taken, the last ones, in front of what is left."""
        content = b"".join(chunks)
        self.line -= count_lines(content)
        self._held, self._taken = content + self._held[self._taken :], 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left, not even an error."""
        self._fill(1)
        return not self._held and self._failure is None

    def lines(self) -> Iterator[str]:
        """Yield the next lines with their line ends, each of them taken when it is asked for.

        Undecodable bytes become surrogates, and a byte order mark at the start of the stream is left out. Raises the
        error of reading the stream, and `UserError` at a line that is too long.
        """
        while line := self._take_line():
            text = line.decode(errors="surrogateescape")
            if self.line == 1:
                text = text.removeprefix("\ufeff")
            if text:
                yield text

    def _take_line(self) -> bytes:
        size = limits.CHUNK_BYTES
        while not (end := self._held.find(LF, self._taken) + 1) and not self._at_end:
            self._fill(size)
            if len(self._held) > limits.ROW_BYTES and LF not in self._held:
                raise row_too_long(f"{self._path}:{self.line + 1}", self._advice)
            size *= 2
        if not end and self._failure is not None:
            raise self._failure
        line = self._held[self._taken : end or len(self._held)]
        self._taken += len(line)
        self.line += bool(line)
        return line

    def _fill(self, size: int) -> None:
        """Hold at least so many bytes that were not taken, fewer at the end."""
        parts = [self._held[self._taken :]]
        length = len(parts[0])
        while length < size and not self._at_end:
            part = b""
            try:
                part = self._read(size - length)
            except Exception as error:  # noqa: BLE001 (raised again by `_take_line`)
                self._failure = error
            self._at_end = not part
            parts.append(part)
            length += len(part)
        self._held, self._taken = b"".join(parts), 0

    def _last_end(self) -> int:
        """Return where the last whole row ends in what is held; 0 if none does."""
        held = self._held
        end = held.rfind(LF)
        if not self._quoting or end < 0:
            return end + 1
        before = count_bytes(held, QUOTE, 0, end)
        while end >= 0 and before % 2:  # an LF between quotes, of which the first is the last quote before it
            quote = held.rfind(QUOTE, 0, end)
            end, after = held.rfind(LF, 0, quote), end
            before -= count_bytes(held, QUOTE, max(end, 0), after)
        return end + 1


def count_lines(content: bytes) -> int:
    """Return the number of lines, of which the last may lack its LF."""
    return count_bytes(content, LF) + (content[-1:] not in {b"", LF})


def count_bytes(content: bytes, byte: bytes, start: int = 0, end: int | None = None) -> int:
    """Return how often a byte occurs, several times as fast as `bytes.count` if it is often."""
    return int(np.count_nonzero(np.frombuffer(content, np.uint8)[start:end] == byte[0]))
