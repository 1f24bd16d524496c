"""Rows of hashes on disk, in partitions of the first hash, so that equal ones meet in memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS = 2**20  # that are collected before they are written
PARTITION_BYTES = 2**26  # of a table for each partition
Place = tuple[Path, NDArray[np.int64], NDArray[np.int64]]  # a file: offsets and lengths, in rows


def count_partitions(size: int) -> int:
    """Return the number of partitions for a table of `size` bytes."""
    return max(1, size // PARTITION_BYTES)


class Partitions:
    """Writes rows to a file, those of a partition together; `dtype` has a hash as first field."""

    def __init__(self, path: Path, dtype: np.dtype[Any], count: int) -> None:
        """Write to a file, which is there after the first rows, in `count` partitions."""
        self.path, self.dtype, self.count = path, dtype, count
        self.sizes: list[NDArray[np.int64]] = []  # of each partition, (partitions,) per writing
        self._collected: list[NDArray[Any]] = []

    def add(self, *columns: Any) -> None:
        """Add rows by their fields."""
        rows = np.empty(len(columns[0]), self.dtype)
        for name, column in zip(self.dtype.names or (), columns, strict=True):
            rows[name] = column
        self._collected.append(rows)
        if sum(map(len, self._collected)) >= ROWS:
            self.close()

    def close(self) -> None:
        """Write the rows that are left."""
        if not any(map(len, self._collected)):
            return
        rows = np.concatenate(self._collected)
        self._collected = []
        if self.count > 1:
            high = rows[self.dtype.names[0]] >> np.uint64(32)  # type: ignore[index]
            partition = ((high * np.uint64(self.count)) >> np.uint64(32)).astype(np.uint16)
            rows = rows.take(np.argsort(partition, kind="stable"))
            self.sizes.append(np.bincount(partition, minlength=self.count))
        else:
            self.sizes.append(np.array([len(rows)]))
        with self.path.open("ab") as file:
            rows.tofile(file)

    def place(self, partition: int) -> Place:
        """Return where the rows of a partition are."""
        sizes = np.stack(self.sizes)
        offsets = np.cumsum(sizes).reshape(sizes.shape) - sizes
        return self.path.absolute(), offsets[:, partition], sizes[:, partition]


def tasks_of(files: Sequence[Partitions]) -> list[tuple[list[Place]]]:
    """Return a tuple of arguments per partition: where its rows are, in files of one dtype."""
    count = files[0].count if files else 0
    written = [file for file in files if file.sizes]
    return [([file.place(partition) for file in written],) for partition in range(count)]


def read(places: Sequence[Place], dtype: np.dtype[Any]) -> Any:
    """Return the rows of a partition, an array with the fields of `dtype`: (rows,)."""
    written = [
        np.fromfile(path, dtype, size, offset=offset * dtype.itemsize)
        for path, offsets, sizes in places
        for offset, size in zip(offsets.tolist(), sizes.tolist(), strict=True)
    ]
    return np.concatenate([np.empty(0, dtype), *written])


ID = np.dtype([("id", np.uint64)])


def repeated(places: Sequence[Place]) -> NDArray[np.uint64]:
    """Return the hashes that several rows of a partition have, each twice at least."""
    hashes = np.sort(read(places, ID)["id"])
    is_next = hashes[1:] == hashes[:-1]
    twice: NDArray[np.uint64] = hashes[1:][is_next].repeat(2)
    return twice
