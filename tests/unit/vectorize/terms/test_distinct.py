"""Distinct values: numbers, order and positions."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vectorize.terms.corpora import TEXTS
from textclf.vectorize.terms import distinct
from textclf.vectorize.terms.find import as_list

LISTS = st.lists(TEXTS, max_size=12)


@given(values=st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 3), max_size=20))
def test_equal_integers_have_equal_numbers(values: list[int]) -> None:
    numbers, count = distinct.number_values(np.array(values, dtype=np.uint64))
    assert numbers.dtype == np.int32
    assert sorted(set(numbers.tolist())) == list(range(count))
    assert len(set(zip(values, numbers.tolist(), strict=True))) == len(set(values)) == count


@given(texts=LISTS, kind=st.sampled_from([None, pa.string(), pa.large_string()]))
def test_distinct_strings_are_sorted_by_code_point(texts: list[str], kind: pa.DataType | None) -> None:
    ordered, positions = distinct.sort_distinct(texts if kind is None else pa.array(texts, kind))
    assert as_list(ordered) == sorted(set(texts))
    assert positions.dtype == np.int32
    assert [sorted(set(texts))[position] for position in positions.tolist()] == texts


@given(texts=LISTS, among=st.sets(TEXTS, max_size=12))
def test_strings_are_found_among_sorted_ones(texts: list[str], among: set[str]) -> None:
    vocabulary = sorted(among)
    expected = [vocabulary.index(text) if text in among else -1 for text in texts]
    found = distinct.find_strings(pa.array(texts, pa.large_string()), pa.array(vocabulary, pa.large_string()))
    assert found.dtype == np.int32
    assert found.tolist() == expected
