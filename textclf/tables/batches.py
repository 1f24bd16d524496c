"""Rows that are read one by one, in batches that do not get large."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from textclf.core.errors import UserError
from textclf.tables import limits
from textclf.tables.layout import SOURCE, Batch, Layout, NumberedRow

RowReader = Callable[[IO[bytes], Path, Layout], Iterator[NumberedRow]]
BatchReader = Callable[[IO[bytes], Path, Layout, int], Iterator[Batch]]


def by_row(read_rows: RowReader) -> BatchReader:
    """Return the reader of a format whose rows are read one by one."""
    return lambda stream, path, layout, most: in_batches(read_rows(stream, path, layout), layout, most)


def in_batches(rows: Iterable[NumberedRow], layout: Layout, most: int) -> Iterator[Batch]:
    """Yield the rows in batches of `most`, or fewer if these are long; the rows before an error come before it."""
    collected: list[NumberedRow] = []
    size = 0
    try:
        for number, record in rows:
            collected.append((number, record))
            if not isinstance(record, ValueError):
                size += sum(len(value) for value in record.values() if isinstance(value, str | bytes))
            if len(collected) >= most or size >= limits.BLOCK_BYTES:
                yield _batch(collected, layout)
                collected, size = [], 0
    except UserError:
        if collected:
            yield _batch(collected, layout)
        raise
    if collected:
        yield _batch(collected, layout)


def _batch(rows: list[NumberedRow], layout: Layout) -> Batch:
    numbers, records = zip(*rows, strict=True)
    broken = {place: record for place, record in enumerate(records) if isinstance(record, ValueError)}
    whole = [{} if isinstance(record, ValueError) else record for record in records] if broken else records
    names = [name for name in layout.names() if name != SOURCE or any(SOURCE in record for record in whole)]
    return Batch(numbers, {name: [row.get(name) for row in whole] for name in names}, broken)
