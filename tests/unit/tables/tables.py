"""Tables in all formats, for the tests of what reads them."""

import csv
import gzip
import io
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from textclf.tables.corpus import Corpus
from textclf.tables.settings import Data

COMPRESSIONS = ("", ".gz", ".zst")
ROWS = [("good", "1"), ("bad, café", "0"), (" fine ", "1")]


QUERY = "SELECT * FROM rows"  # of the SQLite files here; the other formats ignore it


def data(**changed: Any) -> Data:
    return Data.model_validate({"path": "unused", "query": QUERY, **changed})


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


def arrow(
    columns: Mapping[str, object], *, file: bool = False, rows: int | None = None, **options: Any
) -> bytes:
    """Return a table as an Arrow stream, or file, in batches of at most so many rows."""
    stream, table = io.BytesIO(), pa.table(dict(columns))
    with (pa.ipc.new_file if file else pa.ipc.new_stream)(
        stream, table.schema, **options
    ) as writer:
        writer.write_table(table, max_chunksize=rows)
    return stream.getvalue()


def excel(*rows: Sequence[object], **others: Sequence[Sequence[object]]) -> bytes:
    """Return a workbook with these rows in its first sheet, and other sheets by name."""
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for sheet, content in (
        (book.active, rows),
        *((book.create_sheet(name), rows) for name, rows in others.items()),
    ):
        for row in content:
            sheet.append(row)
    book.save(stream)
    return stream.getvalue()


def sqlite(
    rows: Sequence[Sequence[object]], columns: str = "text, label", statements: str = ""
) -> bytes:
    """Return a database with the table `rows`, after these statements."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE rows ({columns})")
        marks = ", ".join("?" * len(columns.split(",")))
        connection.executemany(f"INSERT INTO rows VALUES ({marks})", rows)  # noqa: S608
        connection.executescript(statements)
        connection.commit()
        return connection.serialize()


def delimited(rows: Sequence[Sequence[object]], **dialect: Any) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, **dialect).writerows(rows)
    return stream.getvalue()


def frame_of(read: Corpus) -> pd.DataFrame:
    return pd.DataFrame(read.table.to_pydict())


def pairs(read: Corpus) -> list[tuple[str, str]]:
    return list(zip(frame_of(read)["text"], frame_of(read)["label"], strict=True))


def in_every_format(header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, bytes]:
    """Return a table as files of every format whose columns have names."""
    columns = {
        name: list(values) for name, values in zip(header, zip(*rows, strict=True), strict=True)
    }
    objects = [dict(zip(header, row, strict=True)) for row in rows]
    return {
        "c.arrow": arrow(columns, rows=2),
        "c.feather": arrow(columns, rows=2, file=True),
        "c.csv": delimited([header, *rows]).encode(),
        "c.tsv": delimited([header, *rows], delimiter="\t", lineterminator="\n").encode(),
        "c.jsonl": "".join(json.dumps(row) + "\n" for row in objects).encode(),
        "c.json": json.dumps(objects, indent=2).encode(),
        "c.parquet": parquet(columns),
        "c.db": sqlite(rows, ", ".join(header)),
        "c.xlsx": excel(header, *rows),
    }


SAME = in_every_format(("text", "label"), ROWS) | {  # the same rows in every format
    "c.ndjson": "".join(
        f'{{"label":"{label}","text":"{text}"}}\r\n' for text, label in ROWS
    ).encode(),
    "c.txt": "".join(f"{text}\t{label}\n" for text, label in ROWS).encode(),
}
