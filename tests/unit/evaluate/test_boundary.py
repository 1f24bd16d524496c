"""Intervals of few rows, and of rows that are all decided alike."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from tests.metrics import MEASURED
from tests.unit.evaluate.samples import HALF, TOP, drawn, exact, predictions
from textclf.evaluate.boundary import FEW_ROWS, Share, counts_interval
from textclf.evaluate.intervals import area_score, tango, wilson
from textclf.evaluate.metrics import from_counts, margins

COUNT_METRICS = ("balanced_accuracy", "mcc", "precision", "recall", "f1")


def of_matrix(matrix: NDArray[Any], metric: str) -> float:
    return float(from_counts(margins(matrix), [metric])[metric][0])


def test_f1_has_the_interval_of_the_share_that_it_follows_from() -> None:
    share = Share(8, 12, 12, f1=True)
    ends = wilson(8, 12)
    assert share.interval() == pytest.approx([2 * end / (1 + end) for end in ends])
    assert share.interval().low < 2 * 8 / (8 + 12) < share.interval().high
    assert Share(12, 12, 3.5, f1=True).interval().high == 1


def test_two_classes_of_as_many_rows_have_wilsons_interval_of_the_accuracy() -> None:
    for right in (50, 47, 30):
        matrix = np.array([[right, 50 - right], [50 - right, right]])
        ends = counts_interval(matrix, "balanced_accuracy", 1.0, stratified=True)
        assert ends == pytest.approx(wilson(2 * right, 100))
        assert counts_interval(matrix, "mcc", 1.0, stratified=True) == pytest.approx(
            [2 * end - 1 for end in wilson(2 * right, 100)], abs=0.001
        )
        # A row that is worth half a row counts half.
        ends = counts_interval(matrix, "balanced_accuracy", 0.5, stratified=True)
        assert ends == pytest.approx(wilson(right, 50))


def test_the_interval_of_a_class_without_rows_is_not_needed() -> None:
    matrix = np.array([[4, 1, 0], [2, 3, 0], [0, 0, 0]])
    for metric in ("balanced_accuracy", "mcc"):
        ends = counts_interval(matrix, metric, 1.0, stratified=True)
        assert ends == pytest.approx(counts_interval(matrix[:2, :2], metric, 1.0, stratified=True))


def test_a_small_class_without_mistakes_leaves_a_mean_uncertain() -> None:
    widths = []
    for small in (2, 4, 40):  # all right, beside two classes with mistakes
        matrix = np.array([[40, 10, 0], [10, 40, 0], [0, 0, small]])
        ends = counts_interval(matrix, "recall", 1.0, stratified=True)
        assert ends is not None
        widths.append(ends.high - ends.low)
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 1.5 * widths[2]


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize(("metric", "skewed"), [("balanced_accuracy", True), ("f1", False), ("mcc", True)])
def test_metrics_of_many_small_classes_cover_the_truth(metric: str, skewed: bool, stratified: bool) -> None:
    generator, classes, rows, measured = np.random.default_rng(3), 77, 500, []
    recalls = generator.beta(12, 3, classes)
    confused = generator.dirichlet(np.full(classes, 0.3), classes) * (1 - np.eye(classes))
    shares = confused / confused.sum(axis=1, keepdims=True) * (1 - recalls)[:, None] + np.diag(recalls)
    frequencies = 1 / (np.arange(classes) + (3 if skewed else 1000))
    fixed = np.maximum(np.round(frequencies / frequencies.sum() * rows), 1).astype(np.int64)
    for _ in range(400):
        matrix = generator.multinomial(
            fixed if stratified else generator.multinomial(rows, fixed / fixed.sum()), shares
        )
        if ends := counts_interval(matrix, metric, 1.0, stratified):
            measured.append((*ends, of_matrix(matrix, metric)))
    (low, high, values), true = np.array(measured).T, of_matrix(shares * fixed[:, None], metric)
    assert len(measured) > 200
    assert ((low <= true) & (true <= high)).mean() > 0.915
    assert (high - low).mean() == pytest.approx(2 * 1.96 * values.std(), rel=0.15)


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
