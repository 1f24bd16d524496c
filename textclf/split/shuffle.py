"""Writing of a split as shards, optionally shuffled, without having all its rows in memory."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textclf.artifacts import shards
from textclf.artifacts.splits import SUFFIX, write_table
from textclf.core.arrow import array_of_numbers, as_array, flat, numbers_of, refilled, rows_of

PIECES = 100  # pieces into which each shard is cut, to be mixed with those of the others


class ShardWriter:
    """Writes the rows of a split to shards, with those of one shard in memory at a time.

    With a seed they are in random order, since a model that learns shard by shard needs every class
    in each shard: rows are collected to the size of a shard, shuffled, and cut into `PIECES`
    pieces, which wait on disk; each shard is made of as many pieces, drawn at random from the whole
    split and shuffled. Without a seed rows stay in their order.
    """

    def __init__(self, folder: Path, name: str, schema: pa.Schema, seed: int | None) -> None:
        """Prepare to write the split `name` with these columns to the folder."""
        self.folder, self.name, self.schema = folder, name, schema
        self.random = None if seed is None else np.random.RandomState(seed)
        self.piece_rows = max(shards.ROWS // PIECES, 1)
        self.collected: list[pa.Table] = []
        self.collected_rows = 0
        self.pieces_path = folder / f".{name}.arrow"
        self.pieces_path.unlink(missing_ok=True)  # of an attempt with classes that were too rare
        self.pieces_file: Any = None  # which the writer leaves open: Windows could not remove it
        self.pieces: pa.ipc.RecordBatchFileWriter | None = None

    def add(self, rows: pa.Table) -> None:
        """Add rows, which have the columns of the schema and perhaps others."""
        self.collected.append(rows.select(self.schema.names).cast(self.schema))
        self.collected_rows += len(rows)
        while self.collected_rows > shards.ROWS:
            table = pa.concat_tables(self.collected)
            self._write_pieces(table.slice(0, shards.ROWS))
            self.collected = [table.slice(shards.ROWS)]
            self.collected_rows -= shards.ROWS

    def close(self, labels: NDArray[np.int32]) -> None:
        """Write the shards, with `labels[label]` in place of each label."""
        rest = pa.concat_tables(self.collected)
        save = partial(_write_taken, labels=labels)
        if self.pieces is None:
            shards.write([(rest, self._order(len(rest)))], self.folder, self.name, SUFFIX, save)
            return
        self._write_pieces(rest)
        self.pieces.close()
        self.pieces_file.close()
        with pa.OSFile(str(self.pieces_path)) as source, pa.ipc.open_file(source) as pieces:
            shards.write(self._mix(pieces), self.folder, self.name, SUFFIX, save)
        self.pieces_path.unlink()

    def _mix(
        self, pieces: pa.ipc.RecordBatchFileReader
    ) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
        """Yield the pieces of each shard, and the order in which to write their rows."""
        order = self._order(pieces.num_record_batches)
        per_shard = shards.ROWS // self.piece_rows
        for start in range(0, len(order), per_shard):
            numbers = order[start : start + per_shard].tolist()
            drawn = pa.Table.from_batches([pieces.get_batch(number) for number in numbers])
            yield drawn, self._order(len(drawn))

    def _write_pieces(self, table: pa.Table) -> None:
        if self.pieces is None:
            self.pieces_file = pa.OSFile(str(self.pieces_path), "wb")
            self.pieces = pa.ipc.new_file(self.pieces_file, self.schema)
        shuffled = table.take(array_of_numbers(self._order(len(table))))
        self.pieces.write_table(shuffled, max_chunksize=self.piece_rows)

    def _order(self, count: int) -> NDArray[np.int64]:
        return np.arange(count) if self.random is None else self.random.permutation(count)


def _write_taken(
    shard: tuple[pa.Table, NDArray[np.int64]], path: Path, labels: NDArray[np.int32]
) -> None:
    """Write the rows of a table at some positions, in their order, to a file."""
    table, positions = shard
    rows = table.take(array_of_numbers(positions))
    column = as_array(rows["label"])
    codes = labels[numbers_of(flat(column))]
    # Several labels of a row are sorted; rows stay in their order.
    ascending = codes[np.lexsort([codes, rows_of(column)])]
    label = refilled(column, array_of_numbers(ascending))
    write_table(rows.set_column(rows.column_names.index("label"), "label", label), path)
