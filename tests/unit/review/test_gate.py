"""The gate of params.yaml, applied to changes of metrics, to slices and to behavioural tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import approved
from tests.unit.review.samples import behaviour, change, change_of
from textclf.core.errors import UserError
from textclf.evaluate.registry import METRICS
from textclf.review.gate import check_behaviour, check_gate, check_slices
from textclf.review.settings import Gate


def gate(rule: str, model: str, part: str, **limits: float) -> Gate:
    return Gate.model_validate({rule: {model: {part: limits}}})


def test_only_a_change_that_breaks_a_rule_fails() -> None:
    def say(case: str) -> list[str]:
        rule, limit, words = case.split(" ", 2)
        entry = change_of(words)
        (check,) = check_gate(gate(rule, "keras", "test", **{entry.metric: float(limit)}), [entry])
        assert (check.rule, check.limit, check.change) == (rule, float(limit), entry)
        return [f"{check.outcome} {check.reason}".rstrip()]

    approved.check_cases(Path(__file__).with_name("gates.txt"), say)


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_of_the_registry_can_be_bounded_in_its_direction(name: str) -> None:
    low, high = change(name, 0.5, 0.3), change(name, 0.5, 0.7)
    worse, better = (low, high) if METRICS[name].higher_is_better else (high, low)
    for rule, limit in (("minimum", 0.5), ("maximum_drop", 0.1)):
        assert check_gate(gate(rule, "keras", "test", **{name: limit}), [worse])[0].reason
        assert not check_gate(gate(rule, "keras", "test", **{name: limit}), [better])[0].reason


SLICES: dict[str, Any] = {
    "keras": {
        "class=1": {"accuracy": 0.7, "log_loss": 0.6, "rows": 40},
        "platform=web, old": {"accuracy": 0.8, "rows": 30},
    },
    "majority": {},
    "protocol": {"left_out": {"class": 57}},
}


@pytest.mark.parametrize(
    ("metric", "limit", "reason"),
    [("accuracy", 0.7, ""), ("accuracy", 0.71, "is 0.700, less than 0.71"), ("log_loss", 0.6, "")],
)
def test_a_slice_that_is_worse_than_its_bound_fails_with_numbers(
    metric: str, limit: float, reason: str
) -> None:
    rules = gate("slices", "keras", "class=1", **{metric: limit})
    (check,) = check_slices(rules, {}, SLICES)
    assert (check.rule, check.reason) == ("slices", reason)
    assert (check.change.name, check.change.base) == (f"keras.class=1.{metric}", None)
    assert check_slices(rules, SLICES, SLICES)[0].change.difference == 0


@pytest.mark.parametrize(
    ("failures", "limit", "reason"),
    [(3, 0.3, ""), (0, 0.0, ""), (4, 0.3, "is 0.400 (4 of 10 cases), more than 0.3")],
)
def test_a_behavioural_test_fails_only_above_its_limit(
    failures: int, limit: float, reason: str
) -> None:
    rules, head = gate("behaviour", "keras", "mine", typos=limit), behaviour(typos=failures)
    (check,) = check_behaviour(rules, behaviour(typos=2), head)
    assert (check.rule, check.reason, check.outcome) == (
        "behaviour",
        reason,
        "failed" if reason else "passed",
    )
    assert (check.change.name, check.change.base, check.change.head) == (
        "keras.mine.typos",
        0.2,
        failures / 10,
    )
    assert check_behaviour(rules, {}, head)[0].change.base is None


def test_a_rule_on_what_the_run_does_not_have_is_an_error() -> None:
    changes = [change("accuracy", 0.8, 0.8), change("ece", 0.1, None)]  # which is gone at the head

    def say(case: str) -> Sequence[str]:
        rule, model, part, metric, *without = case.split("|")
        rules = gate(rule, model, part, **{metric: 0.5})
        with pytest.raises(UserError) as error:
            _ = (
                check_gate(rules, changes),
                check_slices(rules, {}, {} if without else SLICES),
                check_behaviour(rules, {}, behaviour(typos=0)),
            )
        return error.value.lines

    approved.check_cases(Path(__file__).with_name("wrong_gates.txt"), say)


def test_every_mistake_of_a_gate_is_told_at_once() -> None:
    rules: dict[str, Any] = {"minimum": {"keras": {"test": {"f1": 0.5, "mcc": 0.5}}}}
    with pytest.raises(UserError) as error:
        check_gate(Gate.model_validate(rules), [])
    assert [line.rpartition(" ")[2] for line in error.value.lines] == [
        "keras.test.f1",
        "keras.test.mcc",
    ]
