"""Tables that break a rule, and the lines that refuse them; text cases: broken_tables.txt."""

import ast
import datetime as dt
import functools
import io
import itertools
import struct
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from tests import approved
from tests.settings import put
from tests.unit.tables import tables
from tests.unit.tables.tables import arrow, compressed, excel, sqlite
from textclf.core.errors import UserError
from textclf.core.settings import load_section
from textclf.tables import corpus
from textclf.tables.settings import Data

Case = tuple[
    Mapping[str, bytes | str], str, dict[str, str]
]  # files, data.path, settings of section `data` in YAML

APPROVED = Path(__file__).with_name("broken_tables.txt")
HEAD = "text,label\n"
GOOD = HEAD + "a,0\nb,1\n"
OBJECT = '{"text": "a", "label": 0}\n'
LIST = pa.list_(pa.field("element", pa.string()))  # as Parquet calls the field


def alone(name: str, content: bytes | str, /, **settings: str) -> Case:
    """Return the case of a single file."""
    return {f"own/{name}": content}, f"own/{name}", settings


csv, json, jsonl = (functools.partial(alone, f"c.{ending}") for ending in ("csv", "json", "jsonl"))


def parquet(text: object = ("a", "b"), label: object = ("0", "1"), **more: object) -> bytes:
    return tables.parquet({"text": text, "label": label, **more})


def zipped(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "content")
    return stream.getvalue()


GZ, ZST = (compressed(GOOD.encode(), ending) for ending in (".gz", ".zst"))
BAD_OFFSETS = pa.Array.from_buffers(
    pa.string(), 2, [None, pa.py_buffer(struct.pack("<3i", 0, 10**6, 2)), pa.py_buffer(b"ab")]
)
MADE: dict[str, Case] = {  # what is no text, or a long one
    "headers: many columns": csv("text," + ",".join(f"c{number}" for number in range(99)) + "\n"),
    "lines: many wrong rows": csv(HEAD + "a,0\n" * 100 + "a\n" * 900),
    "JSON Lines: a number of 5,000 digits": jsonl(OBJECT + '{"n": ' + "9" * 5000 + "}\n"),
    "JSON Lines: 50,000 brackets": jsonl(OBJECT + "[" * 50000),
    "JSON Lines: a list of labels": jsonl(OBJECT + '{"text": "b", "label": ["x", "y"]}\n' * 9),
    "JSON: 50,000 brackets": json("[" * 50000),
    "Excel: another zip archive": alone("c.xlsx", zipped("a.txt")),
    "Excel: an empty sheet": alone("c.xlsx", excel()),
    "Excel: header without rows": alone("c.xlsx", excel(("text", "label"), (None, None))),
    "Excel: no header": alone("c.xlsx", excel(("a", 0), ("b", 1))),
    "Excel: another sheet": alone(
        "c.xlsx", excel(("text", "label"), Old=[("text", "label")]), sheet="New"
    ),
    "Excel: values of other types": alone(
        "c.xlsx",
        excel(
            ("text", "label"),
            (5, 1),
            ("b", 1.5),
            ("c", dt.date(2020, 1, 1)),
            ("d", None),
            ("#N/A", 1),
        ),
    ),
    "Excel: a formula without a value": alone(
        "c.xlsx", excel(("text", "label"), ("a", 0), ("d", "=1/0"))
    ),
    "Excel: an empty row among others": alone(
        "c.xlsx", excel(("text", "label"), ("a", 0), (), ("b", 1))
    ),
    "SQLite: no query": alone("c.db", sqlite([], statements="CREATE TABLE others (text)")),
    "SQLite: another table": alone("c.db", sqlite([]), query="SELECT * FROM row"),
    "SQLite: a statement that writes": alone(
        "c.db", sqlite([]), query="DELETE FROM rows RETURNING text, label"
    ),
    "SQLite: a statement without rows": alone("c.db", sqlite([]), query="BEGIN"),
    "SQLite: two statements": alone(
        "c.db", sqlite([]), query="SELECT * FROM rows; DROP TABLE rows"
    ),
    "SQLite: no rows": alone("c.db", sqlite([]), query="SELECT * FROM rows"),
    "SQLite: other columns": alone("c.db", sqlite([]), query="SELECT text FROM rows"),
    "SQLite: values of other types": alone(
        "c.db", sqlite([(5, "0"), (b"a", "0"), (None, "0"), ("a", 1.5)]), query="SELECT * FROM rows"
    ),
    "SQLite: not UTF-8": alone(
        "c.db",
        sqlite([], statements="INSERT INTO rows VALUES (CAST(x'ff' AS TEXT), 0)"),
        query="SELECT * FROM rows",
    ),
    "SQLite: changes in a file beside it": (
        {"own/c.db": sqlite([]), "own/c.db-wal": b"changes"},
        "own/c.db",
        {"query": "SELECT * FROM rows"},
    ),
    "Arrow: cut off at a batch": alone(
        "c.arrow", arrow({"text": ["a", "b"], "label": [0, 1]})[:-8]
    ),
    "Arrow: other columns": alone("c.arrow", arrow({"review": ["a"]})),
    "Arrow: text of numbers": alone("c.arrow", arrow({"text": [1], "label": [0]})),
    "Arrow: offsets out of bounds": alone("c.arrow", arrow({"text": BAD_OFFSETS, "label": [0, 1]})),
    "folders: a picture": (
        {"own/neg/1.txt": "a", "own/pos/2.txt": compressed(b"b", ".gz")},
        "own",
        {},
    ),
    "contents: Excel called csv": csv(excel()),
    "contents: Parquet called csv": csv(parquet()),
    "contents: Arrow called csv": csv(arrow({"a": [1]})),
    "contents: Feather called parquet": alone("c.parquet", arrow({"a": [1]}, file=True)),
    "contents: SQLite called csv": csv(sqlite([])),
    "contents: gzip called csv": csv(GZ),
    "contents: zstd called jsonl": jsonl(ZST),
    "contents: gzip twice": alone("c.csv.gz", compressed(GZ, ".gz")),
    "Parquet: cut off": alone("c.parquet", parquet()[:-9]),
    "Parquet: no rows": alone("c.parquet", parquet(pa.nulls(0), pa.nulls(0))),
    "Parquet: other columns": alone("c.parquet", tables.parquet({"review": ["a"], "stars": [1]})),
    **{
        f"Parquet: text of type {column.type}": alone("c.parquet", parquet(column, [0]))
        for column in (
            pa.array([b"a"]),
            pa.array([1]),
            pa.array([["a"]], LIST),
            pa.array([b"a"]).dictionary_encode(),
        )
    },
    **{
        f"Parquet: label of type {column.type}": alone("c.parquet", parquet(["a"], column))
        for column in (pa.array([1.0]), pa.array([dt.date(2020, 1, 1)]))
    },
    "Parquet: labels in lists": alone("c.parquet", parquet(["a"], pa.array([["a", "b"]], LIST))),
    "Parquet: ids of floats": alone("c.parquet", parquet(n=[1.0, 2.0]), id="n"),
    "Parquet: null for a text": alone("c.parquet", parquet(["a", None])),
    "Parquet: nothing but nulls": alone("c.parquet", parquet(label=pa.nulls(2))),
    "Parquet: not UTF-8": alone("c.parquet", parquet(pa.array([b"a", b"\xff"]).view(pa.string()))),
    "compressed: gz cut off": alone("c.csv.gz", GZ[:-9]),
    "compressed: gz with a wrong checksum": alone("c.csv.gz", GZ[:-8] + b"\0" * 8),
    "compressed: gz with a tail": alone("c.csv.gz", GZ + b"tail"),
    "compressed: gz of no Parquet": alone("c.parquet.gz", GZ),
    "compressed: zst cut off": alone("c.csv.zst", ZST[:-3]),
    "files: nothing there": ({}, "own/c.csv", {}),
}
STAGE_CASES = (  # one of each kind of error that the stage has to pass on
    "lines: many wrong rows",
    "compressed: gz cut off",
    "files: a name that is not UTF-8",
    "files: label and text one column",
)


def case_of(line: str) -> Case:
    """Return a case by name or, if it is not `MADE`, by the files and settings after the name."""
    if line in MADE:
        return MADE[line]
    written, *settings = line[line.index("{") :].split(" & ")
    files: dict[str, str] = ast.literal_eval(written)
    path = "own" if len(files) > 1 else f"own/{next(iter(files))}"
    changed = {"path": path} | dict(setting.split(": ", 1) for setting in settings)
    return {f"own/{name}": content for name, content in files.items()}, changed.pop("path"), changed


def write_files(folder: Path, files: Mapping[str, bytes | str]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(
            content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        )


def test_each_table_is_refused_with_the_approved_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def say(line: str) -> Sequence[str]:
        files, path, settings = case_of(line)
        monkeypatch.chdir(place := Path(tempfile.mkdtemp(dir=tmp_path)))
        write_files(place, files)
        section = "".join(
            f"  {key}: {value}\n" for key, value in {"path": path, **settings}.items()
        )
        Path("params.yaml").write_text(f"data:\n{section}", encoding="utf-8")
        with pytest.raises(UserError) as error:
            corpus.read(Path(path), load_section("data", Data))
        return error.value.lines

    approved.check_cases(APPROVED, say)
    assert MADE.keys() <= set(APPROVED.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", STAGE_CASES)
def test_split_reports_the_error_and_changes_no_output(
    name: str, refuses: Callable[..., None], project: Path
) -> None:
    lines = iter(APPROVED.read_text(encoding="utf-8").splitlines())
    files, path, settings = case_of(next(line for line in lines if line.startswith(name)))
    write_files(project, files)
    chosen = [
        word for key, value in {"path": path, **settings}.items() for word in (f"data.{key}", value)
    ]
    params = project / "params.yaml"
    params.write_text(put(*chosen, text=params.read_text(encoding="utf-8")), encoding="utf-8")
    said = itertools.takewhile(lambda line: line.startswith("> "), lines)
    refuses("split", *(f"error: split: {line[2:]}" for line in said))
