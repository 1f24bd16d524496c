"""What is learned from the training rows: term counts, the vocabulary selected from them, and idf."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.core.arrow import array_of_numbers, large_array_of, numbers_of, whole_column
from textclf.core.errors import UserError
from textclf.vectorize.terms.matrix import hash_terms
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.tokens import Analyze, make_analyzer

if TYPE_CHECKING:
    import pyarrow as pa


class Counted(NamedTuple):
    """The distinct terms of some texts, sorted, or with hashing their distinct columns; counts (texts, terms)."""

    terms: "list[str] | pa.LargeStringArray | NDArray[np.int32]"
    counts: csr_array


def count_terms(texts: Sequence[str], analyzer: str, settings: Terms) -> Counted:
    """Return the terms of the texts and the counts of each term in each text; 1 for each with weighting binary."""
    counted = count_by(texts, make_analyzer(analyzer, settings), settings.hashing)
    if settings.weighting == "binary":
        counted.counts.data[:] = 1
    return counted


def count_by(texts: Sequence[str], analyze: Analyze, hashing: int | None = None) -> Counted:
    """Return the terms that a function finds in each text, hashed into so many columns if `hashing` is not None.

    The terms of one text are freed before the next is split, so that memory holds four bytes per occurrence.
    """
    position: defaultdict[str, int] = defaultdict(count().__next__)  # of each term, by its first occurrence
    lengths = np.zeros(len(texts), dtype=np.int64)

    def positions_of(number: int) -> Any:
        terms = analyze(texts[number])
        lengths[number] = len(terms)
        return map(position.__getitem__, terms)

    found = np.fromiter(chain.from_iterable(map(positions_of, range(len(texts)))), dtype=np.int32)
    terms: Any
    if hashing is not None:
        terms, columns = np.unique(hash_terms(list(position), hashing), return_inverse=True)
    else:
        terms = sorted(position)
        columns = np.argsort([position[term] for term in terms])
    rows = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    places = (rows, columns.astype(np.int32)[found])
    return Counted(terms, csr_array((np.ones(len(found), np.int64), places), shape=(len(texts), len(terms))))


def sum_counts(counted: Counted) -> "pa.Table":
    """Return term counts over all texts.

    The columns are `term` (sorted strings, or hashed columns), `rows` (document frequency) and `total` (sum of the
    counts).
    """
    import pyarrow as pa

    terms, counts = counted
    rows = np.bincount(counts.indices, minlength=len(terms))
    total = np.bincount(counts.indices, counts.data, minlength=len(terms)).astype(np.int64)  # exact below 2^53
    column = large_array_of(terms) if isinstance(terms, list) else array_of_numbers(terms)
    return pa.table({"term": column, "rows": array_of_numbers(rows), "total": array_of_numbers(total)})


def merge_term_counts(tables: "Sequence[pa.Table]") -> "pa.Table":
    """Return the term counts of all texts from those of `sum_counts` for disjoint sets of texts, at least one.

    Memory holds a few copies of the distinct terms, since the tables are mapped from files.
    """
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
