"""The losses of logistic regression, compared with scikit-learn to the bit."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn._loss.loss import HalfBinomialLoss, HalfMultinomialLoss

from textclf.models.logistic_regression import losses
from textclf.models.logistic_regression.losses import binomial, multinomial

scores = st.floats(-1e4, 1e4) | st.sampled_from([-37.0, -2.0, 18.0, 0.0, -0.0])


@given(st.lists(st.tuples(scores, st.booleans()), min_size=1, max_size=50))
@example([(score, True) for score in np.linspace(-40, 40, 2 * losses.BLOCK + 1)])
def test_the_loss_of_two_classes_is_that_of_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    z, y = np.array([score for score, _ in rows]), np.array([float(positive) for _, positive in rows])
    values, slopes = binomial(z, y)
    expected = HalfBinomialLoss().loss_gradient(y, z)
    assert np.array_equal(values, expected[0])
    assert np.array_equal(slopes, expected[1])


@given(seed=st.integers(0, 2**32 - 1), classes=st.integers(3, 12), size=st.sampled_from([0.1, 1.0, 30.0, 1000.0]))
def test_the_loss_of_several_classes_is_that_of_scikit_learn(seed: int, classes: int, size: float) -> None:
    generator = np.random.default_rng(seed)
    z, y = generator.normal(0, size, (3000, classes)), generator.integers(classes, size=3000)
    values, slopes = multinomial(z, y)
    expected = HalfMultinomialLoss(n_classes=classes).loss_gradient(y.astype(np.float64), z)
    assert np.array_equal(values, expected[0])
    assert np.array_equal(slopes, expected[1])
