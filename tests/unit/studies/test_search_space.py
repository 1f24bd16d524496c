"""The values of a trial and the settings that they make, and the errors of search.space that check reports."""

from typing import Any

from tests.settings import train
from textclf.core.settings import validate
from textclf.models.settings import Train
from textclf.studies.search import space
from textclf.studies.search.space import Dimension, complete
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
