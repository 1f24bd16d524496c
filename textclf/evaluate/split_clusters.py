"""The clusters of the rows of a split, read from a folder of splits, and the digest of ids."""

import hashlib
from collections.abc import Sequence
from operator import call
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textclf.artifacts.splits import open_clusters, read_clusters_of
from textclf.core.arrow import as_array
from textclf.core.workers import local_pool
from textclf.evaluate.clusters import are_dependent

# Rows whose keys are sorted at once.
PART = 500_000


class IdDigest:
    """A digest of the ids of rows in their order, the same however the rows are cut into pieces."""

    def __init__(self) -> None:
        """Start without rows."""
        self._texts, self._lengths = hashlib.sha256(), hashlib.sha256()

    def add(self, ids: Sequence[str] | pa.ChunkedArray) -> None:
        """Add the ids of rows."""
        texts = as_array(ids)
        one_list = pa.ListArray.from_arrays([0, len(texts)], texts)
        self._texts.update(pc.binary_join(one_list, "")[0].as_buffer())
        self._lengths.update(pc.binary_length(texts).to_numpy().data)

    def digest(self) -> bytes:
        """Return the digest of all rows so far."""
        return self._texts.digest() + self._lengths.digest()


def read_keys(folder: Path, split: str) -> NDArray[np.uint64]:
    """Return the keys of the clusters of the rows of a split in a folder of splits, (rows,)."""
    readers = open_clusters(folder, split).readers
    with local_pool(len(readers)) as pool:
        parts = pool.map(call, [(read,) for read in readers], "read clusters")
    return np.concatenate([np.zeros(0, np.uint64), *parts])


def find_held_out_clusters(folder: Path, ids: NDArray[Any]) -> NDArray[np.int64] | None:
    """Return the `positions` of the clusters of the training rows with these ids."""
    return positions(read_clusters_of(folder, "train", ids))


def positions(keys: NDArray[np.uint64]) -> NDArray[np.int64] | None:
    """Return the positions of the clusters with these keys, (rows,); None if independent.

    The positions are those of the sorted keys. These are hashes, so that equal parts of their range
    have about as many; one part after the other is sorted faster, and with less memory.
    """
    parts = 1 + len(keys) // PART
    part_of = (keys >> np.uint64(32)) * np.uint64(parts) >> np.uint64(32)
    places, clusters = np.zeros(len(keys), np.int64), 0
    for part in range(parts):
        own = np.flatnonzero(part_of == part)
        distinct, of_own = np.unique(keys[own], return_inverse=True)
        places[own] = of_own + clusters
        clusters += len(distinct)
    return places if are_dependent(np.bincount(places)) else None
