"""Intervals of many rows, by resampled counts and normal approximations, against those of resampled rows."""

from typing import Any

import numpy as np
import pytest

from tests.unit.evaluate.samples import TOP, as_many, exact, predictions, sample
from textclf.artifacts.decisions import Decision, Temperature
from textclf.artifacts.predictions import Predictions
from textclf.evaluate.bootstrap import bootstrap
from textclf.evaluate.intervals import percentile
from textclf.evaluate.metrics import point_values

Models = dict[str, Predictions]


def two_models(rows: int, classes: int) -> Models:
    y, first, _ = sample(classes, rows, classes)
    second = first + 0.3 * np.random.default_rng(0).dirichlet(np.ones(classes), rows)
    return {"a": predictions(y, first), "b": predictions(y, second / 1.3)}


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("calibration", [None, Temperature(1.5)])
def test_only_intervals_depend_on_the_number_of_rows(classes: int, calibration: Temperature | None) -> None:
    models = two_models(450, classes)
    decision = Decision(0.5 if classes == 2 else None, calibration)
    many, few = (measure(models, decision, resamples=2000) for measure in (as_many, exact))
    for name in models:
        assert many.metrics(name) == few.metrics(name)
        assert many.intervals(name).keys() == few.intervals(name).keys()
        assert many.intervals(name)["accuracy"] == few.intervals(name)["accuracy"]
        table, other = many.by_class(name), few.by_class(name)
        same = ["split", "class", "support", "precision", "recall", "recall_low", "recall_high", "f1", "roc_auc"]
        assert table[same].equals(other[same])
    entry, other_entry = many.comparisons()["b_vs_a"], few.comparisons()["b_vs_a"]
    assert entry == other_entry


def noisy(rows: int, classes: int = 2) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    generator = np.random.default_rng(1)
    y = generator.integers(0, classes, rows)
    scores = np.exp(generator.normal(np.eye(classes)[y] * 1.5, 1.2))
    return y, scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("classes", "stratified"), [(2, False), (2, True), (4, False), (4, True)])
def test_intervals_agree_with_the_bootstrap_of_the_rows(classes: int, stratified: bool) -> None:
    y, probabilities = noisy(8000, classes)
    decided = probabilities.argmax(axis=1)
    many = as_many({"a": predictions(y, probabilities)}, TOP, stratified, resamples=2000)
    draws = bootstrap(y, {"a": (probabilities, decided)}, 0, 500, stratified)["a"]
    for name in set(many.metrics("a")) - {"ece", "roc_auc"}:
        low, high = percentile(draws[name])
        # 500 resamples move an end by about 6% of the width; all are of one sample.
        interval = many.sampling.interval("a", name)
        assert interval == pytest.approx((low, high), abs=0.12 * (high - low)), name
        assert interval.high - interval.low == pytest.approx(2 * 1.96 * draws[name].std(), rel=0.1), name


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    y, probabilities = noisy(160_000)
    truth = point_values(y, probabilities, probabilities.argmax(axis=1))
    inside = dict.fromkeys(("log_loss", "brier", "roc_auc", "f1", "mcc"), 0)
    parts = 80
    for labels, scores in zip(np.split(y, parts), np.split(probabilities, parts), strict=True):
        part = as_many({"a": predictions(labels, scores)})
        for name in inside:
            low, high = part.sampling.interval("a", name)
            inside[name] += low <= truth[name][0] <= high
    assert all(0.88 <= count / parts <= 1 for count in inside.values()), inside


def test_an_interval_stays_within_the_range_of_the_metric() -> None:
    many = as_many({"a": predictions([0, 0, 1, 1], [0.1, 0.8, 0.7, 0.9])})
    assert many.sampling.interval("a", "roc_auc").high < 1
    assert 0 == many.sampling.interval("a", "brier").low < many.sampling.interval("a", "brier").high <= 1
    assert 0 == many.sampling.interval("a", "log_loss").low < 1 < many.sampling.interval("a", "log_loss").high


def test_the_interval_of_the_brier_score_of_several_classes_reaches_beyond_1() -> None:
    wrong = np.random.default_rng(0).dirichlet([1, 30, 1], 200)  # of rows of the first class
    many = as_many({"a": predictions(np.zeros(200), wrong)}, TOP)
    low, high = many.sampling.interval("a", "brier")
    assert 1 < low < many.metrics("a")["brier"] < high < 2


@pytest.mark.parametrize("classes", [2, 3])
def test_of_a_single_class_a_constant_model_has_no_area(classes: int) -> None:
    rows = predictions(np.ones(40), np.full((40, classes), 1 / classes))
    for measure in (as_many, exact):
        table = measure({"a": rows}, TOP).by_class("a").set_index("class")
        assert table["roc_auc"].isna().all()
        assert table.loc["c1", "support"] == 40


def test_a_class_that_resamples_may_miss_still_counts() -> None:
    y = np.zeros(300, dtype=np.int64)
    y[0] = 1
    probabilities = np.random.default_rng(0).dirichlet(np.ones(300), 300) + 10 * np.eye(300)[y]
    part = as_many({"a": predictions(y, probabilities / 11)}, TOP, resamples=100)
    low, high = part.sampling.interval("a", "balanced_accuracy")
    assert low <= part.metrics("a")["balanced_accuracy"] <= high
