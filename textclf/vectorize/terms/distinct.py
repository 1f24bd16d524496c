"""Distinct values: their numbers, their order, and the positions of strings among others.

Arrow has a kernel for each of these. Few values are handled without it, because importing pyarrow.compute takes longer.
"""

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.arrow import Strings, from_numbers, from_texts, to_numbers

if TYPE_CHECKING:
    import pyarrow as pa

FEW = 30_000  # values that are handled sooner than pyarrow.compute is imported

Numbers = NDArray[np.int32]


def number_values(values: NDArray[Any]) -> tuple[Numbers, int]:
    """Return the number of each integer among the distinct ones, in any order, and how many distinct ones there are."""
    if not _has_kernels(len(values)):
        distinct, numbers = np.unique(values, return_inverse=True)
        return numbers.astype(np.int32), len(distinct)
    encoded = from_numbers(values).dictionary_encode()
    return to_numbers(encoded.indices), len(encoded.dictionary)


def sort_distinct(strings: Strings) -> tuple["pa.LargeStringArray", Numbers]:
    """Return the distinct strings, sorted by code point, and the position of each string among them."""
    if not _has_kernels(len(strings)):
        values = strings.to_pylist()
        ordered = sorted(set(values))
        position = {value: number for number, value in enumerate(ordered)}
        return from_texts(ordered), np.array([position[value] for value in values], dtype=np.int32)
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = strings.cast(pa.large_string()).dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary)  # UTF-8 sorts as its code points do
    positions = np.empty(len(order), dtype=np.int32)
    positions[to_numbers(order)] = np.arange(len(order), dtype=np.int32)
    return encoded.dictionary.take(order), positions[to_numbers(encoded.indices)]


def find_strings(strings: Strings, among: Strings) -> Numbers:
    """Return the position of each string in `among`, which has distinct strings, sorted by code point; -1 for none."""
    if not _has_kernels(len(strings) + len(among)):
        position = {value: number for number, value in enumerate(among.to_pylist())}
        return np.array([position.get(value, -1) for value in strings.to_pylist()], dtype=np.int32)
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(among):
        return np.full(len(strings), -1, dtype=np.int32)
    places = np.minimum(to_numbers(pc.search_sorted(among, strings)), len(among) - 1).astype(np.int32)
    is_there = to_numbers(pc.equal(among.take(from_numbers(places)), strings).cast(pa.int32()))
    return np.where(is_there, places, np.int32(-1))


def take_strings(strings: Strings, positions: NDArray[np.int64]) -> list[str]:
    """Return the strings at these positions, which ascend and are distinct."""
    if len(positions) == len(strings):
        chosen: list[str] = strings.to_pylist()
    elif _has_kernels(len(strings)):
        chosen = strings.take(from_numbers(positions)).to_pylist()
    else:
        values = strings.to_pylist()
        chosen = [values[position] for position in positions.tolist()]
    return chosen


def _has_kernels(count: int) -> bool:
    """Return whether to use Arrow's kernels for this many values."""
    return count >= FEW or "pyarrow.compute" in sys.modules
