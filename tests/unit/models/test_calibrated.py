"""Scores that become probabilities. How sigmoids become probabilities is tested in tests/unit/artifacts/test_layers.py.

That the calibration is scikit-learn's is tested in test_linear_svm.py, that it is Platt's in test_nb_svm.py.
"""

import numpy as np
import pytest
from scipy.sparse import random_array
from sklearn.svm import LinearSVC

from tests import samples
from textclf.core.errors import UserError
from textclf.models.common.calibrated import make_svm


@pytest.mark.parametrize(
    ("rows", "columns", "dual"), [(40, 200, True), (40, 41, True), (40, 40, False), (40, 9, False)]
)
@pytest.mark.parametrize("C", [0.1, 1.0, 10.0])
def test_the_solver_depends_on_the_shape_and_the_weights_do_not(rows: int, columns: int, dual: bool, C: float) -> None:
    X = random_array((rows, columns), density=0.3, rng=np.random.default_rng(0), format="csr")
    y = np.arange(rows) % 2
    svm = make_svm(C, rows, columns).fit(X, y)
    optimum = LinearSVC(C=C, dual=False, tol=1e-9, max_iter=10_000).fit(X, y)
    assert svm.dual is dual
    assert svm.coef_ == pytest.approx(optimum.coef_, abs=5e-3)
    assert svm.intercept_ == pytest.approx(optimum.intercept_, abs=5e-3)


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
    assert error.value.lines == (
        f"each class must have at least 2 training rows to calibrate by; class 2 has {fewest}",
    )
