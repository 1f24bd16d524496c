"""The gate of params.yaml: bounds that the metrics and the behaviour of a change must keep."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from textclf.artifacts.decisions import RESERVED
from textclf.behave.results import Behaviour
from textclf.core.errors import UserError
from textclf.core.formatting import count_noun
from textclf.core.quoting import list_names, quote_value
from textclf.core.settings import PARAMS_FILE, suggest
from textclf.review.changes import Change, format_number
from textclf.review.settings import Gate

Rule = Literal["minimum", "maximum_drop", "slices", "behaviour"]
Slices = Mapping[str, Mapping[str, Mapping[str, Any]]]  # model -> slice -> number


@dataclass(frozen=True)
class Check:
    """A rule of the gate and the change it was applied to: of a metric or of a failure rate."""

    rule: Rule
    limit: float
    change: Change
    reason: str = ""  # why it failed, as "is 0.700, less than 0.75"; empty if it passed

    @property
    def outcome(self) -> Literal["passed", "failed", "nothing to compare with"]:
        """Return what the report says about the rule."""
        if self.reason:
            return "failed"
        if self.rule == "maximum_drop" and math.isnan(self.change.drop):
            return "nothing to compare with"
        return "passed"


def check_gate(gate: Gate, changes: Iterable[Change]) -> list[Check]:
    """Return one check per rule of the gate.

    Raises `UserError` if the gate names a metric that the run does not have. `minimum` fails if the
    value is worse than the bound. `maximum_drop` fails if the value is worse than the base by more
    than the bound and the interval of the change excludes 0; if there is no interval, the value
    alone decides. Without a base of the same task there is no drop.
    """
    by_name = {change.name: change for change in changes if change.head is not None}
    checks, mistakes = [], []
    judges: dict[Rule, Callable[[Change, float], str]] = {
        "minimum": _breaks_minimum,
        "maximum_drop": _drops_too_far,
    }
    for rule, judge in judges.items():
        for model, split, metric, limit in _limits(getattr(gate, rule)):
            name = f"{model}.{split}.{metric}"
            if change := by_name.get(name):
                checks.append(Check(rule, limit, change, judge(change, limit)))
            else:
                mistakes.append(f"gate.{rule} must name a metric of the run; got {name}")
    _refuse(mistakes)
    return checks


def check_slices(gate: Gate, base: Slices, head: Slices) -> list[Check]:
    """Return one check per bound of `gate.slices`, which fails if the head is worse than it.

    `base` and `head` are the contents of slices.json. Raises `UserError` if the gate names a model,
    a slice or a metric that the run does not have.
    """
    checks, mistakes = [], []
    head = {name: slices for name, slices in head.items() if name not in RESERVED}
    for model, name, metric, limit in _limits(gate.slices):
        before, now = (side.get(model, {}).get(name, {}).get(metric) for side in (base, head))
        change = Change(model, name, metric, before, now)
        if model not in head:
            has = list_names(list(head)) or "none; run dvc repro to make metrics/slices.json"
            mistakes.append(f"gate.slices must name a model of the run ({has}); got {model}")
        elif name not in head[model]:
            has = list_names(sorted(head[model])) or "none"
            mistakes.append(
                f"gate.slices.{model} must name a slice of its test rows ({has}); "
                f"got {quote_value(name)}"
            )
        elif now is None:
            mistakes.append(
                "gate.slices must name accuracy, or evaluate.slice_metric where it is defined; "
                f"got {change.name}"
            )
        else:
            checks.append(Check("slices", limit, change, _breaks_minimum(change, limit)))
    _refuse(mistakes)
    return checks


def check_behaviour(
    gate: Gate, base: Mapping[str, Behaviour], head: Mapping[str, Behaviour]
) -> list[Check]:
    """Return one check per limit of `gate.behaviour`, which fails if the failure rate is above it.

    Raises `UserError` if the gate names a test that the run does not have.
    """
    checks, mistakes = [], []
    for model, file, test, limit in _limits(gate.behaviour):
        measured = head[file].models if file in head else {}
        if test not in measured.get(model, {}):
            hint = suggest(test if model in measured else model, measured.get(model, measured))
            if file not in head:
                hint = (
                    f"behave.tests has no results of {file}; add the file there and run dvc repro"
                )
            mistakes.append(
                f"gate.behaviour must name a test of the run; got {model}.{file}.{test}; {hint}"
            )
            continue
        rate = measured[model][test]
        before = base[file].models.get(model, {}).get(test) if file in base else None
        rate_before = before.failure_rate if before else None
        change = Change(model, file, test, rate_before, rate.failure_rate)
        reason = ""
        if rate.failure_rate > limit:
            failures = f"{rate.failures:,} of {count_noun(rate.cases, 'case')}"
            reason = f"is {format_number(rate.failure_rate)} ({failures}), more than {limit}"
        checks.append(Check("behaviour", limit, change, reason))
    _refuse(mistakes)
    return checks


def _limits(
    rules: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> Iterator[tuple[str, str, str, float]]:
    """Yield the three names and the limit of each rule in a section of the gate."""
    for model, parts in rules.items():
        for part, limits in parts.items():
            yield from ((model, part, name, limit) for name, limit in limits.items())


def _refuse(mistakes: Iterable[str]) -> None:
    if lines := [f"{PARAMS_FILE}: {mistake}" for mistake in dict.fromkeys(mistakes)]:
        raise UserError(*lines)


def _breaks_minimum(change: Change, limit: float) -> str:
    value = math.nan if change.head is None else change.head
    if change.lower_is_better:
        return f"is {format_number(value)}, more than {limit}" if value > limit else ""
    return f"is {format_number(value)}, less than {limit}" if value < limit else ""


def _drops_too_far(change: Change, limit: float) -> str:
    # The drop is NaN if there is nothing to compare with.
    if not change.drop > limit or change.within_noise:
        return ""
    verb = "rose" if change.lower_is_better else "fell"
    interval = change.drop_interval
    ends = f" ({format_number(interval.low)} to {format_number(interval.high)})" if interval else ""
    return f"{verb} by {format_number(change.drop)}{ends}, more than {limit}"
