from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.linear_model import LogisticRegression as Estimator
from sklearn.model_selection import GridSearchCV

from textclf.errors import UserError
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


def test_its_summary_is_the_record() -> None:
    model = fitted(0.1)
    assert model.summary() == f"parameters 4, iterations {model.record['iterations']}, C 0.1"


def noisy(rows: int, positives: int) -> Features:
    """Rows of random counts, the first of them of the class yes and a little apart."""
    generator = np.random.default_rng(0)
    y = (np.arange(rows) < positives).astype(np.int64)
    X = csr_array(generator.poisson(0.5 + 0.3 * y[:, np.newaxis], (rows, 8)))
    return Features(np.arange(rows).astype(str), X, y, np.array(["no", "yes"]))


@pytest.mark.parametrize("candidates", [(0.001, 0.1, 10.0), (100.0, 0.01), (3.0,)], ids=str)
def test_several_c_are_chosen_from_as_grid_search_does(candidates: tuple[float, ...]) -> None:
    rows = noisy(60, 25)
    search = GridSearchCV(Estimator(max_iter=100), {"C": candidates}, scoring="neg_log_loss", cv=5).fit(rows.X, rows.y)
    model = logistic_regression.fit(
        rows, noisy(9, 3), LogisticRegression.model_validate({"C": list(candidates), "max_iter": 100})
    )
    assert model.record["C"] == search.best_params_["C"]
    assert model.record["parameters"] == 9
    assert np.array_equal(model.predict_proba(rows.X), search.predict_proba(rows.X))
    alone = logistic_regression.fit(rows, rows, LogisticRegression(C=float(model.record["C"]), max_iter=100))
    assert np.array_equal(model.predict_proba(rows.X), alone.predict_proba(rows.X))


@pytest.mark.parametrize("positives", [4, 10])
def test_a_class_with_fewer_rows_than_folds_is_an_error(positives: int) -> None:
    rows = noisy(14, positives)  # and so four of either class
    assert logistic_regression.fit(rows, rows, LogisticRegression(C=1.0, max_iter=100)).record["C"] == 1
    with pytest.raises(UserError) as error:
        logistic_regression.fit(rows, rows, LogisticRegression.model_validate({"C": [1, 2], "max_iter": 100}))
    assert error.value.lines == ("a class must have at least 5 training rows to choose C by; one has 4",)


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
