"""The section on behavioural tests."""

from collections.abc import Sequence

import pytest

from tests.behaviours import case, results_of, said
from tests.page import Page
from tests.runs import HOSTILE, make_run
from textclf.report import behaviour as section
from textclf.report.page import render


def test_hostile_texts_make_no_element_and_are_shown_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "EXAMPLES", len(HOSTILE))

    def page(texts: Sequence[str]) -> Page:
        cases = [
            case(text, said(True, after="no"), said(True, after="no"), changed="b", change="pair") for text in texts
        ]
        tests = results_of({"bad": {"kind": "invariance", "about": texts[0], "cases": cases}})
        return Page(render(make_run(settings={"behave.tests": "{mine: mine.yaml}"}, behaviour={"mine": tests})))

    plain = page(["word " * 20_000 if len(text) > 1_000 else "word" for text in HOSTILE])  # what is long is folded
    hostile = page(HOSTILE)
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in plain.elements]
    shown = " ".join(hostile.text["behaviour"].split())
    assert [text for text in HOSTILE[:4] if f"{text} becomes b" not in shown] == []
