"""Sparse matrices of texts: term counts, presence and tf-idf, equal to those of scikit-learn to the bit.

They are computed without scikit-learn, because importing it takes longer than a stage or a prediction then needs.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, get_index_dtype, hstack

from textclf.vectorize.terms.tokens import Analyze

UNKNOWN = -1  # the column of a term that is not in the vocabulary

Lookup = Callable[[Iterable[str]], Iterable[int]]  # from terms to their columns


def vocabulary_lookup(vocabulary: dict[str, int]) -> Lookup:
    """Return the lookup of the columns in a vocabulary; `UNKNOWN` for other terms."""
    return lambda terms: map(vocabulary.get, terms, repeat(UNKNOWN))


def hash_lookup(width: int) -> Lookup:
    """Return the lookup that hashes terms: |MurmurHash3 (32 bits) of the UTF-8| modulo `width`.

    Weinberger et al. (2009), ICML, 1113-1120, doi:10.1145/1553374.1553516, without their second hash, which gives
    weights a sign. Each term is hashed once.
    """
    from mmh3 import hash as murmur

    # scikit-learn treats -2^31, which has no absolute value in 32 bits, as 2^31; Python's integers do the same.
    return partial(map, cache(lambda term: abs(murmur(term)) % width))


def index_terms(texts: Iterable[str], analyze: Analyze, lookup: Lookup) -> tuple[NDArray[np.int32], list[int]]:
    """Return the columns of all terms, text after text, and the number of terms of each text.

    The terms of one text are freed before the next is split, so that memory holds four bytes per term.
    """
    lengths: list[int] = []

    def terms() -> Iterator[list[str]]:
        for text in texts:
            text_terms = analyze(text)
            lengths.append(len(text_terms))
            yield text_terms

    return np.fromiter(lookup(chain.from_iterable(terms())), dtype=np.int32), lengths


def count_matrix(
    columns: NDArray[np.int32] | NDArray[np.int64], lengths: list[int], width: int, binary: bool
) -> csr_array:
    """Return the counts of each column in each text, or 1 for each if `binary`: (texts, width) int64.

    `columns` and `lengths` are those of `index_terms`; `UNKNOWN` columns are ignored.
    """
    rows = np.repeat(np.arange(len(lengths)), lengths)
    cells = (rows * width + columns)[columns != UNKNOWN]  # row-major cell numbers
    index_dtype = get_index_dtype(maxval=len(columns))  # the rule of scikit-learn
    cells.sort()
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    data = np.ones(len(first), dtype=np.int64) if binary else np.diff(first, append=len(cells))
    cells = cells[first]
    indptr = np.searchsorted(cells, np.arange(len(lengths) + 1) * width)
    cells -= np.repeat(np.arange(len(lengths)) * width, np.diff(indptr))
    return csr_array((data, cells.astype(index_dtype), indptr.astype(index_dtype)), shape=(len(lengths), width))


def remap_columns(counts: csr_array, columns: NDArray[np.int32], width: int) -> csr_array:
    """Return the counts with column j moved to `columns[j]`, or dropped where that is `UNKNOWN`.

    The new columns must ascend, so that indices stay sorted.
    """
    indices = columns[counts.indices]
    known = indices != UNKNOWN
    known_before = np.zeros(len(known) + 1, dtype=counts.indptr.dtype)
    np.cumsum(known, out=known_before[1:])
    return csr_array(
        (counts.data[known].astype(np.int64), indices[known], known_before[counts.indptr]),
        shape=(counts.shape[0], width),
    )


def tfidf(counts: csr_array, idf: NDArray[np.float64], sublinear: bool) -> csr_array:
    """Return count x idf, or (1 + ln count) x idf if `sublinear`, with each non-empty row scaled to length 1."""
    weights = counts.data.astype(np.float64)
    if sublinear:
        # The logarithm of the C library is the same on every worker's CPU; that of numpy is only if textclf was
        # imported before numpy.
        distinct, position = np.unique(counts.data, return_inverse=True)
        weights = np.array([math.log(number) + 1.0 for number in distinct.tolist()])[position]
    weights *= idf[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    # bincount sums from left to right, as scikit-learn does; other sums of numpy are pairwise.
    norms = np.sqrt(np.bincount(rows, weights**2, minlength=counts.shape[0]))
    return csr_array((weights / norms[rows], counts.indices, counts.indptr), shape=counts.shape)


def stack_columns(blocks: Sequence[csr_array]) -> csr_array:
    """Return the blocks side by side."""
    return blocks[0] if len(blocks) == 1 else csr_array(hstack(blocks, format="csr"))
