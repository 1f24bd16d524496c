"""Results of behavioural tests, for the tests of the report."""

from typing import Any

from textclf.behave import judge
from textclf.behave.results import Behaviour, RecordedTest, Results

MODELS = ("majority", "logistic_regression")


def said(failed: bool, label: str = "yes", after: str | None = None) -> dict[str, Any]:
    changed = {} if after is None else {"changed_label": after, "changed_probability": 0.25}
    return {"failed": failed, "label": label, "probability": 0.875, **changed}


def results_of(tests: dict[str, dict[str, Any]]) -> Results:
    """The results of tests, whose cases say of each model whether it failed."""
    records = {name: RecordedTest.model_validate(test) for name, test in tests.items()}
    models: dict[str, Any] = {model: {} for model in MODELS}
    for name, record in records.items():
        for model in MODELS:
            failed = [case.models[model].failed for case in record.cases]
            changes: dict[str, list[bool]] = {}
            for case in record.cases:
                changes.setdefault(case.change or "", []).append(case.models[model].failed)
            models[model][name] = vars(judge.rate(failed, 0.95)) | {
                "changes": {
                    change: judge.rate(of, 0.95) for change, of in changes.items() if change
                },
                "failed": [number for number, fails in enumerate(failed, start=1) if fails],
            }
    return Results(Behaviour.model_validate({"models": models, "sha256": ""}), records)


def case(
    text: str, majority: dict[str, Any], regression: dict[str, Any], **given: str
) -> dict[str, Any]:
    return {"text": text, "models": {MODELS[0]: majority, MODELS[1]: regression}, **given}
