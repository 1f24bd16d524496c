"""Weights of training rows by their class."""

from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from tests import samples
from textclf.core.errors import UserError
from textclf.models.common.class_weights import class_weights, row_weights


def test_without_weights_there_are_none() -> None:
    assert row_weights(samples.rows(), None) is None


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_balanced_weights_are_those_of_scikit_learn(classes: int) -> None:
    part = samples.rows(classes)
    weights = row_weights(part, "balanced")
    assert weights is not None
    assert weights == pytest.approx(compute_sample_weight("balanced", part.y), rel=1e-15)
    assert weights.mean() == pytest.approx(1)
    sums = np.bincount(part.y, weights)
    assert sums == pytest.approx([sums[0]] * classes)


@pytest.mark.parametrize("order", [1, -1])
def test_a_row_gets_the_weight_of_its_class_whatever_the_order_of_the_mapping(order: int) -> None:
    part = samples.rows(3)
    given = (("class 0", 0.5), ("class 1", 2.0), ("class 2", 7.0))[::order]
    weights = row_weights(part, given)
    assert weights is not None
    assert weights.tolist() == compute_sample_weight({0: 0.5, 1: 2.0, 2: 7.0}, part.y).tolist()


def test_a_class_that_is_not_named_weighs_1() -> None:
    part = samples.rows(3)
    weights = row_weights(part, (("class 1", 4.0),))
    assert weights is not None
    assert weights.tolist() == compute_sample_weight({0: 1.0, 1: 4.0, 2: 1.0}, part.y).tolist()


@pytest.mark.parametrize("names", [("class 0", "class 1", "class 2"), ("class 2",)], ids=str)
@pytest.mark.parametrize("model", ["naive_bayes", "logistic_regression", "linear_svm", "nb_svm", "keras"])
def test_a_weight_of_what_is_no_class_is_refused(model: str, names: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as error:
        samples.fit(model, samples.rows(), class_weight=dict.fromkeys(names, 2.0))
    assert error.value.lines == ("class_weight must name classes (class 0, class 1); got class 2; correct it",)


@pytest.mark.parametrize("given", [None, "balanced", (("class 0", 0.5), ("class 1", 2.0), ("class 2", 7.0))], ids=str)
def test_weights_of_classes_are_those_of_their_rows(given: Any) -> None:
    part = samples.rows(3)
    weights = class_weights(samples.dataset(part), given)
    rows = row_weights(part, given)
    assert (weights is None and rows is None) or np.array_equal(weights[part.y], rows)  # type: ignore[index,arg-type]
