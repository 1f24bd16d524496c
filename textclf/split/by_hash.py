"""Splits by the hash of each row's text or group: rows stream by, and no row's split depends on other rows."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textclf.artifacts.splits import with_slices
from textclf.core import threads
from textclf.core.arrow import encode, hash_normalized, hash_texts
from textclf.core.errors import UserError
from textclf.core.files import SPLITS
from textclf.split.correct import Corrector
from textclf.split.draw import draw_the_rest, require_classes
from textclf.split.leaks import LeakCounter
from textclf.split.settings import Split
from textclf.split.shuffle import ShardShuffler


def hash_splits(
    batches: Iterable[pa.RecordBatch],
    settings: Split,
    folder: Path,
    given: Collection[str] = frozenset(),
    slices: Sequence[str] = (),
    corrector: Corrector | None = None,
) -> dict[str, Any]:
    """Write the rows to the shards of their splits in the folder, and return the report of `LeakCounter`.

    A row's split follows from its group, or without groups from its normalised text. So duplicates stay together, no
    row changes its split when others are added, and parts of a table can be split separately. (A new version of Python
    may know new characters and normalise texts that have them differently; Unicode guarantees the others.) The rows of
    each split are in the order of `ShardShuffler`. Raises `UserError` if a split has no rows, or train or test lacks
    a class.

    `given` are the splits that the batches give: rows of these stay in them, and only training rows are assigned to the
    others. Given test rows may lack a class. `slices` are the columns of slices, by their names in the batches;
    `corrector` replaces labels once their rows are assigned.
    """
    settings = draw_the_rest(settings, given)
    sizes = {"train": 1.0, "validation": settings.validation_size, "test": settings.test_size}
    names = [name for name in SPLITS if name in given or sizes[name] > 0]
    schema = with_slices(slices)
    counter, writers = LeakCounter(), {name: ShardShuffler(folder, name, settings.seed, schema) for name in names}
    for batch in batches:
        exact, normalised = hash_texts(batch["text"]), hash_normalized(batch["text"], settings.seed)
        groups = hash_texts(batch["group"], settings.seed) if "group" in batch.schema.names else None
        keys = normalised if groups is None else groups
        split_of = assign_splits(keys, settings)
        if given:
            codes, splits = encode(batch["split"])
            marked = np.array([SPLITS.index(name) for name in splits], np.int8)[codes]
            split_of = np.where(marked == SPLITS.index("train"), split_of, marked)
        label = batch["label"]
        if corrector is not None:
            label = corrector.correct(batch["id"], label, split_of)
        columns = [batch["id"], batch["text"], label, pa.array(keys), *map(batch.column, slices)]
        table = pa.Table.from_arrays(columns, schema=schema)
        labels = counter.encode(label)
        for name, writer in writers.items():
            rows = np.flatnonzero(split_of == SPLITS.index(name))
            writer.add(table.take(rows))
            divided = groups[rows] if given and groups is not None else None  # only given splits can divide a group
            counter.add(name, exact[rows], normalised[rows], labels[rows], divided)
    counts = counter.class_counts()
    if corrector is not None:
        corrector.finish(counts.get("train", {}))
    require_classes({name: counts.get(name, {}) for name in names}, "set another split.seed, method random", given)
    if not all(counts.get(name) for name in names):
        raise UserError(
            "the validation rows must be one at least; got none: set a larger split.validation_size, or 0.0"
        )
    report = threads.start(counter.report)
    for writer in writers.values():
        writer.close()
    return report()


def assign_splits(keys: NDArray[np.uint64], settings: Split) -> NDArray[np.int8]:
    """Return the split of each key, as a position in `SPLITS`: (keys,).

    Keys are uniform in [0, 2^64). The smallest go to test, the next to validation, the rest to train.
    """
    uniform = (keys >> np.uint64(11)) * 2.0**-53  # in [0, 1), exact in a double
    borders = [settings.test_size, settings.test_size + settings.validation_size]
    order = [SPLITS.index(name) for name in ("test", "validation", "train")]
    return np.array(order, np.int8)[np.searchsorted(borders, uniform, side="right")]
