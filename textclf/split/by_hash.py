"""Splits by the hash of each row's text or group: rows stream by, and no row's split depends on other rows."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textclf.artifacts.splits import CLUSTERED, SCHEMA
from textclf.core.errors import UserError
from textclf.core.files import SPLITS
from textclf.core.hashing import fingerprints, normalize_texts
from textclf.split.classes import require_classes
from textclf.split.given import draw_the_rest
from textclf.split.leaks import LeakCounter
from textclf.split.settings import Split
from textclf.split.shuffle import ShardShuffler
from textclf.tables.corpus import Batch


def hash_splits(
    batches: Iterable[Batch], settings: Split, folder: Path, given: Collection[str] = frozenset()
) -> dict[str, Any]:
    """Write the rows to the shards of their splits in the folder, and return the report of `LeakCounter`.

    A row's split follows from its group, or without groups from its normalised text. So duplicates stay together, no
    row changes its split when others are added, and parts of a table can be split separately. (A new version of Python
    may know new characters and normalise texts that have them differently; Unicode guarantees the others.) The rows of
    each split are in the order of `ShardShuffler`. Raises `UserError` if a split has no rows, or train or test lacks
    a class.

    `given` are the splits that the batches give: rows of these stay in them, and only training rows are assigned to the
    others. Given test rows may lack a class.
    """
    settings = draw_the_rest(settings, given)
    sizes = {"train": 1.0, "validation": settings.validation_size, "test": settings.test_size}
    names = [name for name in SPLITS if name in given or sizes[name] > 0]
    counter, writers = LeakCounter(), {name: ShardShuffler(folder, name, settings.seed) for name in names}
    for batch in batches:
        count_groups = bool(given) and "group" in batch  # else the rows of a group are in one split
        exact = fingerprints(batch["text"])
        normalised = fingerprints(normalize_texts(batch["text"]), settings.seed)
        keys = fingerprints(batch["group"], settings.seed) if "group" in batch else normalised
        split_of = assign_splits(keys, settings)
        if given:
            marked = np.array([SPLITS.index(name) for name in batch["split"]], np.int8)
            split_of = np.where(marked == SPLITS.index("train"), split_of, marked)
        columns = [pa.array(batch[name], pa.string()) for name in SCHEMA.names]
        table = pa.table([*columns, pa.array(keys)], schema=CLUSTERED)
        labels = counter.encode(batch["label"])
        for name, writer in writers.items():
            mask = split_of == SPLITS.index(name)
            writer.add(table.filter(pa.array(mask)))
            counter.add_hashes(name, exact[mask], normalised[mask], labels[mask], keys[mask] if count_groups else None)
    report = counter.report()
    require_classes({name: report[name]["classes"] for name in names}, "set another split.seed, method random", given)
    if not all(report[name]["classes"] for name in names):
        raise UserError(
            "the validation rows must be one at least; got none: set a larger split.validation_size, or 0.0"
        )
    for writer in writers.values():
        writer.close()
    return report


def assign_splits(keys: NDArray[np.uint64], settings: Split) -> NDArray[np.int8]:
    """Return the split of each key, as a position in `SPLITS`: (keys,).

    Keys are uniform in [0, 2^64). The smallest go to test, the next to validation, the rest to train.
    """
    uniform = (keys >> np.uint64(11)) * 2.0**-53  # in [0, 1), exact in a double
    borders = [settings.test_size, settings.test_size + settings.validation_size]
    order = [SPLITS.index(name) for name in ("test", "validation", "train")]
    return np.array(order, np.int8)[np.searchsorted(borders, uniform, side="right")]
