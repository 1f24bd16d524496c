"""Texts as vectors: counts, presence or tf-idf of words and letters, and the files that carry them.

The vectors are those of scikit-learn's vectorizers to the bit, as tests/unit/test_features.py holds them to. They are
made here without it, since its import takes longer than all that a stage or a prediction then does with it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import chain, count, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, get_index_dtype, hstack

from textclf.analysis import Analyze, analyzer
from textclf.errors import UserError
from textclf.files import of_each_split, read_json, reading, write_json
from textclf.params import Vectorize

if TYPE_CHECKING:
    import pandas as pd

VECTORIZER = "vectorizer.json"  # beside the features: what made them
UNKNOWN = -1  # the column of a term that the vocabulary does not have

Lookup = Callable[[Iterable[str]], Iterable[int]]  # the column of each term


@dataclass(frozen=True)
class Features:
    """The rows of one split as a model sees them.

    `ids` (rows,) text; `X` (rows, features) CSR with sorted indices, the weight of each term, not negative: int64
    counts or presence, float64 tf-idf; `y` (rows,) int64, the position of each row's label in `classes`; `classes`
    (classes,) text, in their order.
    """

    ids: NDArray[np.str_]
    X: csr_array
    y: NDArray[np.int64]
    classes: NDArray[np.str_]


@dataclass(frozen=True)
class Part:
    """The columns of one analyzer: its terms in order, or None where they are hashed; their idf in tf-idf."""

    analyzer: str
    columns: int
    vocabulary: list[str] | None
    idf: list[float] | None


class Vectorizer:
    """A fitted vectorizer: the settings and, for each analyzer, side by side, what it learned from the training rows.

    It transforms as scikit-learn's CountVectorizer, TfidfVectorizer and HashingVectorizer do, and a FeatureUnion of
    them where the analyzer names two; hashed terms have no sign, since naive Bayes takes none.
    """

    def __init__(self, settings: Vectorize, parts: Sequence[Part]) -> None:
        """Keep both; `fit` and `read_vectorizer` make one."""
        self.settings = settings
        self.parts = tuple(parts)

    @classmethod
    def fit(cls, texts: Iterable[str], settings: Vectorize) -> "Vectorizer":
        """What is learned from the training texts; `UserError` if no term is left."""
        texts = list(texts)
        return cls(settings, [_fit(name, texts, settings) for name in settings.analyzer.split("+")])

    def transform(self, texts: Iterable[str]) -> csr_array:
        """The texts as vectors, as `Features.X`."""
        texts = list(texts)
        blocks = [block.transform(texts) for block in self._blocks]
        return blocks[0] if len(blocks) == 1 else csr_array(hstack(blocks, format="csr"))

    @cached_property
    def _blocks(self) -> "list[_Block]":
        """What makes the columns of each part, ready once for every call of `transform`."""
        return [_Block(part, self.settings) for part in self.parts]

    def terms(self) -> list[str]:
        """The term of each column; of two analyzers each with its name before it, and hashed ones numbered."""
        names = []
        for part in self.parts:
            prefix = f"{part.analyzer}__" if len(self.parts) > 1 else ""
            terms = [f"hash_{number}" for number in range(part.columns)] if part.vocabulary is None else part.vocabulary
            names += [prefix + term for term in terms]
        return names

    def named(self, text: str) -> dict[int, str]:
        """The terms of a text by their columns, named as in `terms`, hashed ones too; of two in a column both."""
        names: dict[int, str] = {}
        start = 0
        for part, block in zip(self.parts, self._blocks, strict=True):
            prefix = f"{part.analyzer}__" if len(self.parts) > 1 else ""
            for term, column in block.columns(text).items():
                if column != UNKNOWN:
                    place = start + column
                    names[place] = f"{names[place]} | {term}" if place in names else prefix + term
            start += part.columns
        return names

    def content(self) -> dict[str, Any]:
        """All there is to it, as JSON has it."""
        return {"settings": self.settings.model_dump(), "parts": [vars(part) for part in self.parts]}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Vectorizer":
        """The vectorizer of such a content."""
        return cls(Vectorize.model_validate(content["settings"]), [Part(**part) for part in content["parts"]])


class _Block:
    """A part at work: the columns that one analyzer gives of any texts."""

    def __init__(self, part: Part, settings: Vectorize) -> None:
        self.analyze = analyzer(part.analyzer, settings)
        self.settings = settings
        self.width = part.columns
        self.vocabulary = None if part.vocabulary is None else dict(zip(part.vocabulary, count(), strict=False))
        self.idf = None if part.idf is None else np.array(part.idf)

    def lookup(self) -> Lookup:
        return _hashed(self.width) if self.vocabulary is None else _known(self.vocabulary)

    def columns(self, text: str) -> dict[str, int]:
        """The column of each of a text's terms, `UNKNOWN` where it has none."""
        terms = list(dict.fromkeys(self.analyze(text)))
        return dict(zip(terms, self.lookup()(terms), strict=True))

    def transform(self, texts: Iterable[str]) -> csr_array:
        columns, lengths = _columns(texts, self.analyze, self.lookup())
        counts = _counts(columns, lengths, self.width, self.settings)
        return counts if self.idf is None else _tfidf(counts, self.idf, self.settings)


# What is learned


def _fit(name: str, texts: list[str], settings: Vectorize) -> Part:
    if settings.hashing is not None:
        part = Part(name, settings.hashing, None, None)
        if settings.weighting != "tfidf":
            return part
        counts = _Block(part, settings).transform(texts)
        return replace(part, idf=_idf(_document_frequencies(counts), len(texts)))
    try:
        vocabulary, frequencies = _vocabulary(texts, analyzer(name, settings), settings)
    except ValueError as error:
        raise UserError(f"no vocabulary under the settings of vectorize: {error}") from error
    idf = _idf(frequencies, len(texts)) if settings.weighting == "tfidf" else None
    return Part(name, len(vocabulary), vocabulary, idf)


def _vocabulary(texts: list[str], analyze: Analyze, settings: Vectorize) -> tuple[list[str], NDArray[np.int64]]:
    """The terms that the settings leave, sorted, and in how many texts each stands.

    `ValueError`, in the words of scikit-learn, if there are none.
    """
    met: defaultdict[str, int] = defaultdict(count().__next__)  # numbered as they are met
    columns, lengths = _columns(texts, analyze, partial(map, met.__getitem__))
    if not met:
        raise ValueError("empty vocabulary; perhaps the documents only contain stop words")
    terms = sorted(met)
    place = np.empty(len(terms), dtype=np.int32)
    place[[met[term] for term in terms]] = np.arange(len(terms))
    counts = _counts(place[columns], lengths, len(terms), settings)
    frequencies = _document_frequencies(counts)
    kept = _kept(counts, frequencies, settings)
    return [terms[column] for column in kept], frequencies[kept]


def _kept(counts: csr_array, frequencies: NDArray[np.int64], settings: Vectorize) -> NDArray[np.int64]:
    """The columns whose terms are neither too rare nor too common, ascending; the most frequent, if they are too many.

    `ValueError` if there are none.
    """
    rows = counts.shape[0]
    low, high = (
        limit if isinstance(limit, int) else limit * rows  # 1 is one row, 1.0 all of them
        for limit in (settings.min_df, settings.max_df)
    )
    if high < low:
        raise ValueError("max_df corresponds to < documents than min_df")
    kept = np.flatnonzero((frequencies >= low) & (frequencies <= high))
    if settings.max_features is not None and len(kept) > settings.max_features:
        totals = counts.sum(axis=0)
        # Which of equally frequent terms are kept is left to the sort, so it is the very one of scikit-learn.
        kept = np.sort(kept[(-totals[kept]).argsort()[: settings.max_features]])
    if not len(kept):
        raise ValueError("After pruning, no terms remain. Try a lower min_df or a higher max_df.")
    return kept


def _idf(frequencies: NDArray[np.int64], rows: int) -> list[float]:
    """The inverse document frequency of each column, as if one more text had every term: ln((1 + n) / (1 + df)) + 1."""
    return [float(weight) for weight in np.log((rows + 1.0) / (frequencies + 1.0)) + 1.0]


def _document_frequencies(counts: csr_array) -> NDArray[np.int64]:
    """In how many rows each column is not 0."""
    return np.bincount(counts.indices, minlength=counts.shape[1])


# Columns of terms


def _known(vocabulary: dict[str, int]) -> Lookup:
    return lambda terms: map(vocabulary.get, terms, repeat(UNKNOWN))


def _hashed(width: int) -> Lookup:
    """The columns of hashed terms: the absolute value of MurmurHash3, 32 bits, of their UTF-8, modulo the width.

    Weinberger et al. (2009), ICML, 1113-1120, doi:10.1145/1553374.1553516, but for their second hash, that of the sign
    of a weight. What is met twice in a call is hashed once.
    """
    from mmh3 import hash as murmur

    # -2^31 has no absolute value among C's integers of 32 bits; scikit-learn gives it the same column by hand.
    return partial(map, cache(lambda term: abs(murmur(term)) % width))


# Vectors


def _columns(texts: Iterable[str], analyze: Analyze, lookup: Lookup) -> tuple[NDArray[np.int32], list[int]]:
    """The columns of all terms of the texts, one text after the other, and the number of terms of each.

    The terms of a text are gone when the next one's come, so that memory holds four bytes a term.
    """
    lengths: list[int] = []

    def terms() -> Iterator[list[str]]:
        for text in texts:
            found = analyze(text)
            lengths.append(len(found))
            yield found

    return np.fromiter(lookup(chain.from_iterable(terms())), dtype=np.int32), lengths


def _counts(columns: NDArray[np.int32], lengths: list[int], width: int, settings: Vectorize) -> csr_array:
    """How often each column stands among those of each text, or that it does (rows, width)."""
    known = columns != UNKNOWN
    # How many known terms stand before each. scipy gives a matrix indices of 8 bytes if one array of them comes so.
    before = np.zeros(len(columns) + 1, dtype=get_index_dtype(maxval=len(columns)))
    np.cumsum(known, out=before[1:])
    starts = before[np.cumsum([0, *lengths])]
    columns = columns[known]
    counts = csr_array((np.ones(len(columns), dtype=np.int64), columns, starts), shape=(len(lengths), width))
    counts.sum_duplicates()  # and sort the indices
    if settings.weighting == "binary":
        counts.data.fill(1)
    return counts


def _tfidf(counts: csr_array, idf: NDArray[np.float64], settings: Vectorize) -> csr_array:
    """Counts, or one more than their logarithms, times idf; each row is then of length 1, unless it is empty."""
    weights = counts.data.astype(np.float64)
    if settings.sublinear_tf:
        weights = np.log(weights) + 1.0
    weights *= idf[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    # bincount adds from left to right, as scikit-learn does; other sums of numpy add in pairs.
    norms = np.sqrt(np.bincount(rows, weights**2, minlength=counts.shape[0]))
    return csr_array((weights / norms[rows], counts.indices, counts.indptr), shape=counts.shape)


def vectorize(
    splits: "Mapping[str, pd.DataFrame]", settings: Vectorize, classes: Sequence[str]
) -> tuple[dict[str, Features], Vectorizer]:
    """Features of each split, and the vectorizer, which has seen the training rows alone.

    `classes` are those of all labels, in order. `UserError` if no term is left.
    """
    vectorizer = Vectorizer.fit(splits["train"]["text"], settings)
    names = np.array(classes, dtype=str)
    positions = {name: position for position, name in enumerate(classes)}
    features = {}
    for split, rows in splits.items():
        y = np.array([positions[label] for label in rows["label"]], dtype=np.int64)
        features[split] = Features(rows["id"].to_numpy(dtype=str), vectorizer.transform(rows["text"]), y, names)
    return features, vectorizer


def shape(features: Features) -> dict[str, int]:
    """How many rows, features (columns) and nonzeros there are."""
    rows, columns = features.X.shape
    return {"rows": rows, "features": columns, "nonzeros": features.X.nnz}


def write(features: Features, path: Path) -> None:
    """Write the features of a split as an npz without pickles: arrays named as in `Features`, X as its parts."""
    X = features.X
    with path.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            ids=features.ids,
            y=features.y,
            classes=features.classes,
            data=X.data,
            indices=X.indices,
            indptr=X.indptr,
            shape=np.array(X.shape, dtype=np.int64),
        )


def read(folder: Path) -> dict[str, Features]:
    """The features of each split in a folder, in the order of `SPLITS`; `UserError` if there are none."""
    return {name: _read(path) for name, path in of_each_split(folder, ".npz").items()}


def _read(path: Path) -> Features:
    with reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        X = csr_array((stored["data"], stored["indices"], stored["indptr"]), shape=tuple(stored["shape"]))
        return Features(stored["ids"], X, stored["y"], stored["classes"])


def write_vectorizer(vectorizer: Vectorizer, path: Path) -> None:
    """Write all there is to a vectorizer as JSON; its floats come back to the bit."""
    write_json(path, vectorizer.content())


def read_vectorizer(path: Path) -> Vectorizer:
    """The vectorizer that `write_vectorizer` wrote; `UserError` if it is missing or damaged."""
    content = read_json(path)
    with reading(path):
        return Vectorizer.of(content)
