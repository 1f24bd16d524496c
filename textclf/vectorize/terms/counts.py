"""Term counts of texts, presence and tf-idf, equal to those of scikit-learn to the bit.

Of a column of Arrow, each distinct run between spaces is split into terms once if its terms are
those of the text.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from textclf.core.arrow import numbers_of
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.tokens import Analyze, is_within_runs, make_analyzer

if TYPE_CHECKING:
    import pyarrow as pa

Ints = NDArray[Any]  # of 32 or 64 bits
# Strings; positions among them of those found in each text, one text after the other; the bounds of
# each text.
Found = tuple[list[str], Ints, Ints]
# The column of a term that is not in the vocabulary.
UNKNOWN = -1


class Counted(NamedTuple):
    """Counts of the terms of texts."""

    # The distinct terms, sorted, or with hashing their distinct columns.
    terms: "list[str] | pa.LargeStringArray | NDArray[np.int32]"
    counts: csr_array  # (texts, terms)


def count_terms(texts: "Sequence[str] | pa.StringArray", analyzer: str, settings: Terms) -> Counted:
    """Return the terms of the texts and their counts in each text, 1 if weighting is binary."""
    counted = _count(*find_terms(texts, analyzer, settings), settings.hashing)
    if settings.weighting == "binary":
        counted.counts.data[:] = 1
    return counted


def count_by(texts: Sequence[str], analyze: Analyze) -> Counted:
    """Return the terms that a function finds in each text, and their counts."""
    return _count(*_find(texts, analyze), None, None)


def find_terms(
    texts: "Sequence[str] | pa.StringArray", analyzer: str, settings: Terms
) -> tuple[list[str], Ints, Ints, csr_array | None]:
    """Return the terms, some perhaps twice, and where they occur, as `Found`.

    Terms of runs come with the counts of the runs (texts, runs).
    """
    runs = None
    if not isinstance(texts, Sequence):
        texts, runs = _split(texts, is_within_runs(analyzer, settings))
    strings, positions, bounds = _find(texts, make_analyzer(analyzer, settings))
    if analyzer == "word" and settings.ngram_range[1] > 1:
        if runs is not None:
            # The words of one run after the other.
            words = _in_rows(positions, bounds, len(strings))[runs.indices]
            positions, bounds, runs = words.indices, words.indptr[runs.indptr], None
        low, high = settings.ngram_range
        strings, positions, bounds = _join_neighbours(strings, positions, bounds, low, high)
    return strings, positions, bounds, runs


def _split(texts: "pa.StringArray", at_spaces: bool) -> tuple[list[str], csr_array | None]:
    """Return the distinct runs up to a space, with it, and their counts (texts, runs).

    Returns the texts and None unless they are to be split `at_spaces`.
    """
    import pyarrow as pa

    if not at_spaces:
        return texts.to_pylist(), None
    texts = texts.cast(pa.large_string())
    _, offsets, content = texts.buffers()
    bounds = np.frombuffer(offsets, np.int64)[texts.offset :][: len(texts) + 1]
    is_start = np.zeros(bounds[-1] + 1, bool)
    np.equal(np.frombuffer(content, np.uint8)[: bounds[-1]], ord(" "), out=is_start[1:])
    is_start[: bounds[0]], is_start[bounds] = False, True
    starts = np.flatnonzero(is_start)
    runs = pa.LargeStringArray.from_buffers(len(starts) - 1, pa.py_buffer(starts), content)
    encoded = runs.dictionary_encode()
    distinct, positions = encoded.dictionary.to_pylist(), numbers_of(encoded.indices)
    return distinct, _in_rows(positions, np.searchsorted(starts, bounds), len(distinct))


def _find(texts: Sequence[str], find: Analyze) -> Found:
    """Return what a function finds in each text.

    The strings of one text are freed before the next is split, so that memory holds four bytes per
    occurrence.
    """
    # The position of each string, by its first occurrence.
    position: defaultdict[str, int] = defaultdict(count().__next__)
    lengths = [0]

    def positions_of(text: str) -> Any:
        strings = find(text)
        lengths.append(len(strings))
        return map(position.__getitem__, strings)

    positions = np.fromiter(chain.from_iterable(map(positions_of, texts)), dtype=np.int32)
    return list(position), positions, np.cumsum(lengths)


def _join_neighbours(words: list[str], positions: Ints, bounds: Ints, low: int, high: int) -> Found:
    """Return the n-grams of `low` to `high` words of each text, joined by spaces.

    Each distinct n-gram is made once, from an n-gram of a word less and a word. Words with spaces
    may make one twice.
    """
    starts = np.arange(len(positions))
    # The number of words from each to the end of its text.
    left = np.repeat(bounds[1:], np.diff(bounds)) - starts
    n, ngrams, codes = 1, words, positions.astype(np.int64)
    strings, blocks = list[str](), [_in_rows(codes[:0], bounds * 0, 0)]
    while True:
        if n >= low:
            strings += ngrams
            blocks.append(_in_rows(codes, np.searchsorted(starts, bounds), len(ngrams)))
        is_followed = left[starts] > n
        if n == high or not is_followed.any():
            joined: Any = hstack(blocks, format="csr")
            return strings, joined.indices, joined.indptr
        starts = starts[is_followed]
        # One number for an n-gram and the word after it.
        pair_codes = codes[is_followed] * len(words) + positions[starts + n]
        distinct, codes = np.unique(pair_codes, return_inverse=True)
        firsts, lasts = (part.tolist() for part in np.divmod(distinct, len(words)))
        pairs = zip(firsts, lasts, strict=True)
        ngrams = [f"{ngrams[first]} {words[last]}" for first, last in pairs]
        n += 1


def _count(
    strings: list[str], positions: Ints, bounds: Ints, runs: csr_array | None, hashing: int | None
) -> Counted:
    """Return terms and counts from what was found in texts, or in their runs.

    Those of runs are added up by the counts of the runs in texts.
    """
    terms: Any
    if hashing is not None:
        terms, columns = np.unique(hash_terms(strings, hashing), return_inverse=True)
    else:
        terms = sorted(set(strings))
        column = dict(zip(terms, count(), strict=False))
        columns = np.fromiter(map(column.__getitem__, strings), dtype=np.int32, count=len(strings))
    counts = _in_rows(columns[positions], bounds, len(terms))
    if runs is not None:
        counts = runs @ counts
    counts.sum_duplicates()
    return Counted(terms, counts)


def _in_rows(columns: Ints, bounds: Ints, width: int) -> csr_array:
    """Return ones in these columns, with the bounds of each row among them."""
    index = np.int32 if len(columns) < 2**31 else np.int64  # as scikit-learn's
    ones = np.ones(len(columns), np.int32)
    parts = (ones, columns.astype(index, copy=False), bounds.astype(index))
    return csr_array(parts, shape=(len(bounds) - 1, width))


def hash_terms(terms: Sequence[str], width: int) -> NDArray[np.int32]:
    """Return the column of each term: |MurmurHash3 (32 bits) of its UTF-8| modulo `width`.

    Weinberger et al. (2009), doi:10.1145/1553374.1553516, without signs: naive Bayes needs
    non-negative weights.
    """
    from mmh3 import hash as murmur

    hashes = np.fromiter(map(murmur, terms), dtype=np.int64, count=len(terms))
    # scikit-learn treats -2^31, which has no absolute value in 32 bits, as 2^31; 64 bits do the
    # same.
    return (np.abs(hashes) % width).astype(np.int32)


def remap_columns(counts: csr_array, columns: NDArray[np.int32], width: int) -> csr_array:
    """Return the counts with column j moved to `columns[j]`, which ascend.

    Columns that are `UNKNOWN` are dropped.
    """
    indices = columns[counts.indices]
    known = np.flatnonzero(indices != UNKNOWN)
    indptr = np.searchsorted(known, counts.indptr).astype(counts.indptr.dtype)
    parts = (counts.data[known].astype(np.int64), indices[known], indptr)
    return csr_array(parts, shape=(counts.shape[0], width))


def tfidf(counts: csr_array, idf: NDArray[np.float64], sublinear: bool) -> csr_array:
    """Return count x idf, or (1 + ln count) x idf if `sublinear`, in rows of length 1.

    Empty rows stay empty.
    """
    weights = counts.data.astype(np.float64)
    if sublinear:
        # The logarithm of the C library is the same on every worker's CPU; that of numpy is only if
        # textclf was imported before numpy.
        distinct, position = np.unique(counts.data, return_inverse=True)
        weights = np.array([math.log(number) + 1.0 for number in distinct.tolist()])[position]
    weights *= idf[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    # bincount sums from left to right, as scikit-learn does; other sums of numpy are pairwise.
    norms = np.sqrt(np.bincount(rows, weights**2, minlength=counts.shape[0]))
    return csr_array((weights / norms[rows], counts.indices, counts.indptr), shape=counts.shape)
