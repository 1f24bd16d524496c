"""Which settings suit a table."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.settings import TEXT
from textclf.core.errors import UserError
from textclf.core.params_text import with_values
from textclf.init import protocol
from textclf.init.protocol import choose_settings, offer_settings
from textclf.init.survey import Survey
from textclf.models.settings import KINDS
from textclf.params import parse

TWO = {"a": 1_000, "b": 1_000}
TABLES: dict[str, Mapping[str, int]] = {
    "few rows": {"a": 10, "b": 12, "c": 8},
    "two classes": TWO,
    "six classes": {f"c{n}": 1_000 for n in range(6)},
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


@pytest.mark.parametrize("model", KINDS)
def test_no_class_is_given_weight_so_that_probabilities_stay_honest(model: str) -> None:
    assert f"train.{model}.class_weight" not in choose(TABLES["unbalanced"])


def test_c_is_searched_where_rows_and_classes_allow_it() -> None:
    def strengths(classes: Mapping[str, int], distinct: Mapping[str, int] | None = None) -> object:
        return choose(classes, distinct)["train.logistic_regression.C"]

    assert strengths(TWO) == protocol.STRENGTHS
    assert strengths(TABLES["500 classes"]) == strengths(TABLES["many rows"]) == 1.0
    assert strengths({"a": 1_000, "b": 9}) == 1.0
    assert strengths(TWO, {"a": 1_000, "b": 9}) == 1.0
    assert strengths({"a": 20, "b": 15}) == strengths({"a": 30, "b": 10}) == protocol.STRENGTHS
    assert strengths({"a": 20, "b": 14}) == 1.0  # all of two thirds of the training rows would be too few


def test_the_smaller_of_two_unequal_classes_is_positive_and_its_threshold_is_chosen_by_f1() -> None:
    chosen = choose({"a": 100, "b": 5_000})
    assert (chosen["data.classes"], chosen["evaluate.threshold"]) == (["b", "a"], "f1")
    chosen = choose(TABLES["unbalanced, few rows"])
    assert (chosen["data.classes"], chosen["evaluate.threshold"]) == (["a", "b"], 0.5)
    chosen = choose({"a": 5_000, "b": 4_000, "c": 100})
    assert (chosen["data.classes"], chosen["evaluate.threshold"]) == (None, 0.5)


def test_more_rows_take_larger_batches_and_fewer_epochs() -> None:
    chosen = [choose({"a": rows, "b": rows}) for rows in (100, 5_000, 50_000, 500_000)]
    batches = [each["train.keras.batch_size"] for each in chosen]
    epochs = [each["train.keras.epochs"] for each in chosen]
    assert batches == sorted(batches)
    assert epochs == sorted(epochs, reverse=True)


def test_millions_of_rows_are_split_by_hash_with_a_bounded_vocabulary() -> None:
    chosen = choose(TABLES["millions of rows"])
    assert (chosen["split.method"], chosen["vectorize.words.max_features"]) == ("hash", protocol.MOST_TERMS)
    assert choose(TWO)["vectorize.words.max_features"] is None


def test_a_class_of_too_few_texts_is_named() -> None:
    with pytest.raises(UserError, match=r"every class must have at least 4 different texts.*; got b \(3\), c \(1\); "):
        choose({"a": 20, "b": 20, "c": 20}, {"a": 20, "b": 3, "c": 1})


@pytest.mark.parametrize(
    ("classes", "given", "size"),
    [
        ({"a": 30, "b": 9}, {}, 0.0),
        ({"a": 30, "b": 10}, {}, 0.2),
        (
            {"a": 20, "b": 9},
            {"train": 19, "validation": 10},
            0.2,
        ),  # not used, but needed by what validation rows choose
    ],
)
def test_fewer_than_20_rows_per_class_leave_none_for_validation(
    classes: dict[str, int], given: dict[str, int], size: float
) -> None:
    chosen = choose(classes, given=given)
    assert chosen["split.validation_size"] == size
    assert chosen["train.keras.early_stopping"] == (10 if size else None)


@pytest.mark.parametrize(
    ("unspaced", "analyzer", "terms"),
    [(0.0, "word", None), (0.05, "word", None), (0.2, "word+char", 20_000), (1.0, "char", 20_000)],
)
def test_the_analyzer_follows_the_share_of_texts_without_spaces(
    unspaced: float, analyzer: str, terms: int | None
) -> None:
    chosen = choose(TWO, unspaced=unspaced)
    assert (chosen["vectorize.words.analyzer"], chosen["vectorize.words.max_features"]) == (analyzer, terms)
    assert parse(with_values(TEXT, chosen)).vectorize["words"].analyzer == analyzer


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
