"""A trial's values, the settings that they make, and errors of search.space."""

from typing import Any

import pytest

from tests.processes import ROOT
from tests.refusal import refusal
from tests.settings import TEXT, put, train
from textclf.core.errors import UserError
from textclf.core.settings import validate
from textclf.models.settings import CONSTANT, KINDS, Train
from textclf.params import conflicts, parse, searched
from textclf.studies.search import space
from textclf.studies.search.space import MODELS, TERMS, WEIGHTS, Dimension, complete, default_space
from textclf.studies.settings import CompleteSearch, Range, Search
from textclf.vectorize.settings import Combine, Vectorize

TRAIN, VECTORIZE, NONE = train(), Vectorize.model_validate({"words": {}}), Combine()
WORDS = Vectorize.model_validate({"words": {}})
BOTH = Combine.model_validate({"both": {"first": "words", "second": "letters"}})
READ = {"embedding": "token_ids", "cnn": "token_ids", "transformer": "wordpieces"}


def test_values_change_settings_of_the_model_and_of_its_representation() -> None:
    values = {
        "C": 3,
        "class_weight": "balanced",
        "vectorize.words.ngram_range": [1, 2],
        "vectorize.words.min_df": 2,
    }
    changed, vectorize = space.apply(TRAIN, VECTORIZE, NONE, "logistic_regression", values)
    assert (changed["logistic_regression"].C, changed["logistic_regression"].class_weight) == (
        3.0,
        "balanced",
    )
    assert (vectorize["words"].ngram_range, vectorize["words"].min_df) == ((1, 2), 2)
    # Other settings are as they were.
    assert (changed["logistic_regression"].solver, vectorize["words"].max_df) == ("auto", 1.0)
    assert changed["keras"] == TRAIN["keras"]
    assert TRAIN["logistic_regression"].C == 1.0


def test_a_model_of_another_name_can_be_searched() -> None:
    named = Train.model_validate({"mine": {"kind": "keras", "features": "words", "units": [3]}})
    changed, _ = space.apply(named, VECTORIZE, NONE, "mine", {"epochs": 7})
    assert (changed["mine"].epochs, changed["mine"].units, changed["mine"].kind) == (
        7,
        (3,),
        "keras",
    )


def test_a_range_is_of_whole_numbers_if_the_setting_is() -> None:
    given = {
        "C": {"low": 1, "high": 10},
        "max_iter": {"low": 1, "high": 10},
        "vectorize.words.min_df": {"low": 1, "high": 3},
        "vectorize.words.max_df": {"low": 0.5, "high": 1.0, "log": True},
        "solver": ["lbfgs", "stream"],
    }
    dimensions = space.dimensions(search(space=given), TRAIN, VECTORIZE, NONE)
    assert dimensions == {
        "C": Dimension(None, 1.0, 10.0, False, False),
        "max_iter": Dimension(None, 1, 10, False, True),
        "vectorize.words.min_df": Dimension(None, 1, 3, False, True),
        "vectorize.words.max_df": Dimension(None, 0.5, 1.0, True, False),
        "solver": Dimension(("lbfgs", "stream")),
    }
    assert [each.size for each in dimensions.values()] == [float("inf"), 10, 3, float("inf"), 2]


def search(vectorize: Vectorize = VECTORIZE, **settings: Any) -> CompleteSearch:
    return complete(validate(Search, settings, "params.yaml", "search"), TRAIN, vectorize, NONE)


CONDITIONAL = {
    "C": [1, 10],
    "vectorize.words.sublinear_tf": [False, True],
    "vectorize.words.weighting": ["counts", "tfidf", "binary"],
}


def test_a_setting_has_the_condition_of_its_section_if_the_other_setting_is_searched() -> None:
    dimensions = space.dimensions(search(space=CONDITIONAL), TRAIN, VECTORIZE, NONE)
    condition = ("vectorize.words.weighting", ("tfidf",), False)
    none = (None, (), None)
    assert [(each.other, each.needed, each.otherwise) for each in dimensions.values()] == [
        none,
        condition,
        none,
    ]
    assert space.combinations(dimensions) == 2 * (1 + 2 + 1)
    alone = {"vectorize.words.sublinear_tf": [False, True]}
    tfidf = Vectorize.model_validate({"words": {"weighting": "tfidf"}})
    dimensions = space.dimensions(search(tfidf, space=alone), TRAIN, tfidf, NONE)
    assert [each.other for each in dimensions.values()] == [None]


def test_a_setting_that_does_not_apply_has_its_default_in_the_pipeline() -> None:
    sublinear = Vectorize.model_validate({"words": {"weighting": "tfidf", "sublinear_tf": True}})
    dimensions = space.dimensions(search(sublinear, space=CONDITIONAL), TRAIN, sublinear, NONE)
    counts, tfidf = (
        space.with_defaults({"vectorize.words.weighting": weighting}, dimensions)
        for weighting in ("counts", "tfidf")
    )
    assert counts == {"vectorize.words.weighting": "counts", "vectorize.words.sublinear_tf": False}
    assert tfidf == {"vectorize.words.weighting": "tfidf"}
    _, vectorize = space.apply(TRAIN, sublinear, NONE, "logistic_regression", counts)
    assert (vectorize["words"].weighting, vectorize["words"].sublinear_tf) == ("counts", False)


def test_limits_are_validated_with_the_values_that_they_need() -> None:
    hashed = Vectorize.model_validate({"words": {"hashing": 16}})
    given = {
        "vectorize.words.hashing": [16, None],
        "vectorize.words.max_features": {"low": 1, "high": 9},
    }
    assert (
        space.combinations(space.dimensions(search(hashed, space=given), TRAIN, hashed, NONE))
        == 1 + 9
    )


def test_the_command_sets_every_value_and_is_quoted_for_a_shell() -> None:
    values = {"units": (64, 32), "class_weight": None, "vectorize.words.token_pattern": "a b"}
    assert space.command("keras", values) == (
        "dvc exp run -S '++train.keras.units=[64,32]' -S ++train.keras.class_weight=null "
        "-S '++vectorize.words.token_pattern=a b'"
    )


def test_the_default_is_the_first_model_that_tells_texts_apart() -> None:
    assert (
        complete(Search(), train("majority", "nb_svm", "keras"), WORDS, Combine()).model == "nb_svm"
    )
    with pytest.raises(UserError, match="a model of train that tells texts apart; got majority"):
        complete(Search(), train("majority"), WORDS, Combine())


@pytest.mark.parametrize(
    ("exported", "model"), [("keras", "keras"), ("null", "logistic_regression")]
)
def test_the_model_of_the_run_comes_before_the_first_one(exported: str, model: str) -> None:
    params = parse(put("export.model", exported, text=TEXT))
    assert complete(searched(params), params.train, params.vectorize, params.combine).model == model
    named = params.model_copy(update={"search": Search(model="keras")})
    assert searched(named).model == "keras"


def test_features_that_the_model_can_not_read_are_refused() -> None:
    letters = Vectorize.model_validate({"letters": {}})
    said = refusal(complete, Search(), train("logistic_regression"), letters, Combine())
    assert said.startswith(
        "params.yaml: train.logistic_regression.features must name a representation"
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != CONSTANT])
@pytest.mark.parametrize(
    "settings", [{}, {"analyzer": "word+char"}, {"hashing": 64, "weighting": "tfidf"}]
)
def test_each_kind_of_model_has_a_space_that_its_settings_take(
    kind: str, settings: dict[str, object]
) -> None:
    section = {"method": READ[kind]} if kind in READ else settings
    params = parse(
        f"vectorize: {{words: {section}}}\ntrain: {{mine: {{kind: {kind}, features: words}}}}\n"
        f"search: {{trials: 3}}"
    )
    assert list(conflicts(params)) == []
    dimensions = complete(params.search, params.train, params.vectorize, params.combine)
    assert dimensions.space
    assert all(
        dimension.size > 1
        for dimension in space.dimensions(
            dimensions, params.train, params.vectorize, Combine()
        ).values()
    )


def test_only_settings_that_apply_and_of_representations_the_model_reads_are_searched() -> None:
    vectorize = Vectorize.model_validate(
        {
            "words": {"hashing": 64},
            "letters": {"analyzer": "char"},
            "other": {},
            "vectors": {"method": "encoder"},
        }
    )
    models = Train.model_validate({"mine": {"kind": "logistic_regression", "features": "both"}})
    searched = {
        "words": ("weighting", "sublinear_tf", "ngram_range"),
        "letters": ("weighting", "sublinear_tf", "char_ngram_range", "min_df"),
    }
    of_both = [
        f"vectorize.{name}.{setting}" for name, settings in searched.items() for setting in settings
    ]
    assert list(default_space(models["mine"], vectorize, BOTH)) == ["C", *of_both]
    alone = {"mine": {"kind": "logistic_regression", "features": "vectors"}}
    assert list(default_space(Train.model_validate(alone)["mine"], vectorize, BOTH)) == ["C"]


def test_a_model_of_presence_has_no_weights_to_search() -> None:
    dimensions = default_space(train("nb_svm")["nb_svm"], WORDS, Combine())
    assert list(dimensions) == [
        "C",
        "alpha",
        "beta",
        "vectorize.words.ngram_range",
        "vectorize.words.min_df",
    ]


def test_the_docs_name_each_kind_and_each_setting() -> None:
    rows = [
        line
        for line in (ROOT / "docs/search.md").read_text("utf-8").splitlines()
        if line.startswith("| `")
    ]
    table = " ".join(rows)
    words = {word.strip(",;") for word in table.split()}
    for kind, settings in {**MODELS, "terms": {**WEIGHTS, **TERMS}}.items():
        assert {f"`{name}`" for name in (kind, *settings)} <= words


def test_every_strength_of_a_linear_model_is_drawn_from_a_hundredth_to_a_hundred() -> None:
    strengths = [settings["C"] for settings in MODELS.values() if "C" in settings]
    assert strengths == [Range(low=0.01, high=100.0, log=True)] * 3
