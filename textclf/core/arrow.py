"""Columns of Arrow as one array or as codes, and 64-bit fingerprints of texts."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

PLAIN = "^([!-~]+( [!-~]+)*)?$"  # matches ASCII that normalisation only puts into lower case
SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))  # all white space, ascending
# 1 for a byte of Latin-1 inside a word.
INSIDE = bytes(chr(byte) not in SPACES for byte in range(256))
# The characters that show nothing, such as a zero-width space, a soft hyphen or the choice between
# a coloured and a plain emoji: Default_Ignorable_Code_Point in
# https://www.unicode.org/Public/17.0.0/ucd/DerivedCoreProperties.txt
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
Lengths = NDArray[np.int32]  # of each text, in their order


def whole_column(table: "pa.Table", name: str) -> "pa.Array":
    """Return a column as one array; `KeyError` if it is missing, `ValueError` if it has nulls."""
    import pyarrow as pa

    column = table[name]
    if column.null_count:
        raise ValueError(f"{name} has nulls")
    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_string(column.type):
        # More than 2^31 bytes are the usual reason for several chunks.
        column = column.cast(pa.large_string())
    return column.combine_chunks()


def array_of(texts: Sequence[str] | Sequence[bytes]) -> "pa.StringArray":
    """Return the texts, Unicode without surrogates, as an array; `OverflowError` from 2 GiB on."""
    import pyarrow as pa

    array = pa.array(texts, pa.string())
    if isinstance(array, pa.ChunkedArray):
        raise OverflowError("texts of 2 GiB or more")
    return array


def numbers_of(array: "pa.Array") -> Any:
    """Return the numbers of an array without nulls, in its memory.

    Its `to_numpy` would import pandas first.
    """
    return np.from_dlpack(array)


def array_of_numbers(values: NDArray[Any]) -> "pa.Array":
    """Return numbers as an array, in their memory; `pa.array` would import pandas first."""
    import pyarrow as pa

    return pa.Array.from_buffers(
        pa.from_numpy_dtype(values.dtype),
        len(values),
        [None, pa.py_buffer(np.ascontiguousarray(values))],
    )


def array_of_texts(texts: NDArray[Any]) -> "pa.Array":
    """Return texts, Unicode without surrogates, as an array; `pa.array` would import pandas first.

    Those of an array of strings are copied without an object for each.
    """
    import pyarrow as pa

    if texts.dtype.kind == "U" and texts.size and texts.itemsize:
        codes = np.ascontiguousarray(texts).view(np.uint32).reshape(len(texts), -1)
        filled = codes > 0
        # ASCII, and no text with a NUL, which also fills the place behind a text.
        if codes.max() < 128 and (filled[:, 1:] <= filled[:, :-1]).all():
            bounds = np.append(0, np.cumsum(filled.sum(axis=1)))
            content = codes[filled].astype(np.uint8)
            return pa.LargeStringArray.from_buffers(
                len(texts), pa.py_buffer(bounds), pa.py_buffer(content)
            ).cast(pa.string())
    return large_array_of(texts.tolist()).cast(pa.string())


def large_array_of(texts: Sequence[str]) -> "pa.LargeStringArray":
    """Return the texts, Unicode without surrogates, as an array of any size; without pandas."""
    import pyarrow as pa

    encoded = list(map(str.encode, texts))
    bounds = np.cumsum([0, *map(len, encoded)])
    return pa.LargeStringArray.from_buffers(
        len(encoded), pa.py_buffer(bounds), pa.py_buffer(b"".join(encoded))
    )


def as_array(texts: Any) -> "pa.StringArray":
    """Return a column of a table or of a frame, or a sequence of texts, as one array."""
    import pyarrow as pa

    if isinstance(texts, pa.ChunkedArray):
        return texts.combine_chunks()
    return texts if isinstance(texts, pa.Array) else array_of(list(texts))


def flat(labels: "pa.Array") -> "pa.Array":
    """Return the labels of all rows one after another; a column of single labels as it is."""
    import pyarrow as pa

    return labels.flatten() if pa.types.is_list(labels.type) else labels


def refilled(labels: "pa.Array", values: "pa.Array") -> "pa.Array":
    """Return a column like this one, with other values in place of those of `flat`."""
    import pyarrow as pa

    if not pa.types.is_list(labels.type):
        return values
    offsets = numbers_of(labels.offsets)
    return pa.ListArray.from_arrays(array_of_numbers(offsets - offsets[0]), values)


def rows_of(labels: "pa.Array") -> NDArray[np.int64]:
    """Return the row of each value of `flat`: (labels of all rows,)."""
    import pyarrow as pa

    lengths = np.diff(numbers_of(labels.offsets)) if pa.types.is_list(labels.type) else 1
    return np.repeat(np.arange(len(labels)), lengths)


def encode(texts: "pa.StringArray") -> tuple[NDArray[np.int32], list[str]]:
    """Return a code for each text (texts,), and the distinct texts by code: by first occurrence."""
    encoded = texts.dictionary_encode()
    return numbers_of(encoded.indices), encoded.dictionary.to_pylist()


def count_lengths(texts: "pa.ChunkedArray") -> tuple[Lengths, Lengths]:
    """Return the words and the characters of each text, as `str.split` and `len` count them."""
    import pyarrow.compute as pc

    characters = pc.utf8_length(texts).to_numpy()
    # One space before each text.
    spaced = as_array(pc.binary_replace_slice(texts.cast("large_binary"), 0, 0, b" "))
    joined = str(spaced.buffers()[2] or b"", "utf-8")
    for space in SPACES[SPACES.index("\xa0") + 1 :]:
        joined = joined.replace(space, " ")
    # One byte per character.
    inside = np.frombuffer(joined.encode("latin-1", "replace").translate(INSIDE), np.uint8)
    starts = np.cumsum(characters + 1) - characters - 1
    return np.add.reduceat(inside > np.roll(inside, 1), starts, dtype=np.int32), characters


def hash_texts(texts: "pa.StringArray", seed: int = 0) -> NDArray[np.uint64]:
    """Return `fingerprints` of the texts: (texts,)."""
    import pyarrow as pa

    return fingerprints(texts.cast(pa.binary()).to_pylist(), seed)


def normalize_texts(texts: Any) -> "pa.StringArray":
    """Return `normalize_text` of each text of a column or a sequence."""
    import pyarrow.compute as pc

    array = as_array(texts)
    others = pc.invert(pc.match_substring_regex(array, PLAIN))
    normal = list(map(normalize_text, array.filter(others).to_pylist()))
    replacements = large_array_of(normal).cast(array.type)
    # Not ascii_lower, which reads wrong bytes if the first offset of the array is not 0.
    return pc.replace_with_mask(pc.utf8_lower(array), others, replacements)


def hash_normalized(texts: Any, seed: int = 0) -> NDArray[np.uint64]:
    """Return `fingerprints` of the normalised texts of a column or a sequence: (texts,)."""
    return hash_texts(normalize_texts(texts), seed)


def fingerprints(texts: Sequence[str] | Sequence[bytes], seed: int = 0) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each text, (texts,): the first half of its MurmurHash3 x64 128."""
    import mmh3

    content: Any = texts
    if len(texts) and isinstance(texts[0], str):
        content = map(str.encode, content)
    digests = b"".join(map(mmh3.mmh3_x64_128_digest, content, repeat(seed)))
    return np.frombuffer(digests, "<u8")[::2].astype(np.uint64)


def normalize_text(text: str) -> str:
    """Return the text in NFKC, case-folded, each run of white space as one space, none at the ends.

    Characters that show nothing are left out, as in NFKC_Casefold of the Unicode Standard (3.13).
    """
    return " ".join(unicodedata.normalize("NFKC", INVISIBLE.sub("", text)).casefold().split())
