"""Rows that are read one by one, in batches that do not get large."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from textclf.core.errors import UserError
from textclf.tables import limits
from textclf.tables.layout import SOURCE, Batch, Layout, NumberedRow

RowReader = Callable[[IO[bytes], Path, Layout], Iterator[NumberedRow]]
BatchReader = Callable[[IO[bytes], Path, Layout, int], Iterator[Batch]]


def by_row(read_rows: RowReader) -> BatchReader:
    """Return the reader of a format whose rows are read one by one.

    Its batches have fewer rows than they may if these are long; the rows before an error come before it.
    """

    def read(stream: IO[bytes], path: Path, layout: Layout, most: int) -> Iterator[Batch]:
        collected: list[NumberedRow] = []
        size = 0
        try:
            for number, record in read_rows(stream, path, layout):
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

    return read


def _batch(rows: list[NumberedRow], layout: Layout) -> Batch:
    numbers, records = zip(*rows, strict=True)
    broken = {place: record for place, record in enumerate(records) if isinstance(record, ValueError)}
    whole = [{} if isinstance(record, ValueError) else record for record in records] if broken else records
    names = [name for name in layout.names() if name != SOURCE or any(SOURCE in record for record in whole)]
    return Batch(numbers, {name: [row.get(name) for row in whole] for name in names}, broken)
