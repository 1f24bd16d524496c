"""The values of a trial and the settings that they make, and the errors of search.space that check reports."""

from typing import Any

import pytest

from tests.settings import TEXT, train
from textclf.core.errors import UserError
from textclf.core.settings import validate
from textclf.models.settings import Train
from textclf.params import parse
from textclf.studies.search import space
from textclf.studies.search.defaults import complete
from textclf.studies.search.space import Dimension
from textclf.studies.settings import CompleteSearch, Search
from textclf.vectorize.settings import Combine, Vectorize

TRAIN, VECTORIZE, NONE = train(), Vectorize.model_validate({"words": {}}), Combine()


def test_values_change_settings_of_the_model_and_of_its_representation() -> None:
    values = {"C": 3, "class_weight": "balanced", "vectorize.words.ngram_range": [1, 2], "vectorize.words.min_df": 2}
    changed, vectorize = space.apply(TRAIN, VECTORIZE, NONE, "logistic_regression", values)
    assert (changed["logistic_regression"].C, changed["logistic_regression"].class_weight) == (3.0, "balanced")
    assert (vectorize["words"].ngram_range, vectorize["words"].min_df) == ((1, 2), 2)
    assert (changed["logistic_regression"].solver, vectorize["words"].max_df) == ("auto", 1.0)  # as they were
    assert changed["keras"] == TRAIN["keras"]
    assert TRAIN["logistic_regression"].C == 1.0


def test_a_model_of_another_name_can_be_searched() -> None:
    named = Train.model_validate({"mine": {"kind": "keras", "features": "words", "units": [3]}})
    changed, _ = space.apply(named, VECTORIZE, NONE, "mine", {"epochs": 7})
    assert (changed["mine"].epochs, changed["mine"].units, changed["mine"].kind) == (7, (3,), "keras")


def test_a_range_is_of_whole_numbers_if_the_setting_is() -> None:
    given = {
        "C": {"low": 1, "high": 10},
        "max_iter": {"low": 1, "high": 10},
        "vectorize.words.min_df": {"low": 1, "high": 3},
        "vectorize.words.max_df": {"low": 0.5, "high": 1.0, "log": True},
        "solver": ["lbfgs", "stream"],
    }
    found = space.dimensions(search(space=given), TRAIN, VECTORIZE, NONE)
    assert found == {
        "C": Dimension(None, 1.0, 10.0, False, False),
        "max_iter": Dimension(None, 1, 10, False, True),
        "vectorize.words.min_df": Dimension(None, 1, 3, False, True),
        "vectorize.words.max_df": Dimension(None, 0.5, 1.0, True, False),
        "solver": Dimension(("lbfgs", "stream")),
    }
    assert [each.size for each in found.values()] == [float("inf"), 10, 3, float("inf"), 2]


def search(vectorize: Vectorize = VECTORIZE, **settings: Any) -> CompleteSearch:
    return complete(validate(Search, settings, "params.yaml", "search"), TRAIN, vectorize, NONE)


CONDITIONAL = {
    "C": [1, 10],
    "vectorize.words.sublinear_tf": [False, True],
    "vectorize.words.weighting": ["counts", "tfidf", "binary"],
}


def test_a_setting_has_the_condition_of_its_section_if_the_other_setting_is_searched() -> None:
    found = space.dimensions(search(space=CONDITIONAL), TRAIN, VECTORIZE, NONE)
    condition = ("vectorize.words.weighting", ("tfidf",), False)
    none = (None, (), None)
    assert [(each.other, each.needed, each.otherwise) for each in found.values()] == [none, condition, none]
    assert space.combinations(found) == 2 * (1 + 2 + 1)
    alone = {"vectorize.words.sublinear_tf": [False, True]}
    tfidf = Vectorize.model_validate({"words": {"weighting": "tfidf"}})
    found = space.dimensions(search(tfidf, space=alone), TRAIN, tfidf, NONE)
    assert [each.other for each in found.values()] == [None]


def test_a_setting_that_does_not_apply_has_its_default_in_the_pipeline() -> None:
    sublinear = Vectorize.model_validate({"words": {"weighting": "tfidf", "sublinear_tf": True}})
    found = space.dimensions(search(sublinear, space=CONDITIONAL), TRAIN, sublinear, NONE)
    counts, tfidf = (
        space.with_defaults({"vectorize.words.weighting": weighting}, found) for weighting in ("counts", "tfidf")
    )
    assert counts == {"vectorize.words.weighting": "counts", "vectorize.words.sublinear_tf": False}
    assert tfidf == {"vectorize.words.weighting": "tfidf"}
    _, vectorize = space.apply(TRAIN, sublinear, NONE, "logistic_regression", counts)
    assert (vectorize["words"].weighting, vectorize["words"].sublinear_tf) == ("counts", False)


def test_limits_are_validated_with_the_values_that_they_need() -> None:
    hashed = Vectorize.model_validate({"words": {"hashing": 16}})
    given = {"vectorize.words.hashing": [16, None], "vectorize.words.max_features": {"low": 1, "high": 9}}
    assert space.combinations(space.dimensions(search(hashed, space=given), TRAIN, hashed, NONE)) == 1 + 9


def test_the_command_sets_every_value_and_is_quoted_for_a_shell() -> None:
    values = {"units": (64, 32), "class_weight": None, "vectorize.words.token_pattern": "a b"}
    assert space.command("keras", values) == (
        "dvc exp run -S '++train.keras.units=[64,32]' -S ++train.keras.class_weight=null "
        "-S '++vectorize.words.token_pattern=a b'"
    )


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("{model: cnm}", "search.model must be a model of train that tells texts apart; got cnm; "),
        ("{model: majority}", "search.model must be a model of train that tells texts apart; got majority; "),
        (
            "{space: {vectorize.words.sublinear_tf: [true]}}",
            "search.space: vectorize.words: weighting must be tfidf for sublinear_tf; got counts",
        ),
        (
            "{space: {vectorize.words.char_ngram_range: [[3, 2]], vectorize.words.analyzer: [char]}}",
            "search.space: vectorize.words: char_ngram_range must be [smallest, largest]; got [3, 2]",
        ),
        ("{space: {Cc: [1]}}", "search.space: train.logistic_regression.Cc is no setting; did you mean C?"),
        ("{space: {C: [1, 0]}}", "search.space: train.logistic_regression.C must be "),
        ("{space: {C: {low: 0.0, high: 1.0}}}", "search.space: train.logistic_regression.C must be "),
        ("{space: {solver: {low: 1, high: 2}}}", "search.space: train.logistic_regression.solver must be one of "),
        ("{space: {vectorize.words.min: [1]}}", "search.space: vectorize.words.min is no setting; "),
        ("{space: {vectorize.words: [1]}}", "search.space: vectorize.words.'' is no setting; "),
        ("{space: {vectorize.letters.min_df: [1]}}", "search.space: vectorize.letters must be a representation that "),
        ("{space: {features: [words, letters]}}", "search.space: train.logistic_regression.features must name "),
        ("{model: keras, space: {early_stopping: [5]}}", "search.space: split.validation_size must be greater than 0 "),
        ("{space: {}}", "search.space must be "),
        ("{space: {C: []}}", "search.space.C must be a list of values, or {low: ..., high: ...}; got []"),
        ("{space: {C: 3}}", "search.space.C must be a list of values, or {low: ..., high: ...}; got 3"),
        ("{space: {C: [1, 1]}}", "search.space.C must be a list without repetitions; got [1, 1]"),
        ("{space: {C: {low: 2, high: 1}}}", "search.space.C: low must be below high; got 2 and 1"),
        ("{space: {C: {low: 0, high: 1, log: true}}}", "search.space.C: low must be greater than 0 if log is true"),
        ("{space: {C: {low: 1}}}", "search.space.C.high is missing; it must be set"),
        ("{metric: los}", "search.metric must be one of accuracy, "),
        (
            "{sampler: grid, space: {C: {low: 1, high: 2}}}",
            "search: space.C must be a list if sampler is grid; got low and high",
        ),
        ("{sampler: grid, trials: 1, space: {C: [1, 2]}}", "search.trials must be at least 2, all combinations, "),
        ("{sampler: grid}", "search: space must have a list for each setting if sampler is grid; got null"),
    ],
)
def test_a_wrong_search_is_one_clear_line(section: str, line: str) -> None:
    (only,) = errors_of(section)
    assert only.startswith(f"params.yaml: {line}")


def test_each_setting_with_wrong_values_is_told_once() -> None:
    lines = errors_of("{space: {C: [0, 1, -1], max_iter: [0, 0.5], solver: [lbfgs]}}")
    start = "params.yaml: search.space: train.logistic_regression"
    assert [line.partition(" must ")[0] for line in lines] == [f"{start}.C", f"{start}.max_iter"]
    assert lines[0].endswith("got 0")  # the first of the values


def errors_of(section: str) -> tuple[str, ...]:
    with pytest.raises(UserError) as error:
        parse(f"{TEXT.partition('search:')[0].rstrip()}\n\nsearch: {section}\n")
    return error.value.lines
