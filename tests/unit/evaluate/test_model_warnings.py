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
    comparisons: dict[str, tuple[float] | tuple[float, float]] | None = None,
    record: dict[str, float] | None = None,
    decision: dict[str, Any] | None = None,
    validation_rows: int = 0,
) -> dict[str, list[str]]:
    """Return the warnings of three models; `above` are log losses minus that of guessing.

    `comparisons` are differences in accuracy, perhaps with the p-value.
    """
    guessing = {name: results.difference(value) for name, value in (above or {}).items()}
    decisions: dict[str, Any] = {
        name: {"guessing": guessing.get(name), **(decision or {"threshold": 0.5})}
        for name in MODELS
    }
    decisions["majority"]["baseline"] = 1
    run = Results.of(
        evaluation={name: {"test": {"log_loss": 5.05}} for name in MODELS},
        comparisons=EQUAL | {pair: comparison(*each) for pair, each in (comparisons or {}).items()},
        training={name: record or {"parameters": 3.0} for name in MODELS},
        decisions=decisions | {"protocol": {"validation_rows": validation_rows}},
    )
    return find_warnings(run, MODELS, 0.95)


def test_warnings_are_those_that_were_approved() -> None:
    def say(case: str) -> list[str]:
        sentences = warnings(**approved.described(case))
        return [f"{name}: {line}" for name, lines in sentences.items() for line in lines]

    approved.check_cases(Path(__file__).with_name("warnings.txt"), say)
