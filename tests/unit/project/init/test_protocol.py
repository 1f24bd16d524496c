"""Which settings suit a table."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests import approved
from tests.settings import TEXT
from tests.unit.project.init.surveys import TWO, make_survey, rows
from textclf.core.errors import UserError
from textclf.core.params_text import with_values
from textclf.params import parse
from textclf.project.init.presets import PRESETS
from textclf.project.init.protocol import choose_settings, find_order, offer_settings

TABLES = {
    "few rows": "10 12 8",
    "two classes": TWO,
    "500 classes of few rows": "500*4",
    "500 classes": "500*40",
    "unbalanced": "5000 100",
    "unbalanced, few rows": "500 10",
    "many rows": "150000 150000",
    "millions of rows": "1500000 1500000",
}


def choose(classes: str, preset: str = "good", **more: Any) -> dict[str, Any]:
    chosen = choose_settings(
        preset, make_survey(classes, **more), ["logistic_regression", "combined"]
    )
    return {choice.key: choice.value for choice in chosen}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", TABLES)
def test_the_settings_are_valid(name: str, preset: str) -> None:
    params = parse(with_values(TEXT, choose(TABLES[name], preset=preset) | {"export.model": None}))
    assert (params.split.validation_size > 0) == (preset == "best" and "few rows" not in name)
    assert params.gate.minimum == params.gate.maximum_drop == {}
    assert params.split.stratify == (params.split.method == "random")
    assert params.split.group_duplicates


@pytest.mark.parametrize("name", [name for name in TABLES if name != "millions of rows"])
def test_each_stratified_split_has_a_row_of_each_class(name: str) -> None:
    chosen, classes = choose(TABLES[name], preset="best"), rows(TABLES[name])
    sizes = [chosen["split.test_size"], *filter(None, [chosen["split.validation_size"]])]
    total = sum(classes.values())
    assert all(size * total >= len(classes) for size in (*sizes, 1 - sum(sizes)))
    assert sizes[0] * min(classes.values()) >= 1


def test_rows_that_are_united_are_not_streamed() -> None:
    classes = TABLES["millions of rows"]
    assert choose(classes, sets=2_000_000)["split.method"] == "hash"
    chosen = choose(classes, sets=2_000_000, unites=True)
    assert (chosen["split.method"], chosen["split.stratify"]) == ("random", True)


def test_settings_that_were_changed_before_are_those_of_the_table() -> None:
    # A second table must not inherit what was chosen for the first.
    keys = [set(choose(classes)) for classes in TABLES.values()]
    assert all(each == keys[0] for each in keys)
    assert not any("class_weight" in key for key in keys[0])  # so that probabilities stay honest


def test_settings_and_offers_follow_the_rows_as_approved() -> None:
    def say(case: str) -> list[str]:
        """Return the choices and offers for a survey, named and described in YAML."""
        known = approved.described(case)
        preset, models = (
            known.pop("preset", "good"),
            known.pop("models", ["logistic_regression", "combined"]),
        )
        result = make_survey(**known)
        choices = [
            f"{each.key}: {each.value} ({each.reason})"
            for each in choose_settings(preset, result, models)
        ]
        return choices + [
            f"offered: {each.key}: {each.value} ({each.reason})"
            for each in offer_settings(result, [])
        ]

    approved.check_differences(Path(__file__).with_name("protocol.txt"), say)


def test_one_class_of_enough_texts_is_not_enough() -> None:
    with pytest.raises(
        UserError,
        match=(
            r"two classes must have at least 4 different texts.*; got .* c001 \(3\), "
            r"c002 \(1\); "
        ),
    ):
        choose("3*20", distinct="20 3 1")


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["2", "1", "3"], ["1", "2", "3"]),
        (["5", "4", "3", "2", "1"], ["1", "2", "3", "4", "5"]),
        (["High", "low", "Medium"], ["low", "Medium", "High"]),
        (["urgent", "normal", "low", "high"], ["low", "normal", "high", "urgent"]),
        (["0", "1", "2"], None),
        (["1", "2", "4"], None),
        (["1", "2"], None),
        (["1", "01", "2"], None),
        ([str(number) for number in range(1, 12)], None),
        (["low", "high", "other"], None),
        (["medium", "moderate", "high"], None),
    ],
)
def test_integers_in_a_row_and_known_words_are_steps(
    labels: list[str], order: list[str] | None
) -> None:
    assert find_order(labels) == order


@pytest.mark.parametrize(("unknown", "ordered"), [(0, True), (5, False)])
def test_texts_of_no_class_have_no_place_in_an_order(unknown: int, ordered: bool) -> None:
    survey = make_survey(classes="50 50 50", unknown=unknown)
    steps = dict(zip("123", survey.classes.values(), strict=True))
    survey = replace(survey, classes=steps, distinct=steps)
    chosen = {each.key: each.value for each in choose_settings("fast", survey, ["a"])}
    assert chosen["data.order"] is ordered
