"""What is learned from the training rows: term counts, the vocabulary selected from them, and idf."""

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.core.errors import UserError
from textclf.vectorize.terms.matrix import count_matrix, hash_lookup, index_terms
from textclf.vectorize.terms.tokens import Analyze

if TYPE_CHECKING:
    import pyarrow as pa

    from textclf.vectorize.terms.settings import Terms

MERGE_TERMS = 1_000_000  # merge term counts whenever this many are waiting


def count_terms(texts: Iterable[str], analyze: Analyze, settings: "Terms") -> "tuple[pa.Table, csr_array]":
    """Return term counts over all texts and document-term counts (texts, terms); 1 for each with weighting binary.

    The table has the columns `term` (sorted by code point, or the hashed columns in order), `rows` (document
    frequency) and `total` (sum of the counts); its rows are the columns of the matrix.
    """
    import pyarrow as pa

    columns: NDArray[np.int32] | NDArray[np.int64]
    if settings.hashing is not None:
        columns, lengths = index_terms(texts, analyze, hash_lookup(settings.hashing))
        distinct, columns = np.unique(columns, return_inverse=True)
        terms = pa.array(distinct, pa.int32())
    else:
        numbers: defaultdict[str, int] = defaultdict(count().__next__)  # in order of first occurrence
        columns, lengths = index_terms(texts, analyze, partial(map, numbers.__getitem__))
        ordered = sorted(numbers)
        position = np.empty(len(ordered), dtype=np.int64)
        position[[numbers[term] for term in ordered]] = np.arange(len(ordered))
        columns = position[columns]
        terms = pa.array(ordered, pa.string())
    counts = count_matrix(columns, lengths, len(terms), binary=settings.weighting == "binary")
    rows = np.bincount(counts.indices, minlength=len(terms))
    total = np.bincount(counts.indices, counts.data, minlength=len(terms)).astype(np.int64)  # exact below 2^53
    return pa.table({"term": terms, "rows": rows, "total": total}), counts


def merge_term_counts(tables: "Iterable[pa.Table]") -> "pa.Table":
    """Return the term counts of all texts from those of `count_terms` for disjoint sets of texts.

    Tables are merged whenever `MERGE_TERMS` terms are waiting (or as many as were merged before), so that memory holds
    a few copies of the distinct terms however many tables there are.
    """
    import pyarrow as pa

    merged: pa.Table | None = None
    waiting: list[pa.Table] = []

    def merge() -> pa.Table:
        terms = pa.concat_tables(waiting if merged is None else [merged, *waiting])
        sums = terms.group_by("term", use_threads=False).aggregate([("rows", "sum"), ("total", "sum")])
        waiting.clear()
        return sums.select(["term", "rows_sum", "total_sum"]).rename_columns(["term", "rows", "total"])

    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= max(MERGE_TERMS, 0 if merged is None else len(merged)):
            merged = merge()
    return (merge() if waiting or merged is None else merged).sort_by("term")


def select_terms(
    frequencies: NDArray[np.int64], totals: NDArray[np.int64], rows: int, settings: "Terms"
) -> NDArray[np.int64]:
    """Return the positions of the terms within min_df and max_df, ascending; at most max_features, most frequent first.

    `frequencies` (terms,) are document frequencies, `totals` (terms,) summed counts, `rows` the number of texts. Raises
    `UserError`, with the reason that scikit-learn gives, if no term is left.
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
