"""Which settings suit a table."""

from collections.abc import Mapping
from typing import Any

import pytest

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
    """Return the chosen settings by their key."""
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


@pytest.mark.parametrize(
    ("rows", "given", "threshold"), [(3000, {}, "f1"), (300, {}, 0.5), (300, {"validation": 50}, "f1")]
)
def test_thresholds_of_several_labels_are_chosen_on_validation_rows(
    rows: int, given: dict[str, int], threshold: object
) -> None:
    classes = {"a": rows // 2, "b": rows // 30}
    chosen = choose(classes, preset="best", sets=rows, given=given)
    assert (chosen["evaluate.threshold"], chosen["evaluate.calibration"]) == (threshold, "none")
    assert (chosen["data.classes"], chosen["split.stratify"]) == (None, True)
    assert not list(offer_settings(Survey(classes, classes, 0, 0, 0, 10, 20, sets=rows), []))


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


F1, VALIDATION, BEST = "evaluate.threshold", "split.validation_size", {"preset": "best"}
Case = tuple[dict[str, int], dict[str, Any], dict[str, Any]]
CASES: list[Case] = [  # rows per class, what else the survey has, and chosen settings
    # the smaller of two unequal classes is positive, and its threshold is chosen by f1 with 10 of its rows
    (rows(100, 5_000), {}, {"data.classes": ["c001", "c000"], F1: "f1"}),
    (rows(10, 5_000), {}, {F1: "f1"}),
    (rows(9, 5_000), {}, {F1: 0.5, "data.classes": ["c001", "c000"]}),
    (rows(67, 5_000), BEST, {F1: "f1"}),
    (rows(66, 5_000), BEST, {F1: 0.5}),
    (rows(900, 100), {}, {"data.classes": None, F1: 0.5}),
    (rows(5_000, 4_000, 100), {}, {"data.classes": None, F1: 0.5}),
    # many rows are split by hash, and may not fit into memory for a refit
    (rows(500_000, 499_999), {}, {"split.method": "random", "split.stratify": True, "export.refit": True}),
    (rows(500_000, 500_000), {}, {"split.method": "hash", "split.stratify": False, "export.refit": False}),
    # validation rows are for the slow model: not for few rows, and not if rows are given
    (rows(5_000, 5_000), {}, {VALIDATION: 0.0}),
    (rows(5_000, 5_000), {"preset": "fast"}, {VALIDATION: 0.0}),
    (rows(500, 499), BEST, {VALIDATION: 0.0}),
    (rows(500, 500), BEST, {VALIDATION: 0.15}),
    (rows(*[20] * 59, 19), BEST, {VALIDATION: 0.0}),
    (rows(*[20] * 60), BEST, {VALIDATION: 0.15}),
    (rows(*[20] * 60), BEST | {"distinct": rows(*[4] * 60)}, {VALIDATION: 0.25}),  # a text per class
    (rows(1_000, 1_000), BEST | {"given": {"train": 999, "test": 1_001}}, {VALIDATION: 0.0}),
    (rows(1_000, 1_000), BEST | {"given": {"train": 1_000, "test": 1_000}}, {VALIDATION: 0.15}),
    (rows(1_000, 1_000), BEST | {"given": {"train": 1_500, "validation": 500}}, {VALIDATION: 0.0}),
    # only best calibrates
    (TWO, BEST, {"evaluate.calibration": "temperature"}),
    (TWO, {}, {"evaluate.calibration": "none"}),
]


@pytest.mark.parametrize(("classes", "more", "chosen"), CASES)
def test_settings_follow_the_rows(classes: dict[str, int], more: dict[str, Any], chosen: dict[str, Any]) -> None:
    found = choose(classes, **more)
    assert {key: found[key] for key in chosen} == chosen


def test_given_validation_rows_choose_whatever_the_preset() -> None:
    found = Survey(TWO, TWO, 0, 0, 0, 10, 20, {"train": 1_500, "validation": 500})
    reasons = {choice.key: choice.reason for choice in choose_settings("good", found, ["a", "b"])}
    assert reasons["export.model"] == "the best on validation rows is the default model"


def test_a_single_model_is_named_as_the_default() -> None:
    found = Survey(TWO, TWO, 0, 0, 0, 10, 20)
    named = {choice.key: choice.value for choice in choose_settings("fast", found, ["logistic_regression"])}
    assert named["export.model"] == "logistic_regression"
    assert choose(TWO)["export.model"] is None


@pytest.mark.parametrize(
    ("classes", "given", "named"),
    [
        (rows(67, 66), {}, "sentence_vectors"),
        (rows(67, 67), {}, None),
        (rows(100, 99), {"train": 99, "test": 100}, "sentence_vectors"),
        (rows(100, 100), {"train": 100, "test": 100}, None),
        (rows(30, 30), {"train": 30, "validation": 30}, None),
    ],
)
def test_too_few_rows_choose_no_model(classes: dict[str, int], given: dict[str, int], named: str | None) -> None:
    assert choose(classes, given=given)["export.model"] == named
    assert choose(classes, given=given, language="German")["export.model"] is None
    assert choose(classes, given=given, longest=300)["export.model"] is None


def test_one_class_of_enough_texts_is_not_enough() -> None:
    with pytest.raises(
        UserError, match=r"two classes must have at least 4 different texts.*; got .* b \(3\), c \(1\); "
    ):
        choose({"a": 20, "b": 20, "c": 20}, {"a": 20, "b": 3, "c": 1})


@pytest.mark.parametrize(
    ("texts", "rare"), [([3, 1], "drop"), ([3] * 6 + [1], "drop"), ([3] * 6 + [2], "merge"), ([4, 5], None)]
)
def test_classes_of_few_texts_are_left_out_or_united_if_they_are_many(texts: list[int], rare: str | None) -> None:
    classes = {"a": 20, "b": 4} | {f"c{n}": count for n, count in enumerate(texts)}
    assert choose(classes).get("data.rare") == rare
    assert choose(classes, sets=40).get("data.rare") == rare
    found = Survey(classes, classes, 0, 0, 0, 10, 20)
    offers = {choice.key: choice.reason for choice in offer_settings(found, [])}
    assert "c0" not in offers.get("train.logistic_regression.class_weight", "") or texts[0] >= 4


@pytest.mark.parametrize(
    ("classes", "rare"),
    [
        (TWO, None),
        ({"a": 950, "b": 50}, "b"),
        ({f"c{n}": 100 for n in range(60)}, None),
        ({**{f"c{n}": 100 for n in range(6)}, "d": 5, "e": 5, "f": 5, "g": 5}, "d, e, f and 1 more"),
    ],
)
def test_weights_are_offered_if_a_class_is_rare(classes: dict[str, int], rare: str | None) -> None:
    offers = list(offer_settings(Survey(classes, classes, 0, 0, 0, 10, 20), []))
    assert [choice.key for choice in offers] == ["train.logistic_regression.class_weight"] * (rare is not None)
    assert all(f"finds more rows of {rare}, with" in choice.reason for choice in offers)
