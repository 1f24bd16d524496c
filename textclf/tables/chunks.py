"""A stream of UTF-8 in chunks of whole rows."""

import io
from typing import IO

from textclf.tables import limits

LF, QUOTE = b"\n", b'"'


class Chunks(io.BufferedIOBase):
    """A stream of rows that end in LF, in chunks of about `limits.CHUNK_BYTES`; what is left can be read as a stream.

    With `quoting`, an LF between quotes ends no row. This takes each quote for one that opens or closes; a chunk that
    has others must be put back, and the rest be read by line.
    """

    def __init__(self, stream: IO[bytes], quoting: bool) -> None:
        """Read nothing yet. The stream is closed with this one."""
        self._stream, self._quoting = stream, quoting
        self._held = b""  # bytes that were read and not taken
        self._rest = io.BytesIO()  # those of them that are read as a stream

    def take(self) -> bytes:
        """Return the next chunk; empty at the end, and also if a row is too long for it."""
        size = min(limits.CHUNK_BYTES, limits.ROW_BYTES // 8)
        longest = 4 * size
        while len(self._held) < longest:
            part = self._stream.read(size - len(self._held) % size)
            self._held += part
            end = self._last_end() if part else len(self._held)
            if end or not part:
                chunk, self._held = self._held[:end], self._held[end:]
                return chunk
        return b""

    def put_back(self, chunks: list[bytes]) -> None:
        """Put chunks that were taken, the last ones, in front of what is left."""
        self._held = b"".join([*chunks, self._held])

    def readable(self) -> bool:
        """Return True: this is a stream to read."""
        return True

    def read1(self, size: int = -1) -> bytes:
        """Return up to so many bytes of what is left."""
        if self._held:
            self._rest, self._held = io.BytesIO(self._held), b""
        return self._rest.read(size) or self._stream.read(size)

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
        super().close()

    def _last_end(self) -> int:
        """Return where the last whole row ends in what is held; 0 if none does."""
        held = self._held
        end = held.rfind(LF) + 1
        quotes = held.count(QUOTE, 0, end) if self._quoting else 0
        while quotes % 2:  # an LF between quotes, of which the first is the last quote before it
            end, after = held.rfind(LF, 0, held.rfind(QUOTE, 0, end)) + 1, end
            quotes -= held.count(QUOTE, end, after)
        return end
