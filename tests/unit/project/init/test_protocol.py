"""Which settings suit a table."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.settings import TEXT
from textclf.core.errors import UserError
from textclf.core.params_text import with_values
from textclf.params import parse
from textclf.project.init import protocol
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


def choose(classes: Mapping[str, int], distinct: Mapping[str, int] | None = None, **more: Any) -> dict[str, Any]:
    """Return the chosen settings by their key."""
    found = Survey(dict(classes), dict(distinct or classes), 0, 0, 0, 10, 20, **more)
    return {choice.key: choice.value for choice in choose_settings(found)}


@pytest.mark.parametrize("name", TABLES)
def test_the_settings_are_valid_and_keep_rows_for_every_choice(name: str) -> None:
    params = parse(with_values(TEXT, choose(TABLES[name])))
    few = "few rows" in name and "unbalanced" not in name
    assert (params.split.validation_size == 0) == few
    assert (params.train["keras"].early_stopping is None) == few
    assert params.gate.minimum == params.gate.maximum_drop == {}
    assert params.split.stratify == (params.split.method == "random")
    assert params.split.group_duplicates


@pytest.mark.parametrize("name", [name for name in TABLES if name != "millions of rows"])
def test_each_stratified_split_has_a_row_of_each_class(name: str) -> None:
    chosen, classes = choose(TABLES[name]), TABLES[name]
    sizes = [chosen["split.test_size"], *filter(None, [chosen["split.validation_size"]])]
    rows = sum(classes.values())
    assert all(size * rows >= len(classes) for size in (*sizes, 1 - sum(sizes)))
    assert sizes[0] * min(classes.values()) >= 1


def test_sizes_of_given_splits_are_said_to_be_unused() -> None:
    found = Survey(dict(TWO), dict(TWO), 0, 0, 0, 10, 20, {"train": 1_500, "test": 500})
    reasons = {choice.key: choice.reason for choice in choose_settings(found)}
    assert reasons["split.test_size"] == "not used: test rows are given"
    assert reasons["split.validation_size"].startswith("rows that choose")
    assert reasons["split.stratify"] == "every split that is drawn has each class in its share"


def test_settings_that_were_changed_before_are_those_of_the_table() -> None:
    # A second table must not inherit what was chosen for the first.
    keys = [set(choose(classes)) for classes in TABLES.values()]
    assert all(each == keys[0] for each in keys)
    assert not any("class_weight" in key for key in keys[0])  # so that probabilities stay honest


def rows(*counts: int) -> dict[str, int]:
    return {f"c{number:03}": count for number, count in enumerate(counts)}


C, CUT, F1 = "train.logistic_regression.C", "vectorize.words.max_features", "evaluate.threshold"
ANALYZER, VALIDATION, STOP = "vectorize.words.analyzer", "split.validation_size", "train.keras.early_stopping"
SEARCHED = protocol.STRENGTHS
Case = tuple[dict[str, int], dict[str, Any], dict[str, Any]]
CASES: list[Case] = [  # rows per class, what else the survey has, and chosen settings
    # C is searched with 10 distinct texts of each class, 15 without validation rows; 100,000 rows times classes
    (rows(30, 10), {}, {C: SEARCHED}),
    (rows(31, 9), {}, {C: 1.0}),
    (rows(1_000, 1_000), {"distinct": rows(1_000, 9)}, {C: 1.0}),
    (rows(20, 15), {}, {C: SEARCHED}),
    (rows(20, 14), {}, {C: 1.0}),
    (rows(50_000, 50_000), {}, {C: SEARCHED}),
    (rows(50_000, 50_001), {}, {C: 1.0}),
    (rows(11_111, 11_111, 11_111), {}, {C: SEARCHED}),
    (rows(11_111, 11_111, 11_112), {}, {C: 1.0}),
    # the smaller of two unequal classes is positive, and its threshold is chosen by f1 with 10 validation rows of it
    (rows(100, 5_000), {}, {"data.classes": ["c001", "c000"], F1: "f1"}),
    (rows(67, 5_000), {}, {F1: "f1"}),
    (rows(66, 5_000), {}, {F1: 0.5, "data.classes": ["c001", "c000"]}),
    (rows(500, 10), {}, {"data.classes": ["c000", "c001"], F1: 0.5}),
    (rows(900, 100), {}, {"data.classes": None, F1: 0.5}),
    (rows(5_000, 4_000, 100), {}, {"data.classes": None, F1: 0.5}),
    # many rows are split by hash, with a bounded vocabulary; the network sees them in larger batches, fewer times
    (rows(500_000, 499_999), {}, {"split.method": "random", "split.stratify": True, CUT: protocol.MOST_TERMS}),
    (rows(500_000, 500_000), {}, {"split.method": "hash", "split.stratify": False, CUT: protocol.MOST_TERMS}),
    (rows(50_000, 49_999), {}, {CUT: None, "train.keras.epochs": 20}),
    (rows(50_000, 50_000), {}, {CUT: protocol.MOST_TERMS}),
    (rows(1_000, 1_000), {}, {"train.keras.batch_size": 10, "train.keras.epochs": 100, STOP: 10}),
    (rows(1_000, 1_001), {}, {"train.keras.batch_size": 32, "train.keras.epochs": 50, STOP: 5}),
    (rows(200_000, 1), {"distinct": rows(9, 9)}, {"train.keras.batch_size": 512, "train.keras.epochs": 10, STOP: 2}),
    (rows(*[40] * 20), {}, {"train.keras.units": [10]}),
    (rows(*[40] * 21), {}, {"train.keras.units": [64]}),
    # fewer than 20 rows per class leave none for validation
    (rows(30, 9), {}, {VALIDATION: 0.0, STOP: None}),
    (rows(30, 10), {}, {VALIDATION: 0.2, STOP: 10}),
    (rows(20, 9), {"given": {"train": 19, "validation": 10}}, {VALIDATION: 0.2, STOP: 10}),  # unused, but valid
    (rows(250, 249), {}, {VALIDATION: 0.2}),
    (rows(250, 250), {}, {VALIDATION: 0.15}),
    (rows(*[20] * 25), {"distinct": rows(*[4] * 25)}, {VALIDATION: 0.25}),  # a text per class
    # the analyzer follows the share of texts without spaces
    (TWO, {"unspaced": 0.099}, {ANALYZER: "word", CUT: None, "vectorize.words.char_ngram_range": [2, 5]}),
    (TWO, {"unspaced": 0.1}, {ANALYZER: "word+char", CUT: 20_000, "vectorize.words.char_ngram_range": [1, 3]}),
    (TWO, {"unspaced": 0.5}, {ANALYZER: "char", CUT: 20_000}),
]


@pytest.mark.parametrize(("classes", "more", "chosen"), CASES)
def test_settings_follow_the_rows(classes: dict[str, int], more: dict[str, Any], chosen: dict[str, Any]) -> None:
    found = choose(classes, **more)
    assert {key: found[key] for key in chosen} == chosen
    assert parse(with_values(TEXT, found)).vectorize["words"].analyzer == found[ANALYZER]


def test_a_class_of_too_few_texts_is_named() -> None:
    with pytest.raises(UserError, match=r"every class must have at least 4 different texts.*; got b \(3\), c \(1\); "):
        choose({"a": 20, "b": 20, "c": 20, "d": 20}, {"a": 20, "b": 3, "c": 1, "d": 4})


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
