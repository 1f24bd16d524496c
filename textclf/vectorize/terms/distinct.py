"""Distinct values: their numbers, their order, and the positions of strings among others."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.arrow import Strings

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = NDArray[np.int32]


def number_values(values: NDArray[Any]) -> tuple[Numbers, int]:
    """Return the number of each integer among the distinct ones, in any order, and how many distinct ones there are."""
    import pyarrow as pa

    encoded = pa.array(values).dictionary_encode()
    return encoded.indices.to_numpy(), len(encoded.dictionary)


def sort_distinct(strings: "list[str] | Strings") -> "tuple[list[str] | pa.LargeStringArray, Numbers]":
    """Return the distinct strings, sorted by code point, and the position of each string among them."""
    if isinstance(strings, list):
        distinct = sorted(set(strings))
        position = {string: number for number, string in enumerate(distinct)}
        return distinct, np.fromiter(map(position.__getitem__, strings), dtype=np.int32, count=len(strings))
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = strings.cast(pa.large_string()).dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary)  # UTF-8 sorts as its code points do
    positions = np.empty(len(order), dtype=np.int32)
    positions[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
    return encoded.dictionary.take(order), positions[encoded.indices.to_numpy()]


def find_strings(strings: Strings, among: Strings) -> Numbers:
    """Return the position of each string in `among`, which has distinct strings, sorted by code point; -1 for none."""
    import pyarrow.compute as pc

    if not len(among):
        return np.full(len(strings), -1, dtype=np.int32)
    places = np.minimum(pc.search_sorted(among, strings).to_numpy(), len(among) - 1).astype(np.int32)
    is_there = pc.equal(among.take(places), strings).to_numpy(zero_copy_only=False)
    return np.where(is_there, places, np.int32(-1))
