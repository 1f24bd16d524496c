"""The page of a run whose decisions follow costs, some of which are no answer."""

import functools

import pytest

from tests.page import sections
from tests.results import comparison
from tests.runs import make_run
from textclf.evaluate.model_warnings import find_warnings
from textclf.evaluate.results import Results
from textclf.report import curves, errors, results
from textclf.report.run import Run

COSTS = "{'no': {'yes': 10}, abstain: 0.6}"


@functools.cache
def run(costs: str = COSTS) -> Run:
    return make_run(count=200, settings={"evaluate.costs": costs, "evaluate.calibration": "platt"}, validation=True)


def test_the_headline_has_the_mean_cost_and_the_texts_without_an_answer() -> None:
    text = sections(run())["summary"]
    name, _ = run().default
    decided = run().counts[name]
    assert decided.shape == (2, 3)
    assert decided.sum() == 200
    assert f"The mean cost is {run().results.evaluation[name]['test']['cost']:.3f} (" in text
    assert f"; {decided[:, 2].sum()} texts get no answer, which the accuracy counts as wrong." in text
    assert "mean cost" not in sections(make_run())["summary"]


def test_the_mean_cost_is_shown_first_beside_that_of_the_cheapest_constant_decision() -> None:
    compared = results.compared(run())
    (row,) = [row for row in compared["metrics"].rows if row[0][0] == "mean cost"]
    assert row[0] == ("mean cost", f"guessing: {run().results.decisions.guessing['cost']:.3f}")
    assert all(" to " in ends for _, ends in row[1:])
    assert "mean cost" in compared["lower"]
    assert "mean cost" in compared["differences"].columns
    assert "mean cost" not in results.compared(make_run())["lower"]


def test_the_protocol_says_what_decisions_cost() -> None:
    facts = " ".join(results.protocol(run())["facts"])
    assert "Decisions cost 10 for no decided as yes, 1 for any other mistake and 0.6 for no answer" in facts
    assert {key for _, key, _ in results.protocol(run())["calibrations"]} == {"slope", "intercept"}


def test_rows_without_an_answer_are_named_so() -> None:
    pairs = curves.confusion(run())["pairs"]
    assert "no answer" in {row[2] for row in pairs.rows}
    found = errors.errors(run())
    shown = {row["labels"][1] for model in found["mistakes"] for row in model["kinds"]["wrong"]}
    assert shown <= {"no", "yes", "no answer"}
    assert "no answer" in shown


@pytest.mark.parametrize("costs", [COSTS, "{}"])
def test_a_lower_accuracy_is_warned_of_only_without_costs(costs: str) -> None:
    given = run(costs)
    first, second = given.models
    worse = Results.of(**vars(given.results) | {"comparisons": {f"{second}_vs_{first}": comparison(-0.2, -0.3, -0.1)}})
    warnings = find_warnings(worse, given.models, 0.95)
    assert any("its accuracy is" in text for text in warnings.get(second, [])) == (costs == "{}")
