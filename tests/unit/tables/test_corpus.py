"""The reader of corpora. What it says of each mistake stands in tests/contract/test_broken_tables.py."""

import csv
import errno
import gzip
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textclf.core.errors import UserError
from textclf.params import Data
from textclf.tables import corpus
from textclf.tables import readers as tables
from textclf.tables.corpus import Corpus

DEFAULTS: Mapping[str, Any] = {
    "path": "unused",
    "files": "**/*",
    "format": "auto",
    "text": "text",
    "label": "label",
    "id": None,
    "group": None,
    "classes": None,
    "missing": "error",
    "encoding": "utf-8",
    "delimiter": None,
    "quoting": None,
}
COMPRESSIONS = ("", ".gz", ".zst")
ROWS = [("good", "1"), ("bad, café", "0"), (" fine ", "1")]


def data(**changed: Any) -> Data:
    return Data.model_validate(dict(DEFAULTS) | changed)


def compressed(content: bytes, ending: str) -> bytes:
    if ending == ".gz":
        return gzip.compress(content, mtime=0)
    if ending == ".zst":
        return bytes(pa.compress(content, codec="zstd", asbytes=True))
    return content


def parquet(columns: Mapping[str, object], **options: Any) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), stream, **options)
    return stream.getvalue()


def delimited(rows: Sequence[Sequence[str]], **dialect: Any) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, **dialect).writerows(rows)
    return stream.getvalue()


def pairs(read: Corpus) -> list[tuple[str, str]]:
    return list(zip(read.rows["text"], read.rows["label"], strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Corpus]:
    """Reads a file of this name and content, or the folder of several, under the default settings but for some."""

    def run(contents: Mapping[str, bytes | str], /, **changed: Any) -> Corpus:
        path = tmp_path / "data"
        for name, content in contents.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return corpus.read(file if len(contents) == 1 else path, data(**changed))

    return run


SAME = {  # the same rows in every format
    "c.csv": delimited([("text", "label"), *ROWS]).encode(),
    "c.tsv": delimited([("text", "label"), *ROWS], delimiter="\t", lineterminator="\n").encode(),
    "c.jsonl": "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in ROWS).encode(),
    "c.ndjson": "".join(f'{{"label":"{label}","text":"{text}"}}\r\n' for text, label in ROWS).encode(),
    "c.parquet": parquet({"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]}),
    "c.txt": "".join(f"{text}\t{label}\n" for text, label in ROWS).encode(),
}


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("name", SAME)
def test_every_format_gives_the_same_rows(read: Callable[..., Corpus], name: str, compression: str) -> None:
    got = read({name + compression: compressed(SAME[name], compression)})
    first = 1 if name.endswith((".jsonl", ".ndjson", ".parquet", ".txt")) else 2  # below the header
    ids = [f"{name}{compression}:{number}" for number in range(first, first + 3)]
    assert got.rows.columns.tolist() == ["id", "text", "label"]
    assert got.rows.to_numpy(dtype=object).tolist() == [
        [row, *pair] for row, pair in zip(ids, map(list, ROWS), strict=True)
    ]
    assert got.classes == ["0", "1"]
    assert got.dropped == {"rows": 0, "text": 0, "label": 0}


@pytest.mark.parametrize("name", SAME)
def test_a_format_that_is_named_goes_before_the_ending(read: Callable[..., Corpus], name: str) -> None:
    kind = name.removeprefix("c.").replace("ndjson", "jsonl")
    assert pairs(read({"data.old": SAME[name]}, format=kind)) == ROWS


def test_endings_are_known_in_capitals(read: Callable[..., Corpus]) -> None:
    assert pairs(read({"C.CSV.GZ": compressed(SAME["c.csv"], ".gz")})) == ROWS


def test_a_gzip_file_of_several_members_is_read_to_its_end(read: Callable[..., Corpus]) -> None:
    parts = [compressed(part.encode(), ".gz") for part in ("text,label\na,0\nb", ",1\nc,", "2\n")]
    assert pairs(read({"c.csv.gz": b"".join(parts)})) == [("a", "0"), ("b", "1"), ("c", "2")]


def test_a_zstd_file_of_several_frames_is_read_to_its_end(read: Callable[..., Corpus]) -> None:
    parts = [compressed(part.encode(), ".zst") for part in ("text,label\na,0\nb", ",1\nc,", "2\n")]
    assert pairs(read({"c.csv.zst": b"".join(parts)})) == [("a", "0"), ("b", "1"), ("c", "2")]


def test_a_folder_is_read_in_the_order_of_names_each_file_by_its_ending(read: Callable[..., Corpus]) -> None:
    got = read(
        {
            "z.csv": "label,text\n0,a\n",
            "b/a.jsonl": '{"text": "b", "label": 1}\n',
            "b.tsv": "text\tlabel\nc\t2\n",
            ".hidden.csv": "no table",
            ".git/x.csv": "no table",
            "b/.DS_Store": "no table",
        }
    )
    assert got.rows.to_numpy(dtype=object).tolist() == [
        ["b.tsv:2", "c", "2"],
        ["b/a.jsonl:1", "b", "1"],
        ["z.csv:2", "a", "0"],
    ]


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [("*.csv", ["a"]), ("**/*.csv", ["a", "b"]), ("b/*", ["b"]), ("[!a]*/*.csv", ["b"]), ("?.csv", ["a"])],
)
def test_a_glob_chooses_files_of_the_folder(read: Callable[..., Corpus], pattern: str, texts: list[str]) -> None:
    files = {"a.csv": "text,label\na,0\na,1\n", "b/b.csv": "text,label\nb,0\nb,1\n", "README.md": "# Read me"}
    assert read(files, files=pattern).rows["text"].tolist() == [text for text in texts for _ in "01"]


def test_a_folder_may_be_called_like_a_file_and_a_file_may_be_linked(tmp_path: Path) -> None:
    (tmp_path / "x.csv" / "y.csv").mkdir(parents=True)
    (tmp_path / "elsewhere").write_bytes(SAME["c.csv"])
    (tmp_path / "x.csv" / "y.csv" / "link.csv").symlink_to(tmp_path / "elsewhere")
    assert pairs(corpus.read(tmp_path / "x.csv", data())) == ROWS


def test_a_folder_that_must_not_be_read_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "c.csv").write_bytes(SAME["c.csv"])
    listed = Path.iterdir

    def iterdir(path: Path) -> Any:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(PermissionError, match="closed"):
        corpus.read(tmp_path, data())


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("broken link", "must be a file; got a broken link or a device; remove it"),
        ("loop", "must be a file; got a broken link or a device; remove it"),
        ("pipe", "must be a file; got a broken link or a device; remove it"),
        ("link to a folder", "must be a folder itself; got a link, which is not followed; set data.path to it"),
    ],
)
def test_what_is_no_file_of_a_folder_is_not_passed_over(tmp_path: Path, kind: str, line: str) -> None:
    path = tmp_path / "own"
    (path / "sub").mkdir(parents=True)
    (path / "c.csv").write_bytes(SAME["c.csv"])
    odd = path / "sub" / "odd.csv"
    (tmp_path / "folder").mkdir()
    targets = {"broken link": tmp_path / "nothing", "loop": odd, "link to a folder": tmp_path / "folder"}
    if kind in targets:
        odd.symlink_to(targets[kind])
    else:
        os.mkfifo(odd)
    with pytest.raises(UserError) as error:
        corpus.read(path, data())
    assert error.value.lines == (f"{odd} {line}",)
    assert pairs(corpus.read(path, data(files="*.csv"))) == ROWS


# Columns


def test_columns_are_found_by_name_and_others_are_left_alone(read: Callable[..., Corpus]) -> None:
    table = 'when,"the label",x,when,review\n1,no,,2,a\n,yes,"q,\n",,b\n'
    got = read({"c.csv": table}, text="review", label="the label")
    assert pairs(got) == [("a", "no"), ("b", "yes")]


def test_ids_and_groups_come_from_their_columns(read: Callable[..., Corpus]) -> None:
    lines = '{"n": 7, "who": "Ann", "text": "a", "label": 0}\n{"n": "x", "who": true, "text": "b", "label": 1}\n'
    got = read({"c.jsonl": lines}, id="n", group="who")
    assert got.rows.to_dict("list") == {
        "id": ["7", "x"],
        "text": ["a", "b"],
        "label": ["0", "1"],
        "group": ["Ann", "true"],
    }


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_source_is_the_name_of_the_file_without_endings(read: Callable[..., Corpus], compression: str) -> None:
    files = {
        f"v1.0 pos.csv{compression}": compressed(b"text\na\n", compression),
        f"sub/neg.parquet{compression}": compressed(parquet({"text": ["b"]}), compression),
        f"neg.jsonl{compression}": compressed(b'{"text": "c"}\n', compression),
    }
    got = read(files, label="source", group="source")
    assert pairs(got) == [("c", "neg"), ("b", "neg"), ("a", "v1.0 pos")]
    assert got.rows["group"].tolist() == got.rows["label"].tolist()


def test_a_column_called_source_goes_before_the_name_of_the_file(read: Callable[..., Corpus]) -> None:
    files = {"a.csv": "text,source\nx,1\ny,2\n", "b.csv": "text\nz\n", "c.jsonl": '{"text": "w", "source": "3"}\n'}
    files["d.parquet"] = parquet({"source": [True], "text": ["v"]})  # type: ignore[assignment]
    assert read(files, label="source").rows["label"].tolist() == ["1", "2", "b", "3", "true"]


def test_a_row_without_source_in_a_file_that_has_it_lacks_a_label(read: Callable[..., Corpus]) -> None:
    lines = '{"text": "a", "source": "x"}\n{"text": "b"}\n{"text": "c", "source": "y"}\n'
    got = read({"c.jsonl": lines, "d.csv": "text,source\n\nd,x\n"}, label="source", missing="drop")
    assert pairs(got) == [("a", "x"), ("c", "y"), ("d", "x")]
    assert got.dropped == {"rows": 2, "text": 1, "label": 2}


# Labels


@pytest.mark.parametrize(
    ("written", "classes"),
    [
        (["10", "9", "-1"], ["-1", "9", "10"]),
        (["7", "007", "07"], ["007", "07", "7"]),
        (["10", "9", "x"], ["10", "9", "x"]),
        (["1.5", "10", "9"], ["1.5", "10", "9"]),
        (["5", "٣"], ["5", "٣"]),
        (["9" * 5000, "1" + "0" * 5000], ["1" + "0" * 5000, "9" * 5000]),
        (["True", "False"], ["False", "True"]),
        (["NA", "null", "NaN", "None", "nan"], ["NA", "NaN", "None", "nan", "null"]),
        (["b, c", 'a "quote"', "ß", "Z"], ["Z", 'a "quote"', "b, c", "ß"]),
        (["pos", "pos ", " pos"], [" pos", "pos", "pos "]),
        (["no", "yes", "1e3", "0x1", "+1"], ["+1", "0x1", "1e3", "no", "yes"]),
        (["שלום", "👍", "中"], ["שלום", "中", "👍"]),
    ],
    ids=ascii,
)
def test_labels_of_a_csv_stay_the_text_that_they_are_in_order(
    read: Callable[..., Corpus], written: list[str], classes: list[str]
) -> None:
    got = read({"c.csv": delimited([("text", "label"), *(("x", label) for label in written)])})
    assert got.rows["label"].tolist() == written
    assert got.classes == classes


@pytest.mark.parametrize(
    ("written", "labels", "classes"),
    [
        ([1, 10, 9], ["1", "10", "9"], ["1", "9", "10"]),
        ([True, False, True], ["true", "false", "true"], ["false", "true"]),
        ([1, "1", "01"], ["1", "1", "01"], ["01", "1"]),
        ([2**80, -1], [str(2**80), "-1"], ["-1", str(2**80)]),
        (["True", True], ["True", "true"], ["True", "true"]),
    ],
    ids=str,
)
def test_integers_and_booleans_of_json_become_text(
    read: Callable[..., Corpus], written: list[object], labels: list[str], classes: list[str]
) -> None:
    lines = [json.dumps({"text": "x", "label": label}) for label in written]
    got = read({"c.jsonl": "\n".join(lines)})
    assert (got.rows["label"].tolist(), got.classes) == (labels, classes)


@pytest.mark.parametrize(
    ("column", "labels"),
    [
        (pa.array([1, 0], pa.int8()), ["1", "0"]),
        (pa.array([2**64 - 1, 0], pa.uint64()), [str(2**64 - 1), "0"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array(["b", "a"], pa.large_string()), ["b", "a"]),
        (pa.array(["b", "a"], pa.string_view()), ["b", "a"]),
        (pa.array(["b", "a"]).dictionary_encode(), ["b", "a"]),
        (pa.array(pd.Categorical([5, 3])), ["5", "3"]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_parquet_keeps_text_integers_and_booleans(
    read: Callable[..., Corpus], column: pa.Array, labels: list[str]
) -> None:
    assert read({"c.parquet": parquet({"text": ["x", "y"], "label": column})}).rows["label"].tolist() == labels


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())], ids=str
)
def test_parquet_takes_text_of_every_type_of_text(read: Callable[..., Corpus], kind: pa.DataType) -> None:
    texts = pa.array(["é", "中"]).cast(kind)
    assert pairs(read({"c.parquet": parquet({"label": ["0", "1"], "text": texts})})) == [("é", "0"), ("中", "1")]


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
    assert got.rows["id"].tolist() == [f"c.parquet:{number}" for number in range(1, 8)]


@pytest.mark.parametrize("given_order", [["b", "a"], ["a", "b"]])
def test_given_classes_give_the_order(read: Callable[..., Corpus], given_order: list[str]) -> None:
    assert read({"c.csv": "text,label\nx,a\ny,b\n"}, classes=given_order).classes == given_order


def test_given_classes_may_be_integers_and_booleans(read: Callable[..., Corpus]) -> None:
    lines = '{"text": "x", "label": true}\n{"text": "x", "label": 2}\n'
    assert read({"c.jsonl": lines}, classes=[2, True]).classes == ["2", "true"]


# Missing text and labels


def test_rows_without_text_or_label_are_dropped_and_counted(read: Callable[..., Corpus]) -> None:
    table = "text,label\na,0\n,1\nb,\n \t,\u3000\n\nc,1\n"
    got = read({"c.csv": table}, missing="drop")
    assert got.rows["id"].tolist() == ["c.csv:2", "c.csv:7"]
    assert got.dropped == {"rows": 4, "text": 3, "label": 3}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.jsonl", '{"text": "a", "label": 0}\n{"text": null, "label": 1}\n{"label": 1}\n\n{"text": "b", "label": 1}'),
        ("c.parquet", parquet({"text": ["a", None, "", None, "b"], "label": [0, 1, 1, None, 1]})),
        ("c.txt", "a\t0\n\t1\n  \t1\n\nb\t1\n"),
        ("c.tsv", 'text\tlabel\na\t0\n\t1\n \t1\n\nb\t1\n"\t\r\n'),
    ],
    ids=["jsonl", "parquet", "txt", "tsv"],
)
def test_nulls_and_blank_rows_are_dropped_in_every_format(
    read: Callable[..., Corpus], name: str, content: bytes | str
) -> None:
    got = read({name: content}, missing="drop")
    assert pairs(got) == [("a", "0"), ("b", "1")]
    assert got.dropped == {"rows": 3 + (name == "c.tsv"), "text": 3, "label": 1 + (name == "c.tsv")}


def test_no_text_but_that_of_spaces_is_missing(read: Callable[..., Corpus]) -> None:
    texts = ["NA", "null", "nan", "None", "-", "0", "\u200b", "\ufeff", "#N/A"]
    got = read({"c.csv": delimited([("text", "label"), *((text, str(n % 2)) for n, text in enumerate(texts))])})
    assert got.rows["text"].tolist() == texts


# Bytes, lines and quotes


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b"\xef\xbb\xbf"),
        ("UTF8", b"\xef\xbb\xbf"),
        ("utf-8-sig", b"\xef\xbb\xbf"),
        ("cp1252", b""),
        ("latin-1", b""),
        ("utf-16", b"\xff\xfe"),
        ("utf-16", b"\xfe\xff"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b""),
        ("utf-32", b"\xff\xfe\0\0"),
    ],
)
@pytest.mark.parametrize("name", ["c.csv", "c.tsv", "c.jsonl", "c.txt"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_byte_order_mark_is_no_text_in_any_encoding(
    read: Callable[..., Corpus], name: str, compression: str, encoding: str, mark: bytes
) -> None:
    order = {b"\xff\xfe": "-le", b"\xfe\xff": "-be", b"\xff\xfe\0\0": "-le"}.get(mark, "")
    plain = encoding.removesuffix("-sig").removesuffix("-le") + order
    content = mark + SAME[name].decode().encode(plain)
    assert pairs(read({name + compression: compressed(content, compression)}, encoding=encoding)) == ROWS


def test_only_the_first_character_of_a_file_is_a_byte_order_mark(read: Callable[..., Corpus]) -> None:
    assert pairs(read({"c.txt": "\ufeff\ufeffa\t0\n\ufeffb\t1\n"})) == [("\ufeffa", "0"), ("\ufeffb", "1")]


ODD = (  # texts in which a reader of lines or quotes may go wrong
    *('"an open quote', "it's 'so", '""', '"a', 'a"b"', "a\\", '\\"', "a,b", "a;b", "#a", "'", '","', "a\\nb"),
    *("a\x85b", "a\u2028b", "a\u2029b", "a\x0bb\x0cc", "a\x1cb\x1db\x1eb", "a\rb", "\ra", " a ", "\u00a0a"),
    *("é😀", "e\u0301", "\u202eabc", "שלום", "中文", "\U0001f469\u200d\U0001f469", "\ufffd", "\x1b[31m", "<b>"),
    *("NA", "1", "=1+1", "{", "null", "\x7f", "\uffff", "\U0010ffff"),
)


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_text_is_taken_as_it_stands_in_every_format(read: Callable[..., Corpus], text: str) -> None:
    rows = [(text, "1"), ("other", "0"), (text, "2")]
    columns = {"text": [text for text, _ in rows], "label": [label for _, label in rows]}
    files: dict[str, bytes | str] = {
        "1.csv": delimited([("text", "label"), *rows]),
        "2.tsv": "\n".join("\t".join(row) for row in [("text", "label"), *rows]),
        "3.jsonl": "\n".join(json.dumps({"text": text, "label": label}) for text, label in rows),
        "4.jsonl": "\n".join(json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in rows),
        "5.txt": "\n".join("\t".join(row) for row in rows),
        "6.parquet": parquet(columns),
    }
    assert pairs(read(files)) == rows * len(files)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("c.csv", "text,label\r\na,0\r\nb,1\r\n"),
        ("c.csv", "text,label\r\na,0\r\nb,1"),
        ("c.csv", "text,label\r\r\na,0\r\r\nb,1\r\r\n"),  # as written on Windows by one who doubles the CR
        ("c.tsv", "text\tlabel\r\na\t0\r\nb\t1\r\n"),
        ("c.txt", "a\t0\r\nb\t1"),
        ("c.jsonl", '{"text": "a", "label": 0}\r\n{"text": "b", "label": 1}\r\n'),
    ],
)
def test_lines_may_end_in_crlf_and_the_last_in_nothing(read: Callable[..., Corpus], name: str, table: str) -> None:
    assert pairs(read({name: table})) == [("a", "0"), ("b", "1")]


def test_a_row_is_named_by_the_line_on_which_it_begins(read: Callable[..., Corpus]) -> None:
    table = 'text,label\n"a\nb\r\nc\rd",0\ne,1\n"f",0\n'
    got = read({"c.csv": table})
    assert got.rows["id"].tolist() == ["c.csv:2", "c.csv:5", "c.csv:6"]
    assert got.rows["text"].tolist() == ["a\nb\r\nc\rd", "e", "f"]


@pytest.mark.parametrize(
    ("name", "table", "changed"),
    [
        ("c.csv", 'text;label\n"a;b";0\nc;1\n', {"delimiter": ";"}),
        ("c.csv", 'text\tlabel\n"a;b"\t0\nc\t1\n', {"delimiter": "\t"}),
        ("c.tsv", 'text|label\n"a;b"|0\nc|1\n', {"delimiter": "|", "quoting": True}),
        ("c.tsv", 'text\tlabel\n"a;b"\t0\nc\t1\n', {"quoting": True}),
        ("c.txt", 'text\tlabel\n"a;b"\t0\nc\t1\n', {"format": "tsv", "quoting": True}),
    ],
)
def test_delimiter_and_quoting_may_be_set(
    read: Callable[..., Corpus], name: str, table: str, changed: dict[str, Any]
) -> None:
    assert pairs(read({name: table}, **changed)) == [("a;b", "0"), ("c", "1")]


def test_without_quoting_quotes_are_text(read: Callable[..., Corpus]) -> None:
    assert pairs(read({"c.csv": 'text,label\n"a,0\n"b"c,1\n'}, quoting=False)) == [('"a', "0"), ('"b"c', "1")]
    assert pairs(read({"c.tsv": 'text\tlabel\n"a\t0\n"b"\t1\n'})) == [('"a', "0"), ('"b"', "1")]


def test_the_last_tab_of_a_txt_line_parts_text_and_label(read: Callable[..., Corpus]) -> None:
    assert pairs(read({"c.txt": "a\tb\t0\n\tc\t\t1\n"})) == [("a\tb", "0"), ("\tc\t", "1")]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_fields_may_be_of_a_megabyte(read: Callable[..., Corpus], compression: str) -> None:
    rows = [("x" * 2**20, "0"), ('é"\n' * 2**19, "1")]
    columns = {"text": [text for text, _ in rows], "label": [label for _, label in rows]}
    files = {
        "1.csv": delimited([("text", "label"), *rows]).encode(),
        "2.jsonl": "\n".join(json.dumps({"text": text, "label": label}) for text, label in rows).encode(),
        "3.parquet": parquet(columns),
    }
    got = read({name + compression: compressed(content, compression) for name, content in files.items()})
    assert pairs(got) == rows * 3


# Errors


@pytest.mark.parametrize(("wrong", "shown", "count"), [(1, 1, False), (5, 5, False), (6, 5, True)])
def test_the_first_five_wrong_rows_are_shown_and_all_are_counted(
    read: Callable[..., Corpus], tmp_path: Path, wrong: int, shown: int, count: bool
) -> None:
    path = tmp_path / "data"
    with pytest.raises(UserError) as error:
        read({"a.txt": "good\t1\n" + "bad\n" * wrong, "b.csv": "text,label\na,0\n"})
    lines = [
        f"{path}/a.txt:{number}: must be a sentence, a tab and a label; got 'bad' without a tab"
        for number in range(2, 2 + shown)
    ]
    total = [f"{path}: {wrong} of {wrong + 2} rows are wrong, 5 shown"] if count else []
    assert list(error.value.lines) == lines + total


def test_wrong_rows_of_several_files_are_told_together(read: Callable[..., Corpus], tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read({"a.csv": "text,label\n,0\n", "b.jsonl": '{"text": 1, "label": 0}\n'})
    assert [line.split(": ")[0] for line in error.value.lines] == [
        f"{tmp_path}/data/a.csv:2",
        f"{tmp_path}/data/b.jsonl:1",
    ]


class Worn(io.RawIOBase):
    """A file on a disk that fails."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, _: int, __: int = io.SEEK_SET) -> int:
        return 99  # bytes, so that a reader of Parquet goes on

    def readinto(self, _: object) -> int:
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("name", [f"{name}{ending}" for name in SAME for ending in COMPRESSIONS])
def test_what_the_file_system_says_is_no_mistake_of_the_file(
    read: Callable[..., Corpus], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(tables, "_opened", lambda _: io.BufferedReader(Worn()))
    with pytest.raises(OSError, match="Input/output error") as error:
        read({name: b""})
    assert error.value.errno == errno.EIO


# Properties

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
@settings(deadline=None)
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
@settings(deadline=None)
def test_rows_that_pandas_wrote_as_csv_come_back(folder: Path, table: list[tuple[str, str]], compression: str) -> None:
    frame = pd.DataFrame(table, columns=["text", "label"])
    content = frame.to_csv(index=True, quoting=csv.QUOTE_NONNUMERIC).encode()
    assert pairs(reread(folder, "p.csv", content, compression)) == table
    try:
        assert pairs(reread(folder, "p.csv", frame.to_csv(index=True).encode(), compression)) == table
    except UserError:
        assert any("\r" in text for text, _ in table)  # pandas may write a lone CR without quotes


@given(TABLES, st.sampled_from("\t;|"), st.sampled_from(["\n", "\r\n"]), COMPRESSION)
@settings(deadline=None)
def test_rows_without_quotes_come_back(
    folder: Path, table: list[tuple[str, str]], delimiter: str, end: str, compression: str
) -> None:
    unfit = str.maketrans(dict.fromkeys(f"{delimiter}\n", " "))
    table = [(f"{text.translate(unfit)}.", f"{label.translate(unfit)}.") for text, label in table]
    content = "".join(delimiter.join(row) + end for row in [("text", "label"), *table]).encode()
    assert pairs(reread(folder, "t.tsv", content, compression, delimiter=delimiter)) == table


@given(TABLES, st.booleans(), COMPRESSION)
@settings(deadline=None)
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
@settings(deadline=None)
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
@settings(deadline=None)
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


def rows_or_error(folder: Path, name: str, content: bytes, **changed: Any) -> Corpus | None:
    """What is read, or None after an error whose lines can be printed."""
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
@settings(deadline=None)
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
@settings(deadline=None, max_examples=300)
def test_csv_is_read_as_pandas_reads_it_or_refused(folder: Path, content: str) -> None:
    content = f"text,label\nfirst,x\n{content}\nlast,y\n"
    if (got := rows_or_error(folder, "o.csv", content.encode())) is not None:
        frame = pd.read_csv(io.StringIO(content), dtype=str, keep_default_na=False, index_col=False)
        assert pairs(got) == list(zip(frame["text"], frame["label"], strict=True))


@given(LINES)
@settings(deadline=None)
def test_tsv_and_txt_are_their_lines_parted_by_tabs_or_refused(folder: Path, content: str) -> None:
    content = f"first\tx\n{content}\nlast\ty\n"
    lines = [line.removesuffix("\r") for line in content.split("\n")[:-1]]
    if (got := rows_or_error(folder, "o.tsv", f"text\tlabel\n{content}".encode())) is not None:
        assert pairs(got) == [tuple(line.split("\t")) for line in lines]
    if (got := rows_or_error(folder, "o.txt", content.encode())) is not None:
        assert pairs(got) == [tuple(line.rsplit("\t", 1)) for line in lines]


WHOLE = {
    **{f"{name}{ending}": compressed(content, ending) for name, content in SAME.items() for ending in (".gz", ".zst")},
    "c.parquet": SAME["c.parquet"],
    "plain.parquet": parquet({"text": ["é", "b"], "label": ["0", "1"]}, compression="none", use_dictionary=False),
}


@pytest.mark.parametrize("name", WHOLE)
@given(more=st.data())
@settings(deadline=None, max_examples=30)
def test_a_file_that_was_cut_off_is_refused(folder: Path, name: str, more: st.DataObject) -> None:
    cut = WHOLE[name][: more.draw(st.integers(0, len(WHOLE[name]) - 1))]
    assert rows_or_error(folder, name, cut) is None


@pytest.mark.parametrize("name", WHOLE)
@given(more=st.data())
@settings(deadline=None, max_examples=60)
def test_a_damaged_file_gives_rows_or_an_error(folder: Path, name: str, more: st.DataObject) -> None:
    content = bytearray(WHOLE[name])
    for place in more.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place] = more.draw(st.integers(0, 255))
    rows_or_error(folder, name, bytes(content))
