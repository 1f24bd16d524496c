"""The gate of params.yaml, applied to changes of metrics, to slices and to behavioural tests."""

from typing import Any

import pytest

from tests.unit.review.samples import behaviour, change
from textclf.core.errors import UserError
from textclf.evaluate.registry import METRICS
from textclf.review.changes import Change
from textclf.review.gate import check_behaviour, check_gate, check_slices
from textclf.review.settings import Gate


def gate(rule: str, model: str, part: str, **limits: float) -> Gate:
    return Gate.model_validate({rule: {model: {part: limits}}})


@pytest.mark.parametrize(
    ("rule", "limit", "entry", "reason"),
    [
        ("minimum", 0.75, change("accuracy", 0.8, 0.75), ""),
        ("minimum", 0.75, change("accuracy", None, 0.8), ""),
        ("minimum", 0.75, change("accuracy", 0.8, 0.7), "is 0.700, less than 0.75"),
        ("minimum", 0.5, change("log_loss", 0.4, 0.5), ""),
        ("minimum", 0.5, change("log_loss", 0.4, 0.6), "is 0.600, more than 0.5"),
        ("minimum", 0.5, change("f1", 0.8, 0.3, same_task=False), "is 0.300, less than 0.5"),
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
    ],
)
def test_only_a_change_that_breaks_a_rule_fails(rule: str, limit: float, entry: Change, reason: str) -> None:
    (check,) = check_gate(gate(rule, "keras", "test", **{entry.metric: limit}), [entry])
    assert (check.rule, check.limit, check.change, check.reason) == (rule, limit, entry, reason)
    compared = rule == "minimum" or (entry.base is not None and entry.same_task)
    assert check.outcome == ("failed" if reason else "passed" if compared else "nothing to compare with")


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
    [
        ("accuracy", 0.7, ""),
        ("accuracy", 0.71, "is 0.700, less than 0.71"),
        ("log_loss", 0.6, ""),
        ("log_loss", 0.5, "is 0.600, more than 0.5"),
    ],
)
def test_a_slice_that_is_worse_than_its_bound_fails_with_numbers(metric: str, limit: float, reason: str) -> None:
    rules = gate("slices", "keras", "class=1", **{metric: limit})
    (check,) = check_slices(rules, {}, SLICES)
    assert (check.rule, check.reason) == ("slices", reason)
    assert (check.change.name, check.change.base) == (f"keras.class=1.{metric}", None)
    assert check_slices(rules, SLICES, SLICES)[0].change.difference == 0


@pytest.mark.parametrize(
    ("failures", "limit", "reason"),
    [
        (3, 0.3, ""),
        (0, 0.0, ""),
        (4, 0.3, "is 0.400 (4 of 10 cases), more than 0.3"),
        (1, 0.0, "is 0.100 (1 of 10 cases), more than 0.0"),
    ],
)
def test_a_behavioural_test_fails_only_above_its_limit(failures: int, limit: float, reason: str) -> None:
    rules, head = gate("behaviour", "keras", "mine", typos=limit), behaviour(typos=failures)
    (check,) = check_behaviour(rules, behaviour(typos=2), head)
    assert (check.rule, check.reason, check.outcome) == ("behaviour", reason, "failed" if reason else "passed")
    assert (check.change.name, check.change.base, check.change.head) == ("keras.mine.typos", 0.2, failures / 10)
    assert check_behaviour(rules, {}, head)[0].change.base is None


MISSING = "behave.tests has no results of you; add the file there and run dvc repro"


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        (
            gate("maximum_drop", "keras", "test", f1=0.0),
            "gate.maximum_drop must name a metric of the run; got keras.test.f1",
        ),
        (
            gate("minimum", "keras", "test", ece=0.0),  # it is gone at the head
            "gate.minimum must name a metric of the run; got keras.test.ece",
        ),
        (
            gate("slices", "keras", "platform=ios", accuracy=0.5, f1=0.5),
            "gate.slices.keras must name a slice of its test rows (class=1, 'platform=web, old'); got 'platform=ios'",
        ),
        (
            gate("slices", "majority", "class=1", accuracy=0.5),
            "gate.slices.majority must name a slice of its test rows (none); got 'class=1'",
        ),
        (
            gate("slices", "nb_svm", "class=1", accuracy=0.5),
            "gate.slices must name a model of the run (keras, majority); got nb_svm",
        ),
        (
            gate("slices", "keras", "class=1", f1=0.5),
            "gate.slices must name accuracy, or evaluate.slice_metric where it is defined; got keras.class=1.f1",
        ),
        (
            gate("behaviour", "keras", "mine", typo=0.1),
            "gate.behaviour must name a test of the run; got keras.mine.typo; did you mean typos?",
        ),
        (
            gate("behaviour", "kera", "mine", typos=0.1),
            "gate.behaviour must name a test of the run; got kera.mine.typos; did you mean keras?",
        ),
        (
            gate("behaviour", "keras", "you", typos=0.1),
            f"gate.behaviour must name a test of the run; got keras.you.typos; {MISSING}",
        ),
    ],
)
def test_a_rule_on_what_the_run_does_not_have_is_an_error(rules: Gate, line: str) -> None:
    changes = [change("accuracy", 0.8, 0.8), change("ece", 0.1, None)]
    with pytest.raises(UserError) as error:
        _ = check_gate(rules, changes), check_slices(rules, {}, SLICES), check_behaviour(rules, {}, behaviour(typos=0))
    assert error.value.lines == (f"params.yaml: {line}",)


def test_a_rule_on_slices_of_a_run_without_any_says_how_to_make_them() -> None:
    with pytest.raises(
        UserError, match=r"a model of the run \(none; run dvc repro to make metrics/slices\.json\); got"
    ):
        check_slices(gate("slices", "keras", "class=1", accuracy=0.5), {}, {})


def test_every_mistake_of_a_gate_is_told_at_once() -> None:
    rules: dict[str, Any] = {"minimum": {"keras": {"test": {"f1": 0.5, "mcc": 0.5}}}}
    with pytest.raises(UserError) as error:
        check_gate(Gate.model_validate(rules), [])
    assert [line.rpartition(" ")[2] for line in error.value.lines] == ["keras.test.f1", "keras.test.mcc"]
