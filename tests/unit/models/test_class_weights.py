"""Weights of training rows by their class."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from tests import samples
from textclf.models.common.class_weights import row_weights
from textclf.models.common.settings import ClassWeight


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("balanced", "balanced"),
        ((("class 2", 7.0), ("class 0", 0.5), ("class 1", 2.0)), {0: 0.5, 1: 2.0, 2: 7.0}),
        ((("class 1", 4.0),), {0: 1.0, 1: 4.0, 2: 1.0}),  # a class that is not named weighs 1
    ],
    ids=str,
)
def test_a_row_has_the_weight_of_its_class_as_in_scikit_learn(given: ClassWeight, expected: object) -> None:
    part = samples.rows(3)
    weights = row_weights(part, given)
    assert weights == pytest.approx(compute_sample_weight(expected, part.y), rel=1e-15)
    assert row_weights(part, None) is None


def test_with_several_labels_a_weight_is_that_of_the_rows_with_a_label() -> None:
    part = samples.label_rows()
    weights = row_weights(part, (("label 0", 0.5), ("label 2", 7.0)))
    assert weights is not None
    assert weights.tolist() == np.where(part.y == 1, [0.5, 1.0, 7.0], 1.0).tolist()
