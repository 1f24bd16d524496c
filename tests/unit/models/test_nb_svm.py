"""The paper's formulas over dense arrays: Wang & Manning (2012), sections 2.1 to 2.3."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.svm import LinearSVC

from tests import samples
from textclf.models import nb_svm
from textclf.models.common.fitted import Fitted

Array = NDArray[np.float64]
SOLVER = 1e-5  # liblinear may stop a step earlier or later for sparse rows than for dense ones
each_number_of_classes = pytest.mark.parametrize("classes", [2, 3, 6])


def fit(classes: int = 2, **changes: object) -> Fitted:
    return samples.fit("nb_svm", samples.rows(classes), **changes)


def scorer(classes: int = 2, weights: Array | None = None, **changes: object) -> Any:
    part = samples.rows(classes)
    return nb_svm.make_estimator(samples.settings("nb_svm", **changes), len(part.classes) > 2).fit(
        part.X, part.y, weights
    )


def ratios(f: Array, positive: NDArray[np.bool_], alpha: float, own: float | None = None) -> Array:
    """Return log((p / |p|) / (q / |q|)): alpha plus the sum of f, positive and negative.

    The alpha of p is `own` if it is given.
    """
    p, q = np.full(f.shape[1], own or alpha), np.full(f.shape[1], alpha)
    for case, is_positive in zip(f, positive, strict=True):
        if is_positive:
            p += case
        else:
            q += case
    r: Array = np.log((p / np.linalg.norm(p, 1)) / (q / np.linalg.norm(q, 1)))
    return r


def paper(
    f: Array,
    positive: NDArray[np.bool_],
    C: float,
    alpha: float,
    beta: float,
    classes: int,
    weights: Array | None = None,
) -> tuple[Array, float]:
    """Return weights and intercept for f: of an SVM on r * f, mixed with their mean size.

    Of more than two classes, the alpha of one is smaller than that of the others as it has fewer
    rows.
    """
    r = ratios(
        f,
        positive,
        alpha,
        alpha * positive.mean() / (1 - positive.mean()) if classes > 2 else alpha,
    )
    svm = LinearSVC(C=C, dual=False).fit(r * f, positive, weights)
    w = svm.coef_[0]
    mean = np.linalg.norm(w, 1) / len(w)
    return ((1 - beta) * mean + beta * w) * r, svm.intercept_[0]


def positives(y: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
    """Return the rows of the positive class of two, or of each class of more."""
    classes = y.max() + 1
    return [y == 1] if classes == 2 else [y == position for position in range(classes)]


@pytest.mark.parametrize("beta", [0.0, 0.25, 1.0])
@pytest.mark.parametrize(("C", "alpha"), [(1.0, 1.0), (0.1, 0.01)])
@each_number_of_classes
def test_weights_are_those_of_the_paper(classes: int, C: float, alpha: float, beta: float) -> None:
    part = samples.rows(classes)
    f = (part.X.toarray() > 0).astype(float)
    estimator = scorer(classes, C=C, alpha=alpha, beta=beta)
    for position, positive in enumerate(positives(part.y)):
        w, b = paper(f, positive, C, alpha, beta, classes)
        assert estimator.coef_[position] == pytest.approx(w, abs=SOLVER)
        assert estimator.intercept_[position] == pytest.approx(b, abs=SOLVER)


def test_a_class_weight_weighs_the_rows_of_the_svm_and_not_the_ratios() -> None:
    part = samples.rows(3)
    f = (part.X.toarray() > 0).astype(float)
    weights = np.array([1.0, 2.0, 5.0])[part.y]
    estimator = scorer(3, weights)
    (layer,) = fit(3, class_weight={"class 0": 1, "class 1": 2, "class 2": 5}).layers.layers
    for position in range(3):
        w, b = paper(f, part.y == position, C=1.0, alpha=1.0, beta=0.25, classes=3, weights=weights)
        assert estimator.coef_[position] == pytest.approx(w, abs=SOLVER)
        assert estimator.intercept_[position] == pytest.approx(b, abs=SOLVER)
        slopes = (
            layer.kernel[:, position] / estimator.coef_[position]
        )  # calibration multiplies all weights alike
        assert slopes == pytest.approx(np.full(samples.TERMS, slopes[0]), rel=1e-9)
    assert estimator.coef_ != pytest.approx(scorer(3).coef_, abs=1e-2)


def test_only_the_presence_of_a_term_counts() -> None:
    part = samples.rows(3)
    weighted = csr_array(part.X * 0.37)
    model = samples.fit("nb_svm", dataclasses.replace(part, X=weighted)).layers
    assert model.presence is True
    assert np.array_equal(model.predict_proba(weighted), fit(3).layers.predict_proba(part.X))


@given(seed=st.integers(0, 2**32 - 1), alpha=st.floats(1e-3, 1e3))
def test_ratios_are_those_of_the_paper_and_change_sign_with_the_sides(
    seed: int, alpha: float
) -> None:
    generator = np.random.default_rng(seed)
    f = (generator.random((9, 5)) < 0.4).astype(float)
    positive = np.arange(9) < generator.integers(1, 9)
    computed = nb_svm.log_ratios(csr_array(f), positive, alpha, several=False)
    assert computed == pytest.approx(ratios(f, positive, alpha), rel=1e-9, abs=1e-12)
    assert (
        computed.tolist()
        == (-nb_svm.log_ratios(csr_array(f), ~positive, alpha, several=False)).tolist()
    )


def test_a_rare_term_that_one_of_many_classes_lacks_is_no_sign_of_it() -> None:
    f = csr_array(np.array([[1.0, 0.0]] + [[0.0, 1.0]] * 9 + [[0.0, 0.0]] * 90))
    positive = np.arange(100) == 0
    own, other = nb_svm.log_ratios(f, positive, 1.0, several=True)
    assert own > 0 > other
    rare = csr_array(np.hstack([f.toarray(), np.eye(100)]))  # a term of its own in each row
    assert (nb_svm.log_ratios(rare, positive, 1.0, several=True)[3:] < 0).all()
    assert (nb_svm.log_ratios(rare, positive, 1.0, several=False)[3:] > 0).all()


def test_the_smallest_alpha_leaves_all_ratios_finite() -> None:
    f = csr_array(np.array([[1.0, 1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0, 1.0]]))
    assert np.isfinite(nb_svm.log_ratios(f, np.array([True, False]), 5e-324, several=False)).all()
