"""Long files: parsed in chunks, and by line where a chunk is not plain, with the rows and errors of reading by line."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.tables.tables import data
from textclf.core import threads
from textclf.core.errors import UserError
from textclf.tables import corpus, limits
from textclf.tables.chunks import Chunks
from textclf.tables.delimited import CSV
from textclf.tables.layout import Block, Layout, Rows
from textclf.tables.read import read_blocks, read_rows

PIECES = [b'"', b'""', b"\n", b"\r", b"\r\n", b"\n\n", b",", b"\t", b"a", b"b b", b" ", b"\0", b";"]
PIECES += [b"\xff", b"\xed\xa0\x80", b"\xc3", "é".encode(), "語".encode(), "\u2028\x85".encode(), "\ufeff".encode()]
PLAIN = [b"a,b\n", b'"a\nb",c\n', b'"x ""y""",\n', b",b\r\n", b'"a","\r\nb"\r\n', b'"",""\n', b"a\tb\n", b"\xc3\xa9,\n"]
ROWS = st.lists(st.one_of(st.sampled_from(PLAIN), st.sampled_from(PLAIN), st.sampled_from(PIECES)), max_size=30)
HEADS = {",": b"text,label\n", "\t": b"text\tlabel\n"}


def flattened(blocks: Iterator[Rows]) -> object:
    """Return the rows with their numbers, wrong ones as the rule that they break, or the lines of the error."""
    rows: list[tuple[int, object]] = []
    try:
        for block in blocks:
            rows += [
                (int(number), str(record) if isinstance(record, ValueError) else record)
                for number, record in (block.rows() if isinstance(block, Block) else block)
            ]
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
    by_line = flattened([row] for row in read_rows(path, kind, layout))
    with pytest.MonkeyPatch.context() as patch:
        in_chunks(patch, size, rows, cores)
        assert flattened(read_blocks(path, kind, layout)) == by_line


def test_plain_chunks_are_arrays_and_only_the_others_are_read_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.csv"
    path.write_text("text,label\n" + "a,0\n" * 50 + 'b"b,1\n' + "a,0\n" * 50)
    in_chunks(monkeypatch, 40, 5, 2)
    blocks = list(read_blocks(path, "csv", Layout({"text": "text", "label": "label"})))
    by_line = [block for block in blocks if isinstance(block, Block) and isinstance(block.columns["text"], list)]
    assert sum(len(block.numbers) for block in by_line) <= 15
    assert len(blocks) > 5


class Failing(io.BytesIO):
    """A stream that fails when all its bytes have been read."""

    def read1(self, size: int | None = -1) -> bytes:
        if part := super().read1(size):
            return part
        raise OSError("cut off")


@pytest.mark.parametrize(
    ("tail", "error"), [("a,0\n" * 30, "cut off"), ('a"\n"a"b,0\n' + "a,0\n" * 30, "text after a")]
)
def test_an_error_of_reading_ahead_comes_after_those_of_the_rows_before_it(
    monkeypatch: pytest.MonkeyPatch, tail: str, error: str
) -> None:
    in_chunks(monkeypatch, 16, 1, 2)
    stream = Failing(b"text,label\n" + b"a,0\n" * 30 + tail.encode())
    with pytest.raises((OSError, UserError), match=error):
        list(CSV.read_blocks(stream, Path("c.csv"), Layout({"text": "text"})))


@given(st.lists(st.sampled_from(PLAIN + PIECES), max_size=30), st.integers(1, 30), st.booleans())
def test_chunks_are_all_of_a_stream_and_can_be_put_back(parts: list[bytes], size: int, quoting: bool) -> None:
    content = b"".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "CHUNK_BYTES", size)
        chunks = Chunks(io.BytesIO(content), Path("c.csv"), quoting, "")
        taken = []
        while chunk := chunks.take():
            chunks.put_back([chunk])
            assert chunks.take() == chunk
            taken.append(chunk)
        rest = "".join(chunks.lines()).encode(errors="surrogateescape")
        assert b"".join([*taken, rest]) == content
        assert all(chunk.endswith(b"\n") for chunk in taken[:-1])


def test_a_compressed_file_is_read_in_chunks_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.csv.gz"
    path.write_bytes(gzip.compress(b"text,label\n" + b"a,0\nb,1\n" * 999))
    in_chunks(monkeypatch, 100, 5, 2)
    assert len(corpus.read(path, data()).rows) == 1998
