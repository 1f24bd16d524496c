import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit

import textclf
from tests.refusal import refusal
from tests.tiny_bert import checksum, write_folder
from tests.unit.predict.models import (
    doubting,
    export,
    fit_vectorizer,
    network,
    several_labels,
    shares,
    state,
    three_classes,
    two_classes,
)
from textclf.artifacts import layers
from textclf.artifacts.average import Average
from textclf.artifacts.conformal import CONFORMAL
from textclf.artifacts.decisions import (
    DECISION,
    INDEX,
    Calibration,
    Decision,
    Platt,
    Temperature,
    read_index,
    write_index,
)
from textclf.artifacts.layers import Layer, LayerModel
from textclf.artifacts.statement import PROVENANCE
from textclf.core.errors import UserError
from textclf.predict.predictor import Predictor, find_model
from textclf.pretrained.catalogue import SHARED
from textclf.vectorize.encoder.representation import Representation
from textclf.vectorize.encoder.settings import Settings
from textclf.vectorize.representation import VECTORIZER, share

TEXTS = [
    "The food was great, great!",
    "bad food",
    "",
    "nothing that is known",
    "Great. Bad. Great.",
]
DAMAGED = "is damaged; remove it and run dvc repro (or dvc pull) to make it"
NOT_FOUND = "not found; run dvc repro (or dvc pull) to make it"


# Labels and probabilities


def test_texts_become_labels_and_probabilities() -> None:
    scores = np.array([4.25 - 0.5, -2.75 - 0.5, -0.5, -0.5, 1.0 - 0.5])
    both = np.column_stack([expit(-scores), expit(scores)])
    assert two_classes().predict_proba(TEXTS) == pytest.approx(both)
    classes = two_classes().classes_
    assert (type(classes), classes.tolist()) == (np.ndarray, ["no", "yes"])


def test_labels_of_a_column_compare_elementwise_as_those_of_scikit_learn() -> None:
    frame = pd.DataFrame(
        {"text": TEXTS, "label": ["yes", "yes", "no", "no", "yes"]}, index=[5, 1, 2, 3, 4]
    )
    labels = two_classes().predict(frame["text"])
    assert (type(labels), labels.dtype, labels.shape) == (np.ndarray, object, (5,))
    assert (labels == frame["label"]).tolist() == [True, False, True, True, True]
    sets = several_labels().predict(frame["text"])
    assert (sets == sets.copy()).tolist() == [True] * 5


@pytest.mark.parametrize("top", [1, 2, 99])
def test_top_gives_the_most_probable_classes_with_their_probabilities_the_first_of_a_tie_first(
    top: int,
) -> None:
    model = three_classes()
    result = model.predict(TEXTS, top=top)
    for best, row in zip(result, model.predict_proba(TEXTS).tolist(), strict=True):
        assert best == sorted(zip("abc", row, strict=True), key=lambda pair: -pair[1])[:top]
    assert model.predict([], top=top) == []
    assert [best[0][0] for best in result] == model.predict(TEXTS).tolist()
    assert refusal(model.predict, TEXTS, 0) == "top must be at least 1; got 0"


def test_a_model_shows_its_kind_and_its_classes_or_how_many() -> None:
    assert repr(network()) == "<textclf model unnamed: network of 2 layers, 2 classes (no, yes)>"
    assert repr(shares()) == "<textclf model unnamed: constant, 2 classes (no, yes)>"
    names = [f"intent {number}" for number in range(77)]
    model = layers.linear(names, np.zeros((77, 4)), np.zeros(77), "softmax")
    average = Predictor(fit_vectorizer(), Average((model, model), 0.5), Decision(), name="both")
    assert repr(average) == "<textclf model both: average of two, 77 classes>"


def test_the_default_model_of_a_folder_is_loaded(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(two_classes(), here / "models" / "first")
    export(three_classes(), here / "models" / "second")
    write_index("second", ["first", "second"], here / "models")
    for model in (textclf.load(), textclf.load("models"), textclf.load(here / "models")):
        assert (model.name, [*model.classes_]) == ("second", ["a", "b", "c"])
    monkeypatch.chdir(here / "models" / "first")
    assert textclf.load(".").name == "first"


@pytest.mark.parametrize("calibration", [Temperature(2.5), Platt(0.5, 2.0)], ids=str)
def test_probabilities_are_calibrated_before_the_threshold(calibration: Calibration) -> None:
    plain, calibrated = two_classes().predict_proba(TEXTS), two_classes(0.5, calibration)
    assert calibrated.predict_proba(TEXTS) == pytest.approx(calibration.apply(plain))
    assert calibrated.predict(TEXTS).tolist() == [
        "yes" if p > 0.5 else "no" for p in calibration.apply(plain)[:, 1]
    ]


@pytest.mark.parametrize("make", [two_classes, three_classes, network])
def test_no_texts_give_no_labels(make: Callable[[], Predictor]) -> None:
    predictor = make()
    assert predictor.predict([]).tolist() == []
    assert predictor.explain([]) == []
    assert predictor.predict_proba([]).shape == (0, len(predictor.classes_))


TABLE = (
    "texts must be an iterable of texts, or a data frame with one column text; "
    "got a data frame of 2 columns; take one column of it"
)
NO_TEXT = "texts[1] must be a str; got {}; remove it or fill it in"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        *(
            (text, "texts must be an iterable of texts; got one text; put it in a list")
            for text in ("one", b"one")
        ),
        (pd.DataFrame({"title": ["a"], "body": ["b"]}), TABLE),
        (
            {"text": ["a"]},
            "texts must be an iterable of texts; got a dict; take one column of it",
        ),
        (["great", None], NO_TEXT.format("nothing (NoneType)")),
        (["great", float("nan")], NO_TEXT.format("nan (float)")),
        (["great", b"a"], NO_TEXT.format("b'a' (bytes)")),
    ],
    ids=["text", "bytes", "frame", "dict", "none", "nan", "bytes in a list"],
)
@pytest.mark.parametrize("method", ["predict", "explain"])
def test_what_is_no_iterable_of_texts_is_refused(method: str, texts: Any, message: str) -> None:
    with pytest.raises(TypeError) as error:
        getattr(two_classes(), method)(texts)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "iterable",
    [
        pd.Series,
        iter,
        tuple,
        np.array,
        lambda texts: np.array(texts, dtype=object),
        lambda texts: np.array(texts, dtype=object)[:, None],
        lambda texts: pd.DataFrame({"body": texts}),
        lambda texts: pd.DataFrame({"n": range(len(texts)), "text": texts}),
    ],
)
def test_any_iterable_of_texts_gives_its_labels(iterable: Callable[[list[str]], Any]) -> None:
    assert two_classes().predict(iterable(TEXTS)).tolist() == ["yes", "no", "no", "no", "yes"]


def test_no_probability_is_nan() -> None:
    huge = Layer(np.array([[-1e308], [0.0], [1e308], [0.0]]), np.zeros(1), "linear")
    last = Layer(np.array([[1.0, -1.0]]), np.zeros(2), "softmax")
    predictor = Predictor(fit_vectorizer(), LayerModel(("no", "yes"), (huge, last)), Decision(0.5))
    assert predictor.predict_proba(["food"]).tolist() == [[0.5, 0.5]]
    with np.errstate(all="ignore"), pytest.raises(UserError, match="must be numbers; got NaN"):
        predictor.predict_proba(["great great great bad bad bad"])


# Explanations


def test_explanations_list_the_largest_absolute_weight_first_with_its_sign() -> None:
    great, bad = ("great", pytest.approx(4.0)), ("bad", pytest.approx(3.0))
    assert two_classes().explain(TEXTS) == [
        [great, ("food", pytest.approx(0.25))],
        [bad, ("food", pytest.approx(-0.25))],
        [],
        [],
        [great, ("bad", pytest.approx(-3.0))],
    ]
    assert two_classes().explain(TEXTS[:2], 1) == [[great], [bad]]


def test_the_label_that_is_explained_is_that_of_the_threshold_and_the_calibration() -> None:
    for predictor in (two_classes(0.999), two_classes(0.5, Platt(1.0, -9.0))):
        assert predictor.predict(TEXTS[:1]).tolist() == ["no"]
        term, weight = predictor.explain(TEXTS[:1])[0][0]
        assert (term, round(weight, 9)) == ("great", -4.0)


@pytest.mark.parametrize("make", [two_classes, three_classes, network])
def test_a_weight_is_the_drop_of_the_labels_log_odds_without_the_term(
    make: Callable[[], Predictor],
) -> None:
    predictor = make()
    for text in ("great food, bad place", "bad", "food great"):
        (label,) = predictor.predict([text])
        place = predictor.model.classes.index(label)
        for term, weight in predictor.explain([text])[0]:
            both = predictor.predict_proba([text, text.replace(term, "")])[:, place]
            assert weight == pytest.approx(logit(both[0]) - logit(both[1]), rel=1e-6)


def test_explanations_do_not_depend_on_the_other_texts() -> None:
    for predictor in (three_classes(), network()):
        assert predictor.explain(TEXTS) == [predictor.explain([text])[0] for text in TEXTS]


# Files

FILES = (layers.DESCRIPTION, layers.WEIGHTS, DECISION, VECTORIZER, CONFORMAL)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return export(doubting(two_classes()), tmp_path / "model")


def edit(path: Path, change: Callable[[Any], object]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    "predictor",
    [two_classes(0.25, Temperature(1.7)), two_classes(0.5, Platt(0.3, -0.1)), network()],
    ids=["temperature", "platt", "network"],
)
def test_an_exported_model_is_loaded_bit_for_bit(predictor: Predictor, tmp_path: Path) -> None:
    again = textclf.load(export(predictor, tmp_path / "model"))
    assert again.predict(TEXTS).tolist() == predictor.predict(TEXTS).tolist()
    assert again.predict_proba(TEXTS).tobytes() == predictor.predict_proba(TEXTS).tobytes()
    assert again.explain(TEXTS) == predictor.explain(TEXTS)
    assert again.decision == predictor.decision


@pytest.mark.parametrize("name", [*FILES, PROVENANCE])
def test_a_missing_file_is_named(name: str, model: Path) -> None:
    (model / name).unlink()
    assert refusal(textclf.load, model) == f"{model / name} {NOT_FOUND}"


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_the_exported_one_is_refused_even_if_it_is_valid(
    name: str, model: Path, tmp_path: Path
) -> None:
    classifier = LayerModel(("down", "up"), two_classes(intercept=1.0).model.layers)
    changed = doubting(
        Predictor(fit_vectorizer(lowercase=False), classifier, Decision(0.25)), rows=20
    )
    other = export(changed, tmp_path / "other")
    reason = "is damaged or was edited: its SHA-256 is not that in provenance.json"
    for content in ((other / name).read_bytes(), b"{"):
        (model / name).write_bytes(content)
        assert (
            refusal(textclf.load, model)
            == f"{model / name} {reason}{DAMAGED.removeprefix('is damaged')}"
        )
    assert textclf.load(other).predict(["great"]).tolist() == ["up"]


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["subject"].pop(),
        lambda content: content["subject"][0]["digest"].update(sha256="0" * 64),
        lambda content: content["predicate"]["runDetails"].pop("metadata"),
        lambda content: content.pop("subject"),
        lambda content: content.update(more=1),
    ],
)
def test_a_damaged_statement_is_an_error(change: Callable[[Any], object], model: Path) -> None:
    edit(model / PROVENANCE, change)
    assert refusal(textclf.load, model) == f"{model / PROVENANCE} {DAMAGED}"


@pytest.mark.parametrize("change", [Path.unlink, lambda card: card.write_text("more caveats")])
def test_a_card_may_be_edited_or_removed(change: Callable[[Path], object], model: Path) -> None:
    (model / "README.md").write_text("as exported")
    state(model)
    change(model / "README.md")
    assert textclf.load(model).predict(["great"]).tolist() == ["yes"]


# Which model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two models, whose default is `second`."""
    for name in ("first", "second"):
        export(two_classes(), tmp_path / name)
    write_index("second", ["first", "second"], tmp_path)
    return tmp_path


def test_a_model_is_found_by_name_by_folder_or_as_the_default(folder: Path) -> None:
    assert find_model(folder, None) == folder / "second"
    assert find_model(folder, "first") == folder / "first"
    assert find_model(Path("elsewhere"), str(folder / "first")) == folder / "first"


@pytest.mark.parametrize("name", ["third", "", "../models", "a\nb", "\udcff"])
def test_the_error_of_an_unknown_model_lists_the_known_ones(folder: Path, name: str) -> None:
    rule = (
        f"the model must be one in {folder} (first, second), "
        "the folder of one or what a Git tag names (keras#prod)"
    )
    hint = "run dvc repro to make it, or git fetch --tags"
    assert refusal(find_model, folder, name) == f"{rule}; got {name!r}; {hint}"


def test_without_an_index_there_is_no_default_and_no_model_to_name(tmp_path: Path) -> None:
    assert refusal(find_model, tmp_path, None) == f"{tmp_path / INDEX} {NOT_FOUND}"
    said = refusal(find_model, tmp_path, "x")
    assert " (none), the folder of one or what a Git tag names (keras#prod); got 'x'" in said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"default": "second"', '"default": "first"'),
        ("sha256", "sha257"),
        (None, ""),
        (None, "[]"),
        (None, '{"default": "first"}'),
        (None, '{"models": ["first"]}'),
        (None, '{"default": null, "models": ["first"]}'),
        (None, '{"default": "first", "models": ["first", 7]}'),
        (None, '{"default": "third", "models": ["first"]}'),
        (None, '{"default": 7, "models": 7}'),
    ],
)
def test_a_written_index_is_read_back_and_a_changed_one_refused(
    tmp_path: Path, old: str | None, new: str
) -> None:
    write_index("second", ["first", "second"], tmp_path)
    assert read_index(tmp_path) == ("second", ["first", "second"])
    path = tmp_path / INDEX
    path.write_text(path.read_text(encoding="utf-8").replace(old, new) if old else new)
    for name in (None, "x"):
        assert refusal(find_model, tmp_path, name) == f"{path} {DAMAGED}"


# Features without terms


class Lengths:
    """A representation whose only column is a text's number of words; it counts its texts."""

    columns = 1

    def __init__(self, truncating: str = "post") -> None:
        self.settings = SimpleNamespace(truncating=truncating)
        self.texts: list[str] = []

    def transform(self, texts: Iterable[str]) -> NDArray[np.float64]:
        new = list(texts)
        self.texts += new
        return np.array([[float(len(text.split()))] for text in new])


def by_length(vectorizer: Lengths) -> Predictor:
    """Return a model whose log odds of yes are the number of words."""
    return Predictor(
        vectorizer,
        layers.linear(("no", "yes"), np.array([[1.0]]), np.array([0.0]), "sigmoid"),
        Decision(0.5),
    )


def test_words_are_removed_wherever_they_occur_if_features_have_no_terms() -> None:
    explained = by_length(Lengths()).explain(["good, good food", "", "[SEP]", " "])
    assert [[word for word, _ in terms] for terms in explained] == [["good", "food"], [], [], []]
    assert [weight for _, weight in explained[0]] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("truncating", "tried"), [("post", ["w0", "w299"]), ("pre", ["w4700", "w4999"])]
)
def test_an_explanation_of_a_very_long_text_tries_the_words_that_the_model_sees(
    truncating: str, tried: list[str]
) -> None:
    vectorizer = Lengths(truncating)
    text = " ".join(f"w{number}" for number in range(5000))
    (terms,) = by_length(vectorizer).explain([text])
    assert len(vectorizer.texts) == 1 + 300
    # Without one of 5,000 words nothing is less probable, so the words are those of the variants.
    missing = [{*text.split()}.difference(variant.split()) for variant in vectorizer.texts[1:]]
    assert [missing[0], missing[-1]] == [{word} for word in tried]
    assert terms == []


def test_weights_that_were_not_copied_with_the_model_are_missed(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="writing an encoder needs the pipeline")
    first = tmp_path / "run" / "models"
    mine = write_folder(tmp_path / "mine")
    given = {"pretrained": None, "path": str(mine), "sha256": checksum(mine), "length": 8}
    encoder = Settings.model_validate(given)
    fitted = Representation.fit((), encoder, tmp_path)
    model = layers.linear(("no", "yes"), np.ones((1, fitted.columns)), np.zeros(1), "sigmoid")
    folder = export(Predictor(fitted, model, Decision(0.5)), first / "enc")
    share(fitted, first / SHARED)
    assert textclf.load(folder).predict([""]).tolist() in (["no"], ["yes"])
    shutil.rmtree(tmp_path / "mine")
    alone = tmp_path / "alone" / "enc"
    shutil.copytree(folder, alone)
    sentence = (
        f"{tmp_path}/alone/pretrained not found, which has pretrained weights that {alone} "
        "reads; copy it from "
    )
    assert refusal(textclf.load, alone).startswith(sentence)
    shutil.copytree(first / SHARED, tmp_path / "alone" / SHARED)
    assert textclf.load(alone).predict([""]) == textclf.load(folder).predict([""])
