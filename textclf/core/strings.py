"""Columns of texts as Arrow arrays.

`pa.array` and `pa.table` import pandas if it is installed, and the methods of arrays import `pyarrow.compute`, which
together take longer than a small table. So arrays are made of buffers here, and Arrow's functions are called by name.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.arrow import from_numbers, to_bytes
from textclf.core.hashing import fingerprints, normalize_texts

if TYPE_CHECKING:
    import pyarrow as pa

SPARSE = 64  # bytes for each marked one from which on the rows of these are looked up one by one


def array_of(texts: Sequence[str] | Sequence[bytes]) -> "pa.StringArray":
    """Return the texts, all of them Unicode without surrogates, as an array; `OverflowError` from 2 GiB on."""
    import pyarrow as pa

    content = [text.encode() if isinstance(text, str) else text for text in texts]
    bounds = np.zeros(len(content) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, content), np.int64, len(content)), out=bounds[1:])
    if bounds[-1] > np.iinfo(np.int32).max:
        raise OverflowError("texts of 2 GiB or more")
    ends = pa.py_buffer(bounds.astype(np.int32))
    return pa.StringArray.from_buffers(len(content), ends, pa.py_buffer(b"".join(content)))


def as_array(texts: Any) -> "pa.StringArray":
    """Return a column of a table or of a frame, or a sequence of texts, as one array."""
    import pyarrow as pa

    if isinstance(texts, pa.Array):
        return texts
    if isinstance(texts, pa.ChunkedArray):
        return texts.chunk(0) if texts.num_chunks == 1 else pa.concat_arrays(texts.chunks or [array_of([])])
    return array_of(list(texts))


def repeat(text: str, count: int) -> "pa.StringArray":
    """Return the text so many times."""
    import pyarrow as pa

    content = text.encode()
    bounds = np.arange(count + 1, dtype=np.int32) * np.int32(len(content))
    return pa.StringArray.from_buffers(count, pa.py_buffer(bounds), pa.py_buffer(content * count))


def content(texts: "pa.StringArray") -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of all texts, and where in them each begins and the last one ends: (texts + 1,)."""
    bounds, data = to_bytes(texts)
    return data, bounds.astype(np.int64)


def take(rows: Any, positions: NDArray[np.integer[Any]]) -> Any:
    """Return the rows of an array or a table at these positions, in their order."""
    return call("take", rows, from_numbers(positions))


def encode(texts: "pa.StringArray") -> tuple[NDArray[np.int32], list[str]]:
    """Return a code for each text (texts,), and the distinct texts in the order of their codes: by first occurrence."""
    encoded = call("dictionary_encode", texts)
    codes: NDArray[np.int32] = np.frombuffer(encoded.indices.buffers()[1], np.int32)[: len(texts)]
    return codes, encoded.dictionary.to_pylist()


def number_rows(name: str, numbers: Sequence[int] | NDArray[np.int64]) -> "pa.StringArray":
    """Return `name:number` for each number."""
    values = np.arange(numbers.start, numbers.stop) if isinstance(numbers, range) else np.asarray(numbers, np.int64)
    digits = to_strings(from_numbers(values))
    prefix, nothing = (array_of([text])[0] for text in (f"{name}:", ""))
    return call("binary_join_element_wise", prefix, digits, nothing)


def to_strings(values: "pa.Array") -> "pa.StringArray":
    """Return texts of another type, integers in digits, or booleans as true and false; `ArrowInvalid` if too long."""
    from pyarrow import _compute, string

    return call("cast", values, options=_compute.CastOptions(string()))


def call(function: str, *arguments: Any, options: Any = None) -> Any:
    """Return what a function of Arrow's gives for the arguments."""
    from pyarrow import _compute

    return _compute.call_function(function, list(arguments), options)


def hash_texts(texts: "pa.StringArray", seed: int = 0) -> NDArray[np.uint64]:
    """Return `textclf.core.hashing.fingerprints` of the texts: (texts,)."""
    return fingerprints(texts.to_pylist(), seed)


def hash_normalized(texts: "pa.StringArray", seed: int = 0) -> NDArray[np.uint64]:
    """Return `fingerprints` of the normalised texts: (texts,)."""
    return fingerprints(normalize_texts(texts.to_pylist()), seed)


def rows_with(marked: NDArray[np.bool_], bounds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each text whether one of its bytes is marked: (texts,)."""
    rows = np.zeros(len(bounds) - 1, bool)
    if (count := np.count_nonzero(marked)) * SPARSE < len(marked):
        if count:
            rows[np.searchsorted(bounds, np.flatnonzero(marked), side="right") - 1] = True
        return rows
    full = np.flatnonzero(np.diff(bounds))
    if len(full):
        rows[full] = np.logical_or.reduceat(marked, bounds[:-1][full])
    return rows
