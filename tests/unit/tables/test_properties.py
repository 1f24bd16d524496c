"""Any rows that a library wrote come back; any bytes give rows or an error."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_files

from tests.unit.tables.tables import COMPRESSIONS, SAME, arrow, compressed, data, delimited, pairs, parquet
from textclf.core.errors import UserError
from textclf.tables import corpus
from textclf.tables.corpus import Corpus

UNICODE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.one_of(
    st.text(UNICODE, min_size=1, max_size=20),
    st.text(st.sampled_from("ab \",;|\t\r\n\\'\x85\u2028\ufeffé"), min_size=1, max_size=20),
).filter(lambda text: bool(text.strip()))
LABELS = st.one_of(
    st.sampled_from(["0", "1", "007", "NA", "true", "a,b", 'say "no"']),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(
        lambda text: bool(text.strip())
    ),
)
TABLES = st.lists(st.tuples(TEXTS, LABELS), max_size=6).map(lambda rows: [("first", "x"), *rows, ("last", "y")])
COMPRESSION = st.sampled_from(COMPRESSIONS)


def reread(folder: Path, name: str, content: bytes, compression: str = "", **changed: Any) -> Corpus:
    path = folder / f"{name}{compression}"
    path.write_bytes(compressed(content, compression))
    return corpus.read(path, data(**changed))


@given(
    TABLES,
    st.sampled_from(",;|\t"),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"]),
    COMPRESSION,
)
def test_rows_that_pythons_csv_wrote_come_back_by_line(
    folder: Path, table: list[tuple[str, str]], delimiter: str, quoting: int, encoding: str, compression: str
) -> None:
    rows = [("label", "text"), *((label, text) for text, label in table)]
    parts = [delimited([row], delimiter=delimiter, quoting=quoting) for row in rows]
    content = "".join(parts).encode(encoding)
    got = reread(folder, "w.csv", content, compression, encoding=encoding, delimiter=delimiter)
    assert pairs(got) == table
    lines = [1 + "".join(parts[:place]).count("\n") for place in range(1, len(parts))]
    assert got.rows["id"].tolist() == [f"w.csv{compression}:{line}" for line in lines]


@given(TABLES, COMPRESSION)
def test_rows_that_pandas_wrote_as_csv_come_back(folder: Path, table: list[tuple[str, str]], compression: str) -> None:
    frame = pd.DataFrame(table, columns=["text", "label"])
    content = frame.to_csv(index=True, quoting=csv.QUOTE_NONNUMERIC).encode()
    assert pairs(reread(folder, "p.csv", content, compression)) == table
    try:
        assert pairs(reread(folder, "p.csv", frame.to_csv(index=True).encode(), compression)) == table
    except UserError:
        assert any("\r" in text for text, _ in table)  # pandas may write a lone CR without quotes


@given(TABLES, st.sampled_from("\t;|"), st.sampled_from(["\n", "\r\n"]), COMPRESSION)
def test_rows_without_quotes_come_back(
    folder: Path, table: list[tuple[str, str]], delimiter: str, end: str, compression: str
) -> None:
    unfit = str.maketrans(dict.fromkeys(f"{delimiter}\n", " "))
    table = [(f"{text.translate(unfit)}.", f"{label.translate(unfit)}.") for text, label in table]
    content = "".join(delimiter.join(row) + end for row in [("text", "label"), *table]).encode()
    assert pairs(reread(folder, "t.tsv", content, compression, delimiter=delimiter)) == table


@given(TABLES, st.booleans(), COMPRESSION)
def test_rows_of_txt_come_back_by_line(
    folder: Path, table: list[tuple[str, str]], lf_at_the_end: bool, compression: str
) -> None:
    table = [(text.replace("\n", " ") + ".", label) for text, label in table]
    content = "\n".join("\t".join(row) for row in table) + "\n" * lf_at_the_end
    got = reread(folder, "u.txt", content.encode(), compression)
    assert pairs(got) == table
    assert got.rows["id"].tolist() == [f"u.txt{compression}:{line}" for line in range(1, len(table) + 1)]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(UNICODE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(UNICODE), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(st.tuples(TEXTS, LABELS | st.integers() | st.booleans(), ANYTHING), max_size=6),
    st.booleans(),
    COMPRESSION,
)
def test_rows_that_json_dumps_wrote_come_back(
    folder: Path, table: list[tuple[str, str | int, object]], ascii_only: bool, compression: str
) -> None:
    table = [("first", "x", None), *table, ("last", "y", None)]
    lines = [
        json.dumps({"other": other, "label": label, "text": text}, ensure_ascii=ascii_only)
        for text, label, other in table
    ]
    got = reread(folder, "j.jsonl", "\n".join(lines).encode(), compression)
    names = [str(label).lower() if isinstance(label, bool) else str(label) for _, label, _ in table]
    assert pairs(got) == list(zip([text for text, _, _ in table], names, strict=True))


@given(
    TABLES,
    st.sampled_from([pa.string(), pa.large_string(), pa.dictionary(pa.int16(), pa.string())]),
    st.sampled_from(["none", "snappy", "zstd", "gzip", "brotli", "lz4"]),
    st.sampled_from(["1.0", "2.0"]),
    st.integers(1, 9),
    COMPRESSION,
)
def test_rows_that_pyarrow_wrote_come_back(
    folder: Path,
    table: list[tuple[str, str]],
    kind: pa.DataType,
    codec: str,
    version: str,
    row_group_size: int,
    compression: str,
) -> None:
    columns = {
        "label": pa.array([label for _, label in table]).cast(kind),
        "text": pa.array([text for text, _ in table]).cast(kind),
    }
    content = parquet(columns, compression=codec, data_page_version=version, row_group_size=row_group_size)
    assert pairs(reread(folder, "a.parquet", content, compression)) == table


@given(TABLES, st.booleans(), st.sampled_from([None, "lz4", "zstd"]), st.integers(1, 9), COMPRESSION)
def test_rows_that_pyarrow_wrote_as_arrow_come_back(
    folder: Path, table: list[tuple[str, str]], file: bool, codec: str | None, rows: int, compression: str
) -> None:
    columns = {"label": [label for _, label in table], "text": [text for text, _ in table]}
    content = arrow(columns, file=file, rows=rows, options=pa.ipc.IpcWriteOptions(compression=codec))
    assert pairs(reread(folder, "f.arrow", content, compression)) == table


@given(TABLES, st.booleans(), st.integers(0, 2), COMPRESSION)
def test_rows_that_pandas_wrote_as_json_come_back(
    folder: Path, table: list[tuple[str, str]], ascii_only: bool, indent: int, compression: str
) -> None:
    frame = pd.DataFrame(table, columns=["text", "label"])
    content = frame.to_json(orient="records", force_ascii=ascii_only, indent=indent)
    assert pairs(reread(folder, "p.json", content.encode(), compression)) == table


@given(TABLES, COMPRESSION)
def test_rows_that_pandas_wrote_to_sqlite_come_back(
    folder: Path, table: list[tuple[str, str]], compression: str
) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        pd.DataFrame(table, columns=["text", "label"]).to_sql("rows", connection)
        content = connection.serialize()
    assert pairs(reread(folder, "q.db", content, compression)) == table


WORKBOOK_TEXTS = st.text(  # XML has no other control characters, and reads CR as LF; openpyxl decodes _x0041_
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="_\ufffe\uffff", include_characters="\t\n"),
    min_size=1,
).filter(lambda text: bool(text.strip()) and not text.startswith("="))


@given(st.lists(st.tuples(WORKBOOK_TEXTS, WORKBOOK_TEXTS.filter(str.isprintable)), max_size=6))
def test_rows_that_pandas_wrote_as_excel_come_back(folder: Path, table: list[tuple[str, str]]) -> None:
    table = [("first", "x"), *table, ("last", "y")]
    stream = io.BytesIO()
    pd.DataFrame(table, columns=["text", "label"]).to_excel(stream)
    assert pairs(reread(folder, "e.xlsx", stream.getvalue())) == table


@given(st.lists(st.tuples(TEXTS, st.sampled_from(["a", "b é", "007"])), max_size=6))
def test_texts_in_folders_come_back_as_scikit_learn_reads_them(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("classes")
    table = [("first", "x"), *[(text.lstrip("\ufeff") + ".", label) for text, label in table], ("last", "y")]
    for number, (text, label) in enumerate(table):
        (folder / label).mkdir(exist_ok=True)
        (folder / label / f"{number}.txt").write_bytes(text.encode())
    got = corpus.read(folder, data(format="folders"))
    assert pairs(got) == [table[int(Path(row).stem)] for row in got.rows["id"]]
    loaded = load_files(folder, encoding="utf-8", shuffle=False)
    files = [str(Path(name).relative_to(folder)) for name in loaded.filenames]
    names = [loaded.target_names[target] for target in loaded.target]
    expected = zip(files, loaded.data, names, strict=True)
    assert sorted(got.rows.itertuples(index=False, name=None)) == sorted(expected)


def rows_or_error(folder: Path, name: str, content: bytes, **changed: Any) -> Corpus | None:
    """Return what is read, or None after an error with printable lines."""
    try:
        return reread(folder, name, content, **changed)
    except UserError as error:
        lines = error.lines
    assert lines
    assert all(line.isprintable() and len(line) < 1000 for line in lines)
    return None


SOUP = st.lists(  # bytes that mean something to one reader or another
    st.sampled_from(
        [
            *(
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
            ),
            *(b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\xc2\x85", b"\xe2\x80\xa8", b"\x1b", b"+2AA-"),
            *(b'{"text": "', b'", "label": ', b"}\n", b"{", b"}", b"[", b"]", b'"text": 1,', b"\\ud800", b"null"),
            *(b"NaN", b"1e999", b"9" * 5000, b"[" * 500, b"[" * 9000, b"true"),
        ]
    ),
    max_size=25,
).map(b"".join)
HEADS = {
    "csv": b"text,label\na,0\n",
    "tsv": b"text\tlabel\na\t0\n",
    "json": b'[{"text": "a", "label": 0}',
    "jsonl": b'{"text": "a", "label": 0}\n',
    "txt": b"a\t0\n",
}
ENCODINGS = st.sampled_from(
    [
        "utf-8",
        "cp1252",
        "ascii",
        "utf-16",
        "utf-16-le",
        "utf-32",
        "utf-7",
        "cp932",
        "gb18030",
        "iso2022_jp",
        "hz",
        "idna",
    ]
)


@pytest.mark.parametrize("kind", HEADS)
@given(soup=st.binary(max_size=40) | SOUP, head=st.booleans(), encoding=st.just("utf-8") | ENCODINGS, more=st.data())
def test_any_bytes_give_every_row_or_an_error(
    folder: Path, kind: str, soup: bytes, head: bool, encoding: str, more: st.DataObject
) -> None:
    changed = {
        "encoding": encoding,
        "missing": more.draw(st.sampled_from(["error", "drop"])),
        "quoting": more.draw(st.sampled_from([None, True, False])),
        "label": more.draw(st.sampled_from(["label", "source"])),
        "group": more.draw(st.sampled_from([None, "source", "label"])),
    }
    rows_or_error(folder, f"s.{kind}", HEADS[kind] * head + soup, **changed)


LINES = st.text(st.sampled_from('ab1 ",\t\n\r\x85é'), max_size=30)


@given(LINES)
def test_csv_is_read_as_pandas_reads_it_or_refused(folder: Path, content: str) -> None:
    content = f"text,label\nfirst,x\n{content}\nlast,y\n"
    if (got := rows_or_error(folder, "o.csv", content.encode())) is not None:
        frame = pd.read_csv(io.StringIO(content), dtype=str, keep_default_na=False, index_col=False)
        assert pairs(got) == list(zip(frame["text"], frame["label"], strict=True))


@given(LINES)
def test_tsv_and_txt_are_their_lines_separated_by_tabs_or_refused(folder: Path, content: str) -> None:
    content = f"first\tx\n{content}\nlast\ty\n"
    lines = [line.removesuffix("\r") for line in content.split("\n")[:-1]]
    if (got := rows_or_error(folder, "o.tsv", f"text\tlabel\n{content}".encode())) is not None:
        assert pairs(got) == [tuple(line.split("\t")) for line in lines]
    if (got := rows_or_error(folder, "o.txt", content.encode())) is not None:
        assert pairs(got) == [tuple(line.rsplit("\t", 1)) for line in lines]


WHOLE = {
    **{f"{name}{ending}": compressed(content, ending) for name, content in SAME.items() for ending in (".gz", ".zst")},
    **{name: SAME[name] for name in ("c.arrow", "c.feather", "c.parquet", "c.json", "c.db", "c.xlsx")},
    "plain.parquet": parquet({"text": ["é", "b"], "label": ["0", "1"]}, compression="none", use_dictionary=False),
}


@pytest.mark.parametrize("name", WHOLE)
@given(more=st.data())
def test_a_file_that_was_cut_off_is_refused(folder: Path, name: str, more: st.DataObject) -> None:
    cut = WHOLE[name][: more.draw(st.integers(0, len(WHOLE[name]) - 1))]
    assert rows_or_error(folder, name, cut) is None


@pytest.mark.parametrize("name", WHOLE)
@given(more=st.data())
def test_a_damaged_file_gives_rows_or_an_error(folder: Path, name: str, more: st.DataObject) -> None:
    content = bytearray(WHOLE[name])
    for place in more.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place] = more.draw(st.integers(0, 255))
    rows_or_error(folder, name, bytes(content))
