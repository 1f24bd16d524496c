"""Which cases a model fails, and the failure rates of each test."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from textclf.behave.suite import AnyTest, Case, Direction, MinimumFunction, Suite
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.core.quoting import list_names, quote_name
from textclf.evaluate.intervals import wilson

BATCH = 1024  # texts that a model predicts together
EPSILON = 1e-9  # a movement by exactly the tolerance is none beyond it


class Model(Protocol):
    """What is asked of a model: a `textclf.predict.predictor.Predictor`."""

    @property
    def classes_(self) -> tuple[str, ...]:
        """Return the labels in order."""

    def predict_proba(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """Return the probabilities (texts, classes)."""

    def labels(self, probabilities: NDArray[np.float64]) -> list[str]:
        """Return the label decided for each row of probabilities."""


@dataclass(frozen=True)
class Answer:
    """What a model said of a text: the label decided, and the probability of each class."""

    label: str
    probabilities: Mapping[str, float]


@dataclass(frozen=True)
class Verdict:
    """Whether a case failed, and what the model said; `of` is the class whose probability was in question, if one."""

    failed: bool
    text: Answer
    changed: Answer | None = None
    of: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as `textclf.behave.results.Said`."""
        content = {"failed": self.failed, "label": self.text.label, "probability": self._probability(self.text)}
        if self.changed is not None:
            content |= {"changed_label": self.changed.label, "changed_probability": self._probability(self.changed)}
        return content

    def _probability(self, answer: Answer) -> float:
        return round(answer.probabilities[self.of or answer.label], DIGITS)


def require_classes(suite: Suite, classes: Sequence[str], where: str, model: str) -> None:
    """Raise `UserError` unless every class of the file is one of the model's; `where` names the file."""
    for name, label in suite.classes.items():
        if label not in classes:
            raise UserError(
                f"{where}: classes.{name} must be a class of the model {model} ({list_names(classes)}); "
                f"got {quote_name(label)}; give the labels of your data under classes"
            )


def judge(suite: Suite, model: Model) -> dict[str, list[Verdict]]:
    """Return the verdict on each case of each test, in order."""
    texts = list(
        dict.fromkeys(
            text
            for cases in suite.cases.values()
            for case in cases
            for text in (case.text, case.changed)
            if text is not None
        )
    )
    answers: dict[str, Answer] = {}
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        probabilities = model.predict_proba(batch)
        labels = model.labels(probabilities)
        for text, label, row in zip(batch, labels, probabilities.tolist(), strict=True):
            answers[text] = Answer(label, dict(zip(model.classes_, row, strict=True)))
    return {
        name: [_verdict(test, case, suite.classes, answers) for case in suite.cases[name]]
        for name, test in suite.tests.items()
    }


def _verdict(test: AnyTest, case: Case, classes: Mapping[str, str], answers: Mapping[str, Answer]) -> Verdict:
    before = answers[case.text]
    if isinstance(test, MinimumFunction):
        return Verdict(before.label != classes[case.expected or ""], before)
    after = answers[case.changed or ""]
    if isinstance(test, Direction):
        label = classes[test.of]
        rise = after.probabilities[label] - before.probabilities[label]
        moved = rise if test.must_not_rise is not None else -rise
        return Verdict(moved > test.tolerance + EPSILON, before, after, label)
    return Verdict(before.label != after.label, before, after)


def outcomes(suite: Suite, verdicts: Mapping[str, Sequence[Verdict]], confidence: float) -> dict[str, Any]:
    """Return by test: cases, failures, their rate with its Wilson interval, by change too, and which cases failed."""
    numbers = {}
    for name, cases in suite.cases.items():
        failed = [verdict.failed for verdict in verdicts[name]]
        changes: dict[str, list[bool]] = {}
        for case, fails in zip(cases, failed, strict=True):
            if case.change is not None:
                changes.setdefault(case.change, []).append(fails)
        numbers[name] = {
            **rate(failed, confidence),
            "changes": {change: rate(of_change, confidence) for change, of_change in changes.items()},
            "failed": [number for number, fails in enumerate(failed, start=1) if fails],
        }
    return numbers


def rate(failed: Sequence[bool], confidence: float) -> dict[str, float]:
    """Return the number of cases, of failures, and the failure rate with its interval."""
    low, high = wilson(sum(failed), len(failed), confidence)
    share = sum(failed) / len(failed)
    ends = {"failure_rate": share, "low": low, "high": high}
    return {"cases": len(failed), "failures": sum(failed)} | {key: round(value, DIGITS) for key, value in ends.items()}


def records(suite: Suite, verdicts: Mapping[str, Mapping[str, Sequence[Verdict]]]) -> dict[str, Any]:
    """Return the tests with their cases as `textclf.behave.results.RecordedTest`; `verdicts` are by model and test.

    Classes are given by their labels.
    """
    tests = {}
    for name, test in suite.tests.items():
        record: dict[str, Any] = {"kind": test.kind, "about": test.about, "cases": []}
        if isinstance(test, Direction):
            key = "must_not_fall" if test.must_not_rise is None else "must_not_rise"
            record |= {key: suite.classes[test.of], "tolerance": test.tolerance}
        for place, case in enumerate(suite.cases[name]):
            given = {"text": case.text, "changed": case.changed, "change": case.change}
            expected = None if case.expected is None else suite.classes[case.expected]
            record["cases"].append(
                {key: value for key, value in (given | {"expected": expected}).items() if value is not None}
                | {"models": {model: by_test[name][place].to_json() for model, by_test in verdicts.items()}}
            )
        tests[name] = record
    return tests
