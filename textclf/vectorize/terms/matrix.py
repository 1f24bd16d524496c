"""Sparse matrices of texts: term counts, presence and tf-idf, equal to those of scikit-learn to the bit."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

UNKNOWN = -1  # the column of a term that is not in the vocabulary


def hash_terms(terms: Sequence[str], width: int) -> NDArray[np.int32]:
    """Return the column of each term: |MurmurHash3 (32 bits) of its UTF-8| modulo `width`.

    Weinberger et al. (2009), doi:10.1145/1553374.1553516, without signs: naive Bayes needs non-negative weights.
    """
    from mmh3 import hash as murmur

    hashes = np.fromiter(map(murmur, terms), dtype=np.int64, count=len(terms))
    # scikit-learn treats -2^31, which has no absolute value in 32 bits, as 2^31; 64 bits do the same.
    return (np.abs(hashes) % width).astype(np.int32)


def remap_columns(counts: csr_array, columns: NDArray[np.int32], width: int) -> csr_array:
    """Return the counts with column j moved to `columns[j]`, which ascend, or dropped where that is `UNKNOWN`."""
    indices = columns[counts.indices]
    known = np.flatnonzero(indices != UNKNOWN)
    indptr = np.searchsorted(known, counts.indptr).astype(counts.indptr.dtype)
    return csr_array((counts.data[known].astype(np.int64), indices[known], indptr), shape=(counts.shape[0], width))


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
