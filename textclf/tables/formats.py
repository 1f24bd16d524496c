"""The formats of tables: for each its name, its endings and its readers. All else that depends on them reads this."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

from textclf.tables import excel, folders, json_array, jsonl, lines, sqlite
from textclf.tables.delimited import CSV, TSV
from textclf.tables.layout import Block, Layout, NumberedRow, Rows

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


def _of_rows(read_rows: RowReader, *endings: str, labelled: bool = True, by_line: bool = False) -> Format:
    """Return a format whose blocks are collected from rows."""

    def read_blocks(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Rows]:
        return lines.collect_blocks(read_rows(stream, path, layout), layout)

    return Format(endings, read_rows, read_blocks, labelled, by_line)


def _of_blocks(read_blocks: Callable[[IO[bytes], Path, Layout], Iterator[Block]], *endings: str) -> Format:
    """Return a format whose rows are read from blocks."""

    def read_rows(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
        return chain.from_iterable(block.rows() for block in read_blocks(stream, path, layout))

    return Format(endings, read_rows, read_blocks, by_line=False)


def _read_arrow(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Block]:
    from textclf.tables import columnar  # needs pyarrow, which the other formats do without

    return columnar.read_arrow(stream, path, layout)


def _read_parquet(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Block]:
    from textclf.tables import columnar

    return columnar.read_parquet(stream, path, layout)


FORMATS = {
    "lines": _of_rows(lines.read_texts, labelled=False, by_line=True),
    "arrow": _of_blocks(_read_arrow, ".arrow", ".feather"),
    "csv": Format((".csv",), CSV.read_rows, CSV.read_blocks),
    "excel": _of_rows(excel.read_rows, ".xlsx"),
    folders.FORMAT: _of_rows(folders.read_rows),
    "json": _of_rows(json_array.read_rows, ".json"),
    "jsonl": Format((".jsonl", ".ndjson"), jsonl.read_rows, jsonl.read_blocks),
    "parquet": _of_blocks(_read_parquet, ".parquet"),
    "sqlite": _of_blocks(sqlite.read_blocks, ".db", ".sqlite", ".sqlite3"),
    "tsv": Format((".tsv",), TSV.read_rows, TSV.read_blocks),
    "txt": _of_rows(lines.read_sentences, ".txt", by_line=True),
}
TABLE_FORMATS = tuple(name for name, kind in FORMATS.items() if kind.labelled)
ENDINGS = {ending: name for name, kind in FORMATS.items() for ending in kind.endings}
