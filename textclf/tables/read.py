"""Rows of a file in any format, in batches; a file that is not what its ending says is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from textclf.core.errors import UserError
from textclf.tables import limits
from textclf.tables.compression import decompressing, open_bytes
from textclf.tables.formats import FORMATS
from textclf.tables.layout import Batch, Layout
from textclf.tables.lines import decoding


class Signature(NamedTuple):
    """The first bytes of a kind of file, what it is, its format, or advice if textclf has none."""

    start: bytes
    content: str
    format: str | None = None
    advice: str = ""


SIGNATURES = (
    Signature(b"PK\x03\x04", "a zip archive, as an Excel workbook is", "excel"),
    Signature(b"PAR1\x15", "Parquet", "parquet"),
    Signature(b"ARROW1", "Arrow", "arrow"),
    Signature(b"\xff\xff\xff\xff", "Arrow", "arrow"),
    Signature(b"SQLite format 3\0", "an SQLite database", "sqlite"),
    Signature(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel workbook or one with a password",
        advice="save it as .xlsx without a password",
    ),
    Signature(b"\x1f\x8b\x08", "a gzip file", advice="let its name end in .gz as well"),
    Signature(b"\x28\xb5\x2f\xfd", "a zstd file", advice="let its name end in .zst as well"),
    Signature(b"\xfd7zXZ\0", "an xz file", advice="decompress it"),
)
# Names of formats in an error, unless they are those of params.yaml.
NAMES = {"folders": "a text", "lines": "lines of text"}
LONGEST = max(len(signature.start) for signature in SIGNATURES)


def read_batches(
    path: Path, kind: str, layout: Layout, most: int | None = None, stream: IO[bytes] | None = None
) -> Iterator[Batch]:
    """Yield the rows of a file in the format `kind`, or of an open stream that errors call `path`.

    A batch has about as many rows as `limits` say. With `most` 1 it has one, and a format that is
    read by line takes no more of a stream than it yields, and needs no pyarrow. Raises `UserError`
    if the whole file breaks a rule.
    """
    with decompressing(path), decoding(path, layout), stream or open_bytes(path) as opened:
        if stream is None:
            _require_content(opened, path, kind, layout.option)
        yield from FORMATS[kind].read(opened, path, layout, most or limits.BLOCK_ROWS)


def has_signature(path: Path) -> bool:
    """Return whether a file begins as one of a format that is no text."""
    with path.open("rb") as stream:
        return stream.read(LONGEST).startswith(tuple(signature.start for signature in SIGNATURES))


def _require_content(stream: IO[bytes], path: Path, kind: str, option: str) -> None:
    """Raise `UserError` if a file begins as one of another format; do not move in the stream."""
    if not hasattr(stream, "peek"):
        return
    head: bytes = stream.peek(LONGEST)[:LONGEST]
    for signature in SIGNATURES:
        if head.startswith(signature.start) and signature.format != kind:
            advice = signature.advice or f"rename it, or set {option}format to {signature.format}"
            raise UserError(
                f"{path} must be {NAMES.get(kind, kind)}; got {signature.content}; {advice}"
            )
