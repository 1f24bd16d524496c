"""Texts and settings for tests of vectorizers, and scikit-learn's to compare with."""

from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.pipeline import FeatureUnion, make_pipeline

from textclf.core.errors import UserError
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

LETTERS = {
    "latin": "abcABCßİéñ'-_019",
    "right-to-left": "אבגשלוםعربيسلامک\u200f\u200e\u061c",
    "emoji": "😀👍🏽👩\u200d🚀🇩🇪❤\ufe0f",
    "marks": "e\u0301a\u0308\u0323क\u094dषि\u0e01\u0e33\u0327",
    "cjk": "中文漢字ひらカタ한글ー、。",
    "spaces": " \t\n\r\x0b\x85\xa0\u2028\u3000\u200b\0",
}
TEXTS = st.one_of(
    *(st.text(alphabet + " ", max_size=12) for alphabet in LETTERS.values()),
    st.text("".join(LETTERS.values()), max_size=20),
    # Half a surrogate pair is no text.
    st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    st.lists(
        st.sampled_from(["good", "Good", "FOOD", "bad", "food", "a", "سلام", "中文", "👍🏽"]),
        max_size=8,
    ).map(" ".join),
)
CORPORA = st.lists(TEXTS, min_size=1, max_size=6)


@st.composite
def any_settings(draw: st.DrawFn) -> Terms:
    """Draw settings that are valid together."""
    weighting = draw(st.sampled_from(["counts", "binary", "tfidf"]))
    low, char_low = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    changes: dict[str, object] = {
        "analyzer": draw(st.sampled_from(["word", "char", "char_wb", "word+char", "word+char_wb"])),
        "weighting": weighting,
        "sublinear_tf": weighting == "tfidf" and draw(st.booleans()),
        "lowercase": draw(st.booleans()),
        "token_pattern": draw(st.sampled_from([r"(?u)\b\w\w+\b", r"\S+", r".", r"(\w)\w*"])),
        "ngram_range": (low, low + draw(st.integers(0, 2))),
        "char_ngram_range": (char_low, char_low + draw(st.integers(0, 2))),
    }
    if draw(st.booleans()):
        changes |= {"hashing": draw(st.sampled_from([1, 2, 7, 1024]))}
    else:
        changes |= {
            "min_df": draw(st.sampled_from([1, 1, 2, 0.0, 0.3])),
            "max_df": draw(st.sampled_from([1.0, 1.0, 0.7, 2])),
            "max_features": draw(st.sampled_from([None, None, 1, 3])),
        }
    return Terms.model_validate(changes)


def fitted(texts: list[str], settings: Terms) -> Vectorizer:
    """Return a fitted vectorizer; hypothesis draws other texts if they leave no term."""
    try:
        return Vectorizer.fit(texts, settings)
    except UserError:
        reject()


def reference(settings: Terms) -> Any:
    """Return scikit-learn's vectorizer or union, as its documentation would write it."""
    parts = [(analyzer, _reference(analyzer, settings)) for analyzer in settings.analyzers]
    return FeatureUnion(parts) if len(parts) > 1 else parts[0][1]


def _reference(analyzer: str, settings: Terms) -> Any:
    tokens: dict[str, Any] = {"analyzer": analyzer, "lowercase": settings.lowercase}
    if analyzer == "word":
        tokens |= {"token_pattern": settings.token_pattern, "ngram_range": settings.ngram_range}
    else:
        tokens |= {"ngram_range": settings.char_ngram_range}
    selection = {
        "min_df": settings.min_df,
        "max_df": settings.max_df,
        "max_features": settings.max_features,
    }
    binary = settings.weighting == "binary"
    if settings.hashing is not None:
        hashed = HashingVectorizer(
            **tokens, binary=binary, n_features=settings.hashing, norm=None, alternate_sign=False
        )
        tfidf = TfidfTransformer(sublinear_tf=settings.sublinear_tf)
        return make_pipeline(hashed, tfidf) if settings.weighting == "tfidf" else hashed
    if settings.weighting == "tfidf":
        return TfidfVectorizer(**tokens, **selection, sublinear_tf=settings.sublinear_tf)
    return CountVectorizer(**tokens, **selection, binary=binary)


def same(ours: csr_array, theirs: Any) -> bool:
    """Tell whether both are the same matrix, and ours is as `Features.X` must be."""
    theirs = csr_array(theirs)
    theirs.sort_indices()
    return (
        ours.format == "csr"
        and bool(ours.has_sorted_indices)
        and ours.dtype in (np.int64, np.float64)
        and ours.shape == theirs.shape
        and ours.indptr.dtype == ours.indices.dtype == theirs.indices.dtype
        and np.array_equal(ours.indptr, theirs.indptr)
        and np.array_equal(ours.indices, theirs.indices)
        and np.array_equal(ours.data, theirs.data)
    )
