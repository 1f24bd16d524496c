from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression as Estimator
from sklearn.model_selection import GridSearchCV
from sklearn.utils.class_weight import compute_sample_weight

from tests import samples
from textclf.errors import UserError
from textclf.features import Features
from textclf.models import logistic_regression

ROWS = Features(
    ids=np.array(["a", "b", "c", "d"]),
    X=csr_array(np.array([[2, 0, 1], [1, 0, 0], [0, 1, 0], [0, 2, 1]])),
    y=np.array([1, 1, 0, 0]),
    classes=np.array(["no", "yes"]),
)


def fitted(C: float = 1.0) -> logistic_regression.LogisticRegression:
    return logistic_regression.fit(ROWS, ROWS, samples.settings("logistic_regression", C=C))


@pytest.mark.parametrize("C", [0.1, 1.0])
def test_it_is_scikit_learns_estimator(C: float) -> None:
    theirs = Estimator(C=C).fit(ROWS.X, ROWS.y).predict_proba(ROWS.X)
    assert np.array_equal(fitted(C).predict_proba(ROWS.X), theirs)


@pytest.mark.parametrize("classes", [3, 6])
def test_more_classes_are_scikit_learns_softmax(classes: int) -> None:
    part, other = samples.rows(classes), samples.rows(classes, seed=1)
    model = logistic_regression.fit(part, other, samples.settings("logistic_regression"))
    assert np.array_equal(model.predict_proba(other.X), Estimator().fit(part.X, part.y).predict_proba(other.X))
    assert model.record["parameters"] == classes * (samples.TERMS + 1)


@pytest.mark.parametrize("C", [1.0, [0.01, 1.0]], ids=str)
@pytest.mark.parametrize("given", ["balanced", {"class 0": 0.5, "class 1": 2.0, "class 2": 7.0}], ids=str)
def test_weights_of_classes_are_scikit_learns_class_weight(given: str | dict[str, float], C: object) -> None:
    part = samples.rows(3)
    theirs = given if isinstance(given, str) else dict(enumerate(given.values()))
    weights = compute_sample_weight(theirs, part.y)
    model = logistic_regression.fit(part, part, samples.settings("logistic_regression", C=C, class_weight=given))
    if isinstance(C, float):
        expected = Estimator(class_weight=theirs).fit(part.X, part.y).predict_proba(part.X)
        assert model.predict_proba(part.X) == pytest.approx(expected, abs=1e-6)
    else:
        search = GridSearchCV(Estimator(), {"C": C}, scoring="neg_log_loss", cv=5)
        expected = search.fit(part.X, part.y, sample_weight=weights).predict_proba(part.X)
        assert np.array_equal(model.predict_proba(part.X), expected)
    without = logistic_regression.fit(part, part, samples.settings("logistic_regression", C=C))
    assert np.abs(model.predict_proba(part.X) - without.predict_proba(part.X)).max() > 0.01


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
    model = logistic_regression.fit(rows, noisy(9, 3), samples.settings("logistic_regression", C=list(candidates)))
    assert model.record["C"] == search.best_params_["C"]
    assert model.record["parameters"] == 9
    assert np.array_equal(model.predict_proba(rows.X), search.predict_proba(rows.X))
    alone = logistic_regression.fit(rows, rows, samples.settings("logistic_regression", C=model.record["C"]))
    assert np.array_equal(model.predict_proba(rows.X), alone.predict_proba(rows.X))


@pytest.mark.parametrize("positives", [4, 10])
def test_a_class_with_fewer_rows_than_folds_is_an_error(positives: int) -> None:
    rows = noisy(14, positives)  # and so four of either class
    assert logistic_regression.fit(rows, rows, samples.settings("logistic_regression", C=1.0)).record["C"] == 1
    with pytest.raises(UserError) as error:
        logistic_regression.fit(rows, rows, samples.settings("logistic_regression", C=[1, 2]))
    assert error.value.lines == ("a class must have at least 5 training rows to choose C by; one has 4",)


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_what_is_saved_predicts_the_same(tmp_path: Path, classes: int) -> None:
    part, other = samples.rows(classes), samples.rows(classes, seed=1)
    model = logistic_regression.fit(part, part, samples.settings("logistic_regression"))
    again = samples.saved(model, tmp_path)
    assert again.classes == tuple(part.classes.tolist())
    assert np.array_equal(again.layers[0].kernel, model.estimator.coef_.T)
    assert again.predict_proba(other.X) == pytest.approx(model.predict_proba(other.X), rel=1e-12)


def test_a_second_fit_saves_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for _ in range(2):
        fitted().save(tmp_path)
        files.append((tmp_path / "model.npz").read_bytes())
    assert files[0] == files[1]
