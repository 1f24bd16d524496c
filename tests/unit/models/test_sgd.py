"""Logistic regression by stochastic gradient descent, on rows in memory and on shards."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression as Estimator
from sklearn.multiclass import OneVsRestClassifier

from tests import samples
from textclf.artifacts import features
from textclf.artifacts.features import Features
from textclf.artifacts.shards import Shards
from textclf.core.errors import UserError
from textclf.models import logistic_regression
from textclf.models.common.fitted import Fitted
from textclf.models.logistic_regression import sgd


def fit_lbfgs(part: Features, **changes: object) -> Fitted:
    return samples.fit("logistic_regression", part, **changes)


def fit_sgd(part: Features, **changes: object) -> Fitted:
    return samples.fit("logistic_regression", part, solver="sgd", **changes)


def made_up(rows: int, classes: int = 2, seed: int = 0) -> Features:
    """Return counts of 300 terms, the frequent ones first, with classes drawn by weights that are always the same."""
    generator = np.random.default_rng(seed)
    X = generator.poisson(2 / np.arange(1, 301) ** 0.7, (rows, 300))
    scores = X @ np.random.default_rng(99).normal(0, 0.8, (300, classes)) - np.arange(classes)
    y = (scores + generator.gumbel(size=scores.shape)).argmax(axis=1)
    return Features(np.arange(rows).astype(str), csr_array(X), y, np.array([f"class {n}" for n in range(classes)]))


def measure(probabilities: NDArray[np.float64], y: NDArray[np.int64]) -> tuple[float, float]:
    """Return accuracy and log loss."""
    of_labels = probabilities[np.arange(len(y)), y]
    return float((probabilities.argmax(axis=1) == y).mean()), float(-np.log(of_labels).mean())


@pytest.mark.parametrize("class_weight", [None, "balanced", {"class 0": 1.0, "class 1": 3.0}], ids=str)
def test_it_comes_near_lbfgs(class_weight: object) -> None:
    part, test = made_up(4000), made_up(2000, seed=1)
    exact = measure(fit_lbfgs(part, class_weight=class_weight).layers.predict_proba(test.X), test.y)
    near = measure(fit_sgd(part, class_weight=class_weight).layers.predict_proba(test.X), test.y)
    assert near[0] == pytest.approx(exact[0], abs=0.01)
    assert near[1] == pytest.approx(exact[1], rel=0.02)
    assert exact[1] < 0.6  # and there is something to learn


@pytest.mark.parametrize("classes", [3, 5])
def test_with_more_than_two_classes_it_comes_near_one_against_the_rest(classes: int) -> None:
    part, test = made_up(4000, classes), made_up(2000, classes, seed=1)
    estimator = OneVsRestClassifier(Estimator(max_iter=500)).fit(part.X, part.y)
    exact = measure(estimator.predict_proba(test.X), test.y)
    near = measure(fit_sgd(part).layers.predict_proba(test.X), test.y)
    assert near[0] == pytest.approx(exact[0], abs=0.01)
    assert near[1] == pytest.approx(exact[1], rel=0.02)


def test_it_learns_the_share_of_a_rare_class() -> None:
    part = made_up(4000)
    rare = samples.take(part, np.flatnonzero((part.y == 0) | (np.arange(len(part.y)) % 25 == 0)))
    assert 0.01 < rare.y.mean() < 0.07
    assert fit_sgd(rare).layers.predict_proba(rare.X)[:, 1].mean() == pytest.approx(rare.y.mean(), rel=0.05)


def test_it_regularises_by_c() -> None:
    part = made_up(1000)
    norms = [np.abs(fit_sgd(part, C=C).layers.layers[0].kernel).sum() for C in (0.001, 0.1, 10.0)]
    assert norms == sorted(norms)
    assert norms[1] == pytest.approx(np.abs(fit_lbfgs(part, C=0.1).layers.layers[0].kernel).sum(), rel=0.1)


def test_it_takes_rows_of_any_length_and_rows_without_terms() -> None:
    part = made_up(2000)
    X = part.X.tolil()
    X[0], X[1, 0] = 0, 10_000
    extreme = Features(part.ids, csr_array(X), part.y, part.classes)
    model = fit_sgd(extreme).layers
    assert np.isfinite(model.layers[0].kernel).all()
    assert model.predict_proba(extreme.X).sum(axis=1) == pytest.approx(np.ones(2000))


@pytest.mark.parametrize(("rows", "most", "passes"), [(60, 100, 100), (60, 7, 7), (60, 1, 1), (20_000, 100, 50)])
def test_it_passes_over_a_million_rows_but_no_more_often_than_max_iter(rows: int, most: int, passes: int) -> None:
    fitted = fit_sgd(samples.rows(2, rows), max_iter=most)
    assert fitted.record == {"parameters": samples.TERMS + 1, "passes": passes, "C": 1.0}


def test_it_passes_at_least_five_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sgd, "UPDATES", 100)
    fitted = fit_sgd(samples.rows())
    assert fitted.record["passes"] == 5
    assert str(fitted) == "parameters 13, passes 5, C 1.0"
    assert fitted.history is None


def test_it_chooses_no_c() -> None:
    with pytest.raises(UserError) as error:
        fit_sgd(samples.rows(), C=[0.1, 1])
    (line,) = error.value.lines
    assert line == (
        "train.logistic_regression.C must be one number if the solver is sgd, as auto is beyond 250,000 training "
        "rows; got [0.1, 1.0]"
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_a_second_fit_gives_the_same_bits(classes: int) -> None:
    layers = [layer for _ in range(2) for layer in fit_sgd(samples.rows(classes)).layers.layers]
    assert layers[0].kernel.tobytes() == layers[1].kernel.tobytes()
    assert layers[0].bias.tobytes() == layers[1].bias.tobytes()
    assert layers[0].activation == ("sigmoid" if classes == 2 else "sigmoid_shares")


def test_a_column_of_ones_is_added_after_the_others() -> None:
    X = csr_array(np.array([[0, 2, 0], [0, 0, 0], [1, 0, 3]]))
    widened = sgd.add_ones(X)
    assert widened.toarray().tolist() == [[0, 2, 0, 1], [0, 0, 0, 1], [1, 0, 3, 1]]
    assert widened.dtype == np.float64
    assert widened.has_canonical_format
    assert widened.indices.dtype == widened.indptr.dtype == X.indices.dtype


# On shards


@pytest.mark.parametrize("classes", [2, 3])
def test_on_shards_it_repeats_and_comes_near_that_on_all_rows(tmp_path: Path, classes: int) -> None:
    part = samples.rows(classes, 400)
    rows = samples.write_shards(part, tmp_path, 60)
    settings = samples.settings("logistic_regression", solver="sgd", class_weight="balanced", max_iter=20)
    first, second = (logistic_regression.fit_stream(rows, rows, settings, tmp_path) for _ in range(2))
    whole = logistic_regression.fit(part, part, settings)
    assert first.layers.layers[0].kernel.tobytes() == second.layers.layers[0].kernel.tobytes()
    assert first.record == whole.record
    assert first.layers.predict_proba(part.X) == pytest.approx(whole.layers.predict_proba(part.X), abs=0.04)


def test_each_pass_has_its_own_order_of_the_shards(tmp_path: Path) -> None:
    order = []

    def read(path: Path) -> Features:
        order.append(path.name)
        return features.read_shard(path)

    rows = Shards(samples.write_shards(samples.rows(), tmp_path, 10).paths, read)
    settings = samples.settings("logistic_regression", solver="sgd", max_iter=4)
    logistic_regression.fit_stream(rows, rows, settings, tmp_path)
    passes = [tuple(order[start : start + 6]) for start in range(0, len(order), 6)]
    assert len(passes) == 5  # the first measures the rows for the learning rate
    assert len(set(passes)) == 5
    assert {tuple(sorted(names)) for names in passes} == {tuple(path.name for path in rows.paths)}
