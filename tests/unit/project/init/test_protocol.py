"""Which settings suit a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import approved
from tests.settings import TEXT
from textclf.core.errors import UserError
from textclf.core.params_text import with_values
from textclf.params import parse
from textclf.project.init.presets import PRESETS
from textclf.project.init.protocol import choose_settings, offer_settings
from textclf.project.init.survey import Survey

TWO = {"a": 1_000, "b": 1_000}
TABLES: dict[str, Mapping[str, int]] = {
    "few rows": {"a": 10, "b": 12, "c": 8},
    "two classes": TWO,
    "500 classes of few rows": {f"c{n}": 4 for n in range(500)},
    "500 classes": {f"c{n}": 40 for n in range(500)},
    "unbalanced": {"a": 5_000, "b": 100},
    "unbalanced, few rows": {"a": 500, "b": 10},
    "many rows": {"a": 150_000, "b": 150_000},
    "millions of rows": {"a": 1_500_000, "b": 1_500_000},
}


def choose(
    classes: Mapping[str, int], distinct: Mapping[str, int] | None = None, preset: str = "good", **more: Any
) -> dict[str, Any]:
    known: dict[str, Any] = {"longest": 20, "language": "English"} | more
    found = Survey(dict(classes), dict(distinct or classes), 0, 0, 0, 10, **known)
    return {choice.key: choice.value for choice in choose_settings(preset, found, ["logistic_regression", "combined"])}


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
    chosen, classes = choose(TABLES[name], preset="best"), TABLES[name]
    sizes = [chosen["split.test_size"], *filter(None, [chosen["split.validation_size"]])]
    rows = sum(classes.values())
    assert all(size * rows >= len(classes) for size in (*sizes, 1 - sum(sizes)))
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


def rows(*counts: int) -> dict[str, int]:
    return {f"c{number:03}": count for number, count in enumerate(counts)}


BEST = {"preset": "best"}
SEVERAL = {**BEST, "sets": 300}
RARE = {"given": {"train": 23, "test": 11}}
RARE_OF_MANY = {"given": {"train": 1_402, "test": 403}}
SURVEYS: dict[str, tuple[dict[str, int], dict[str, Any]]] = {  # rows per class, and what else the survey has
    "two equal classes": (rows(5_000, 5_000), {}),
    "preset fast": (rows(5_000, 5_000), {"preset": "fast"}),
    "preset best": (rows(5_000, 5_000), BEST),
    # The smaller of two unequal classes is positive, and its threshold is chosen by f1 with 10 of its rows.
    "a rare class": (rows(100, 5_000), {}),
    "10 rows of a rare class": (rows(10, 5_000), {}),
    "9 rows of a rare class": (rows(9, 5_000), {}),
    "10 validation rows of a rare class": (rows(67, 5_000), BEST),
    "9 validation rows of a rare class": (rows(66, 5_000), BEST),
    "a less rare class": (rows(900, 100), {}),
    "a class of 5%": (rows(950, 50), {}),
    "a rare class of three": (rows(5_000, 4_000, 100), {}),
    "four rare classes": (rows(*[100] * 6, *[5] * 4), {}),
    "60 equal classes": (rows(*[100] * 60), {}),
    # Many rows are split by hash, and may not fit into memory for a refit.
    "rows that fit into memory": (rows(500_000, 499_999), {}),
    "many rows": (rows(500_000, 500_000), {}),
    # Validation rows are for the slow model: not for few rows, and not if rows are given.
    "rows too few to validate": (rows(500, 499), BEST),
    "rows to validate": (rows(500, 500), BEST),
    "rows per class too few to validate": (rows(*[20] * 59, 19), BEST),
    "rows per class to validate": (rows(*[20] * 60), BEST),
    "a text per class to validate": (rows(*[20] * 60), {**BEST, "distinct": rows(*[4] * 60)}),
    "given test rows, too few others": (rows(1_000, 1_000), {**BEST, "given": {"train": 999, "test": 1_001}}),
    "given test rows": (rows(1_000, 1_000), {**BEST, "given": {"train": 1_000, "test": 1_000}}),
    "given validation rows": (rows(1_000, 1_000), {"given": {"train": 1_500, "validation": 500}}),
    "given validation rows, best": (rows(1_000, 1_000), {**BEST, "given": {"train": 1_500, "validation": 500}}),
    "one model": (rows(1_000, 1_000), {"models": ["logistic_regression"]}),
    "rows too few to choose a model": (rows(67, 66), {}),
    "the same and a tuned model": (rows(67, 66), {"models": ["sentence_vectors", "contrastive"]}),
    "the same of a larger encoder": (rows(67, 66), {**BEST, "models": ["sentence_vectors", "contrastive"]}),
    "the same in German": (rows(67, 66), {"language": "German"}),
    "the same of long texts": (rows(67, 66), {"longest": 300}),
    "rows to choose a model": (rows(67, 67), {}),
    "given rows too few to choose a model": (rows(100, 99), {"given": {"train": 99, "test": 100}}),
    "given rows to choose a model": (rows(100, 100), {"given": {"train": 100, "test": 100}}),
    "few given validation rows": (rows(30, 30), {"given": {"train": 30, "validation": 30}}),
    "few texts of two classes": (rows(20, 4, 3, 1), {}),
    "9 texts of rare classes": (rows(20, 4, 2, 2, 2, 2, 1), {}),
    "20 texts of rare classes": (rows(20, 4, *[3] * 6, 2), {}),
    "given test rows, one row of a class to learn": (rows(20, 9, 2, 3), {**RARE, "distinct": rows(15, 7, 1)}),
    "given test rows, none of a class": (rows(20, 9, 2, 3), {**RARE, "distinct": rows(15, 7, 1, 0)}),
    "the same and validation rows": (rows(900, 900, 2, 3), {**BEST, **RARE_OF_MANY, "distinct": rows(700, 700, 2, 1)}),
    "rare labels": (rows(20, 4, 3, 1), {"sets": 40}),
    "several labels": (rows(150, 10), SEVERAL),
    "several labels of many rows": (rows(1_500, 100), {**BEST, "sets": 3_000}),
    "several labels of given validation rows": (rows(150, 10), {**SEVERAL, "given": {"validation": 50}}),
}


def test_settings_and_offers_follow_the_rows_as_approved() -> None:
    said = {}
    for name, (classes, more) in SURVEYS.items():
        known: dict[str, Any] = {"longest": 20, "language": "English", "distinct": classes} | more
        preset, models = known.pop("preset", "good"), known.pop("models", ["logistic_regression", "combined"])
        found = Survey(classes, known.pop("distinct"), 0, 0, 0, 10, **known)
        choices = [f"{each.key}: {each.value} ({each.reason})" for each in choose_settings(preset, found, models)]
        offers = [f"offered: {each.key}: {each.value} ({each.reason})" for each in offer_settings(found, [])]
        said[name] = choices + offers
    approved.check(approved.differences(said), Path(__file__).with_name("protocol.txt"))


def test_one_class_of_enough_texts_is_not_enough() -> None:
    with pytest.raises(
        UserError, match=r"two classes must have at least 4 different texts.*; got .* b \(3\), c \(1\); "
    ):
        choose({"a": 20, "b": 20, "c": 20}, {"a": 20, "b": 3, "c": 1})
