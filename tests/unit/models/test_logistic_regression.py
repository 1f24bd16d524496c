from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression as Estimator
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.utils.class_weight import compute_sample_weight

from tests import samples
from textclf.core.errors import UserError
from textclf.models import logistic_regression
from textclf.vectorize.features import Features

ROWS = Features(
    ids=np.array(["a", "b", "c", "d"]),
    X=csr_array(np.array([[2, 0, 1], [1, 0, 0], [0, 1, 0], [0, 2, 1]])),
    y=np.array([1, 1, 0, 0]),
    classes=np.array(["no", "yes"]),
)


def lbfgs(part: Features, **changes: object) -> logistic_regression.LogisticRegression:
    model = logistic_regression.fit(part, part, samples.settings("logistic_regression", **changes))
    assert isinstance(model, logistic_regression.LogisticRegression)
    return model


def sgd(part: Features, **changes: object) -> logistic_regression.Descended:
    settings = samples.settings("logistic_regression", **({"solver": "sgd"} | changes))
    model = logistic_regression.fit(part, part, settings)
    assert isinstance(model, logistic_regression.Descended)
    return model


def fitted(C: float = 1.0) -> logistic_regression.LogisticRegression:
    return lbfgs(ROWS, C=C)


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
    model = lbfgs(part)
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


# Stochastic gradient descent


def made_up(rows: int, classes: int = 2, seed: int = 0) -> Features:
    """Rows of counts of 300 terms, the frequent ones first, their classes drawn by weights that repeat."""
    generator = np.random.default_rng(seed)
    X = generator.poisson(2 / np.arange(1, 301) ** 0.7, (rows, 300))
    scores = X @ np.random.default_rng(99).normal(0, 0.8, (300, classes)) - np.arange(classes)
    y = (scores + generator.gumbel(size=scores.shape)).argmax(axis=1)
    return Features(np.arange(rows).astype(str), csr_array(X), y, np.array([f"class {n}" for n in range(classes)]))


def measured(probabilities: NDArray[np.float64], y: NDArray[np.int64]) -> tuple[float, float]:
    """Accuracy and log loss."""
    of_labels = probabilities[np.arange(len(y)), y]
    return float((probabilities.argmax(axis=1) == y).mean()), float(-np.log(of_labels).mean())


@pytest.mark.parametrize("class_weight", [None, "balanced", {"class 0": 1.0, "class 1": 3.0}], ids=str)
def test_sgd_comes_near_lbfgs(class_weight: object) -> None:
    part, other = made_up(4000), made_up(2000, seed=1)
    exact = measured(lbfgs(part, class_weight=class_weight).predict_proba(other.X), other.y)
    near = measured(sgd(part, class_weight=class_weight).predict_proba(other.X), other.y)
    assert near[0] == pytest.approx(exact[0], abs=0.01)
    assert near[1] == pytest.approx(exact[1], rel=0.02)
    assert exact[1] < 0.6  # and there is something to learn


@pytest.mark.parametrize("classes", [3, 5])
def test_sgd_of_more_classes_comes_near_one_against_the_rest(classes: int) -> None:
    part, other = made_up(4000, classes), made_up(2000, classes, seed=1)
    estimator = OneVsRestClassifier(Estimator(max_iter=500)).fit(part.X, part.y)
    exact = measured(estimator.predict_proba(other.X), other.y)
    near = measured(sgd(part).predict_proba(other.X), other.y)
    assert near[0] == pytest.approx(exact[0], abs=0.01)
    assert near[1] == pytest.approx(exact[1], rel=0.02)


def test_sgd_learns_how_common_a_rare_class_is() -> None:
    part = made_up(4000)
    rare = samples.taken(part, np.flatnonzero((part.y == 0) | (np.arange(len(part.y)) % 25 == 0)))
    assert 0.01 < rare.y.mean() < 0.07
    assert sgd(rare).predict_proba(rare.X)[:, 1].mean() == pytest.approx(rare.y.mean(), rel=0.05)


def test_sgd_regularises_as_c_says() -> None:
    norms = [np.abs(sgd(made_up(1000), C=C).layer.layers[0].kernel).sum() for C in (0.001, 0.1, 10.0)]
    assert norms == sorted(norms)
    assert norms[1] == pytest.approx(np.abs(lbfgs(made_up(1000), C=0.1).estimator.coef_).sum(), rel=0.1)


def test_sgd_takes_rows_of_any_length_and_rows_without_terms() -> None:
    part = made_up(2000)
    X = part.X.tolil()
    X[0], X[1, 0] = 0, 10_000
    torn = Features(part.ids, csr_array(X), part.y, part.classes)
    assert np.isfinite(sgd(torn).layer.layers[0].kernel).all()
    assert sgd(torn).predict_proba(torn.X).sum(axis=1) == pytest.approx(np.ones(2000))


@pytest.mark.parametrize(("rows", "most", "passes"), [(60, 100, 100), (60, 7, 7), (60, 1, 1), (20_000, 100, 50)])
def test_sgd_passes_over_a_million_rows_but_no_more_often_than_max_iter(rows: int, most: int, passes: int) -> None:
    part = samples.rows(2, rows)
    assert sgd(part, max_iter=most).record == {"parameters": samples.TERMS + 1, "passes": passes, "C": 1.0}


def test_sgd_passes_five_times_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic_regression, "UPDATES", 100)
    model = sgd(samples.rows())
    assert model.record["passes"] == 5
    assert model.summary() == "parameters 13, passes 5, C 1.0"
    assert model.history is None


@pytest.mark.parametrize("solver", ["auto", "lbfgs", "sgd"])
@pytest.mark.parametrize("rows", [60, 61])
def test_auto_goes_by_the_number_of_rows(solver: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic_regression, "IN_MEMORY", 60)
    part = samples.rows(2, rows)
    model = logistic_regression.fit(part, part, samples.settings("logistic_regression", solver=solver))
    descended = solver == "sgd" or (solver == "auto" and rows == 61)
    assert isinstance(model, logistic_regression.Descended) == descended
    assert ("passes" in model.record) == descended
    assert ("iterations" in model.record) != descended


def test_sgd_chooses_no_c() -> None:
    with pytest.raises(UserError) as error:
        sgd(ROWS, C=[0.1, 1])
    (line,) = error.value.lines
    assert line == (
        "train.logistic_regression.C must be one number where the solver is sgd, as auto is beyond 250,000 training "
        "rows; got [0.1, 1.0]"
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_what_sgd_fitted_is_saved_and_repeats(tmp_path: Path, classes: int) -> None:
    part, other = samples.rows(classes), samples.rows(classes, seed=1)
    again = samples.saved(sgd(part), tmp_path)
    assert again.classes == tuple(part.classes.tolist())
    assert np.array_equal(again.predict_proba(other.X), sgd(part).predict_proba(other.X))
    assert again.layers[0].activation == ("sigmoid" if classes == 2 else "sigmoid_shares")


def test_a_column_of_ones_is_put_behind_the_others() -> None:
    X = csr_array(np.array([[0, 2, 0], [0, 0, 0], [1, 0, 3]]))
    found = logistic_regression.with_ones(X)
    assert found.toarray().tolist() == [[0, 2, 0, 1], [0, 0, 0, 1], [1, 0, 3, 1]]
    assert found.dtype == np.float64
    assert found.has_canonical_format
    assert found.indices.dtype == found.indptr.dtype == X.indices.dtype
