"""What is learned from the training rows: term counts, the vocabulary selected from them, and idf."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.core.arrow import Strings, whole_column
from textclf.core.errors import UserError
from textclf.vectorize.terms.distinct import sort_distinct
from textclf.vectorize.terms.find import Found, Texts, as_list, find_terms
from textclf.vectorize.terms.matrix import count_matrix, hash_terms
from textclf.vectorize.terms.settings import Terms

if TYPE_CHECKING:
    import pyarrow as pa

MERGE_TERMS = 1_000_000  # merge term counts whenever this many are waiting


class Counted(NamedTuple):
    """The distinct terms of some texts, sorted, or with hashing their distinct columns; counts (texts, terms)."""

    terms: "list[str] | Strings | NDArray[np.int32]"
    counts: csr_array


def count_terms(texts: Texts, analyzer: str, settings: Terms) -> Counted:
    """Return the terms of the texts and the counts of each term in each text; 1 for each with weighting binary."""
    return count_found(find_terms(texts, analyzer, settings), settings.hashing, settings.weighting == "binary")


def count_found(found: Found, hashing: int | None = None, binary: bool = False) -> Counted:
    """Return the counts of the terms that were found, hashed into so many columns if `hashing` is not None."""
    terms: Any
    if hashing is not None:
        terms, inverse = np.unique(hash_terms(as_list(found.terms), hashing), return_inverse=True)
        positions = inverse.astype(np.int32)
    else:
        terms, positions = sort_distinct(found.terms)
    placed = [(positions[numbers], lengths) for numbers, lengths in found.groups]
    return Counted(terms, count_matrix(placed, len(terms), binary))


def sum_counts(counted: Counted) -> "pa.Table":
    """Return term counts over all texts.

    The columns are `term` (sorted strings, or hashed columns), `rows` (document frequency) and `total` (sum of the
    counts).
    """
    import pyarrow as pa

    terms, counts = counted
    rows = np.bincount(counts.indices, minlength=len(terms))
    total = np.bincount(counts.indices, counts.data, minlength=len(terms)).astype(np.int64)  # exact below 2^53
    column = pa.array(terms, pa.large_string()) if isinstance(terms, list) else pa.array(terms)
    return pa.table({"term": column, "rows": rows, "total": total})


def merge_term_counts(tables: "Iterable[pa.Table]") -> "pa.Table":
    """Return the term counts of all texts from those of `sum_counts` for disjoint sets of texts.

    Tables are merged whenever `MERGE_TERMS` terms are waiting (or as many as were merged before), so that memory holds
    a few copies of the distinct terms however many tables there are.
    """
    merged: list[pa.Table] = []
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= max(MERGE_TERMS, sum(map(len, merged))):
            merged, waiting = [_merge([*merged, *waiting])], []
    return _merge([*merged, *waiting])


def _merge(tables: "list[pa.Table]") -> "pa.Table":
    """Return the sums of at least one table of term counts; those of a single one are its own."""
    import pyarrow as pa

    if len(tables) == 1:
        return tables[0]
    together = pa.concat_tables(tables)
    column = whole_column(together, "term")
    if pa.types.is_integer(column.type):  # hashed
        distinct, inverse = np.unique(column.to_numpy(), return_inverse=True)
        terms, positions = pa.array(distinct), inverse.astype(np.int32)
    else:
        terms, positions = sort_distinct(column)
    rows, total = (
        np.bincount(positions, whole_column(together, name).to_numpy(), minlength=len(terms)).astype(np.int64)
        for name in ("rows", "total")
    )
    return pa.table({"term": terms, "rows": rows, "total": total})


def select_terms(
    frequencies: NDArray[np.int64], totals: NDArray[np.int64], rows: int, settings: Terms
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
