"""The formats of tables: for each its name, its endings and its readers. All else that depends on them reads this."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from textclf.tables import delimited, jsonl, lines, parquet
from textclf.tables.layout import Layout, NumberedRow, Rows

RowReader = Callable[[IO[bytes], Path, Layout], Iterator[NumberedRow]]
BlockReader = Callable[[IO[bytes], Path, Layout], Iterator[Rows]]


@dataclass(frozen=True)
class Format:
    """A format: the endings of its files, and readers of rows one by one and, faster, many at a time.

    `labelled` says whether its rows can have labels, so that the pipeline can read it.
    """

    endings: tuple[str, ...]
    read_rows: RowReader
    read_blocks: BlockReader
    labelled: bool = True


def _in_blocks(read_rows: RowReader) -> BlockReader:
    return lambda stream, path, layout: lines.collect_blocks(read_rows(stream, path, layout), layout)


FORMATS = {
    "lines": Format((), lines.read_texts, _in_blocks(lines.read_texts), labelled=False),
    "csv": Format(
        (".csv",),
        partial(delimited.read_rows, dialect=delimited.CSV),
        partial(delimited.read_blocks, dialect=delimited.CSV),
    ),
    "jsonl": Format((".jsonl", ".ndjson"), jsonl.read_rows, jsonl.read_blocks),
    "parquet": Format((".parquet",), parquet.read_rows, parquet.read_blocks),
    "tsv": Format(
        (".tsv",),
        partial(delimited.read_rows, dialect=delimited.TSV),
        partial(delimited.read_blocks, dialect=delimited.TSV),
    ),
    "txt": Format((".txt",), lines.read_sentences, _in_blocks(lines.read_sentences)),
}
TABLE_FORMATS = tuple(name for name, kind in FORMATS.items() if kind.labelled)
ENDINGS = {ending: name for name, kind in FORMATS.items() for ending in kind.endings}
