"""Texts as vectors: counts, presence or tf-idf of words and letters, and the files that carry them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from textclf.errors import UserError
from textclf.files import of_each_split, read_json, reading, write_json
from textclf.params import Vectorize

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

VECTORIZER = "vectorizer.json"  # beside the features: what made them


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
        return cls(settings, [_fit(analyzer, texts, settings) for analyzer in settings.analyzer.split("+")])

    def transform(self, texts: Iterable[str]) -> csr_array:
        """The texts as vectors, as `Features.X`."""
        texts = list(texts)
        blocks = [_weighted(_counter(part, self.settings).transform(texts), part, self.settings) for part in self.parts]
        X = csr_array(blocks[0] if len(blocks) == 1 else hstack(blocks, format="csr"))
        X.sort_indices()
        return X

    def terms(self) -> list[str]:
        """The term of each column; of two analyzers each with its name before it, and hashed ones numbered."""
        names = []
        for part in self.parts:
            prefix = f"{part.analyzer}__" if len(self.parts) > 1 else ""
            terms = [f"hash_{number}" for number in range(part.columns)] if part.vocabulary is None else part.vocabulary
            names += [prefix + term for term in terms]
        return names

    def content(self) -> dict[str, Any]:
        """All there is to it, as JSON has it."""
        return {"settings": self.settings.model_dump(), "parts": [vars(part) for part in self.parts]}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Vectorizer":
        """The vectorizer of such a content."""
        return cls(Vectorize.model_validate(content["settings"]), [Part(**part) for part in content["parts"]])


def _fit(analyzer: str, texts: list[str], settings: Vectorize) -> Part:
    if settings.hashing is not None:
        part = Part(analyzer, settings.hashing, None, None)
        counts = _counter(part, settings).transform(texts) if settings.weighting == "tfidf" else None
    else:
        counter = _counting(analyzer, settings)
        try:
            counts = counter.fit_transform(texts)
        except ValueError as error:  # "empty vocabulary", "no terms remain", "max_df corresponds to < ..."
            raise UserError(f"no vocabulary under the settings of vectorize: {error}") from error
        vocabulary = [str(term) for term in counter.get_feature_names_out()]
        part = Part(analyzer, len(vocabulary), vocabulary, None)
    if settings.weighting != "tfidf":
        return part
    from sklearn.feature_extraction.text import TfidfTransformer

    idf = TfidfTransformer(sublinear_tf=settings.sublinear_tf).fit(counts).idf_
    return Part(part.analyzer, part.columns, part.vocabulary, idf.tolist())


def _counting(analyzer: str, settings: Vectorize) -> "CountVectorizer":
    """scikit-learn's CountVectorizer under the settings, not yet fitted."""
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(
        **_tokens(analyzer, settings),
        min_df=settings.min_df,
        max_df=settings.max_df,
        max_features=settings.max_features,
    )


def _counter(part: Part, settings: Vectorize) -> "CountVectorizer | HashingVectorizer":
    """What counts the terms of a fitted part."""
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

    tokens = _tokens(part.analyzer, settings)
    if part.vocabulary is None:
        return HashingVectorizer(**tokens, n_features=part.columns, norm=None, alternate_sign=False, dtype=np.int64)
    return CountVectorizer(**tokens, vocabulary={term: column for column, term in enumerate(part.vocabulary)})


def _tokens(analyzer: str, settings: Vectorize) -> dict[str, Any]:
    """Settings that say what the terms of a text are, as all of scikit-learn's vectorizers take them."""
    tokens = {
        "analyzer": analyzer,
        "lowercase": settings.lowercase,
        "ngram_range": settings.ngram_range if analyzer == "word" else settings.char_ngram_range,
        "binary": settings.weighting == "binary",
    }
    return tokens | ({"token_pattern": settings.token_pattern} if analyzer == "word" else {})


def _weighted(counts: csr_array, part: Part, settings: Vectorize) -> csr_array:
    if part.idf is None:
        return counts
    from sklearn.feature_extraction.text import TfidfTransformer

    transformer = TfidfTransformer(sublinear_tf=settings.sublinear_tf)
    transformer.idf_ = np.array(part.idf)
    weighted: csr_array = transformer.transform(counts)
    return weighted


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
