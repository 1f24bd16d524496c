"""The section on behavioural tests."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.behaviours import MODELS, case, results_of, said
from tests.page import Page, sections
from tests.runs import HOSTILE, make_run
from textclf.report import behaviour as section
from textclf.report.page import render
from textclf.report.run import Run


def run(**tests: dict[str, Any]) -> Run:
    return make_run(MODELS, settings={"behave.tests": "{mine: mine.yaml}"}, behaviour={"mine": results_of(tests)})


EASY = {
    "kind": "minimum_function",
    "about": "Words.",
    "cases": [case(f"text {n}", said(n < 1), said(False), expected="yes") for n in range(4)],
}
HARD = {
    "kind": "invariance",
    "about": "Small changes.",
    "cases": [
        case(f"so {n}", said(n % 2 == 0, after="no"), said(n < 5, after="yes"), changed=f"SO {n}", change=change)
        for n, change in enumerate(["typo", "upper_case"] * 4)
    ],
}


def test_rates_by_change_are_listed_for_tests_with_several_changes() -> None:
    (file,) = section.behaviour(run(easy=EASY, hard=HARD))["files"]  # type: ignore[index]
    assert [row[:2] for row in file["changes"].rows] == [["hard: typo", "4"], ["hard: upper case", "4"]]
    (other,) = section.behaviour(run(easy=EASY))["files"]  # type: ignore[index]
    assert other["changes"] is None


def test_the_cases_that_most_models_fail_are_shown_first() -> None:
    text = sections(run(easy=EASY, hard=HARD))["behaviour"]
    shown = [f"so {n} becomes SO {n} the same class" for n in (0, 2, 4)]
    places = [text.find(part) for part in shown]
    assert -1 not in places
    assert places == sorted(places)
    assert "so 1 becomes" not in text
    assert "hard: 6 of 8 cases fail with some model" in text
    assert "✗ fails: yes 87.5% → no 25.0%" in text


def test_of_many_cases_alike_some_at_equal_distances_are_shown() -> None:
    easy = EASY | {"cases": [case(f"text {n}.", said(True), said(n == 7), expected="no") for n in range(9)]}
    text = sections(run(easy=easy))["behaviour"]
    assert [n for n in range(9) if f"text {n}." in text] == [0, 4, 7]


def test_a_test_that_no_model_fails_shows_no_cases() -> None:
    easy = EASY | {"cases": EASY["cases"][1:]}
    assert "text 1" not in sections(run(easy=easy))["behaviour"]


def test_hostile_texts_make_no_element_and_are_shown_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "EXAMPLES", len(HOSTILE))

    def page(texts: Sequence[str]) -> Page:
        cases = [
            case(text, said(True, after="no"), said(True, after="no"), changed="b", change="pair") for text in texts
        ]
        return Page(render(run(bad={"kind": "invariance", "about": texts[0], "cases": cases})))

    plain = page(["word " * 20_000 if len(text) > 1_000 else "word" for text in HOSTILE])  # what is long is folded
    hostile = page(HOSTILE)
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in plain.elements]
    shown = " ".join(hostile.text["behaviour"].split())
    assert [text for text in HOSTILE[:4] if f"{text} becomes b" not in shown] == []


def test_of_many_tests_those_with_the_lowest_rates_are_folded() -> None:
    tests = {
        f"t{n:02}": EASY | {"cases": [case("one", said(n % 2 == 0), said(False), expected="yes")]} for n in range(10)
    }
    (file,) = section.behaviour(run(**tests))["files"]  # type: ignore[index]
    assert [row[0] for row in file["worst"].rows] == ["t00", "t02", "t04", "t06", "t08", "t01", "t03", "t05"]
    assert [row[0] for row in file["others"].rows] == ["t07", "t09"]
