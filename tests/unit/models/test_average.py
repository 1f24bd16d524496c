"""Averages of the probabilities of two models."""

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import textclf
from tests.conftest import run_stage
from tests.refusal import refusal
from tests.settings import put
from tests.unit.artifacts.test_onnx_classifier import make as make_onnx
from tests.unit.models import berts
from tests.unit.predict.models import MADE_OF_NOTHING
from textclf.artifacts import classifiers, layers, predictions
from textclf.artifacts.average import Average
from textclf.artifacts.checksums import write_manifest
from textclf.artifacts.classifiers import Classifier
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import HELD_OUT, RECORD, Predictions
from textclf.core.files import read_json
from textclf.export import folder
from textclf.models.average import EVEN, average, choose_weight
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

ROWS, CLASSES = 400, 3


def predict(seed: int, strength: float, *splits: str) -> Predictions:
    """Return predictions for rows of these splits in turn, right by `strength`."""
    y = np.random.default_rng(0).integers(0, CLASSES, ROWS)
    odds = np.random.default_rng(seed).normal(size=(ROWS, CLASSES))
    odds[np.arange(ROWS), y] += strength
    shares = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    split = np.array(list(itertools.islice(itertools.cycle(splits or ("fold 1",)), ROWS)))
    return Predictions(np.arange(ROWS).astype(str), split, y, shares, tuple("abc"))


def lowest(first: Predictions, second: Predictions) -> float:
    """Return the weight with the lowest log loss of a hundred."""
    weights = np.arange(101) / 100
    chances = [rows.probabilities[np.arange(len(rows)), rows.y] for rows in (first, second)]
    losses = [-np.log(weight * chances[0] + (1 - weight) * chances[1]).mean() for weight in weights]
    return float(weights[np.argmin(losses)])


@pytest.mark.parametrize("strengths", [(1.0, 1.0), (1.0, 2.0), (3.0, 0.5), (0.0, 4.0)])
def test_the_weight_has_the_lowest_log_loss(strengths: tuple[float, float]) -> None:
    pair = predict(1, strengths[0]), predict(2, strengths[1])
    weight, rows = choose_weight([], pair)
    assert (round(abs(weight - lowest(*pair)), 6) <= 0.01, rows) == (True, ROWS)
    assert round(weight + choose_weight([], pair[::-1])[0], 6) == 1


def test_validation_rows_choose_if_there_are_any_and_test_rows_never() -> None:
    splits = ("train", "validation", "test")
    pair, held_out = (
        (predict(1, 1.0, *splits), predict(2, 2.0, *splits)),
        (predict(3, 1.0), predict(4, 1.0)),
    )
    chosen = pair[0].split == "validation"
    first, second = (rows.take(chosen) for rows in pair)
    weight, rows = choose_weight([pair], held_out)
    assert (weight, rows) == (choose_weight([], (first, second))[0], chosen.sum())
    assert weight != choose_weight([], held_out)[0]
    changed = replace(
        pair[0], probabilities=np.where(chosen[:, None], pair[0].probabilities, 1 / CLASSES)
    )
    assert choose_weight([(changed, pair[1])], held_out) == (weight, rows)
    without = tuple(rows.take(~chosen) for rows in pair)
    assert choose_weight([(without[0], without[1])], held_out) == choose_weight([], held_out)


def test_without_rows_or_a_difference_both_models_weigh_the_same() -> None:
    assert choose_weight([(predict(1, 1.0, "train"), predict(2, 3.0, "train"))], None) == (EVEN, 0)
    assert choose_weight([], (predict(1, 1.0), predict(1, 1.0))) == (EVEN, ROWS)


def test_an_average_sums_to_one_and_keeps_the_rows() -> None:
    first, second = predict(1, 1.0), predict(2, 2.0)
    made = average(0.25, (first, second))
    np.testing.assert_array_equal(
        made.probabilities, 0.25 * first.probabilities + 0.75 * second.probabilities
    )
    assert np.abs(made.probabilities.sum(axis=1) - 1).max() < 1e-15
    assert (made.ids is first.ids, made.classes) == (True, first.classes)


@pytest.mark.parametrize("validated", [True, False])
def test_the_stage_writes_what_train_writes_and_the_same_again(
    project: Path, validated: bool
) -> None:
    pair = {"majority": predict(1, 1.0, "train", "test"), "keras": predict(2, 2.0, "train", "test")}
    if validated:
        pair = {
            name: predict(n, n, "train", "validation", "test")
            for n, name in enumerate(pair, start=1)
        }
    trained = project / "data/trained"
    shutil.copytree(trained / "majority", trained / "keras", dirs_exist_ok=True)
    for n, (name, rows) in enumerate(pair.items()):
        predictions.write([rows], project / f"data/predictions/{name}.parquet")
        predictions.write([predict(5 + n, 1.0)], trained / name / HELD_OUT)
        write_manifest(trained / name)
    (project / "params.yaml").write_text(
        put("average.mean", "{first: majority, second: keras}"), encoding="utf-8"
    )
    outs = [trained / "mean", project / "data/predictions/mean.parquet"]
    written = []
    for _ in range(2):
        assert run_stage(project, "average@mean") in {None, 0}
        files = [
            path for out in outs for path in (sorted(out.iterdir()) if out.is_dir() else [out])
        ]
        written.append({path.name: path.read_bytes() for path in files})
    assert written[0] == written[1]
    assert {*written[0]} == {
        HELD_OUT,
        RECORD,
        "manifest.json",
        "packages.json",
        "shapes.json",
        "mean.parquet",
    }
    record = read_json(trained / "mean" / RECORD)
    assert record["weight_rows"] == (
        sum(pair["majority"].split == "validation") if validated else ROWS
    )
    result = predictions.read(outs[1])
    expected = average(record["weight"], (pair["majority"], pair["keras"]))
    np.testing.assert_array_equal(result.probabilities, expected.probabilities)


TEXTS = ["great food", "", "a bad place, and bad food"]


def linear(
    vectorizer: Vectorizer, seed: int, classes: tuple[str, ...] = ("no", "yes")
) -> Classifier:
    coef = np.random.default_rng(seed).normal(size=(1, vectorizer.columns))
    return layers.linear(classes, coef, np.zeros(1), "sigmoid")


@pytest.mark.parametrize("same", [True, False])
def test_an_exported_average_predicts_what_its_members_do_to_the_bit(
    same: bool, tmp_path: Path
) -> None:
    words = Vectorizer.fit(TEXTS, Terms())
    letters = words if same else Vectorizer.fit(TEXTS, Terms(analyzer="char"))
    members = linear(words, 1), linear(letters, 2)
    vectors = words.transform(TEXTS), letters.transform(TEXTS)
    both = [predictions_of(*each) for each in zip(members, vectors, strict=True)]
    expected = average(0.3, (both[0], both[1])).probabilities
    made = []
    for n, (model, vectorizer) in enumerate(zip(members, (words, letters), strict=True)):
        (trained := tmp_path / f"trained{n}").mkdir()
        classifiers.write(model, trained)
        made.append(folder.measured(trained, vectorizer))
    (place := tmp_path / "models" / "mean").parent.mkdir()
    folder.write(
        place, folder.average(made, {"weight": 0.3}), Decision(0.5), "the card\n", MADE_OF_NOTHING
    )
    assert not (place / "model.onnx").exists()
    loaded = textclf.load(place)
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), expected)
    assert len(loaded.vectorizer.blocks) == 2 - same
    (explained,) = loaded.explain(["bad food"])
    assert {word for word, _ in explained} == {"bad", "food"}
    for name in ("first/model.npz", "second/vectorizer.json", "second/model.json"):
        before = (place / name).read_bytes()
        (place / name).write_bytes(before[:-1] + b"~")
        assert refusal(textclf.load, place).startswith(str(place / name))
        (place / name).write_bytes(before)


def predictions_of(model: Classifier, X: object) -> Predictions:
    """Return the predictions of a model for rows with these features."""
    probabilities = model.predict_proba(X)  # type: ignore[arg-type]
    y = np.zeros(len(probabilities), dtype=np.int64)
    return Predictions(y.astype(str), y.astype(str), y, probabilities, model.classes)


def test_a_transformer_can_be_a_member(tmp_path: Path) -> None:
    words, tokens = Vectorizer.fit(TEXTS, Terms()), berts.tokens(len(TEXTS))
    members = linear(words, 1), make_onnx(tmp_path, ("no", "yes"))
    (place := tmp_path / "mean").mkdir()
    classifiers.write(Average(members, 0.5), place)
    read = classifiers.read(place)
    X = words.transform(TEXTS), tokens
    first = members[0].predict_proba(X[0])  # type: ignore[arg-type]
    expected = 0.5 * first + 0.5 * members[1].predict_proba(tokens)
    np.testing.assert_array_equal(read.predict_proba(X), expected)  # type: ignore[arg-type]
    assert not read.ignores_text
