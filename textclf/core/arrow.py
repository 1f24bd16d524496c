"""Columns of Arrow from and to arrays of numpy and strings of Python, without pandas.

pyarrow's own `array` and `to_numpy` import pandas, if it is installed, which takes longer than vectorizing a small
corpus. `Strings` are arrays of the type string or large_string without nulls.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Strings: TypeAlias = "pa.StringArray | pa.LargeStringArray"


def whole_column(table: "pa.Table", name: str) -> "pa.Array":
    """Return a column as one array; `KeyError` if it is missing, `ValueError` if it has nulls."""
    import pyarrow as pa

    column = table[name]
    if column.null_count:
        raise ValueError(f"{name} has nulls")
    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_string(column.type):
        column = column.cast(pa.large_string())  # more than 2^31 bytes are the usual reason for several chunks
    return pa.concat_arrays([*column.chunks, _no_values(column.type)])


def _no_values(kind: "pa.DataType") -> "pa.Array":
    import pyarrow as pa

    return pa.nulls(0, kind)


def from_numbers(values: NDArray[Any]) -> "pa.Array":
    """Return numbers of numpy as an array of the same type."""
    import pyarrow as pa

    content = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, content])


def to_numbers(array: "pa.Array") -> NDArray[Any]:
    """Return an array of numbers without nulls as one of numpy, not to be written to."""
    return np.from_dlpack(array)


def from_texts(texts: Collection[str]) -> "pa.LargeStringArray":
    """Return strings of Python as a column; `UnicodeEncodeError` for half of a surrogate pair."""
    encoded = [text.encode() for text in texts]
    return from_bytes(
        np.frombuffer(b"".join(encoded), dtype=np.uint8), np.fromiter(map(len, encoded), np.int64, len(encoded))
    )


def from_bytes(content: NDArray[np.uint8], lengths: NDArray[np.int64]) -> "pa.LargeStringArray":
    """Return strings, of so many bytes of UTF-8 each, one after the other in `content`."""
    import pyarrow as pa

    borders = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=borders[1:])
    return pa.LargeStringArray.from_buffers(len(lengths), pa.py_buffer(borders), pa.py_buffer(content))


def to_bytes(strings: Strings) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Return where each string begins in the bytes of all of them, and last where they end, (strings + 1,); the bytes.

    The strings may be a slice of a longer array.
    """
    import pyarrow as pa

    if not len(strings):
        return np.zeros(1, dtype=np.int32), np.zeros(0, dtype=np.uint8)
    _, borders, content = strings.buffers()
    kind = np.int64 if pa.types.is_large_string(strings.type) else np.int32
    offsets = np.frombuffer(borders, dtype=kind)[strings.offset : strings.offset + len(strings) + 1]
    return offsets - offsets[0], np.frombuffer(content or b"", dtype=np.uint8)[offsets[0] : offsets[-1]]


def blocks(strings: Strings, size: int) -> list[tuple[int, int]]:
    """Return ranges that cover all strings, of about `size` bytes each, or of one string that is longer."""
    offsets, _ = to_bytes(strings)
    starts = np.flatnonzero(np.diff(offsets[:-1] // size, prepend=-1)).tolist()
    return list(zip(starts, [*starts[1:], len(strings)], strict=False))


def to_list(strings: Strings, mask: NDArray[np.bool_]) -> list[str]:
    """Return the strings in a mask, (strings,)."""
    if mask.all():
        values: list[str] = strings.to_pylist()
        return values
    offsets, raw = to_bytes(strings)
    content, chosen = raw.data, np.flatnonzero(mask)
    return [str(content[low:high], "utf-8") for low, high in zip(offsets[chosen], offsets[chosen + 1], strict=True)]


def to_text(strings: Strings) -> NDArray[np.str_]:
    """Return the strings as numpy's text, as wide as the longest."""
    offsets, raw = to_bytes(strings)
    if (raw > 127).any():
        return np.array(strings.to_pylist(), dtype=str)
    lengths = np.diff(offsets)
    width = max(int(lengths.max(initial=0)), 1)
    letters = np.zeros((len(strings), width), dtype=np.uint32)
    letters[np.arange(width) < lengths[:, np.newaxis]] = raw
    return letters.view(f"U{width}")[:, 0]
