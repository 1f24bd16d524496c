"""The gate of params.yaml, applied to changes of metrics."""

from typing import Any

import pytest

from tests.unit.review.samples import change
from textclf.artifacts.metrics import METRICS
from textclf.core.errors import UserError
from textclf.review.changes import Change
from textclf.review.gate import check_gate
from textclf.review.settings import Gate


def gate(rule: str, metric: str, limit: float) -> Gate:
    bounds: dict[str, Any] = {"minimum": {}, "maximum_drop": {}, rule: {"keras": {"test": {metric: limit}}}}
    return Gate.model_validate(bounds)


@pytest.mark.parametrize(
    ("rule", "limit", "entry", "reason"),
    [
        ("minimum", 0.75, change("accuracy", 0.8, 0.75), ""),
        ("minimum", 0.75, change("accuracy", None, 0.8), ""),
        ("minimum", 0.75, change("accuracy", 0.8, 0.7), "is 0.700, less than 0.75"),
        ("minimum", 0.5, change("log_loss", 0.4, 0.5), ""),
        ("minimum", 0.5, change("log_loss", 0.4, 0.6), "is 0.600, more than 0.5"),
        ("minimum", 0.1, change("ece", None, 0.2), "is 0.200, more than 0.1"),
        ("maximum_drop", 0.0, change("accuracy", None, 0.1), ""),
        ("maximum_drop", 0.0, change("accuracy", 0.7, 0.8, (0.05, 0.15)), ""),
        ("maximum_drop", 0.0, change("accuracy", 0.8, 0.7, (-0.21, 0.01)), ""),
        ("maximum_drop", 0.1, change("accuracy", 0.8, 0.7, (-0.15, -0.05)), ""),  # 0.1 is not more than 0.1
        ("maximum_drop", 0.05, change("log_loss", 0.8, 0.7, (-0.15, -0.05)), ""),
        (
            "maximum_drop",
            0.0,
            change("accuracy", 0.8, 0.748, (-0.091, -0.013)),
            "fell by 0.052 (0.013 to 0.091), more than 0.0",
        ),
        (
            "maximum_drop",
            0.05,
            change("log_loss", 0.4, 0.6, (0.1, 0.3)),
            "rose by 0.200 (0.100 to 0.300), more than 0.05",
        ),
        ("maximum_drop", 0.05, change("ece", 0.1, 0.2), "rose by 0.100, more than 0.05"),
        ("maximum_drop", 0.05, change("ece", 0.1, 0.14), ""),
        ("maximum_drop", 0.0, change("f1", 0.8, 0.3, same_task=False), ""),
        ("minimum", 0.5, change("f1", 0.8, 0.3, same_task=False), "is 0.300, less than 0.5"),
    ],
)
def test_only_a_change_that_breaks_a_rule_fails(rule: str, limit: float, entry: Change, reason: str) -> None:
    (check,) = check_gate(gate(rule, entry.metric, limit), [entry])
    assert check.reason == reason


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_of_the_registry_can_be_bounded_in_its_direction(name: str) -> None:
    low, high = change(name, 0.5, 0.3), change(name, 0.5, 0.7)
    worse, better = (low, high) if METRICS[name].higher_is_better else (high, low)
    for rule, limit in (("minimum", 0.5), ("maximum_drop", 0.1)):
        assert check_gate(gate(rule, name, limit), [worse])[0].reason
        assert not check_gate(gate(rule, name, limit), [better])[0].reason


@pytest.mark.parametrize("known", [[], [change("accuracy", 0.8, None)]])
def test_a_gate_on_a_metric_that_the_run_does_not_have_is_an_error(known: list[Change]) -> None:
    with pytest.raises(UserError) as error:
        check_gate(gate("maximum_drop", "accuracy", 0.0), known)
    assert error.value.lines == (
        "params.yaml: gate.maximum_drop must name a metric of the run; got keras.test.accuracy",
    )
