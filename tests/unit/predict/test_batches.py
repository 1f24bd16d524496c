"""Texts in and predictions out. The command and its processes stand in tests/unit/test_cli.py."""

import contextlib
import csv
import gzip
import io
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.settings import TEXT
from textclf import params
from textclf.artifacts import layers as portable
from textclf.core.errors import UserError
from textclf.params import Vectorize
from textclf.predict import batches
from textclf.predict.batches import Batch, Rows, Shape
from textclf.predict.predictor import Predictor
from textclf.tables.readers import SURROGATE, Layout
from textclf.vectorize.features import Vectorizer

LAYOUT = Layout({"text": "text"}, option="--")
WITH_ID = Layout({"text": "text", "id": "n"}, option="--")


class Chunks(io.RawIOBase):
    """A stream that gives these pieces, one a read."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self.chunks = [chunk for chunk in chunks if chunk]

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        assert size < 0 or size >= max(map(len, self.chunks), default=0)
        return self.chunks.pop(0) if self.chunks else b""


def pieces(data: bytes, size: int) -> IO[bytes]:
    return cast("IO[bytes]", Chunks([data[start : start + size] for start in range(0, len(data), size)]))


def lines(data: bytes, size: int = 10**6, encoding: str = "utf-8") -> tuple[list[str], list[str]]:
    """The texts of a stream, numbered as they must be, and what is said of it."""
    said: list[str] = []
    found = list(batches.of_lines(pieces(data, size), encoding, said.append))
    assert [row for ids, _ in found for row in ids] == [
        str(n + 1) for n in range(sum(len(texts) for _, texts in found))
    ]
    assert all(len(ids) == len(texts) and ids for ids, texts in found)
    return [text for _, texts in found for text in texts], said


def rows(found: Iterator[Rows]) -> list[tuple[str, str]]:
    return [row for ids, texts in found for row in zip(ids, texts, strict=True)]


def until_error(found: Iterator[Rows]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """The rows before the error, and its lines."""
    there: list[tuple[str, str]] = []

    def collect() -> None:
        for ids, texts in found:
            there.extend(zip(ids, texts, strict=True))

    with pytest.raises(UserError) as error:
        collect()
    return there, error.value.lines


# Arguments


def test_arguments_are_texts_as_they_stand() -> None:
    assert rows(batches.of_arguments(["a", "", " b\n"])) == [("1", "a"), ("2", ""), ("3", " b\n")]


def test_an_argument_that_is_not_utf_8_is_read_with_a_replacement() -> None:
    assert rows(batches.of_arguments(["caf\udce9"])) == [("1", "caf\ufffd")]


# Lines

LINES: dict[str, tuple[bytes, list[str]]] = {
    "nothing": (b"", []),
    "an empty line": (b"\n", [""]),
    "empty lines": (b"\n\na\n\n", ["", "", "a", ""]),
    "no LF at the end": (b"a\nb", ["a", "b"]),
    "LF at the end": (b"a\nb\n", ["a", "b"]),
    "CRLF": (b"a\r\n\r\nb\r\n", ["a", "", "b"]),
    "CR at the end": (b"a\r", ["a"]),
    "two CR at an end": (b"a\r\r\n", ["a\r"]),
    "other ends of lines belong to the text": (
        "a\rb\x0bc\x0cd\x1ce\x85f\u2028g\n".encode(),
        ["a\rb\x0bc\x0cd\x1ce\x85f\u2028g"],
    ),
    "byte order mark": (b"\xef\xbb\xbfa\nb", ["a", "b"]),
    "byte order mark alone": (b"\xef\xbb\xbf", []),
    "byte order mark before an empty line": (b"\xef\xbb\xbf\na", ["", "a"]),
    "a second byte order mark is text": (b"\xef\xbb\xbf\xef\xbb\xbfa\n\xef\xbb\xbfb", ["\ufeffa", "\ufeffb"]),
    "NUL": (b"a\0b\n\0\n", ["a\0b", "\0"]),
    "spaces": (b" a \n \n\t\n", [" a ", " ", "\t"]),
    "letters of many bytes": ("é\u20ac\U0001f600\n\U0001f600".encode(), ["é\u20ac\U0001f600", "\U0001f600"]),
}


@pytest.mark.parametrize(("data", "texts"), LINES.values(), ids=LINES)
@pytest.mark.parametrize("size", [1, 2, 3, 10**6])
def test_a_line_is_a_text(data: bytes, texts: list[str], size: int) -> None:
    assert lines(data, size) == (texts, [])


@given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))), st.integers(1, 9))
def test_any_lines_come_back_however_the_stream_is_cut(texts: list[str], size: int) -> None:
    if texts and texts[0].startswith("\ufeff"):
        texts[0] = texts[0].removeprefix("\ufeff")
    whole = "".join(f"{text}\n" for text in texts)
    cut = lines(whole.encode(), size)
    assert cut == ([text.removesuffix("\r") for text in texts], [])
    assert lines(b"\xef\xbb\xbf" + whole.encode() if texts else b"", size) == cut


@given(st.binary(), st.integers(1, 9))
def test_any_bytes_are_lines_and_a_wrong_one_is_no_other_ones_concern(data: bytes, size: int) -> None:
    expected = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").split("\n")
    expected = [line.removesuffix("\r") for line in (expected if expected[-1] else expected[:-1])]
    found, said = lines(data, size)
    assert found == expected
    wrong = sum(bool(SURROGATE.search(line)) for line in data.decode("utf-8", "surrogateescape").split("\n"))
    assert len(said) == min(wrong, 5) + (wrong > 5)


@pytest.mark.parametrize("size", [1, 2, 3, 10**6])
def test_what_is_not_in_the_encoding_is_replaced_and_told(size: int) -> None:
    found, said = lines(b"a\nb\xff\n\xe2\x82\nc\n\xed\xa0\x80d", size)
    assert found == ["a", "b\ufffd", "\ufffd", "c", "\ufffd\ufffd\ufffdd"]
    assert said == [f"line {n} is not utf-8; what is not is read as U+FFFD" for n in (2, 3, 5)]


def test_many_wrong_lines_are_counted_and_the_first_told() -> None:
    _, said = lines(b"\xff\n" * 7 + b"a\n")
    assert said[:5] == [f"line {n} is not utf-8; what is not is read as U+FFFD" for n in (1, 2, 3, 4, 5)]
    assert said[5:] == ["7 of 8 lines are not utf-8, 5 named"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "gb18030", "shift_jis"])
@pytest.mark.parametrize("size", [1, 3, 10**6])
def test_lines_of_another_encoding(encoding: str, size: int) -> None:
    texts = ["good", "", "\u0a0a\u0d0a" if encoding.startswith("utf") else "soso", "end"]
    assert lines("\n".join(texts).encode(encoding), size, encoding) == (texts, [])


@pytest.mark.parametrize(
    ("encoding", "data"), [("utf-16-le", b"a\0\n\0b"), ("utf-16-le", b"a\0\n\0\0\xd8"), ("shift_jis", b"a\n\x81")]
)
def test_a_stream_that_ends_within_a_letter_of_another_encoding(encoding: str, data: bytes) -> None:
    assert lines(data, 1, encoding) == (["a", "\ufffd"], [f"line 2 is not {encoding}; what is not is read as U+FFFD"])


def test_utf_16_without_a_byte_order_mark_is_an_error() -> None:
    found = batches.of_lines(io.BytesIO(b"a\0"), "utf-16", str)
    rule = "UTF-16 stream does not start with BOM"
    assert until_error(found) == ([], (f"standard input must be utf-16; {rule}; set --encoding",))


def test_no_batch_of_lines_is_larger_than_allowed() -> None:
    found = list(batches.of_lines(io.BytesIO(b"\n" * 10000), "utf-8", str))
    assert [len(ids) for ids, _ in found] == [4096, 4096, 1808]


def test_a_line_of_many_chunks_is_one_text() -> None:
    found, _ = lines(b"x" * 2_000_000 + b"\nb", size=1000)
    assert (len(found[0]), found[1:]) == (2_000_000, ["b"])


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


def parquet(texts: Sequence[str | None], **columns: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"text": pa.array(texts, pa.string())} | columns), stream)
    return stream.getvalue()


TABLES["parquet"] = parquet(["good", 'a, "b"\nc', "", "☃"], n=[1, 2, 3, 4])
EXPECTED = [("1", "good"), ("2", 'a, "b"\nc'), ("3", ""), ("4", "☃")]


def expected(kind: str) -> list[tuple[str, str]]:
    return [(number, text.removesuffix("\nc") if kind == "tsv" else text) for number, text in EXPECTED]


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("compressed", [False, True])
def test_a_table_gives_its_texts_and_ids(kind: str, compressed: bool, tmp_path: Path) -> None:
    path = tmp_path / f"t.{kind}{'.gz' if compressed else ''}"
    path.write_bytes(gzip.compress(TABLES[kind]) if compressed else TABLES[kind])
    assert rows(batches.of_table(path, WITH_ID)) == expected(kind)


@pytest.mark.parametrize("kind", TABLES)
def test_a_stream_gives_what_a_file_gives(kind: str) -> None:
    assert rows(batches.of_stream(io.BytesIO(TABLES[kind]), kind, WITH_ID)) == expected(kind)
    names = {"csv": (2, 3, 5, 6), "tsv": (2, 3, 4, 5)}.get(kind, (1, 2, 3, 4))
    assert [name for name, _ in rows(batches.of_stream(io.BytesIO(TABLES[kind]), kind, LAYOUT))] == [
        f"stdin:{n}" for n in names
    ]


def test_without_a_column_of_ids_a_row_is_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.csv").write_bytes(b"text\ngood\n")
    (tmp_path / "sub" / "a.jsonl").write_bytes(b'{"text": "bad"}\n')
    assert rows(batches.of_table(tmp_path, LAYOUT)) == [("b.csv:2", "good"), ("sub/a.jsonl:1", "bad")]


def test_a_file_of_lines_and_one_of_sentences_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"good\t1\n\t0\n")
    assert rows(batches.of_table(path, LAYOUT)) == [("a.txt:1", "good"), ("a.txt:2", "")]
    layout = Layout({"text": "text"}, format="lines", option="--")
    assert rows(batches.of_table(path, layout)) == [("a.txt:1", "good\t1"), ("a.txt:2", "\t0")]


def test_lines_that_are_taken_for_sentences_are_an_error_that_helps(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"good\n")
    rule = "must be a sentence, a tab and a label; got 'good' without a tab"
    hint = "if each line is a text, set --format to lines"
    assert until_error(batches.of_table(tmp_path / "a.txt", LAYOUT)) == ([], (f"{tmp_path}/a.txt:1: {rule}; {hint}",))


def test_lines_have_no_ids(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"good\n")
    found = batches.of_table(tmp_path / "a.txt", Layout(WITH_ID.columns, format="lines", option="--"))
    assert until_error(found) == ([], (f"{tmp_path}/a.txt: --id must be one of its columns (text); got 'n'",))


BROKEN: dict[str, tuple[str, bytes, int, str]] = {
    "a field too few": ("csv", b"n,text\n1,a\n2,b\n3\n4,c\n", 2, "stdin:4: must have 2 fields"),
    "an open quote": ("csv", b'n,text\n1,a\n2,b\n3,"c\n', 2, "stdin:4: quotes must be closed"),
    "a wrong byte": ("tsv", b"n\ttext\n1\ta\n2\t\xff\n", 1, "stdin:3: must be utf-8; got byte 0xff at offset 1"),
    "NUL": ("csv", b"n,text\n1,a\n2,b\0\n", 1, "stdin:3: text must not hold NUL"),
    "a blank line": ("csv", b"n,text\n1,a\n\n", 1, "stdin:3: text must be text; got nothing"),
    "no JSON": ("jsonl", b'{"n": 1, "text": "a"}\n{"n": 2,\n', 1, "stdin:2: must be a JSON object on a line"),
    "JSON that is too deep": ("jsonl", b'{"n": 1, "text": "a"}\n' + b"[" * 10**5, 1, "stdin:2: must be a JSON object"),
    "no key": ("jsonl", b'{"n": 1, "text": "a"}\n{"n": 2}\n', 1, "stdin:2: must have the key text; got n"),
    "no id": ("jsonl", b'{"n": 1, "text": "a"}\n{"text": "b"}\n', 1, "stdin:2: must have the key n; got text"),
    "null": ("jsonl", b'{"n": 1, "text": "a"}\n{"n": 2, "text": null}\n', 1, "stdin:2: text must be text; got nothing"),
    "a number": ("jsonl", b'{"n": 1, "text": "a"}\n{"n": 2, "text": 7}\n', 1, "stdin:2: text must be text; got 7"),
    "half a pair": ("jsonl", b'{"n": 1, "text": "\\ud800"}\n', 0, "stdin:1: text must be Unicode text"),
    "no text in Parquet": ("parquet", parquet(["a", None], n=[1, 2]), 1, "stdin:2: text must be text; got nothing"),
    "half a Parquet": ("parquet", TABLES["parquet"][:-20], 0, "stdin must be a whole Parquet file"),
    "an empty Parquet": ("parquet", b"", 0, "stdin must be a whole Parquet file"),
    "no header": ("csv", b"", 0, "stdin must have a header and rows; got an empty file"),
    "another column": ("csv", b"n,message\n1,a\n", 0, "stdin: --text must be one of its columns (n, message)"),
}


@pytest.mark.parametrize(("kind", "data", "count", "line"), BROKEN.values(), ids=BROKEN)
def test_rows_before_a_broken_one_come_before_the_error(kind: str, data: bytes, count: int, line: str) -> None:
    there, told = until_error(batches.of_stream(io.BytesIO(data), kind, WITH_ID))
    assert there == [("1", "a"), ("2", "b")][:count]
    assert len(told) == 1
    assert told[0].startswith(line)


def test_long_texts_make_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHARACTERS", 10)
    data = b"text\n" + b"12345\n" * 5
    found = list(batches.of_stream(io.BytesIO(data), "csv", LAYOUT))
    assert [len(ids) for ids, _ in found] == [2, 2, 1]


@contextlib.contextmanager
def piped(*parts: bytes) -> Iterator[tuple[IO[bytes], Callable[[], None]]]:
    """A pipe that holds the first of the parts, and what puts the next one into it, or at last closes it."""
    reading, writing = os.pipe()
    left = list(parts)

    def go_on() -> None:
        if left:
            os.write(writing, left.pop(0))
        else:
            os.close(writing)

    go_on()
    watch = threading.Timer(20, os.close, [writing])  # who waits for what does not come gets an end, and the next fails
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
def test_rows_that_are_there_do_not_wait_for_those_to_come(kind: str, parts: list[bytes]) -> None:
    with piped(*parts) as (stream, go_on):
        found = batches.of_lines(stream, "utf-8", str) if kind == "lines" else batches.of_stream(stream, kind, LAYOUT)
        assert next(found)[1] == ["a", "b"]
        go_on()
        assert next(found)[1] == ["c"]
        go_on()
        assert list(found) == []


def test_parquet_comes_through_a_pipe() -> None:
    with piped(TABLES["parquet"]) as (stream, go_on):
        go_on()
        assert rows(batches.of_stream(stream, "parquet", WITH_ID)) == EXPECTED


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_read_from_a_named_pipe(kind: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[TABLES[kind]], daemon=True)
    writer.start()
    layout = Layout(WITH_ID.columns, format=kind, option="--")
    assert rows(batches.of_table(tmp_path / "pipe", layout)) == expected(kind)
    writer.join()


# Predictions


def predictor(classes: Sequence[str] = ("no", "yes")) -> Predictor:
    vectorizer = Vectorizer.fit(
        ["bad food", "great place"], Vectorize.model_validate(params.parse(TEXT).vectorize.model_dump())
    )
    coef = np.array([[-3.0, 0.25, 2.0, 0.5]]) if len(classes) == 2 else np.eye(len(classes), 4)
    activation = "sigmoid" if len(classes) == 2 else "softmax"
    model = portable.linear(classes, coef, np.zeros(len(coef)), activation)
    return Predictor(vectorizer, model, 0.5 if len(classes) == 2 else None)


def test_predictions_are_those_of_the_predictor_batch_by_batch() -> None:
    given_rows = [(["1", "2"], ["great", "bad"]), (["3"], ["great bad food"])]
    found = list(batches.predict(iter(given_rows), predictor(), terms=1))
    assert [batch.ids for batch in found] == [["1", "2"], ["3"]]
    assert [batch.labels for batch in found] == [["yes", "no"], ["no"]]
    assert found[1].probabilities.tolist() == predictor().predict_proba(["great bad food"]).tolist()
    assert found[1].explanations == predictor().explain(["great bad food"], 1)
    assert next(batches.predict(iter(given_rows), predictor())).explanations is None


# Out

CLASSES = ("100%s", 'say "hi", he\nsaid', "größe ☃\u2028")
TEXTS = ["plain", 'a, "b"', "two\nlines", "lone\rCR", "CR and\r\nLF", "", " ", "☃\u2028\x85", "\0nul\x1b", "{}%d\\"]


def batch(start: int = 0, explanation: bool = True) -> Batch:
    generator = np.random.default_rng(start)
    probabilities = generator.dirichlet([1, 1, 1], len(TEXTS))
    terms = [[('the "term", \n%', 1.25), ("☃", -0.1234567)], *([[]] * (len(TEXTS) - 1))]
    labels = [CLASSES[place] for place in probabilities.argmax(axis=1)]
    ids = [f"{start + n},\"'" for n in range(len(TEXTS))]
    return Batch(ids, TEXTS, labels, probabilities, terms if explanation else None)


def written(given_batches: Sequence[Batch], kind: str, shape: Shape) -> bytes:
    stream = io.BytesIO()
    batches.write(iter(given_batches), stream, kind, shape)
    return stream.getvalue()


def parsed(content: bytes, kind: str) -> list[dict[str, Any]]:
    """The rows, read by other libraries, the probabilities as numbers and an explanation as pairs."""
    found: list[dict[str, Any]]
    if kind == "jsonl":
        assert content.endswith(b"\n") or not content
        found = [json.loads(line) for line in content.decode().split("\n")[:-1]]
    elif kind == "csv":
        found = list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))
        for row in found:
            row |= {name: float(value) for name, value in row.items() if name.startswith("probability_")}
            row |= {name: json.loads(value) for name, value in row.items() if name == "explanation"}
    else:
        found = pq.read_table(io.BytesIO(content)).to_pylist()
    for row in found:
        if "explanation" in row:
            row["explanation"] = [(term["term"], round(term["weight"], 6)) for term in row["explanation"]]
    return found


@pytest.mark.parametrize("kind", batches.FORMATS)
@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("explanation", [True, False])
def test_what_is_written_is_read_by_others(kind: str, text: bool, explanation: bool) -> None:
    given_batches = [batch(0, explanation), batch(100, explanation)]
    shape = Shape(CLASSES, text, explanation)
    found = parsed(written(given_batches, kind, shape), kind)
    wanted: list[dict[str, Any]] = []
    for one in given_batches:
        for place, (row, value, label) in enumerate(zip(one.ids, one.texts, one.labels, strict=True)):
            wanted.append({"id": row, "text": value, "label": label})
            wanted[-1] |= {
                f"probability_{name}": pytest.approx(one.probabilities[place, n], abs=5.1e-7)
                for n, name in enumerate(CLASSES)
            }
            if one.explanations is not None:
                wanted[-1]["explanation"] = [(term, round(weight, 6)) for term, weight in one.explanations[place]]
            if not text:
                del wanted[-1]["text"]
    assert found == wanted
    assert all(list(row) == shape.names() for row in found)


@pytest.mark.parametrize("kind", batches.FORMATS)
def test_nothing_is_written_as_a_table_without_rows(kind: str) -> None:
    content = written([], kind, Shape(("a", "b"), True, True))
    if kind == "csv":
        assert content == b"id,text,label,probability_a,probability_b,explanation\n"
    elif kind == "jsonl":
        assert content == b""
    else:
        schema = pq.read_schema(io.BytesIO(content))
        assert schema.names == Shape(("a", "b"), True, True).names()
    assert parsed(content, kind) == []


def test_a_row_of_json_lines_is_a_line_with_six_digits() -> None:
    one = Batch(["1"], ["a\nb"], ["yes"], np.array([[1 / 3, 2 / 3]]), [[("a", 0.5)]])
    assert written([one], "jsonl", Shape(("no", "yes"), True, True)).decode() == (
        '{"id": "1", "text": "a\\nb", "label": "yes", "probability_no": 0.333333, "probability_yes": 0.666667, '
        '"explanation": [{"term": "a", "weight": 0.5}]}\n'
    )


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.booleans()), min_size=1))
def test_any_text_is_read_back_from_any_format(values: list[tuple[str, bool]]) -> None:
    texts = [text for text, _ in values]
    labels = ["yes" if positive else "no" for _, positive in values]
    one = Batch(texts, texts, labels, np.full((len(texts), 2), 0.5), None)
    for kind in batches.FORMATS:
        found = parsed(written([one], kind, Shape(("no", "yes"), True, False)), kind)
        assert [(row["id"], row["text"], row["label"]) for row in found] == [
            (text, text, label) for text, label in zip(texts, labels, strict=True)
        ]


def test_parquet_keeps_all_digits_and_types() -> None:
    content = written([batch()], "parquet", Shape(CLASSES, True, True))
    table = pq.read_table(io.BytesIO(content))
    assert table.column("probability_100%s").to_pylist() == batch().probabilities[:, 0].tolist()
    assert [str(table.schema.field(name).type) for name in ("id", "text", "label")] == ["string"] * 3


def test_small_batches_share_row_groups_of_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "GROUP_ROWS", 25)
    content = written([batch(n, False) for n in range(7)], "parquet", Shape(CLASSES, True, False))
    metadata = pq.ParquetFile(io.BytesIO(content)).metadata
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [30, 30, 10]
    monkeypatch.setattr(batches, "GROUP_BYTES", 1)
    content = written([batch(n, False) for n in range(3)], "parquet", Shape(CLASSES, True, False))
    assert pq.ParquetFile(io.BytesIO(content)).metadata.num_row_groups == 3


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_each_batch_is_written_as_soon_as_it_is_there(kind: str) -> None:
    stream = io.BufferedWriter(raw := io.BytesIO())

    def one_by_one() -> Iterator[Batch]:
        yield batch(0)
        assert len(parsed(raw.getvalue(), kind)) == len(TEXTS)
        yield batch(1)

    batches.write(one_by_one(), cast("IO[bytes]", stream), kind, Shape(CLASSES, True, True))
    assert len(parsed(raw.getvalue(), kind)) == 2 * len(TEXTS)


@pytest.mark.parametrize("error", [UserError, KeyboardInterrupt, OSError])
def test_a_parquet_that_is_broken_off_is_no_whole_one(error: type[BaseException]) -> None:
    stream = io.BytesIO()

    def broken() -> Iterator[Batch]:
        yield batch()
        raise error

    with pytest.raises(error):
        batches.write(broken(), stream, "parquet", Shape(CLASSES, True, True))
    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(io.BytesIO(stream.getvalue()))


# Where it goes


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with batches.target(path) as stream:
        stream.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [UserError, KeyboardInterrupt, SystemExit, BrokenPipeError])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def fail() -> None:
        with batches.target(path) as stream:
            stream.write(b"new")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/file")
    for content in (b"first", b"second"):
        with batches.target(tmp_path / "link") as stream:
            stream.write(content)
        assert (tmp_path / "folder" / "file").read_bytes() == content
        assert (tmp_path / "link").is_symlink()


def test_who_may_read_a_file_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(0o600)
    with batches.target(path) as stream:
        stream.write(b"new")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_device_is_written_to_as_it_is() -> None:
    with batches.target(Path(os.devnull)) as stream:
        stream.write(b"new")
    assert Path(os.devnull).is_char_device()


def test_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / "pipe").read_bytes()), daemon=True)
    reader.start()
    with batches.target(tmp_path / "pipe") as stream:
        stream.write(b"new")
    reader.join()
    assert found == [b"new"]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error, batches.target(tmp_path):
        raise AssertionError
    assert error.value.lines == (f"--output must be a file; got the folder {tmp_path}",)


@pytest.mark.parametrize("parent", ["missing", "file", "closed"])
def test_a_folder_that_is_not_there_or_closed_is_refused_and_not_made(
    tmp_path: Path, parent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr("os.access", lambda path, _: Path(path).name != "closed")  # root may write everywhere
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError) as error, batches.target(tmp_path / parent / "out"):
        raise AssertionError
    rule = "--output must be in a folder that is there and may be written to"
    assert error.value.lines == (f"{rule}; got {tmp_path / parent / 'out'}",)
    assert sorted(tmp_path.rglob("*")) == before
