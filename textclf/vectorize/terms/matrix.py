"""Sparse matrices of texts: term counts, presence and tf-idf, equal to those of scikit-learn to the bit.

They are computed without scikit-learn, because importing it takes longer than a stage or a prediction then needs, and
held without scipy, which the stage vectorize needs for nothing else.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.vectorize.terms.tokens import Analyze

if TYPE_CHECKING:
    from scipy.sparse import csr_array

UNKNOWN = -1  # the column of a term that is not in the vocabulary
MOST = np.iinfo(np.int32).max

Group = tuple[NDArray[np.int32], NDArray[np.int64]]  # columns of terms, text after text; the number of each text's
Lookup = Callable[[Iterable[str]], Iterable[int]]  # from terms to their columns


@dataclass(frozen=True)
class Rows:
    """A sparse matrix by rows, with the attributes of scipy's csr_array; indices ascend within each row."""

    data: NDArray[Any]
    indices: NDArray[Any]
    indptr: NDArray[Any]
    width: int

    @property
    def shape(self) -> tuple[int, int]:
        """Return the number of rows and of columns."""
        return len(self.indptr) - 1, self.width

    @property
    def nnz(self) -> int:
        """Return the number of cells that are not zero."""
        return len(self.indices)

    def to_scipy(self) -> "csr_array":
        """Return the same matrix as scipy has it."""
        from scipy.sparse import csr_array

        return csr_array((self.data, self.indices, self.indptr), shape=self.shape)


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


def hash_terms(terms: Sequence[str], width: int) -> NDArray[np.int32]:
    """Return the column of each term, as `hash_lookup` has it."""
    from mmh3 import hash as murmur

    hashes = np.fromiter(map(murmur, terms), dtype=np.int64, count=len(terms))
    return (np.abs(hashes) % width).astype(np.int32)


def index_terms(texts: Iterable[str], analyze: Analyze, lookup: Lookup) -> Group:
    """Return the columns of all terms, text after text, and the number of terms of each text.

    The terms of one text are freed before the next is split, so that memory holds four bytes per term.
    """
    lengths: list[int] = []

    def terms() -> Iterator[list[str]]:
        for text in texts:
            text_terms = analyze(text)
            lengths.append(len(text_terms))
            yield text_terms

    columns = np.fromiter(lookup(chain.from_iterable(terms())), dtype=np.int32)
    return columns, np.array(lengths, dtype=np.int64)


def count_matrix(groups: Iterable[Group], width: int, binary: bool) -> Rows:
    """Return the counts of each column in each text, or 1 for each if `binary`: (texts, width) int64.

    All groups are of the same texts. `UNKNOWN` columns are ignored.
    """
    groups = list(groups)
    texts = len(groups[0][1])
    dtype = np.dtype(np.uint32 if texts * width <= 2**32 else np.uint64)  # half the bytes are sorted in half the time
    cells = np.concatenate([_cells(columns, lengths, width, dtype) for columns, lengths in groups])
    cells.sort()
    is_first = np.ones(len(cells), dtype=np.bool_)
    np.not_equal(cells[1:], cells[:-1], out=is_first[1:])
    first = np.flatnonzero(is_first)
    data = np.ones(len(first), dtype=np.int64) if binary else np.diff(first, append=len(cells))
    cells = cells[first]
    rows = cells // dtype.type(max(width, 1))
    cells -= rows * dtype.type(width)
    indptr = np.zeros(texts + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows.astype(np.int64), minlength=texts), out=indptr[1:])
    index_dtype = np.int32 if sum(len(columns) for columns, _ in groups) <= MOST else np.int64  # scikit-learn's rule
    return Rows(data, cells.astype(index_dtype), indptr.astype(index_dtype), width)


def _cells(columns: NDArray[Any], lengths: NDArray[np.int64], width: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the numbers of cells, row by row, in which the known columns of a group are."""
    cells = np.repeat(np.arange(len(lengths), dtype=dtype) * dtype.type(width), lengths)
    cells += columns.astype(dtype)
    is_known = columns != UNKNOWN
    return cells if is_known.all() else cells[is_known]


def remap_columns(counts: Rows, columns: NDArray[np.int32], width: int) -> Rows:
    """Return the counts with column j moved to `columns[j]`, or dropped where that is `UNKNOWN`.

    The new columns must ascend, so that indices stay sorted.
    """
    indices, data, indptr = columns[counts.indices], counts.data, counts.indptr
    if UNKNOWN in columns:
        is_known = indices != UNKNOWN
        known_before = np.zeros(len(indices) + 1, dtype=indptr.dtype)
        np.cumsum(is_known, out=known_before[1:])
        indices, data, indptr = indices[is_known], data[is_known], known_before[indptr]
    return Rows(data.astype(np.int64), indices, indptr, width)


def tfidf(counts: Rows, idf: NDArray[np.float64], sublinear: bool) -> Rows:
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
    return replace(counts, data=weights / norms[rows])


def stack_columns(blocks: Sequence[Rows]) -> Rows:
    """Return the blocks side by side."""
    if len(blocks) == 1:
        return blocks[0]
    from scipy.sparse import csr_array, hstack

    stacked = csr_array(hstack([block.to_scipy() for block in blocks], format="csr"))
    return Rows(stacked.data, stacked.indices, stacked.indptr, stacked.shape[1])
