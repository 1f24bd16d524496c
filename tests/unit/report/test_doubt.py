"""The section on doubt."""

from typing import Any

import pytest

from tests.page import sections
from tests.runs import make_run
from textclf.report.doubt import doubt
from textclf.report.run import Run

MODELS = ("majority", "logistic_regression", "keras")


def make(*classes: str, **settings: str) -> Run:
    keys = {"evaluate.coverage": "0.8", "export.model": "keras"} | {
        name.replace("__", "."): value for name, value in settings.items()
    }
    return make_run(MODELS, classes or ("no", "yes"), 120, validation=True, settings=keys)


def section(run: Run) -> dict[str, Any]:
    found = doubt(run)
    assert found is not None
    return found


@pytest.mark.parametrize("by_class", [False, True])
def test_the_page_says_of_what_the_coverage_holds(by_class: bool) -> None:
    text = sections(make(evaluate__coverage_by_class=str(by_class).lower()))["doubt"]
    assert "come from 120 validation rows, so that 80% of the sets" in text
    assert ("of all texts together, not of each class" in text) == (not by_class)
    assert ("contain the actual class, in every class." in text) == by_class
    assert "textclf predict --coverage 0.8" in text
    assert "The same validation rows" not in text


def test_the_page_says_what_the_validation_rows_have_chosen_before() -> None:
    text = sections(make(train__keras__early_stopping="3", evaluate__calibration="platt", export__model="null"))[
        "doubt"
    ]
    assert (
        "The same validation rows were used for train.keras.early_stopping, evaluate.calibration, export.model, so "
        "that the sets may contain the actual class a little less often than 80%."
    ) in text


def test_the_section_has_the_errors_of_the_models_by_the_share_of_the_rows_answered() -> None:
    run = make()
    (chart,) = section(run)["charts"]
    values = chart.spec["data"]["values"]
    assert {value["model"] for value in values} == {"logistic regression", "keras"}
    assert max(value["error"] for value in values) == pytest.approx(
        run.tables["risk_coverage"].query("model != 'majority'")["error"].max(), abs=1e-6
    )
