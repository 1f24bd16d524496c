"""Tables that break a rule; broken_tables.txt has the lines with which each is refused."""

import datetime as dt
import functools
import gzip
import io
import itertools
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import approved
from tests.settings import put
from tests.unit.tables.tables import arrow, excel, sqlite
from textclf.core.errors import UserError
from textclf.core.settings import load_section
from textclf.tables import corpus
from textclf.tables.settings import Data

Case = tuple[Mapping[str, bytes | str], str, dict[str, str]]  # files, data.path, settings of section `data` in YAML

APPROVED = Path(__file__).with_name("broken_tables.txt")
HEAD = "text,label\n"
GOOD = HEAD + "a,0\nb,1\n"
OBJECT = '{"text": "a", "label": 0}\n'
LIST = pa.list_(pa.field("element", pa.string()))  # as Parquet calls the field


def alone(name: str, content: bytes | str, /, **settings: str) -> Case:
    """Return the case of a single file."""
    return {f"own/{name}": content}, f"own/{name}", settings


csv, json, jsonl = (functools.partial(alone, f"c.{ending}") for ending in ("csv", "json", "jsonl"))


def folder(files: Mapping[str, bytes | str], /, **settings: str) -> Case:
    """Return the case of the folder `own` with these files."""
    return {f"own/{name}": content for name, content in files.items()}, "own", settings


def parquet(text: object = ("a", "b"), label: object = ("0", "1"), **more: object) -> bytes:
    table = {"text": text, "label": label} | more
    columns = {name: column if isinstance(column, pa.Array) else pa.array(column) for name, column in table.items()}
    return written(pa.table(columns))


def written(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def zipped(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "content")
    return stream.getvalue()


def gz(content: str) -> bytes:
    return gzip.compress(content.encode(), mtime=0)


def zst(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


HEADERS = {
    "empty file": csv(""),
    "nothing but a byte order mark": csv("\ufeff"),
    "header without rows": csv(HEAD),
    "blank first line": csv(f"\n{GOOD}"),
    "no header": csv("a,0\nb,1\n"),
    "JSON called csv": csv('[{"text": "a", "label": 0}]'),
    "semicolons and quotes": csv('"text";"label"\n"a";"0"\n'),
    "tabs in CSV": csv("text\tlabel\na\t0\n"),
    "another column with semicolons": csv("text;stars\na;0\n"),
    "names in other case": csv("Text,Label\na,0\n"),
    "space in a name": csv("text, label\na, 0\n"),
    "names that would break the line": csv('text,"c\nd",\x1b[31m,"a,b",' + "x" * 99 + "\n"),
    "many columns": csv("text," + ",".join(f"c{number}" for number in range(99)) + "\n"),
    "a name twice": csv("text,label,text\na,0,b\n"),
    "semicolons": csv("text;label\na;0\n"),
    "commas in TSV": alone("c.tsv", GOOD),
    "names of another table": csv(GOOD, text="review", label="the stars", id="n", group="who"),
}
LINES = {
    "too few fields": csv(f"{HEAD}a\nb,1\n"),
    "too many fields": csv(f"{HEAD}a, or b,0\nb,1\n"),
    "quotes in TSV": alone("c.tsv", 'text\tlabel\n"a\tb"\t0\n'),
    "open quote": csv(f'{HEAD}a,0\n"b,1\nc,0\n'),
    "quote inside quotes": csv(f'{HEAD}a,0\n"b\n\n"c",1\n'),
    "lone CR": csv(f"{HEAD}a\rb,0\n"),
    "rows behind a quoted line end": csv(f'{HEAD}"a\nb\nc",0\nd\n'),
    "five wrong rows": csv(HEAD + "a\n" * 5),
    "many wrong rows": csv(HEAD + "a,0\n" * 100 + "a\n" * 900),
    "CSV called txt": alone("c.txt", GOOD),
    "txt and another column": alone("c.txt", "a\t0\n", text="review"),
    "txt with CR CR LF": alone("c.txt", "a\t0\r\r\nb\t1\n"),
}
VALUES = {
    "blank line": csv(f"{HEAD}a,0\n\nb,1\n"),
    "no text": csv(f"{HEAD},0\nb,1\n"),
    "text of spaces": alone("c.tsv", "review\tlabel\n\u3000 \t0\nb\t1\n", text="review"),
    "no label": csv(f"{HEAD}a,\nb,1\n"),
    "label of a space": csv(f"{HEAD}a, \nb,1\n"),
    "label of two lines": csv(f'{HEAD}a,"0\n1"\nb,1\n'),
    "label with U+0085": csv(f"{HEAD}a,0\x85\nb,1\n"),
    "NUL in a text": csv(f"{HEAD}a\0b,0\nb,1\n"),
    "one class": csv(f"{HEAD}a,0\nb,0\n"),
    "label not in data.classes": csv(f"{HEAD}a,neg\nb,postive\nc,pos\n", classes="[neg, pos]"),
    "data.classes without quotes": csv(f"{HEAD}a,True\nb,01\nc,1\n", classes="[True, 01]"),
    "a class of data.classes without rows": csv(f"{HEAD}a,neg\nb,pos\n", classes="[neg, neutral, pos]"),
    "all rows dropped": csv(f"{HEAD},0\nb,\n\n", missing="drop"),
    "a class dropped": csv(f"{HEAD}a,0\n,1\n", missing="drop"),
    "wrong row where others are dropped": csv(f"{HEAD}a,0\nb\n,1\n", missing="drop"),
    "id twice": csv("n,text,label\n7,a,0\n8,b,1\n7,c,0\n", id="n"),
    "no id": csv("n,text,label\n ,a,0\n8,b,1\n", id="n"),
    "no group": csv("the author,text,label\n,a,0\n8,b,1\n", group="the author"),
    "id of two lines": csv('n,text,label\n"a\nb",a,0\n8,b,1\n', id="n"),
}
BYTES = {
    "cp1252": csv(f"{HEAD}café,0\n".encode("cp1252")),
    "cp1252 in the header": csv("libellé,texte\n".encode("cp1252")),
    "a byte that is none of cp1252": csv(b"text,label\na\x81,0\n", encoding="cp1252"),
    "surrogate in UTF-8": alone("c.txt", b"a\t1\n\xed\xa0\x80\t0\n"),
    "surrogate in UTF-7": csv(f"{HEAD}+2AA-,0\n", encoding="utf-7"),
    "UTF-16 without a mark": csv(GOOD.encode("utf-16-le")),
    "UTF-16 cut off": csv(GOOD.encode("utf-16")[:-1], encoding="utf-16"),
}
JSON_LINES = {
    "empty file": jsonl(""),
    "a list over lines": jsonl('[{"text": "a", "label": 0},\n{"text": "b", "label": 1}]\n'),
    "a list": jsonl(f"[{OBJECT.strip()}]\n"),
    "Python for JSON": jsonl(OBJECT + "{'text': 'a'}\n"),
    "no objects": jsonl(OBJECT + '"b"\n1\nnull\n'),
    "a key twice": jsonl(OBJECT + '{"text": "b", "label": 0, "label": 1}\n'),
    "a number of 5,000 digits": jsonl(OBJECT + '{"n": ' + "9" * 5000 + "}\n"),
    "50,000 brackets": jsonl(OBJECT + "[" * 50000),
    "text of other types": jsonl(
        OBJECT + "".join(f'{{"text": {text}, "label": 1}}\n' for text in ("5", "true", '["b"]', '{"raw": "c"}'))
    ),
    "labels of other types": jsonl(
        OBJECT + "".join(f'{{"text": "b", "label": {label}}}\n' for label in ("1.0", "NaN", "-1e999", "{}"))
    ),
    "a list of labels": jsonl(OBJECT + '{"text": "b", "label": ["x", "y"]}\n' * 9),
    "blank line and empty object": jsonl(OBJECT + "\n{}\n"),
    "other keys in every row": jsonl('{"review": "a", "stars": 1}\n{"review": "b", "user": 2}\n'),
    "half an emoji": jsonl(OBJECT + '{"text": "b\\ud83d", "label": 1}\n'),
    "not UTF-8": jsonl(OBJECT.encode() + b'{"text": "caf\xe9", "label": 1}\n'),
    "source in later rows alone": jsonl('{"text": "a"}\n{"text": "b", "source": "x"}\n', label="source"),
}
JSON_ARRAYS = {
    "empty file": json(""),
    "no rows": json("[]"),
    "JSON Lines called json": json(OBJECT * 2),
    "columns": json('{"text": {"0": "a"}, "label": {"0": 1}}'),
    "cut off": json('[\n{"text": "a",\n "lab'),
    "a key twice": json('[{"text": "a", "text": "b"}]'),
    "50,000 brackets": json("[" * 50000),
    "not UTF-8": json(b'["caf\xe9"]'),
    "other columns": json('[{"a": 1}, {"b": 2}]'),
    "wrong elements": json(f'[{OBJECT}, 7, [], {{"text": 5, "label": 1}}, {{"text": "b"}}]'),
}
EXCEL = {
    "CSV called xlsx": alone("c.xlsx", GOOD),
    "another zip archive": alone("c.xlsx", zipped("a.txt")),
    "an empty sheet": alone("c.xlsx", excel()),
    "header without rows": alone("c.xlsx", excel(("text", "label"), (None, None))),
    "no header": alone("c.xlsx", excel(("a", 0), ("b", 1))),
    "another sheet": alone("c.xlsx", excel(("text", "label"), Old=[("text", "label")]), sheet="New"),
    "values of other types": alone(
        "c.xlsx", excel(("text", "label"), (5, 1), ("b", 1.5), ("c", dt.date(2020, 1, 1)), ("d", "=1/0"), ("#N/A", 1))
    ),
    "an empty row among others": alone("c.xlsx", excel(("text", "label"), ("a", 0), (), ("b", 1))),
}
SQLITE = {
    "empty file": alone("c.db", b"", query="SELECT * FROM rows"),
    "CSV called db": alone("c.db", GOOD, query="SELECT 1"),
    "no query": alone("c.db", sqlite([], statements="CREATE TABLE others (text)")),
    "another table": alone("c.db", sqlite([]), query="SELECT * FROM row"),
    "a statement that writes": alone("c.db", sqlite([]), query="DELETE FROM rows RETURNING text, label"),
    "a statement without rows": alone("c.db", sqlite([]), query="BEGIN"),
    "two statements": alone("c.db", sqlite([]), query="SELECT * FROM rows; DROP TABLE rows"),
    "no rows": alone("c.db", sqlite([]), query="SELECT * FROM rows"),
    "other columns": alone("c.db", sqlite([]), query="SELECT text FROM rows"),
    "values of other types": alone(
        "c.db", sqlite([(5, "0"), (b"a", "0"), (None, "0"), ("a", 1.5)]), query="SELECT * FROM rows"
    ),
    "not UTF-8": alone(
        "c.db", sqlite([], statements="INSERT INTO rows VALUES (CAST(x'ff' AS TEXT), 0)"), query="SELECT * FROM rows"
    ),
    "changes in a file beside it": (
        {"own/c.db": sqlite([]), "own/c.db-wal": b"changes"},
        "own/c.db",
        {"query": "SELECT * FROM rows"},
    ),
}
BAD_OFFSETS = pa.Array.from_buffers(
    pa.string(), 2, [None, pa.py_buffer(struct.pack("<3i", 0, 10**6, 2)), pa.py_buffer(b"ab")]
)
ARROW = {
    "cut off at a batch": alone("c.arrow", arrow({"text": ["a", "b"], "label": [0, 1]})[:-8]),
    "other columns": alone("c.arrow", arrow({"review": ["a"]})),
    "text of numbers": alone("c.arrow", arrow({"text": [1], "label": [0]})),
    "offsets out of bounds": alone("c.arrow", arrow({"text": BAD_OFFSETS, "label": [0, 1]})),
    "the state of a saved dataset": folder({"data-0.arrow": b"", "state.json": "{}"}),
}
FOLDERS = {
    "a text outside the folders": folder({"1.txt": "a", "pos/2.txt": "b"}, format="folders"),
    "a single file": ({"own/pos/1.txt": "a"}, "own/pos/1.txt", {"format": "folders"}),
    "one folder": folder({"pos/1.txt": "a", "pos/2.txt": "b"}),
    "an empty file": folder({"neg/1.txt": "a", "pos/2.txt": ""}),
    "not UTF-8": folder({"neg/1.txt": "a", "pos/2.txt": b"b\ncaf\xe9"}),
    "a picture": folder({"neg/1.txt": "a", "pos/2.txt": gz("b")}),
}
OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
CONTENTS = {
    "Excel called csv": csv(excel()),
    "Parquet called csv": csv(parquet()),
    "Arrow called csv": csv(arrow({"a": [1]})),
    "Feather called parquet": alone("c.parquet", arrow({"a": [1]}, file=True)),
    "SQLite called csv": csv(sqlite([])),
    "gzip called csv": csv(gz(GOOD)),
    "zstd called jsonl": jsonl(zst(b"a")),
    "gzip twice": alone("c.csv.gz", gzip.compress(gz(GOOD))),
    "Excel with a password": alone("c.xlsx", OLD_EXCEL),
}
PARQUET = {
    "cut off": alone("c.parquet", parquet()[:-9]),
    "no rows": alone("c.parquet", parquet(pa.nulls(0), pa.nulls(0))),
    "other columns": alone("c.parquet", written(pa.table({"review": ["a"], "stars": [1]}))),
    **{
        f"text of type {column.type}": alone("c.parquet", parquet(column, [0]))
        for column in (pa.array([b"a"]), pa.array([1]), pa.array([["a"]], LIST), pa.array([b"a"]).dictionary_encode())
    },
    **{
        f"label of type {column.type}": alone("c.parquet", parquet(["a"], column))
        for column in (pa.array([1.0]), pa.array([dt.date(2020, 1, 1)]))
    },
    "labels in lists": alone("c.parquet", parquet(["a"], pa.array([["a"]], LIST))),
    "ids of floats": alone("c.parquet", parquet(n=[1.0, 2.0]), id="n"),
    "null for a text": alone("c.parquet", parquet(["a", None])),
    "nothing but nulls": alone("c.parquet", parquet(label=pa.nulls(2))),
    "not UTF-8": alone("c.parquet", parquet(pa.array([b"a", b"\xff"]).view(pa.string()))),
}
COMPRESSED = {
    "CSV called gz": alone("c.csv.gz", GOOD),
    "gz cut off": alone("c.csv.gz", gz(GOOD)[:-9]),
    "gz with a wrong checksum": alone("c.csv.gz", gz(GOOD)[:-8] + b"\0" * 8),
    "gz with a tail": alone("c.csv.gz", gz(GOOD) + b"tail"),
    "empty gz": alone("c.csv.gz", b""),
    "gz of no Parquet": alone("c.parquet.gz", gz(GOOD)),
    "CSV called zst": alone("c.csv.zst", GOOD),
    "zst cut off": alone("c.csv.zst", zst(GOOD.encode())[:-3]),
}
FILES = {
    "nothing there": ({}, "own/c.csv", {}),
    "an old spreadsheet": alone("c.xls", b""),
    "an archive": alone("c.csv.zip", b""),
    "another compression": alone("c.csv.bz2", b""),
    "no ending": alone("csv", GOOD),
    "a file of another kind": folder({"c.csv": GOOD, "sub/README.md": "# Read me"}),
    "no file of the glob": folder({"c.csv": GOOD, "d.csv": GOOD}, files='"*.tsv"'),
    "hidden files alone": folder({".c.csv": GOOD, ".d/d.csv": GOOD}),
    "a file without rows among others": folder({"a.csv": GOOD, "b.jsonl": ""}),
    "a file of other columns": folder({"a.csv": GOOD, "b.csv": "text,stars\na,1\n"}),
    "wrong rows in two files": folder({"a.csv": f"{HEAD}a\n", "b/b.txt": "a\t0\nb\n"}),
    "an id in two files": folder(
        {"a.csv": "n,text,label\n7,a,0\n", "b.jsonl": '{"n": 7, "text": "b", "label": 1}\n'}, id="n"
    ),
    "a name that is not UTF-8": folder({"a\udcff.csv": GOOD}),
    "some files of splits": folder({"dev.csv": GOOD, "more.csv": GOOD, "train.csv": GOOD}),
    "no file of a split": folder({"a.csv": GOOD}, files="{train: a.csv, test: b.csv}"),
    "a file of two splits": folder({"a.csv": GOOD, "b.csv": GOOD}, files='{train: "*.csv", test: a.csv}'),
    "one file for all splits": csv(GOOD, files="{train: c.csv}"),
    "a split whose rows are all dropped": folder({"train.csv": GOOD, "test.csv": HEAD + "c,\n"}, missing="drop"),
    "label and text one column": ({"own.csv": GOOD}, "own.csv", {"label": "text"}),
}
SPLIT_COLUMNS = {
    "no such column": csv(GOOD, split="fold"),
    "other words": csv("text,label,fold\na,0,train\nb,1,eval\nc,1,Test\nd,1,0\n", split="fold"),
    "no word": csv("text,label,fold\na,0,train\nb,1,\n", split="fold"),
}
SEVERAL_LABELS = {
    f"with {separator!r}": alone("c.tsv", f"text\tlabel\na\tx\nb\ty\nc\tx{separator}y\nd\tz\ne\ty{separator}z\n")
    for separator in (";", " | ")
}
GROUPS = {
    "headers": HEADERS,
    "lines": LINES,
    "values": VALUES,
    "bytes": BYTES,
    "JSON Lines": JSON_LINES,
    "JSON": JSON_ARRAYS,
    "Excel": EXCEL,
    "SQLite": SQLITE,
    "Arrow": ARROW,
    "folders": FOLDERS,
    "contents": CONTENTS,
    "Parquet": PARQUET,
    "compressed": COMPRESSED,
    "files": FILES,
    "splits": SPLIT_COLUMNS,
    "several labels": SEVERAL_LABELS,
}
CASES = {f"{group}: {name}": case for group, cases in GROUPS.items() for name, case in cases.items()}
STAGE_CASES = (  # one of each kind of error that the stage has to pass on
    "lines: many wrong rows",
    "compressed: gz cut off",
    "files: a name that is not UTF-8",
    "files: label and text one column",
)


def write_files(folder: Path, files: Mapping[str, bytes | str]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)


def test_each_table_is_refused_with_the_approved_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [
        "# The lines that refuse each table of tests/contract/test_broken_tables.py, which writes them with APPROVE=1."
    ]
    for number, (name, (files, path, settings)) in enumerate(CASES.items()):
        (place := tmp_path / str(number)).mkdir()
        monkeypatch.chdir(place)
        write_files(place, files)
        section = "".join(f"  {key}: {value}\n" for key, value in {"path": path, **settings}.items())
        Path("params.yaml").write_text(f"data:\n{section}", encoding="utf-8")
        with pytest.raises(UserError) as error:
            corpus.read(Path(path), load_section("data", Data))
        said += [name, *(f"> {line}" for line in error.value.lines)]
    approved.check("\n".join(said) + "\n", APPROVED)


@pytest.mark.parametrize("name", STAGE_CASES)
def test_split_reports_the_error_and_changes_no_output(name: str, refuses: Callable[..., None], project: Path) -> None:
    files, path, settings = CASES[name]
    write_files(project, files)
    chosen = [word for key, value in {"path": path, **settings}.items() for word in (f"data.{key}", value)]
    params = project / "params.yaml"
    params.write_text(put(*chosen, text=params.read_text(encoding="utf-8")), encoding="utf-8")
    _, _, after = APPROVED.read_text(encoding="utf-8").partition(f"{name}\n")
    lines = itertools.takewhile(lambda line: line.startswith("> "), after.splitlines())
    refuses("split", *(f"error: split: {line[2:]}" for line in lines))
