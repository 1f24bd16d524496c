"""Tokenization: texts as words or character n-grams, exactly as scikit-learn makes them.

The rules are those of `CountVectorizer.build_analyzer()` in scikit-learn 1.9, whose import takes a
second.
"""

import re
from collections.abc import Callable
from functools import partial

from textclf.vectorize.terms.settings import Terms

Analyze = Callable[[str], list[str]]

# An equivalent of the default pattern that is a quarter faster: a maximal run of \w starts and ends
# at a \b anyway.
FASTER_PATTERNS = {r"(?u)\b\w\w+\b": r"\w\w+"}
WHITE_SPACE = re.compile(r"\s\s+")
# What a pattern may consist of in `is_within_runs`: flags, groups, lookarounds, repetitions, \b,
# and any one character.
PART = r"""\(\?(?:[aimsu]+\)|:|<?[=!])|\((?!\?)|[)|?*+]|\{[\d,]*\}|\\b|
    (?P<one>\\(?:[wWdDsS]|[^0-9A-Za-z])|\[\^?+\]?+(?:\\.|(?!([&~|-])\2)[^]\\[])*\]
    |[^]\\[(){}^$?*+|])"""


def make_analyzer(name: str, settings: Terms) -> Analyze:
    """Return the function that splits a text into its words or letter n-grams.

    They come in order and with repetitions. `name` is word, char or char_wb. A word is a match of
    `token_pattern`, or its capturing group if it has one.
    """
    if name == "word":
        pattern = FASTER_PATTERNS.get(settings.token_pattern, settings.token_pattern)
        analyze: Analyze = re.compile(pattern).findall
    else:
        low, high = settings.char_ngram_range
        ngrams = {"char": char_ngrams, "char_wb": char_wb_ngrams}[name]
        analyze = partial(ngrams, low=low, high=high)
    return (lambda text: analyze(text.lower())) if settings.lowercase else analyze


def is_within_runs(name: str, settings: Terms) -> bool:
    """Return whether the terms of a text are those of its runs between spaces.

    It is False also where this is not clear. For words, they are if each part of the pattern is
    known and matches no space, since borders and lookarounds then see a space as they see an end;
    and if the whole pattern has no empty match between spaces.
    """
    if name != "word":
        return name == "char_wb"
    pattern = settings.token_pattern
    if re.fullmatch(f"(?:{PART})*", pattern, re.VERBOSE) is None:
        return False
    ones = (part["one"] for part in re.finditer(PART, pattern, re.VERBOSE))
    matches_space = any(one and re.match(one, " ") for one in ones)
    return not matches_space and not re.search(pattern, "  ")


def char_ngrams(text: str, low: int, high: int) -> list[str]:
    """Return the n-grams of `low` to `high` characters, by n, then by position.

    Several white spaces count as one.
    """
    text = WHITE_SPACE.sub(" ", text)
    return [ngram for n in range(low, min(high, len(text)) + 1) for ngram in _substrings(text, n)]


def char_wb_ngrams(text: str, low: int, high: int) -> list[str]:
    """Return the n-grams of `low` to `high` characters inside each word.

    A word is padded with a space at both ends. Words are separated by white space and come in
    order. A padded word that is shorter than n is returned once, whole.
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
