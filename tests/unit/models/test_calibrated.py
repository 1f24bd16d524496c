"""Scores that become probabilities. How sigmoids become probabilities is tested in tests/unit/artifacts/test_layers.py.

That the calibration is that of scikit-learn is tested in test_linear_svm.py.
"""

import numpy as np
import pytest
from scipy.sparse import random_array
from sklearn.svm import LinearSVC

from tests import samples
from tests.refusal import refusal
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


def test_a_class_with_too_few_rows_to_calibrate_by_is_an_error() -> None:
    part = samples.rows(3)
    kept = np.concatenate([np.flatnonzero(part.y != 2), np.flatnonzero(part.y == 2)[:1]])
    line = refusal(samples.fit, "linear_svm", samples.take(part, kept))
    assert line == "each class must have at least 2 training rows to calibrate by; class 2 has 1"
