"""What is learned from the training rows: term counts, the vocabulary selected from them, and idf."""

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textclf.core.arrow import Strings, blocks, whole_column
from textclf.core.errors import UserError
from textclf.vectorize.terms import ascii_words
from textclf.vectorize.terms.distinct import sort_distinct
from textclf.vectorize.terms.matrix import Group, Rows, count_matrix, hash_terms, index_terms
from textclf.vectorize.terms.tokens import make_analyzer

if TYPE_CHECKING:
    import pyarrow as pa

    from textclf.vectorize.terms.settings import Terms

BLOCK = 2**23  # bytes of texts that are split at a time, so that the memory for it is used again
MERGE_TERMS = 1_000_000  # merge term counts whenever this many are waiting


def count_terms(texts: Strings, analyzer: str, settings: "Terms") -> "tuple[pa.Table, Rows]":
    """Return term counts over all texts and document-term counts (texts, terms); 1 for each with weighting binary.

    `texts` is an array of strings without nulls. The table has the columns `term` (sorted by code point, or the hashed
    columns in order), `rows` (document frequency) and `total` (sum of the counts); its rows are the columns of the
    matrix.
    """
    import pyarrow as pa

    strings, groups = find_terms(texts, analyzer, settings)
    if settings.hashing is not None:
        columns = hash_terms(strings.to_pylist(), settings.hashing)
        distinct, inverse = np.unique(columns, return_inverse=True)
        terms, positions = pa.array(distinct), inverse.astype(np.int32)
    else:
        terms, positions = sort_distinct(strings)
    groups = [(positions[numbers], lengths) for numbers, lengths in groups]
    counts = count_matrix(groups, len(terms), binary=settings.weighting == "binary")
    rows = np.bincount(counts.indices, minlength=len(terms))
    total = np.bincount(counts.indices, counts.data, minlength=len(terms)).astype(np.int64)  # exact below 2^53
    return pa.table({"term": terms, "rows": rows, "total": total}), counts


def find_terms(texts: Strings, analyzer: str, settings: "Terms") -> tuple[Strings, list[Group]]:
    """Return all terms of the texts as strings, and groups of the positions of each text's terms among them.

    The words of ASCII texts are found by their bytes, and are equal to those that the analyzer finds. The terms of the
    other texts are in a group of their own. A string may be repeated in another group.
    """
    import pyarrow as pa

    found: list[ascii_words.Ngrams] = []
    is_found = np.zeros(len(texts), dtype=np.bool_)
    if analyzer == "word" and (runs := ascii_words.runs_of(settings.token_pattern)) is not None:
        for start, stop in blocks(texts, BLOCK):
            ngrams, is_found[start:stop] = ascii_words.find_ngrams(texts.slice(start, stop - start), runs, settings)
            found += [each._replace(counts=_scatter(each.counts, slice(start, stop), len(texts))) for each in ngrams]
    if not is_found.all():
        numbers: defaultdict[str, int] = defaultdict(count().__next__)
        rest = texts.filter(~is_found).to_pylist()
        columns, counts = index_terms(rest, make_analyzer(analyzer, settings), partial(map, numbers.__getitem__))
        found.append(
            ascii_words.Ngrams(
                pa.array(list(numbers), pa.large_string()), columns, _scatter(counts, ~is_found, len(texts))
            )
        )
    if not found:
        return pa.array([], pa.large_string()), [(np.zeros(0, np.int32), np.zeros(len(texts), np.int64))]
    starts = np.cumsum([0, *(len(each.strings) for each in found)])
    groups = [(each.numbers + start, each.counts) for each, start in zip(found, starts.tolist(), strict=False)]
    return pa.concat_arrays([each.strings for each in found]), groups


def _scatter(counts: NDArray[np.int64], rows: slice | NDArray[np.bool_], total: int) -> NDArray[np.int64]:
    """Return the counts of some rows, 0 for all others: (total,)."""
    scattered = np.zeros(total, dtype=np.int64)
    scattered[rows] = counts
    return scattered


def merge_term_counts(tables: "Iterable[pa.Table]") -> "pa.Table":
    """Return the term counts of all texts from those of `count_terms` for disjoint sets of texts.

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
