import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn._loss.loss import HalfBinomialLoss, HalfMultinomialLoss
from sklearn.linear_model import LogisticRegression as Estimator
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.utils.class_weight import compute_sample_weight

from tests import samples
from textclf.artifacts.features import Features
from textclf.models import logistic_regression
from textclf.models.common.fitted import Fitted
from textclf.models.logistic_regression.fitting import Rows

ROWS = Features(
    ids=np.array(["a", "b", "c", "d"]),
    X=csr_array(np.array([[2, 0, 1], [1, 0, 0], [0, 1, 0], [0, 2, 1]])),
    y=np.array([1, 1, 0, 0]),
    classes=np.array(["no", "yes"]),
)
scores = st.floats(-1e4, 1e4) | st.sampled_from([-37.0, -2.0, 18.0, 0.0, -0.0])


Array = NDArray[np.float64]


def fit(part: Features = ROWS, **changes: object) -> Fitted:
    return samples.fit("logistic_regression", part, **changes)


@pytest.mark.parametrize("C", [0.1, 1.0])
def test_it_is_the_estimator_of_scikit_learn(C: float) -> None:
    estimator = Estimator(C=C).fit(ROWS.X, ROWS.y)
    model = fit(C=C).layers
    assert np.array_equal(model.layers[0].kernel, estimator.coef_.T)
    assert np.array_equal(model.layers[0].bias, estimator.intercept_)
    assert model.predict_proba(ROWS.X) == pytest.approx(estimator.predict_proba(ROWS.X), rel=1e-12)


@pytest.mark.parametrize("classes", [3, 6])
def test_with_more_than_two_classes_it_is_the_softmax_of_scikit_learn(classes: int) -> None:
    part, test = samples.rows(classes), samples.rows(classes, seed=1)
    fitted = fit(part)
    expected = Estimator().fit(part.X, part.y).predict_proba(test.X)
    assert fitted.layers.predict_proba(test.X) == pytest.approx(expected, rel=1e-12)
    assert fitted.record["parameters"] == classes * (samples.TERMS + 1)


@pytest.mark.parametrize("C", [1.0, [0.01, 1.0]], ids=str)
@pytest.mark.parametrize(
    "given", ["balanced", {"class 0": 0.5, "class 1": 2.0, "class 2": 7.0}], ids=str
)
def test_weights_of_classes_are_the_class_weight_of_scikit_learn(
    given: str | dict[str, float], C: object
) -> None:
    part = samples.rows(3)
    class_weight = given if isinstance(given, str) else dict(enumerate(given.values()))
    weights = compute_sample_weight(class_weight, part.y)
    probabilities = fit(part, C=C, class_weight=given).layers.predict_proba(part.X)
    if isinstance(C, float):
        expected = Estimator(class_weight=class_weight).fit(part.X, part.y).predict_proba(part.X)
        assert probabilities == pytest.approx(expected, abs=1e-6)
    else:
        search = GridSearchCV(Estimator(), {"C": C}, scoring="neg_log_loss", cv=5)
        expected = search.fit(part.X, part.y, sample_weight=weights).predict_proba(part.X)
        assert probabilities == pytest.approx(expected, rel=1e-12)
    assert np.abs(probabilities - fit(part, C=C).layers.predict_proba(part.X)).max() > 0.01


def noisy(rows: int, positives: int) -> Features:
    """Return rows of random counts; the first rows are of the class yes and slightly different."""
    generator = np.random.default_rng(0)
    y = (np.arange(rows) < positives).astype(np.int64)
    X = csr_array(generator.poisson(0.5 + 0.3 * y[:, np.newaxis], (rows, 8)))
    return Features(np.arange(rows).astype(str), X, y, np.array(["no", "yes"]))


def loss_with_best_temperature(rows: Features, C: float) -> float:
    """Return the log loss of held-out rows with the temperature that lowers it most."""
    held_out = cross_val_predict(
        Estimator(C=C, max_iter=100), rows.X, rows.y, cv=5, method="predict_proba"
    )
    powers = (held_out ** (1 / temperature) for temperature in np.geomspace(0.1, 10, 401))
    return float(min(log_loss(rows.y, each / each.sum(axis=1, keepdims=True)) for each in powers))


@pytest.mark.parametrize("candidates", [(0.001, 0.1, 10.0), (0.01, 100.0), (3.0,)], ids=str)
def test_c_is_chosen_by_the_log_loss_with_a_temperature(candidates: tuple[float, ...]) -> None:
    rows = noisy(200, 90)
    best = min(candidates, key=lambda C: loss_with_best_temperature(rows, C))
    fitted = fit(rows, C=list(candidates))
    assert fitted.record["C"] == best
    assert fitted.record["parameters"] == 9
    of_best = Estimator(C=best, max_iter=100).fit(rows.X, rows.y)
    probabilities = fitted.layers.predict_proba(rows.X)
    assert probabilities == pytest.approx(of_best.predict_proba(rows.X), rel=1e-12)
    assert np.array_equal(probabilities, fit(rows, C=best).layers.predict_proba(rows.X))


def test_a_large_c_is_not_refused_because_its_probabilities_are_too_bold() -> None:
    rows = noisy(60, 25)
    by_raw_loss = GridSearchCV(Estimator(max_iter=100), {"C": [0.01, 100]}, scoring="neg_log_loss")
    assert by_raw_loss.fit(rows.X, rows.y).best_params_["C"] == 0.01
    assert fit(rows, C=[0.01, 100.0]).record["C"] == 100


def test_a_class_with_few_rows_has_as_many_folds_and_a_single_row_chooses_nothing() -> None:
    assert fit(noisy(14, 2), C=[1, 2]).record["C"] in (1, 2)
    with pytest.warns(
        UserWarning, match="a class has 1 training row, too few to choose C by; it is 2"
    ):
        assert fit(noisy(14, 1), C=[1, 2, 3]).record["C"] == 2


@pytest.mark.parametrize("solver", ["auto", "lbfgs", "stream"])
@pytest.mark.parametrize("rows", [60, 61])
def test_auto_goes_by_the_number_of_rows(
    solver: str, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logistic_regression, "IN_MEMORY", 60)
    record = fit(samples.rows(2, rows), solver=solver).record
    on_stream = solver == "stream" or (solver == "auto" and rows == 61)
    assert ("passes" in record) == on_stream
    assert ("iterations" in record) != on_stream


@pytest.mark.parametrize("C", [1.0, [1.0, 2.0]], ids=str)
def test_it_warns_in_one_line_that_it_has_not_converged(C: object) -> None:
    with pytest.warns(UserWarning, match="not converged") as caught:
        fit(noisy(60, 25), C=C, max_iter=2)
    assert [str(warning.message) for warning in caught] == [
        "logistic regression has not converged after 2 steps; raise max_iter"
    ]


def compare(rows: Rows, parameters: Array, losses: Array, slopes: Array) -> None:
    """Compare sums of rows of weight 3, and their gradient over 7, with the expected ones."""
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


@given(
    seed=st.integers(0, 2**32 - 1),
    classes=st.integers(3, 12),
    size=st.sampled_from([0.1, 1.0, 30.0, 1000.0]),
)
def test_the_loss_of_several_classes_is_that_of_scikit_learn(
    seed: int, classes: int, size: float
) -> None:
    generator = np.random.default_rng(seed)
    z, y = generator.normal(0, size, (30, classes)), generator.integers(classes, size=30)
    losses, slopes = HalfMultinomialLoss(n_classes=classes).loss_gradient(y.astype(np.float64), z)
    identity = np.vstack([np.eye(classes), np.zeros(classes)])  # the scores are the features
    compare(Rows(z, y, np.full(30, 3.0)), identity, losses, slopes)
