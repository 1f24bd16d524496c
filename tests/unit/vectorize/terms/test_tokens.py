"""Tokenization: examples, and every character against scikit-learn; any text is compared in test_counts.py."""

import sys

import pytest
from sklearn.feature_extraction.text import CountVectorizer

from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.tokens import make_analyzer


def terms(name: str, text: str, **changes: object) -> list[str]:
    return make_analyzer(name, Terms.model_validate(changes))(text)


def test_char_wb_ngrams_pad_words_with_spaces_and_return_a_short_word_once() -> None:
    assert terms("char_wb", "no, I", char_ngram_range=(3, 4)) == [" no", "no,", "o, ", " no,", "no, ", " i "]
    assert terms("char_wb", "I", char_ngram_range=(5, 9)) == [" i "]
    assert terms("char_wb", " \t", char_ngram_range=(1, 2)) == []


@pytest.mark.parametrize(("name", "expected"), [("char", 5 + 4 + 3 + 2 + 1), ("char_wb", 2 * (4 + 3 + 2 + 1))])
def test_an_n_far_above_the_length_of_the_text_costs_nothing(name: str, expected: int) -> None:
    assert len(terms(name, "ab cd", char_ngram_range=(1, sys.maxsize - 1))) == expected


def test_every_character_is_a_word_character_or_separator_as_in_scikit_learn() -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    text = "".join(f"{character}a{character}{character} " for character in characters)
    assert terms("word", text) == CountVectorizer().build_analyzer()(text)
