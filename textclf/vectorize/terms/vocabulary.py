"""What is learned from the training rows: term counts, the vocabulary selected from them, and idf."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textclf.core.arrow import array_of_numbers, large_array_of, numbers_of, whole_column
from textclf.core.errors import UserError
from textclf.vectorize.terms.counts import Counted
from textclf.vectorize.terms.settings import Terms

if TYPE_CHECKING:
    import pyarrow as pa


def sum_counts(counted: Counted) -> "pa.Table":
    """Return `term` (sorted, or hashed columns), `rows` (document frequency) and `total` (sum of the counts)."""
    import pyarrow as pa

    terms, counts = counted
    rows = np.bincount(counts.indices, minlength=len(terms))
    total = np.bincount(counts.indices, counts.data, minlength=len(terms)).astype(np.int64)  # exact below 2^53
    column = large_array_of(terms) if isinstance(terms, list) else array_of_numbers(terms)
    return pa.table({"term": column, "rows": array_of_numbers(rows), "total": array_of_numbers(total)})


def merge_term_counts(tables: "Sequence[pa.Table]") -> "pa.Table":
    """Return the term counts of all texts from those of `sum_counts` for disjoint sets of texts, at least one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    tables = [table for table in tables if len(table)] or tables[:1]  # Arrow leaves out what is empty
    if len(tables) == 1:
        return tables[0]
    encoded = pa.chunked_array([whole_column(table, "term") for table in tables]).dictionary_encode()
    terms = encoded.chunk(len(tables) - 1).dictionary  # that of all chunks
    order = pc.sort_indices(terms)  # UTF-8 sorts as its code points do
    merged = {"term": terms.take(order)}
    for name in ("rows", "total"):
        sums = np.zeros(len(terms), dtype=np.int64)
        for table, chunk in zip(tables, encoded.chunks, strict=True):
            sums[numbers_of(chunk.indices)] += numbers_of(whole_column(table, name))  # each term once
        merged[name] = array_of_numbers(sums[numbers_of(order)])
    return pa.table(merged)


def select_terms(
    frequencies: NDArray[np.int64], totals: NDArray[np.int64], rows: int, settings: Terms
) -> NDArray[np.int64]:
    """Return the positions of the terms within min_df and max_df, ascending, at most the max_features most frequent.

    `frequencies` (terms,) are document frequencies, `totals` (terms,) summed counts. Raises `UserError`, with the
    reason that scikit-learn gives, if no term is left.
    """
    reason = ""
    low, high = (
        limit if isinstance(limit, int) else limit * rows  # 1 is one row, 1.0 is all rows
        for limit in (settings.min_df, settings.max_df)
    )
    selected = np.flatnonzero((frequencies >= low) & (frequencies <= high))
    if not len(frequencies):
        reason = "empty vocabulary; perhaps the documents only contain stop words"
    elif high < low:
        reason = "max_df corresponds to < documents than min_df"
    elif not len(selected):
        reason = "After pruning, no terms remain. Try a lower min_df or a higher max_df."
    if reason:
        raise UserError(f"no vocabulary under the settings of vectorize: {reason}")
    if settings.max_features is not None and len(selected) > settings.max_features:
        # The sort decides between equally frequent terms, so it must be the one that scikit-learn uses.
        selected = np.sort(selected[(-totals[selected]).argsort()[: settings.max_features]])
    return selected


def inverse_document_frequency(frequencies: NDArray[np.int64], rows: int) -> list[float]:
    """Return the smoothed idf of each column: ln((1 + rows) / (1 + document frequency)) + 1."""
    return [float(weight) for weight in np.log((rows + 1.0) / (frequencies + 1.0)) + 1.0]
