"""The paper's formulas written out once more, over dense arrays: Wang & Manning (2012), sections 2.1 to 2.3."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from tests import samples
from textclf.models import Calibrated, nb_svm

Array = NDArray[np.float64]
SOLVER = 1e-5  # over sparse and over dense rows liblinear may stop a step apart
each_number_of_classes = pytest.mark.parametrize("classes", [2, 3, 6])


def fitted(classes: int = 2, **changes: object) -> Calibrated:
    part = samples.rows(classes)
    return nb_svm.fit(part, part, samples.settings("nb_svm", **changes))


def ratios(f: Array, positive: NDArray[np.bool_], alpha: float) -> Array:
    """r = log((p / ||p||1) / (q / ||q||1)), p = alpha + the sum of f over the positive cases, q over the negative."""
    p, q = np.full(f.shape[1], alpha), np.full(f.shape[1], alpha)
    for case, is_positive in zip(f, positive, strict=True):
        if is_positive:
            p += case
        else:
            q += case
    r: Array = np.log((p / np.linalg.norm(p, 1)) / (q / np.linalg.norm(q, 1)))
    return r


def paper(
    f: Array, positive: NDArray[np.bool_], C: float, alpha: float, beta: float, weights: Array | None = None
) -> tuple[Array, float]:
    """w and b of the SVM on r o f, w' = (1 - beta) mean(|w|) + beta w in its place; w' o r for the plain f."""
    r = ratios(f, positive, alpha)
    svm = LinearSVC(C=C, dual=False).fit(r * f, positive, weights)
    w = svm.coef_[0]
    mean = np.linalg.norm(w, 1) / len(w)
    return ((1 - beta) * mean + beta * w) * r, svm.intercept_[0]


def platt(scores: Array, positive: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of Platt's sigmoid, whose targets are not quite 0 and 1."""
    count = positive.sum()
    targets = np.where(positive, (count + 1) / (count + 2), 1 / (len(positive) - count + 2))

    def loss(line: Array) -> float:
        z = line[0] * scores + line[1]
        return float((np.logaddexp(0, z) - targets * z).sum())

    slope, offset = minimize(
        loss, np.array([1.0, 0.0]), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
    ).x
    return slope, offset


def positives(y: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
    """The rows of the second class of two, or of each of more."""
    classes = y.max() + 1
    return [y == 1] if classes == 2 else [y == position for position in range(classes)]


@pytest.mark.parametrize("beta", [0.0, 0.25, 1.0])
@pytest.mark.parametrize(("C", "alpha"), [(1.0, 1.0), (0.1, 0.01)])
@each_number_of_classes
def test_weights_are_those_of_the_paper(classes: int, C: float, alpha: float, beta: float) -> None:
    part = samples.rows(classes)
    f = (part.X.toarray() > 0).astype(float)
    arrays = fitted(classes, C=C, alpha=alpha, beta=beta).arrays
    for position, positive in enumerate(positives(part.y)):
        w, b = paper(f, positive, C, alpha, beta)
        assert arrays["coef"][position] == pytest.approx(w, abs=SOLVER)
        assert arrays["intercept"][position] == pytest.approx(b, abs=SOLVER)


@each_number_of_classes
def test_sigmoids_are_platts_on_rows_that_the_svm_did_not_see(classes: int) -> None:
    part = samples.rows(classes)
    f = (part.X.toarray() > 0).astype(float)
    arrays = fitted(classes).arrays
    for position, positive in enumerate(positives(part.y)):
        scores = np.zeros(len(part.y))
        for kept, unseen in StratifiedKFold(5).split(f, part.y):
            w, b = paper(f[kept], positive[kept], C=1.0, alpha=1.0, beta=0.25)
            scores[unseen] = f[unseen] @ w + b
        line = platt(scores, positive)
        assert (arrays["slope"][position], arrays["offset"][position]) == pytest.approx(line, abs=2e-3)


@each_number_of_classes
def test_probabilities_are_the_sigmoids_of_the_scores(classes: int) -> None:
    model, other = fitted(classes), samples.rows(classes, seed=1)
    f = (other.X.toarray() > 0).astype(float)
    scores = f @ model.arrays["coef"].T + model.arrays["intercept"]
    shares = expit(scores * model.arrays["slope"] + model.arrays["offset"])
    shares = np.hstack([1 - shares, shares]) if classes == 2 else shares / shares.sum(axis=1, keepdims=True)
    assert model.predict_proba(other.X) == pytest.approx(shares, rel=1e-12)


def test_at_beta_0_all_terms_weigh_as_naive_bayes_has_them() -> None:
    part = samples.rows()
    r = ratios((part.X.toarray() > 0).astype(float), part.y == 1, 1.0)
    coef = fitted(beta=0.0).arrays["coef"][0]
    assert coef / r == pytest.approx(np.full(samples.TERMS, coef[0] / r[0]))
    assert coef[0] / r[0] > 0


def test_at_beta_1_the_svms_own_weights_remain() -> None:
    part = samples.rows()
    f = (part.X.toarray() > 0).astype(float)
    r = ratios(f, part.y == 1, 1.0)
    svm = LinearSVC(dual=False).fit(f * r, part.y)
    other = (samples.rows(seed=1).X.toarray() > 0).astype(float)
    arrays = fitted(beta=1.0).arrays
    assert other @ arrays["coef"][0] + arrays["intercept"] == pytest.approx(
        svm.decision_function(other * r), abs=SOLVER
    )


def test_a_class_weight_weighs_the_rows_of_the_svm_and_not_the_ratios() -> None:
    part = samples.rows(3)
    f = (part.X.toarray() > 0).astype(float)
    arrays = fitted(3, class_weight={"class 0": 1, "class 1": 2, "class 2": 5}).arrays
    weights = np.array([1.0, 2.0, 5.0])[part.y]
    for position in range(3):
        w, b = paper(f, part.y == position, C=1.0, alpha=1.0, beta=0.25, weights=weights)
        assert arrays["coef"][position] == pytest.approx(w, abs=SOLVER)
        assert arrays["intercept"][position] == pytest.approx(b, abs=SOLVER)
    assert arrays["coef"] != pytest.approx(fitted(3).arrays["coef"], abs=1e-2)


def test_only_whether_a_term_is_there_counts() -> None:
    part = samples.rows(3)
    weighted = csr_array(part.X * 0.37)
    model = nb_svm.fit(dataclasses.replace(part, X=weighted), part, samples.settings("nb_svm"))
    assert np.array_equal(model.predict_proba(weighted), fitted(3).predict_proba(part.X))


@hypothesis_settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), alpha=st.floats(1e-3, 1e3))
def test_ratios_are_those_of_the_paper_and_change_sign_with_the_sides(seed: int, alpha: float) -> None:
    generator = np.random.default_rng(seed)
    f = (generator.random((9, 5)) < 0.4).astype(float)
    positive = np.arange(9) < generator.integers(1, 9)
    found = nb_svm.log_ratios(csr_array(f), positive, alpha)
    assert found == pytest.approx(ratios(f, positive, alpha), rel=1e-9, abs=1e-12)
    assert found.tolist() == (-nb_svm.log_ratios(csr_array(f), ~positive, alpha)).tolist()


def test_the_smallest_alpha_leaves_all_ratios_finite() -> None:
    f = csr_array(np.array([[1.0, 1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0, 1.0]]))
    assert np.isfinite(nb_svm.log_ratios(f, np.array([True, False]), 5e-324)).all()


def test_its_record_counts_the_numbers_fitted() -> None:
    assert fitted(3).record == {"parameters": 3 * (samples.TERMS + 1 + 2)}
    assert fitted().history is None


@each_number_of_classes
def test_what_is_saved_predicts_the_same(tmp_path: Path, classes: int) -> None:
    model = fitted(classes)
    again = samples.saved(model, tmp_path)
    assert again.classes == tuple(samples.rows(classes).classes.tolist())
    assert again.presence is True
    X = samples.rows(classes, seed=1).X
    assert again.predict_proba(X) == pytest.approx(model.predict_proba(X), rel=1e-12)


def test_a_second_fit_gives_the_same_bits_whatever_the_random_state() -> None:
    part = samples.rows(2, count=10)
    bits = []
    for seed in (7, 8):
        np.random.seed(seed)  # noqa: NPY002 (it is the generator that scikit-learn takes by default)
        arrays = nb_svm.fit(part, part, samples.settings("nb_svm")).arrays
        bits.append({name: array.tobytes() for name, array in arrays.items()})
    assert bits[0] == bits[1]
