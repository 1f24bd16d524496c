"""Changes of metrics: intervals, verdicts and their order."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.review.samples import change
from textclf.evaluate.intervals import Interval, wilson
from textclf.evaluate.registry import METRICS
from textclf.review import changes
from textclf.review.changes import Change, Numbers


def numbers(metric: str, value: Any) -> Numbers:
    return {"keras": {"test": {metric: value}}}


# Published examples: Newcombe (1998), Stat. Med. 17:873-890, Table II, method 10
@pytest.mark.parametrize(
    ("a", "m", "b", "n", "low", "high"),
    [(56, 70, 48, 80, 0.0524, 0.3339), (9, 10, 3, 10, 0.1705, 0.8090), (0, 10, 0, 20, -0.1611, 0.2775)],
)
def test_the_unpaired_interval_of_two_proportions_gives_the_published_examples(
    a: int, m: int, b: int, n: int, low: float, high: float
) -> None:
    interval = changes.unpaired_interval(a / m, b / n, wilson(a, m), wilson(b, n))
    assert tuple(round(end, 4) for end in interval) == (low, high)


@given(st.integers(0, 250), st.integers(0, 250))
def test_the_unpaired_interval_of_two_accuracies_is_newcombes(head: int, base: int) -> None:
    reference = pytest.importorskip("statsmodels.stats.proportion")
    n = 250
    expected = reference.confint_proportions_2indep(head, n, base, n, method="newcomb", compare="diff")
    interval = changes.unpaired_interval(head / n, base / n, wilson(head, n), wilson(base, n))
    assert interval == pytest.approx(expected, abs=1e-6)


def test_the_unpaired_interval_contains_the_difference_even_if_an_interval_excludes_its_value() -> None:
    low, high = changes.unpaired_interval(0.9, 0.8, Interval(0.91, 0.95), Interval(0.7, 0.79))
    assert low <= 0.1 <= high


def test_a_paired_interval_takes_precedence_over_an_unpaired_one() -> None:
    base, head = numbers("accuracy", 0.8), numbers("accuracy", 0.7)
    base_interval = numbers("accuracy", {"low": 0.75, "high": 0.85})
    head_interval = numbers("accuracy", {"low": 0.65, "high": 0.75})
    (unpaired,) = changes.compare_metrics(base, head, base_interval, head_interval)
    half = math.hypot(0.05, 0.05)
    assert unpaired.interval == pytest.approx((-0.1 - half, -0.1 + half), abs=1e-6)
    intervals = {("keras", "test", "accuracy"): Interval(-0.12, -0.08)}
    (paired,) = changes.compare_metrics(base, head, base_interval, head_interval, intervals)
    assert paired.interval == (-0.12, -0.08)


def test_numbers_of_a_different_task_have_neither_difference_nor_interval() -> None:
    ends = numbers("f1", {"low": 0.6, "high": 0.9})
    paired = {("keras", "test", "f1"): Interval(-0.2, -0.1)}
    (entry,) = changes.compare_metrics(numbers("f1", 0.8), numbers("f1", 0.7), ends, ends, paired, same_task=False)
    assert (entry.base, entry.head, entry.interval) == (0.8, 0.7, None)
    assert math.isnan(entry.difference)
    assert math.isnan(entry.drop)


def test_changes_are_sorted_by_model_then_test_rows_then_importance_of_the_metric() -> None:
    splits = {split: dict.fromkeys(("mcc", "zeal", "log_loss", "accuracy"), 0.5) for split in ("train", "test")}
    found = changes.compare_metrics({"b": splits, "a": splits}, {}, {}, {})
    metrics = ("accuracy", "log_loss", "mcc", "zeal")
    assert [(c.model, c.split, c.metric) for c in found] == [
        (model, split, metric) for model in ("a", "b") for split in ("test", "train") for metric in metrics
    ]


@pytest.mark.parametrize(
    ("entry", "verdict"),
    [
        (change("accuracy", None, 0.8), "new"),
        (change("accuracy", 0.8, None), "removed"),
        (change("accuracy", 0.8, 0.8, (-0.1, 0.1)), "unchanged"),
        (change("accuracy", 0.8, 0.8000004), "unchanged"),
        (change("ece", 0.1, 0.2), "no interval"),
        (change("accuracy", 0.8, 0.7, (-0.2, 0.01)), "within noise"),
        (change("accuracy", 0.8, 0.7, (-0.2, 0.0)), "within noise"),
        (change("accuracy", 0.8, 0.7, (-0.2, -0.01)), "worse"),
        (change("accuracy", 0.7, 0.8, (0.01, 0.2)), "better"),
        (change("log_loss", 0.7, 0.8, (0.01, 0.2)), "worse"),
        (change("brier", 0.8, 0.7, (-0.2, -0.01)), "better"),
        (change("f1", 0.8, 0.7, same_task=False), "different task"),
        (change("f1", 0.8, 0.8, same_task=False), "different task"),
        (change("f1", None, 0.8, same_task=False), "new"),
        (change("f1", 0.8, None, same_task=False), "removed"),
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


def test_a_change_without_an_interval_for_too_few_rows_says_so() -> None:
    few, wide = numbers("log_loss", None), numbers("log_loss", {"low": 0.1, "high": 0.9})
    for intervals in ((few, wide), (wide, few), (few, few)):
        (entry,) = changes.compare_metrics(numbers("log_loss", 0.5), numbers("log_loss", 0.4), *intervals)
        assert (entry.interval, entry.verdict) == (None, "too few rows")
    (entry,) = changes.compare_metrics(numbers("log_loss", 0.5), numbers("log_loss", 0.4), {}, wide)
    assert entry.verdict == "no interval"
