"""What people save from other programs: workbooks, databases, datasets of Hugging Face, a folder per class."""

import json
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from tests.unit.tables.tables import ROWS, SAME, arrow, compressed, data, excel, pairs, parquet, sqlite
from textclf.core import stage
from textclf.core.failures import USAGE_ERROR
from textclf.tables import corpus
from textclf.tables.corpus import Corpus
from textclf.tables.files import describe_folders, find_files
from textclf.tables.given import layout_of

Read = Callable[..., Corpus]

# Excel


def test_labels_of_a_workbook_are_whole_numbers_booleans_or_text(read: Read) -> None:
    content = excel(("text", "label"), ("a", 1), ("b", 2.0), ("c", True), ("d", "007"))
    assert read({"c.xlsx": content}).rows["label"].tolist() == ["1", "2", "true", "007"]


def test_a_row_of_a_workbook_has_the_number_that_excel_shows(read: Read) -> None:
    content = excel(
        ("n", None, "text", "label", None), (1, None, "a", "x"), (), (3, None, "b", "y", None), (None, None)
    )
    got = read({"c.xlsx": content}, missing="drop")
    assert got.rows["id"].tolist() == ["c.xlsx:2", "c.xlsx:4"]
    assert got.dropped["rows"] == 1  # the empty row at the end is none


def test_a_sheet_is_chosen_by_name_else_the_first_is_read(read: Read) -> None:
    content = excel(("text", "label"), ("a", 0), ("b", 1), Old=[("text", "label"), ("c", 0), ("d", 1)])
    assert pairs(read({"c.xlsx": content})) == [("a", "0"), ("b", "1")]
    assert pairs(read({"c.xlsx": content}, sheet="Old")) == [("c", "0"), ("d", "1")]


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


def test_without_openpyxl_the_error_names_the_extra(
    read: Read, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert stage.exit_code("split", lambda: len(read({"c.xlsx": SAME["c.xlsx"]}).rows)) == USAGE_ERROR
    line = "error: split: the package openpyxl must be installed for this; pip install --only-binary :all: openpyxl\n"
    assert capsys.readouterr().err == line


# SQLite


def test_a_query_joins_renames_and_converts(read: Read) -> None:
    statements = "CREATE TABLE teams (number, name); INSERT INTO teams VALUES (1, 'sales'), (2, 'support');"
    content = sqlite([(1, "a", 1.0), (2, "b", 2.0)], "ticket, message, team", statements)
    query = (
        "SELECT ticket, message AS text, name AS label FROM rows JOIN teams ON number = CAST(team AS INTEGER) "
        "ORDER BY ticket DESC"
    )
    got = read({"c.sqlite": content}, query=query, id="ticket")
    assert got.rows.to_numpy(dtype=object).tolist() == [["2", "b", "support"], ["1", "a", "sales"]]


def test_rows_of_a_query_are_numbered_from_1(read: Read) -> None:
    got = read({"c.sqlite3": sqlite([("a", 0), ("b", 1)])}, query="SELECT label, text FROM rows")
    assert got.rows["id"].tolist() == ["c.sqlite3:1", "c.sqlite3:2"]


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


# Datasets of Hugging Face, as save_to_disk writes them

FEATURES = {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}


def with_features(columns: Mapping[str, object], features: object = FEATURES) -> pa.Table:
    table = pa.table(dict(columns))
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def saved(*parts: pa.Table, folder: str = "") -> dict[str, bytes]:
    """Return the files that save_to_disk writes for a dataset, and a result of `map` that is cached beside them."""
    names = [f"data-{number:05}-of-{len(parts):05}.arrow" for number in range(len(parts))]
    state = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "ab", "_split": "train"}
    files = {name: stream(part) for name, part in zip(names, parts, strict=True)}
    files |= {
        "state.json": json.dumps(state).encode(),
        "dataset_info.json": json.dumps({"features": FEATURES}).encode(),
    }
    files["cache-1f2e.arrow"] = stream(pa.table({"tokens": [[1]]}))
    return {f"{folder}{name}": content for name, content in files.items()}


def test_a_saved_dataset_gives_its_rows_with_the_names_of_classes(read: Read) -> None:
    parts = (with_features({"text": ["a", "b"], "label": [0, 1]}), with_features({"text": ["c"], "label": [0]}))
    got = read(saved(*parts))
    assert pairs(got) == [("a", "neg"), ("b", "pos"), ("c", "neg")]
    assert got.rows["id"].tolist() == [
        "data-00000-of-00002.arrow:1",
        "data-00000-of-00002.arrow:2",
        "data-00001-of-00002.arrow:1",
    ]


def test_the_only_table_of_a_database_needs_no_query(read: Read) -> None:
    rows = [("a", "x"), ("b", "y")]
    assert pairs(read({"c.db": sqlite(rows)})) == rows


def test_the_splits_of_a_saved_dataset_are_those_of_its_folders(read: Read) -> None:
    test, train = (with_features({"text": [name], "label": [place]}) for place, name in enumerate(("a", "b")))
    files = saved(test, folder="test/") | saved(train, folder="train/")
    got = read(files | {"dataset_dict.json": b'{"splits": ["train", "test"]}'})
    assert got.rows.to_numpy(dtype=object).tolist() == [
        ["test/data-00000-of-00001.arrow:1", "a", "neg", "test"],
        ["train/data-00000-of-00001.arrow:1", "b", "pos", "train"],
    ]


def test_the_files_of_a_dataset_may_be_named_by_a_glob(read: Read) -> None:
    assert len(read(saved(with_features({"text": ["a", "b"], "label": [0, 1]})), files="*.arrow").rows) == 2


def test_json_files_of_other_folders_are_read_whatever_their_names(read: Read) -> None:
    files = {"a/state.json": SAME["c.json"], **saved(with_features({"text": ["b"], "label": [0]}), folder="b/")}
    assert len(read(files).rows) == len(ROWS) + 1


def test_a_row_without_a_label_has_the_class_minus_1(read: Read) -> None:
    table = with_features({"text": ["a", "b", "c"], "label": [0, -1, 1]})
    got = read({"c.arrow": stream(table)}, missing="drop")
    assert pairs(got) == [("a", "neg"), ("c", "pos")]
    assert got.dropped == {"rows": 1, "text": 0, "label": 1}


def test_parquet_of_a_dataset_names_its_classes_too(read: Read) -> None:
    columns = {"text": ["a", "b"], "label": [0, 1]}
    table = with_features(columns)
    content = parquet({name: table[name] for name in columns})
    assert pairs(read({"c.parquet": content})) == [("a", "0"), ("b", "1")]
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(table, sink)
    assert pairs(read({"c.parquet": bytes(sink.getvalue())})) == [("a", "neg"), ("b", "pos")]


@pytest.mark.parametrize(
    "features",
    [None, [], {"label": None}, {"label": {"_type": "ClassLabel"}}, {"label": {"_type": "Value", "names": ["x", "y"]}}],
    ids=str,
)
def test_other_metadata_changes_no_label(read: Read, features: object) -> None:
    table = with_features({"text": ["a", "b"], "label": [0, 1]}, features)
    assert pairs(read({"c.arrow": stream(table)})) == [("a", "0"), ("b", "1")]


def test_a_label_beyond_the_names_stays_a_number(read: Read) -> None:
    table = with_features({"text": ["a", "b"], "label": [1, 2]})
    assert pairs(read({"c.arrow": stream(table)})) == [("a", "pos"), ("b", "2")]


def test_an_empty_batch_is_no_end(read: Read) -> None:
    tables = [pa.table({"text": texts, "label": texts}) for texts in (["a"], ["b"])]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, tables[0].schema) as writer:
        for table in (tables[0], tables[0].slice(1), tables[1]):
            for batch in table.to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]:
                writer.write_batch(batch)
    assert pairs(read({"c.arrow": bytes(sink.getvalue())})) == [("a", "a"), ("b", "b")]


# A folder per class

TEXTS = {"neg/1.txt": "bad\r\nfood\n", "neg/2.txt": " ", "pos/1.txt": "good\tfood", "pos/old/3.txt": "\ufeffé"}


def described(folder: Path, **changed: str) -> list[str]:
    return list(describe_folders(find_files(folder, layout_of(data(**changed)))))


def test_a_folder_per_class_is_recognised(read: Read, tmp_path: Path) -> None:
    got = read(TEXTS, missing="drop")
    assert got.rows.to_numpy(dtype=object).tolist() == [
        ["neg/1.txt", "bad\r\nfood\n", "neg"],
        ["pos/1.txt", "good\tfood", "pos"],
        ["pos/old/3.txt", "é", "old"],
    ]
    assert got.dropped["rows"] == 1
    line = "4 files, each a text whose label is the name of its folder (neg, old, pos)"
    assert described(tmp_path / "data") == [line]


@pytest.mark.parametrize(
    "files",
    [
        {"a/1.txt": "good\t1\n", "b/2.txt": "bad\t0\n"},  # UCI's format in folders
        {"a/1.txt": "good\t1\nbad\t0\n", "2.txt": "bad\t0\n"},
    ],
)
def test_sentences_with_labels_are_no_folder_per_class(read: Read, tmp_path: Path, files: dict[str, str]) -> None:
    assert set(read(files).rows["label"]) == {"0", "1"}
    assert described(tmp_path / "data") == []


def test_a_folder_per_class_that_is_named_may_have_any_endings(read: Read) -> None:
    files = {"neg/1": "bad", "neg/2.eml": "worse", "pos/3.txt.gz": compressed(b"good", ".gz")}
    assert pairs(read(files, format="folders")) == [("bad", "neg"), ("worse", "neg"), ("good", "pos")]


def test_a_glob_chooses_the_classes_below_the_splits_of_a_corpus(read: Read) -> None:
    files = {f"{split}/{label}/1.txt": label for split in ("train", "test") for label in ("neg", "pos", "unsup")}
    got = read(files | {"README": "read me", "train/urls.txt": "urls"}, files="*/[np]*/*.txt", format="folders")
    assert got.rows["id"].tolist() == ["test/neg/1.txt", "test/pos/1.txt", "train/neg/1.txt", "train/pos/1.txt"]
    assert got.rows["label"].tolist() == ["neg", "pos", "neg", "pos"]
    assert got.rows["split"].tolist() == ["test", "test", "train", "train"]


def test_neither_a_text_nor_a_class_names_a_split(read: Read) -> None:
    got = read({"bus/dev/test drive.txt": "a", "train/1.txt": "b"})
    assert got.rows["label"].tolist() == ["dev", "train"]
    assert "split" not in got.rows


def test_texts_in_folders_may_be_in_another_encoding(read: Read) -> None:
    files = {"a/1.txt": "café".encode("cp1252"), "b/2.txt": b"b"}
    assert pairs(read(files, encoding="cp1252")) == [("café", "a"), ("b", "b")]


def test_arrow_may_be_read_as_a_dictionary_of_texts(read: Read) -> None:
    columns = {
        name: pa.array(values).dictionary_encode() for name, values in {"text": ["a", "b"], "label": [1, 2]}.items()
    }
    assert pairs(read({"c.arrow": arrow(columns)})) == [("a", "1"), ("b", "2")]
