"""Term counts of texts, and what is made of them: presence and tf-idf, equal to those of scikit-learn to the bit.

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
UNKNOWN = -1  # the column of a term that is not in the vocabulary


class Counted(NamedTuple):
    """The distinct terms of some texts, sorted, or with hashing their distinct columns; counts (texts, terms)."""

    terms: "list[str] | pa.LargeStringArray | NDArray[np.int32]"
    counts: csr_array


def count_terms(texts: "Sequence[str] | pa.StringArray", analyzer: str, settings: Terms) -> Counted:
    """Return the terms of the texts and the counts of each term in each text; 1 for each with weighting binary."""
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
    """Return the terms, some perhaps twice, and where they are, as `Found`; of runs also their counts (texts, runs)."""
    runs = None
    if not isinstance(texts, Sequence):
        texts, runs = _split(texts, is_within_runs(analyzer, settings))
    strings, found, bounds = _find(texts, make_analyzer(analyzer, settings))
    if analyzer == "word" and settings.ngram_range[1] > 1:
        if runs is not None:
            words = _in_rows(found, bounds, len(strings))[
                runs.indices
            ]  # of one run after the other
            found, bounds, runs = words.indices, words.indptr[runs.indptr], None
        strings, found, bounds = _join_neighbours(strings, found, bounds, *settings.ngram_range)
    return strings, found, bounds, runs


def _split(texts: "pa.StringArray", at_spaces: bool) -> tuple[list[str], csr_array | None]:
    """Return the distinct runs up to a space, with it, and their counts (texts, runs); or else the texts, and None."""
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
    encoded = pa.LargeStringArray.from_buffers(
        len(starts) - 1, pa.py_buffer(starts), content
    ).dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    return distinct, _in_rows(
        numbers_of(encoded.indices), np.searchsorted(starts, bounds), len(distinct)
    )


def _find(texts: Sequence[str], find: Analyze) -> Found:
    """Return what a function finds in each text.

    The strings of one text are freed before the next is split, so that memory holds four bytes per
    occurrence.
    """
    position: defaultdict[str, int] = defaultdict(
        count().__next__
    )  # of each string, by its first occurrence
    lengths = [0]

    def positions_of(text: str) -> Any:
        strings = find(text)
        lengths.append(len(strings))
        return map(position.__getitem__, strings)

    found = np.fromiter(chain.from_iterable(map(positions_of, texts)), dtype=np.int32)
    return list(position), found, np.cumsum(lengths)


def _join_neighbours(words: list[str], found: Ints, bounds: Ints, low: int, high: int) -> Found:
    """Return the n-grams of `low` to `high` words of each text, joined by spaces.

    Each distinct n-gram is made once, from an n-gram of a word less and a word. Words with spaces
    may make one twice.
    """
    starts = np.arange(len(found))
    left = (
        np.repeat(bounds[1:], np.diff(bounds)) - starts
    )  # the number of words from each to the end of its text
    n, ngrams, codes = 1, words, found.astype(np.int64)
    made, blocks = list[str](), [_in_rows(codes[:0], bounds * 0, 0)]
    while True:
        if n >= low:
            made += ngrams
            blocks.append(_in_rows(codes, np.searchsorted(starts, bounds), len(ngrams)))
        is_followed = left[starts] > n
        if n == high or not is_followed.any():
            joined: Any = hstack(blocks, format="csr")
            return made, joined.indices, joined.indptr
        starts = starts[is_followed]
        pairs, codes = np.unique(
            codes[is_followed] * len(words) + found[starts + n], return_inverse=True
        )
        firsts, lasts = (part.tolist() for part in np.divmod(pairs, len(words)))
        ngrams = [
            f"{ngrams[first]} {words[last]}" for first, last in zip(firsts, lasts, strict=True)
        ]
        n += 1


def _count(
    strings: list[str], found: Ints, bounds: Ints, runs: csr_array | None, hashing: int | None
) -> Counted:
    """Return terms and counts from what was found in texts, or in their runs, whose counts are then added up."""
    terms: Any
    if hashing is not None:
        terms, columns = np.unique(hash_terms(strings, hashing), return_inverse=True)
    else:
        terms = sorted(set(strings))
        position = dict(zip(terms, count(), strict=False))
        columns = np.fromiter(
            map(position.__getitem__, strings), dtype=np.int32, count=len(strings)
        )
    counts = _in_rows(columns[found], bounds, len(terms))
    if runs is not None:
        counts = runs @ counts
    counts.sum_duplicates()
    return Counted(terms, counts)


def _in_rows(columns: Ints, bounds: Ints, width: int) -> csr_array:
    """Return ones in these columns, with the bounds of each row among them."""
    index = np.int32 if len(columns) < 2**31 else np.int64  # as scikit-learn's
    ones = np.ones(len(columns), np.int32)
    return csr_array(
        (ones, columns.astype(index, copy=False), bounds.astype(index)),
        shape=(len(bounds) - 1, width),
    )


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
    """Return the counts with column j moved to `columns[j]`, which ascend, or dropped where that is `UNKNOWN`."""
    indices = columns[counts.indices]
    known = np.flatnonzero(indices != UNKNOWN)
    indptr = np.searchsorted(known, counts.indptr).astype(counts.indptr.dtype)
    return csr_array(
        (counts.data[known].astype(np.int64), indices[known], indptr),
        shape=(counts.shape[0], width),
    )


def tfidf(counts: csr_array, idf: NDArray[np.float64], sublinear: bool) -> csr_array:
    """Return count x idf, or (1 + ln count) x idf if `sublinear`, with each non-empty row scaled to length 1."""
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
