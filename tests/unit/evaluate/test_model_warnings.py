"""Warnings about models whose test metrics are worse than they should be."""

from typing import Any

import pytest

from tests import results
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


def test_sound_models_are_not_warned_of() -> None:
    assert warnings() == {}
    assert warnings({"first": 0.2, "second": -4.0}) == {}  # an interval that ends at 0


NETWORK = {"epochs": 100, "best_epoch": 2}
WORSE = (
    "on the test rows its log loss of 5.050 is 0.700 (95% interval 0.500 to 0.900) above that of guessing by the class "
    "shares of the training rows, so its probabilities cannot be trusted"
)


@pytest.mark.parametrize(
    ("record", "decision", "rows", "remedy"),
    [
        ({}, {}, 0, "; set evaluate.calibration"),
        ({}, {}, 50, "; set evaluate.calibration"),
        ({}, {"temperature": 1.5}, 50, ""),
        ({}, {"slope": 1.5, "intercept": 0.0}, 50, ""),
        (NETWORK, {}, 0, "; set split.validation_size and train.first.early_stopping"),
        (
            NETWORK,
            {},
            50,
            "; the loss on the validation rows was lowest at epoch 2 of 100: set train.first.early_stopping",
        ),
        ({"epochs": 2, "best_epoch": 2}, {}, 50, "; set evaluate.calibration"),
        (NETWORK | {"early_stopping": 5}, {}, 50, "; set evaluate.calibration"),
        (NETWORK | {"early_stopping": 5}, {"temperature": 1.5}, 50, ""),
    ],
)
def test_a_log_loss_worse_than_guessing_is_warned_of_with_a_remedy(
    record: dict[str, float], decision: dict[str, float], rows: int, remedy: str
) -> None:
    assert warnings({"first": 0.7}, None, record, decision, rows) == {"first": [WORSE + remedy]}


def test_made_up_probabilities_of_labels_are_not_warned_of() -> None:
    assert warnings({"first": 0.7}, None, {"labels_only": 1}) == {}


@pytest.mark.parametrize("scaling", [{"temperature": 1.5}, {"slope": 1.5, "intercept": 0.0}, {}], ids=str)
def test_a_calibration_by_few_mistakes_is_warned_of(scaling: dict[str, float]) -> None:
    few, enough, held_out = (
        warnings(decision={**scaling, "validation_mistakes": number}, validation_rows=rows)
        for number, rows in ((9, 50), (10, 50), (9, 0))
    )
    said = (
        "its calibration rests on only 9 mistakes on validation rows, so it is uncertain; raise split.validation_size"
    )
    assert few == ({name: [said] for name in MODELS} if scaling else {})
    assert enough == {}
    said = "its calibration rests on only 9 mistakes on held-out training rows, so it is uncertain"
    assert held_out == ({name: [said] for name in MODELS} if scaling else {})
    assert "only 1 mistake on" in warnings(decision={"temperature": 2.0, "validation_mistakes": 1})["first"][0]


def test_a_model_that_is_worse_than_another_is_compared_with_the_best() -> None:
    pairs = {"second_vs_majority": comparison(0.1), "second_vs_first": comparison(-0.2)}
    assert warnings(comparisons=pairs) == {
        "second": [
            "on the test rows its accuracy is 20.0 points (15.0 to 23.0) below that of first, more than chance explains"
        ]
    }
    assert list(warnings(comparisons={"second_vs_first": comparison(0.2)})) == ["first"]
    assert "below that of first" in warnings(comparisons=pairs | {"second_vs_majority": comparison(-0.1)})["second"][0]


def test_several_labels_have_a_subset_accuracy_and_label_shares() -> None:
    found = warnings({"first": 0.7}, {"second_vs_first": comparison(-0.2)}, decision={"thresholds": [0.5, 0.5]})
    assert "guessing by the label shares of the training rows" in found["first"][0]
    assert found["second"][0].startswith("on the test rows its subset accuracy is 20.0 points ")


@pytest.mark.parametrize(
    "pairs",
    [
        {"second_vs_first": comparison(-0.2, p_holm=0.2)},
        {"second_vs_first": comparison(-0.04)},  # its interval ends above 0
        {"first_vs_majority": comparison(0.4)},
    ],
    ids=["not significant", "interval", "the floor"],
)
def test_chance_and_the_floor_are_no_reason_to_warn(pairs: dict[str, Comparison]) -> None:
    assert warnings(comparisons=pairs) == {}


def test_a_cost_that_no_test_row_shows_is_named() -> None:
    found = warnings(decision={"unseen_cost": {"ham": {"spam, or not": 10.0}}})
    said = (
        "no test row shows the cost of 10 for ham decided as 'spam, or not', so intervals of differences in mean cost"
    )
    assert found["first"] == [f"{said} do not allow for it"]


def test_labels_whose_threshold_is_not_the_best_are_counted() -> None:
    found = warnings(decision={"thresholds": [0.3, 0.5, 1.0, 1.0], "labels_of_few_rows": 1})
    assert found["first"] == [
        "the threshold of 1 label stays 0.5: fewer than 5 of the rows that choose have the label",
        "no threshold reaches the precision for 2 labels, which no text gets",
    ]
    assert "calibration" not in warnings({"first": 0.7}, decision={"thresholds": [0.5]})["first"][0]
