"""Held-out training rows as rows of new texts: a fold shares the vocabulary of all training rows, new texts do not."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.artifacts.features import Matrix

CLOSE = 1e-6  # relative difference up to which lengths of rows are equal


def as_new_texts(fitted: Matrix, held_out: Matrix) -> Any:
    """Return the features (rows, columns) of held-out rows as if the vocabulary were that of the fitted rows.

    A term that occurs in no fitted row has no weight, but takes part of the fixed length of a row of tf-idf; in a new
    text it would not be counted. So with tf-idf such terms are dropped and the row gets its length back, or held-out
    scores would be too small. Columns without zeros, such as those of sentence vectors, and counts stay as they are.
    """
    if not isinstance(fitted, csr_array) or not isinstance(held_out, csr_array):
        return held_out
    seen, held = (np.bincount(X.indices, minlength=X.shape[1]) for X in (fitted, held_out))
    terms = seen + held < fitted.shape[0] + held_out.shape[0]
    before = _lengths(held_out, terms)
    if not before.any() or np.ptp(before[before > 0]) > CLOSE * before.max():
        return held_out
    after = _lengths(held_out, terms & (seen > 0))
    factors = np.divide(before, after, out=np.ones_like(before), where=after > 0)
    weights = np.where(terms[held_out.indices], np.repeat(factors, np.diff(held_out.indptr)), 1.0)
    return csr_array((held_out.data * weights, held_out.indices, held_out.indptr), shape=held_out.shape)


def _lengths(X: csr_array, columns: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the length of each row over some columns, a mask, (rows,)."""
    row = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    return np.sqrt(np.bincount(row, X.data**2 * columns[X.indices], minlength=X.shape[0]))
