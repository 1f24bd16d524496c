"""Writing of a split as shards, optionally shuffled, without having all its rows in memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textclf.artifacts import shards
from textclf.artifacts.splits import SUFFIX, write_table
from textclf.core import workers
from textclf.core.arrow import array_of_numbers, as_array, flat, numbers_of, refilled, rows_of

PIECES = 100  # pieces into which each shard is cut, to be mixed with those of the others
MEMORY = 2**27  # of a process that writes a shard, besides some copies of the rows
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]  # the position of the class of each label of a part


class PieceWriter:
    """Writes the rows of a split that a part of the table has as pieces, which wait on disk.

    With a seed they are in random order, since a model that learns shard by shard needs every class
    in each shard: rows are collected to the size of a shard, shuffled, and cut into `PIECES`
    pieces. `write_shards` makes each shard of as many pieces, drawn at random from the whole split,
    and shuffles it. Without a seed rows stay in their order.
    """

    def __init__(self, path: Path, schema: pa.Schema, seed: int | None, number: int = 0) -> None:
        """Prepare to write rows with these columns; the part has this number."""
        self.path, self.schema, self.seed, self.number = path, schema, seed, number
        self.sizes: list[int] = []  # of what was collected
        self.collected: list[pa.Table] = []
        self.collected_rows = 0
        self.file: Any = None  # which the writer leaves open: Windows could not remove it
        self.writer: pa.ipc.RecordBatchFileWriter | None = None

    def add(self, rows: pa.Table) -> None:
        """Add rows, which have the columns of the schema and perhaps others."""
        self.collected.append(rows.select(self.schema.names).cast(self.schema))
        self.collected_rows += len(rows)
        while self.collected_rows > shards.ROWS:
            table = pa.concat_tables(self.collected)
            self._write(table.slice(0, shards.ROWS))
            self.collected = [table.slice(shards.ROWS)]
            self.collected_rows -= shards.ROWS

    def close(self) -> None:
        """Write what is left, so that the writer can go to another process."""
        if self.collected:
            self._write(pa.concat_tables(self.collected))
        if self.writer is not None:
            self.writer.close()
            self.file.close()
        self.collected, self.collected_rows, self.file, self.writer = [], 0, None, None

    def order(self, position: int) -> Ints:
        """Return the order in which what was collected is written, for one of `sizes`."""
        seeds = None if self.seed is None else [self.seed, self.number, position]
        return _order(seeds, self.sizes[position])

    def pieces(self) -> list[int]:
        """Return the sizes of the pieces in the file."""
        each = _piece_rows()
        return [min(each, size - start) for size in self.sizes for start in range(0, size, each)]

    def _write(self, table: pa.Table) -> None:
        if self.writer is None:
            self.file = pa.OSFile(str(self.path), "wb")
            self.writer = pa.ipc.new_file(self.file, self.schema)
        self.sizes.append(len(table))
        if self.seed is not None:
            table = table.take(array_of_numbers(self.order(len(self.sizes) - 1)))
        each = _piece_rows()
        for start in range(0, len(table), each):
            self.writer.write_table(table.slice(start, each).combine_chunks())


def write_shards(
    parts: Sequence[tuple[PieceWriter, Codes]], folder: Path, name: str, seed: int | None
) -> None:
    """Write the shards of a split; `parts` are its rows, and the class of each of their labels."""
    drawn = [
        (part, number, size)
        for part, (writer, _) in enumerate(parts)
        for number, size in enumerate(writer.pieces())
    ]
    folder = folder.absolute()
    if sum(size for _, _, size in drawn) <= shards.ROWS:
        whole = folder / f"{name}{SUFFIX}"
        tasks: list[Task] = [(whole, _files(parts, drawn), _whole_order(parts, seed))]
    else:
        order = _order(None if seed is None else [seed], len(drawn)).tolist()
        tasks = [
            (
                shards.path(folder, name, SUFFIX, number),
                _files(parts, sorted(shard)),
                None if seed is None else [seed, number],
            )
            for number, shard in enumerate(_grouped([drawn[each] for each in order]), start=1)
        ]
    content = sum(writer.path.stat().st_size for writer, _ in parts if writer.sizes)
    with workers.pool(len(tasks), MEMORY + 4 * content // len(tasks)) as pool:
        pool.map(_write_shard, tasks, f"{name} rows")


Drawn = list[tuple[int, int, int]]  # the parts, numbers and sizes of pieces
# The files of a shard: the numbers of the pieces to read, and the classes of their labels.
Files = list[tuple[Path, list[int], Codes]]
Task = tuple[Path, Files, Ints | list[int] | None]  # the arguments of `_write_shard`


def _grouped(pieces: Drawn) -> Iterator[Drawn]:
    """Yield the pieces of each shard."""
    shard: Drawn = []
    rows = 0
    for piece in pieces:
        if rows + piece[2] > shards.ROWS:
            yield shard
            shard, rows = [], 0
        shard.append(piece)
        rows += piece[2]
    yield shard


def _files(parts: Sequence[tuple[PieceWriter, Codes]], pieces: Drawn) -> Files:
    """Return the files of the pieces, which are in the order of the parts."""
    numbers: dict[int, list[int]] = {}
    for part, number, _ in pieces:
        numbers.setdefault(part, []).append(number)
    return [
        (parts[part][0].path.absolute(), of_part, parts[part][1])
        for part, of_part in numbers.items()
    ]


def _whole_order(parts: Sequence[tuple[PieceWriter, Codes]], seed: int | None) -> Ints:
    """Return the order of all rows in the files: one by the seed, of the rows as they came."""
    written = [
        writer.order(position) for writer, _ in parts for position in range(len(writer.sizes))
    ]
    starts = np.cumsum([0, *map(len, written)])
    came = [start + np.argsort(order) for start, order in zip(starts, written, strict=False)]
    return np.concatenate(came)[_order(seed, int(starts[-1]))]


def _order(seed: int | list[int] | None, count: int) -> Ints:
    if seed is None:
        return np.arange(count)
    return np.random.RandomState(seed).permutation(count)


def _piece_rows() -> int:
    return max(shards.ROWS // PIECES, 1)


def _write_shard(path: Path, files: Files, order: Ints | list[int] | None) -> None:
    """Write the rows of pieces in an order, with the positions of classes in place of labels.

    A list is the seed of a random order; without an order they stay as they are.
    """
    tables = []
    for source_path, numbers, codes in files:
        with pa.OSFile(str(source_path)) as source, pa.ipc.open_file(source) as pieces:
            table = pa.Table.from_batches(
                [pieces.get_batch(number) for number in numbers], pieces.schema
            )
        label = as_array(table["label"])
        classes = array_of_numbers(codes[numbers_of(flat(label))])
        column = table.column_names.index("label")
        tables.append(table.set_column(column, "label", refilled(label, classes)))
    rows = pa.concat_tables(tables)
    if not isinstance(order, np.ndarray):
        order = _order(order, len(rows))
    rows = rows.take(array_of_numbers(order))
    label = as_array(rows["label"])
    if pa.types.is_list(label.type):
        # Several labels of a row are sorted; rows stay in their order.
        codes = numbers_of(flat(label))
        ascending = codes[np.lexsort([codes, rows_of(label)])]
        label = refilled(label, array_of_numbers(ascending))
    write_table(rows.set_column(rows.column_names.index("label"), "label", label), path)
