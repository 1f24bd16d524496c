"""Columns of Arrow of any type as numpy and Python have them, slices and chunks too."""

import mmh3
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.core import arrow
from textclf.core.arrow import fingerprints, normalize_text
from textclf.core.settings import MAX_SEED

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SOUP = st.text(
    st.sampled_from("aB z \t\n\x1c\0\x7f\x85\xa0é\u1680İß\u2003\u3000語\ufb01"), max_size=12
)
COLUMNS = st.lists(st.one_of(ANY_TEXT, SOUP, st.text("aB c", max_size=300)), max_size=40)
SEEDS = st.integers(0, MAX_SEED)
# Letters, white space and line ends of all kinds, and NUL.
MIXED = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    st.sampled_from("aB \t\n\x0b\x1c\x1f\0é\u3000\u0085"), max_size=6
)


def test_a_column_of_chunks_becomes_one_and_with_nulls_or_missing_it_is_refused() -> None:
    column = pa.chunked_array([["a", "b"], [], ["c"]], pa.string())
    assert arrow.whole_column(pa.table({"text": column}), "text").to_pylist() == ["a", "b", "c"]
    table = pa.table({"text": ["a", None]})
    with pytest.raises(ValueError, match="nulls"):
        arrow.whole_column(table, "text")
    with pytest.raises(KeyError):
        arrow.whole_column(table, "label")


@given(st.lists(MIXED | st.text("ab:1", max_size=9)), st.sampled_from([1, 2]))
def test_texts_of_numpy_become_an_array(texts: list[str], step: int) -> None:
    for given_texts in (np.array(texts, dtype=str), np.array(texts, dtype=object)):
        array = arrow.array_of_texts(given_texts[::step])
        assert array.type == pa.string()
        assert array.to_pylist() == given_texts[::step].tolist()


@given(COLUMNS, SEEDS, st.data())
def test_a_part_of_a_column_has_the_hashes_of_its_texts(
    texts: list[str], seed: int, more: st.DataObject
) -> None:
    start = more.draw(st.integers(0, len(texts)))
    column, texts = arrow.array_of(texts)[start:], texts[start:]
    assert arrow.hash_texts(column, seed).tolist() == fingerprints(texts, seed).tolist()
    normalised = list(map(normalize_text, texts))
    for kind in (pa.string(), pa.large_string()):
        assert arrow.normalize_texts(column.cast(kind)).to_pylist() == normalised
        assert (
            arrow.hash_normalized(column.cast(kind), seed).tolist()
            == fingerprints(normalised, seed).tolist()
        )


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
    for column in (
        chunked,
        chunked.chunk(0),
        chunked[:0],
        ["a", "b"],
        chunked.cast(pa.large_string()),
    ):
        assert arrow.as_array(column).to_pylist() == list(map(str, column))
    assert arrow.hash_texts(arrow.as_array(chunked.cast(pa.large_string()))).tolist() == (
        fingerprints(["a", "b"]).tolist()
    )


SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
SPACED = st.lists(
    st.text(st.sampled_from(SPACES + "ab\x00\x08\x0e\x1b\x7f\u200bé中😀")) | st.text()
)


@given(st.lists(SPACED))
def test_lengths_are_those_of_split_and_len(chunks: list[list[str]]) -> None:
    words, characters = arrow.count_lengths(pa.chunked_array(chunks, pa.string()))
    texts = [text for chunk in chunks for text in chunk]
    assert words.tolist() == [len(text.split()) for text in texts]
    assert characters.tolist() == list(map(len, texts))
    assert words.dtype == characters.dtype == np.int32
    part = pa.chunked_array(chunks, pa.string())[1:3]
    assert arrow.count_lengths(part)[0].tolist() == words[1:3].tolist()


@given(st.lists(MIXED, max_size=8), st.integers(0, 2**32 - 1))
def test_a_fingerprint_is_the_first_half_of_murmurhash3(texts: list[str], seed: int) -> None:
    expected = [
        int.from_bytes(mmh3.mmh3_x64_128_digest(text.encode(), seed)[:8], "little")
        for text in texts
    ]
    assert (
        fingerprints(texts, seed).tolist()
        == fingerprints([text.encode() for text in texts], seed).tolist()
        == expected
    )
    assert fingerprints(texts).dtype == np.uint64


def test_fingerprints_never_change() -> None:
    # Written down: the splits of a corpus must be the same in every version and on every machine.
    assert fingerprints(["good", "é", ""]).tolist() == [
        12498419129940756094,
        14490466646156927976,
        0,
    ]


def test_a_normalized_text_has_no_case_no_forms_and_single_spaces() -> None:
    for text in (
        "Good food",
        "  Good\tfood\n",
        "Good\u00a0\u3000food",
        "\uff27\uff4f\uff4f\uff24 food",
    ):
        assert normalize_text(text) == "good food"
    for mark in "\u00ad\u200b\u200d\u2060\ufe0f\ufeff\U000e0100":
        assert normalize_text(f"{mark} Good{mark} fo{mark}od") == "good food"
    changed = {"Stra\u00dfe": "strasse", "\ufb01ne": "fine", "cafe\u0301": "caf\u00e9"}
    for text, expected in (
        changed | {same: same for same in ("good food.", "goodfood", "")}
    ).items():
        assert normalize_text(text) == expected
