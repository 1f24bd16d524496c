"""The section on behavioural tests: failure rates of the models, and some cases that fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textclf.behave.results import Behaviour, Rate, RecordedCase, RecordedTest, Said
from textclf.core.display import visible
from textclf.core.formatting import display_name, percent, points
from textclf.evaluate.results import format_measured
from textclf.pages.parts import Table, excerpt
from textclf.report.run import Run

# Tests of a file whose rates are not folded.
WORST = 8
# Cases shown of a test.
EXAMPLES = 3
# Tests of a file whose cases are shown: those with the highest rates.
TESTS = 30


@dataclass(frozen=True)
class _Test:
    """A test: its name, its record, and the rates of the models in the order of the columns."""

    name: str
    record: RecordedTest
    rates: Sequence[Rate]

    @property
    def worst(self) -> tuple[float, float]:
        """Return the highest and the mean failure rate, by which tests are ordered."""
        shares = [rate.failure_rate for rate in self.rates]
        return max(shares), sum(shares) / len(shares)


def behaviour(run: Run) -> dict[str, Any] | None:
    """Return the section; None without tests."""
    if not run.behaviour:
        return None
    return {
        "confidence": run.level,
        "files": [
            _file(run, name, metrics, tests)
            for name, (metrics, tests) in sorted(run.behaviour.items())
        ],
    }


def _file(
    run: Run, name: str, metrics: Behaviour, records: Mapping[str, RecordedTest]
) -> dict[str, Any]:
    models = [model for model in run.models if model in metrics.models]
    tests = [
        _Test(test, record, [metrics.models[model][test] for model in models])
        for test, record in records.items()
    ]
    tests.sort(key=lambda test: test.worst, reverse=True)
    failing = [test for test in tests if test.worst[0] > 0]
    path = run.settings.behave.tests[name]
    columns = ["test", "kind", "cases", *map(display_name, models)]
    rows = [
        [
            display_name(test.name),
            display_name(test.record.kind),
            f"{test.rates[0].cases:,}",
            *map(_cell, test.rates),
        ]
        for test in tests
    ]
    caption = f"Failure rates of {display_name(name)}, the worst first"
    others = Table(caption, columns, rows[WORST:], range(2, len(columns)))
    return {
        "title": display_name(name),
        "path": visible(path),
        "worst": Table(caption, columns, rows[:WORST], range(2, len(columns))),
        "others": others if others.rows else None,
        "changes": _by_change(metrics, models, tests),
        "models": list(map(display_name, models)),
        "examples": [_examples(run, test, models) for test in failing[:TESTS]],
        "left_out": len(failing[TESTS:]),
    }


def _cell(rate: Rate) -> tuple[str, str]:
    return format_measured("accuracy", rate.failure_rate, rate)


def _by_change(metrics: Behaviour, models: Sequence[str], tests: Sequence[_Test]) -> Table | None:
    """Return the rates by change of the tests that have several; None if none has."""
    rows = []
    for test in tests:
        of_models = [metrics.models[model][test.name].changes for model in models]
        if len(of_models[0]) > 1:
            rows += [
                [
                    f"{display_name(test.name)}: {display_name(change)}",
                    f"{rate.cases:,}",
                    *(_cell(changes[change]) for changes in of_models),
                ]
                for change, rate in of_models[0].items()
            ]
    columns = ["test and change", "cases", *map(display_name, models)]
    return Table("Failure rates by change", columns, rows, range(1, len(columns))) if rows else None


def _examples(run: Run, test: _Test, models: Sequence[str]) -> dict[str, Any]:
    cases = [
        case for case in test.record.cases if any(case.models[model].failed for model in models)
    ]
    return {
        "name": display_name(test.name),
        "about": visible(test.record.about),
        "failing": len(cases),
        "cases": len(test.record.cases),
        "rows": [
            {
                "text": excerpt(case.text),
                "changed": None if case.changed is None else excerpt(case.changed),
                "expected": _expected(run, test.record, case),
                "said": [_said(run, test.record, case.models[model]) for model in models],
            }
            for case in _choose(cases, models)
        ],
    }


def _choose(cases: Sequence[RecordedCase], models: Sequence[str]) -> list[RecordedCase]:
    """Return at most `EXAMPLES` cases, first those that fail with the most models.

    Of more that fail with as many, some at equal distances, since neighbours are often of one
    template.
    """
    by_number: dict[int, list[RecordedCase]] = {}
    for case in cases:
        by_number.setdefault(sum(case.models[model].failed for model in models), []).append(case)
    chosen: list[RecordedCase] = []
    for number in sorted(by_number, reverse=True):
        alike, wanted = by_number[number], EXAMPLES - len(chosen)
        count = min(wanted, len(alike))
        chosen += [alike[place * len(alike) // count] for place in range(count)]
    return chosen


def _expected(run: Run, test: RecordedTest, case: RecordedCase) -> str:
    if case.expected is not None:
        return _name(run, case.expected)
    how = "" if case.change in {None, "pair"} else f" ({display_name(case.change or '')})"
    if test.must_not_rise is None and test.must_not_fall is None:
        return f"the same class{how}"
    label, verb = test.must_not_rise, "rises"
    if label is None:
        label, verb = test.must_not_fall, "falls"
    tolerance = points(test.tolerance or 0, signed=False)
    return f"{_name(run, label or '')} {verb} by at most {tolerance} points{how}"


def _said(run: Run, test: RecordedTest, said: Said) -> dict[str, Any]:
    """Return a model's class and its probability; of a direction, the probability alone."""
    directed = test.kind == "direction"
    before = {
        "name": "" if directed else _name(run, said.label),
        "confidence": percent(said.probability),
    }
    after = None
    if said.changed_probability is not None and said.changed_label is not None:
        name = "" if directed else _name(run, said.changed_label)
        after = {"name": name, "confidence": percent(said.changed_probability)}
    return {"failed": said.failed, "before": before, "after": after}


def _name(run: Run, label: str) -> str:
    return run.names.get(label, visible(label))
