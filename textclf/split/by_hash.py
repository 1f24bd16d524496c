"""Splits by the hash of each row's text or group: rows stream, and no split depends on others."""

from collections.abc import Iterable, Iterator, Set

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textclf.core.arrow import array_of_numbers, encode, hash_normalized, hash_texts
from textclf.core.files import SPLITS, SUGGESTED
from textclf.split.draw import draw_the_rest
from textclf.split.settings import Split


def hash_splits(
    batches: Iterable[pa.RecordBatch], settings: Split, given: Set[str] = frozenset()
) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of each split in each batch, with the columns that `draw_parts` adds.

    A row's split follows from its group, or without groups from its normalised text. So duplicates
    stay together, and no row changes its split when others are added. Rows of `given` splits stay
    in them, and only training rows that are not `SUGGESTED` are assigned to the others.
    """
    settings = draw_the_rest(settings, given)
    sizes = {"train": 1.0, "validation": settings.validation_size, "test": settings.test_size}
    for batch in batches:
        normalised = hash_normalized(batch["text"], settings.seed)
        keys = normalised
        if "group" in batch.column_names:
            keys = hash_texts(batch["group"], settings.seed)
        split_of = assign_splits(keys, settings)
        if given:
            codes, splits = encode(batch["split"])
            names = ["train" if name == SUGGESTED else name for name in splits]
            marked = np.array([SPLITS.index(name) for name in names], np.int8)[codes]
            is_free = np.array([name == "train" for name in splits], bool)[codes]
            split_of = np.where(is_free, split_of, marked)
        columns = [*batch.columns, array_of_numbers(keys), array_of_numbers(normalised)]
        rows = pa.Table.from_arrays(columns, [*batch.schema.names, "cluster", "normalised"])
        for name in SPLITS:
            if name in given or sizes[name] > 0:
                positions = np.flatnonzero(split_of == SPLITS.index(name))
                yield name, rows.take(array_of_numbers(positions))


def assign_splits(keys: NDArray[np.uint64], settings: Split) -> NDArray[np.int8]:
    """Return the split of each key, as a position in `SPLITS`: (keys,).

    Keys are uniform in [0, 2^64). The smallest go to test, the next to validation, the rest to
    train.
    """
    uniform = (keys >> np.uint64(11)) * 2.0**-53  # in [0, 1), exact in a double
    borders = [settings.test_size, settings.test_size + settings.validation_size]
    order = [SPLITS.index(name) for name in ("test", "validation", "train")]
    return np.array(order, np.int8)[np.searchsorted(borders, uniform, side="right")]
