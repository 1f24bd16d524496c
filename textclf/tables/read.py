"""Rows of a file in any format, one by one or many at a time: nothing skipped, nothing guessed."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from textclf.core.foreign import require_file
from textclf.tables.compression import decompressing, open_bytes
from textclf.tables.contents import require_content
from textclf.tables.formats import FORMATS
from textclf.tables.layout import Layout, NumberedRow, Rows
from textclf.tables.lines import decoding


def read_rows(path: Path, kind: str, layout: Layout, stream: IO[bytes] | None = None) -> Iterator[NumberedRow]:
    """Yield every row of a file in the format `kind`, or of an open stream that errors call `path`.

    A row that breaks a rule comes as a `ValueError`. Raises `UserError` if the whole file breaks one.
    """
    with _reading(path, layout), stream or _open(path, kind, layout) as opened:
        yield from FORMATS[kind].read_rows(opened, path, layout)


def read_blocks(path: Path, kind: str, layout: Layout) -> Iterator[Rows]:
    """Yield the rows of `read_rows` many at a time, in a fraction of the time."""
    with _reading(path, layout), _open(path, kind, layout) as opened:
        yield from FORMATS[kind].read_blocks(opened, path, layout)


def _open(path: Path, kind: str, layout: Layout) -> IO[bytes]:
    """Open a file to read its bytes; `UserError` if they begin as those of another format."""
    require_file(path)
    stream = open_bytes(path)
    try:
        require_content(stream, path, kind, layout.option)
    except BaseException:
        stream.close()
        raise
    return stream


@contextlib.contextmanager
def _reading(path: Path, layout: Layout) -> Iterator[None]:
    with decompressing(path), decoding(path, layout):
        yield
