import ast
import contextlib
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import approved
from tests.unit.tables.tables import arrow, excel, parquet, sqlite
from textclf.core.errors import UserError
from textclf.predict import inputs
from textclf.predict.inputs import TextBatch
from textclf.tables.layout import Layout
from textclf.tables.lines import SURROGATE

UNDECODABLE = "undecodable bytes are read as U+FFFD"
LAYOUT = Layout({"text": "text"}, query="SELECT * FROM rows", option="--")
WITH_ID = replace(LAYOUT, columns={"text": "text", "id": "n"})


class Chunks(io.RawIOBase):
    """A stream that returns one of these pieces per read."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self.chunks = [chunk for chunk in chunks if chunk]

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        assert size < 0 or size >= max(map(len, self.chunks), default=0)
        return self.chunks.pop(0) if self.chunks else b""


def pieces(data: bytes, size: int) -> IO[bytes]:
    return cast(
        "IO[bytes]", Chunks([data[start : start + size] for start in range(0, len(data), size)])
    )


def lines(data: bytes, size: int = 10**6, encoding: str = "utf-8") -> tuple[list[str], list[str]]:
    """Return a stream's texts, read in pieces of this size, and warnings; check the ids."""
    warnings: list[str] = []
    batches = list(inputs.read_lines(pieces(data, size), encoding, warnings.append))
    texts = [text for batch in batches for text in batch.texts]
    assert [row_id for batch in batches for row_id in batch.ids] == [
        str(n + 1) for n in range(len(texts))
    ]
    assert all(len(batch.ids) == len(batch.texts) > 0 for batch in batches)
    return texts, warnings


def rows(batches: Iterable[TextBatch]) -> list[tuple[str, str]]:
    return [row for batch in batches for row in zip(batch.ids, batch.texts, strict=True)]


def until_error(batches: Iterator[TextBatch]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    before: list[TextBatch] = []
    with pytest.raises(UserError) as error:
        before.extend(batches)
    return rows(before), error.value.lines


# Lines


def test_a_line_is_a_text() -> None:
    def say(case: str) -> list[str]:
        first, *others = (lines(ast.literal_eval(case), size) for size in (1, 3, 10**6))
        assert others == [first] * 2
        assert first[1] == []
        return [ascii(first[0])]

    approved.check_cases(Path(__file__).with_name("lines.txt"), say)


@given(st.binary(), st.integers(1, 9))
def test_any_bytes_are_lines_and_undecodable_ones_do_not_affect_others(
    data: bytes, size: int
) -> None:
    expected = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").split("\n")
    expected = [line.removesuffix("\r") for line in (expected if expected[-1] else expected[:-1])]
    texts, warnings = lines(data, size)
    assert texts == expected
    wrong = sum(
        map(bool, map(SURROGATE.search, data.decode("utf-8", "surrogateescape").split("\n")))
    )
    assert len(warnings) == min(wrong, 5) + (wrong > 5)


def test_many_undecodable_lines_are_counted_and_the_first_ones_named() -> None:
    first = [f"line {n} is not utf-8; {UNDECODABLE}" for n in (1, 2, 3, 4, 5)]
    assert lines(b"\xff\n" * 7 + b"a\n")[1] == [*first, "7 of 8 lines are not utf-8, 5 shown"]


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "gb18030", "shift_jis"]
)
@pytest.mark.parametrize("size", [1, 3, 10**6])
def test_lines_of_another_encoding(encoding: str, size: int) -> None:
    texts = ["good", "", "\u0a0a\u0d0a" if encoding.startswith("utf") else "soso", "end"]
    assert lines("\n".join(texts).encode(encoding), size, encoding) == (texts, [])


@pytest.mark.parametrize(
    ("encoding", "data"),
    [("utf-16-le", b"a\0\n\0b"), ("utf-16-le", b"a\0\n\0\0\xd8"), ("shift_jis", b"a\n\x81")],
)
def test_a_stream_may_end_within_a_character(encoding: str, data: bytes) -> None:
    assert lines(data, 1, encoding) == (
        ["a", "\ufffd"],
        [f"line 2 is not {encoding}; {UNDECODABLE}"],
    )


def test_utf_16_without_a_byte_order_mark_is_an_error() -> None:
    result = inputs.read_lines(io.BytesIO(b"a\0"), "utf-16", str)
    rule = "UTF-16 stream does not start with BOM"
    if sys.version_info >= (3, 13):
        rule = "'utf-16' codec can't decode bytes in position 0-1: Stream does not start with BOM"
    assert until_error(result) == ([], (f"standard input must be utf-16; {rule}; set --encoding",))


def test_batches_of_lines_are_limited() -> None:
    result = inputs.read_lines(io.BytesIO(b"\n" * 10000), "utf-8", str)
    assert [len(ids) for ids, _ in result] == [4096, 4096, 1808]


# Tables

TABLES: dict[str, bytes] = {
    "csv": b'n,text\n1,good\n2,"a, ""b""\nc"\n3,\n4,\xe2\x98\x83\r\n',
    "tsv": b'n\ttext\n1\tgood\n2\ta, "b"\n3\t\n4\t\xe2\x98\x83',
    "jsonl": (
        b'{"n": 1, "text": "good"}\n'
        b'{"n": 2, "text": "a, \\"b\\"\\nc"}\n'
        b'{"text": "", "n": 3}\n'
        b'{"n": "4", "text": "\xe2\x98\x83"}'
    ),
}
NUMBERED = list(zip([1, 2, 3, 4], ["good", 'a, "b"\nc', "", "☃"], strict=True))
COLUMNS = {"n": [number for number, _ in NUMBERED], "text": [text for _, text in NUMBERED]}
TABLES |= {
    "parquet": parquet(COLUMNS),
    "arrow": arrow(COLUMNS),
    "sqlite": sqlite(NUMBERED, "n, text"),
    "json": json.dumps([{"n": number, "text": text} for number, text in NUMBERED]).encode(),
    "excel": excel(("n", "text"), *NUMBERED),
}


def expected(kind: str) -> list[tuple[str, str]]:
    return [
        (str(number), text.removesuffix("\nc") if kind == "tsv" else text)
        for number, text in NUMBERED
    ]


@pytest.mark.parametrize("kind", TABLES)
def test_a_stream_gives_what_a_file_gives(kind: str) -> None:
    with piped(TABLES[kind]) as (stream, go_on):
        go_on()
        assert rows(inputs.read_stream(stream, kind, WITH_ID)) == expected(kind)
    headed = {"csv": (2, 3, 5, 6), "tsv": (2, 3, 4, 5), "excel": (2, 3, 4, 5)}
    named = rows(inputs.read_stream(io.BytesIO(TABLES[kind]), kind, LAYOUT))
    assert [name for name, _ in named] == [f"stdin:{n}" for n in headed.get(kind, (1, 2, 3, 4))]


def test_texts_of_several_columns_are_joined_as_for_training(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("title,body\nt,b\n,b\n,\n", encoding="utf-8")
    read = inputs.read_table(
        tmp_path / "a.csv", replace(LAYOUT, columns={"text": ("title", "body")})
    )
    assert [text for _, text in rows(read)] == ["t b", "b", ""]


def test_without_a_column_of_ids_a_row_is_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.csv").write_bytes(b"text\ngood\n")
    (tmp_path / "sub" / "a.jsonl").write_bytes(b'{"text": "bad"}\n')
    assert rows(inputs.read_table(tmp_path, LAYOUT)) == [
        ("b.csv:2", "good"),
        ("sub/a.jsonl:1", "bad"),
    ]


@pytest.mark.parametrize(("folder", "kind"), [("in/pos", "auto"), ("in", "folders")])
def test_a_folder_of_texts_gives_each_file(folder: str, kind: str, tmp_path: Path) -> None:
    for name, text in (("2.txt", "bad\n"), ("1.txt", "good\nfood")):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / name).write_text(text)
    names = [f"{folder}/{name}".removeprefix("in/") for name in ("1.txt", "2.txt")]
    result = inputs.read_table(tmp_path / "in", replace(LAYOUT, format=kind))
    assert rows(result) == list(zip(names, ["good\nfood", "bad\n"], strict=True))


def test_a_txt_file_has_labels_that_are_ignored_and_a_file_of_lines_none(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"good\t1\n\t0\n")
    assert rows(inputs.read_table(path, LAYOUT)) == [("a.txt:1", "good"), ("a.txt:2", "")]
    layout = Layout({"text": "text"}, format="lines", option="--")
    assert rows(inputs.read_table(path, layout)) == [("a.txt:1", "good\t1"), ("a.txt:2", "\t0")]


def test_the_error_of_plain_lines_in_a_txt_file_names_the_format_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"good\n")
    rule = "must be a sentence, a tab and a label; got 'good' without a tab"
    hint = "if each line is a text, set --format to lines"
    assert until_error(inputs.read_table(tmp_path / "a.txt", LAYOUT)) == (
        [],
        (f"{tmp_path}/a.txt:1: {rule}; {hint}",),
    )


BROKEN: dict[str, tuple[str, bytes, int, str]] = {
    "a field too few": ("csv", b"n,text\n1,a\n2,b\n3\n4,c\n", 2, "stdin:4: must have 2 fields"),
    "a wrong byte": (
        "tsv",
        b"n\ttext\n1\ta\n2\t\xff\n",
        1,
        "stdin:3: must be utf-8; got byte 0xff at offset 1",
    ),
    "no id": (
        "jsonl",
        b'{"n": 1, "text": "a"}\n{"text": "b"}\n',
        1,
        "stdin:2: must have the key n; got text",
    ),
    "no text": (
        *("parquet", parquet({"text": ["a", None], "n": [1, 2]}), 1),
        "stdin:2: text must be text; got nothing; give it a value, or leave the row out",
    ),
    "half a Parquet": ("parquet", TABLES["parquet"][:-20], 0, "stdin must be a whole Parquet file"),
    "another column": (
        "csv",
        b"n,message\n1,a\n",
        0,
        "stdin: --text must be one of its columns (n, message)",
    ),
}


@pytest.mark.parametrize(("kind", "data", "count", "line"), BROKEN.values(), ids=BROKEN)
def test_rows_before_a_broken_one_come_before_the_error(
    kind: str, data: bytes, count: int, line: str
) -> None:
    before, lines_of_error = until_error(inputs.read_stream(io.BytesIO(data), kind, WITH_ID))
    assert before == [("1", "a"), ("2", "b")][:count]
    assert len(lines_of_error) == 1
    assert lines_of_error[0].startswith(line)


@pytest.mark.parametrize(("limit", "value"), [("CHARACTERS", 10), ("ROWS", 2)])
def test_long_or_many_texts_make_small_batches(
    limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, f"BATCH_{limit}", value)
    data = b"text\n" + b"12345\n" * 5
    result = inputs.read_stream(io.BytesIO(data), "csv", LAYOUT)
    assert [len(ids) for ids, _ in result] == [2, 2, 1]


@contextlib.contextmanager
def piped(*parts: bytes) -> Iterator[tuple[IO[bytes], Callable[[], None]]]:
    """Yield a pipe with the first part, and a function that writes the next or closes it."""
    reading, writing = os.pipe()
    left = list(parts)

    def go_on() -> None:
        if left:
            os.write(writing, left.pop(0))
        else:
            os.close(writing)

    go_on()
    # A reader that waits in vain fails instead of hanging.
    watch = threading.Timer(20, os.close, [writing])
    watch.daemon = True
    watch.start()
    try:
        with open(reading, "rb") as stream:  # noqa: PTH123 (it is a number)
            yield stream, go_on
    finally:
        watch.cancel()


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("lines", [b"a\nb\n", b"c\n"]),
        ("jsonl", [b'{"text": "a"}\n{"text": "b"}\n', b'{"text": "c"}\n']),
        ("csv", [b"text\na\nb\n", b"c\n"]),
        ("tsv", [b"text\na\nb\n", b"c\n"]),
    ],
)
def test_rows_that_have_arrived_do_not_wait_for_the_next(kind: str, parts: list[bytes]) -> None:
    with piped(*parts) as (stream, go_on):
        result = (
            inputs.read_lines(stream, "utf-8", str)
            if kind == "lines"
            else inputs.read_stream(stream, kind, LAYOUT)
        )
        assert next(result)[1] == ["a", "b"]
        go_on()
        assert next(result)[1] == ["c"]
        go_on()
        assert list(result) == []


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_read_from_a_pipe_of_the_shell(kind: str) -> None:
    reading, writing = os.pipe()
    os.write(writing, TABLES[kind])
    os.close(writing)
    layout = replace(WITH_ID, format=kind)
    path = Path(f"/dev/fd/{reading}")  # as a shell names its <(...), and standard input
    assert [text for _, text in rows(inputs.read_table(path, layout))] == [
        text for _, text in expected(kind)
    ]
    os.close(reading)
