"""Models of several labels per text: a binary problem per label on the same features."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from tests import samples
from tests.refusal import refusal
from textclf.artifacts.features import Features
from textclf.artifacts.label_sets import rarest
from textclf.artifacts.predictions import Predictions
from textclf.models import nb_svm
from textclf.models.average import choose_weight
from textclf.models.common.class_weights import row_weights
from textclf.models.common.crossvalidation import assign_folds, crossvalidate, sample_rows
from textclf.models.common.fitting import fit_model
from textclf.models.logistic_regression import fitting

Array = NDArray[np.float64]
WEIGHTS = {"label 0": 0.5, "label 1": 2.0, "label 2": 7.0}


def calibrated(estimator: Any) -> Any:
    return CalibratedClassifierCV(estimator, cv=StratifiedKFold(5), ensemble=False)


ESTIMATORS = {
    "naive_bayes": MultinomialNB(),
    "logistic_regression": LogisticRegression(),
    "linear_svm": calibrated(LinearSVC(dual=False)),
    "nb_svm": calibrated(nb_svm.make_estimator(samples.settings("nb_svm"), several=True)),
}


def with_y(part: Features, y: Array | NDArray[np.integer]) -> Features:
    return dataclasses.replace(part, y=y.astype(np.int8))


def fit(model: str, part: Features, **changes: object) -> Any:
    """Return the layers of a model fitted as a run does it."""
    datasets = {"train": samples.dataset(part), "test": samples.dataset(part)}
    return fit_model(model, datasets, samples.settings(model, **changes), samples.FOLDERS).layers


@pytest.mark.parametrize("model", ESTIMATORS)
def test_probabilities_are_those_of_one_estimator_per_label(model: str) -> None:
    part, test = samples.label_rows(), samples.label_rows(seed=1)
    expected = OneVsRestClassifier(ESTIMATORS[model]).fit(part.X, part.y).predict_proba(test.X)
    assert fit(model, part).predict_proba(test.X) == pytest.approx(expected, abs=1e-10)
    assert not np.allclose(expected.sum(axis=1), 1, atol=0.1)


def test_majority_gives_each_label_its_share() -> None:
    part = samples.label_rows()
    fitted = samples.fit("majority", part)
    assert fitted.layers.predict_proba(part.X[:2]) == pytest.approx(
        np.tile(part.y.mean(axis=0), (2, 1))
    )
    assert fitted.record == {"parameters": 3}


@pytest.mark.parametrize("class_weight", ["balanced", WEIGHTS], ids=str)
@pytest.mark.parametrize("model", ESTIMATORS)
def test_a_weight_is_that_of_the_rows_with_a_label_in_its_own_problem(
    model: str, class_weight: Any
) -> None:
    part, test = samples.label_rows(), samples.label_rows(seed=1)
    probabilities = fit(model, part, class_weight=class_weight).predict_proba(test.X)
    for label, (name, y) in enumerate(zip(part.classes, part.y.T, strict=True)):
        given = class_weight if class_weight == "balanced" else {0: 1, 1: class_weight[name]}
        estimator = ESTIMATORS[model].fit(part.X, y, sample_weight=compute_sample_weight(given, y))
        assert probabilities[:, label] == pytest.approx(
            estimator.predict_proba(test.X)[:, 1], abs=1e-10
        )


@pytest.mark.parametrize("value", [0, 1])
def test_a_label_with_too_few_rows_to_calibrate_by_is_named(value: int) -> None:
    part = samples.label_rows()
    y = part.y.copy()
    y[:, 1] = value
    y[7, 1] = 1 - value
    name = "not label 1" if value else "label 1"
    line = refusal(fit, "linear_svm", with_y(part, y))
    assert line == f"each class must have at least 2 training rows to calibrate by; {name} has 1"


# The strength of logistic regression


def test_one_strength_is_chosen_for_all_labels() -> None:
    part = samples.label_rows()
    losses = []
    for C in (0.01, 1.0):
        losses.append(0.0)
        for y in part.y.T:
            for fitted, held_out in StratifiedKFold(5).split(y, y):
                estimator = LogisticRegression(C=C).fit(part.X[fitted], y[fitted])
                chances = estimator.predict_proba(part.X[held_out])[
                    np.arange(len(held_out)), y[held_out]
                ]
                losses[-1] -= np.log(chances).mean()
    expected = (0.01, 1.0)[int(np.argmin(losses))]
    fitted = samples.fit("logistic_regression", part, C=[0.01, 1.0])
    assert fitted.record["C"] == expected
    assert (
        fitted.layers.predict_proba(part.X).tolist()
        == fit("logistic_regression", part, C=expected).predict_proba(part.X).tolist()
    )


def test_a_label_of_one_row_has_no_say_in_the_strength() -> None:
    part = samples.label_rows()
    y = part.y.copy()
    y[:, 2] = np.arange(60) == 7
    two = Features(part.ids, part.X, y[:, :2], part.classes[:2])
    chosen = [
        samples.fit("logistic_regression", rows, C=[0.01, 1.0]).record["C"]
        for rows in (with_y(part, y), two)
    ]
    assert chosen[0] == chosen[1]
    single = Features(part.ids, part.X, y[:, 2:], part.classes[2:])
    with pytest.warns(UserWarning, match="too few to choose C by; it is 1$"):
        samples.fit("logistic_regression", single, C=[0.01, 1.0, 10.0])


# Logistic regression on a stream


def made_up(rows: int, labels: int = 6, seed: int = 0) -> Features:
    """Return counts of 100 terms, the frequent ones first, with labels from frequent to rare."""
    generator = np.random.default_rng(seed)
    X = generator.poisson(2 / np.arange(1, 101) ** 0.7, (rows, 100))
    scores = (X - X.mean(axis=0)) @ np.random.default_rng(99).normal(
        0, 0.5, (100, labels)
    ) - np.linspace(0, 5, labels)
    y = (scores + generator.logistic(size=scores.shape) > 0).astype(np.int8)
    return Features(
        np.arange(rows).astype(str),
        csr_array(X),
        y,
        np.array([f"label {n}" for n in range(labels)]),
    )


def objectives(layers: Any, part: Features, weights: Array) -> Array:
    """Return logistic regression's objective per label: weighted log loss and penalty."""
    chances = layers.predict_proba(part.X)
    losses = -np.log(np.where(part.y, chances, 1 - chances))
    result: Array = (weights * losses).sum(axis=0) + (layers.layers[0].kernel ** 2).sum(axis=0) / 2
    return result


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_on_a_stream_every_label_comes_near_its_optimum(class_weight: str | None) -> None:
    part = made_up(3000)
    assert part.y.mean(axis=0).min() < 0.05
    weights = row_weights(part, class_weight)  # type: ignore[arg-type]
    weights = np.ones(part.y.shape) if weights is None else weights
    changes: dict[str, Any] = {"class_weight": class_weight, "max_iter": 10_000}
    exact = samples.fit("logistic_regression", part, **changes).layers
    near = samples.fit("logistic_regression", part, solver="stream", **changes)
    assert near.record["passes"] < 40
    ratios = objectives(near.layers, part, weights) / objectives(exact, part, weights)
    assert ratios.min() > 0.9999
    assert ratios.max() < 1.005
    stopped = samples.fit(
        "logistic_regression", part, solver="stream", class_weight=class_weight, max_iter=1
    ).layers
    assert (objectives(stopped, part, weights) / objectives(exact, part, weights)).max() > 1.01


def test_on_a_stream_it_starts_from_the_share_of_each_label() -> None:
    part = made_up(400)
    empty = dataclasses.replace(part, X=part.X * 0)
    fitted = samples.fit("logistic_regression", empty, solver="stream")
    assert fitted.layers.predict_proba(part.X) == pytest.approx(
        np.tile(part.y.mean(axis=0), (400, 1)), rel=1e-12
    )
    assert fitted.record["passes"] < 5


def test_on_a_stream_batches_and_parts_of_batches_change_little_and_a_second_fit_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = made_up(400, 3)
    shards = samples.write_shards(part, tmp_path, 60)
    fits = [
        samples.fit("logistic_regression", rows, solver="stream").layers
        for rows in (shards, shards, part)
    ]
    assert fits[0].layers[0].kernel.tobytes() == fits[1].layers[0].kernel.tobytes()
    assert fits[0].predict_proba(part.X) == pytest.approx(fits[2].predict_proba(part.X), abs=1e-6)
    for class_weight in (None, "balanced"):
        monkeypatch.setattr(fitting, "SCORES", 2**22)
        whole = samples.fit(
            "logistic_regression", part, solver="stream", class_weight=class_weight
        ).layers
        monkeypatch.setattr(fitting, "SCORES", 60)
        parted = samples.fit(
            "logistic_regression", part, solver="stream", class_weight=class_weight
        ).layers
        assert parted.predict_proba(part.X) == pytest.approx(whole.predict_proba(part.X), abs=1e-6)


# Choices on held-out training rows


def test_folds_share_the_rarest_labels_evenly() -> None:
    part = samples.label_rows(4, 100)
    strata = rarest(part.y)
    assert set(strata.tolist()) == {0, 1, 2, 3, 4}
    folds = assign_folds(part.y, np.arange(100))
    assert folds.tolist() == assign_folds(strata, np.arange(100)).tolist()
    for stratum in range(5):
        assert np.ptp(np.bincount(folds[strata == stratum], minlength=3)) <= 1
    clusters = np.arange(100) // 2
    together = assign_folds(part.y, clusters)
    assert together[::2].tolist() == together[1::2].tolist()


def test_a_sample_of_many_rows_has_rows_of_a_rare_label() -> None:
    y = (np.random.default_rng(0).random((20_000, 3)) < [0.5, 0.3, 0.0]).astype(np.int8)
    y[[3, 777, 19_999], 2] = 1
    drawn = sample_rows(y)
    assert drawn.sum() == 3000
    assert y[drawn, 2].sum() == 3


@pytest.mark.parametrize(
    ("model", "value", "is_none"),
    [
        ("majority", 0, False),
        ("majority", 1, False),
        ("linear_svm", 0, True),
        ("linear_svm", 1, True),
    ],
)
def test_folds_with_too_few_rows_with_or_without_a_label_are_not_cross_validated(
    model: str, value: int, is_none: bool
) -> None:
    part = samples.label_rows()
    y = part.y.copy()
    y[:, 1] = value
    y[7, 1] = 1 - value
    # The only row with a label, or without it, is never held out; an SVM needs two.
    held_out = crossvalidate(model, with_y(part, y), samples.settings(model), samples.FOLDERS)
    assert (held_out is None) is is_none


# Averages


def test_the_weight_of_an_average_has_the_lowest_mean_log_loss_over_labels() -> None:
    part = samples.label_rows(count=200)
    generator = np.random.default_rng(0)
    odds = [
        3 * strength * (2 * part.y - 1) + 3 * generator.normal(size=part.y.shape)
        for strength in (1.0, 1.3)
    ]
    first, second = (
        Predictions(
            part.ids,
            np.full(200, "validation"),
            part.y,
            1 / (1 + np.exp(-z)),
            tuple(part.classes.tolist()),
        )
        for z in odds
    )
    weight, rows = choose_weight([(first, second)], None)
    grid = np.arange(101) / 100
    mixed = [w * first.probabilities + (1 - w) * second.probabilities for w in grid]
    losses = [
        np.mean([log_loss(y, p) for y, p in zip(part.y.T, chances.T, strict=True)])
        for chances in mixed
    ]
    assert weight == pytest.approx(grid[np.argmin(losses)], abs=0.011)
    assert 0.05 < weight < 0.5
    assert rows == 200
