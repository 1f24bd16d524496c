"""The gate of params.yaml, applied to changes of metrics, to slices and to behavioural tests."""

from pathlib import Path
from typing import Any

import pytest

from tests import approved
from tests.unit.review.samples import behaviour, change
from textclf.core.errors import UserError
from textclf.evaluate.registry import METRICS
from textclf.review.changes import Change
from textclf.review.gate import check_behaviour, check_gate, check_slices
from textclf.review.settings import Gate


def gate(rule: str, model: str, part: str, **limits: float) -> Gate:
    return Gate.model_validate({rule: {model: {part: limits}}})


CASES: list[tuple[str, float, Change]] = [
    ("minimum", 0.75, change("accuracy", 0.8, 0.75)),
    ("minimum", 0.75, change("accuracy", None, 0.8)),
    ("minimum", 0.75, change("accuracy", 0.8, 0.7)),
    ("minimum", 0.5, change("log_loss", 0.4, 0.5)),
    ("minimum", 0.5, change("log_loss", 0.4, 0.6)),
    ("minimum", 0.5, change("f1", 0.8, 0.3, same_task=False)),
    ("maximum_drop", 0.0, change("accuracy", None, 0.1)),
    ("maximum_drop", 0.0, change("accuracy", 0.7, 0.8, (0.05, 0.15))),
    ("maximum_drop", 0.0, change("accuracy", 0.8, 0.7, (-0.21, 0.01))),
    ("maximum_drop", 0.1, change("accuracy", 0.8, 0.7, (-0.15, -0.05))),  # 0.1 is not more than 0.1
    ("maximum_drop", 0.05, change("log_loss", 0.8, 0.7, (-0.15, -0.05))),
    ("maximum_drop", 0.0, change("accuracy", 0.8, 0.748, (-0.091, -0.013))),
    ("maximum_drop", 0.05, change("log_loss", 0.4, 0.6, (0.1, 0.3))),
    ("maximum_drop", 0.05, change("ece", 0.1, 0.2)),
    ("maximum_drop", 0.05, change("ece", 0.1, 0.14)),
    ("maximum_drop", 0.0, change("f1", 0.8, 0.3, same_task=False)),
]


def test_only_a_change_that_breaks_a_rule_fails() -> None:
    said = []
    for rule, limit, entry in CASES:
        (check,) = check_gate(gate(rule, "keras", "test", **{entry.metric: limit}), [entry])
        assert (check.rule, check.limit, check.change) == (rule, limit, entry)
        ends = f" ({entry.interval.low} to {entry.interval.high})" if entry.interval else ""
        task = "" if entry.same_task else " of another task"
        case = f"{rule} {limit}: {entry.metric} from {entry.base} to {entry.head}{ends}{task}"
        said.append(f"{case}: {check.outcome} {check.reason}".rstrip() + "\n")
    approved.check("".join(said), Path(__file__).with_name("gates.txt"))


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
def test_a_slice_that_is_worse_than_its_bound_fails_with_numbers(metric: str, limit: float, reason: str) -> None:
    rules = gate("slices", "keras", "class=1", **{metric: limit})
    (check,) = check_slices(rules, {}, SLICES)
    assert (check.rule, check.reason) == ("slices", reason)
    assert (check.change.name, check.change.base) == (f"keras.class=1.{metric}", None)
    assert check_slices(rules, SLICES, SLICES)[0].change.difference == 0


@pytest.mark.parametrize(
    ("failures", "limit", "reason"), [(3, 0.3, ""), (0, 0.0, ""), (4, 0.3, "is 0.400 (4 of 10 cases), more than 0.3")]
)
def test_a_behavioural_test_fails_only_above_its_limit(failures: int, limit: float, reason: str) -> None:
    rules, head = gate("behaviour", "keras", "mine", typos=limit), behaviour(typos=failures)
    (check,) = check_behaviour(rules, behaviour(typos=2), head)
    assert (check.rule, check.reason, check.outcome) == ("behaviour", reason, "failed" if reason else "passed")
    assert (check.change.name, check.change.base, check.change.head) == ("keras.mine.typos", 0.2, failures / 10)
    assert check_behaviour(rules, {}, head)[0].change.base is None


WRONG = [  # rule, model, part and metric of a gate
    "maximum_drop|keras|test|f1",
    "minimum|keras|test|ece",  # it is gone at the head
    "slices|keras|platform=ios|accuracy",
    "slices|majority|class=1|accuracy",
    "slices|nb_svm|class=1|accuracy",
    "slices|keras|class=1|f1",
    "behaviour|keras|mine|typo",
    "behaviour|kera|mine|typos",
    "behaviour|keras|you|typos",
]


def test_a_rule_on_what_the_run_does_not_have_is_an_error() -> None:
    changes, said = [change("accuracy", 0.8, 0.8), change("ece", 0.1, None)], []
    for case, slices in [*((case, SLICES) for case in WRONG), ("slices|keras|class=1|accuracy", {})]:
        rule, model, part, metric = case.split("|")
        rules = gate(rule, model, part, **{metric: 0.5})
        with pytest.raises(UserError) as error:
            _ = (
                check_gate(rules, changes),
                check_slices(rules, {}, slices),
                check_behaviour(rules, {}, behaviour(typos=0)),
            )
        said += [f"{case} of {len(slices)} models\n", *(f"> {line}\n" for line in error.value.lines)]
    approved.check("".join(said), Path(__file__).with_name("wrong_gates.txt"))


def test_every_mistake_of_a_gate_is_told_at_once() -> None:
    rules: dict[str, Any] = {"minimum": {"keras": {"test": {"f1": 0.5, "mcc": 0.5}}}}
    with pytest.raises(UserError) as error:
        check_gate(Gate.model_validate(rules), [])
    assert [line.rpartition(" ")[2] for line in error.value.lines] == ["keras.test.f1", "keras.test.mcc"]
