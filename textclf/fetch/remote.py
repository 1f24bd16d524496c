"""A file behind a URL that is read in parts, so that a small member of a large zip needs no whole download."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import requests

from textclf.fetch.download import CHUNK, CONNECT_SECONDS, READ_SECONDS, SourceError, network_errors

PART = 4 * 2**20  # bytes of a request


@contextmanager
def open_remote(url: str) -> Iterator[IO[bytes]]:
    """Yield a readable, seekable file; `SourceError` if the server is not reached or does not give parts of files."""
    import requests

    with requests.Session() as session:
        yield cast("IO[bytes]", io.BufferedReader(_Remote(session, url), PART))


class _Remote(io.RawIOBase):
    """The raw bytes behind a URL; each read is a request for a range of them."""

    def __init__(self, session: "requests.Session", url: str) -> None:
        self.session, self.url, self.position = session, url, 0
        _, self.size = self._range(0, 0)

    def _range(self, first: int, last: int) -> tuple[bytes, int]:
        """Return the bytes from `first` to `last`, and the size of the whole file."""
        with network_errors():
            response = self.session.get(
                self.url,
                headers={"Range": f"bytes={first}-{last}", "Accept-Encoding": "identity"},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                stream=True,
            )
            with response:
                response.raise_for_status()
                size = response.headers.get("Content-Range", "").rpartition("/")[2]
                if response.status_code != 206 or not size.isdecimal():
                    raise SourceError("the server gives no parts of the file")
                content = b""
                for chunk in response.iter_content(CHUNK):
                    content += chunk
                    if len(content) > last - first + 1:
                        break
        if len(content) != last - first + 1:
            raise SourceError("the server gives other parts of the file than it was asked for")
        return content, int(size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size}[whence]
        return self.position

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self.size - self.position)
        if count <= 0:
            return 0
        buffer[:count], _ = self._range(self.position, self.position + count - 1)
        self.position += count
        return count
