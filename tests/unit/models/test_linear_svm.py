from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import random_array
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from tests import samples
from tests.refusal import refusal
from textclf.artifacts.features import Features
from textclf.models.common.calibrated import make_svm
from textclf.models.common.fitted import Fitted

Array = NDArray[np.float64]
each_number_of_classes = pytest.mark.parametrize("classes", [2, 3, 6])


def fit(classes: int = 2, **changes: object) -> Fitted:
    return samples.fit("linear_svm", samples.rows(classes), **changes)


def reference(part: Features, weights: Array | None = None, C: float = 1.0, folds: int = 5) -> Any:
    estimator = LinearSVC(C=C, dual=False)
    return CalibratedClassifierCV(estimator, cv=StratifiedKFold(folds), ensemble=False).fit(
        part.X, part.y, weights
    )


@pytest.mark.parametrize("C", [0.1, 1.0, 10.0])
@each_number_of_classes
def test_probabilities_are_those_of_the_calibrated_svm_of_scikit_learn(
    classes: int, C: float
) -> None:
    test = samples.rows(classes, seed=1)
    expected = reference(samples.rows(classes), C=C).predict_proba(test.X)
    assert fit(classes, C=C).layers.predict_proba(test.X) == pytest.approx(expected, abs=1e-12)


@each_number_of_classes
def test_weights_of_classes_are_weights_of_rows(classes: int) -> None:
    part, test = samples.rows(classes), samples.rows(classes, seed=1)
    expected = reference(part, compute_sample_weight("balanced", part.y)).predict_proba(test.X)
    probabilities = fit(classes, class_weight="balanced").layers.predict_proba(test.X)
    assert probabilities == pytest.approx(expected, abs=1e-12)
    assert np.abs(probabilities - fit(classes).layers.predict_proba(test.X)).max() > 0.01


def test_a_class_of_two_rows_is_enough() -> None:
    part = samples.rows(3)
    part = samples.take(
        part, np.concatenate([np.flatnonzero(part.y != 2), np.flatnonzero(part.y == 2)[:2]])
    )
    expected = reference(part, folds=2).predict_proba(part.X)
    assert samples.fit("linear_svm", part).layers.predict_proba(part.X) == pytest.approx(
        expected, abs=1e-12
    )


@pytest.mark.parametrize("model", ["linear_svm", "nb_svm"])
def test_a_second_fit_gives_the_same_bits_whatever_the_random_state(model: str) -> None:
    part = samples.rows(
        2, count=10
    )  # fewer than terms, where scikit-learn by default draws random numbers
    bits = []
    for seed in (7, 8):
        np.random.seed(seed)  # noqa: NPY002 (the generator that scikit-learn uses by default)
        (layer,) = samples.fit(model, part).layers.layers
        bits.append((layer.kernel.tobytes(), layer.bias.tobytes()))
    assert bits[0] == bits[1]


@pytest.mark.parametrize(
    ("rows", "columns", "dual"), [(40, 200, True), (40, 41, True), (40, 40, False), (40, 9, False)]
)
@pytest.mark.parametrize("C", [0.1, 1.0, 10.0])
def test_the_solver_depends_on_the_shape_and_the_weights_do_not(
    rows: int, columns: int, dual: bool, C: float
) -> None:
    X = random_array((rows, columns), density=0.3, rng=np.random.default_rng(0), format="csr")
    y = np.arange(rows) % 2
    svm = make_svm(C, rows, columns).fit(X, y)
    optimum = LinearSVC(C=C, dual=False, tol=1e-9, max_iter=10_000).fit(X, y)
    assert svm.dual is dual
    assert svm.coef_ == pytest.approx(optimum.coef_, abs=5e-3)
    assert svm.intercept_ == pytest.approx(optimum.intercept_, abs=5e-3)


def test_a_class_with_too_few_rows_to_calibrate_by_is_an_error() -> None:
    part = samples.rows(3)
    kept = np.concatenate([np.flatnonzero(part.y != 2), np.flatnonzero(part.y == 2)[:1]])
    line = refusal(samples.fit, "linear_svm", samples.take(part, kept))
    assert line == "each class must have at least 2 training rows to calibrate by; class 2 has 1"
