"""Formats: the same rows from all of them, compressed or not; lines, quotes and encodings."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.refusal import refusal
from tests.unit.tables.tables import (
    COMPRESSIONS,
    ROWS,
    SAME,
    compressed,
    delimited,
    excel,
    frame_of,
    in_every_format,
    pairs,
    parquet,
)
from textclf.tables import limits
from textclf.tables.corpus import Corpus
from textclf.tables.formats import FORMATS, TABLE_FORMATS
from textclf.tables.layout import Layout
from textclf.tables.read import read_batches
from textclf.tables.settings import Data

DOCS = Path(__file__).parents[3] / "docs" / "own-data.md"


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("name", SAME)
def test_every_format_gives_the_same_rows(
    read: Callable[..., Corpus], name: str, compression: str
) -> None:
    got = read({name + compression: compressed(SAME[name], compression)})
    first = 2 if name.endswith((".csv", ".tsv", ".xlsx")) else 1  # below the header
    ids = [f"{name}{compression}:{number}" for number in range(first, first + 3)]
    assert frame_of(got).columns.tolist() == ["id", "text", "label"]
    assert frame_of(got).to_numpy(dtype=object).tolist() == [
        [row, *pair] for row, pair in zip(ids, map(list, ROWS), strict=True)
    ]
    assert got.classes == ["0", "1"]
    assert got.dropped == {"rows": 0, "text": 0, "label": 0}


ROLES = ("text", "label", "key", "who", "day", "fold", "platform")
CELLS = [
    ("a", "0", "k1", "ann", "2024-05-31", "train", "web"),
    ("b", "1", "7", "bob", "2024-06-01", "TRAINING", ""),
    ("c", "0", "k3", "ann", "2024-06-02", "Dev", " \u00a0"),
    ("d", "1", "k4", "cid", "2024-06-03", " valid ", " 17 "),
    ("e", "0", "k5", "bob", "2024-06-04", "test", "ios"),
]
IN_EVERY_FORMAT = in_every_format(ROLES, CELLS)


@pytest.mark.parametrize("batch", [1, 2, 4096])
@pytest.mark.parametrize("name", IN_EVERY_FORMAT)
def test_every_format_gives_the_column_of_each_setting_in_batches_of_any_size(
    read: Callable[..., Corpus], monkeypatch: pytest.MonkeyPatch, name: str, batch: int
) -> None:
    monkeypatch.setattr(limits, "BLOCK_ROWS", batch)
    settings = {"id": "key", "group": "who", "time": "day", "split": "fold", "slices": ["platform"]}
    got = read({name: IN_EVERY_FORMAT[name]}, **settings)
    for place, column in enumerate(("text", "label", "id", "group")):
        assert frame_of(got)[column].tolist() == [row[place] for row in CELLS]
    assert [time.partition(" ")[0] for time in frame_of(got)["time"]] == [row[4] for row in CELLS]
    assert frame_of(got)["split"].tolist() == ["train", "train", "validation", "validation", "test"]
    assert got.given == {"train": 2, "validation": 2, "test": 1}
    assert frame_of(got)["slice_platform"].tolist() == ["web", "", "", " 17 ", "ios"]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_file_of_several_gzip_members_or_zstd_frames_is_read_to_its_end(
    read: Callable[..., Corpus], ending: str
) -> None:
    parts = [compressed(part.encode(), ending) for part in ("text,label\na,0\nb", ",1\nc,", "2\n")]
    assert pairs(read({f"c.csv{ending}": b"".join(parts)})) == [("a", "0"), ("b", "1"), ("c", "2")]


def test_parquet_rows_are_numbered_through_its_row_groups_beside_columns_of_any_type(
    read: Callable[..., Corpus],
) -> None:
    columns = {
        "text": ["a"] * 7,
        "label": ["0", "1"] * 3 + ["0"],
        "text.raw": [[1.5]] * 7,
        "x": [{"text": b"\xff"}] * 7,
    }
    got = read({"c.parquet": parquet(columns, row_group_size=2)}, id=None)
    assert frame_of(got)["id"].tolist() == [f"c.parquet:{number}" for number in range(1, 8)]


# Bytes, lines and quotes


def test_a_page_of_parquet_with_another_checksum_than_its_own_is_refused(
    read: Callable[..., Corpus],
) -> None:
    content = parquet(
        {"text": ["good"], "label": [1]}, compression="none", write_page_checksum=True
    )
    line = refusal(lambda: read({"c.parquet": content.replace(b"good", b"food", 1)}).table)
    assert "must be a whole Parquet file" in line


@pytest.mark.parametrize(
    ("encoding", "written", "mark"),
    [
        ("utf-8", "utf-8", b"\xef\xbb\xbf"),
        ("UTF8", "utf-8", b"\xef\xbb\xbf"),
        ("utf-8-sig", "utf-8", b"\xef\xbb\xbf"),
        ("cp1252", "cp1252", b""),
        ("latin-1", "latin-1", b""),
        ("utf-16", "utf-16-le", b"\xff\xfe"),
        ("utf-16", "utf-16-be", b"\xfe\xff"),
        ("utf-16-le", "utf-16-le", b"\xff\xfe"),
        ("utf-16-be", "utf-16-be", b""),
        ("utf-32", "utf-32-le", b"\xff\xfe\0\0"),
    ],
)
@pytest.mark.parametrize(
    ("name", "compression"), [("c.csv", ".gz"), ("c.tsv", ""), ("c.jsonl", ".zst"), ("c.txt", "")]
)
def test_a_byte_order_mark_is_no_text_in_any_encoding(
    read: Callable[..., Corpus],
    name: str,
    compression: str,
    encoding: str,
    written: str,
    mark: bytes,
) -> None:
    content = compressed(mark + SAME[name].decode().encode(written), compression)
    assert pairs(read({name + compression: content}, encoding=encoding)) == ROWS


def test_only_the_first_character_of_a_file_is_a_byte_order_mark(
    read: Callable[..., Corpus],
) -> None:
    assert pairs(read({"c.txt": "\ufeff\ufeffa\t0\n\ufeffb\t1\n"})) == [
        ("\ufeffa", "0"),
        ("\ufeffb", "1"),
    ]


ODD = (  # texts in which a reader of lines or quotes may go wrong
    *(
        '"an open quote',
        "it's 'so",
        '""',
        '"a',
        'a"b"',
        "a\\",
        '\\"',
        "a,b",
        "a;b",
        "#a",
        "'",
        '","',
        "a\\nb",
    ),
    *(
        "a\x85b",
        "a\u2028b",
        "a\u2029b",
        "a\x0bb\x0cc",
        "a\x1cb\x1db\x1eb",
        "a\rb",
        "\ra",
        " a ",
        "\u00a0a",
    ),
    *(
        "é😀",
        "e\u0301",
        "\u202eabc",
        "שלום",
        "中文",
        "\U0001f469\u200d\U0001f469",
        "\ufffd",
        "\x1b[31m",
        "<b>",
    ),
    *("NA", "1", "=1+1", "{", "null", "\x7f", "\uffff", "\U0010ffff"),
)


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_text_is_unchanged_in_every_format(read: Callable[..., Corpus], text: str) -> None:
    rows = [(text, "1"), ("other", "0"), (text, "2")]
    columns = {"text": [text for text, _ in rows], "label": [label for _, label in rows]}
    files: dict[str, bytes | str] = {
        "1.csv": delimited([("text", "label"), *rows]),
        "2.tsv": "\n".join("\t".join(row) for row in [("text", "label"), *rows]),
        "3.jsonl": "\n".join(json.dumps({"text": text, "label": label}) for text, label in rows),
        "4.jsonl": "\n".join(
            json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in rows
        ),
        "5.txt": "\n".join("\t".join(row) for row in rows),
        "6.parquet": parquet(columns),
    }
    assert pairs(read(files)) == rows * len(files)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("c.csv", "text,label\r\na,0\r\nb,1\r\n"),
        ("c.csv", "text,label\r\na,0\r\nb,1"),
        (
            "c.csv",
            "text,label\r\r\na,0\r\r\nb,1\r\r\n",
        ),  # as written on Windows by one who doubles the CR
        ("c.tsv", "text\tlabel\r\na\t0\r\nb\t1\r\n"),
        ("c.txt", "a\t0\r\nb\t1"),
        ("c.jsonl", '{"text": "a", "label": 0}\r\n{"text": "b", "label": 1}\r\n'),
    ],
)
def test_lines_may_end_in_crlf_and_the_last_in_nothing(
    read: Callable[..., Corpus], name: str, table: str
) -> None:
    assert pairs(read({name: table})) == [("a", "0"), ("b", "1")]


def test_a_row_is_named_by_the_line_on_which_it_begins(read: Callable[..., Corpus]) -> None:
    table = 'text,label\n"a\nb\r\nc\rd",0\ne,1\n"f",0\n'
    got = read({"c.csv": table})
    assert frame_of(got)["id"].tolist() == ["c.csv:2", "c.csv:5", "c.csv:6"]
    assert frame_of(got)["text"].tolist() == ["a\nb\r\nc\rd", "e", "f"]


AB = [("a;b", "0"), ("c", "1")]


@pytest.mark.parametrize(
    ("name", "table", "changed", "rows"),
    [
        ("c.csv", 'text;label\n"a;b";0\nc;1\n', {"delimiter": ";"}, AB),
        ("c.csv", 'text\tlabel\n"a;b"\t0\nc\t1\n', {"delimiter": "\t"}, AB),
        ("c.tsv", 'text|label\n"a;b"|0\nc|1\n', {"delimiter": "|", "quoting": True}, AB),
        ("c.tsv", 'text\tlabel\n"a;b"\t0\nc\t1\n', {"quoting": True}, AB),
        ("c.txt", 'text\tlabel\n"a;b"\t0\nc\t1\n', {"format": "tsv", "quoting": True}, AB),
        ("c.csv", 'text,label\n"a,0\n"b"c,1\n', {"quoting": False}, [('"a', "0"), ('"b"c', "1")]),
        ("c.tsv", 'text\tlabel\n"a\t0\n"b"\t1\n', {}, [('"a', "0"), ('"b"', "1")]),
        (
            "c.txt",
            "a\tb\t0\n\tc\t\t1\n",
            {},
            [("a\tb", "0"), ("\tc\t", "1")],
        ),  # the last tab separates
    ],
)
def test_delimiter_and_quoting_may_be_set(
    read: Callable[..., Corpus],
    name: str,
    table: str,
    changed: dict[str, Any],
    rows: list[tuple[str, str]],
) -> None:
    assert pairs(read({name: table}, **changed)) == rows


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_fields_may_be_of_a_megabyte(read: Callable[..., Corpus], compression: str) -> None:
    rows = [("x" * 2**20, "0"), ('é"\n' * 2**19, "1")]
    columns = {"text": [text for text, _ in rows], "label": [label for _, label in rows]}
    files = {
        "1.csv": delimited([("text", "label"), *rows]).encode(),
        "2.jsonl": "\n".join(
            json.dumps({"text": text, "label": label}) for text, label in rows
        ).encode(),
        "3.parquet": parquet(columns),
    }
    got = read(
        {name + compression: compressed(content, compression) for name, content in files.items()}
    )
    assert pairs(got) == rows * 3


def test_settings_and_docs_know_every_format() -> None:
    setting = Data.model_json_schema()["properties"]["format"]
    assert setting["enum"] == ["auto", *TABLE_FORMATS]
    assert all(name in setting["description"] for name in TABLE_FORMATS)
    rows = [
        line.split(" | ")
        for line in DOCS.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    documented = {row[0].removeprefix("| "): row[1] for row in rows if len(row) == 3}
    for name in TABLE_FORMATS:
        assert documented[name].strip() == ", ".join(
            f"`{ending}`" for ending in FORMATS[name].endings
        )


def test_a_sheet_is_read_beyond_the_size_that_a_program_has_written_to_it(
    read: Callable[..., Corpus],
) -> None:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(excel(("text", "label"), ("a", "0"), ("b", "1")))) as book,
        zipfile.ZipFile(stream, "w") as wrong,
    ):
        for name in book.namelist():
            wrong.writestr(
                name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:A1"', book.read(name))
            )
    assert pairs(read({"c.xlsx": stream.getvalue()})) == [("a", "0"), ("b", "1")]


@pytest.mark.parametrize("name", ["c.jsonl", "c.json"])
def test_fields_of_nested_objects_are_columns_after_those_of_their_exact_name(
    name: str, tmp_path: Path
) -> None:
    rows = [
        {"n": 1, "a": {"b": "x", "c": {"d": ["y"], "e": {}}}},
        {"a": {"b": "z", "b.c": "v"}, "a.b": "w"},
    ]
    text = json.dumps(rows) if name == "c.json" else "\n".join(map(json.dumps, rows))
    (tmp_path / name).write_text(text)
    layout = Layout({"text": ("a.b", "a.b.c"), "label": "a.c.d"})
    batches = read_batches(tmp_path / name, name.removeprefix("c."), layout)
    assert [dict(batch.columns) for batch in batches] == [
        {"a.b": ["x", "w"], "a.b.c": [None, "v"], "a.c.d": [["y"], None]}
    ]
