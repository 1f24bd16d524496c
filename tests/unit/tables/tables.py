"""Tables in all formats, for the tests of what reads them."""

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from textclf.tables.corpus import Corpus
from textclf.tables.settings import Data

COMPRESSIONS = ("", ".gz", ".zst")
ROWS = [("good", "1"), ("bad, café", "0"), (" fine ", "1")]


def data(**changed: Any) -> Data:
    return Data.model_validate({"path": "unused", **changed})


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


SAME = {  # the same rows in every format
    "c.csv": delimited([("text", "label"), *ROWS]).encode(),
    "c.tsv": delimited([("text", "label"), *ROWS], delimiter="\t", lineterminator="\n").encode(),
    "c.jsonl": "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in ROWS).encode(),
    "c.ndjson": "".join(f'{{"label":"{label}","text":"{text}"}}\r\n' for text, label in ROWS).encode(),
    "c.parquet": parquet({"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]}),
    "c.txt": "".join(f"{text}\t{label}\n" for text, label in ROWS).encode(),
}
