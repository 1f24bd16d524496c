"""A stream in chunks of whole rows, any part of which can be left to a reader that reads line by line."""

import io
from typing import IO, cast

import numpy as np

from textclf.tables import limits

LF, QUOTE = b"\n", b'"'


class Chunks:
    """A stream of rows that end in LF, in chunks of about `limits.CHUNK_BYTES`.

    With `quoting`, an LF between quotes ends no row. This takes each quote for one that opens or closes; a chunk that
    has others must be left to `rest`, together with all after it.
    """

    def __init__(self, stream: IO[bytes], quoting: bool) -> None:
        """Read nothing yet."""
        self.line = 0  # how many lines were taken
        self._quoting = quoting
        self._read = getattr(stream, "read1", stream.read)
        self._held = b""  # bytes that were read and not taken
        self._position = 0  # in the stream, of what was read
        self._failure: Exception | None = None  # of reading on; raised when all before it has been taken
        self._at_end = False

    def is_long(self) -> bool:
        """Return whether there is more than a chunk left."""
        self._fill(limits.CHUNK_BYTES + 1)
        return len(self._held) > limits.CHUNK_BYTES

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
        chunk, self._held = self._held[:end], self._held[end:]
        self.line += count_lines(chunk)
        return chunk

    def put_back(self, chunks: list[bytes]) -> None:
        """Put chunks that were taken, the last ones, in front of what is left."""
        content = b"".join(chunks)
        self.line -= count_lines(content)
        self._held = content + self._held

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left, not even an error."""
        self._fill(1)
        return not self._held and self._failure is None

    def rest(self) -> IO[bytes]:
        """Return what is left as a stream; use nothing else until `skip_lines` says how much of it was taken."""
        self._lent = [self._held]
        return cast("IO[bytes]", _Rest(self))

    def skip_lines(self, count: int) -> None:
        """Take so many lines, which a reader has read from `rest`."""
        parts = b"".join(self._lent).split(LF, count)
        self._held = parts[count] if len(parts) > count else b""
        self.line += count

    def _fill(self, size: int) -> None:
        """Hold at least so many bytes, fewer at the end."""
        parts, length = [self._held], len(self._held)
        while length < size and not self._at_end:
            parts.append(self._more(size - length))
            length += len(parts[-1])
        if len(parts) > 1:
            self._held = b"".join(parts)

    def _more(self, size: int) -> bytes:
        part = b""
        try:
            part = self._read(size)
        except Exception as error:  # noqa: BLE001 (raised again by `more`)
            self._failure = error
        self._at_end = not part
        self._position += len(part)
        return part

    def more(self, size: int) -> bytes:
        """Return up to so many bytes of the stream behind those that are held, and raise the error of reading them."""
        if self._at_end:
            if self._failure is not None:
                raise self._failure
            return b""
        # As if the stream had been read from its start by so many bytes at a time.
        part: bytes = self._read(size - self._position % size)
        self._at_end = not part
        self._position += len(part)
        self._lent.append(part)
        return part

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


class _Rest(io.BufferedIOBase):
    """What is left of `Chunks`, as a stream."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks, self._held = chunks, chunks._lent[0]

    def readable(self) -> bool:
        """Return True, which `io.TextIOWrapper` asks for."""
        return True

    def read1(self, size: int = -1) -> bytes:
        """Return up to so many bytes."""
        if not self._held:
            return self._chunks.more(size)
        part, self._held = self._held[:size], self._held[size:]
        return part


def count_lines(content: bytes) -> int:
    """Return the number of lines, of which the last may lack its LF."""
    return count_bytes(content, LF) + (content[-1:] not in {b"", LF})


def count_bytes(content: bytes, byte: bytes, start: int = 0, end: int | None = None) -> int:
    """Return how often a byte occurs, several times as fast as `bytes.count` if it is often."""
    return int(np.count_nonzero(np.frombuffer(content, np.uint8)[start:end] == byte[0]))
