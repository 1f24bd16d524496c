"""Texts as terms: words, runs of letters, and n-grams of them, to the letter and in the order of scikit-learn.

The rules are those of `CountVectorizer.build_analyzer()` in scikit-learn 1.9, without its import of a second, which a
command that classifies one sentence would otherwise wait for.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textclf.params import Vectorize

Analyze = Callable[[str], list[str]]

# The same words, a quarter faster: a run of \w that is taken whole begins and ends at a \b by itself.
FASTER = {r"(?u)\b\w\w+\b": r"\w\w+"}
SPACES = re.compile(r"\s\s+")


def analyzer(name: str, settings: "Vectorize") -> Analyze:
    """What gives the terms of a text, in order and as often as they stand in it: `word`, `char` or `char_wb`.

    `settings` say whether texts are lowercased first, what a word is (`token_pattern`; its capturing group, if it has
    one), and how many words or letters a term may have.
    """
    if name == "word":
        terms = _words(settings.token_pattern, *settings.ngram_range)
    else:
        grams = {"char": char_ngrams, "char_wb": char_wb_ngrams}[name]
        low, high = settings.char_ngram_range

        def terms(text: str) -> list[str]:
            return grams(text, low, high)

    return (lambda text: terms(text.lower())) if settings.lowercase else terms


def _words(pattern: str, low: int, high: int) -> Analyze:
    find: Analyze = re.compile(FASTER.get(pattern, pattern)).findall
    return find if high == 1 else lambda text: word_ngrams(find(text), low, high)


def word_ngrams(words: list[str], low: int, high: int) -> list[str]:
    """The runs of `low` to `high` words, joined by spaces: shorter ones first, each length from left to right."""
    grams: list[str] = []
    for length in _lengths(low, high, words):
        grams += map(" ".join, zip(*(words[start:] for start in range(length)), strict=False))
    return grams


def char_ngrams(text: str, low: int, high: int) -> list[str]:
    """The runs of `low` to `high` characters, each stretch of white space taken as one space; in order as of words."""
    text = SPACES.sub(" ", text)
    return [run for length in _lengths(low, high, text) for run in _runs(text, length)]


def char_wb_ngrams(text: str, low: int, high: int) -> list[str]:
    """The runs of characters within each word, a space before and after it; a word too short for a length once whole.

    Words are what stands between white space, one after the other.
    """
    grams: list[str] = []
    for bare in text.split():
        word = f" {bare} "
        for length in range(low, high + 1):
            grams += _runs(word, length) or [word]
            if length >= len(word):
                break
    return grams


def _runs(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(len(text) - length + 1)]


def _lengths(low: int, high: int, whole: list[str] | str) -> range:
    """The lengths of n-grams for which `whole` is long enough; the settings may allow ever so long ones."""
    return range(low, min(high, len(whole)) + 1)
