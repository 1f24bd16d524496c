"""Metrics of several labels per text: against scikit-learn, and what their intervals and tables rest on."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from sklearn import metrics as sk

from tests.unit.evaluate.samples import SEEDS, exact, halves, sample_sets, sets
from textclf.evaluate.influence import influence, is_few
from textclf.evaluate.metrics import compute, point_values
from textclf.evaluate.rows import Rows


def by_scikit_learn(y: NDArray[Any], probabilities: NDArray[np.float64], decided: NDArray[Any]) -> dict[str, Any]:
    """Return the metrics; of those of the order of the rows, means over the labels that some rows have."""
    values: dict[str, Any] = {
        "accuracy": sk.accuracy_score(y, decided),
        "hamming_loss": sk.hamming_loss(y, decided),
        "ranking": sk.label_ranking_average_precision_score(y, probabilities),
    }
    for name, score in (("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)):
        values[f"class_{name}"] = score(y, decided, average=None, zero_division=0)
        values[name] = score(y, decided, average="macro", zero_division=0)
        values[f"micro_{name}"] = score(y, decided, average="micro", zero_division=0)
    columns = list(zip(y.T, probabilities.T, strict=True))
    values["log_loss"] = np.mean([sk.log_loss(*column, labels=[0, 1]) for column in columns])
    values["brier"] = np.mean([sk.brier_score_loss(*column, labels=[0, 1]) for column in columns])
    for name, score in (("roc_auc", sk.roc_auc_score), ("average_precision", sk.average_precision_score)):
        found = [score(*column) if 0 < column[0].mean() < 1 else np.nan for column in columns]
        values[f"class_{name}"], values[name] = found, np.nanmean(found)
    bins = np.ceil(probabilities * 10).clip(1)
    gaps = [(y - probabilities)[bins == each].sum() for each in range(1, 11)]
    return values | {"ece": np.abs(gaps).sum() / y.size}


@given(SEEDS)
def test_metrics_of_sets_equal_scikit_learn(seed: int) -> None:
    drawn = sample_sets(seed)
    values, expected = point_values(*drawn), by_scikit_learn(*drawn)
    assert {*values} == {*expected}
    for name, value in expected.items():
        assert values[name][0] == pytest.approx(value, abs=1e-12), name


def test_a_label_without_rows_is_left_out_of_the_means_of_the_order_alone() -> None:
    y, probabilities, decided = sample_sets(1)
    y[:, 2] = 0
    values, expected = point_values(y, probabilities, decided), by_scikit_learn(y, probabilities, decided)
    for name, value in expected.items():
        assert values[name][0] == pytest.approx(value, abs=1e-12, nan_ok=True), name
    assert np.isnan(values["class_average_precision"][0]).nonzero()[0].tolist() == [2]
    nothing = compute(np.zeros_like(y), probabilities, np.zeros_like(y))
    assert {"roc_auc", "average_precision"}.isdisjoint(nothing)
    assert (nothing["accuracy"], nothing["micro_f1"], nothing["ranking"]) == (1, 0, 1)


def test_a_row_has_a_label_and_is_decided_as_it_in_both_tasks() -> None:
    y = np.array([0, 2, 1, 2])
    decided = np.array([0, 1, 1, 2])
    probabilities = np.full((4, 3), 1 / 3)
    one = Rows(y, {"a": probabilities}, {"a": decided}, None, False, 3)
    several = Rows(
        np.eye(3, dtype=np.int8)[y], one.probabilities, {"a": np.eye(3, dtype=np.int8)[decided]}, None, False, 3
    )
    for place in range(3):
        assert one.is_actual(place).tolist() == several.is_actual(place).tolist() == (y == place).tolist()
        assert one.is_decided("a", place).tolist() == several.is_decided("a", place).tolist()
    assert one.wrong("a").tolist() == several.wrong("a").tolist() == [False, True, False, False]


# Intervals


@pytest.mark.parametrize(
    "metric", ["precision", "recall", "f1", "micro_f1", "micro_recall", "hamming_loss", "average_precision", "roc_auc"]
)
def test_the_influence_is_the_change_of_a_metric_by_one_more_row(metric: str) -> None:
    y, probabilities, decided = sample_sets(1, 800, digits=3)
    rows = Rows(y, {"a": probabilities}, {"a": decided}, None, False, 5)
    value = point_values(y, probabilities, decided)[metric][0]
    found = influence(rows, "a", metric)
    for row in range(20):
        one = np.append(np.arange(len(rows)), row)
        change = (point_values(y[one], probabilities[one], decided[one])[metric][0] - value) * (len(rows) + 1)
        assert found[row] - found.mean() == pytest.approx(change, abs=0.03), row
    of_labels = [influence(rows, "a", metric, place) for place in range(5)]
    if "micro" not in metric and metric != "hamming_loss":
        assert np.mean(of_labels, axis=0) == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize("times", [1, 3])
def test_intervals_of_sets_are_nearly_those_of_resamples(times: int) -> None:
    y, probabilities, _ = sample_sets(2, 600)
    clusters = np.repeat(np.arange(600), times)
    rows = sets(y, probabilities).take(clusters)
    part = exact({"a": rows}, halves(5), True, clusters if times > 1 else None)
    generator, draws = np.random.default_rng(0), []
    for _ in range(300):
        some = generator.integers(0, 600, 600)
        draws.append(point_values(y[some], probabilities[some], (probabilities > 0.5).astype(np.int8)[some]))
    for metric, ends in part.intervals("a").items():
        low, high = np.quantile([each[metric][0] for each in draws], [0.025, 0.975])
        assert ends
        assert (ends["low"], ends["high"]) == pytest.approx((low, high), abs=0.2 * (high - low)), metric


def test_sets_that_are_all_right_have_intervals_except_of_losses() -> None:
    y = (np.arange(300)[:, None] % np.array([2, 3, 7]) == 0).astype(np.int8)
    part = exact({"a": sets(y, 0.1 + 0.8 * y + np.linspace(0, 0.01, 900).reshape(300, 3))}, halves(3))
    intervals = part.intervals("a")
    for name in ("accuracy", "micro_f1", "micro_recall", "f1"):
        assert intervals[name]["high"] == 1  # type: ignore[index]
        assert 0.9 < intervals[name]["low"] < 0.999  # type: ignore[index]
    assert 0 == intervals["hamming_loss"]["low"] < intervals["hamming_loss"]["high"]  # type: ignore[index]
    assert all(intervals[name] is None for name in ("ranking", "log_loss", "brier"))
    table = part.by_class("a")
    assert (table["average_precision"] == 1).all()
    assert ((table["average_precision_low"] > 0.9) & (table["average_precision_low"] < 1)).all()


def test_means_allow_for_labels_that_few_rows_have_and_are_not_compared() -> None:
    y, probabilities, decided = sample_sets(3, 400)
    often = Rows(y, {"a": probabilities}, {"a": decided}, None, False, 5)
    assert not is_few(often, "a", "f1")
    rare = y.copy()
    rare[:, 4] = np.arange(400) < 5
    part = exact({"a": sets(rare, probabilities)}, halves(5))
    assert is_few(part.of_rows, "a", "f1")
    assert not is_few(part.of_rows, "a", "micro_f1")
    widths = [
        ends["high"] - ends["low"]  # type: ignore[index]
        for ends in (each.intervals("a")["recall"] for each in (part, exact({"a": sets(y, probabilities)}, halves(5))))
    ]
    assert widths[0] > 1.3 * widths[1]


def test_means_over_labels_of_which_one_has_no_rows_have_no_interval() -> None:
    y, probabilities, _ = sample_sets(3, 400)
    y[:, 2] = 0
    intervals = exact({"a": sets(y, probabilities)}, halves(5)).intervals("a")
    assert intervals["recall"] is None
    assert intervals["average_precision"] is not None  # the mean leaves the label out
    assert intervals["micro_recall"] is not None


def test_two_models_are_compared_by_exact_sets_and_metrics_of_labels() -> None:
    y, probabilities, _ = sample_sets(4, 400)
    noise = np.random.default_rng(1).normal(size=y.shape)
    odds = np.log(np.clip(probabilities, 0.01, 0.99) / (1 - np.clip(probabilities, 0.01, 0.99))) + noise
    models = {"a": sets(y, 1 / (1 + np.exp(-odds))), "b": sets(y, probabilities)}
    entry = exact(models, halves(5)).comparisons()["b_vs_a"]
    right = {name: ((rows.probabilities > 0.5) == y).all(axis=1) for name, rows in models.items()}
    assert entry["only_first"] == (right["b"] & ~right["a"]).sum()
    assert set(entry["metrics"]) == {"log_loss", "brier", "f1", "micro_f1", "roc_auc", "average_precision"}
    measured = exact(models, halves(5)).metrics
    for metric, ends in entry["metrics"].items():
        assert ends["difference"] == pytest.approx(measured("b")[metric] - measured("a")[metric], abs=2e-6)
        assert ends["low"] < ends["difference"] < ends["high"]


# Tables


def test_tables_of_sets_have_a_line_per_label_and_pair_of_labels() -> None:
    y = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]])
    probabilities = np.array([[0.9, 0.6, 0.1], [0.8, 0.2, 0.1], [0.3, 0.7, 0.1], [0.2, 0.1, 0.1]])
    part = exact({"a": sets(y, probabilities)}, halves(3))
    tables = part.tables("a")
    confusion = tables["confusion"].set_index(["actual", "predicted"])
    assert confusion["count"].to_dict() == {("l0", "l0"): 2, ("l0", "l1"): 1, ("l1", "l0"): 1, ("l1", "l1"): 1}
    assert confusion["share"].to_dict() == {("l0", "l0"): 1, ("l0", "l1"): 0.5, ("l1", "l0"): 0.5, ("l1", "l1"): 0.5}
    assert part.by_class("a")["support"].tolist() == [2, 2, 0]
    assert tables["reliability"]["rows"].sum() == 12
    # The set that is decided with most confidence, product of 0.8, 0.9 and 0.9, is right; that of 0.9 * 0.6 * 0.9 not.
    assert tables["risk_coverage"]["error"].iloc[-1] == 0.5
    assert set(tables["roc"]["class"]) == {"l0", "l1", "l2"}


@pytest.mark.parametrize("metric", ["precision", "recall", "f1", "roc_auc", "average_precision"])
def test_the_mean_over_equal_labels_is_as_uncertain_as_one_of_them(metric: str) -> None:
    y, probabilities, _ = sample_sets(3, 300)
    part = exact({"a": sets(np.repeat(y[:, :1], 3, axis=1), np.repeat(probabilities[:, :1], 3, axis=1))}, halves(3))
    mean, one = part.interval("a", metric), part.interval("a", metric, 0)
    assert mean
    assert one
    assert mean == pytest.approx(one)
