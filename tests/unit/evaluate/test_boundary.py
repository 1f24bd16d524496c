"""Intervals of few rows, and of rows that are all decided alike."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from tests.metrics import MEASURED
from tests.unit.evaluate.samples import HALF, TOP, drawn, exact, predictions
from textclf.evaluate.boundary import FEW_ROWS, Share, counts_interval, mean_interval
from textclf.evaluate.intervals import area_score, tango, wilson

COUNT_METRICS = ("balanced_accuracy", "mcc", "precision", "recall", "f1")


def test_f1_has_the_interval_of_the_share_that_it_follows_from() -> None:
    share = Share(8, 12, 12, f1=True)
    ends = wilson(8, 12)
    assert share.interval() == pytest.approx([2 * end / (1 + end) for end in ends])
    assert share.interval().low < 2 * 8 / (8 + 12) < share.interval().high
    assert Share(12, 12, 3.5, f1=True).interval().high == 1


def test_the_interval_of_balanced_accuracy_adds_those_of_the_recalls_as_squares() -> None:
    matrix, recalls = np.array([[20, 0], [0, 30]]), [wilson(20, 20), wilson(30, 30)]
    ends = counts_interval(matrix, [*recalls], "balanced_accuracy", 1.0, 0.0)
    half = [1 - interval.low for interval in recalls]
    assert ends == pytest.approx((1 - math.hypot(*half) / 2, 1))
    assert mean_interval([1.0, 1.0], recalls) == pytest.approx(ends)


def test_the_interval_of_a_class_without_rows_is_not_needed() -> None:
    matrix = np.array([[4, 1, 0], [2, 3, 0], [0, 0, 0]])
    ends = counts_interval(matrix, [wilson(4, 5), wilson(3, 5), None], "mcc", 0.4, -1.0)
    assert -1 <= ends.low < 0.4 < ends.high <= 1


# Of eight rows; in the first six are right in a class of four each, in the others all are right or wrong.
@pytest.mark.parametrize("decided", [[0, 0, 0, 1, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0, 0]])
@pytest.mark.parametrize("stratified", [False, True])
def test_eight_rows_have_wide_intervals_or_none(decided: list[int], stratified: bool) -> None:
    y = np.repeat([0, 1], 4)
    positive = 0.2 + 0.6 * np.array(decided) + np.arange(8) / 1000
    part = exact({"a": predictions(y, positive), "b": predictions(y, 1 - positive)}, stratified=stratified)
    metrics, intervals = part.metrics("a"), part.intervals("a")
    assert set(intervals) == {name for name, metric in MEASURED.items() if metric.interval}
    assert intervals["log_loss"] is None
    assert intervals["brier"] is None
    for name, ends in intervals.items():
        if ends is not None:
            assert ends["low"] <= metrics[name] <= ends["high"], name
            assert ends["high"] - ends["low"] > 0.2, name
    entry = part.comparisons()["b_vs_a"]
    assert entry["low"] <= entry["difference"] <= entry["high"]
    assert entry["high"] - entry["low"] > 0.3


def test_the_difference_of_eight_rows_is_no_point() -> None:
    # The better model has five rows of eight more: all resamples within the classes used to agree on +62.5 points.
    y = np.repeat([0, 1], [3, 5])
    part = exact({"majority": predictions(y, np.full(8, 0.4)), "a": predictions(y, 0.1 + 0.8 * y)}, stratified=True)
    entry = part.comparisons()["a_vs_majority"]
    assert entry["difference"] == 0.625
    assert (entry["low"], entry["high"]) == pytest.approx(tango(5, 0, 8), abs=1e-6)


def test_a_model_that_is_always_right_on_many_rows_still_has_intervals() -> None:
    y = np.arange(300) % 2
    part = exact({"a": predictions(y, 0.1 + 0.8 * y + np.linspace(0, 0.05, 300))})
    intervals = part.intervals("a")
    for name in (*COUNT_METRICS, "roc_auc"):
        ends = intervals[name]
        assert ends is not None
        assert 0.9 < ends["low"] < 0.996
        assert ends["high"] == 1
    assert intervals["roc_auc"]["low"] == pytest.approx(area_score(1, 150, 150).low, abs=0.001)  # type: ignore[index]
    assert intervals["log_loss"] is intervals["brier"] is None  # the mean depends on mistakes that were not seen


def test_many_classes_that_are_all_right_have_intervals_of_their_means() -> None:
    y = np.arange(200) % 5
    part = exact({"a": predictions(y, 0.1 + 0.5 * np.eye(5)[y] + np.arange(200)[:, None] / 1e5)}, TOP)
    for name, ends in part.intervals("a").items():
        assert (ends is None) == (name in {"log_loss", "brier"}), name
        assert ends is None or ends["low"] < ends["high"], name
    table = part.by_class("a")
    assert (table["f1_low"] < 1).all()
    assert (table["roc_auc_low"] < 1).all()
    assert (table["precision_low"] == table["recall_low"]).all()


@pytest.mark.parametrize("stratified", [False, True])
def test_metrics_that_no_row_can_change_have_no_interval(stratified: bool) -> None:
    y = np.repeat([0, 1], [60, 40])
    part = exact({"a": predictions(y, np.full(100, 0.3))}, HALF, stratified=stratified)
    varying = set() if stratified else {"log_loss", "brier"}
    assert set(part.intervals("a")) == {"accuracy"} | varying
    table = part.by_class("a").set_index("class")
    assert table.loc["yes", ["precision_low", "f1_low", "roc_auc_low"]].isna().all()
    assert table["f1_low"].isna().tolist() == [stratified, True]  # its share of the rows is left to chance or fixed


def test_few_rows_have_no_interval_of_a_mean() -> None:
    for rows, few in ((FEW_ROWS - 1, True), (FEW_ROWS, False)):
        part = exact({"a": drawn(1, rows, 2)})
        assert (part.intervals("a")["log_loss"] is None) == few


def test_intervals_of_few_rows_cover_the_truth() -> None:
    generator = np.random.default_rng(5)
    distance, rows, sets = 0.84, 12, 300
    accuracy = float(norm.cdf(distance))
    truth = {"accuracy": accuracy, "f1": accuracy, "recall": accuracy, "balanced_accuracy": accuracy}
    truth |= {"mcc": 2 * accuracy - 1, "roc_auc": float(norm.cdf(math.sqrt(2) * distance))}
    inside = dict.fromkeys([*truth, "difference"], 0)
    for _ in range(sets):
        y = np.arange(rows) % 2
        first, second = distance * (2 * y - 1) + generator.normal(size=(2, rows))
        models = {name: predictions(y, 1 / (1 + np.exp(-odds))) for name, odds in (("a", first), ("b", second))}
        part = exact(models, stratified=True)
        for name, value in truth.items():
            ends = part.interval("a", name)
            assert ends
            inside[name] += ends.low <= value <= ends.high
        entry = part.comparisons()["b_vs_a"]
        inside["difference"] += entry["low"] <= 0 <= entry["high"]
    assert all(count / sets > 0.9 for count in inside.values()), inside
