"""Metrics of splits in memory: intervals, tables of classes, comparisons."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest

from tests.unit.evaluate.samples import FOUR, TOP, drawn, exact, overconfident, params, predictions
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.evaluate.comparisons import holm, mcnemar
from textclf.evaluate.intervals import tango
from textclf.evaluate.split_metrics import SplitMetrics

# Intervals


def test_intervals_within_the_classes_are_those_of_a_stratified_split() -> None:
    rows = overconfident(1)
    intervals = {
        stratified: exact({"a": rows}, stratified=stratified).intervals("a")
        for stratified in (False, True)
    }
    assert intervals[False]["brier"] != intervals[True]["brier"]
    assert intervals[False]["accuracy"] == intervals[True]["accuracy"]


# Each class


def test_a_class_without_rows_has_no_metrics() -> None:
    rows = drawn(2)
    rows = rows.take(rows.y != 1)
    assert (rows.probabilities.argmax(axis=1) == 1).any()
    table = exact({"a": rows}, TOP).by_class("a").set_index("class")
    assert table["support"].tolist() == [(rows.y == place).sum() for place in range(3)]
    assert table.loc["c1"].drop(["split", "support"]).isna().all()
    assert table.drop(index="c1").notna().all(axis=None)


def test_a_class_that_is_never_decided_has_zeros_and_its_precision_no_interval() -> None:
    rows = drawn(2)
    never = rows.probabilities * [1, 0.01, 1]
    part = exact(
        {"a": dataclasses.replace(rows, probabilities=never / never.sum(axis=1, keepdims=True))},
        TOP,
    )
    row = part.by_class("a").set_index("class").loc["c1"]
    assert row[["precision", "recall", "recall_low", "f1", "f1_low"]].eq(0).all()
    assert row[["precision_low", "precision_high"]].isna().all()
    assert 0 < row["recall_high"] < 0.2  # so few rows leave the recall uncertain
    assert row["roc_auc"] > 0.5


def test_a_class_alone_has_no_area() -> None:
    rows = drawn(2)
    row = exact({"a": rows.take(rows.y == 0)}, TOP).by_class("a")[:1]
    assert row.columns[row.isna().all()].tolist() == ["roc_auc", "roc_auc_low", "roc_auc_high"]
    assert row["precision"].tolist() == [1]


def test_classes_keep_their_names_and_their_order() -> None:
    names = ("b", "007", "NA", "a,b", "true")
    rows = drawn(1, classes=5)
    part = exact({"a": Predictions(rows.ids, rows.split, rows.y, rows.probabilities, names)}, TOP)
    confusion = part.tables("a")["confusion"]
    pairs = [
        (names.index(row["actual"]), names.index(row["predicted"]))
        for row in confusion.to_dict("records")
    ]
    assert pairs == sorted(pairs)
    assert confusion["count"].sum() == len(rows)
    for table in (
        part.tables("a")["roc"],
        part.tables("a")["precision_recall"],
        part.by_class("a"),
    ):
        assert tuple(dict.fromkeys(table["class"])) == names


# Comparisons


def test_a_comparison_is_that_worked_out_by_hand() -> None:
    # Of five rows the first three are correct in a, the first and the last two in b.
    y = [1, 1, 0, 0, 1]
    a, b = predictions(y, [0.9, 0.9, 0.1, 0.9, 0.1]), predictions(y, [0.9, 0.1, 0.9, 0.1, 0.9])
    entry = exact({"a": a, "b": b}).comparisons()["b_vs_a"]
    assert (entry["only_first"], entry["only_second"], entry["difference"]) == (2, 2, 0)
    better = predictions(y, [0.9, 0.9, 0.1, 0.1, 0.9])
    entry = exact({"a": a, "b": better}).comparisons()["b_vs_a"]
    assert (entry["only_first"], entry["only_second"], entry["difference"]) == (2, 0, 0.4)
    assert entry["p"] == entry["p_holm"] == 0.157299  # both discordant rows favour b: 2 / sqrt(2)
    assert entry["low"] <= 0.4 <= entry["high"]
    assert "smallest_difference" not in entry  # five rows are too few for any


def test_every_pair_of_three_models_is_compared_with_holms_correction() -> None:
    models = {name: overconfident(seed) for name, seed in (("a", 1), ("b", 2), ("c", 3))}
    decisions = {"a": Decision(0.999), "b": Decision(0.5), "c": Decision(0.2)}
    part = SplitMetrics("test", models, decisions, params(), True)
    report = part.comparisons()
    assert list(report) == ["b_vs_a", "c_vs_a", "c_vs_b"]
    for earlier, later in combinations(models, 2):
        entry = report[f"{later}_vs_{earlier}"]
        assert set(entry) == {
            *(
                "difference",
                "low",
                "high",
                "only_first",
                "only_second",
                "p",
                "p_holm",
                "smallest_difference",
            ),
            "metrics",
        }
        accuracies = [part.metrics(name)["accuracy"] for name in (later, earlier)]
        assert entry["difference"] == pytest.approx(accuracies[0] - accuracies[1], abs=1e-6)
        assert entry["difference"] == pytest.approx(
            (entry["only_first"] - entry["only_second"]) / 80, abs=1e-6
        )
        assert entry["low"] <= entry["difference"] <= entry["high"]
        assert entry["p"] == round(mcnemar(entry["only_first"], entry["only_second"]).p, 6)
    raw = np.array([entry["p"] for entry in report.values()])
    assert len({*raw}) == 3
    assert [entry["p_holm"] for entry in report.values()] == pytest.approx(holm(raw), abs=5e-6)


def test_identical_models_do_not_differ_but_other_rows_could_tell_them_apart() -> None:
    rows = overconfident(1)
    ends = tango(0, 0, 80)
    assert exact({"a": rows, "b": rows}, stratified=True).comparisons() == {
        "b_vs_a": dict.fromkeys(("difference", "only_first", "only_second"), 0)
        | {"low": round(ends.low, 6), "high": round(ends.high, 6), "p": 1, "p_holm": 1}
        | {"metrics": dict.fromkeys(("log_loss", "brier", "f1", "roc_auc"))}
    }


def test_one_model_is_compared_with_none() -> None:
    assert exact({"a": FOUR}).comparisons() == {}
