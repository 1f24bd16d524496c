from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.linear_model import LogisticRegression as Estimator

from textclf.features import Features
from textclf.models import logistic_regression
from textclf.params import LogisticRegression

ROWS = Features(
    ids=np.array(["a", "b", "c", "d"]),
    X=csr_array(np.array([[2, 0, 1], [1, 0, 0], [0, 1, 0], [0, 2, 1]])),
    y=np.array([1, 1, 0, 0]),
    classes=np.array(["no", "yes"]),
)


def fitted(C: float = 1.0) -> logistic_regression.LogisticRegression:
    return logistic_regression.fit(ROWS, ROWS, LogisticRegression(C=C, max_iter=100))


@pytest.mark.parametrize("C", [0.1, 1.0])
def test_it_is_scikit_learns_estimator(C: float) -> None:
    theirs = Estimator(C=C).fit(ROWS.X, ROWS.y).predict_proba(ROWS.X)
    assert np.array_equal(fitted(C).predict_proba(ROWS.X), theirs)


def test_it_counts_coefficients_intercept_and_steps() -> None:
    record = fitted().record
    assert record["parameters"] == 4
    assert 1 <= record["iterations"] <= 100
    assert fitted().history is None


def test_what_is_saved_predicts_the_same_and_repeats_byte_for_byte(tmp_path: Path) -> None:
    model = fitted()
    model.save(tmp_path)
    first = (tmp_path / "model.npz").read_bytes()
    with np.load(tmp_path / "model.npz", allow_pickle=False) as stored:
        assert sorted(stored) == ["classes", "coef", "intercept"]
        assert stored["classes"].tolist() == ["no", "yes"]
        scores = ROWS.X @ stored["coef"][0] + stored["intercept"][0]
    assert expit(scores) == pytest.approx(model.predict_proba(ROWS.X)[:, 1])
    fitted().save(tmp_path)
    assert (tmp_path / "model.npz").read_bytes() == first
