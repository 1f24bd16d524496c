"""The losses of logistic regression and their gradient, compared with scikit-learn."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn._loss.loss import HalfBinomialLoss, HalfMultinomialLoss

from textclf.models.logistic_regression.stream import Rows

scores = st.floats(-1e4, 1e4) | st.sampled_from([-37.0, -2.0, 18.0, 0.0, -0.0])


Array = NDArray[np.float64]


def compare(rows: Rows, parameters: Array, losses: Array, slopes: Array) -> None:
    """Compare the sums of rows that weigh 3 each, and their gradient divided by 7, with the expected ones."""
    sums = rows.sums(parameters, total=7.0)
    assert sums[0] == pytest.approx(3 * losses.sum(), rel=1e-12, abs=1e-12)
    gradient = np.concatenate([(slopes.T @ rows.X).T, slopes.sum(axis=0, keepdims=True)])
    assert sums[1:] == pytest.approx(3 / 7 * gradient.ravel(), rel=1e-12, abs=1e-9)


@given(st.tuples(scores, st.booleans()))
@example((40.0, True))
@example((-40.0, False))
def test_the_loss_of_two_classes_is_that_of_scikit_learn(row: tuple[float, bool]) -> None:
    z, y = np.array([row[0]]), np.array([int(row[1])])
    losses, slopes = HalfBinomialLoss().loss_gradient(y.astype(np.float64), z)
    compare(Rows(z[:, None], y, np.array([3.0])), np.array([1.0, 0.0]), losses, slopes)


@given(seed=st.integers(0, 2**32 - 1), classes=st.integers(3, 12), size=st.sampled_from([0.1, 1.0, 30.0, 1000.0]))
def test_the_loss_of_several_classes_is_that_of_scikit_learn(seed: int, classes: int, size: float) -> None:
    generator = np.random.default_rng(seed)
    z, y = generator.normal(0, size, (30, classes)), generator.integers(classes, size=30)
    losses, slopes = HalfMultinomialLoss(n_classes=classes).loss_gradient(y.astype(np.float64), z)
    identity = np.vstack([np.eye(classes), np.zeros(classes)])  # the scores are the features
    compare(Rows(z, y, np.full(30, 3.0)), identity, losses, slopes)
