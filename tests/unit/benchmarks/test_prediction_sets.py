"""The simulation of prediction sets, and what docs/coverage.md says of its result and of that on the corpora."""

import numpy as np
import pytest

from benchmarks import abstention, prediction_set_tables, prediction_sets
from benchmarks.abstention import measured, share
from benchmarks.prediction_sets import Kind, covered, draw, expected, stopped, summary
from benchmarks.results import read as result
from benchmarks.tables import CORPORA

SIMULATED = result("prediction_sets")
FAR = 4  # standard errors: of the twenty numbers compared, one is farther in a simulation out of a thousand

# The most that a choice by the validation rows costs in coverage, by their number, as the page says
COSTS = {
    "temperature": {50: 0.002, 150: 0.002, 500: 0.002},
    "Platt scaling": {50: 0.0125, 150: 0.005, 500: 0.002},
    "early stopping": {50: 0.0125, 150: 0.005, 500: 0.002},
    "the most accurate of three models, correlation 0.9": {50: 0.003, 150: 0.003, 500: 0.003},
    "the most accurate of three models, correlation 0.5": {50: 0.0175, 150: 0.0125, 500: 0.006},
}


def test_the_simulated_coverage_is_that_of_the_exact_distribution() -> None:
    for line in SIMULATED["sizes"]:
        assert abs(line["simulated"]["mean"] - line["exact"]["mean"]) < FAR * line["exact"]["error"]
        assert line["simulated"]["error"] == pytest.approx(line["exact"]["error"], rel=0.1)
        for end in ("low", "high"):
            assert line["simulated"][end] == pytest.approx(line["exact"][end], abs=0.01)


def test_sets_by_class_hold_in_every_class_and_sets_of_all_rows_do_not() -> None:
    for line in SIMULATED["classes"]:
        assert abs(line["by_class"]["mean"] - line["exact"]) < FAR * line["by_class"]["error"]
    assert SIMULATED["classes"][-1]["all"]["mean"] < 0.8


def test_the_page_says_what_was_simulated_where_the_promise_does_not_hold() -> None:
    found = {line["change"]: line["simulated"] for line in SIMULATED["broken"]}
    assert found["harder texts"]["mean"] < 0.85 > found["harder texts, sets by class"]["mean"]
    assert found["classes in other shares"]["mean"] < 0.85
    assert found["classes in other shares, sets by class"]["mean"] >= 0.9
    for line in SIMULATED["choices"]:
        assert abs(line["other"]["mean"] - line["exact"]) < FAR * line["other"]["error"]
        most = next(limits for choice, limits in COSTS.items() if line["choice"].startswith(choice))
        assert line["cost"]["mean"] < most[line["rows"]]


@pytest.mark.parametrize("corpus", CORPORA)
def test_on_a_corpus_the_coverage_is_in_the_range_of_runs(corpus: str) -> None:
    content = result(f"abstention-{corpus}")
    for asked in map(str, abstention.COVERAGES):
        others = [split[asked]["coverage"]["value"] for split in content["splits"]]
        assert len(others) == abstention.SPLITS
        ends = content["models"]["logistic_regression"]["coverages"][asked]["range"]
        assert ends["low"] <= np.mean(others) <= ends["high"]


def test_a_small_simulation_covers_what_it_should() -> None:
    generator = np.random.default_rng(0)
    shares = [float(covered(draw(99, Kind(), generator), draw(200, Kind(), generator)).mean()) for _ in range(300)]
    found = summary(shares)
    assert abs(found["mean"] - expected(99)) < FAR * found["error"]
    assert (expected(99), expected(8)) == (0.9, 1.0)
    chosen, fresh, test = stopped(60, generator)
    assert [len(rows.y) for rows in (chosen, fresh, test)] == [60, 60, prediction_sets.TEST]


def test_shares_of_sets_and_answers_are_counted() -> None:
    sets: abstention.Sets = [("0", ["0"], "0"), ("0", ["1"], "1"), ("1", ["0", "1"], None), ("1", [], None)]
    line = measured(sets, 99, 0.9)
    assert (line["coverage"]["value"], line["answered"]["value"], line["accuracy"]["value"]) == (0.5, 0.5, 0.5)
    assert line["accuracy"]["rows"] == 2
    assert share([]) is None


def test_a_cost_has_its_sign_and_a_range_both_ends() -> None:
    assert prediction_set_tables.plus_minus({"mean": 0.005, "error": 0.001}, "+") == "+0.50 ± 0.20"
    assert prediction_set_tables.quantiles({"low": 0.85, "high": 0.95}) == "85.0 to 95.0"
