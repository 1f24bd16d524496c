"""Scores that become probabilities. How sigmoids become probabilities is tested in tests/unit/artifacts/test_layers.py.

That the calibration is scikit-learn's is tested in test_linear_svm.py, that it is Platt's in test_nb_svm.py.
"""

import numpy as np
import pytest

from tests import samples
from textclf.core.errors import UserError


@pytest.mark.parametrize(("classes", "activation"), [(2, "sigmoid"), (3, "sigmoid_shares")])
def test_two_classes_have_one_sigmoid_and_more_have_one_each(classes: int, activation: str) -> None:
    (layer,) = samples.fit("linear_svm", samples.rows(classes)).layers.layers
    assert layer.activation == activation
    assert layer.kernel.shape == (samples.TERMS, 1 if classes == 2 else classes)


@pytest.mark.parametrize("model", ["linear_svm", "nb_svm"])
@pytest.mark.parametrize("fewest", [0, 1])
def test_a_class_with_too_few_rows_to_calibrate_by_is_an_error(model: str, fewest: int) -> None:
    part = samples.rows(3)
    rarest = part.y == 2
    part = samples.take(part, np.concatenate([np.flatnonzero(~rarest), np.flatnonzero(rarest)[:fewest]]))
    with pytest.raises(UserError) as error:
        samples.fit(model, part)
    assert error.value.lines == (f"a class must have at least 2 training rows to calibrate by; one has {fewest}",)
