"""Saved by other programs: workbooks, databases, datasets of Hugging Face, class folders."""

import io
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.refusal import refusal
from tests.unit.tables.tables import ROWS, arrow, compressed, data, excel, frame_of, pairs, sqlite
from textclf.tables import corpus
from textclf.tables.corpus import Corpus
from textclf.tables.files import describe_folders, find_files
from textclf.tables.given import layout_of
from textclf.tables.layout import Layout
from textclf.tables.read import read_batches

Read = Callable[..., Corpus]
Files = Mapping[str, bytes | str]

FEATURES = {
    "text": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
}


def dataset(texts: str, labels: list[int], features: object = FEATURES) -> pa.Table:
    """Return a table as datasets makes it, with a text per letter."""
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.table({"text": list(texts), "label": labels}).replace_schema_metadata(metadata)


def stream(*batches: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema) as writer:
        for table in batches:
            for batch in table.to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]:
                writer.write_batch(batch)
    return bytes(sink.getvalue())


def as_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def saved(*parts: pa.Table, folder: str = "") -> dict[str, bytes | str]:
    """Return save_to_disk's files of a dataset, and a result of `map` cached beside them."""
    names = [f"data-{number}.arrow" for number in range(len(parts))]
    files: dict[str, bytes | str] = {
        name: stream(part) for name, part in zip(names, parts, strict=True)
    }
    files["state.json"] = json.dumps(
        {"_data_files": [{"filename": name} for name in names], "_split": "train"}
    )
    files["dataset_info.json"] = json.dumps({"features": FEATURES})
    files["cache-1f2e.arrow"] = stream(pa.table({"tokens": [[1]]}))
    return {f"{folder}{name}": content for name, content in files.items()}


OLD = [("text", "label"), ("e", 0), ("f", 1)]
BOOK = excel(("text", "label"), ("a", 1), ("b", 2.0), ("c", True), ("d", "007"), Old=OLD)
GAPS = excel(
    ("n", None, "text", "label", None),
    (1, None, "a", "x"),
    (),
    (3, None, "b", "y", None),
    (None, None),
)
TEAMS = sqlite(
    [(1, "a", 1.0), (2, "b", 2.0)],
    "ticket, message, team",
    "CREATE TABLE teams (number, name); INSERT INTO teams VALUES (1, 'sales'), (2, 'support');",
)
JOIN = (
    "SELECT ticket, message AS text, name AS label FROM rows JOIN teams ON number = CAST(team AS "
    "INTEGER) ORDER BY ticket DESC"
)
SPLITS = saved(dataset("a", [0]), folder="test/") | saved(dataset("b", [1]), folder="train/")
DICTIONARY = {
    "text": pa.array(["a", "b"]).dictionary_encode(),
    "label": pa.array([1, 2]).dictionary_encode(),
}
ONE, TWO = pa.table({"text": ["a"], "label": ["a"]}), pa.table({"text": ["b"], "label": ["b"]})
CLASSES = {
    f"{split}/{label}/1.txt": label
    for split in ("train", "test")
    for label in ("neg", "pos", "unsup")
}
Case = tuple[
    Files, dict[str, Any], list[str]
]  # files, settings, and the rows with / between their columns
CASES: dict[str, Case] = {
    "a workbook": (
        {"c.xlsx": BOOK},
        {},
        ["c.xlsx:2|a|1", "c.xlsx:3|b|2", "c.xlsx:4|c|true", "c.xlsx:5|d|007"],
    ),
    "another sheet": ({"c.xlsx": BOOK}, {"sheet": "Old"}, ["c.xlsx:2|e|0", "c.xlsx:3|f|1"]),
    "empty rows and columns": (
        {"c.xlsx": GAPS},
        {"missing": "drop"},
        ["c.xlsx:2|a|x", "c.xlsx:4|b|y"],
    ),
    "a query": ({"c.sqlite": TEAMS}, {"query": JOIN, "id": "ticket"}, ["2|b|support", "1|a|sales"]),
    "the only table": (
        {"c.db": sqlite([("a", "x"), ("b", "y")])},
        {"query": None},
        ["c.db:1|a|x", "c.db:2|b|y"],
    ),
    "a saved dataset": (
        saved(dataset("ab", [0, 1]), dataset("c", [0])),
        {},
        ["data-0.arrow:1|a|neg", "data-0.arrow:2|b|pos", "data-1.arrow:1|c|neg"],
    ),
    "its files by a glob": (
        saved(dataset("ab", [0, 1])),
        {"files": "*.arrow"},
        ["data-0.arrow:1|a|neg", "data-0.arrow:2|b|pos"],
    ),
    "its splits": (
        SPLITS | {"dataset_dict.json": '{"splits": ["train", "test"]}'},
        {},
        ["test/data-0.arrow:1|a|neg|test", "train/data-0.arrow:1|b|pos|train"],
    ),
    "other JSON files": (
        {"a/state.json": '[{"text": "a", "label": 0}]', **saved(dataset("b", [0]), folder="b/")},
        {},
        ["a/state.json:1|a|0", "b/data-0.arrow:1|b|neg"],
    ),
    "no label is -1": (
        {"c.arrow": stream(dataset("abc", [0, -1, 1]))},
        {"missing": "drop"},
        ["c.arrow:1|a|neg", "c.arrow:3|c|pos"],
    ),
    "a number beyond the names": (
        {"c.arrow": stream(dataset("ab", [1, 2]))},
        {},
        ["c.arrow:1|a|pos", "c.arrow:2|b|2"],
    ),
    "Parquet names classes": (
        {"c.parquet": as_parquet(dataset("ab", [0, 1]))},
        {},
        ["c.parquet:1|a|neg", "c.parquet:2|b|pos"],
    ),
    "an empty batch": (
        {"c.arrow": stream(ONE, ONE.slice(1), TWO)},
        {},
        ["c.arrow:1|a|a", "c.arrow:2|b|b"],
    ),
    "a dictionary": ({"c.arrow": arrow(DICTIONARY)}, {}, ["c.arrow:1|a|1", "c.arrow:2|b|2"]),
    "folders of any endings": (
        {"neg/1": "bad", "neg/2.eml": "worse", "pos/3.txt.gz": compressed(b"good", ".gz")},
        {"format": "folders"},
        ["neg/1|bad|neg", "neg/2.eml|worse|neg", "pos/3.txt.gz|good|pos"],
    ),
    "classes below splits": (
        CLASSES | {"README": "read me", "train/urls.txt": "urls"},
        {"files": "*/[np]*/*.txt", "format": "folders"},
        [
            f"{split}/{label}/1.txt|{label}|{label}|{split}"
            for split in ("test", "train")
            for label in ("neg", "pos")
        ],
    ),
    "names of texts and classes": (
        {"bus/dev/test drive.txt": "a", "train/1.txt": "b"},
        {},
        ["bus/dev/test drive.txt|a|dev", "train/1.txt|b|train"],
    ),
    "another encoding": (
        {"a/1.txt": "café".encode("cp1252"), "b/2.txt": b"b"},
        {"encoding": "cp1252"},
        ["a/1.txt|café|a", "b/2.txt|b|b"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_other_programs_save_is_read(read: Read, name: str) -> None:
    files, changed, rows = CASES[name]
    got = read(files, **changed)
    assert ["|".join(row) for row in frame_of(got).itertuples(index=False)] == rows
    assert got.dropped["rows"] == ("missing" in changed)  # an empty row at the end is none


@pytest.mark.parametrize(
    "features",
    [
        None,
        [],
        {"label": None},
        {"label": {"_type": "ClassLabel"}},
        {"label": {"_type": "Value", "names": ["x", "y"]}},
    ],
    ids=str,
)
def test_other_metadata_changes_no_label(read: Read, features: object) -> None:
    assert pairs(read({"c.arrow": stream(dataset("ab", [0, 1], features))})) == [
        ("a", "0"),
        ("b", "1"),
    ]


def test_what_a_workbook_has_besides_values_is_read_without_a_warning(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("text", "label"), ("a", 0), ("b", 1)):
        sheet.append(row)
    sheet.merge_cells("D1:E2")
    sheet.row_dimensions[3].hidden = True
    sheet["A2"].hyperlink = "https://example.org"
    book.save(tmp_path / "c.xlsx")
    assert pairs(corpus.read(tmp_path / "c.xlsx", data())) == [("a", "0"), ("b", "1")]


@pytest.mark.parametrize(
    ("header", "ranges", "labels"),
    [
        (1, ["B2:B4"], ["x", "x", "x", "y", ""]),
        (1, ["A4:A5", "B5:C6"], ["x", "", "", "y", "y"]),
        # A cell of a header may be merged with others, too.
        (1, ["B1:B2", "C1:D1"], ["", "", "", "y", ""]),
        (2, ["B1:B2", "B5:B6"], ["", "", "y", "y"]),
    ],
)
def test_merged_cells_have_the_value_of_their_first_in_every_row(
    header: int, ranges: list[str], labels: list[str], tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("text", "label"), ("text", "x"), ("b",), ("c",), ("d", "y"), ("e",)):
        sheet.append(row)
    for cells in ranges:
        sheet.merge_cells(cells)
    book.save(tmp_path / "c.xlsx")
    layout = Layout({"text": "text", "label": "label"}, header=header)
    (batch,) = read_batches(tmp_path / "c.xlsx", "excel", layout)
    assert batch.columns["label"] == labels


def test_a_formula_without_a_saved_value_is_refused_in_a_column_to_read(tmp_path: Path) -> None:
    formulas = [("n", "text", "label"), ("=1+1", "a", 0), ("=1+1", "b", 1), (3, '="<" & A2', 1)]
    (tmp_path / "c.xlsx").write_bytes(excel(*formulas[:3]))
    assert pairs(corpus.read(tmp_path / "c.xlsx", data())) == [("a", "0"), ("b", "1")]
    (tmp_path / "c.xlsx").write_bytes(excel(*formulas))
    assert refusal(corpus.read, tmp_path / "c.xlsx", data()) == (
        f"{tmp_path}/c.xlsx:4: text must be a value; got a formula without a saved value; "
        "open the workbook in Excel or LibreOffice and save it"
    )


def test_reading_a_database_leaves_it_and_its_folder_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a b?c#%.db"
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE rows (text, label)")
        connection.executemany("INSERT INTO rows VALUES (?, ?)", ROWS)
        connection.commit()
    (tmp_path / "new.db").rename(path)
    content = path.read_bytes()
    assert pairs(corpus.read(path, data())) == ROWS
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == content


TEXTS = {
    "neg/1.txt": "bad\r\nfood\n",
    "neg/2.txt": " ",
    "pos/1.txt": "good\tfood",
    "pos/old/3.txt": "\ufeffé",
}
CLUTTER = {
    f"{folder}/{name}": "\0"
    for folder in ("neg", "pos")
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store")
}
IN_LINES = [  # UCI's format
    {"a/1.txt": "good\t1\n", "b/2.txt": "bad\t0\n"},
    {"a/1.txt": "good\t1\nbad\t0\n", "2.txt": "bad\t0\n"},
]


@pytest.mark.parametrize("files", [TEXTS, *IN_LINES])
def test_a_folder_per_class_is_recognised_unless_its_texts_have_labels(
    read: Read, tmp_path: Path, files: dict[str, str]
) -> None:
    others = CLUTTER | {"pos/a.pdf": "\0", "neg/notes.md": "\0"} if files is TEXTS else {}
    got = read(files | others, missing="drop")
    described = list(describe_folders(find_files(tmp_path / "data", layout_of(data()))))
    if files is not TEXTS:
        assert (set(frame_of(got)["label"]), described) == ({"0", "1"}, [])
        return
    assert frame_of(got).to_numpy(dtype=object).tolist() == [
        ["neg/1.txt", "bad\r\nfood\n", "neg"],
        ["pos/1.txt", "good\tfood", "pos"],
        ["pos/old/3.txt", "é", "old"],
    ]
    folders = "4 files, each a text whose label is the name of its folder (neg, old, pos)"
    assert described == [f"{folders}; left out: 2 other files"]
