"""Columns of texts as arrays: the same values and hashes as texts one by one."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.core import strings
from textclf.core.hashing import fingerprints, normalize_texts
from textclf.core.settings import MAX_SEED

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SOUP = st.text(st.sampled_from("aB z \t\n\x1c\0\x7f\x85\xa0é\u1680İß\u2003\u3000語\ufb01"), max_size=12)
COLUMNS = st.lists(st.one_of(ANY, SOUP, st.text("aB c", max_size=300)), max_size=40)
SEEDS = st.integers(0, MAX_SEED)


@given(COLUMNS, SEEDS, st.data())
def test_a_part_of_a_column_has_the_hashes_of_its_texts(texts: list[str], seed: int, more: st.DataObject) -> None:
    start = more.draw(st.integers(0, len(texts)))
    column, texts = strings.array_of(texts)[start:], texts[start:]
    assert strings.hash_texts(column, seed).tolist() == fingerprints(texts, seed).tolist()
    normalised = fingerprints(normalize_texts(texts), seed)
    assert strings.hash_normalized(column, seed).tolist() == normalised.tolist()


@given(COLUMNS, st.data())
def test_columns_keep_their_texts(texts: list[str], more: st.DataObject) -> None:
    column = strings.array_of(texts)
    column.validate(full=True)
    assert column.to_pylist() == texts
    positions = more.draw(st.lists(st.integers(0, len(texts) - 1), max_size=9)) if texts else []
    assert strings.take(column, np.array(positions, np.int64)).to_pylist() == [texts[place] for place in positions]
    codes, distinct = strings.encode(column)
    assert [distinct[code] for code in codes] == texts
    assert distinct == list(dict.fromkeys(texts))


def test_rows_are_named_by_file_and_number() -> None:
    assert strings.number_rows("é.csv", range(9, 12)).to_pylist() == ["é.csv:9", "é.csv:10", "é.csv:11"]
    assert strings.number_rows("c", np.array([2, 70])).to_pylist() == ["c:2", "c:70"]


@pytest.mark.parametrize("text", ["", "é", "abc"])
def test_a_text_is_repeated(text: str) -> None:
    for count in range(3):
        assert strings.repeat(text, count).to_pylist() == [text] * count


def test_columns_of_tables_and_sequences_become_one_array() -> None:
    chunked = pa.chunked_array([["a"], ["b"]], pa.string())
    for column in (chunked, chunked.chunk(0), chunked[:0], ["a", "b"], chunked.cast(pa.large_string())):
        assert strings.as_array(column).to_pylist() == list(map(str, column))
    assert strings.hash_texts(strings.as_array(chunked.cast(pa.large_string()))).tolist() == (
        fingerprints(["a", "b"]).tolist()
    )
