"""Properties of texts, computed for whole columns, as Python finds them in each text."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.evaluate.slices import texts

SOME = ["good", "Bad", "not", "a1", "café", "don't", "ok.", "--", "THE", "中文", " "]
WORDS = st.lists(st.sampled_from(SOME), max_size=12)
COLUMN = st.lists(st.lists(WORDS.map(" ".join), max_size=5), max_size=3)


def column(*chunks: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array(list(chunks), pa.string())


def test_words_are_counted_in_bands_that_hold_their_upper_end() -> None:
    lengths = [1, 4, 5, 8, 9, 16, 17, 256, 257, 1000]
    codes = texts.by_words(column([" ".join(["w"] * n) for n in lengths]))
    assert [texts.WORD_BANDS[code] for code in codes] == [
        *("1 to 4", "1 to 4", "5 to 8", "5 to 8", "9 to 16", "9 to 16", "17 to 32"),
        *("129 to 256", "257 or more", "257 or more"),
    ]


NEGATIONS = [
    "not good",
    "It was NOT good",
    "never again",
    "I don't know",
    "I don\u2019t know",
    "i dont know",
    "nothing",
]
NO_NEGATIONS = ["a knot, a note, noted, want, giant", "annotation", "éno", "great food"]


@pytest.mark.parametrize(
    ("pattern", "found", "others"),
    [
        (texts.NEGATION, NEGATIONS, NO_NEGATIONS),
        (texts.CAPITALS, ["the BEST", "ÜBER"], ["SO good", "McDONald DVDs"]),
        (texts.DIGITS, ["5 stars", "\u0663"], ["five stars"]),
    ],
    ids=["negation", "capitals", "digits"],
)
def test_patterns_find_what_they_are_for(pattern: str, found: list[str], others: list[str]) -> None:
    assert texts.by_pattern(column([*found, *others, ""]), pattern).tolist() == [1] * len(found) + [0] * (
        len(others) + 1
    )


def test_columns_without_rows_or_in_chunks_are_no_special_case() -> None:
    assert texts.by_pattern(column(), texts.DIGITS).tolist() == []
    assert texts.by_pattern(column(["1", "a"], [], ["2"]), texts.DIGITS).tolist() == [1, 0, 1]
    assert texts.by_pattern(column(["a", "1", "2"]).slice(1), texts.DIGITS).tolist() == [1, 1]


def words(text: str) -> list[str]:
    lower = "".join(letter.lower() if letter.isascii() else letter for letter in text)
    return re.findall(r"[a-z0-9\x80-\U0010ffff]+", lower)


@given(COLUMN, COLUMN)
def test_unknown_words_are_those_that_no_training_text_has(train: list[list[str]], test: list[list[str]]) -> None:
    known = {word for chunk in train for text in chunk for word in words(text)}
    found = texts.words_of(column(*train))
    assert found == {word.encode() for word in known}
    codes = texts.by_unknown_words(column(*test), found)
    shares = [
        sum(word not in known for word in words(text)) / max(len(words(text)), 1) for chunk in test for text in chunk
    ]
    assert codes.tolist() == np.searchsorted(texts.SHARES, shares).tolist()


@given(st.lists(st.text(max_size=8), max_size=6))
def test_words_of_any_text_are_found_within_it_alone(some: list[str]) -> None:
    assert texts.words_of(column(some)) == texts.words_of(column(*[[text] for text in some]))
