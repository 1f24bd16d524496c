from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from tests import samples
from textclf.artifacts.features import Features
from textclf.models.common.fitted import Fitted

Array = NDArray[np.float64]
each_number_of_classes = pytest.mark.parametrize("classes", [2, 3, 6])


def fit(classes: int = 2, **changes: object) -> Fitted:
    return samples.fit("linear_svm", samples.rows(classes), **changes)


def reference(part: Features, weights: Array | None = None, C: float = 1.0, folds: int = 5) -> Any:
    """Return the calibrated classifier of scikit-learn."""
    estimator = LinearSVC(C=C, dual=False)
    return CalibratedClassifierCV(estimator, cv=StratifiedKFold(folds), ensemble=False).fit(part.X, part.y, weights)


def directions(weights: Array) -> Array:
    """Return the weights of each score, a column, as a vector of length 1: calibration only changes its length."""
    unit: Array = weights / np.linalg.norm(weights, axis=0)
    return unit


@pytest.mark.parametrize("C", [0.1, 1.0, 10.0])
@each_number_of_classes
def test_probabilities_are_those_of_the_calibrated_svm_of_scikit_learn(classes: int, C: float) -> None:
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


def test_weights_of_two_classes_are_the_class_weight_of_scikit_learn() -> None:
    part = samples.rows()
    estimator = LinearSVC(dual=False, class_weight={0: 0.5, 1: 3.0}).fit(part.X, part.y)
    (layer,) = fit(class_weight={"class 0": 0.5, "class 1": 3.0}).layers.layers
    assert directions(layer.kernel) == pytest.approx(directions(estimator.coef_.T), rel=1e-6)


@each_number_of_classes
def test_a_class_of_double_weight_is_a_class_whose_rows_occur_twice(classes: int) -> None:
    part = samples.rows(classes)
    weights = {name: number + 1.0 for number, name in enumerate(part.classes.tolist())}
    repeated = samples.take(part, np.repeat(np.arange(len(part.y)), part.y + 1))
    expected = directions(LinearSVC(dual=False).fit(repeated.X, repeated.y).coef_.T)
    (weighted,) = fit(classes, class_weight=weights).layers.layers
    (unweighted,) = fit(classes).layers.layers
    assert directions(weighted.kernel) == pytest.approx(expected, abs=1e-3)
    assert directions(unweighted.kernel) != pytest.approx(expected, abs=1e-2)


def test_a_class_of_two_rows_is_enough() -> None:
    part = samples.rows(3)
    part = samples.take(part, np.concatenate([np.flatnonzero(part.y != 2), np.flatnonzero(part.y == 2)[:2]]))
    expected = reference(part, folds=2).predict_proba(part.X)
    assert samples.fit("linear_svm", part).layers.predict_proba(part.X) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("classes", "parameters"), [(2, 12 + 1 + 2), (3, 3 * (12 + 1 + 2))])
def test_its_record_and_summary_count_the_fitted_numbers(classes: int, parameters: int) -> None:
    assert fit(classes).record == {"parameters": parameters}
    assert str(fit(classes)) == f"parameters {parameters}"
    assert fit(classes).history is None


def test_the_weights_of_terms_count_and_not_only_their_presence() -> None:
    assert fit().layers.presence is False


@pytest.mark.parametrize("model", ["linear_svm", "nb_svm"])
def test_a_second_fit_gives_the_same_bits_whatever_the_random_state(model: str) -> None:
    part = samples.rows(2, count=10)  # fewer than terms, where scikit-learn by default draws random numbers
    bits = []
    for seed in (7, 8):
        np.random.seed(seed)  # noqa: NPY002 (the generator that scikit-learn uses by default)
        (layer,) = samples.fit(model, part).layers.layers
        bits.append((layer.kernel.tobytes(), layer.bias.tobytes()))
    assert bits[0] == bits[1]
