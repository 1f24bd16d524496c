"""The text of whole pages, as it was approved: whatever changes in a sentence, a number or their order is seen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import approved
from tests.behaviours import case, results_of, said
from tests.page import without_pictures
from tests.runs import make_run
from textclf.report.page import SECTIONS

BEHAVIOUR: dict[str, dict[str, Any]] = {
    "typos": {
        "kind": "invariance",
        "about": "Small changes.",
        "cases": [
            case(f"so {n}", said(n % 2 == 0, after="b"), said(n < 5, after="a"), changed=f"SO {n}", change=change)
            for n, change in enumerate(["typo", "upper_case"] * 4)
        ],
    },
    "praise": {
        "kind": "direction",
        "about": "Words of praise.",
        "must_not_fall": "c",
        "tolerance": 0.1,
        "cases": [case("meh", said(True, after="b"), said(False, after="c"), changed="great", change="append")],
    },
}
RUNS: dict[str, dict[str, Any]] = {
    "three_classes": {
        "models": ("majority", "logistic_regression", "keras"),
        "classes": ("a", "b", "c"),
        "count": 48,
        "validation": True,
        "history": ["keras"],
        "texts": ("Good  food", "bad", "good food", "never again, and the place is dear", "so so"),
        "columns": {"platform": ["web", "ios"]},
        "settings": {
            "evaluate.coverage": "0.8",
            "evaluate.calibration": "temperature",
            "evaluate.slice_metric": "f1",
            "behave.tests": "{mine: mine.yaml}",
        },
        "behaviour": {"mine": results_of(BEHAVIOUR)},
    },
    "many_classes": {
        "models": ("majority", "naive_bayes", "linear_svm"),
        "classes": [f"c{n}" for n in range(44)],
        "count": 132,
        "validation": True,
        "settings": {"evaluate.coverage": "0.5"},
    },
}


ALL = [section for section in SECTIONS if section not in ("params", "unknown")]  # all defaults; no such texts
MANY = ("errors", "doubt", "confusion", "data")


@pytest.mark.parametrize(("name", "shown"), [("three_classes", ALL), ("many_classes", MANY)])
def test_the_text_of_a_page_is_as_it_was_approved(name: str, shown: Sequence[str]) -> None:
    text = approved.lines(without_pictures(make_run(**RUNS[name])), *shown)
    approved.check(text, Path(__file__).with_name(f"{name}.txt"))
