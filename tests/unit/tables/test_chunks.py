"""Long files: chunks that Arrow parses have the rows and errors of Python's csv."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textclf.core import threads
from textclf.core.errors import UserError
from textclf.tables import limits
from textclf.tables.delimited import CSV
from textclf.tables.layout import Batch, Layout
from textclf.tables.read import read_batches

PIECES = [b'"', b'""', b"\n", b"\r", b"\r\n", b"\n\n", b",", b"\t", b"a", b"b b", b" ", b"\0", b";"]
PIECES += [b"\xff", b"\xed\xa0\x80", b"\xc3", "é".encode(), "語".encode(), "\u2028\x85".encode(), "\ufeff".encode()]
PLAIN = [b"a,b\n", b'"a\nb",c\n', b'"x ""y""",\n', b",b\r\n", b'"a","\r\nb"\r\n', b'"",""\n', b"a\tb\n", b"\xc3\xa9,\n"]
ROWS = st.lists(st.one_of(st.sampled_from(PLAIN), st.sampled_from(PLAIN), st.sampled_from(PIECES)), max_size=30)
HEADS = {",": b"text,label\n", "\t": b"text\tlabel\n"}


def flattened(batches: Iterator[Batch]) -> object:
    """Return the rows with their numbers, wrong ones as the rule that they break, or the lines of the error."""
    rows: list[tuple[int, object]] = []
    try:
        for number, record in (batch.row(position) for batch in batches for position in range(len(batch))):
            rows.append((number, str(record) if isinstance(record, ValueError) else record))
    except UserError as error:
        return error.lines
    return rows


def in_chunks(patch: pytest.MonkeyPatch, size: int, rows: int, cores: int) -> None:
    patch.setattr(limits, "CHUNK_BYTES", size)
    patch.setattr(limits, "BLOCK_ROWS", rows)
    patch.setattr(threads, "cores", lambda: cores)


@pytest.mark.parametrize("kind", ["csv", "tsv"])
@given(
    parts=ROWS,
    delimiter=st.sampled_from([",", "\t"]),
    quoting=st.booleans(),
    columns=st.sampled_from([("text", "label"), ("label",), ("text", "text")]),
    head=st.sampled_from(["", "quoted", "bom", "one", "none"]),
    size=st.integers(1, 40),
    rows=st.integers(1, 5),
    cores=st.integers(1, 3),
)
@example([b'5" x,b\n', b'"a"b,c\n', b"a,b\n"], ",", True, ("text", "label"), "", 4, 1, 2)
@example([b"\xef\xbb\xbfa,b\n"] * 9, ",", True, ("text", "label"), "bom", 7, 1, 2)
@example([b"a\n", b"\n", b"\r\n", b"b\n"] * 3, ",", True, ("text",), "one", 5, 2, 2)
def test_chunks_of_any_size_give_the_rows_and_errors_of_reading_by_line(
    folder: Path,
    kind: str,
    parts: list[bytes],
    delimiter: str,
    quoting: bool,
    columns: tuple[str, ...],
    head: str,
    size: int,
    rows: int,
    cores: int,
) -> None:
    first = {"quoted": b'"text"%s"label"\r\n' % delimiter.encode(), "one": b"text\n", "none": b""}
    content = first.get(head, HEADS[delimiter]) + b"".join(parts)
    path = folder / "long"
    path.write_bytes(("\ufeff".encode() if head == "bom" else b"") + content)
    layout = Layout(dict(zip("ab", columns, strict=False)), delimiter=delimiter, quoting=quoting)
    by_line = flattened(read_batches(path, kind, layout, 1))
    with pytest.MonkeyPatch.context() as patch:
        in_chunks(patch, size, rows, cores)
        assert flattened(read_batches(path, kind, layout)) == by_line


class Failing(io.BytesIO):
    """A stream that fails when all its bytes have been read."""

    def read(self, size: int | None = -1) -> bytes:
        if part := super().read(size):
            return part
        raise OSError("cut off")


def test_an_error_of_the_stream_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    in_chunks(monkeypatch, 16, 1, 2)
    stream = Failing(b"text,label\n" + b"a,0\n" * 30)
    with pytest.raises(OSError, match="cut off"):
        list(CSV.read(stream, Path("c.csv"), Layout({"text": "text"}), 9))
