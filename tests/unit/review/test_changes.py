"""Changes of metrics: intervals, verdicts and their order."""

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.review.samples import change
from textclf.evaluate.intervals import Interval, difference
from textclf.evaluate.registry import METRICS
from textclf.review import changes
from textclf.review.changes import Change, Numbers


def numbers(metric: str, value: Any) -> Numbers:
    return {"keras": {"test": {metric: value}}}


# Published examples: Newcombe (1998), Stat. Med. 17:873-890, Table II, method 10


def test_unpaired_intervals_contain_the_difference_even_if_an_interval_lacks_its_value() -> None:
    low, high = difference(0.9, 0.8, Interval(0.91, 0.95), Interval(0.7, 0.79))
    assert low <= 0.1 <= high


# At the base, then at the head.
BOTH = (numbers("f1", {"low": 0.74, "high": 0.88}), numbers("f1", {"low": 0.67, "high": 0.74}))
FEW = numbers("f1", None)


@pytest.mark.parametrize(
    ("intervals", "same_task", "ends", "verdict"),
    [
        (BOTH, True, (-0.1 - math.hypot(0.03, 0.08), -0.1 + math.hypot(0.04, 0.06)), "worse"),
        (BOTH, False, None, "different task"),
        ((BOTH[0], {}), True, None, "no interval"),
        (({}, BOTH[1]), True, None, "no interval"),
        ((BOTH[0], FEW), True, None, "too few rows"),
        ((FEW, BOTH[1]), True, None, "too few rows"),
    ],
)
def test_a_change_has_an_interval_if_both_numbers_have_one_and_the_task_is_the_same(
    intervals: tuple[Numbers, Numbers],
    same_task: bool,
    ends: tuple[float, float] | None,
    verdict: str,
) -> None:
    (entry,) = changes.compare_metrics(
        numbers("f1", 0.8), numbers("f1", 0.7), *intervals, same_task
    )
    assert (entry.base, entry.head, entry.verdict) == (0.8, 0.7, verdict)
    assert entry.interval == (None if ends is None else pytest.approx(ends, abs=1e-6))
    assert math.isnan(entry.difference) == math.isnan(entry.drop) == (not same_task)


def test_changes_are_sorted_by_model_then_test_rows_then_importance_of_the_metric() -> None:
    metrics = ("accuracy", "log_loss", "mcc", "zeal")
    splits = {
        split: dict.fromkeys(reversed(metrics), 0.5) for split in ("train", "validation", "test")
    }
    compared = changes.compare_metrics({"b": splits}, {"a": splits}, {}, {})
    assert [(c.model, c.split, c.metric, c.verdict) for c in compared] == [
        (model, split, metric, verdict)
        for model, verdict in (("a", "new"), ("b", "removed"))
        for split in ("test", "validation", "train")
        for metric in metrics
    ]


BETTER = change("accuracy", 0.8, 0.9, (0.05, 0.2))


@pytest.mark.parametrize(
    ("entry", "verdict"),
    [
        (change("accuracy", None, 0.8), "new"),
        (change("accuracy", 0.8, None), "removed"),
        (change("accuracy", 0.8, 0.8000004, (-0.1, 0.1)), "unchanged"),
        (change("ece", 0.1, 0.2), "no interval"),
        (change("accuracy", 0.8, 0.7, (-0.2, 0.0)), "may be chance"),
        (change("accuracy", 0.8, 0.9, (0.0, 0.2)), "may be chance"),
        (replace(BETTER, baseline=True), "baseline"),
        (replace(BETTER, head=0.8, baseline=True), "unchanged"),
        (replace(BETTER, same_task=False), "different task"),
        (replace(BETTER, base=None, same_task=False), "new"),
        (replace(BETTER, head=None, same_task=False), "removed"),
    ],
)
def test_verdicts(entry: Change, verdict: str) -> None:
    assert entry.verdict == verdict


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_of_the_registry_is_judged_in_its_direction(name: str) -> None:
    rise, fall = change(name, 0.4, 0.6, (0.1, 0.3)), change(name, 0.6, 0.4, (-0.3, -0.1))
    assert [rise.verdict, fall.verdict] == (
        ["better", "worse"] if METRICS[name].higher_is_better else ["worse", "better"]
    )
    assert rise.drop == -fall.drop
    assert rise.drop_interval == ((-0.3, -0.1) if METRICS[name].higher_is_better else (0.1, 0.3))


def test_small_numbers_have_a_digit_that_is_not_0() -> None:
    shown = {0.0: "0.000", 0.0005: "0.001", -0.0004: "-0.0004", 0.00012: "0.0001", 1.5: "1.500"}
    assert {value: changes.format_number(value) for value in shown} == shown
