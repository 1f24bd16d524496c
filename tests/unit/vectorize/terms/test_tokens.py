"""Tokenization: examples, and any Unicode text against scikit-learn's own analyzers."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.tokens import make_analyzer

DEFAULT_PATTERN = r"(?u)\b\w\w+\b"
PATTERNS = [DEFAULT_PATTERN, r"\w\w+", r"\S+", r"\w*", r".", r"(\w)\w*", r"(a)|b", r"(?i)a+"]


def terms(name: str, text: str, **changes: object) -> list[str]:
    return make_analyzer(name, Terms.model_validate(changes))(text)


def test_char_wb_ngrams_pad_words_with_spaces_and_return_a_short_word_once() -> None:
    assert terms("char_wb", "no, I", char_ngram_range=(3, 4)) == [" no", "no,", "o, ", " no,", "no, ", " i "]
    assert terms("char_wb", "I", char_ngram_range=(5, 9)) == [" i "]
    assert terms("char_wb", " \t", char_ngram_range=(1, 2)) == []


@pytest.mark.parametrize(("name", "expected"), [("char", 5 + 4 + 3 + 2 + 1), ("char_wb", 2 * (4 + 3 + 2 + 1))])
def test_an_n_far_above_the_length_of_the_text_costs_nothing(name: str, expected: int) -> None:
    assert len(terms(name, "ab cd", char_ngram_range=(1, sys.maxsize - 1))) == expected


any_text = st.one_of(
    st.text(max_size=20),
    st.text("aAbß İi\u0307_0é\u0301سلक्中👍🏽\u200d'-.,", max_size=25),
    st.text("ab \t\n\r\x0b\x1c\x1f\x85\xa0\u2028\u3000\u200b\0", max_size=15),
)
ranges = st.tuples(st.integers(1, 4), st.integers(0, 3)).map(lambda pair: (pair[0], sum(pair)))


@given(
    text=any_text,
    name=st.sampled_from(["word", "char", "char_wb"]),
    lengths=ranges,
    pattern=st.sampled_from(PATTERNS),
    lowercase=st.booleans(),
)
def test_terms_are_those_of_scikit_learn_in_their_order(
    text: str, name: str, lengths: tuple[int, int], pattern: str, lowercase: bool
) -> None:
    theirs = CountVectorizer(
        analyzer=name, token_pattern=pattern, ngram_range=(1, 1) if name == "word" else lengths, lowercase=lowercase
    )
    changes = {"token_pattern": pattern, "char_ngram_range": lengths, "lowercase": lowercase}
    assert terms(name, text, **changes) == theirs.build_analyzer()(text)


def test_every_character_is_a_word_character_or_separator_as_in_scikit_learn() -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    text = "".join(f"{character}a{character}{character} " for character in characters)
    assert terms("word", text) == CountVectorizer().build_analyzer()(text)
