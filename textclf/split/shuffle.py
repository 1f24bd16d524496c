"""Shuffling a split that does not fit into memory, on disk."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textclf.artifacts import shards
from textclf.artifacts.splits import CLUSTERED, SUFFIX, with_slices, write_table
from textclf.core import threads

PIECES = 100  # pieces into which each shard is cut, to be mixed with those of the others


class ShardShuffler:
    """Writes the rows of a split to shards in random order, with the rows of one shard in memory at a time.

    Tables are often sorted by label, but a model that learns shard by shard needs every class in each shard. Incoming
    rows are collected to the size of a shard, shuffled, and cut into `PIECES` pieces, which wait on disk. Each
    shard is then made of as many pieces, drawn at random from the whole split and shuffled. The order depends on the
    rows, their order and the seed alone.
    """

    def __init__(self, folder: Path, name: str, seed: int, schema: pa.Schema = CLUSTERED) -> None:
        """Prepare to write the split `name` with these columns to the folder."""
        self.folder, self.name, self.schema = folder, name, schema
        self.random = np.random.RandomState(seed)
        self.piece_rows = max(shards.ROWS // PIECES, 1)
        self.collected: list[pa.Table] = []
        self.collected_rows = 0
        self.pieces_path = folder / f".{name}.arrow"
        self.pieces: pa.ipc.RecordBatchFileWriter | None = None

    def add(self, rows: pa.Table) -> None:
        """Add rows with the columns of the schema."""
        self.collected.append(rows)
        self.collected_rows += len(rows)
        while self.collected_rows > shards.ROWS:
            table = pa.concat_tables(self.collected)
            self._write_pieces(table.slice(0, shards.ROWS))
            self.collected = [table.slice(shards.ROWS)]
            self.collected_rows -= shards.ROWS

    def close(self) -> list[Path]:
        """Write the shards and return their paths."""
        rest = pa.concat_tables(self.collected) if self.collected else self.schema.empty_table()
        if self.pieces is None:
            return shards.write([self._shuffle(rest)], self.folder, self.name, SUFFIX, write_table)
        self._write_pieces(rest)
        self.pieces.close()
        try:
            with (
                pa.OSFile(str(self.pieces_path)) as source,
                pa.ipc.open_file(source) as pieces,
                threads.Tasks() as writing,
            ):
                save = partial(writing.start, write_taken)
                return shards.write(self._mix(pieces), self.folder, self.name, SUFFIX, save)
        finally:
            self.pieces_path.unlink()

    def _mix(self, pieces: pa.ipc.RecordBatchFileReader) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
        """Yield the rows of each shard, in randomly drawn pieces, and the order to write them in."""
        order = self.random.permutation(pieces.num_record_batches)
        per_shard = shards.ROWS // self.piece_rows
        for start in range(0, len(order), per_shard):
            drawn = pa.Table.from_batches([pieces.get_batch(n) for n in order[start : start + per_shard].tolist()])
            yield drawn, self.random.permutation(len(drawn))

    def _write_pieces(self, table: pa.Table) -> None:
        if self.pieces is None:
            self.pieces = pa.ipc.new_file(str(self.pieces_path), self.schema)
        self.pieces.write_table(self._shuffle(table), max_chunksize=self.piece_rows)

    def _shuffle(self, table: pa.Table) -> pa.Table:
        return table.take(self.random.permutation(len(table)))


def write_taken(shard: tuple[pa.Table, NDArray[np.int64]], path: Path) -> None:
    """Write the rows of a table at some positions, in their order, to a file."""
    table, positions = shard
    rows = table.take(positions)
    schema = with_slices(rows.column_names)
    write_table(rows if rows.schema == schema else rows.cast(schema), path)
