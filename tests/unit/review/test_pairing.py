"""Paired intervals of the predictions of both revisions."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.unit.review.samples import change
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.evaluate.comparisons import accuracy_difference, mcnemar
from textclf.evaluate.intervals import tango
from textclf.evaluate.registry import METRICS
from textclf.evaluate.settings import Evaluate
from textclf.review import pairing
from textclf.review.pairing import Decided, Pairing

SETTINGS = Evaluate(resamples=200)
ROWS = 200


def predictions(share_correct: float, seed: int) -> Decided:
    """Return predictions of two classes on test rows, some of them wrong."""
    generator = np.random.default_rng(seed)
    y = np.arange(ROWS) % 2
    positions = np.where(generator.random(ROWS) < share_correct, y, 1 - y)
    positive = np.where(positions == 1, 0.5 + generator.random(ROWS) / 2, generator.random(ROWS) / 2)
    rows = Predictions(
        ids=np.array([f"r:{number}" for number in range(ROWS)], dtype=object),
        split=np.full(ROWS, "test", dtype=object),
        y=y,
        probabilities=np.column_stack([1 - positive, positive]),
        classes=("0", "1"),
    )
    return Decided.of(rows, Decision(0.5, None))


BASE, HEAD = predictions(0.8, 1), predictions(0.7, 2)


def pair(base: Decided, head: Decided, base_value: float, head_value: float) -> Pairing:
    changes = [change("accuracy", base_value, head_value)]
    return pairing.pair_predictions(changes, {"keras": base}, {"keras": head}, SETTINGS, stratified=True)


def test_the_paired_interval_of_accuracy_is_that_of_accuracy_difference() -> None:
    intervals, test = pairing.paired_intervals(BASE, HEAD, SETTINGS, stratified=True)
    y = HEAD.rows.y
    correct = HEAD.positions == y, BASE.positions == y
    expected = accuracy_difference(y, *correct, SETTINGS.seed, SETTINGS.resamples)
    assert intervals["accuracy"] == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert test == mcnemar(*correct)
    assert set(intervals) == {name for name, metric in METRICS.items() if metric.interval}


def test_rows_are_paired_by_id_in_any_order() -> None:
    shuffled = BASE.take(np.random.default_rng(0).permutation(ROWS))
    assert pairing.same_rows(shuffled, HEAD)
    ordered, unordered = (pairing.paired_intervals(base, HEAD, SETTINGS, stratified=True) for base in (BASE, shuffled))
    assert ordered == unordered


@pytest.mark.parametrize(
    "changed", [{"ids": np.full(ROWS, "x", dtype=object)}, {"y": np.zeros(ROWS, dtype=np.int64)}], ids=["ids", "labels"]
)
def test_rows_with_other_ids_or_labels_are_not_the_same(changed: dict[str, Any]) -> None:
    assert not pairing.same_rows(BASE, replace(BASE, rows=replace(BASE.rows, **changed)))


def test_predictions_that_do_not_give_the_recorded_metrics_are_not_paired() -> None:
    recorded = BASE.metrics()["accuracy"], HEAD.metrics()["accuracy"]
    found = pair(BASE, HEAD, *recorded)
    assert [(entry.model, entry.split, entry.rows) for entry in found.pairs] == [("keras", "test", ROWS)]
    found = pair(BASE, HEAD, 0.1, recorded[1])
    assert (found.pairs, found.intervals, found.same_test_rows) == ([], {}, [True])


def test_predictions_of_other_rows_are_not_paired() -> None:
    other = replace(HEAD, rows=replace(HEAD.rows, ids=np.full(ROWS, "x", dtype=object)))
    found = pair(BASE, other, 0.8, 0.7)
    assert (found.pairs, found.same_test_rows) == ([], [False])


def test_rows_that_are_not_independent_are_not_paired_row_by_row() -> None:
    changes = [change("accuracy", BASE.metrics()["accuracy"], HEAD.metrics()["accuracy"])]
    for clustered, pairs in (((), 1), (("train",), 1), (("test",), 0)):
        found = pairing.pair_predictions(changes, {"keras": BASE}, {"keras": HEAD}, SETTINGS, True, clustered)
        assert len(found.pairs) == pairs
        assert found.same_test_rows == [True]


def test_where_resamples_fail_accuracy_has_a_score_interval_and_other_metrics_none() -> None:
    few = [side.take(np.arange(12)) for side in (BASE, HEAD)]
    intervals, test = pairing.paired_intervals(few[0], few[1], SETTINGS, stratified=True)
    assert set(intervals) == {"accuracy"}
    assert intervals["accuracy"] == pytest.approx(tango(test.only_a, test.only_b, 12), abs=1e-6)
    same, test = pairing.paired_intervals(BASE, BASE, SETTINGS, stratified=True)
    assert same == {"accuracy": pytest.approx(tango(0, 0, ROWS), abs=1e-6)}
    assert test.p == 1
