"""Any rows that a library wrote come back; any bytes give rows or an error."""

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tables.tables import COMPRESSIONS, SAME, arrow, compressed, data, pairs, parquet
from textclf.core.errors import UserError
from textclf.tables import corpus
from textclf.tables.corpus import Corpus

Table = list[tuple[str, str]]
Draw = Callable[[st.SearchStrategy[Any]], Any]

UNICODE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
PRINTED = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
NAMES = st.sampled_from(["0", "1", "007", "NA", "true", "a,b", 'say "no"'])
TEXTS = st.one_of(
    st.text(UNICODE, min_size=1, max_size=20),
    st.text(st.sampled_from("ab \",;|\t\r\n\\'\x85\u2028\ufeffé"), min_size=1, max_size=20),
).filter(lambda text: bool(text.strip()))
LABELS = NAMES | PRINTED.filter(lambda text: bool(text.strip()))
TABLES = st.lists(st.tuples(TEXTS, LABELS), max_size=6).map(
    lambda rows: [("first", "x"), *rows, ("last", "y")]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(UNICODE),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(UNICODE), inner, max_size=3)
    ),
    max_leaves=5,
)


def reread(folder: Path, name: str, content: bytes, **changed: Any) -> Corpus:
    path = folder / name
    path.write_bytes(content)
    return corpus.read(path, data(**changed))


def frame(table: Table) -> pd.DataFrame:
    return pd.DataFrame(table, columns=["text", "label"])


def columns(table: Table, kind: pa.DataType = None) -> dict[str, pa.Array]:
    labels, texts = (
        pa.array([row[place] for row in table]).cast(kind or pa.string()) for place in (1, 0)
    )
    return {"label": labels, "text": texts}


def pandas_csv(table: Table, draw: Draw) -> tuple[bytes, dict[str, Any]]:
    return frame(table).to_csv(index=draw(st.booleans()), quoting=csv.QUOTE_NONNUMERIC).encode(), {}


def tsv(table: Table, draw: Draw) -> tuple[bytes, dict[str, Any]]:
    delimiter, end = draw(st.sampled_from("\t;|")), draw(st.sampled_from(["\n", "\r\n"]))
    unfit = str.maketrans(dict.fromkeys(f"{delimiter}\n", " "))
    table[:] = [
        (f"{text.translate(unfit)}.", f"{label.translate(unfit)}.") for text, label in table
    ]
    rows = [("text", "label"), *table]
    return "".join(delimiter.join(row) + end for row in rows).encode(), {"delimiter": delimiter}


def json_lines(table: Table, draw: Draw) -> tuple[bytes, dict[str, Any]]:
    ascii_only = draw(st.booleans())
    rows = [{"other": draw(ANYTHING), "label": label, "text": text} for text, label in table]
    return "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows).encode(), {}


def pandas_json(table: Table, draw: Draw) -> tuple[bytes, dict[str, Any]]:
    options = {"force_ascii": draw(st.booleans()), "indent": draw(st.integers(0, 2))}
    return str(frame(table).to_json(orient="records", **options)).encode(), {}


def pyarrow_parquet(table: Table, draw: Draw) -> tuple[bytes, dict[str, Any]]:
    kind = draw(
        st.sampled_from([pa.string(), pa.large_string(), pa.dictionary(pa.int16(), pa.string())])
    )
    options = {
        "compression": draw(st.sampled_from(["none", "snappy", "zstd", "gzip", "brotli", "lz4"])),
        "data_page_version": draw(st.sampled_from(["1.0", "2.0"])),
        "row_group_size": draw(st.integers(1, 9)),
    }
    return parquet(columns(table, kind), **options), {}


def pyarrow_arrow(table: Table, draw: Draw) -> tuple[bytes, dict[str, Any]]:
    options = pa.ipc.IpcWriteOptions(compression=draw(st.sampled_from([None, "lz4", "zstd"])))
    return arrow(
        columns(table), file=draw(st.booleans()), rows=draw(st.integers(1, 9)), options=options
    ), {}


def pandas_sqlite(table: Table, _: Draw) -> tuple[bytes, dict[str, Any]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        frame(table).to_sql("rows", connection)
        return connection.serialize(), {}


def pandas_excel(table: Table, _: Draw) -> tuple[bytes, dict[str, Any]]:
    # XML has no other control characters, and reads CR as LF; openpyxl decodes _x0041_ and computes
    # =1.
    unfit = dict.fromkeys(
        (*range(9), *range(11, 32), *range(127, 160), ord("_"), ord("="), 65534, 65535), "."
    )
    table[:] = [(text.translate(unfit), label.translate(unfit)) for text, label in table]
    stream = io.BytesIO()
    frame(table).to_excel(stream)
    return stream.getvalue(), {}


WRITERS = {
    "p.csv": pandas_csv,
    "t.tsv": tsv,
    "j.jsonl": json_lines,
    "p.json": pandas_json,
    "a.parquet": pyarrow_parquet,
    "f.arrow": pyarrow_arrow,
    "q.db": pandas_sqlite,
    "e.xlsx": pandas_excel,
}


@pytest.mark.parametrize("name", WRITERS)
@given(table=TABLES, compression=st.sampled_from(COMPRESSIONS), more=st.data())
def test_rows_that_a_library_wrote_come_back(
    folder: Path, name: str, table: Table, compression: str, more: st.DataObject
) -> None:
    content, changed = WRITERS[name](table, more.draw)
    assert (
        pairs(reread(folder, name + compression, compressed(content, compression), **changed))
        == table
    )


def rows_or_error(folder: Path, name: str, content: bytes, **changed: Any) -> Corpus | None:
    """Return what is read, or None after an error with printable lines."""
    try:
        return reread(folder, name, content, **changed)
    except UserError as error:
        lines = error.lines
    assert lines
    assert all(line.isprintable() and len(line) < 1000 for line in lines)
    return None


# Bytes that mean something to one reader or another
PIECES = [
    b'"',
    b"\n",
    b"\r",
    b"\r\n",
    b",",
    b"\t",
    b"a",
    b"text",
    b"label",
    b"source",
    b"1",
    b"0",
    b"\0",
    b" ",
    b";",
]
PIECES += [
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\x1b",
    b"+2AA-",
]
PIECES += [
    b'{"text": "',
    b'", "label": ',
    b"}\n",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"text": 1,',
    b"\\ud800",
    b"null",
]
PIECES += [b"NaN", b"1e999", b"9" * 5000, b"[" * 500, b"[" * 9000, b"true"]
SOUP = st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join)
HEADS = {
    "csv": b"text,label\na,0\n",
    "tsv": b"text\tlabel\na\t0\n",
    "json": b'[{"text": "a", "label": 0}',
    "jsonl": b'{"text": "a", "label": 0}\n',
    "txt": b"a\t0\n",
}
ENCODINGS = [
    "cp1252",
    "ascii",
    "utf-16",
    "utf-32",
    "utf-7",
    "cp932",
    "gb18030",
    "iso2022_jp",
    "hz",
    "idna",
]


@pytest.mark.parametrize("kind", HEADS)
@given(soup=st.binary(max_size=40) | SOUP, head=st.booleans(), more=st.data())
def test_any_bytes_give_every_row_or_an_error(
    folder: Path, kind: str, soup: bytes, head: bool, more: st.DataObject
) -> None:
    choices: dict[str, list[Any]] = {
        "encoding": ["utf-8"] * len(ENCODINGS) + ENCODINGS,
        "missing": ["error", "drop"],
        "quoting": [None, True, False],
        "label": ["label", "source"],
        "group": [None, "source", "label"],
    }
    changed = {name: more.draw(st.sampled_from(values)) for name, values in choices.items()}
    rows_or_error(folder, f"s.{kind}", HEADS[kind] * head + soup, **changed)


LINES = st.text(st.sampled_from('ab1 ",\t\n\r\x85é'), max_size=30)


@given(LINES)
def test_csv_is_read_as_pandas_reads_it_or_refused(folder: Path, content: str) -> None:
    content = f"text,label\nfirst,x\n{content}\nlast,y\n"
    if (got := rows_or_error(folder, "o.csv", content.encode())) is not None:
        read = pd.read_csv(io.StringIO(content), dtype=str, keep_default_na=False, index_col=False)
        assert pairs(got) == list(zip(read["text"], read["label"], strict=True))


@given(LINES)
def test_tsv_and_txt_are_their_lines_separated_by_tabs_or_refused(
    folder: Path, content: str
) -> None:
    content = f"first\tx\n{content}\nlast\ty\n"
    lines = [line.removesuffix("\r") for line in content.split("\n")[:-1]]
    if (got := rows_or_error(folder, "o.tsv", f"text\tlabel\n{content}".encode())) is not None:
        assert pairs(got) == [tuple(line.split("\t")) for line in lines]
    if (got := rows_or_error(folder, "o.txt", content.encode())) is not None:
        assert pairs(got) == [tuple(line.rsplit("\t", 1)) for line in lines]


WHOLE = {
    **{
        f"{name}{ending}": compressed(content, ending)
        for name, content in SAME.items()
        for ending in (".gz", ".zst")
    },
    **{
        name: SAME[name]
        for name in ("c.arrow", "c.feather", "c.parquet", "c.json", "c.db", "c.xlsx")
    },
    "plain.parquet": parquet(
        {"text": ["é", "b"], "label": ["0", "1"]}, compression="none", use_dictionary=False
    ),
}


@pytest.mark.parametrize("name", WHOLE)
@given(more=st.data())
def test_a_file_that_is_cut_off_is_refused_and_a_damaged_one_gives_rows_or_an_error(
    folder: Path, name: str, more: st.DataObject
) -> None:
    content = bytearray(WHOLE[name])
    assert (
        rows_or_error(folder, name, WHOLE[name][: more.draw(st.integers(0, len(content) - 1))])
        is None
    )
    for place in more.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place] = more.draw(st.integers(0, 255))
    rows_or_error(folder, name, bytes(content))
