"""Splits of many rows, measured by sums and histograms, against the same rows in memory."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.evaluate.samples import drawn, params, predictions, sample
from textclf.artifacts.decisions import Decision, Temperature
from textclf.artifacts.predictions import Predictions
from textclf.evaluate.bootstrap import bootstrap
from textclf.evaluate.exact import ExactMetrics
from textclf.evaluate.intervals import percentile
from textclf.evaluate.metrics import point_values
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.streaming import StreamingMetrics, Sums

Models = dict[str, Predictions]


def two_models(rows: int, classes: int) -> Models:
    y, first, _ = sample(classes, rows, classes)
    second = first + 0.3 * np.random.default_rng(0).dirichlet(np.ones(classes), rows)
    return {"a": predictions(y, first), "b": predictions(y, second / 1.3)}


def both(
    models: Models, decision: Decision, settings: Evaluate | None = None, stratified: bool = False, batch: int = 100
) -> tuple[StreamingMetrics, ExactMetrics]:
    """Return the metrics of the same rows, streamed in batches and in memory."""
    settings = params() if settings is None else settings
    decisions = dict.fromkeys(models, decision)
    first = next(iter(models.values()))
    streaming = StreamingMetrics("test", first.classes, decisions, settings, stratified)
    parts = [
        {name: rows.take(slice(start, start + batch)) for name, rows in models.items()}
        for start in range(0, len(first), batch)
    ]
    for part in parts:
        streaming.add(part)
    if len(first.classes) > 2:
        for part in parts:
            streaming.add_influences(part)
    return streaming, ExactMetrics("test", models, decisions, settings, stratified)


def assert_close(actual: Any, expected: Any, tolerance: float = 1.1e-6) -> None:
    """Assert the same keys, and the same numbers apart from the rounding of the last digit."""
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys()
        for key, value in expected.items():
            assert_close(actual[key], value, tolerance)
    else:
        assert actual == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("calibration", [None, Temperature(1.5)])
def test_what_is_exact_is_the_same_streamed_and_in_memory(classes: int, calibration: Temperature | None) -> None:
    models = two_models(450, classes)
    decision = Decision(0.5 if classes == 2 else None, calibration)
    streaming, exact = both(models, decision, params(resamples=2000))
    for name in models:
        actual, expected = streaming.metrics(name), exact.metrics(name)
        bound = max(histogram.bound for histogram in streaming.sums[name].scores.values()) + 1e-6
        assert bound < 0.01  # of tied scores
        assert actual.pop("roc_auc") == pytest.approx(expected.pop("roc_auc"), abs=bound)
        assert_close(actual, expected)
        assert streaming.intervals(name).keys() == exact.intervals(name).keys()
        assert streaming.intervals(name)["accuracy"] == exact.intervals(name)["accuracy"]
        table, in_memory = streaming.by_class(name), exact.by_class(name)
        assert table.columns.tolist() == in_memory.columns.tolist()
        same = ["split", "class", "support", "precision", "recall", "recall_low", "recall_high", "f1"]
        assert table[same].equals(in_memory[same])
        assert table["roc_auc"].to_numpy() == pytest.approx(in_memory["roc_auc"].to_numpy(), abs=bound)
        assert streaming.confusion(name).to_dict("records") == exact.confusion(name).to_dict("records")
        pd.testing.assert_frame_equal(streaming.reliability(name), exact.reliability(name))
        if calibration:
            assert_close(streaming.uncalibrated(name), exact.uncalibrated(name))
    entry, in_memory_entry = streaming.comparisons()["b_vs_a"], exact.comparisons()["b_vs_a"]
    width = in_memory_entry["high"] - in_memory_entry["low"]
    for end in ("low", "high"):
        assert entry.pop(end) == pytest.approx(in_memory_entry.pop(end), abs=0.1 * width)
    assert entry == in_memory_entry


def test_a_threshold_decides_the_same_streamed_and_in_memory() -> None:
    streaming, exact = both(two_models(300, 2), Decision(0.3))
    assert streaming.confusion("a").to_dict("records") == exact.confusion("a").to_dict("records")


def test_curves_of_few_scores_are_the_same_streamed_and_in_memory() -> None:
    y, probabilities, _ = sample(1, 400)
    streaming, exact = both({"a": predictions(y, probabilities.round(2))}, Decision(0.5))
    for curve in ("roc", "precision_recall"):
        actual, expected = (getattr(part, curve)("a") for part in (streaming, exact))
        pd.testing.assert_frame_equal(actual, expected)


def noisy(rows: int, classes: int = 2) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    generator = np.random.default_rng(1)
    y = generator.integers(0, classes, rows)
    scores = np.exp(generator.normal(np.eye(classes)[y] * 1.5, 1.2))
    return y, scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("classes", "stratified"), [(2, False), (2, True), (4, False), (4, True)])
def test_intervals_agree_with_the_bootstrap_of_the_rows(classes: int, stratified: bool) -> None:
    y, probabilities = noisy(8000, classes)
    decided = probabilities.argmax(axis=1)
    streaming, _ = both({"a": predictions(y, probabilities)}, Decision(), params(resamples=2000), stratified, 4000)
    draws = bootstrap(y, {"a": (probabilities, decided)}, 0, 500, stratified)["a"]
    for name in set(streaming.metrics("a")) - {"ece"}:
        low, high = percentile(draws[name])
        # 500 resamples move an end by about 6% of the width; all are of one sample.
        interval = streaming.sampled("a", name)
        assert interval == pytest.approx((low, high), abs=0.12 * (high - low)), name
        assert interval.high - interval.low == pytest.approx(2 * 1.96 * draws[name].std(), rel=0.1), name
    for place in range(classes):
        ends = streaming.sampled("a", "roc_auc", place)
        assert ends.high - ends.low == pytest.approx(2 * 1.96 * draws["class_roc_auc"][:, place].std(), rel=0.1)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    y, probabilities = noisy(160_000)
    truth = point_values(y, probabilities, probabilities.argmax(axis=1))
    inside = dict.fromkeys(("log_loss", "brier", "roc_auc", "f1", "mcc"), 0)
    parts = 80
    for labels, scores in zip(np.split(y, parts), np.split(probabilities, parts), strict=True):
        part = StreamingMetrics("test", ("c0", "c1"), {"a": Decision(0.5)}, params(), False)
        part.add({"a": predictions(labels, scores)})
        for name in inside:
            low, high = part.sampled("a", name)
            inside[name] += low <= truth[name][0] <= high
    assert all(0.88 <= count / parts <= 1 for count in inside.values()), inside


def test_an_interval_stays_within_the_range_of_the_metric() -> None:
    streaming, _ = both({"a": predictions([0, 0, 1, 1], [0.1, 0.8, 0.7, 0.9])}, Decision(0.5))
    assert streaming.sampled("a", "roc_auc").high == 1
    assert 0 == streaming.sampled("a", "brier").low < streaming.sampled("a", "brier").high <= 1
    assert 0 == streaming.sampled("a", "log_loss").low < 1 < streaming.sampled("a", "log_loss").high


def test_the_interval_of_the_brier_score_of_several_classes_reaches_beyond_1() -> None:
    wrong = np.random.default_rng(0).dirichlet([1, 30, 1], 200)  # of rows of the first class
    sums = Sums(3)
    sums.add(np.zeros(200, dtype=np.int64), wrong, wrong.argmax(axis=1))
    low, high = sums.mean_interval("brier", 0.95, False)
    assert 1 < low < sums.values()["brier"][0] < high < 2


def test_the_area_of_a_class_without_rows_is_undefined() -> None:
    y, probabilities = np.array([0, 0, 1, 1] * 5), np.random.default_rng(0).dirichlet(np.ones(3), 20)
    sums = Sums(3)
    sums.add(y, probabilities, probabilities.argmax(axis=1))
    values = sums.values()
    assert values.keys() == point_values(y, probabilities, probabilities.argmax(axis=1)).keys()
    assert "roc_auc" not in values
    assert np.isnan(values["class_roc_auc"][0]).tolist() == [False, False, True]


def test_memory_hardly_grows_with_the_classes() -> None:
    sizes = {classes: sum(part.counts.nbytes for part in Sums(classes).scores.values()) for classes in (2, 3, 30, 300)}
    assert max(sizes.values()) < 20e6


def test_intervals_do_not_depend_on_where_batches_are_cut() -> None:
    rows = drawn(3, 300, 3)
    parts = [both({"a": rows}, Decision(), stratified=True, batch=batch)[0].intervals("a") for batch in (7, 100, 300)]
    assert parts[0] == parts[1] == parts[2]
