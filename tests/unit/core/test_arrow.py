"""Columns of Arrow as numpy and Python have them, whatever their type, and whether they are slices or in chunks."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.unit.vectorize.terms.corpora import TEXTS
from textclf.core import arrow

ANY = st.one_of(st.lists(TEXTS, max_size=8), st.lists(st.text("ab\0", max_size=5), max_size=8))
KINDS = st.sampled_from([pa.string(), pa.large_string()])


def sliced(texts: list[str], kind: pa.DataType) -> pa.Array:
    """Return the texts as the middle of a longer array."""
    return pa.array(["before", *texts, "after"], kind).slice(1, len(texts))


@given(texts=ANY, kind=KINDS)
def test_strings_are_those_of_numpy(texts: list[str], kind: pa.DataType) -> None:
    expected = np.array(texts, dtype=str)
    found = arrow.to_text(sliced(texts, kind))
    assert (found.dtype, found.shape, found.tobytes()) == (expected.dtype, expected.shape, expected.tobytes())


@given(texts=ANY)
def test_strings_of_python_become_a_column(texts: list[str]) -> None:
    assert arrow.from_texts(texts).equals(pa.array(texts, pa.large_string()))


@given(texts=ANY, kind=KINDS, data=st.data())
def test_strings_in_a_mask_are_chosen(texts: list[str], kind: pa.DataType, data: st.DataObject) -> None:
    mask = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    expected = [text for text, chosen in zip(texts, mask, strict=True) if chosen]
    assert arrow.to_list(sliced(texts, kind), np.array(mask, dtype=bool)) == expected


@given(texts=ANY, size=st.integers(1, 20))
def test_blocks_cover_all_strings_and_are_no_larger_than_they_must_be(texts: list[str], size: int) -> None:
    ranges = arrow.blocks(sliced(texts, pa.string()), size)
    assert [number for start, stop in ranges for number in range(start, stop)] == list(range(len(texts)))
    for start, stop in ranges:
        assert start < stop
        assert sum(len(text.encode()) for text in texts[start : stop - 1]) < size


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint64, np.float64])
def test_numbers_come_back(dtype: type) -> None:
    numbers: NDArray[Any] = np.arange(10).astype(dtype)[::2]
    column = arrow.from_numbers(numbers)
    assert column.equals(pa.array(numbers))
    assert arrow.to_numbers(column.slice(1)).tolist() == [2, 4, 6, 8]
    assert arrow.to_numbers(column).dtype == dtype


@pytest.mark.parametrize("chunks", [[], [[]], [["a"]], [["a", "b"], [], ["c"]]])
def test_the_chunks_of_a_column_become_one(chunks: list[list[str]]) -> None:
    column = pa.chunked_array(chunks, pa.string())
    assert arrow.whole_column(pa.table({"text": column}), "text").to_pylist() == column.to_pylist()


def test_a_column_with_nulls_or_a_missing_one_is_refused() -> None:
    table = pa.table({"text": ["a", None]})
    with pytest.raises(ValueError, match="nulls"):
        arrow.whole_column(table, "text")
    with pytest.raises(KeyError):
        arrow.whole_column(table, "label")
