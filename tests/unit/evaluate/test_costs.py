"""Costs: the matrix, the decisions that follow from it, and what is measured of them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from scipy import stats
from sklearn import metrics as reference

from tests.unit.evaluate.samples import (
    SEEDS,
    drawn,
    exact,
    known,
    params,
    predictions,
    resampled,
    sample,
    three_splits,
)
from tests.unit.evaluate.samples import run_measured as measure
from textclf.artifacts.decisions import Costs, Decision
from textclf.core.errors import UserError
from textclf.core.result_files import to_json
from textclf.evaluate import model_choice
from textclf.evaluate.choose import choose_decision
from textclf.evaluate.costs import cost_matrix
from textclf.evaluate.intervals import wilson
from textclf.evaluate.measure import HeldOut, decisions_report, find_unseen_cost
from textclf.evaluate.metrics.of_rows import row_costs
from textclf.evaluate.registry import COST, compute
from textclf.evaluate.rows import JudgedRows, confusion_matrix

SPAM: dict[str, Any] = {"ham": {"spam": 10}, "abstain": 2}
TEN: Costs = ((0.0, 10.0), (1.0, 0.0))
DOUBT: Costs = ((0.0, 1.0, 3.0, 0.4), (2.0, -1.0, 1.0, 0.4), (1.0, 1.0, 0.0, 0.4))


# The matrix


def test_pairs_that_are_not_named_cost_0_if_right_and_1_otherwise() -> None:
    assert cost_matrix({"ham": {"spam": 10}}, ("ham", "spam")) == TEN
    assert cost_matrix(SPAM, ("ham", "spam")) == ((0, 10, 2), (1, 0, 2))
    assert cost_matrix({"c": {"a": 0.5, "c": -1}}, ("a", "b", "c")) == (
        (0, 1, 1),
        (1, 0, 1),
        (0.5, 1, -1),
    )
    assert cost_matrix({}, ("ham", "spam")) is None
    assert params(costs=None).costs == {}


def test_a_class_may_be_called_abstain() -> None:
    assert cost_matrix({"abstain": {"go": 3}}, ("abstain", "go")) == ((0, 3), (1, 0))


def test_each_name_that_is_no_class_is_told_with_the_nearest_one() -> None:
    with pytest.raises(UserError) as caught:
        cost_matrix({"hamm": {"spam": 1}, "spam": {"x, y": 1, "ham": 2}}, ("ham", "spam"))
    assert caught.value.lines == (
        "params.yaml: evaluate.costs must name classes; got hamm; did you mean ham?",
        "params.yaml: evaluate.costs must name classes; got 'x, y'; known here: ham, spam",
    )


# Decisions


@given(SEEDS)
def test_costs_of_two_classes_are_a_threshold(seed: int) -> None:
    _, probabilities, _ = sample(seed)
    assert (
        Decision(costs=TEN).decide(probabilities).tolist()
        == Decision(10 / 11).decide(probabilities).tolist()
    )


@given(SEEDS)
def test_the_decision_with_the_lowest_expected_cost_is_taken(seed: int) -> None:
    _, probabilities, _ = sample(seed, classes=3)
    decided = Decision(costs=DOUBT).decide(probabilities)
    for row, place in zip(probabilities, decided, strict=True):
        expected = [
            sum(row[actual] * DOUBT[actual][column] for actual in range(3)) for column in range(4)
        ]
        assert expected[place] == pytest.approx(min(expected))  # -1 is the last column


def test_of_equal_costs_the_first_class_is_decided_and_no_answer_only_if_it_costs_less() -> None:
    probabilities = np.array([[0.5, 0.5], [0.25, 0.75], [0.75, 0.25]])
    assert Decision(costs=((0, 1, 0.5), (1, 0, 0.5))).decide(probabilities).tolist() == [0, 1, 0]
    doubting = Decision(costs=((0, 1, 0.25), (1, 0, 0.25)))
    assert doubting.decide(probabilities).tolist() == [-1, 1, 0]
    assert doubting.answering().decide(probabilities).tolist() == [0, 1, 0]
    assert Decision(0.3).answering() == Decision(0.3)


def test_decisions_of_a_run_have_the_costs_in_place_of_a_threshold_and_calibration_stays() -> None:
    settings = params(costs={"no": {"yes": 10}}, calibration="temperature")
    rows = three_splits()
    decision = choose_decision(rows, settings)
    assert decision == Decision(
        None, choose_decision(rows, params(calibration="temperature")).calibration, costs=TEN
    )


# What is measured


@pytest.mark.parametrize(
    "costs", [DOUBT, tuple(row[:3] for row in DOUBT)], ids=["abstaining", "answering"]
)
def test_metrics_are_those_of_scikit_learn_and_no_answer_is_wrong(costs: Costs) -> None:
    y, probabilities, _ = sample(3, rows=400, classes=3)
    decided = Decision(costs=costs).decide(probabilities)
    abstains = len(costs[0]) > 3
    assert (decided == -1).any() == abstains
    values = compute(y, probabilities, decided, costs)
    assert values["cost"] == pytest.approx(
        np.mean([costs[a][b] for a, b in zip(y, decided, strict=True)]), abs=1e-6
    )
    options: dict[str, Any] = {"labels": [0, 1, 2], "average": "macro", "zero_division": 0}
    assert values["accuracy"] == pytest.approx(reference.accuracy_score(y, decided), abs=1e-6)
    for name in ("precision", "recall", "f1"):
        expected = getattr(reference, f"{name}_score")(y, decided, **options)
        assert values[name] == pytest.approx(expected, abs=1e-6)
    assert values["balanced_accuracy"] == values["recall"]
    assert ("mcc" in values) == (not abstains)
    assert "cost" not in compute(y, probabilities, decided)


def test_rows_without_an_answer_are_a_column_of_the_confusion_matrix() -> None:
    assert confusion_matrix(np.array([0, 1, 1]), np.array([0, -1, 0]), 2).tolist() == [
        [1, 0, 0],
        [1, 0, 1],
    ]
    part = exact({"a": drawn(3, 200)}, Decision(costs=DOUBT))
    table = part.tables("a")["confusion"]
    assert table["count"].sum() == 200
    assert (
        table[table["predicted"] == ""]["count"].sum() == (part.judged["a"].decided == -1).sum() > 0
    )
    assert part.by_class("a")["support"].sum() == 200


def test_intervals_of_other_metrics_allow_for_rows_without_an_answer() -> None:
    part = exact({"a": drawn(3, 400)}, Decision(costs=DOUBT))
    draws = resampled(part, "a")
    for metric in ("balanced_accuracy", "precision", "recall", "f1", "cost"):
        interval = known(part.interval("a", metric))
        assert interval.low < part.values["a"][metric] < interval.high
        assert interval.high - interval.low == pytest.approx(
            2 * 1.96 * draws[metric].std(), rel=0.15
        )
    few = exact({"a": drawn(3, 25)}, Decision(costs=DOUBT))
    assert few.interval("a", "balanced_accuracy") is not None


def test_answers_that_are_all_right_have_a_precision_without_interval() -> None:
    y, sure = np.tile([0, 1, 2], 40), np.arange(120) % 10 > 0
    rows = predictions(y, np.where(sure[:, None], 0.01 + 0.97 * np.eye(3)[y], 1 / 3))
    doubting = Decision(costs=((0, 1, 1, 0.3), (1, 0, 1, 0.3), (1, 1, 0, 0.3)))
    intervals = exact({"a": rows}, doubting).intervals("a")
    assert intervals["precision"] is None
    assert intervals["recall"] is not None


def test_the_interval_of_a_cost_of_0_and_1_is_that_of_the_error() -> None:
    part = exact({"a": three_splits()}, Decision(costs=((0.0, 1.0), (1.0, 0.0))))
    wrong = int(part.judged["a"].wrong.sum())
    assert part.interval("a", "cost") == pytest.approx(wilson(wrong, part.rows))


def test_mistakes_that_no_row_shows_count_in_the_interval() -> None:
    y = np.zeros(100, np.int64)
    varying = np.random.default_rng(0).dirichlet([9, 1], 100)
    rows = JudgedRows(y, varying, y, costs=((0.0, 100.0), (1.0, 0.0)))
    assert COST.confidence_interval(rows, 0.95) == pytest.approx((0, 100 * wilson(0, 100).high))


def test_the_cost_of_a_constant_decision_has_no_costs_of_others_in_its_interval() -> None:
    rows = predictions(np.tile([0, 1, 0, 0], 25), np.full(100, 0.001))
    part = exact({"a": rows}, Decision(costs=((0.0, 100.0), (1.0, 0.0))))
    assert part.interval("a", "cost") == pytest.approx(wilson(25, 100))
    alike = exact({"a": rows}, Decision(costs=((0.0, 9.0), (0.0, 0.0))))
    assert "cost" not in alike.intervals("a")


def test_no_answer_for_every_text_costs_the_same_whatever_the_rows() -> None:
    part = exact(
        {"a": predictions(np.tile([0, 1], 50), np.full(100, 0.5))},
        Decision(costs=((0, 1, 0.1), (1, 0, 0.1))),
    )
    assert (part.judged["a"].decided == -1).all()
    assert "cost" not in part.intervals("a")


@pytest.mark.parametrize(
    "costs", [((0.0, 10.0), (1.0, 0.0)), ((-2.0, 5.0, 0.5), (1.0, 0.0, 0.5))], ids=["rare", "gain"]
)
def test_intervals_have_the_mean_cost_of_all_texts_as_often_as_they_say(costs: Costs) -> None:
    population, positions = drawn(0, 50_000, 2), np.arange(50_000)
    decision, generator = Decision(costs=costs), np.random.default_rng(1)
    truth = exact({"a": population}, decision).values["a"]["cost"]
    chosen = [population.take(generator.choice(positions, 150)) for _ in range(300)]
    ends = [exact({"a": rows}, decision).interval("a", "cost") for rows in chosen]
    assert 0.92 <= np.mean([low <= truth <= high for low, high in filter(None, ends)]) <= 0.98
    assert None not in ends


def test_dependent_rows_count_once_in_the_interval_of_a_cost() -> None:
    rows, decision = drawn(0, 200, 2), Decision(costs=TEN)
    clusters = np.repeat(np.arange(200), 4)
    once = exact({"a": rows}, decision).interval("a", "cost")
    often = exact({"a": rows.take(clusters)}, decision, clusters=clusters).interval("a", "cost")
    assert often == pytest.approx(once, rel=0.05)


def test_the_difference_of_two_models_is_paired() -> None:
    y, first, _ = sample(1, 500)
    second = predictions(
        y, np.clip(first[:, 1] + np.random.default_rng(0).normal(0, 0.15, 500), 0, 1)
    )
    part = exact({"a": predictions(y, first[:, 1]), "b": second}, Decision(costs=TEN))
    entry = part.comparisons()["b_vs_a"]["metrics"]["cost"]
    losses = [row_costs(part.judged[name]) for name in ("b", "a")]
    ends = stats.ttest_rel(losses[0], losses[1]).confidence_interval(0.95)
    assert entry["difference"] == pytest.approx(losses[0].mean() - losses[1].mean(), abs=1e-6)
    assert (entry["low"], entry["high"]) == pytest.approx((ends.low, ends.high), abs=0.002)
    assert (
        "cost"
        not in exact({"a": drawn(1, classes=2), "b": drawn(1, classes=2)}).comparisons()["b_vs_a"][
            "metrics"
        ]
    )


@pytest.mark.parametrize("differing", [4, 5])
def test_a_difference_in_cost_needs_five_rows_whose_costs_differ(differing: int) -> None:
    y, first = np.tile([0, 1], 50), np.tile([0.001, 0.999], 50)
    second = np.where(np.arange(100) < differing, 1 - first, first)
    part = exact({"a": predictions(y, first), "b": predictions(y, second)}, Decision(costs=TEN))
    entry = part.comparisons()["b_vs_a"]["metrics"]["cost"]
    assert (entry is None) == (differing < 5)


# Choices


def test_costs_choose_the_default_model() -> None:
    y = np.tile([0, 1], 100)
    careful, accurate = (np.where(y == 1, each, 0.02) for each in (0.95, 0.99))
    careful[1:40:2] = 0.4  # positive rows taken for negative ones
    accurate[0:10:2] = 0.95  # fewer mistakes, but expensive ones
    settings = params(costs={"no": {"yes": 10}})
    parts = [predictions(y, careful), predictions(y, accurate)]
    for chosen, entry in ((settings, "cost"), (params(), "accuracy")):
        part = exact(
            dict(zip(("careful", "accurate"), parts, strict=True)),
            choose_decision(parts[0], chosen),
        )
        compared = model_choice.compare_candidates(
            {name: part.judged[name] for name in ("accurate", "careful")}
        )
        assert model_choice.choose(compared) == {"cost": "careful", "accuracy": "accurate"}[entry]
        assert f"{entry}_difference" in compared["careful"].model_fields_set
    assert (
        model_choice.score_after_choice(exact({"a": parts[0]}, Decision(costs=TEN)).judged) == 0.1
    )


def test_a_cost_above_those_of_all_test_rows_is_found() -> None:
    """Three rows of class no and three of yes; no decided as yes costs 10."""
    y, sure = np.array([0, 0, 0, 1, 1, 1]), np.array([0.01, 0.02, 0.03, 0.2, 0.97, 0.98])
    missed = exact({"a": predictions(y, np.column_stack([1 - sure, sure]))}, Decision(costs=TEN))
    classes = missed.classes
    assert find_unseen_cost(missed, "a") == {classes[0]: {classes[1]: 10.0}}
    sure[0] = 0.99
    shown = exact({"a": predictions(y, np.column_stack([1 - sure, sure]))}, Decision(costs=TEN))
    assert find_unseen_cost(shown, "a") == {}
    constant = exact({"a": predictions(y, np.full((6, 2), 0.5))}, Decision(costs=TEN))
    assert find_unseen_cost(constant, "a") == {}  # which never decides yes
    abstaining = exact(
        {"a": predictions(y, np.column_stack([1 - sure, sure]))},
        Decision(costs=((0, 1, 20), (1, 0, 20))),
    )
    assert find_unseen_cost(abstaining, "a") == {}  # no answer is no mistake that rows might show


def test_the_report_of_decisions_has_costs_and_the_cheapest_constant_decision() -> None:
    settings = params(costs={"no": {"yes": 10}})
    splits, decisions = measure({"a": [three_splits()], "b": [three_splits(1)]}, settings, False)
    measured = {
        name: {split: part.metrics(name) for split, part in splits.items()} for name in ("a", "b")
    }
    report = to_json(decisions_report(splits, decisions, measured, HeldOut(), []))
    assert report["a"]["costs"] == TEN
    assert "unseen_cost" not in report["a"]
    assert "threshold" not in report["a"]
    train, test = (
        np.bincount(three_splits().y[three_splits().split == split]) for split in ("train", "test")
    )
    cheapest = (train @ np.array(TEN)).argmin()
    assert report["guessing"]["cost"] == round(test @ np.array(TEN)[:, cheapest] / test.sum(), 6)
    assert report["choice"]["cost"] > 0
    assert "accuracy" not in report["choice"]
    held_out = HeldOut(
        {name: rows[0] for name, rows in {"a": [three_splits()], "b": [three_splits(1)]}.items()}
    )
    without = {split: part for split, part in splits.items() if split != "validation"}
    report = to_json(decisions_report(without, decisions, measured, held_out, []))
    assert {"accuracy", "cost", "log_loss"} < set(report["crossvalidation"]["a"])
