"""The vectorizer: learned from the training rows, it turns any texts into vectors.

It is stored as JSON.
"""

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import chain, count, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from textclf.artifacts.features import SPARSE
from textclf.core.arrow import array_of_numbers, large_array_of, numbers_of, whole_column
from textclf.core.errors import UserError
from textclf.vectorize.terms.counts import (
    UNKNOWN,
    Counted,
    count_terms,
    find_terms,
    hash_terms,
    remap_columns,
    tfidf,
)
from textclf.vectorize.terms.settings import Terms

if TYPE_CHECKING:
    import pyarrow as pa

# The idf of a term in no text, with more texts than can be counted.
MOST_IDF = 1 + math.log(2**63)


@dataclass(frozen=True)
class Part:
    """What one analyzer learned."""

    analyzer: str
    columns: int
    # The terms of the columns; None if they are hashed.
    vocabulary: "list[str] | pa.LargeStringArray | None"
    # The idf of the columns; None without tf-idf.
    idf: list[float] | NDArray[np.float64] | None

    @cached_property
    def _position(self) -> dict[str, int]:
        return dict(zip(self.vocabulary or (), count(), strict=False))

    def columns_of(self, terms: Any) -> Any:
        """Return the column of each term of `Counted.terms`, `UNKNOWN` outside the vocabulary."""
        if self.vocabulary is None:
            return terms  # hashed already
        if isinstance(terms, list):
            positions = map(self._position.get, terms, repeat(UNKNOWN))
            return np.fromiter(positions, dtype=np.int32, count=len(terms))
        import pyarrow.compute as pc

        position = pc.index_in(terms, self.vocabulary)
        known = numbers_of(pc.indices_nonzero(position.is_valid()))
        columns = np.full(len(terms), UNKNOWN, dtype=np.int32)
        columns[known] = numbers_of(position.drop_null())
        return columns

    def weigh(self, counted: Counted, settings: Terms) -> csr_array:
        """Return the vectors of texts whose terms were counted: (texts, columns)."""
        counts = remap_columns(counted.counts, self.columns_of(counted.terms), self.columns)
        if self.idf is None:
            return counts
        return tfidf(counts, np.asarray(self.idf), settings.sublinear_tf)

    def terms_of(self, text: str, settings: Terms) -> dict[str, int]:
        """Return the column of each distinct term of a text, or `UNKNOWN`."""
        terms = list(dict.fromkeys(find_terms([text], self.analyzer, settings)[0]))
        columns = (
            hash_terms(terms, self.columns) if self.vocabulary is None else self.columns_of(terms)
        )
        return dict(zip(terms, columns.tolist(), strict=True))


ATTRIBUTES = tuple(field.name for field in fields(Part))


class Vectorizer:
    """A fitted vectorizer: the settings and, for each analyzer in order, what it learned.

    Its vectors are those of scikit-learn's CountVectorizer, TfidfVectorizer, or HashingVectorizer
    without signs, and of a FeatureUnion where the settings name two analyzers.
    """

    kind: ClassVar[str] = SPARSE

    def __init__(self, settings: Terms, parts: Sequence[Part]) -> None:
        """Keep the settings and the parts; use `fit` or `read_vectorizer` to make a vectorizer."""
        self.settings = settings
        self.parts = tuple(parts)

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],
        settings: Terms,
        pretrained: Path | None = None,  # noqa: ARG003
    ) -> "Vectorizer":
        """Return a vectorizer fitted on the training texts; `UserError` if no term is left."""
        texts = list(texts)
        analyzers = settings.analyzers if settings.learns else []
        counted = [sum_counts(count_terms(texts, name, settings)) for name in analyzers]
        return cls.learn(counted, len(texts), settings)

    @classmethod
    def learn(cls, counted: "Sequence[pa.Table]", rows: int, settings: Terms) -> "Vectorizer":
        """Return what is learned from `sum_counts` of all training texts for each analyzer.

        `rows` is the number of texts. `counted` is empty if the settings learn nothing. Raises
        `UserError` if no term is left.
        """
        if not settings.learns:
            hashing = settings.hashing or 0
            return cls(settings, [Part(name, hashing, None, None) for name in settings.analyzers])
        tables = zip(settings.analyzers, counted, strict=True)
        return cls(settings, [_learn_part(name, terms, rows, settings) for name, terms in tables])

    @property
    def columns(self) -> int:
        """Return the number of columns."""
        return sum(part.columns for part in self.parts)

    def transform(self, texts: Iterable[str]) -> csr_array:
        """Return the vectors of the texts.

        Parameters
        ----------
        texts : iterable of str
            The texts.

        Returns
        -------
        csr_array of shape (texts, features)
            The weight of each term of the vocabulary in each text, as `Features.X`.

        Examples
        --------
        >>> from textclf.vectorize.terms.settings import Terms
        >>> from textclf.vectorize.terms.vectorizer import Vectorizer
        >>> texts = ["good food", "bad food"]
        >>> vectorizer = Vectorizer.fit(texts, Terms(weighting="counts"))
        >>> vectorizer.terms()
        ['bad', 'food', 'good']
        >>> vectorizer.transform(texts).toarray()
        array([[0, 1, 1],
               [1, 1, 0]])
        """
        texts, settings = list(texts), self.settings
        return self.weigh([count_terms(texts, name, settings) for name in settings.analyzers])

    def weigh(self, counted: Sequence[Counted]) -> csr_array:
        """Return the vectors of texts from the counts of their terms by each analyzer."""
        pairs = zip(self.parts, counted, strict=True)
        blocks = [part.weigh(terms, self.settings) for part, terms in pairs]
        return blocks[0] if len(blocks) == 1 else csr_array(hstack(blocks, format="csr"))

    def terms(self) -> list[str]:
        """Return the term of each column.

        It is such as `word__good` with two analyzers, and `hash_0` for a hashed column.
        """
        names = []
        for part in self.parts:
            terms = part.vocabulary
            if terms is None:
                terms = [f"hash_{number}" for number in range(part.columns)]
            names += [self._prefix(part) + term for term in terms]
        return names

    def analyzers(self) -> list[str]:
        """Return the analyzer of each column."""
        return [part.analyzer for part in self.parts for _ in range(part.columns)]

    def terms_of(self, text: str) -> dict[int, str]:
        """Return the terms of one text by column, named as in `terms`.

        A hashed column may have several terms, joined by `|`.
        """
        names: dict[int, str] = {}
        start = 0
        for part in self.parts:
            for term, column in part.terms_of(text, self.settings).items():
                position = start + column
                if column == UNKNOWN:
                    continue
                if position in names:
                    names[position] += f" | {term}"
                else:
                    names[position] = self._prefix(part) + term
            start += part.columns
        return names

    def _prefix(self, part: Part) -> str:
        return f"{part.analyzer}__" if len(self.parts) > 1 else ""

    @staticmethod
    def unknown_names(content: Mapping[str, Any]) -> list[str]:
        """Return the names in the content of `to_json` that this version does not know."""
        known = {*Terms.model_fields, *ATTRIBUTES}
        return [name for name in chain(content["settings"], *content["parts"]) if name not in known]

    def to_json(self) -> dict[str, Any]:
        """Return the settings and parts as JSON content."""
        parts = [{name: getattr(part, name) for name in ATTRIBUTES} for part in self.parts]
        return {"settings": self.settings.model_dump(exclude={"method"}), "parts": parts}

    @classmethod
    def from_json(
        cls,
        content: Mapping[str, Any],
        shared: Path | None = None,  # noqa: ARG003
    ) -> "Vectorizer":
        """Return the vectorizer with the content of `to_json`.

        Parameters
        ----------
        content : mapping
            The settings, and for each analyzer what it learned.
        shared : Path or None, default=None
            The folder of shared weights, which other representations read.

        Returns
        -------
        Vectorizer
            The fitted vectorizer, whose vectors are those of the one that was written.

        Raises
        ------
        ValueError, TypeError, KeyError
            If the content is damaged.

        Examples
        --------
        >>> import json
        >>> from textclf.vectorize.terms.settings import Terms
        >>> from textclf.vectorize.terms.vectorizer import Vectorizer
        >>> content = json.dumps(Vectorizer.fit(["good food", "bad food"], Terms()).to_json())
        >>> Vectorizer.from_json(json.loads(content)).terms()
        ['bad', 'food', 'good']
        """
        settings = Terms.model_validate(content["settings"])
        parts = [Part(**part) for part in content["parts"]]
        if [part.analyzer for part in parts] != settings.analyzers:
            raise ValueError("there must be a part for each analyzer")
        for part in parts:
            _check_part(part, settings)
        return cls(settings, parts)


def _check_part(part: Part, settings: Terms) -> None:
    """Raise `ValueError` or `TypeError` unless `learn` may have returned this part of JSON."""
    is_hashed, is_weighted = settings.hashing is not None, settings.weighting == "tfidf"
    is_consistent = is_hashed == (part.vocabulary is None) and is_weighted != (part.idf is None)
    if type(part.columns) is not int or not is_consistent:
        raise ValueError(
            "columns must be an integer; a vocabulary comes without hashing, idf with tfidf"
        )
    columns = settings.hashing if part.vocabulary is None else len(part.vocabulary)
    if part.columns != columns:
        raise ValueError("there must be a term, or with hashing a hash, for each column")
    if part.vocabulary is not None:
        # TypeError or ValueError unless each term is text that can be printed.
        "".join(part.vocabulary).encode()
        if not all(map(operator.lt, part.vocabulary, part.vocabulary[1:])):
            raise ValueError("the terms must ascend")
    if part.idf is not None:
        idf = np.array(part.idf)
        are_numbers = idf.shape == (part.columns,) and idf.dtype.kind in "if"
        if not are_numbers or not ((idf >= 1) & (idf <= MOST_IDF)).all():
            raise ValueError("there must be an idf of at least 1 for each column")


def _learn_part(analyzer: str, terms: "pa.Table", rows: int, settings: Terms) -> Part:
    """Return what an analyzer learns from the term counts of all training texts.

    Raises `UserError` if no term is left.
    """
    frequencies = numbers_of(whole_column(terms, "rows"))
    if settings.hashing is not None:
        by_column = np.zeros(settings.hashing, dtype=np.int64)
        by_column[numbers_of(whole_column(terms, "term"))] = frequencies
        return Part(analyzer, settings.hashing, None, inverse_document_frequency(by_column, rows))
    selected = select_terms(frequencies, numbers_of(whole_column(terms, "total")), rows, settings)
    idf = None
    if settings.weighting == "tfidf":
        idf = inverse_document_frequency(frequencies[selected], rows)
    vocabulary = whole_column(terms, "term").take(array_of_numbers(selected)).to_pylist()
    return Part(analyzer, len(selected), vocabulary, idf)


def sum_counts(counted: Counted) -> "pa.Table":
    """Return the counts of each term over all texts.

    The columns are `term` (sorted, or hashed columns), `rows` (document frequency) and `total` (sum
    of the counts).
    """
    import pyarrow as pa

    terms, counts = counted
    rows = np.bincount(counts.indices, minlength=len(terms))
    # Exact below 2^53.
    total = np.bincount(counts.indices, counts.data, minlength=len(terms)).astype(np.int64)
    term = large_array_of(terms) if isinstance(terms, list) else array_of_numbers(terms)
    columns = {"term": term, "rows": array_of_numbers(rows), "total": array_of_numbers(total)}
    return pa.table(columns)


def merge_term_counts(tables: "Sequence[pa.Table]") -> "pa.Table":
    """Return the term counts of all texts from those of disjoint sets of texts, at least one.

    `tables` are those of `sum_counts`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    # Arrow leaves out what is empty.
    tables = [table for table in tables if len(table)] or tables[:1]
    if len(tables) == 1:
        return tables[0]
    encoded = pa.chunked_array([whole_column(table, "term") for table in tables])
    encoded = encoded.dictionary_encode()
    # The dictionary of the last chunk is that of all chunks.
    terms = encoded.chunk(len(tables) - 1).dictionary
    order = pc.sort_indices(terms)  # UTF-8 sorts as its code points do
    merged = {"term": terms.take(order)}
    for name in ("rows", "total"):
        sums = np.zeros(len(terms), dtype=np.int64)
        for table, chunk in zip(tables, encoded.chunks, strict=True):
            # A table has each term once, so that no position is added to twice.
            sums[numbers_of(chunk.indices)] += numbers_of(whole_column(table, name))
        merged[name] = array_of_numbers(sums[numbers_of(order)])
    return pa.table(merged)


def select_terms(
    frequencies: NDArray[np.int64], totals: NDArray[np.int64], rows: int, settings: Terms
) -> NDArray[np.int64]:
    """Return the positions of the terms within min_df and max_df, ascending.

    They are at most the max_features most frequent. `frequencies` (terms,) are document
    frequencies, `totals` (terms,) summed counts. Raises `UserError`, with the reason that
    scikit-learn gives, if no term is left.
    """
    reason = ""
    # 1 is one row, 1.0 is all rows.
    low, high = (
        limit if isinstance(limit, int) else limit * rows
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
        # The sort decides between equally frequent terms, so it must be the one that scikit-learn
        # uses.
        selected = np.sort(selected[(-totals[selected]).argsort()[: settings.max_features]])
    return selected


def inverse_document_frequency(frequencies: NDArray[np.int64], rows: int) -> list[float]:
    """Return the smoothed idf of each column: ln((1 + rows) / (1 + document frequency)) + 1."""
    return [float(weight) for weight in np.log((rows + 1.0) / (frequencies + 1.0)) + 1.0]
