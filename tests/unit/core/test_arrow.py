"""Columns of Arrow as numpy and Python have them, whatever their type, and whether they are slices or in chunks."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.core import arrow
from textclf.core.hashing import fingerprints, normalize_text
from textclf.core.settings import MAX_SEED

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SOUP = st.text(st.sampled_from("aB z \t\n\x1c\0\x7f\x85\xa0é\u1680İß\u2003\u3000語\ufb01"), max_size=12)
COLUMNS = st.lists(st.one_of(ANY_TEXT, SOUP, st.text("aB c", max_size=300)), max_size=40)
SEEDS = st.integers(0, MAX_SEED)


def test_a_column_of_chunks_becomes_one_and_with_nulls_or_missing_it_is_refused() -> None:
    column = pa.chunked_array([["a", "b"], [], ["c"]], pa.string())
    assert arrow.whole_column(pa.table({"text": column}), "text").to_pylist() == ["a", "b", "c"]
    table = pa.table({"text": ["a", None]})
    with pytest.raises(ValueError, match="nulls"):
        arrow.whole_column(table, "text")
    with pytest.raises(KeyError):
        arrow.whole_column(table, "label")


@given(COLUMNS, SEEDS, st.data())
def test_a_part_of_a_column_has_the_hashes_of_its_texts(texts: list[str], seed: int, more: st.DataObject) -> None:
    start = more.draw(st.integers(0, len(texts)))
    column, texts = arrow.array_of(texts)[start:], texts[start:]
    assert arrow.hash_texts(column, seed).tolist() == fingerprints(texts, seed).tolist()
    normalised = list(map(normalize_text, texts))
    for kind in (pa.string(), pa.large_string()):
        assert arrow.normalize_texts(column.cast(kind)).to_pylist() == normalised
        assert arrow.hash_normalized(column.cast(kind), seed).tolist() == fingerprints(normalised, seed).tolist()


@given(COLUMNS)
def test_columns_keep_their_texts(texts: list[str]) -> None:
    column = arrow.array_of(texts)
    column.validate(full=True)
    assert column.to_pylist() == texts
    codes, distinct = arrow.encode(column)
    assert [distinct[code] for code in codes] == texts
    assert distinct == list(dict.fromkeys(texts))


def test_columns_of_tables_and_sequences_become_one_array() -> None:
    chunked = pa.chunked_array([["a"], ["b"]], pa.string())
    for column in (chunked, chunked.chunk(0), chunked[:0], ["a", "b"], chunked.cast(pa.large_string())):
        assert arrow.as_array(column).to_pylist() == list(map(str, column))
    assert arrow.hash_texts(arrow.as_array(chunked.cast(pa.large_string()))).tolist() == (
        fingerprints(["a", "b"]).tolist()
    )


SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
SPACED = st.lists(st.text(st.sampled_from(SPACES + "ab\x00\x08\x0e\x1b\x7f\u200bé中😀")) | st.text())


@given(st.lists(SPACED))
def test_lengths_are_those_of_split_and_len(chunks: list[list[str]]) -> None:
    words, characters = arrow.count_lengths(pa.chunked_array(chunks, pa.string()))
    texts = [text for chunk in chunks for text in chunk]
    assert words.tolist() == [len(text.split()) for text in texts]
    assert characters.tolist() == list(map(len, texts))
    assert words.dtype == characters.dtype == np.int32
    part = pa.chunked_array(chunks, pa.string())[1:3]
    assert arrow.count_lengths(part)[0].tolist() == words[1:3].tolist()
