"""The formats of tables: for each its name, its endings and its readers. All else that depends on them reads this."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

from textclf.tables import columnar, delimited, excel, folders, json_array, jsonl, lines, sqlite
from textclf.tables.layout import Block, Layout, NumberedRow, Rows
from textclf.tables.limits import in_blocks

RowReader = Callable[[IO[bytes], Path, Layout], Iterator[NumberedRow]]
BlockReader = Callable[[IO[bytes], Path, Layout], Iterator[Rows]]


@dataclass(frozen=True)
class Format:
    """A format: the endings of its files, and readers of rows one by one and, faster, many at a time.

    `labelled` says whether its rows can have labels, so that the pipeline can read it; `by_line` whether a file is
    read line by line, so that rows can be counted by line ends and taken from a stream before its end.
    """

    endings: tuple[str, ...]
    read_rows: RowReader
    read_blocks: BlockReader
    labelled: bool = True
    by_line: bool = True


def _in_blocks(read_rows: RowReader) -> BlockReader:
    return lambda stream, path, layout: lines.collect_blocks(read_rows(stream, path, layout), layout)


def _one_by_one(read_rows: RowReader) -> BlockReader:
    """Return a reader of blocks whose rows may have different keys."""
    return lambda stream, path, layout: in_blocks(read_rows(stream, path, layout), lines.row_size)


def _of_blocks(read_blocks: Callable[[IO[bytes], Path, Layout], Iterator[Block]], *endings: str) -> Format:
    """Return a format whose rows are read from blocks."""

    def read_rows(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
        return chain.from_iterable(block.rows() for block in read_blocks(stream, path, layout))

    return Format(endings, read_rows, read_blocks, by_line=False)


FORMATS = {
    "lines": Format((), lines.read_texts, _in_blocks(lines.read_texts), labelled=False),
    "arrow": _of_blocks(columnar.read_arrow, ".arrow", ".feather"),
    "csv": Format(
        (".csv",),
        partial(delimited.read_rows, dialect=delimited.CSV),
        partial(delimited.read_blocks, dialect=delimited.CSV),
    ),
    "excel": Format((".xlsx",), excel.read_rows, _in_blocks(excel.read_rows), by_line=False),
    folders.FORMAT: Format((), folders.read_rows, _in_blocks(folders.read_rows), by_line=False),
    "json": Format((".json",), json_array.read_rows, _one_by_one(json_array.read_rows), by_line=False),
    "jsonl": Format((".jsonl", ".ndjson"), jsonl.read_rows, jsonl.read_blocks),
    "parquet": _of_blocks(columnar.read_parquet, ".parquet"),
    "sqlite": _of_blocks(sqlite.read_blocks, ".db", ".sqlite", ".sqlite3"),
    "tsv": Format(
        (".tsv",),
        partial(delimited.read_rows, dialect=delimited.TSV),
        partial(delimited.read_blocks, dialect=delimited.TSV),
    ),
    "txt": Format((".txt",), lines.read_sentences, _in_blocks(lines.read_sentences)),
}
TABLE_FORMATS = tuple(name for name, kind in FORMATS.items() if kind.labelled)
ENDINGS = {ending: name for name, kind in FORMATS.items() for ending in kind.endings}
