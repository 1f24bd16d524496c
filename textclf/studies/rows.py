"""The rows of data/splits that a study reads, with what tells which of them are not independent."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts import splits


def read_split(folder: Path, name: str, wanted: NDArray[np.bool_] | None = None) -> pd.DataFrame:
    """Return the rows of a split, or those that are wanted, with the columns id, text, label and group.

    Rows that are not independent have the same `group`: that of the table, or else their normalised text, as a hash.
    """
    start, parts = 0, []
    for rows, clusters in zip(splits.open_shards(folder)[name], splits.open_clusters(folder, name), strict=True):
        keep = slice(None) if wanted is None else wanted[start : start + len(rows)]
        parts.append(rows[keep].assign(group=clusters[keep].astype(str)))
        start += len(rows)
    return pd.concat(parts, ignore_index=True)


def sample_rows(folder: Path, limit: int, seed: int) -> tuple[pd.DataFrame, int]:
    """Return the rows of all splits, with the column split besides, and their number.

    Of more rows than `limit`, a random sample of about so many is returned: all rows of a group or none.
    """
    clusters = {name: np.concatenate(list(splits.open_clusters(folder, name))) for name in splits.open_shards(folder)}
    together = np.concatenate(list(clusters.values()))
    wanted = np.ones(len(together), dtype=bool)
    if len(together) > limit:
        keys, group, sizes = np.unique(together, return_inverse=True, return_counts=True)
        order = np.random.default_rng(seed).permutation(len(keys))
        drawn = np.zeros(len(keys), dtype=bool)
        drawn[order[np.cumsum(sizes[order]) <= limit]] = True
        wanted = drawn[group]
    borders = np.cumsum([len(part) for part in clusters.values()])[:-1]
    parts = [
        read_split(folder, name, part).assign(split=name)
        for name, part in zip(clusters, np.split(wanted, borders), strict=True)
    ]
    return pd.concat(parts, ignore_index=True), len(together)
