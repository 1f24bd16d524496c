"""Held-out training rows as rows of new texts."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from textclf.artifacts.features import stack_columns
from textclf.models.common.crossvalidation import as_new_texts
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

FITTED, HELD_OUT = ["good food", "bad food", "good place"], ["good pizza", "bad place at the corner", "pizza", ""]


def make_vectors(analyzer: str, weighting: str) -> csr_array:
    settings = Terms.model_validate({"analyzer": analyzer, "weighting": weighting})
    return Vectorizer.fit([*FITTED, *HELD_OUT], settings).transform([*FITTED, *HELD_OUT])


@pytest.mark.parametrize("analyzer", ["word", "word+char_wb"])
def test_rows_of_tfidf_get_their_length_back_without_the_terms_that_no_fitted_row_has(analyzer: str) -> None:
    X = make_vectors(analyzer, "tfidf")
    known = np.flatnonzero(X[:3].sum(axis=0))
    new = as_new_texts(X[:3], X[3:])[:, known].toarray()
    before = X[3:][:, known].toarray()
    lengths = np.linalg.norm(before, axis=1, keepdims=True)
    whole = np.linalg.norm(X[3].toarray())  # 1 for each analyzer
    np.testing.assert_allclose(new, whole * before / np.where(lengths > 0, lengths, 1))
    assert np.linalg.norm(new[0]) == pytest.approx(whole)


@pytest.mark.parametrize("weighting", ["counts", "binary"])
def test_counts_and_dense_vectors_stay(weighting: str) -> None:
    X = make_vectors("word", weighting)
    np.testing.assert_array_equal(as_new_texts(X[:3], X[3:]).toarray(), X[3:].toarray())
    dense = np.ones((4, 2), np.float32)
    assert (as_new_texts(dense[:2], dense[2:]) == dense[2:]).all()


def test_only_the_terms_beside_sentence_vectors_are_scaled() -> None:
    X, vectors = make_vectors("word", "tfidf"), np.full((7, 2), 0.5, np.float32)
    both = stack_columns([X, vectors], [0.7, 2.0])
    new = as_new_texts(both[:3], both[3:]).toarray()
    np.testing.assert_allclose(new[:, -2:], 1.0)
    np.testing.assert_allclose(new[:, :-2], 0.7 * as_new_texts(X[:3], X[3:]).toarray())
