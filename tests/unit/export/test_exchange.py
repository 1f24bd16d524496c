"""Models as ONNX, held to the predictions of this package by the runtime that others use."""

import json
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from tests import samples, settings
from textclf import models
from textclf.artifacts.layers import HIDDEN, OUTPUT, Layer, Portable
from textclf.evaluate.statistics import Platt, Temperature
from textclf.export import onnx_model as exchange
from textclf.params import Activation, Vectorize, parse
from textclf.predict.predictor import Predictor
from textclf.vectorize.features import Part, Vectorizer

KINDS = ("majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm")
TERMS = [f"term{n:02d}" for n in range(samples.TERMS)]


def vectorizer(**changes: object) -> Vectorizer:
    chosen = parse(settings.TEXT).vectorize.model_dump() | changes
    return Vectorizer(Vectorize.model_validate(chosen), [Part("word", samples.TERMS, TERMS, None)])


@cache
def trained(kind: str, classes: int) -> Portable:
    part = samples.rows(classes)
    return models.module(kind).fit(part, part, samples.settings(kind)).portable()


def predictor(model: Portable, threshold: float | None = None, scaling: Temperature | Platt | None = None) -> Predictor:
    if threshold is None and len(model.classes) == 2:
        threshold = 0.5
    return Predictor(vectorizer(), model, threshold, scaling)


def network(classes: int, activation: str, output: str, presence: bool = False) -> Portable:
    generator = np.random.default_rng(classes)
    units = 1 if output == "sigmoid" else classes
    layers = (
        Layer(generator.normal(size=(samples.TERMS, 5)), generator.normal(size=5), activation),
        Layer(generator.normal(size=(5, 4)), generator.normal(size=4), activation),
        Layer(generator.normal(size=(4, units)), generator.normal(size=units), output),
    )
    return Portable(tuple(f"class {n}" for n in range(classes)), layers, presence)


def run(given: Predictor, X: csr_array, path: Path) -> tuple[list[str], NDArray[np.float32]]:
    exchange.write(given, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    label, probabilities = session.run(["label", "probabilities"], {"features": X.toarray().astype(np.float32)})
    return label.tolist(), probabilities


def check(given: Predictor, folder: Path, X: csr_array | None = None) -> None:
    """The runtime gives the same probabilities, and the same labels but where rounding decides."""
    X = samples.rows(len(given.classes_), seed=1).X if X is None else X
    expected = given._scaled(given.model.predict_proba(X))
    labels, found = run(given, X, folder / "model.onnx")
    assert found == pytest.approx(expected, abs=1e-5)
    assert found.dtype == np.float32
    clear = (
        np.abs(expected[:, 1] - given.threshold) > 1e-5
        if given.threshold is not None
        else np.ptp(np.sort(expected, axis=1)[:, -2:], axis=1) > 1e-5
    )
    theirs = np.array(given.labels(expected))
    assert np.array(labels)[clear].tolist() == theirs[clear].tolist()
    assert set(labels) <= set(given.classes_)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [2, 3, 6])
def test_the_runtime_predicts_the_same(kind: str, classes: int, tmp_path: Path) -> None:
    model = trained(kind, classes)
    check(predictor(model), tmp_path)
    check(predictor(model), tmp_path, csr_array(samples.rows(classes).X * 0.37))


@pytest.mark.parametrize("activation", get_args(Activation))
@pytest.mark.parametrize(("classes", "output"), [(2, "sigmoid"), (2, "softmax"), (3, "softmax"), (6, "sigmoid_shares")])
def test_the_runtime_has_every_activation(activation: str, classes: int, output: str, tmp_path: Path) -> None:
    check(predictor(network(classes, activation, output)), tmp_path)


def test_every_activation_has_an_operator() -> None:
    assert set(exchange.OPERATORS) == set(HIDDEN)


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_presence_takes_a_term_as_it_is_there(output: str, tmp_path: Path) -> None:
    given = predictor(network(2, "relu", output, presence=True))
    check(given, tmp_path)
    once = run(given, samples.rows(2).X, tmp_path / "model.onnx")[1]
    assert run(given, samples.rows(2).X * 7, tmp_path / "model.onnx")[1].tolist() == once.tolist()


SCALINGS = [Temperature(0.2), Temperature(3.0), Platt(2.5, -0.4), Platt(-0.5, 1.0)]


@pytest.mark.parametrize("scaling", SCALINGS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_scaling_is_within(kind: str, scaling: Temperature | Platt, tmp_path: Path) -> None:
    check(predictor(trained(kind, 2), 0.5, scaling), tmp_path)
    if isinstance(scaling, Temperature):
        check(predictor(trained(kind, 3), None, scaling), tmp_path)


@pytest.mark.parametrize("scaling", [None, *SCALINGS], ids=str)
@pytest.mark.parametrize("size", [30.0, 1e3, 1e6])
def test_scores_of_any_size_are_scaled_alike(size: float, scaling: Temperature | Platt | None, tmp_path: Path) -> None:
    for output in ("sigmoid", "softmax", "sigmoid_shares"):
        units = 1 if output == "sigmoid" else 2
        kernel = np.vstack([np.eye(2), np.zeros((samples.TERMS - 2, 2))])[:, :units]
        model = Portable(("no", "yes"), (Layer(size * kernel, np.zeros(units), output),))
        X = csr_array(
            np.pad(
                [[1.0, 0], [0, 1], [1, 1], [0, 0], [0.1, 0.2], [-0.3, -0.4], [-1, -1]], ((0, 0), (0, samples.TERMS - 2))
            )
        )
        check(predictor(model, 0.5, scaling), tmp_path, X)


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.9, 1.0])
def test_the_threshold_decides(threshold: float, tmp_path: Path) -> None:
    given = predictor(trained("logistic_regression", 2), threshold)
    check(given, tmp_path)
    if threshold in {0.0, 1.0}:
        assert set(run(given, samples.rows(2).X, tmp_path / "model.onnx")[0]) == {f"class {1 - int(threshold)}"}


def test_no_rows_give_none(tmp_path: Path) -> None:
    for classes in (2, 3):
        labels, found = run(
            predictor(trained("naive_bayes", classes)), csr_array((0, samples.TERMS)), tmp_path / "model.onnx"
        )
        assert (labels, found.shape) == ([], (0, classes))


@pytest.mark.parametrize("output", OUTPUT)
def test_the_bytes_repeat(output: str, tmp_path: Path) -> None:
    given = predictor(network(2 if output == "sigmoid" else 3, "gelu", output))
    for name in ("a", "b"):
        exchange.write(given, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_file_says_what_it_takes_and_gives(tmp_path: Path) -> None:
    exchange.write(predictor(trained("linear_svm", 3)), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])

    def shapes(values: Any) -> dict[str, Any]:
        return {value.name: (value.type, value.shape) for value in values}

    assert shapes(session.get_inputs()) == {"features": ("tensor(float)", ["rows", samples.TERMS])}
    assert shapes(session.get_outputs()) == {
        "label": ("tensor(string)", ["rows"]),
        "probabilities": ("tensor(float)", ["rows", 3]),
    }


def test_the_file_holds_the_vectorizer_and_the_classes(tmp_path: Path) -> None:
    model = trained("logistic_regression", 3)
    names = ("100%", "größe ☃", 'a "b"\nc')
    given = predictor(Portable(names, model.layers))
    exchange.write(given, tmp_path / "model.onnx")
    read = onnx.load(tmp_path / "model.onnx")
    metadata = {entry.key: json.loads(entry.value) for entry in read.metadata_props}
    assert metadata["classes"] == list(names)
    texts = ["term01 term03 term03", "", "term11"]
    again = Vectorizer.of(metadata["vectorizer"]).transform(texts)
    assert again.toarray().tolist() == given.vectorizer.transform(texts).toarray().tolist()
    labels, probabilities = run(given, again, tmp_path / "model.onnx")
    assert labels == given.predict(texts)
    assert probabilities == pytest.approx(given.predict_proba(texts), abs=1e-5)
