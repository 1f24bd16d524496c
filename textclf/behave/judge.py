"""Which cases a model fails, and the failure rates of each test."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from textclf.behave.results import Outcome, Rate, RecordedCase, RecordedTest, Said
from textclf.behave.suite import AnyTest, Case, Direction, MinimumFunction, Suite
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.core.quoting import list_names, quote_name
from textclf.evaluate.intervals import wilson

# Texts that a model predicts together.
BATCH = 1024
# A movement by exactly the tolerance is none beyond it.
EPSILON = 1e-9

# Shown for an empty set.
NO_LABEL = "no label"
# The label or the list of labels decided, and the probability of each class.
Answer = tuple[Any, dict[str, float]]


def require_classes(suite: Suite, classes: Sequence[str], where: str, model: str) -> None:
    """Raise `UserError` unless every class of the file `where` is one of the model's."""
    for name, label in suite.classes.items():
        if label not in classes:
            raise UserError(
                f"{where}: classes.{name} must be a class of the model {model} "
                f"({list_names(classes)}); got {quote_name(label)}; give the labels of your data "
                "under classes"
            )


def judge(suite: Suite, model: Any) -> dict[str, list[Said]]:
    """Return what a `Predictor` that always answers said of each case, and whether that fails."""
    cases = chain.from_iterable(suite.cases.values())
    pairs = ((case.text, case.changed) for case in cases)
    texts = list(dict.fromkeys(text for pair in pairs for text in pair if text is not None))
    answers: dict[str, Answer] = {}
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        probabilities = model.predict_proba(batch)
        labels = model.labels(probabilities)
        for text, label, row in zip(batch, labels, probabilities.tolist(), strict=True):
            answers[text] = label, dict(zip(model.classes_, row, strict=True))
    return {
        name: [_judge_case(test, case, suite.classes, answers) for case in suite.cases[name]]
        for name, test in suite.tests.items()
    }


def _judge_case(
    test: AnyTest, case: Case, classes: Mapping[str, str], answers: Mapping[str, Answer]
) -> Said:
    label, before = answers[case.text]
    if isinstance(test, MinimumFunction):
        wanted = classes[case.expected or ""]
        failed = wanted not in label if isinstance(label, list) else wanted != label
        return Said(
            failed=failed,
            label=_named(label),
            probability=round(_probability(label, before), DIGITS),
        )
    changed_label, after = answers[case.changed or ""]
    failed, of, changed_of = label != changed_label, label, changed_label
    if isinstance(test, Direction):
        of = changed_of = classes[test.of]
        rise = after[of] - before[of]
        failed = (rise if test.must_not_rise is not None else -rise) > test.tolerance + EPSILON
    return Said(
        failed=failed,
        label=_named(label),
        probability=round(_probability(of, before), DIGITS),
        changed_label=_named(changed_label),
        changed_probability=round(_probability(changed_of, after), DIGITS),
    )


def _named(label: str | list[str]) -> str:
    return label if isinstance(label, str) else ", ".join(label) or NO_LABEL


def _probability(label: str | list[str], probabilities: Mapping[str, float]) -> float:
    """Return the probability of a label; of a list, that of the least certain decision."""
    if isinstance(label, str):
        return probabilities[label]
    return min(p if name in label else 1 - p for name, p in probabilities.items())


def outcomes(
    suite: Suite, said: Mapping[str, Sequence[Said]], confidence: float
) -> dict[str, Outcome]:
    """Return the outcome by test, with Wilson intervals of the failure rates, by change too."""
    numbers = {}
    for name, cases in suite.cases.items():
        failed = [answer.failed for answer in said[name]]
        changes: dict[str, list[bool]] = {}
        for case, fails in zip(cases, failed, strict=True):
            if case.change is not None:
                changes.setdefault(case.change, []).append(fails)
        numbers[name] = Outcome(
            **vars(rate(failed, confidence)),
            changes={change: rate(of_change, confidence) for change, of_change in changes.items()},
            failed=[number for number, fails in enumerate(failed, start=1) if fails],
        )
    return numbers


def rate(failed: Sequence[bool], confidence: float) -> Rate:
    """Return the number of cases, of failures, and the failure rate with its interval."""
    cases, failures = len(failed), sum(failed)
    low, high = wilson(failures, cases, confidence)
    return Rate(cases=cases, failures=failures, failure_rate=failures / cases, low=low, high=high)


def records(
    suite: Suite, said: Mapping[str, Mapping[str, Sequence[Said]]]
) -> dict[str, RecordedTest]:
    """Return the tests with their cases and the models' answers; `said` is by model and test."""
    tests = {}
    for name, test in suite.tests.items():
        cases = [
            RecordedCase(
                text=case.text,
                changed=case.changed,
                expected=None if case.expected is None else suite.classes[case.expected],
                change=case.change,
                models={model: by_test[name][number] for model, by_test in said.items()},
            )
            for number, case in enumerate(suite.cases[name])
        ]
        direction: dict[str, Any] = {}
        if isinstance(test, Direction):
            key = "must_not_fall" if test.must_not_rise is None else "must_not_rise"
            direction = {key: suite.classes[test.of], "tolerance": test.tolerance}
        tests[name] = RecordedTest(kind=test.kind, about=test.about, cases=cases, **direction)
    return tests
