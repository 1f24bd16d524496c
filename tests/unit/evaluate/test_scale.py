"""Ordered classes: decisions by distance, their metrics, intervals, and the choice of a model."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score, mean_absolute_error

from tests.unit.evaluate.samples import compared, drawn, exact, params, resampled, two_models
from textclf.artifacts.conformal import without_gaps
from textclf.artifacts.decisions import Decision, Rejection
from textclf.core.files import DIGITS
from textclf.evaluate.choose import choose_baseline, choose_decision
from textclf.evaluate.model_choice import choose, chooses, compare_candidates
from textclf.evaluate.registry import COST, MAE, METRICS, OF_SCALE, compute
from textclf.evaluate.rows import JudgedRows

STARS = (1.0, 2.0, 3.0, 4.0)
ORDERED = Decision(scale=STARS)


def test_the_median_of_the_probabilities_is_decided() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 500)
    median = (probabilities.cumsum(axis=1) < 0.5).sum(axis=1)
    assert ORDERED.decide(probabilities).tolist() == median.tolist()
    # The most probable class is 1; half of the probability is at 3 or above.
    assert ORDERED.decide(np.array([[0.4, 0.09, 0.31, 0.2]])).tolist() == [2]


def test_distances_are_those_of_the_numbers() -> None:
    probabilities = np.array([[0.45, 0.25, 0.0, 0.3]])
    of_numbers = Decision(scale=(1.0, 2.0, 3.0, 100.0))
    assert ORDERED.decide(probabilities).tolist() == of_numbers.decide(probabilities).tolist()
    metrics = compute(np.array([3]), probabilities, np.array([1]), scale=of_numbers.scale)
    assert metrics["mae"] == 98


def test_costs_decide_before_distances() -> None:
    costs = {"c2": {"c0": 9}}
    decision = choose_decision(drawn(1), params(costs=costs), scale=(0, 1, 2))
    assert np.array(decision.matrix).tolist() == [[0, 1, 1], [1, 0, 1], [9, 1, 0]]
    rows = exact({"a": drawn(1)}, decision).judged
    assert {"cost", "mae"} <= set(exact({"a": drawn(1)}, decision).metrics("a"))
    assert chooses(rows) is COST


def test_the_baseline_is_the_median_class_of_the_training_rows() -> None:
    y, shares = np.array([0, 0, 0, 1, 2, 2, 2, 2]), np.array([[3, 1, 4]]) / 8
    classes = ["1", "2", "3"]
    assert choose_baseline(y, classes, params()).decide(shares).tolist() == [2]
    assert choose_baseline(y, classes, params(), (1, 2, 3)).decide(shares).tolist() == [1]


def test_metrics_are_those_of_scikit_learn_and_scipy() -> None:
    rows = drawn(3, 400, 4)
    probabilities = rows.probabilities.round(1)  # with ties
    decided = ORDERED.decide(probabilities)
    values = compute(rows.y, probabilities, decided, scale=STARS)
    expected = (probabilities * STARS).sum(axis=1).round(9)
    assert {name: values[name] for name in OF_SCALE} == pytest.approx(
        {
            "mae": mean_absolute_error(rows.y, decided),
            "within_one": np.mean(np.abs(rows.y - decided) <= 1),
            "kappa": cohen_kappa_score(rows.y, decided, weights="quadratic"),
            "spearman": spearmanr(rows.y, expected).statistic,
        },
        abs=1e-6,
    )


@pytest.mark.parametrize("name", OF_SCALE)
def test_influences_are_those_of_leaving_each_row_out(name: str) -> None:
    metric, count = METRICS[name], 300
    rows = exact({"a": drawn(3, count, 4)}, ORDERED).judged["a"]
    influences = metric.influence(rows)
    without = [metric.value(rows.take(np.arange(count) != row)) for row in range(count)]
    changes = (count - 1) * (np.mean(without) - np.array(without))
    assert influences - influences.mean() == pytest.approx(changes, abs=0.03)


@pytest.mark.parametrize("name", OF_SCALE)
def test_intervals_and_differences_are_as_uncertain_as_resamples(name: str) -> None:
    part = exact(two_models(900, 4), ORDERED)
    draws = {model: resampled(part, model)[name] for model in part.judged}
    low, high = np.quantile(draws["a"], [0.025, 0.975])
    ends = part.intervals("a")[name]
    assert ends is not None
    assert (ends["low"], ends["high"]) == pytest.approx((low, high), abs=0.2 * (high - low))
    difference = compared(part, name)
    assert difference is not None
    width = 2 * 1.96 * (draws["a"] - draws["b"]).std()
    assert difference.high - difference.low == pytest.approx(width, rel=0.2)


def test_metrics_of_a_scale_are_undefined_without_it_or_without_an_answer() -> None:
    rows, rejecting = drawn(1, 90, 4), Rejection("probability", 0.5)
    assert not set(OF_SCALE) & set(exact({"a": rows}, Decision()).metrics("a"))
    rejected = exact({"a": rows}, Decision(scale=STARS, rejection=rejecting))
    assert np.count_nonzero(rejected.judged["a"].decided < 0)
    assert not set(OF_SCALE) & set(rejected.metrics("a"))


def test_the_model_with_the_lowest_error_is_chosen_not_the_most_accurate() -> None:
    y = np.arange(400) % 4
    far, near = np.where(np.arange(400) < 60, 3 - y, y), np.where(np.arange(400) < 90, y ^ 1, y)
    same = np.full((400, 4), 0.25)
    same[0] = 0.1, 0.2, 0.3, 0.4
    models = {
        name: JudgedRows(y, same, decided, scale=STARS)
        for name, decided in (("far", far), ("near", near))
    }
    assert chooses(models) is MAE
    compared_models = compare_candidates(models)
    assert choose(compared_models) == "near"
    assert compared_models["far"].mae_difference == round((60 * 2 - 90) / 400, DIGITS)


def test_a_decision_on_a_scale_is_read_back() -> None:
    assert Decision.from_json(ORDERED.to_json()) == ORDERED


def test_prediction_sets_of_ordered_classes_have_no_gaps() -> None:
    sets = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]], dtype=bool)
    filled = [[1, 1, 1, 1], [0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]]
    assert without_gaps(sets).tolist() == np.array(filled, dtype=bool).tolist()
