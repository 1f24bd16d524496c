"""The section on texts of no class."""

import pytest

from tests.page import sections
from tests.results import share, with_results
from tests.runs import make_run
from textclf.evaluate.results import Area, RejectedByScore, Unknown
from textclf.report.page import render
from textclf.report.run import Run
from textclf.report.unknown import unknown

SHARES = {
    name: share(value, value - 0.1, value + 0.1, rows=40)
    for name, value in (("accuracy", 0.8), ("recall", 0.7), ("precision", 0.6))
}
SCORES = {"probability": Area(value=0.9, low=0.85, high=0.95), "energy": Area(value=0.99)}


def make(**settings: str) -> Run:
    """Return a run whose last model found texts of no class among its test rows."""
    keys = {f"{name.replace('__', '.')}": value for name, value in settings.items()}
    run = make_run(validation=True, settings={"data.unknown": "<oos>", **keys})
    scores = {name: RejectedByScore(threshold=0.5, roc_auc=area, **SHARES) for name, area in SCORES.items()}
    return with_results(run, unknown={"logistic_regression": {"test": Unknown(**SHARES, scores=scores)}})


@pytest.mark.parametrize("trained", [False, True])
def test_the_section_shows_what_is_found_and_by_which_score(trained: bool) -> None:
    text = sections(make(data__train_unknown=str(trained).lower(), evaluate__unknown_keep="0.85"))["unknown"]
    assert "Texts labelled <oos> belong to no class" in text
    assert ("the models learn them as a class of its own" in text) == trained
    assert ("gives no label to a text whose probability is below the threshold" in text) == (not trained)
    assert "keeps 85.0% of the accuracy within the classes" in text
    assert "as decided" in text
    assert "80.0%" in text
    assert "90.0%" in text
    assert "99.0% too few rows" in text


def test_a_run_without_such_texts_has_no_section() -> None:
    assert unknown(make_run()) is None
    assert 'id="unknown"' not in render(make_run())
