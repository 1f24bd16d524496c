"""Words found by their bytes are those that scikit-learn finds in the same texts."""

import itertools
import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from tests.unit.vectorize.terms.corpora import TEXTS
from textclf.core.arrow import to_bytes
from textclf.vectorize.terms import ascii_words
from textclf.vectorize.terms.settings import Terms

PATTERNS = [prefix + pattern for pattern in ascii_words.PATTERNS for prefix in ("", "(?u)")]
KINDS = [pa.string(), pa.large_string()]
LENGTHS = [1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 72, 73, 200]


def counted(texts: pa.Array, settings: Terms) -> list[Counter[str] | None]:
    """Return the terms of each text with their counts, None if the text is left to the regular expression."""
    runs = ascii_words.runs_of(settings.token_pattern)
    assert runs is not None
    ngrams, is_ascii = ascii_words.find_ngrams(texts, runs, settings)
    found: list[Counter[str]] = [Counter() for _ in range(len(texts))]
    for strings, numbers, counts in ngrams:
        terms = strings.to_pylist()
        assert len(set(terms)) == len(terms)
        assert sorted(set(numbers.tolist())) == list(range(len(terms)))
        for text, number in zip(np.repeat(np.arange(len(texts)), counts).tolist(), numbers.tolist(), strict=True):
            found[text][terms[number]] += 1
    return [each if known else None for each, known in zip(found, is_ascii.tolist(), strict=True)]


def expected(texts: list[str], settings: Terms) -> list[Counter[str] | None]:
    analyze = CountVectorizer(
        token_pattern=settings.token_pattern, lowercase=settings.lowercase, ngram_range=settings.ngram_range
    ).build_analyzer()
    return [Counter(analyze(text)) if text.isascii() and "\0" not in text else None for text in texts]


def params(**changes: object) -> Terms:
    return Terms.model_validate(changes)


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_byte_is_part_of_a_word_or_not_as_in_the_regular_expression(pattern: str, lowercase: bool) -> None:
    letters = [chr(code) for code in range(1, 128)]
    texts = [f"{letter}a{letter}{letter} B{letter}b" for letter in letters]
    texts += ["".join(texts), *letters, *map("".join, itertools.pairwise(letters))]
    settings = params(token_pattern=pattern, lowercase=lowercase)
    assert counted(pa.array(texts), settings) == expected(texts, settings)


@given(
    texts=st.lists(
        st.one_of(
            TEXTS,
            st.text("abAB_09 .'\x1c\x7f", max_size=30),
            st.lists(st.sampled_from(LENGTHS), max_size=4).map(lambda lengths: " ".join("x" * n for n in lengths)),
        ),
        max_size=8,
    ),
    pattern=st.sampled_from(PATTERNS),
    lowercase=st.booleans(),
    ngrams=st.tuples(st.integers(1, 3), st.integers(0, 3)),
    kind=st.sampled_from(KINDS),
)
def test_terms_are_those_of_scikit_learn(
    texts: list[str], pattern: str, lowercase: bool, ngrams: tuple[int, int], kind: pa.DataType
) -> None:
    settings = params(token_pattern=pattern, lowercase=lowercase, ngram_range=(ngrams[0], sum(ngrams)))
    column = pa.array(["before", *texts, "after"], kind).slice(1, len(texts))
    assert counted(column, settings) == expected(texts, settings)


@pytest.mark.parametrize("pattern", [r"\w\w+", r"\w+", r"\S+"])
def test_a_word_ends_with_its_text(pattern: str) -> None:
    texts = ["good", "food", "", "a", "", "b", "cd ef", "gh", " ", "ij"]
    settings = params(token_pattern=pattern, ngram_range=(1, 2))
    assert counted(pa.array(texts), settings) == expected(texts, settings)


@pytest.mark.parametrize("length", LENGTHS)
def test_words_that_differ_in_one_letter_differ(length: int) -> None:
    words = ["a" * length, *("a" * place + "b" + "a" * (length - place - 1) for place in range(length))]
    words += [f"{word}{end}" for word in words for end in ("a", "aaaaaaaa")]
    every_run = r"\w+"
    (found,) = counted(pa.array([" ".join(words)]), params(token_pattern=every_run))
    assert found == Counter(words)


def test_a_word_of_a_million_letters_is_a_word() -> None:
    texts = ["ab" * 500_000, "ab" * 500_000 + "c ab", "ab"]
    assert counted(pa.array(texts), params()) == expected(texts, params())


def test_an_n_far_above_the_length_of_a_text_costs_nothing() -> None:
    settings = params(ngram_range=(1, 2**62))
    assert counted(pa.array(["ab cd", ""]), settings) == expected(["ab cd", ""], settings)


@pytest.mark.parametrize("pattern", [r"(?u)\b\w\w\w+\b", r"(\w+)", r"(?i)\w+", r"[a-z]+", r"\b\S+\b", r"\w*", ""])
def test_other_patterns_are_left_to_the_regular_expression(pattern: str) -> None:
    assert ascii_words.runs_of(pattern) is None


def test_the_patterns_mean_longest_runs() -> None:
    text = "".join(f"{chr(code)}a{chr(code)}{chr(code)} " for code in range(1, 128))
    for pattern, runs in ascii_words.PATTERNS.items():
        assert re.findall(pattern, text) == re.findall(f"{runs.character}{{{runs.least},}}", text)


def test_the_bytes_of_a_slice_are_its_own() -> None:
    offsets, raw = to_bytes(pa.array(["ab", "c", "", "def"]).slice(1, 2))
    assert (offsets.tolist(), raw.tobytes()) == ([0, 1, 1], b"c")
