"""Rows and texts that are too long: refused in one line with file and row, before they fill the memory."""

import gzip
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.tables.tables import arrow, excel, parquet, sqlite
from textclf.core import resources
from textclf.core.errors import UserError
from textclf.predict import inputs
from textclf.tables import corpus, limits
from textclf.tables.layout import Layout
from textclf.tables.read import read_batches
from textclf.tables.settings import Data

MIB = 2**20
LAYOUT = Layout({"text": "text"}, option="--")
LONG_ROW = "a row must be at most 1 MiB long; got more; shorten it, or leave it out"
LONG_TEXT = "text must have at most 1,000 characters; got 1,001; shorten it, or leave it out"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of 1 MiB, texts of 1,000 characters."""
    monkeypatch.setattr(limits, "ROW_BYTES", MIB)
    monkeypatch.setattr(limits, "TEXT_CHARACTERS", 1000)


WRITERS: dict[str, Callable[[list[str]], bytes | str]] = {
    "csv": lambda texts: "text\n" + "".join(f'"{text}"\n' for text in texts),
    "tsv": lambda texts: "text\n" + "".join(f"{text}\n" for text in texts),
    "jsonl": lambda texts: "".join(json.dumps({"text": text}) + "\n" for text in texts),
    "lines": lambda texts: "".join(f"{text}\n" for text in texts),
    "json": lambda texts: json.dumps([{"text": text} for text in texts]),
    "parquet": lambda texts: parquet({"text": texts}),
    "arrow": lambda texts: arrow({"text": texts}),
    "excel": lambda texts: excel(("text",), *([text] for text in texts)),
    "sqlite": lambda texts: sqlite([(text,) for text in texts], "text"),
}
FIRST = {"csv": 2, "tsv": 2, "excel": 2}  # number of the first row


def put(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, kind: str) -> Iterator[inputs.TextBatch]:
    return inputs.read_table(path, Layout({"text": "text"}, format=kind, option="--"))


def outcome(batches: Iterator[inputs.TextBatch]) -> tuple[int, str]:
    """Return how many texts came before an error, and its line."""
    read: list[int] = []
    with pytest.raises(UserError) as error:
        read.extend(len(batch.texts) for batch in batches)
    (line,) = error.value.lines
    return sum(read), line


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", WRITERS)
def test_a_text_that_is_too_long_is_refused_after_the_rows_before_it(tmp_path: Path, kind: str) -> None:
    path = put(tmp_path / "table", WRITERS[kind](["good"] * 2 + ["x" * 1000, "x" * 1001]))
    assert outcome(read(path, kind)) == (3, f"{path}:{FIRST.get(kind, 1) + 3}: {LONG_TEXT}")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", [kind for kind in WRITERS if kind not in {"json", "excel"}])
def test_a_row_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path, kind: str) -> None:
    path = put(tmp_path / "table", WRITERS[kind](["good"] * 2 + ["x" * 2 * MIB]))
    _, line = outcome(read(path, kind))
    quotes = "; if quotes are text here, set --quoting to false" if kind == "csv" else ""
    assert line == f"{path}:{FIRST.get(kind, 1) + 2}: {LONG_ROW}{quotes}"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("rows", "place"), [("good\n" + "x" * 2 * MIB, 3), ('"a\nb"\n"' + "x\n" * MIB, 4)])
def test_a_row_of_one_line_or_of_many_is_refused_in_chunks_and_by_line(tmp_path: Path, rows: str, place: int) -> None:
    path = put(tmp_path / "table.csv", f"text\n{rows}")
    with pytest.raises(UserError) as error:
        list(read_batches(path, "csv", LAYOUT))
    assert error.value.lines == (f"{path}:{place}: {LONG_ROW}; if quotes are text here, set --quoting to false",)
    assert outcome(read(path, "csv"))[1] == error.value.lines[0]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("encoding", ["utf-16", "cp037"])
def test_lines_in_other_encodings_are_measured_one_by_one(tmp_path: Path, encoding: str) -> None:
    path = put(tmp_path / "table", (("x" * 999 + "\n") * 2000).encode(encoding))
    layout = Layout({"text": "text"}, format="lines", encoding=encoding, option="--")
    assert sum(len(batch.texts) for batch in inputs.read_table(path, layout)) == 2000


@pytest.mark.usefixtures("small")
def test_a_text_that_is_a_file_is_limited(tmp_path: Path) -> None:
    for name, length in (("a/1.txt", 1000), ("a/2.txt", 1001)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x" * length)
    rule = "a text must have at most 1,000 characters; got more; shorten it, or leave it out"
    assert outcome(read(tmp_path, "folders")) == (1, f"{tmp_path}/a/2.txt: {rule}")


@pytest.mark.usefixtures("small")
def test_a_line_of_standard_input_is_limited() -> None:
    lines = inputs.read_lines(io.BytesIO(b"good\n" * 3 + b"x" * 2 * MIB), "utf-8", str)
    rule = "a text must have at most 1,000 characters; got more; shorten it, or leave it out"
    assert outcome(lines) == (3, f"standard input:4: {rule}")


class Endless(io.RawIOBase):
    """A stream without an end, which counts what is read."""

    def __init__(self, head: bytes) -> None:
        self.head, self.count = head, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self.head[: len(buffer)] or b"x" * len(buffer)
        self.head = self.head[len(part) :]
        buffer[: len(part)] = part
        self.count += len(part)
        return len(part)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("kind", "head"), [("csv", b"text\n"), ("csv", b'text\n"'), ("tsv", b"text\n"), ("jsonl", b'{"text": "'), ("", b"")]
)
def test_a_line_without_end_is_given_up(kind: str, head: bytes) -> None:
    endless = Endless(head)
    stream = io.BufferedReader(endless)
    batches = inputs.read_stream(stream, kind, LAYOUT) if kind else inputs.read_lines(stream, "utf-8", str)
    outcome(batches)
    assert endless.count < 2 * MIB


def test_long_rows_come_in_small_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BLOCK_BYTES", 100)
    for kind, write in WRITERS.items():
        path = put(tmp_path / kind, write(["x" * 30] * 100))
        sizes = [len(batch) for batch in read_batches(path, kind, LAYOUT)]
        assert sum(sizes) == 100, kind
        assert max(sizes) <= 16, kind


def with_parts(workbook: bytes, parts: Mapping[str, bytes]) -> bytes:
    """Return a workbook with these parts besides its own, or in their place."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()} | dict(parts)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


GOOD = excel(("text",), ("good",))


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        (
            "table.json.gz",
            gzip.compress(b"[" + b" " * 10**8 + b"]", 1),
            ": one JSON array, which is read as a whole (JSON Lines is not), needs about ",
        ),
        (
            "table.csv.gz",
            gzip.compress(b"text,label\n" + (b"x" * 9999 + b",0\n") * 10_000, 1),
            ": all rows in memory at once (",
        ),
        (
            "table.xlsx",
            with_parts(GOOD, {"xl/more.xml": np.random.default_rng(0).bytes(10**6) + b" " * 9 * 10**7}),
            ": the table of its texts needs about 0.5 GB of memory; ",
        ),
    ],
)
def test_what_memory_can_not_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, line: str
) -> None:
    monkeypatch.setattr(resources, "available_memory", lambda: 50_000_000)
    path = put(tmp_path / name, content)
    with pytest.raises(UserError) as error:
        corpus.read(path, Data(text="text", label="label" if "csv" in name else "source"))
    assert error.value.lines[0].startswith(f"{path}{line}")


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        ({b'<row r="2"': b'<row r="2000000000"', b'r="A2"': b'r="A2000000000"'}, []),  # damaged: beyond those of Excel
        ({b'<row r="2"': b'<row r="1000"', b'r="A2"': b'r="A1000"'}, ["good"]),
        ({b'<dimension ref="A1:A2"': b'<dimension ref="A1:A1"'}, ["good"]),  # as some programs save it
    ],
)
def test_a_sheet_ends_with_its_last_row_whatever_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[bytes, bytes], texts: list[str]
) -> None:
    monkeypatch.setattr("textclf.tables.excel.MOST_ROWS", 1000)
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        sheet = archive.read(SHEET)
    for old, new in changes.items():
        assert old in sheet
        sheet = sheet.replace(old, new)
    path = put(tmp_path / "table.xlsx", with_parts(GOOD, {SHEET: sheet}))
    layout = Layout({"text": "text"}, format="excel")
    rows = [text for batch in read_batches(path, "excel", layout) for text in batch.columns["text"]]
    assert [text for text in rows if text] == texts
    assert len(rows) == (0 if not texts else 999 if len(changes) == 2 else 1)


def test_a_copy_of_compressed_bytes_leaves_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**8))
    path = put(tmp_path / "table.parquet.gz", gzip.compress(b"PAR1" + b" " * 100))
    count, line = outcome(read(path, "parquet"))
    assert count == 0
    assert line.startswith(f"a copy of {path} needs about ")
