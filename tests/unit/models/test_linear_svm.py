from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from tests import samples
from textclf.models import Calibrated, linear_svm
from textclf.vectorize.features import Features

each_number_of_classes = pytest.mark.parametrize("classes", [2, 3, 6])


def fitted(classes: int = 2, **changes: object) -> Calibrated:
    part = samples.rows(classes)
    return linear_svm.fit(part, part, samples.settings("linear_svm", **changes))


def reference(part: Features, weights: NDArray[np.float64] | None = None, C: float = 1.0, folds: int = 5) -> Any:
    """scikit-learn's own."""
    estimator = LinearSVC(C=C, dual=False)
    return CalibratedClassifierCV(estimator, cv=StratifiedKFold(folds), ensemble=False).fit(part.X, part.y, weights)


@pytest.mark.parametrize("C", [0.1, 1.0, 10.0])
@each_number_of_classes
def test_probabilities_are_those_of_scikit_learns_calibrated_svm(classes: int, C: float) -> None:
    other = samples.rows(classes, seed=1)
    theirs = reference(samples.rows(classes), C=C).predict_proba(other.X)
    assert fitted(classes, C=C).predict_proba(other.X) == pytest.approx(theirs, abs=1e-12)


@each_number_of_classes
def test_weights_of_classes_are_weights_of_rows(classes: int) -> None:
    part, other = samples.rows(classes), samples.rows(classes, seed=1)
    theirs = reference(part, compute_sample_weight("balanced", part.y)).predict_proba(other.X)
    found = fitted(classes, class_weight="balanced").predict_proba(other.X)
    assert found == pytest.approx(theirs, abs=1e-12)
    assert np.abs(found - fitted(classes).predict_proba(other.X)).max() > 0.01


def test_weights_of_two_classes_are_scikit_learns_class_weight() -> None:
    part = samples.rows()
    theirs = LinearSVC(dual=False, class_weight={0: 0.5, 1: 3.0}).fit(part.X, part.y)
    arrays = fitted(class_weight={"class 0": 0.5, "class 1": 3.0}).arrays
    assert arrays["intercept"] == pytest.approx(theirs.intercept_, rel=1e-6)
    assert arrays["coef"] == pytest.approx(theirs.coef_, rel=1e-6)


@each_number_of_classes
def test_a_class_that_weighs_double_is_one_whose_rows_stand_twice(classes: int) -> None:
    part = samples.rows(classes)
    weights = {name: number + 1.0 for number, name in enumerate(part.classes.tolist())}
    twice = samples.taken(part, np.repeat(np.arange(len(part.y)), part.y + 1))
    theirs = LinearSVC(dual=False).fit(twice.X, twice.y)
    assert fitted(classes, class_weight=weights).arrays["coef"] == pytest.approx(theirs.coef_, abs=1e-3)
    assert fitted(classes).arrays["coef"] != pytest.approx(theirs.coef_, abs=1e-2)


def test_a_class_of_two_rows_is_enough() -> None:
    part = samples.rows(3)
    part = samples.taken(part, np.concatenate([np.flatnonzero(part.y != 2), np.flatnonzero(part.y == 2)[:2]]))
    theirs = reference(part, folds=2).predict_proba(part.X)
    model = linear_svm.fit(part, part, samples.settings("linear_svm"))
    assert model.predict_proba(part.X) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(("classes", "parameters"), [(2, 12 + 1 + 2), (3, 3 * (12 + 1 + 2))])
def test_its_record_and_summary_count_the_numbers_fitted(classes: int, parameters: int) -> None:
    assert fitted(classes).record == {"parameters": parameters}
    assert fitted(classes).summary() == f"parameters {parameters}"
    assert fitted(classes).history is None


@each_number_of_classes
def test_what_is_saved_predicts_the_same(tmp_path: Path, classes: int) -> None:
    model = fitted(classes)
    again = samples.saved(model, tmp_path)
    assert again.classes == tuple(samples.rows(classes).classes.tolist())
    assert again.presence is False
    X = samples.rows(classes, seed=1).X
    assert again.predict_proba(X) == pytest.approx(model.predict_proba(X), rel=1e-12)


def test_a_second_fit_gives_the_same_bits_whatever_the_random_state() -> None:
    part = samples.rows(2, count=10)  # fewer than terms, where scikit-learn would take a solver that draws numbers
    bits = []
    for seed in (7, 8):
        np.random.seed(seed)  # noqa: NPY002 (it is the generator that scikit-learn takes by default)
        arrays = linear_svm.fit(part, part, samples.settings("linear_svm")).arrays
        bits.append({name: array.tobytes() for name, array in arrays.items()})
    assert bits[0] == bits[1]
