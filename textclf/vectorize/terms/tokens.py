"""Tokenization: texts as words, character n-grams, and n-grams of words, exactly as scikit-learn makes them.

The rules are those of `CountVectorizer.build_analyzer()` in scikit-learn 1.9. They are repeated here because importing
scikit-learn takes a second, which is long for a command that classifies one sentence.
"""

import re
from collections.abc import Callable

from textclf.vectorize.terms.settings import Terms

Analyze = Callable[[str], list[str]]

# An equivalent of the default pattern that is a quarter faster: a maximal run of \w starts and ends at a \b anyway.
FASTER_PATTERNS = {r"(?u)\b\w\w+\b": r"\w\w+"}
WHITE_SPACE = re.compile(r"\s\s+")


def make_analyzer(name: str, settings: Terms) -> Analyze:
    """Return the function that splits a text into its terms, in order and with repetitions.

    `name` is word, char or char_wb. The settings used are `lowercase`, `token_pattern` (what a word is: the whole
    match, or its capturing group if it has one), and `ngram_range` or `char_ngram_range`.
    """
    if name == "word":
        analyze = _word_analyzer(settings.token_pattern, *settings.ngram_range)
    else:
        ngrams = {"char": char_ngrams, "char_wb": char_wb_ngrams}[name]
        low, high = settings.char_ngram_range

        def analyze(text: str) -> list[str]:
            return ngrams(text, low, high)

    return (lambda text: analyze(text.lower())) if settings.lowercase else analyze


def _word_analyzer(pattern: str, low: int, high: int) -> Analyze:
    find_words: Analyze = re.compile(FASTER_PATTERNS.get(pattern, pattern)).findall
    return find_words if high == 1 else lambda text: word_ngrams(find_words(text), low, high)


def word_ngrams(words: list[str], low: int, high: int) -> list[str]:
    """Return the n-grams of `low` to `high` words, joined by spaces: by n, then from left to right."""
    ngrams: list[str] = []
    for n in _lengths(low, high, words):
        ngrams += map(" ".join, zip(*(words[start:] for start in range(n)), strict=False))
    return ngrams


def char_ngrams(text: str, low: int, high: int) -> list[str]:
    """Return the n-grams of `low` to `high` characters, by n, then from left to right.

    Several white space characters in a row count as one space.
    """
    text = WHITE_SPACE.sub(" ", text)
    return [ngram for n in _lengths(low, high, text) for ngram in _substrings(text, n)]


def char_wb_ngrams(text: str, low: int, high: int) -> list[str]:
    """Return the n-grams of `low` to `high` characters inside each word, padded with a space at both ends.

    Words are separated by white space and come in order. A padded word that is shorter than n is returned once, whole.
    """
    ngrams: list[str] = []
    for word in text.split():
        padded = f" {word} "
        for n in range(low, high + 1):
            ngrams += _substrings(padded, n) or [padded]
            if n >= len(padded):
                break
    return ngrams


def _substrings(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(len(text) - length + 1)]


def _lengths(low: int, high: int, sequence: list[str] | str) -> range:
    """Return every n for which the sequence has an n-gram; `high` may be far larger than any text."""
    return range(low, min(high, len(sequence)) + 1)
