import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import log_softmax
from sklearn.naive_bayes import MultinomialNB
from sklearn.utils.class_weight import compute_sample_weight

from tests import samples
from textclf.models import naive_bayes

each_number_of_classes = pytest.mark.parametrize("classes", [2, 3, 6])


def fitted(classes: int = 2, **changes: object) -> naive_bayes.NaiveBayes:
    part = samples.rows(classes)
    return naive_bayes.fit(part, part, samples.settings("naive_bayes", **changes))


def by_hand(
    X: NDArray[np.int64], y: NDArray[np.int64], alpha: float, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probabilities of the rows by Bayes' rule, with the shares of the terms and of the classes in the rows."""
    scores = []
    for position in range(y.max() + 1):
        of_class = weights * (y == position)
        counts = alpha + of_class @ X
        scores.append(np.log(of_class.sum() / weights.sum()) + X @ np.log(counts / counts.sum()))
    return np.exp(log_softmax(np.array(scores).T, axis=1))


@pytest.mark.parametrize("alpha", [0.01, 1.0])
@each_number_of_classes
def test_it_is_scikit_learns_estimator(classes: int, alpha: float) -> None:
    part = samples.rows(classes)
    theirs = MultinomialNB(alpha=alpha).fit(part.X, part.y).predict_proba(part.X)
    assert fitted(classes, alpha=alpha).predict_proba(part.X) == pytest.approx(theirs, rel=1e-12)


@each_number_of_classes
def test_it_is_bayes_rule(classes: int) -> None:
    part = samples.rows(classes)
    X = part.X.toarray()
    assert fitted(classes, alpha=0.5).predict_proba(part.X) == pytest.approx(
        by_hand(X, part.y, 0.5, np.ones(len(part.y))), rel=1e-10
    )
    weights = compute_sample_weight("balanced", part.y)
    assert fitted(classes, alpha=0.5, class_weight="balanced").predict_proba(part.X) == pytest.approx(
        by_hand(X, part.y, 0.5, weights), rel=1e-10
    )


def test_a_class_that_weighs_double_is_one_whose_rows_stand_twice() -> None:
    part = samples.rows(3)
    weighted = fitted(3, class_weight={"class 0": 1, "class 1": 2, "class 2": 3})
    twice = samples.taken(part, np.repeat(np.arange(len(part.y)), part.y + 1))
    theirs = naive_bayes.fit(twice, twice, samples.settings("naive_bayes"))
    assert weighted.predict_proba(part.X) == pytest.approx(theirs.predict_proba(part.X), rel=1e-12)
    assert np.abs(weighted.predict_proba(part.X) - fitted(3).predict_proba(part.X)).max() > 0.1


def test_balanced_classes_are_equally_likely_where_there_is_no_term() -> None:
    nothing = csr_array((1, samples.TERMS), dtype=np.int64)
    assert fitted(3, class_weight="balanced").predict_proba(nothing) == pytest.approx(np.full((1, 3), 1 / 3))
    part = samples.rows(3)
    assert fitted(3).predict_proba(nothing)[0] == pytest.approx(np.bincount(part.y) / len(part.y))


def test_probabilities_of_a_row_of_millions_of_words_add_up_to_1() -> None:
    part = samples.rows()
    torn = samples.taken(part, np.arange(len(part.y)).repeat(2))  # each row once in either class
    torn = dataclasses.replace(torn, y=np.arange(len(torn.y)) % 2)
    model = naive_bayes.fit(torn, torn, samples.settings("naive_bayes"))
    probabilities = model.predict_proba(csr_array(np.full((1, samples.TERMS), 10**7)))
    assert probabilities[0].tolist() == pytest.approx([0.5, 0.5], abs=1e-15)


def test_the_smallest_alpha_leaves_all_numbers_finite() -> None:
    part = samples.rows(2)
    X = part.X.copy()
    X.data[X.indices == 0] *= (part.y == 0).repeat(np.diff(X.indptr))[X.indices == 0]  # a term of one class alone
    X.eliminate_zeros()
    part = dataclasses.replace(part, X=X)
    model = naive_bayes.fit(part, part, samples.settings("naive_bayes", alpha=5e-324))
    assert np.isfinite(model.estimator.feature_log_prob_).all()
    assert np.isfinite(model.predict_proba(part.X)).all()


def test_its_record_and_summary_count_the_numbers_fitted() -> None:
    assert fitted(3).record == {"parameters": 3 * (samples.TERMS + 1)}
    assert fitted(3).summary() == "parameters 39"
    assert fitted().history is None


@each_number_of_classes
def test_what_is_saved_predicts_the_same(tmp_path: Path, classes: int) -> None:
    model = fitted(classes)
    again = samples.saved(model, tmp_path)
    assert again.classes == tuple(samples.rows(classes).classes.tolist())
    assert np.array_equal(again.layers[0].kernel, model.estimator.feature_log_prob_.T)
    X = samples.rows(classes, seed=1).X
    assert again.predict_proba(X) == pytest.approx(model.predict_proba(X), rel=1e-12)
