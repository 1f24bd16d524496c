"""The formats of tables: for each its name, its endings and its reader, the only list of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from textclf.tables import excel, folders, jsonl, lines, sqlite
from textclf.tables.delimited import CSV, TSV
from textclf.tables.layout import Batch, BatchReader, Layout, by_row


@dataclass(frozen=True)
class Format:
    """A format of tables."""

    # From a stream, its path for errors, the layout, and how many rows a batch may have.
    read: BatchReader
    endings: tuple[str, ...] = ()  # of its files
    labelled: bool = True  # whether its rows can have labels, so that the pipeline can read it
    # Whether rows can be counted by line ends, and taken from a stream before its end.
    by_line: bool = False
    is_text: bool = True  # whether its files are text in an encoding


def _read_arrow(stream: IO[bytes], path: Path, layout: Layout, most: int) -> Iterator[Batch]:
    from textclf.tables import columnar  # needs pyarrow, which the other formats do without

    return columnar.read_arrow(stream, path, layout, most)


def _read_parquet(stream: IO[bytes], path: Path, layout: Layout, most: int) -> Iterator[Batch]:
    from textclf.tables import columnar

    return columnar.read_parquet(stream, path, layout, most)


FORMATS = {
    "lines": Format(by_row(lines.read_texts), labelled=False, by_line=True),
    "arrow": Format(_read_arrow, (".arrow", ".feather"), is_text=False),
    "csv": Format(CSV.read, (".csv",), by_line=True),
    "excel": Format(by_row(excel.read_rows), (".xlsx",), is_text=False),
    folders.FORMAT: Format(by_row(folders.read_rows)),
    "json": Format(by_row(jsonl.read_array), (".json",)),
    "jsonl": Format(by_row(jsonl.read_rows), (".jsonl", ".ndjson"), by_line=True),
    "parquet": Format(_read_parquet, (".parquet",), is_text=False),
    "sqlite": Format(by_row(sqlite.read_rows), (".db", ".sqlite", ".sqlite3"), is_text=False),
    "tsv": Format(TSV.read, (".tsv",), by_line=True),
    "txt": Format(by_row(lines.read_sentences), (".txt",), by_line=True),
}
TABLE_FORMATS = tuple(name for name, kind in FORMATS.items() if kind.labelled)
ENDINGS = {ending: name for name, kind in FORMATS.items() for ending in kind.endings}
