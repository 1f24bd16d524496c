"""Warnings about models whose test metrics are worse than they should be."""

from pathlib import Path
from typing import Any

from tests import approved, results
from textclf.evaluate.model_warnings import find_warnings
from textclf.evaluate.results import Comparison, Results

MODELS = ("majority", "first", "second")


def comparison(difference: float, p_holm: float = 0.01) -> Comparison:
    return results.comparison(difference, difference - 0.03, difference + 0.05, p_holm)


SAME = comparison(0.0, 1.0)
EQUAL = {"first_vs_majority": SAME, "second_vs_majority": SAME, "second_vs_first": SAME}


def warnings(
    above: dict[str, float] | None = None,
    comparisons: dict[str, Comparison] | None = None,
    record: dict[str, float] | None = None,
    decision: dict[str, Any] | None = None,
    validation_rows: int = 0,
) -> dict[str, list[str]]:
    """Return the warnings of three models; `above` is by how much the log loss of some is above that of guessing."""
    guessing = {name: results.difference(value) for name, value in (above or {}).items()}
    decisions: dict[str, Any] = {
        name: {"guessing": guessing.get(name), **(decision or {"threshold": 0.5})} for name in MODELS
    }
    run = Results.of(
        evaluation={name: {"test": {"log_loss": 5.05}} for name in MODELS},
        comparisons=EQUAL | (comparisons or {}),
        training={name: record or {"parameters": 3.0} for name in MODELS},
        decisions=decisions | {"protocol": {"validation_rows": validation_rows}},
    )
    return find_warnings(run, MODELS, 0.95)


NETWORK = {"epochs": 100, "best_epoch": 2}
STOPPED = NETWORK | {"early_stopping": 5}
TEMPERATURE, PLATT = {"temperature": 1.5}, {"slope": 1.5, "intercept": 0.0}
WORSE = {"first": 0.7}
PAIRS = {"second_vs_majority": comparison(0.1), "second_vs_first": comparison(-0.2)}
CASES: dict[str, dict[str, Any]] = {
    "sound models": {},
    "within chance of guessing": {"above": {"first": 0.2, "second": -4.0}},  # an interval that ends at 0
    "worse than guessing": {"above": WORSE},
    "worse than guessing, validation rows": {"above": WORSE, "validation_rows": 50},
    "worse than guessing, calibrated": {"above": WORSE, "decision": TEMPERATURE, "validation_rows": 50},
    "worse than guessing, calibrated by Platt": {"above": WORSE, "decision": PLATT, "validation_rows": 50},
    "worse network": {"above": WORSE, "record": NETWORK},
    "worse network, validation rows": {"above": WORSE, "record": NETWORK, "validation_rows": 50},
    "worse network of few epochs": {"above": WORSE, "record": {"epochs": 2, "best_epoch": 2}, "validation_rows": 50},
    "worse network, stopped early": {"above": WORSE, "record": STOPPED, "validation_rows": 50},
    "made-up probabilities of labels": {"above": WORSE, "record": {"labels_only": 1}},
    "several labels": {
        "above": WORSE,
        "comparisons": {"second_vs_first": comparison(-0.2)},
        "decision": {"thresholds": [0.5, 0.5]},
    },
    "below another": {"comparisons": PAIRS},
    "above another": {"comparisons": {"second_vs_first": comparison(0.2)}},
    "below two": {"comparisons": PAIRS | {"second_vs_majority": comparison(-0.1)}},
    "below another, not significantly": {"comparisons": {"second_vs_first": comparison(-0.2, p_holm=0.2)}},
    "below another, within the interval": {"comparisons": {"second_vs_first": comparison(-0.04)}},  # ends above 0
    "above the floor": {"comparisons": {"first_vs_majority": comparison(0.4)}},
    "a cost that no test row shows": {"decision": {"unseen_cost": {"ham": {"spam, or not": 10.0}}}},
    "thresholds of few rows": {"decision": {"thresholds": [0.3, 0.5, 1.0, 1.0], "labels_of_few_rows": 1}},
}
for number, rows in ((9, 50), (10, 50), (9, 0), (1, 0)):
    for scaling in (TEMPERATURE, PLATT, {}):
        CASES[f"{number} mistakes of {rows} validation rows calibrate {' and '.join(scaling) or 'nothing'}"] = {
            "decision": {**scaling, "validation_mistakes": number},
            "validation_rows": rows,
        }


def test_warnings_are_those_that_were_approved() -> None:
    said = []
    for case, given in CASES.items():
        found = warnings(**given)
        said += [f"# {case}", *(f"{name}: {line}" for name, lines in found.items() for line in lines)]
    approved.check("\n".join([*said, ""]), Path(__file__).with_name("warnings.txt"))
