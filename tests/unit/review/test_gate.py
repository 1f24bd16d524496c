"""The gate of params.yaml, applied to changes of metrics."""

from typing import Any

import pytest

from tests.unit.review.samples import change
from textclf.core.errors import UserError
from textclf.evaluate.registry import METRICS
from textclf.review.changes import Change
from textclf.review.gate import check_gate, check_slices
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


# Slices

SLICES = {
    "keras": {
        "class=1": {"accuracy": 0.7, "log_loss": 0.6, "rows": 40},
        "platform=web, old": {"accuracy": 0.8, "rows": 30},
    },
    "majority": {},
}


def of_slices(model: str, name: str, **limits: float) -> Gate:
    return Gate.model_validate({"slices": {model: {name: limits}}})


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"accuracy": 0.7}, ""),
        ({"accuracy": 0.71}, "is 0.700, less than 0.71"),
        ({"log_loss": 0.6}, ""),
        ({"log_loss": 0.5}, "is 0.600, more than 0.5"),
    ],
)
def test_a_slice_that_is_worse_than_its_bound_fails_with_numbers(limits: dict[str, float], reason: str) -> None:
    (check,) = check_slices(of_slices("keras", "class=1", **limits), {}, SLICES)
    assert (check.rule, check.reason) == ("slices", reason)
    assert check.change.name == f"keras.class=1.{next(iter(limits))}"
    assert check.change.base is None
    assert check_slices(of_slices("keras", "class=1", **limits), SLICES, SLICES)[0].change.difference == 0


@pytest.mark.parametrize(
    ("gate", "head", "line"),
    [
        (
            of_slices("keras", "platform=ios", accuracy=0.5),
            SLICES,
            "gate.slices.keras must name a slice of its test rows (class=1, 'platform=web, old'); got 'platform=ios'",
        ),
        (
            of_slices("majority", "class=1", accuracy=0.5),
            SLICES,
            "gate.slices.majority must name a slice of its test rows (none); got 'class=1'",
        ),
        (
            of_slices("nb_svm", "class=1", accuracy=0.5),
            SLICES | {"protocol": {"left_out": {"class": 57}}},
            "gate.slices must name a model of the run (keras, majority); got nb_svm",
        ),
        (
            of_slices("keras", "class=1", accuracy=0.5),
            {},
            "gate.slices must name a model of the run (none; run dvc repro to make metrics/slices.json); got keras",
        ),
        (
            of_slices("keras", "class=1", f1=0.5),
            SLICES,
            "gate.slices must name accuracy, or evaluate.slice_metric where it is defined; got keras.class=1.f1",
        ),
    ],
)
def test_a_gate_on_an_unknown_slice_is_one_line_that_names_the_known_ones(gate: Gate, head: Any, line: str) -> None:
    with pytest.raises(UserError) as error:
        check_slices(gate, {}, head)
    assert error.value.lines == (f"params.yaml: {line}",)
