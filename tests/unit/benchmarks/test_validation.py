"""The simulation of what validation rows choose, and what docs/ say of its result."""

import math

import numpy as np
import pytest
from scipy import special

from benchmarks import validation
from benchmarks.prediction_sets import softmax
from benchmarks.results import read as result
from benchmarks.validation import distance, draw, platt_before, precision_before, shares, temperature_before
from textclf.evaluate.calibrate import reach_precision

SIMULATED = result("validation")


def test_the_prior_loses_little_and_prevents_certainty() -> None:
    for line in (*SIMULATED["temperatures"], *SIMULATED["platts"]):
        assert line["after"]["mean"] < line["uncalibrated"] + 0.013
        assert line["after"]["mean"] < line["before"]["mean"] + 0.013
    (cell,) = (
        line
        for line in SIMULATED["temperatures"]
        if (line["classes"], line["rows"], line["accuracy"], line["scale"]) == (2, 50, 0.97, 1)
    )
    assert cell["before"]["mean"] > 3 * cell["uncalibrated"]


def test_a_target_precision_is_missed_in_one_run_of_twenty_at_most() -> None:
    error = math.sqrt(0.05 * 0.95 / SIMULATED["sets"])
    for line in SIMULATED["precisions"]:
        assert line["after"]["below"] < 0.05 + 2 * error
        assert line["before"]["below"] > 0.4


def test_the_most_accurate_threshold_costs_a_calibrated_model_accuracy() -> None:
    for line in SIMULATED["accuracies"]:
        assert (line["gain"]["mean"] > 0) == (line["shift"] > 0)
    assert min(line["gain"]["mean"] for line in SIMULATED["accuracies"]) < -0.005


def test_rows_are_drawn_with_the_accuracy_that_was_asked_for() -> None:
    generator = np.random.default_rng(0)
    for classes, accuracy in ((2, 0.9), (3, 0.6)):
        y, logits = draw(20_000, accuracy, classes, generator)
        assert (logits.argmax(axis=1) == y).mean() == pytest.approx(accuracy, abs=0.01)
        assert temperature_before(y, softmax(2 * logits)) == pytest.approx(2, rel=0.1)
    assert distance(0.9, 2) == pytest.approx(math.sqrt(2) * special.ndtri(0.9), abs=1e-4)
    y, logits = draw(20_000, 0.8, 2, generator)
    odds = logits[:, 1] - logits[:, 0]
    assert platt_before(y, 2 * odds + 1) == pytest.approx([0.5, -0.5], abs=0.05)
    true, false = shares(0.8, np.array([1.0]))
    assert (odds[y == 1] > 1).mean() == pytest.approx(true[0], abs=0.02)
    assert (odds[y == 0] > 1).mean() == pytest.approx(false[0], abs=0.02)


def test_a_precision_on_the_rows_alone_is_reached_with_more_recall() -> None:
    y, probabilities = validation.positive(2000, 0.8, np.random.default_rng(1))
    first = precision_before(y, probabilities, 0.9)
    assert first is not None
    assert y[probabilities > first].mean() >= 0.9
    assert first < reach_precision(y, probabilities, 0.9)
    assert precision_before(np.zeros(3, np.int64), np.array([0.1, 0.2, 0.3]), 0.5) is None
