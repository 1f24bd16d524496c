"""The model and the space of a search for which params.yaml names none."""

import pytest

from tests.processes import ROOT
from tests.refusal import refusal
from tests.settings import TEXT, put, train
from textclf.core.errors import UserError
from textclf.models.settings import CONSTANT, KINDS, Train
from textclf.params import conflicts, parse, searched
from textclf.studies.search import space
from textclf.studies.search.space import MODELS, TERMS, WEIGHTS, complete, default_space
from textclf.studies.settings import Range, Search
from textclf.vectorize.settings import Combine, Vectorize

WORDS = Vectorize.model_validate({"words": {}})
BOTH = Combine.model_validate({"both": {"first": "words", "second": "letters"}})
READ = {"embedding": "token_ids", "cnn": "token_ids", "transformer": "wordpieces"}


def test_the_default_is_the_first_model_that_tells_texts_apart() -> None:
    assert complete(Search(), train("majority", "nb_svm", "keras"), WORDS, Combine()).model == "nb_svm"
    with pytest.raises(UserError, match="a model of train that tells texts apart; got majority"):
        complete(Search(), train("majority"), WORDS, Combine())


@pytest.mark.parametrize(("exported", "model"), [("keras", "keras"), ("null", "logistic_regression")])
def test_the_model_of_the_run_comes_before_the_first_one(exported: str, model: str) -> None:
    params = parse(put("export.model", exported, text=TEXT))
    assert complete(searched(params), params.train, params.vectorize, params.combine).model == model
    named = params.model_copy(update={"search": Search(model="keras")})
    assert searched(named).model == "keras"


def test_features_that_the_model_can_not_read_are_refused() -> None:
    letters = Vectorize.model_validate({"letters": {}})
    said = refusal(complete, Search(), train("logistic_regression"), letters, Combine())
    assert said.startswith("params.yaml: train.logistic_regression.features must name a representation")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != CONSTANT])
@pytest.mark.parametrize("settings", [{}, {"analyzer": "word+char"}, {"hashing": 64, "weighting": "tfidf"}])
def test_each_kind_of_model_has_a_space_that_its_settings_take(kind: str, settings: dict[str, object]) -> None:
    section = {"method": READ[kind]} if kind in READ else settings
    params = parse(
        f"vectorize: {{words: {section}}}\ntrain: {{mine: {{kind: {kind}, features: words}}}}\nsearch: {{trials: 3}}"
    )
    assert list(conflicts(params)) == []
    found = complete(params.search, params.train, params.vectorize, params.combine)
    assert found.space
    assert all(
        dimension.size > 1 for dimension in space.dimensions(found, params.train, params.vectorize, Combine()).values()
    )


def test_only_settings_of_representations_that_the_model_reads_and_that_apply_are_searched() -> None:
    vectorize = Vectorize.model_validate(
        {"words": {"hashing": 64}, "letters": {"analyzer": "char"}, "other": {}, "vectors": {"method": "encoder"}}
    )
    models = Train.model_validate({"mine": {"kind": "logistic_regression", "features": "both"}})
    searched = {
        "words": ("weighting", "sublinear_tf", "ngram_range"),
        "letters": ("weighting", "sublinear_tf", "char_ngram_range", "min_df"),
    }
    of_both = [f"vectorize.{name}.{setting}" for name, settings in searched.items() for setting in settings]
    assert list(default_space(models["mine"], vectorize, BOTH)) == ["C", *of_both]
    alone = {"mine": {"kind": "logistic_regression", "features": "vectors"}}
    assert list(default_space(Train.model_validate(alone)["mine"], vectorize, BOTH)) == ["C"]


def test_a_model_of_presence_has_no_weights_to_search() -> None:
    found = default_space(train("nb_svm")["nb_svm"], WORDS, Combine())
    assert list(found) == ["C", "alpha", "beta", "vectorize.words.ngram_range", "vectorize.words.min_df"]


def test_the_docs_name_each_kind_and_each_setting() -> None:
    rows = [line for line in (ROOT / "docs/search.md").read_text("utf-8").splitlines() if line.startswith("| `")]
    table = " ".join(rows)
    for kind, found in {**MODELS, "terms": {**WEIGHTS, **TERMS}}.items():
        assert {f"`{name}`" for name in (kind, *found)} <= {word.strip(",;") for word in table.split()}


def test_every_strength_of_a_linear_model_is_drawn_from_a_hundredth_to_a_hundred() -> None:
    strengths = [found["C"] for found in MODELS.values() if "C" in found]
    assert strengths == [Range(low=0.01, high=100.0, log=True)] * 3
