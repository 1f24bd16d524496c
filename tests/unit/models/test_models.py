"""What the models share: their names, the weights of classes, and scores that become probabilities."""

from typing import Any, get_args

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.utils.class_weight import compute_sample_weight

from tests import samples
from textclf import models, params
from textclf.core.errors import UserError
from textclf.models import Calibrated

CLASSES = (2, 3, 6)


@pytest.mark.parametrize("name", get_args(params.Model))
def test_every_model_that_params_know_has_a_module_and_a_section(name: str) -> None:
    assert callable(models.module(name).fit)
    assert name in params.Train.model_fields


# Weights of classes


def test_without_weights_there_are_none() -> None:
    assert models.row_weights(samples.rows(), None) is None


@pytest.mark.parametrize("classes", CLASSES)
def test_balanced_weights_are_scikit_learns(classes: int) -> None:
    part = samples.rows(classes)
    weights = models.row_weights(part, "balanced")
    assert weights is not None
    assert weights == pytest.approx(compute_sample_weight("balanced", part.y), rel=1e-15)
    assert weights.mean() == pytest.approx(1)
    sums = np.bincount(part.y, weights)
    assert sums == pytest.approx([sums[0]] * classes)


@pytest.mark.parametrize("order", [1, -1])
def test_a_row_weighs_what_its_class_is_given(order: int) -> None:
    part = samples.rows(3)
    given = (("class 0", 0.5), ("class 1", 2.0), ("class 2", 7.0))[::order]
    weights = models.row_weights(part, given)
    assert weights is not None
    assert weights.tolist() == compute_sample_weight({0: 0.5, 1: 2.0, 2: 7.0}, part.y).tolist()


@pytest.mark.parametrize("names", [("class 0",), ("class 0", "class 1", "class 2"), ("0", "1")], ids=str)
@pytest.mark.parametrize("model", ["naive_bayes", "logistic_regression", "linear_svm", "nb_svm", "keras"])
def test_weights_of_other_classes_than_there_are_are_an_error(model: str, names: tuple[str, ...]) -> None:
    settings = samples.settings(model, class_weight=dict.fromkeys(names, 2.0))
    with pytest.raises(UserError) as error:
        models.module(model).fit(samples.rows(), samples.rows(), settings)
    assert error.value.lines == (f"class_weight must name the classes class 0, class 1; got {', '.join(names)}",)


@pytest.mark.parametrize("given", [None, "balanced", (("class 0", 0.5), ("class 1", 2.0), ("class 2", 7.0))], ids=str)
def test_weights_of_classes_are_those_of_their_rows(given: Any) -> None:
    part = samples.rows(3)
    weights = models.class_weights(part.classes, np.bincount(part.y), given)
    rows = models.row_weights(part, given)
    assert (weights is None and rows is None) or np.array_equal(weights[part.y], rows)  # type: ignore[index,arg-type]


# Scores as probabilities


def calibrated(scores: list[list[float]], **changed: Any) -> Any:
    """Probabilities where the features of a row are its scores."""
    size = len(scores[0])
    arrays = {"coef": np.eye(size), "intercept": np.zeros(size), "slope": np.ones(size), "offset": np.zeros(size)}
    classes = np.arange(max(size, 2)).astype(str)
    return Calibrated(classes, arrays | changed, presence=False).predict_proba(csr_array(np.array(scores)))


def test_of_two_classes_the_score_is_that_of_the_second() -> None:
    found = calibrated([[0.0], [2.0], [-3.0]], slope=np.array([2.0]), offset=np.array([1.0]))
    assert found[:, 1] == pytest.approx(expit([1.0, 5.0, -5.0]), rel=1e-15)
    assert found.sum(axis=1) == pytest.approx([1.0] * 3, rel=1e-15)


def test_a_small_probability_of_two_keeps_its_digits() -> None:
    found = calibrated([[50.0], [-50.0], [700.0], [-700.0]])
    tiny = [np.exp(-50.0), np.exp(-700.0)]
    assert [found[0, 0], found[2, 0]] == pytest.approx(tiny, rel=1e-12, abs=0)
    assert [found[1, 1], found[3, 1]] == pytest.approx(tiny, rel=1e-12, abs=0)


def test_of_more_classes_each_has_its_share_of_the_sigmoids() -> None:
    scores = [[0.0, 1.0, -2.0], [0.0, 0.0, 0.0], [30.0, -30.0, 2.0]]
    sigmoids = expit(np.array(scores) * 2 + [0.5, 0.0, -0.5])
    found = calibrated(scores, slope=np.full(3, 2.0), offset=np.array([0.5, 0.0, -0.5]))
    assert found == pytest.approx(sigmoids / sigmoids.sum(axis=1, keepdims=True), rel=1e-14)


def test_a_row_that_no_class_wants_belongs_to_all_alike() -> None:
    assert calibrated([[-1e6, -1e6, -2e6]]).tolist() == [[1 / 3] * 3]
    assert calibrated([[-1e6, 0.0, -1e6]])[0, 1] == 1
    assert calibrated([[-1e308], [1e308]]).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_with_presence_the_weight_of_a_term_does_not_matter() -> None:
    arrays = {"coef": np.array([[1.0, -2.0]]), "intercept": np.ones(1), "slope": np.ones(1), "offset": np.zeros(1)}
    X = csr_array(np.array([[0.2, 7.0], [3.0, 0.0], [0.0, 0.0]]))
    found = Calibrated(np.array(["a", "b"]), arrays, presence=True).predict_proba(X)
    assert found[:, 1] == pytest.approx(expit([0.0, 2.0, 1.0]))


@pytest.mark.parametrize("model", ["linear_svm", "nb_svm"])
@pytest.mark.parametrize("fewest", [0, 1])
def test_a_class_with_too_few_rows_to_calibrate_by_is_an_error(model: str, fewest: int) -> None:
    part = samples.rows(3)
    rarest = part.y == 2
    part = samples.taken(part, np.concatenate([np.flatnonzero(~rarest), np.flatnonzero(rarest)[:fewest]]))
    with pytest.raises(UserError) as error:
        models.module(model).fit(part, part, samples.settings(model))
    assert error.value.lines == (f"a class must have at least 2 training rows to calibrate by; one has {fewest}",)
