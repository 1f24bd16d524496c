"""Which cases fail, and the rates that come of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.refusal import refusal
from textclf.behave import judge, results, suite
from textclf.core import result_files

PAIRS = [["+", "-"], ["+", "+++"], ["-", "--"]]


class Signs:
    """A model whose probability of yes rises by 0.1 with each + and falls with each -."""

    classes_ = ("no", "yes")

    def predict_proba(self, texts: Iterable[str]) -> NDArray[np.float64]:
        yes = np.array([0.5 + 0.1 * (text.count("+") - text.count("-")) for text in texts])
        return np.column_stack([1 - yes, yes])

    def labels(self, probabilities: NDArray[np.float64]) -> list[str]:
        return [self.classes_[int(row[1] > 0.5)] for row in probabilities]


def parsed(test: dict[str, Any], classes: dict[str, str] | None = None) -> suite.Suite:
    content = {"classes": classes or {"bad": "no", "good": "yes"}, "tests": {"first": test}}
    return suite.parse(content, "mine.yaml", 0)


class Counts(Signs):
    """A model of two labels: a text has a label if its sign stands in it more than once."""

    def predict_proba(self, texts: Iterable[str]) -> NDArray[np.float64]:
        return np.array([[0.2 + 0.2 * text.count(sign) for sign in "-+"] for text in texts])

    def labels(self, probabilities: NDArray[np.float64]) -> list[Any]:
        return [
            [name for name, p in zip(self.classes_, row, strict=True) if p > 0.5]
            for row in probabilities
        ]


SETS = [["++", "++-"], ["++", "++--"], ["++--", "--"], ["+", "-"]]
DIRECTION = {"kind": "direction", "pairs": PAIRS}


@pytest.mark.parametrize(
    ("model", "test", "failed"),
    [
        (
            Signs,
            {"kind": "minimum_function", "texts": {"good": ["+", "-"], "bad": ["--", "++"]}},
            [2, 4],
        ),
        (Signs, {"kind": "invariance", "pairs": PAIRS}, [1]),
        (Signs, DIRECTION | {"must_not_fall": "good"}, [1]),
        (Signs, DIRECTION | {"must_not_rise": "good"}, [2]),
        (Signs, DIRECTION | {"must_not_rise": "bad"}, [1]),
        (Signs, DIRECTION | {"must_not_rise": "good", "tolerance": 0.2}, []),
        (Signs, DIRECTION | {"must_not_fall": "good", "tolerance": 0.0}, [1, 3]),
        (
            Counts,
            {"kind": "minimum_function", "texts": {"good": ["++", "++--", "--"], "bad": ["+"]}},
            [3, 4],
        ),
        (Counts, {"kind": "invariance", "pairs": SETS}, [2, 3]),
        (Counts, DIRECTION | {"must_not_rise": "good", "pairs": [["+", "++"], ["+", "--"]]}, [1]),
    ],
)
def test_a_case_fails_by_the_rule_of_its_kind(
    model: type[Signs], test: dict[str, Any], failed: list[int]
) -> None:
    tests = parsed(test)
    outcome = judge.outcomes(tests, judge.judge(tests, model()), 0.95)["first"]
    assert (outcome.failed, outcome.failures) == (failed, len(failed))


def test_a_set_is_named_with_the_probability_of_its_least_certain_label() -> None:
    tests = parsed({"kind": "invariance", "pairs": [["++--", "+++"], ["-", "--"]]})
    first, second = judge.judge(tests, Counts())["first"]
    assert (first.label, first.probability) == ("no, yes", 0.6)
    assert (first.changed_label, first.changed_probability) == ("yes", 0.8)
    assert (second.label, second.probability) == ("no label", 0.6)


def test_the_rate_has_its_interval_by_change_too() -> None:
    test = {"kind": "invariance", "texts": ["+", "-", "+ -"], "append": ["+"], "prepend": ["-"]}
    tests = parsed(test)
    outcome = judge.outcomes(tests, judge.judge(tests, Signs()), 0.9)["first"]
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    low, high = proportion.proportion_confint(2, 6, alpha=0.1, method="wilson")
    assert (outcome.cases, outcome.failures, outcome.failure_rate) == (6, 2, 0.333333)
    assert (outcome.low, outcome.high) == pytest.approx((low, high), abs=1e-6)
    assert {change: rate.failures for change, rate in outcome.changes.items()} == {
        "append": 1,
        "prepend": 1,
    }


def test_texts_are_predicted_in_batches_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "BATCH", 2)
    seen: list[list[str]] = []

    class Watched(Signs):
        def predict_proba(self, texts: Iterable[str]) -> NDArray[np.float64]:
            seen.append(list(texts))
            return super().predict_proba(seen[-1])

    tests = parsed({"kind": "invariance", "pairs": PAIRS})
    assert judge.judge(tests, Watched()) == judge.judge(tests, Signs())
    assert seen == [["+", "-"], ["+++", "--"]]


def test_a_class_that_the_model_does_not_have_is_refused() -> None:
    tests = parsed({"kind": "invariance", "pairs": PAIRS}, {"good": "yes", "bad": "nein"})
    assert refusal(judge.require_classes, tests, Signs.classes_, "mine.yaml", "keras") == (
        "mine.yaml: classes.bad must be a class of the model keras (no, yes); got nein; "
        "give the labels of your data under classes"
    )


def test_what_is_written_is_read_again_with_texts_and_answers(tmp_path: Path) -> None:
    tests = parsed(
        {"kind": "direction", "about": "Signs.", "must_not_fall": "bad", "pairs": PAIRS[1:]}
    )
    verdicts = {"signs": judge.judge(tests, Signs())}
    metrics, cases = tmp_path / "metrics.json", tmp_path / "cases.json"
    outcomes = {"signs": judge.outcomes(tests, verdicts["signs"], 0.95)}
    results.write(metrics, cases, outcomes, judge.records(tests, verdicts))
    read = result_files.read(metrics, results.Behaviour)
    assert read.models["signs"]["first"].failed == [1]
    record = results.read_cases(cases, read)["first"]
    assert (record.kind, record.about, record.must_not_fall, record.tolerance) == (
        "direction",
        "Signs.",
        "no",
        0.1,
    )
    first = record.cases[0]
    assert (first.text, first.changed, first.change, first.expected) == ("+", "+++", "pair", None)
    assert first.models["signs"].model_dump() == {
        "failed": True,
        "label": "yes",
        "probability": 0.4,  # of the class in question, not of the one decided
        "changed_label": "yes",
        "changed_probability": 0.2,
    }
