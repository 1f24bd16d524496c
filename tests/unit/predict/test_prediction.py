import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit

import textclf
from tests.settings import TEXT
from textclf import params
from textclf.artifacts import layers as portable
from textclf.artifacts.layers import Layer, Portable
from textclf.core.errors import UserError
from textclf.evaluate.statistics import Platt, Temperature
from textclf.params import Vectorize
from textclf.predict import predictor as prediction
from textclf.predict.predictor import Predictor
from textclf.vectorize import features
from textclf.vectorize.features import Vectorizer

TEXTS = ["The food was great, great!", "bad food", "", "nothing that is known", "Great. Bad. Great."]
WEIGHTS = {"bad": -3.0, "food": 0.25, "great": 2.0, "place": 0.5}
DAMAGED = "is damaged; remove it and run dvc repro (or dvc pull) to make it"
NOT_FOUND = "not found; run dvc repro (or dvc pull) to make it"


def vectorizer(**changes: object) -> Vectorizer:
    settings = Vectorize.model_validate(params.parse(TEXT).vectorize.model_dump() | changes)
    return Vectorizer.fit(["bad food", "great place", "great food"], settings)


def two(threshold: float = 0.5, scaling: Temperature | Platt | None = None) -> Predictor:
    """A linear model of two classes with the weights `WEIGHTS`."""
    model = portable.linear(("no", "yes"), np.array([list(WEIGHTS.values())]), np.array([-0.5]), "sigmoid")
    return Predictor(vectorizer(), model, threshold, scaling)


def three() -> Predictor:
    kernel = np.array([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    return Predictor(vectorizer(), Portable(("a", "b", "c"), (Layer(kernel, np.zeros(3), "softmax"),)))


def network() -> Predictor:
    generator = np.random.default_rng(0)
    hidden = Layer(generator.normal(size=(4, 3)), generator.normal(size=3), "relu")
    last = Layer(generator.normal(size=(3, 1)), np.zeros(1), "sigmoid")
    return Predictor(vectorizer(), Portable(("no", "yes"), (hidden, last)), 0.5)


def exported(predictor: Predictor, folder: Path) -> Path:
    """The files of a model, as the export stage leaves them."""
    folder.mkdir(parents=True)
    portable.write(predictor.model, folder)
    features.write_vectorizer(predictor.vectorizer, folder / features.VECTORIZER)
    scaling = {} if predictor.scaling is None else vars(predictor.scaling)
    threshold = {} if predictor.threshold is None else {"threshold": predictor.threshold}
    prediction.write_decision({**threshold, **scaling, "rows": 7}, folder / prediction.DECISION)
    return folder


# Labels and probabilities


def test_texts_become_labels_and_probabilities() -> None:
    scores = [4.25 - 0.5, -2.75 - 0.5, -0.5, -0.5, 1.0 - 0.5]
    assert two().predict_proba(TEXTS)[:, 1] == pytest.approx(expit(scores))
    assert two().predict_proba(TEXTS).sum(axis=1) == pytest.approx([1.0] * 5)
    assert two().predict(TEXTS) == ["yes", "no", "no", "no", "yes"]
    assert two().classes_ == ("no", "yes")


def test_the_most_probable_of_more_classes_is_the_label_of_equals_the_first() -> None:
    assert three().predict(TEXTS) == ["c", "a", "a", "a", "c"]


@pytest.mark.parametrize(("threshold", "label"), [(0.0, "yes"), (expit(-0.4), "no"), (expit(-0.6), "yes"), (1.0, "no")])
def test_the_positive_class_is_above_the_threshold(threshold: float, label: str) -> None:
    assert two(threshold).predict([""]) == [label]


def test_a_probability_at_the_threshold_is_not_above_it() -> None:
    probability = float(two().predict_proba([""])[0, 1])
    assert two(probability).predict([""]) == ["no"]


@pytest.mark.parametrize("scaling", [Temperature(2.5), Platt(0.5, 2.0)], ids=str)
def test_probabilities_are_scaled_before_the_threshold(scaling: Temperature | Platt) -> None:
    plain, scaled = two().predict_proba(TEXTS), two(0.5, scaling)
    assert scaled.predict_proba(TEXTS) == pytest.approx(scaling.apply(plain))
    assert scaled.predict(TEXTS) == ["yes" if p > 0.5 else "no" for p in scaling.apply(plain)[:, 1]]
    assert scaled.predict_proba([]).shape == (0, 2)


def test_labels_are_those_of_given_probabilities() -> None:
    assert two(0.7).labels(np.array([[0.4, 0.6], [0.2, 0.8]])) == ["no", "yes"]


@pytest.mark.parametrize("make", [two, three, network])
def test_no_texts_have_no_labels(make: Callable[[], Predictor]) -> None:
    predictor = make()
    assert predictor.predict([]) == []
    assert predictor.explain([]) == []
    assert predictor.predict_proba([]).shape == (0, len(predictor.classes_))


@pytest.mark.parametrize("text", ["one text", b"one text"])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "explain"])
def test_one_text_is_not_taken_for_texts(method: str, text: Any) -> None:
    with pytest.raises(TypeError, match="put it in a list"):
        getattr(two(), method)(text)


def test_any_iterable_of_texts_will_do() -> None:
    assert two().predict(iter(TEXTS)) == two().predict(tuple(TEXTS)) == two().predict(TEXTS)


# Explanations


def test_the_terms_that_decided_come_strongest_first_and_speak_for_the_label() -> None:
    expected = [
        [("great", 4.0), ("food", 0.25)],
        [("bad", 3.0), ("food", -0.25)],
        [],
        [],
        [("great", 4.0), ("bad", -3.0)],
    ]
    for found, wanted in zip(two().explain(TEXTS), expected, strict=True):
        assert [term for term, _ in found] == [term for term, _ in wanted]
        assert [weight for _, weight in found] == pytest.approx([weight for _, weight in wanted])


def test_the_weights_of_a_linear_model_add_up_to_its_log_odds() -> None:
    for text, found in zip(TEXTS, two().explain(TEXTS), strict=True):
        sign = 1 if two().predict([text]) == ["yes"] else -1
        total = sign * sum(weight for _, weight in found)
        assert total - 0.5 == pytest.approx(logit(two().predict_proba([text])[0, 1]))


def test_the_label_that_is_explained_is_that_of_the_threshold_and_the_scaling() -> None:
    for predictor in (two(0.999), two(0.5, Platt(1.0, -9.0))):
        assert predictor.predict(TEXTS[:1]) == ["no"]
        term, weight = predictor.explain(TEXTS[:1])[0][0]
        assert (term, round(weight, 9)) == ("great", -4.0)


@pytest.mark.parametrize("make", [two, three, network])
def test_a_weight_is_the_fall_of_the_labels_log_odds_without_the_term(make: Callable[[], Predictor]) -> None:
    predictor = make()
    for text in ("great food, bad place", "bad", "food great"):
        (label,) = predictor.predict([text])
        place = predictor.classes_.index(label)
        for term, weight in predictor.explain([text])[0]:
            both = predictor.predict_proba([text, text.replace(term, "")])[:, place]
            assert weight == pytest.approx(logit(both[0]) - logit(both[1]), rel=1e-6)


@pytest.mark.parametrize("count", [1, 2, 99, None])
def test_no_more_terms_than_asked_for_are_given(count: int | None) -> None:
    everything = two().explain(["great bad food place"])[0]
    assert [term for term, _ in everything] == ["bad", "great", "place", "food"]
    assert two().explain(["great bad food place"], count) == [everything[:count]]


def test_explanations_of_many_texts_are_those_of_each() -> None:
    for predictor in (two(), three(), network()):
        assert predictor.explain(TEXTS) == [predictor.explain([text])[0] for text in TEXTS]


def test_a_sure_label_is_explained_too() -> None:
    found = two().explain(["great " * 1000 + "food " * 1000])[0]
    assert [(term, round(weight, 6)) for term, weight in found] == [("great", 2000.0), ("food", 250.0)]


def test_terms_of_two_analyzers_and_hashed_ones_have_names() -> None:
    both = vectorizer(analyzer="word+char_wb")
    columns = sum(part.columns for part in both.parts)
    model = portable.linear(("no", "yes"), np.arange(1.0, columns + 1)[None], np.zeros(1), "sigmoid")
    terms = {term for term, _ in Predictor(both, model, 0.5).explain(["great"])[0]}
    assert {"word__great", "char_wb__gr"} <= terms
    hashed = vectorizer(hashing=64)
    model = portable.linear(("no", "yes"), np.ones((1, 64)), np.zeros(1), "sigmoid")
    assert {term for term, _ in Predictor(hashed, model, 0.5).explain(["great food"])[0]} == {"great", "food"}
    narrow = vectorizer(hashing=1)
    model = portable.linear(("no", "yes"), np.ones((1, 1)), np.zeros(1), "sigmoid")
    assert [term for term, _ in Predictor(narrow, model, 0.5).explain(["great food"])[0]] == ["great | food"]


def test_a_model_that_looks_at_no_term_explains_nothing() -> None:
    model = portable.linear(("no", "yes"), np.empty((2, 0)), np.log([0.25, 0.75]), "softmax")
    predictor = Predictor(vectorizer(), model, 0.5)
    assert predictor.predict(TEXTS) == ["yes"] * 5
    assert predictor.explain(TEXTS) == [[]] * 5


# Files


@pytest.mark.parametrize(
    "predictor",
    [two(), two(0.25, Temperature(1.7)), two(0.5, Platt(0.3, -0.1)), three(), network()],
    ids=["two", "temperature", "platt", "three", "network"],
)
def test_what_is_exported_comes_back_to_the_bit(predictor: Predictor, tmp_path: Path) -> None:
    again = textclf.load(exported(predictor, tmp_path / "model"))
    assert again.predict(TEXTS) == predictor.predict(TEXTS)
    assert again.predict_proba(TEXTS).tobytes() == predictor.predict_proba(TEXTS).tobytes()
    assert again.explain(TEXTS) == predictor.explain(TEXTS)
    assert (again.threshold, again.scaling) == (predictor.threshold, predictor.scaling)


def test_a_model_is_loaded_by_a_path_as_text(tmp_path: Path) -> None:
    assert textclf.load(str(exported(two(), tmp_path / "model"))).predict(["great"]) == ["yes"]


def test_a_decision_is_what_is_needed_to_decide(tmp_path: Path) -> None:
    decision = {"threshold": 0.3, "temperature": 2.0, "log_loss": 0.1, "rule": "f1"}
    prediction.write_decision(decision, tmp_path / "decision.json")
    content = json.loads((tmp_path / "decision.json").read_text())
    assert content == {"scaling": {"temperature": 2.0}, "threshold": 0.3}
    prediction.write_decision({}, tmp_path / "decision.json")
    assert json.loads((tmp_path / "decision.json").read_text()) == {"scaling": {}, "threshold": None}


NAMES = (prediction.DECISION, features.VECTORIZER, portable.DESCRIPTION, portable.WEIGHTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    (exported(two(), tmp_path / "model") / name).unlink()
    with pytest.raises(UserError) as error:
        textclf.load(tmp_path / "model")
    assert error.value.lines == (f"{tmp_path / 'model' / name} {NOT_FOUND}",)


def changed(change: Callable[[Any], object]) -> Callable[[str], str]:
    def text(content: str) -> str:
        value = json.loads(content)
        change(value)
        return json.dumps(value)

    return text


DAMAGE: dict[str, tuple[str, Callable[[str], str]]] = {
    "no JSON": (prediction.DECISION, lambda text: text[:-3]),
    "a list": (prediction.DECISION, lambda _: "[]"),
    "no threshold": (prediction.DECISION, changed(lambda value: value.pop("threshold"))),
    "a threshold that is null": (prediction.DECISION, changed(lambda value: value.update(threshold=None))),
    "a threshold that is text": (prediction.DECISION, changed(lambda value: value.update(threshold="high"))),
    "an unknown scaling": (prediction.DECISION, changed(lambda value: value.update(scaling={"isotonic": 1.0}))),
    "half a scaling": (prediction.DECISION, changed(lambda value: value.update(scaling={"slope": 1.0}))),
    "a scaling that is text": (prediction.DECISION, changed(lambda v: v.update(scaling={"temperature": "warm"}))),
    "half a vectorizer": (features.VECTORIZER, lambda text: text[: len(text) // 2]),
    "no parts": (features.VECTORIZER, changed(lambda value: value.update(parts=[]))),
    "no settings": (features.VECTORIZER, changed(lambda value: value.pop("settings"))),
    "a wrong setting": (features.VECTORIZER, changed(lambda value: value["settings"].update(analyzer="letters"))),
    "another analyzer": (features.VECTORIZER, changed(lambda value: value["parts"][0].update(analyzer="char"))),
    "a term too few": (features.VECTORIZER, changed(lambda value: value["parts"][0]["vocabulary"].pop())),
    "another width": (features.VECTORIZER, changed(lambda v: v["parts"][0].update(columns=3, vocabulary=["a"] * 3))),
    "columns that are text": (features.VECTORIZER, changed(lambda value: value["parts"][0].update(columns="4"))),
    "weights too few": (features.VECTORIZER, changed(lambda value: value["parts"][0].update(idf=[1.0]))),
}


@pytest.mark.parametrize(("name", "damage"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_named(name: str, damage: Callable[[str], str], tmp_path: Path) -> None:
    file = exported(two(), tmp_path / "model") / name
    file.write_text(damage(file.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(UserError) as error:
        textclf.load(tmp_path / "model")
    assert error.value.lines == (f"{file} {DAMAGED}",)


def test_a_threshold_of_three_classes_is_damage(tmp_path: Path) -> None:
    folder = exported(three(), tmp_path / "model")
    prediction.write_decision({"threshold": 0.5}, folder / prediction.DECISION)
    with pytest.raises(UserError, match=r"decision\.json is damaged"):
        textclf.load(folder)


# Which model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two models, of which `second` is the default."""
    for name in ("first", "second"):
        exported(two(), tmp_path / "models" / name)
    (tmp_path / "models" / prediction.INDEX).write_text('{"default": "second", "models": ["first", "second"]}')
    return tmp_path / "models"


def test_a_model_is_found_by_its_name_or_its_folder_or_as_the_default(folder: Path) -> None:
    assert prediction.default_model(folder) == "second"
    assert prediction.model_folder(folder, None) == folder / "second"
    assert prediction.model_folder(folder, "first") == folder / "first"
    assert prediction.model_folder(Path("elsewhere"), str(folder / "first")) == folder / "first"


@pytest.mark.parametrize("name", ["third", "", "../models", "a\nb", "\udcff"])
def test_an_unknown_model_is_an_error_that_lists_those_there_are(folder: Path, name: str) -> None:
    with pytest.raises(UserError) as error:
        prediction.model_folder(folder, name)
    rule = f"--model must be one in {folder} (first, second) or the folder of one"
    assert error.value.lines == (f"{rule}; got {name!r}; run dvc repro to make it",)
    assert len(error.value.lines[0].splitlines()) == 1


def test_an_unknown_model_where_there_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"must be one in .* \(none\) or the folder of one; got 'x'"):
        prediction.model_folder(tmp_path, "x")


INDEXES = [
    "",
    "[]",
    "{}",
    '{"default": "first"}',
    '{"default": null, "models": ["first"]}',
    '{"default": "third", "models": ["first"]}',
    '{"default": "first", "models": 7}',
]


@pytest.mark.parametrize("content", INDEXES)
def test_a_damaged_index_is_an_error(folder: Path, content: str) -> None:
    (folder / prediction.INDEX).write_text(content)
    with pytest.raises(UserError) as error:
        prediction.default_model(folder)
    assert error.value.lines == (f"{folder / prediction.INDEX} {DAMAGED}",)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"models": 7}', '{"models": [7]}'])
def test_a_damaged_index_is_an_error_where_a_model_is_not_found(folder: Path, content: str) -> None:
    (folder / prediction.INDEX).write_text(content)
    with pytest.raises(UserError) as error:
        prediction.model_folder(folder, "third")
    assert error.value.lines == (f"{folder / prediction.INDEX} {DAMAGED}",)


def test_a_missing_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        prediction.model_folder(tmp_path, None)
    assert error.value.lines == (f"{tmp_path / prediction.INDEX} {NOT_FOUND}",)


def test_a_default_that_is_not_there_is_an_error(folder: Path) -> None:
    (folder / prediction.INDEX).write_text('{"default": "third", "models": ["first", "third"]}')
    with pytest.raises(UserError) as error:
        textclf.load(prediction.model_folder(folder, None))
    assert error.value.lines == (f"{folder / 'third' / prediction.DECISION} {NOT_FOUND}",)


def test_a_prediction_waits_for_no_large_library(tmp_path: Path) -> None:
    folder = exported(two(0.5, Platt(1.0, 0.0)), tmp_path / "model")
    script = (
        "import sys, textclf; m = textclf.load(sys.argv[1]); m.predict_proba(['great']); m.explain(['great'])\n"
        "print(*{'keras', 'pandas', 'pyarrow', 'scipy.stats', 'sklearn', 'tensorflow', 'onnx'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("\n", "")
