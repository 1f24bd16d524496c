"""The errors of tables that break a rule, line by line."""

import datetime as dt
import functools
import gzip
import io
import struct
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.settings import put
from tests.unit.tables.tables import arrow, excel, sqlite
from textclf.core.errors import UserError
from textclf.core.settings import load_section
from textclf.tables import corpus, formats
from textclf.tables.settings import Data

Case = tuple[Mapping[str, bytes | str], str, dict[str, str], tuple[str, ...]]  # files, data.path, settings, lines

HEAD = "text,label\n"
GOOD = HEAD + "a,0\nb,1\n"
OBJECT = '{"text": "a", "label": 0}\n'

NO_MARK = "UTF-16 stream does not start with BOM"
if sys.version_info >= (3, 13):
    NO_MARK = "got byte 0x74 (Stream does not start with BOM)"
DROP = "fill it in, or set data.missing to drop"
QUOTES = "quotes must be closed, and doubled inside quotes"
UNQUOTE = "if quotes are text here, set data.quoting to false"
FIELDS = "must have 2 fields, as the header has"
QUOTE = "put quotes around a field that contains the delimiter or a line end"
DELIMITER = "if another character separates the columns, set data.delimiter"
NO_HEADER = "if line 1 is no header, put one above it"
IS_ARRAY = "if the file is one array, set data.format to json"
IS_JSON = "if this is JSON, set data.format to jsonl or json"
CR = (
    "must contain no lone CR outside quotes; put quotes around the text that contains it, "
    "or save the file with LF or CRLF line ends"
)
ADD = "correct it, or add it there, in quotes if it looks like a number or a boolean"
JSON = "must be a JSON object on a line of its own"
SENTENCE = "must be a sentence, a tab and a label"
LABEL = "label must be text, an integer or a boolean"
ONE_LABEL = "set data.task to multilabel, and data.label_separator unless they are lists"
SPLITS = "train, validation or test (or training, valid, val, dev, testing)"
ANEW = "set data.split to null to split the rows of all files anew"
ENDING = (
    f"must end in {', '.join(formats.ENDINGS)}, optionally followed by .gz or .zst; "
    "set its data.format, or match other files by data.files"
)
ZIP = "a zip archive, as an Excel workbook is"
UNREAD = "must be in a format that textclf reads"
LIST = pa.list_(pa.field("element", pa.string()))  # as Parquet calls the field
NO_PARQUET = "Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file"


def alone(name: str, content: bytes | str, /, *lines: str, **settings: str) -> Case:
    """Return the case of a single file; each line begins with its path. The settings of section `data` are YAML."""
    return {f"own/{name}": content}, f"own/{name}", settings, tuple(f"own/{name}{line}" for line in lines)


csv, json, jsonl = (functools.partial(alone, f"c.{ending}") for ending in ("csv", "json", "jsonl"))


def folder(files: Mapping[str, bytes | str], /, *lines: str, **settings: str) -> Case:
    """Return the case of the folder `own` with these files; the lines are complete."""
    return {f"own/{name}": content for name, content in files.items()}, "own", settings, lines


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


def columns(*settings: str, there: str, wanted: Mapping[str, str] = {}, hint: str = "") -> tuple[str, ...]:
    """Return the lines about settings that name missing columns."""
    return tuple(
        f": data.{name} must be one of its columns ({there}); got {wanted.get(name, name)!r}{hint}" for name in settings
    )


HEADERS = {
    "empty file": csv("", " must have a header and rows; got an empty file"),
    "nothing but a byte order mark": csv("\ufeff", " must have a header and rows; got an empty file"),
    "header without rows": csv(HEAD, " must have rows; got none"),
    "blank first line": csv(f"\n{GOOD}", ":1: must be a header; got a blank line; remove it"),
    "no header": csv("a,0\nb,1\n", *columns("text", "label", there="a, 0", hint=f"; {NO_HEADER}")),
    "JSON called csv": csv(
        '[{"text": "a", "label": 0}]',
        *columns("text", "label", there="""[{"text": "a", ' "label": 0}]'""", hint=f"; {IS_JSON}"),
    ),
    "semicolons and quotes": csv(
        '"text";"label"\n"a";"0"\n', f":1: {QUOTES}; got text after a closing quote in line 1; {DELIMITER}"
    ),
    "tabs in CSV": csv(
        "text\tlabel\na\t0\n", *columns("text", "label", there=r"'text\tlabel'", hint="; set data.format to tsv")
    ),
    "another column with semicolons": csv(
        "text;stars\na;0\n", *columns("text", "label", there="text;stars", hint=f"; {DELIMITER}")
    ),
    "names in other case": csv("Text,Label\na,0\n", *columns("text", "label", there="Text, Label")),
    "space in a name": csv(
        "text, label\na, 0\n", *columns("label", there="text, ' label'", hint="; write ' label', with its spaces")
    ),
    "names that would break the line": csv(
        'text,"c\nd",\x1b[31m,"a,b",' + "x" * 99 + "\n",
        *columns("label", there=rf"text, 'c\nd', '\x1b[31m', 'a,b', '{'x' * 39}…'"),
    ),
    "many columns": csv(
        "text," + ",".join(f"c{number}" for number in range(99)) + "\n",
        *columns("label", there="text, " + ", ".join(f"c{number}" for number in range(11)) + ", …"),
    ),
    "a name twice": csv(
        "text,label,text\na,0,b\n",
        ": data.text must be one of its columns (text, label, text); got 2 columns named 'text'",
    ),
    "semicolons": csv(
        "text;label\na;0\n", *columns("text", "label", there="text;label", hint="; set data.delimiter to ';'")
    ),
    "commas in TSV": alone(
        "c.tsv", GOOD, *columns("text", "label", there="'text,label'", hint="; set data.delimiter to ','")
    ),
    "names of another table": csv(
        GOOD,
        *columns(
            *("text", "label", "id", "group"),
            there="text, label",
            wanted={"text": "review", "label": "the stars", "id": "n", "group": "who"},
        ),
        text="review",
        label="the stars",
        id="n",
        group="who",
    ),
}
LINES = {
    "too few fields": csv(f"{HEAD}a\nb,1\n", f":2: {FIELDS}; got 1; {QUOTE}"),
    "too many fields": csv(f"{HEAD}a, or b,0\nb,1\n", f":2: {FIELDS}; got 3; {QUOTE}"),
    "quotes in TSV": alone(
        "c.tsv",
        'text\tlabel\n"a\tb"\t0\n',
        f":2: {FIELDS}; got 3; if there are quotes around fields, set data.quoting to true",
    ),
    "open quote": csv(f'{HEAD}a,0\n"b,1\nc,0\n', f":3: {QUOTES}; got the end of the file inside quotes; {UNQUOTE}"),
    "quote inside quotes": csv(
        f'{HEAD}a,0\n"b\n\n"c",1\n', f":3: {QUOTES}; got text after a closing quote in line 5; {UNQUOTE}"
    ),
    "lone CR": csv(f"{HEAD}a\rb,0\n", f":2: {CR}"),
    "rows behind a quoted line end": csv(f'{HEAD}"a\nb\nc",0\nd\n', f":5: {FIELDS}; got 1; {QUOTE}"),
    "five wrong rows": csv(HEAD + "a\n" * 5, *(f":{number}: {FIELDS}; got 1; {QUOTE}" for number in range(2, 7))),
    "many wrong rows": csv(
        HEAD + "a,0\n" * 100 + "a\n" * 900,
        *(f":{number}: {FIELDS}; got 1; {QUOTE}" for number in range(102, 107)),
        ": 900 of 1000 rows are wrong, 5 shown",
    ),
    "CSV called txt": alone(
        "c.txt",
        GOOD,
        *(
            f":{number}: {SENTENCE}; got '{line}' without a tab"
            for number, line in ((1, "text,label"), (2, "a,0"), (3, "b,1"))
        ),
    ),
    "txt and another column": alone(
        "c.txt", "a\t0\n", *columns("text", there="text, label", wanted={"text": "review"}), text="review"
    ),
    "txt with CR CR LF": alone(
        "c.txt", "a\t0\r\r\nb\t1\n", r":1: label must not contain control characters; got '0\r'"
    ),
}
VALUES = {
    "blank line": csv(f"{HEAD}a,0\n\nb,1\n", f":3: text must not be empty; got nothing in column text; {DROP}"),
    "no text": csv(f"{HEAD},0\nb,1\n", f":2: text must not be empty; got '' in column text; {DROP}"),
    "text of spaces": alone(
        "c.tsv",
        "review\tlabel\n\u3000 \t0\nb\t1\n",
        rf":2: text must not be empty; got '\u3000 ' in column review; {DROP}",
        text="review",
    ),
    "no label": csv(f"{HEAD}a,\nb,1\n", f":2: label must not be empty; got '' in column label; {DROP}"),
    "label of a space": csv(f"{HEAD}a, \nb,1\n", f":2: label must not be empty; got ' ' in column label; {DROP}"),
    "label of two lines": csv(f'{HEAD}a,"0\n1"\nb,1\n', r":2: label must not contain control characters; got '0\n1'"),
    "label with U+0085": csv(f"{HEAD}a,0\x85\nb,1\n", r":2: label must not contain control characters; got '0\x85'"),
    "NUL in a text": csv(f"{HEAD}a\0b,0\nb,1\n", ":2: text must not contain NUL; got one at offset 1"),
    "one class": csv(f"{HEAD}a,0\nb,0\n", " must have rows of at least two classes; got only '0'"),
    "label not in data.classes": csv(
        f"{HEAD}a,neg\nb,postive\nc,pos\n",
        f":3: label must be one of data.classes (neg, pos); got 'postive'; {ADD}",
        classes="[neg, pos]",
    ),
    "data.classes without quotes": csv(
        f"{HEAD}a,True\nb,01\nc,1\n",
        f":2: label must be one of data.classes (true, 1); got 'True'; {ADD}",
        f":3: label must be one of data.classes (true, 1); got '01'; {ADD}",
        classes="[True, 01]",
    ),
    "a class of data.classes without rows": csv(
        f"{HEAD}a,neg\nb,pos\n",
        ": every class of data.classes (neg, neutral, pos) must have a row; got none of 'neutral'; leave it out",
        classes="[neg, neutral, pos]",
    ),
    "all rows dropped": csv(f"{HEAD},0\nb,\n\n", " must have rows; got none with text and label", missing="drop"),
    "a class dropped": csv(f"{HEAD}a,0\n,1\n", " must have rows of at least two classes; got only '0'", missing="drop"),
    "wrong row where others are dropped": csv(f"{HEAD}a,0\nb\n,1\n", f":3: {FIELDS}; got 1; {QUOTE}", missing="drop"),
    "id twice": csv("n,text,label\n7,a,0\n8,b,1\n7,c,0\n", ":4: n must be unique; got '7', as in own/c.csv:2", id="n"),
    "no id": csv(
        "n,text,label\n ,a,0\n8,b,1\n", ":2: n must not be empty; got ' '; fill it in, or set data.id to null", id="n"
    ),
    "no group": csv(
        "the author,text,label\n,a,0\n8,b,1\n",
        ":2: the author must not be empty; got ''; fill it in, or set data.group to null",
        group="the author",
    ),
    "id of two lines": csv(
        'n,text,label\n"a\nb",a,0\n8,b,1\n', r":2: n must not contain control characters; got 'a\nb'", id="n"
    ),
}
BYTES = {
    "cp1252": csv(
        f"{HEAD}café,0\n".encode("cp1252"), ":2: must be utf-8; got byte 0xe9 at offset 3; set data.encoding"
    ),
    "cp1252 in the header": csv(
        "libellé,texte\n".encode("cp1252"), ":1: must be utf-8; got byte 0xe9 at offset 6; set data.encoding"
    ),
    "a byte that is none of cp1252": csv(
        b"text,label\na\x81,0\n", ":2: must be cp1252; got byte 0x81 at offset 1; set data.encoding", encoding="cp1252"
    ),
    "surrogate in UTF-8": alone(
        "c.txt", b"a\t1\n\xed\xa0\x80\t0\n", ":2: must be utf-8; got byte 0xed at offset 0; set data.encoding"
    ),
    "surrogate in UTF-7": csv(
        f"{HEAD}+2AA-,0\n",
        ":2: must be utf-7; got half a surrogate pair at offset 0; set data.encoding",
        encoding="utf-7",
    ),
    "UTF-16 without a mark": csv(GOOD.encode("utf-16-le"), ":1: must be utf-8; got NUL; set data.encoding"),
    "UTF-16 whose mark is missing": csv(
        GOOD.encode("utf-16-le"), f" must be utf-16; {NO_MARK}; set data.encoding", encoding="utf-16"
    ),
    "UTF-16 cut off": csv(
        GOOD.encode("utf-16")[:-1],
        " must be utf-16; got byte 0x0a (truncated data); set data.encoding",
        encoding="utf-16",
    ),
}
JSON_LINES = {
    "empty file": jsonl("", " must have rows; got none"),
    "a list over lines": jsonl(
        '[{"text": "a", "label": 0},\n{"text": "b", "label": 1}]\n',
        f""":1: {JSON}; Expecting value in '[{{"text": "a", "label": 0}},'; {IS_ARRAY}""",
        f""":2: {JSON}; Extra data in '{{"text": "b", "label": 1}}]'""",
    ),
    "a list": jsonl(f"[{OBJECT.strip()}]\n", f":1: {JSON}; got a list; {IS_ARRAY}"),
    "Python for JSON": jsonl(
        OBJECT + "{'text': 'a'}\n",
        f""":2: {JSON}; Expecting property name enclosed in double quotes in "{{'text': 'a'}}\"""",
    ),
    "no objects": jsonl(
        OBJECT + '"b"\n1\nnull\n', f":2: {JSON}; got 'b'", f":3: {JSON}; got 1", f":4: {JSON}; got nothing"
    ),
    "a key twice": jsonl(
        OBJECT + '{"text": "b", "label": 0, "label": 1}\n',
        f""":2: {JSON}; duplicate key 'label' in '{{"text": "b", "label": 0, "label": 1}}'""",
    ),
    "a number of 5,000 digits": jsonl(
        OBJECT + '{"n": ' + "9" * 5000 + "}\n",
        f":2: {JSON}; Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits in "
        f"""'{{"n": {"9" * 33}…'""",
    ),
    "50,000 brackets": jsonl(OBJECT + "[" * 50_000, f":2: {JSON}; too deep in '{'[' * 39}…'"),
    "text of other types": jsonl(
        OBJECT + "".join(f'{{"text": {text}, "label": 1}}\n' for text in ("5", "true", '["b"]', '{"raw": "c"}')),
        ":2: text must be text; got 5",
        ":3: text must be text; got True",
        ":4: text must be text; got a list",
        ":5: text must be text; got an object",
    ),
    "labels of other types": jsonl(
        OBJECT + "".join(f'{{"text": "b", "label": {label}}}\n' for label in ("1.0", "NaN", "-1e999", "{}")),
        f":2: {LABEL}; got 1.0",
        f":3: {LABEL}; got nan",
        f":4: {LABEL}; got -inf",
        f":5: {LABEL}; got an object",
    ),
    "a list of labels": jsonl(
        OBJECT + '{"text": "b", "label": ["x", "y"]}\n' * 9, f":2: label must hold one label; got a list; {ONE_LABEL}"
    ),
    "blank line and empty object": jsonl(
        OBJECT + "\n{}\n",
        f":2: text must not be empty; got nothing in column text; {DROP}",
        f":3: text must not be empty; got nothing in column text; {DROP}",
    ),
    "other keys in every row": jsonl(
        '{"review": "a", "stars": 1}\n{"review": "b", "user": 2}\n',
        *columns("text", "label", there="review, stars, user"),
    ),
    "half an emoji": jsonl(
        OBJECT + '{"text": "b\\ud83d", "label": 1}\n',
        ":2: text must be Unicode text; got half a surrogate pair at offset 1",
    ),
    "not UTF-8": jsonl(
        OBJECT.encode() + b'{"text": "caf\xe9", "label": 1}\n',
        ":2: must be utf-8; got byte 0xe9 at offset 13; set data.encoding",
    ),
    "source in later rows alone": jsonl(
        '{"text": "a"}\n{"text": "b", "source": "x"}\n',
        ":2: source must be a key of the first row too, or of no row; add it there",
        label="source",
    ),
}
ARRAY = "must be a JSON array of objects"
BY_LINE = "if each line is an object, set data.format to jsonl"
RECORDS = "pandas writes one by to_json(orient='records')"
JSON_ARRAYS = {
    "empty file": json("", f":1: {ARRAY}; Expecting value in ''"),
    "no rows": json("[]", " must have rows; got none"),
    "JSON Lines called json": json(OBJECT * 2, f":2: {ARRAY}; got more after its end; {BY_LINE}"),
    "columns": json(
        '{"text": {"0": "a"}, "label": {"0": 1}}',
        f" {ARRAY}; got one object with the keys text, label; {RECORDS}; {BY_LINE}",
    ),
    "cut off": json('[\n{"text": "a",\n "lab', f""":3: {ARRAY}; Unterminated string in '"lab'"""),
    "a key twice": json('[{"text": "a", "text": "b"}]', f" {ARRAY}; duplicate key 'text'"),
    "50,000 brackets": json("[" * 50_000, f" {ARRAY}; too deep"),
    "not UTF-8": json(b'["caf\xe9"]', ": must be utf-8; got byte 0xe9 at offset 5; set data.encoding"),
    "other columns": json('[{"a": 1}, {"b": 2}]', *columns("text", "label", there="a, b")),
    "wrong elements": json(
        f'[{OBJECT}, 7, [], {{"text": 5, "label": 1}}, {{"text": "b"}}]',
        ":2: must be an object of the array; got 7",
        ":3: must be an object of the array; got a list",
        ":4: text must be text; got 5",
        f":5: label must not be empty; got nothing in column label; {DROP}",
    ),
}
WORKBOOK = "must be a whole Excel (.xlsx) file"
EXCEL = {
    "CSV called xlsx": alone("c.xlsx", GOOD, f" {WORKBOOK}; File is not a zip file; copy it again"),
    "another zip archive": alone(
        "c.xlsx",
        zipped("a.txt"),
        f""" {WORKBOOK}; "There is no item named '[Content_Types].xml' in the archive"; copy it again""",
    ),
    "an empty sheet": alone("c.xlsx", excel(), " must have a header and rows; got an empty sheet"),
    "header without rows": alone("c.xlsx", excel(("text", "label"), (None, None)), " must have rows; got none"),
    "no header": alone(
        "c.xlsx",
        excel(("a", 0), ("b", 1)),
        *columns("text", "label", there="a, 0", hint="; if row 1 is no header, put one above it"),
    ),
    "another sheet": alone(
        "c.xlsx",
        excel(("text", "label"), Old=[("text", "label")]),
        ": data.sheet must be one of its sheets (Sheet, Old); got 'New'",
        sheet="New",
    ),
    "values of other types": alone(
        "c.xlsx",
        excel(("text", "label"), (5, 1), ("b", 1.5), ("c", dt.date(2020, 1, 1)), ("d", "=1/0"), ("#N/A", 1)),
        ":2: text must be text; got 5",
        f":3: {LABEL}; got 1.5",
        f":4: {LABEL}; got datetime.datetime(2020, 1, 1, 0, 0)",
        f":5: label must not be empty; got '' in column label; {DROP}",
        ":6: text must be a value; got the error #N/A of a formula; correct it",
    ),
    "an empty row among others": alone(
        "c.xlsx",
        excel(("text", "label"), ("a", 0), (), ("b", 1)),
        f":3: text must not be empty; got nothing in column text; {DROP}",
    ),
}
TABLES = "data.query must be a SELECT on its tables (rows)"
CHECKPOINT = "close the program that writes them, or run PRAGMA wal_checkpoint(TRUNCATE)"
SQLITE = {
    "empty file": alone(
        "c.db",
        b"",
        ": data.query must be a SELECT on its tables (none); no such table: rows",
        query="SELECT * FROM rows",
    ),
    "CSV called db": alone(
        "c.db", GOOD, " must be a whole SQLite file; file is not a database; copy it again", query="SELECT 1"
    ),
    "no query": alone(
        "c.db",
        sqlite([], statements="CREATE TABLE others (text)"),
        ": data.query must be a SELECT on its tables (others, rows); got nothing",
    ),
    "another table": alone("c.db", sqlite([]), f": {TABLES}; no such table: row", query="SELECT * FROM row"),
    "a statement that writes": alone(
        "c.db",
        sqlite([]),
        f": {TABLES}; attempt to write a readonly database",
        query="DELETE FROM rows RETURNING text, label",
    ),
    "a statement without rows": alone("c.db", sqlite([]), f": {TABLES}; got 'BEGIN'", query="BEGIN"),
    "two statements": alone(
        "c.db",
        sqlite([]),
        f": {TABLES}; You can only execute one statement at a time",
        query="SELECT * FROM rows; DROP TABLE rows",
    ),
    "no rows": alone("c.db", sqlite([]), " must have rows; got none", query="SELECT * FROM rows"),
    "other columns": alone("c.db", sqlite([]), *columns("label", there="text"), query="SELECT text FROM rows"),
    "values of other types": alone(
        "c.db",
        sqlite([(5, "0"), (b"a", "0"), (None, "0"), ("a", 1.5)]),
        ":1: text must be text; got 5",
        ":2: text must be text; got b'a'",
        f":3: text must not be empty; got nothing in column text; {DROP}",
        f":4: {LABEL}; got 1.5",
        query="SELECT * FROM rows",
    ),
    "not UTF-8": alone(
        "c.db",
        sqlite([], statements="INSERT INTO rows VALUES (CAST(x'ff' AS TEXT), 0)"),
        " must contain text in UTF-8; got byte 0xff",
        query="SELECT * FROM rows",
    ),
    "changes in a file beside it": (
        {"own/c.db": sqlite([]), "own/c.db-wal": b"changes"},
        "own/c.db",
        {"query": "SELECT * FROM rows"},
        (f"own/c.db must contain all changes; got some in c.db-wal; {CHECKPOINT}",),
    ),
}
BAD_OFFSETS = pa.Array.from_buffers(
    pa.string(), 2, [None, pa.py_buffer(struct.pack("<3i", 0, 10**6, 2)), pa.py_buffer(b"ab")]
)
ARROW = {
    "cut off at a batch": alone(
        "c.arrow",
        arrow({"text": ["a", "b"], "label": [0, 1]})[:-8],
        " must be a whole Arrow file; its end is missing; copy it again",
    ),
    "other columns": alone("c.arrow", arrow({"review": ["a"]}), *columns("text", "label", there="review")),
    "text of numbers": alone("c.arrow", arrow({"text": [1], "label": [0]}), ": column text must hold text; got int64"),
    "offsets out of bounds": alone(
        "c.arrow",
        arrow({"text": BAD_OFFSETS, "label": [0, 1]}),
        " must be a whole Arrow file; In column 0: Invalid: Offset invariant failure: offset for slot 1 out of bounds: "
        "1000000 > 2; copy it again",
    ),
    "the state of a saved dataset": folder(
        {"data-0.arrow": b"", "state.json": "{}"},
        "own/state.json must list the files of a saved dataset; save it again",
    ),
}
FOLDERS = {
    "a text outside the folders": folder(
        {"1.txt": "a", "pos/2.txt": "b"},
        "own/1.txt must be in a folder named for its class, in the folder that data.path names; got none",
        format="folders",
    ),
    "a single file": (
        {"own/pos/1.txt": "a"},
        "own/pos/1.txt",
        {"format": "folders"},
        ("own/pos/1.txt must be in a folder named for its class, in the folder that data.path names; got none",),
    ),
    "one folder": folder(
        {"pos/1.txt": "a", "pos/2.txt": "b"}, "own must have rows of at least two classes; got only 'pos'"
    ),
    "an empty file": folder(
        {"neg/1.txt": "a", "pos/2.txt": ""}, f"own/pos/2.txt: text must not be empty; got '' in column text; {DROP}"
    ),
    "not UTF-8": folder(
        {"neg/1.txt": "a", "pos/2.txt": b"b\ncaf\xe9"},
        "own/pos/2.txt: must be utf-8; got byte 0xe9 at offset 5; set data.encoding",
    ),
    "a picture": folder(
        {"neg/1.txt": "a", "pos/2.txt": gz("b")},
        "own/pos/2.txt must be a text; got a gzip file; let its name end in .gz as well",
    ),
}
OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
CONTENTS = {
    name: alone(file, content, f" must be {kind}; got {got}")
    for name, file, content, kind, got in (
        ("Excel called csv", "c.csv", excel(), "csv", f"{ZIP}; rename it, or set data.format to excel"),
        ("Parquet called csv", "c.csv", parquet(), "csv", "Parquet; rename it, or set data.format to parquet"),
        ("Arrow called csv", "c.csv", arrow({"a": [1]}), "csv", "Arrow; rename it, or set data.format to arrow"),
        (
            "Feather called parquet",
            "c.parquet",
            arrow({"a": [1]}, file=True),
            "parquet",
            "Arrow; rename it, or set data.format to arrow",
        ),
        (
            "SQLite called csv",
            "c.csv",
            sqlite([]),
            "csv",
            "an SQLite database; rename it, or set data.format to sqlite",
        ),
        ("gzip called csv", "c.csv", gz(GOOD), "csv", "a gzip file; let its name end in .gz as well"),
        ("zstd called jsonl", "c.jsonl", zst(b"a"), "jsonl", "a zstd file; let its name end in .zst as well"),
        ("gzip twice", "c.csv.gz", gzip.compress(gz(GOOD)), "csv", "a gzip file; let its name end in .gz as well"),
        (
            "Excel with a password",
            "c.xlsx",
            OLD_EXCEL,
            "excel",
            "an old Excel workbook or one with a password; save it as .xlsx without a password",
        ),
    )
}
PARQUET = {
    "cut off": alone("c.parquet", parquet()[:-9], f" must be a whole Parquet file; {NO_PARQUET}; copy it again"),
    "no rows": alone("c.parquet", parquet(pa.nulls(0), pa.nulls(0)), " must have rows; got none"),
    "other columns": alone(
        "c.parquet",
        written(pa.table({"review": ["a"], "stars": [1]})),
        *columns("text", "label", there="review, stars"),
    ),
    **{
        f"text of type {column.type}": alone(
            "c.parquet", parquet(column, [0]), f": column text must hold text; got {column.type}"
        )
        for column in (pa.array([b"a"]), pa.array([1]), pa.array([["a"]], LIST), pa.array([b"a"]).dictionary_encode())
    },
    **{
        f"label of type {column.type}": alone(
            "c.parquet",
            parquet(["a"], column),
            f": column label must hold text, integers or booleans; got {column.type}",
        )
        for column in (pa.array([1.0]), pa.array([dt.date(2020, 1, 1)]))
    },
    "labels in lists": alone(
        "c.parquet",
        parquet(["a"], pa.array([["a"]], LIST)),
        f":1: label must hold one label; got a list; {ONE_LABEL}",
    ),
    "ids of floats": alone(
        "c.parquet", parquet(n=[1.0, 2.0]), ": column n must hold text, integers or booleans; got double", id="n"
    ),
    "null for a text": alone(
        "c.parquet", parquet(["a", None]), f":2: text must not be empty; got nothing in column text; {DROP}"
    ),
    "nothing but nulls": alone(
        "c.parquet",
        parquet(label=pa.nulls(2)),
        f":1: label must not be empty; got nothing in column label; {DROP}",
        f":2: label must not be empty; got nothing in column label; {DROP}",
    ),
    "not UTF-8": alone(
        "c.parquet", parquet(pa.array([b"a", b"\xff"]).view(pa.string())), " must contain text in UTF-8; got byte 0xff"
    ),
}
COMPRESSED = {
    "CSV called gz": alone("c.csv.gz", GOOD, " must be a whole gzip file; Not a gzipped file (b'te'); copy it again"),
    "gz cut off": alone(
        "c.csv.gz",
        gz(GOOD)[:-9],
        " must be a whole gzip file; Compressed file ended before the end-of-stream marker was reached; copy it again",
    ),
    "gz with a wrong checksum": alone(
        "c.csv.gz",
        gz(GOOD)[:-8] + b"\0" * 8,
        " must be a whole gzip file; CRC check failed 0x0 != 0x1e681c36; copy it again",
    ),
    "gz with a tail": alone(
        "c.csv.gz", gz(GOOD) + b"tail", " must be a whole gzip file; Not a gzipped file (b'ta'); copy it again"
    ),
    "empty gz": alone("c.csv.gz", b"", " must have a header and rows; got an empty file"),
    "gz of no Parquet": alone("c.parquet.gz", gz(GOOD), f" must be a whole Parquet file; {NO_PARQUET}; copy it again"),
    "CSV called zst": alone(
        "c.csv.zst", GOOD, " must be a whole zstd file; ZSTD decompress failed: Unknown frame descriptor; copy it again"
    ),
    "zst cut off": alone(
        "c.csv.zst", zst(GOOD.encode())[:-3], " must be a whole zstd file; Truncated compressed stream; copy it again"
    ),
}
FILES = {
    "nothing there": ({}, "own/c.csv", {}, ("own/c.csv not found; set data.path to a file or folder of texts",)),
    "an old spreadsheet": alone("c.xls", b"", f" {UNREAD}; got .xls; save it as .xlsx or .csv"),
    "an archive": alone("c.csv.zip", b"", f" {UNREAD}; got .zip; unpack it"),
    "another compression": alone("c.csv.bz2", b"", f" {UNREAD}; got .bz2; decompress it"),
    "no ending": alone("csv", GOOD, f" {ENDING}"),
    "a file of another kind": folder({"c.csv": GOOD, "sub/README.md": "# Read me"}, f"own/sub/README.md {ENDING}"),
    "no file of the glob": folder(
        {"c.csv": GOOD, "d.csv": GOOD},
        "own must contain files that match data.files; got none for *.tsv",
        files='"*.tsv"',
    ),
    "hidden files alone": folder(
        {".c.csv": GOOD, ".d/d.csv": GOOD}, "own must contain files that match data.files; got none for **/*"
    ),
    "a file without rows among others": folder({"a.csv": GOOD, "b.jsonl": ""}, "own/b.jsonl must have rows; got none"),
    "a file of other columns": folder(
        {"a.csv": GOOD, "b.csv": "text,stars\na,1\n"},
        "own/b.csv: data.label must be one of its columns (text, stars); got 'label'",
    ),
    "wrong rows in two files": folder(
        {"a.csv": f"{HEAD}a\n", "b/b.txt": "a\t0\nb\n"},
        f"own/a.csv:2: {FIELDS}; got 1; {QUOTE}",
        f"own/b/b.txt:2: {SENTENCE}; got 'b' without a tab",
    ),
    "an id in two files": folder(
        {"a.csv": "n,text,label\n7,a,0\n", "b.jsonl": '{"n": 7, "text": "b", "label": 1}\n'},
        "own/b.jsonl:1: n must be unique; got '7', as in own/a.csv:2",
        id="n",
    ),
    "a name that is not UTF-8": folder(
        {"a\udcff.csv": GOOD}, r"'own/a\udcff.csv' must have a name in UTF-8 without control characters; rename it"
    ),
    "some files of splits": folder(
        {"dev.csv": GOOD, "more.csv": GOOD, "train.csv": GOOD},
        "own: all files or none must name a split; got dev.csv (validation) and more.csv; say which files are which in "
        f"data.files, name a column in data.split, or {ANEW}",
    ),
    "no file of a split": folder(
        {"a.csv": GOOD},
        "own must contain files that match data.files; got none for b.csv",
        files="{train: a.csv, test: b.csv}",
    ),
    "a file of two splits": folder(
        {"a.csv": GOOD, "b.csv": GOOD},
        "own/a.csv must belong to one split; got train and test in data.files",
        files='{train: "*.csv", test: a.csv}',
    ),
    "one file for all splits": csv(
        GOOD, " must be a folder, in which data.files names the files of each split; got a file", files="{train: c.csv}"
    ),
    "a split whose rows are all dropped": folder(
        {"train.csv": GOOD, "test.csv": HEAD + "c,\n"},
        "own: the files of split test must have rows with text and label; got none",
        missing="drop",
    ),
    "label and text one column": (
        {"own.csv": GOOD},
        "own.csv",
        {"label": "text"},
        ("params.yaml: data: label must be another column than text; got text for both",),
    ),
}
SPLIT_COLUMNS = {
    "no such column": csv(GOOD, *columns("split", there="text, label", wanted={"split": "fold"}), split="fold"),
    "other words": csv(
        "text,label,fold\na,0,train\nb,1,eval\nc,1,Test\nd,1,0\n",
        f":3: fold must be {SPLITS}; got 'eval'; correct it",
        f":5: fold must be {SPLITS}; got '0'; correct it",
        split="fold",
    ),
    "no word": csv(
        "text,label,fold\na,0,train\nb,1,\n",
        ":3: fold must not be empty; got ''; fill it in, or set data.split to null",
        split="fold",
    ),
}
SEVERAL_LABELS = {
    f"with {separator!r}": alone(
        "c.tsv",
        f"text\tlabel\na\tx\nb\ty\nc\tx{separator}y\nd\tz\ne\ty{separator}z\n",
        f": label must hold one label; got 'x{separator}y', which combines others (2 of 5 labels do); {ONE_LABEL}; "
        "or list it in data.classes if it is a class of its own",
    )
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
    "headers: no header",
    "splits: other words",
    "lines: many wrong rows",
    "values: id twice",
    "compressed: gz cut off",
    "files: a name that is not UTF-8",
    "files: label and text one column",
)


def write_files(folder: Path, files: Mapping[str, bytes | str]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize("name", CASES)
def test_a_table_that_breaks_a_rule_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, path, settings, lines = CASES[name]
    write_files(tmp_path, files)
    section = "".join(f"  {key}: {value}\n" for key, value in {"path": path, **settings}.items())
    (tmp_path / "params.yaml").write_text(f"data:\n{section}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        corpus.read(Path(path), load_section("data", Data))
    assert error.value.lines == lines


@pytest.mark.parametrize("name", STAGE_CASES)
def test_the_stage_split_reports_the_error_and_changes_no_output(
    name: str, refuses: Callable[..., None], project: Path
) -> None:
    files, path, settings, lines = CASES[name]
    write_files(project, files)
    chosen = [word for key, value in {"path": path, **settings}.items() for word in (f"data.{key}", value)]
    params = project / "params.yaml"
    params.write_text(put(*chosen, text=params.read_text(encoding="utf-8")), encoding="utf-8")
    refuses("split", *(f"error: split: {line}" for line in lines))
