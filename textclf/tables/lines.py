"""Lines of text: decoding, and the formats without a header: `sentence TAB label`, and texts."""

import contextlib
import io
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO

from textclf.core.errors import UserError
from textclf.core.quoting import first_line, quote_value
from textclf.tables.layout import Layout, NumberedRow

# No Unicode text contains one of these; undecodable bytes are decoded to them.
SURROGATE = re.compile(r"[\ud800-\udfff]")


def read_lines(stream: IO[bytes], layout: Layout) -> Iterator[str]:
    """Yield the lines of a stream as `lines_of` does; undecodable bytes become surrogates."""
    with decoded(stream, layout) as text:
        yield from lines_of(text)


def lines_of(text: IO[str], head: str = "", first: int = 1) -> Iterator[str]:
    """Yield the lines of `head` and of the text after it with their line ends.

    A byte order mark is left out. Only LF ends a line. A lone CR, U+0085 and the like belong to the
    text. `first` is the number of the first line.
    """
    if not head.endswith("\n"):
        head += text.readline()
    lines = chain(io.StringIO(head, newline="\n"), text)
    if first == 1 and (start := next(lines, "").removeprefix("\ufeff")):
        yield start
    yield from lines


def read_whole(stream: IO[bytes], layout: Layout) -> str:
    """Return all of a stream as a text, without a byte order mark."""
    with decoded(stream, layout) as text:
        return text.read().removeprefix("\ufeff")


def decoded(stream: IO[bytes], layout: Layout) -> io.TextIOWrapper:
    """Return a stream as text, which the caller closes: Python warns of files left open."""
    return io.TextIOWrapper(
        stream, encoding=layout.encoding, errors="surrogateescape", newline="\n"
    )


def strip_end(line: str) -> str:
    """Return the line without its LF or CRLF."""
    return line.removesuffix("\n").removesuffix("\r")


@contextlib.contextmanager
def decoding(path: Path, layout: Layout) -> Iterator[None]:
    """Raise `UserError` for decoding errors of a block that no single line has, as in UTF-16."""
    try:
        yield
    except UnicodeDecodeError as error:
        got = "its end"
        if error.start < len(error.object):
            got = f"byte 0x{error.object[error.start]:02x}"
        raise UserError(
            f"{path} must be {layout.encoding}; got {got} ({error.reason}); "
            f"set {layout.option}encoding"
        ) from error
    except UnicodeError as error:  # UTF-16 without a byte order mark
        raise UserError(
            f"{path} must be {layout.encoding}; {first_line(error)}; set {layout.option}encoding"
        ) from error


def decoding_error(text: str, layout: Layout) -> ValueError | None:
    """Return an error for the first undecodable byte in a text of the file, or None."""
    if text.isascii():
        return None
    match = SURROGATE.search(text)
    if not match:
        return None
    # "surrogateescape" maps bytes so; UTF-7 can hold other surrogates.
    byte = ord(match.group()) - 0xDC00
    got = f"byte 0x{byte:02x}" if 0x80 <= byte <= 0xFF else "half a surrogate pair"
    return ValueError(
        f"must be {layout.encoding}; got {got} at offset {match.start()}; "
        f"set {layout.option}encoding"
    )


def read_sentences(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield the rows of UCI's format: lines `sentence TAB label`, where the last tab counts.

    There is no header, and quotes are text.
    """
    layout.require_columns(path, ["text", "label"])
    hint = ""
    # Texts without labels may be lines; a layout without columns only asks for their names.
    if "text" in layout.columns and "label" not in layout.columns:
        hint = f"; if each line is a text, set {layout.option}format to lines"
    for number, line in enumerate(read_lines(stream, layout), start=1):
        stripped = strip_end(line)
        text, tab, label = stripped.rpartition("\t")
        if error := decoding_error(line, layout):
            yield number, error
        elif stripped and not tab:
            rule = "must be a sentence, a tab and a label"
            yield number, ValueError(f"{rule}; got {quote_value(stripped)} without a tab{hint}")
        else:
            yield number, {"text": text, "label": label}


def read_texts(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield each line as a text, empty lines included."""
    column = next(iter(layout.columns_of("text")), "text")
    layout.require_columns(path, [column])
    for number, line in enumerate(read_lines(stream, layout), start=1):
        yield number, decoding_error(line, layout) or {column: strip_end(line)}
