"""Words of ASCII texts and their n-grams, found by arithmetic on the bytes of all texts at once.

A word is a longest run of word characters (letters, digits and underscores) or of all characters but white space. A
word becomes a number without ever being a string: by its first eight bytes, which are an integer; a longer one by the
number of those and the next eight bytes, and so on. Nothing is hashed, so different words have different numbers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.core.arrow import Strings, from_bytes, to_bytes
from textclf.vectorize.terms.distinct import Numbers, number_values
from textclf.vectorize.terms.settings import Terms

LONG = 64  # bytes of a word that are read eight at a time; the few longer words are compared as Python's bytes
MASKS = np.array([2 ** (8 * length) - 1 for length in range(9)], dtype=np.uint64)  # of the bytes of a short word


class Runs(NamedTuple):
    """Words that are runs of at least `least` characters, each of which matches `character`."""

    character: str
    least: int


# Token patterns that mean longest runs. \b changes nothing: such a run of \w begins and ends at one.
PATTERNS = {
    r"\b\w\w+\b": Runs(r"\w", 2),
    r"\w\w+": Runs(r"\w", 2),
    r"\b\w+\b": Runs(r"\w", 1),
    r"\w+": Runs(r"\w", 1),
    r"\S+": Runs(r"\S", 1),
}


@dataclass(frozen=True)
class Words:
    """The words of texts, in order.

    `content`: the bytes of all texts, in lowercase if that is wanted, and at least eight bytes more. `starts` and
    `lengths`: (words,) in `content`. `counts`: (texts,) the number of words in each text.
    """

    content: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    counts: NDArray[np.int64]


class Ngrams(NamedTuple):
    """The n-grams of one n: distinct ones; the number of each occurrence among those; the occurrences in each text."""

    strings: Strings
    numbers: Numbers
    counts: NDArray[np.int64]


def runs_of(pattern: str) -> Runs | None:
    """Return which runs of characters a token pattern matches; None for a pattern that must be left to `re`."""
    return PATTERNS.get(pattern.removeprefix("(?u)"))


def find_ngrams(texts: Strings, runs: Runs, settings: Terms) -> tuple[list[Ngrams], NDArray[np.bool_]]:
    """Return the n-grams of words of the ASCII texts, for each n of `ngram_range`, and which texts those are.

    `texts` is an array of strings without nulls. A text that is not ASCII, or contains NUL, has no n-grams here.
    """
    words, is_ascii = split_words(texts, runs, lowercase=settings.lowercase)
    return list(number_ngrams(words, *settings.ngram_range)), is_ascii


def split_words(texts: Strings, runs: Runs, *, lowercase: bool) -> tuple[Words, NDArray[np.bool_]]:
    """Return the words of the ASCII texts without NUL, and a mask of those texts: (texts,)."""
    offsets, raw = to_bytes(texts)
    size = len(raw)
    content = np.frombuffer(b"".join((raw.data, bytes(8))).translate(_table(runs.character, lowercase)), dtype=np.uint8)
    is_word = content[: size + 1] != 0
    is_ascii = np.ones(len(texts), dtype=np.bool_)
    is_strange = raw.view(np.int8) <= 0  # above 127, or NUL, which stands for what is in no word
    if is_strange.any():
        is_full = np.diff(offsets) > 0
        is_ascii[is_full] = ~np.logical_or.reduceat(is_strange, offsets[:-1][is_full])
        is_word[:size] &= np.repeat(is_ascii, np.diff(offsets))
    continues = np.zeros(size + 2, dtype=np.bool_)  # whether a character and the one before it are of one word
    np.logical_and(is_word[1:], is_word[:-1], out=continues[1:-1])
    continues[offsets] = False
    if runs.least == 1:
        starts = np.flatnonzero(is_word > continues[:-1])
        lengths = np.flatnonzero(is_word > continues[1:]) - starts + 1
    else:
        changes = np.flatnonzero(continues[1:] != continues[:-1])  # by turns the first and the last letter of a word
        starts = changes[::2].copy()
        lengths = changes[1::2] - starts + 1
    counts = np.diff(np.searchsorted(starts, offsets))
    return Words(content, starts, lengths, counts), is_ascii


@cache
def _table(character: str, lowercase: bool) -> bytes:
    """Return what each byte becomes: the character, if it matches `character` and is ASCII, else NUL."""
    letters = [chr(code) if re.fullmatch(character, chr(code)) else "\0" for code in range(128)]
    return "".join(letter.lower() if lowercase else letter for letter in letters).encode() + bytes(128)


def number_ngrams(words: Words, low: int, high: int) -> Iterator[Ngrams]:
    """Yield the n-grams for each n from `low` to `high` that occurs.

    N-grams are equal as strings if and only if all their words are, because no word contains a space.
    """
    numbers, examples = number_words(words)
    if low == 1 and len(numbers):
        yield Ngrams(join_words(words, examples, 1), numbers, words.counts)
    count = len(examples)
    first, left, prefixes = np.arange(0), np.arange(0), numbers
    for n in range(2, high + 1):
        if n == 2:
            first = np.arange(len(numbers))  # the word with which each n-gram begins
            left = np.repeat(np.cumsum(words.counts), words.counts) - first  # words from there to the end of the text
        is_whole = left >= n
        first, left = first[is_whole], left[is_whole]
        if not len(first):
            return
        pairs = prefixes[is_whole].astype(np.int64) * count + numbers[first + (n - 1)]
        prefixes, distinct = number_values(pairs)
        if n >= low:
            examples = np.empty(distinct, dtype=np.int64)
            examples[prefixes] = first
            yield Ngrams(join_words(words, examples, n), prefixes, np.maximum(words.counts - (n - 1), 0))


def number_words(words: Words) -> tuple[Numbers, NDArray[np.int64]]:
    """Return the number of each word among the distinct ones, and of each distinct one the index of an occurrence."""
    numbers, bound = number_values(_eight_bytes(words.content, words.starts, words.lengths))
    longer = np.flatnonzero(words.lengths > 8)
    prefixes = numbers[longer]
    numbers = numbers.copy() if len(longer) else numbers
    done = 8
    while len(longer) and done < LONG:
        starts, lengths = words.starts[longer] + done, words.lengths[longer] - done
        following, count = number_values(_eight_bytes(words.content, starts, lengths))
        prefixes, count = number_values(prefixes.astype(np.int64) * count + following)
        numbers[longer] = prefixes + np.int32(bound)
        bound += count
        longer, prefixes = longer[lengths > 8], prefixes[lengths > 8]
        done += 8
    known: dict[bytes, int] = {}
    for index, start, length in zip(longer, words.starts[longer], words.lengths[longer], strict=True):
        numbers[index] = known.setdefault(words.content[start : start + length].tobytes(), bound + len(known))
    examples = np.full(bound + len(known), -1)
    examples[numbers] = np.arange(len(numbers))
    is_used = examples >= 0  # not by the beginnings of longer words
    return (np.cumsum(is_used, dtype=np.int32) - np.int32(1))[numbers], examples[is_used]


def _eight_bytes(
    content: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Return up to eight bytes of each word as an integer, different for all different ones: no byte is 0."""
    everywhere = np.ndarray((len(content) - 7,), dtype="<u8", buffer=content, strides=(1,))
    return everywhere[starts] & MASKS.take(lengths, mode="clip")


def join_words(words: Words, first: NDArray[np.int64], n: int) -> Strings:
    """Return the n-grams of `n` words that begin with the given words, joined by spaces."""
    content = np.append(words.content, np.uint8(ord(" ")))
    starts = np.full((len(first), 2 * n - 1), len(content) - 1)
    lengths = np.ones_like(starts)
    starts[:, ::2] = words.starts[first[:, np.newaxis] + np.arange(n)]
    lengths[:, ::2] = words.lengths[first[:, np.newaxis] + np.arange(n)]
    after = np.cumsum(lengths)
    places = np.repeat(starts.ravel() - after + lengths.ravel(), lengths.ravel())
    places += np.arange(len(places))
    return from_bytes(content[places], lengths.sum(axis=1))
