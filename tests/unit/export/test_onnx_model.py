"""Models as ONNX: the runtime that others use must predict what this package predicts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from tests import samples
from tests.unit.artifacts import fronts
from tests.unit.artifacts.random_layers import MODELS, random_model
from textclf.artifacts.decisions import Calibration, Decision, LabelScaling, Platt, Temperature
from textclf.artifacts.layers import HIDDEN, OUTPUT, SIGMOIDS, Layer, LayerModel
from textclf.artifacts.token_front import Pooling
from textclf.artifacts.tokens import Side
from textclf.export import onnx_model
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Part, Vectorizer

TERMS = [f"term{n:02d}" for n in range(samples.TERMS)]


VECTORIZER = Vectorizer(Terms(), [Part("word", samples.TERMS, TERMS, None)])


def decision(
    model: LayerModel, calibration: Calibration | None = None, threshold: float = 0.5
) -> Decision:
    if model.multilabel:
        return Decision(thresholds=tuple(np.linspace(threshold, 0.8, len(model.classes)).tolist()))
    return Decision(threshold if len(model.classes) == 2 else None, calibration)


def run(
    model: LayerModel, chosen: Decision, X: csr_array, path: Path
) -> tuple[list[str], NDArray[np.float32]]:
    onnx_model.write(VECTORIZER, model, chosen, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    label, probabilities = session.run(
        ["label", "probabilities"], {"features": X.toarray().astype(np.float32)}
    )
    return label.tolist(), probabilities


def check(
    model: LayerModel, folder: Path, chosen: Decision | None = None, X: csr_array | None = None
) -> None:
    """Check that the runtime gives equal probabilities, and labels, unless rounding decides."""
    chosen = chosen or decision(model)
    X = samples.rows(len(model.classes), seed=1).X if X is None else X
    expected = chosen.calibrate(model.predict_proba(X))
    labels, probabilities = run(model, chosen, X, folder / "model.onnx")
    assert probabilities == pytest.approx(expected, abs=1e-5)
    assert probabilities.dtype == np.float32
    if chosen.threshold is None:
        margins = np.ptp(np.sort(expected, axis=1)[:, -2:], axis=1)
    else:
        margins = np.abs(expected[:, 1] - chosen.threshold)
    clear = margins > 1e-5
    expected_labels = np.array(model.classes)[chosen.decide(expected)]
    assert np.array(labels)[clear].tolist() == expected_labels[clear].tolist()
    assert set(labels) <= set(model.classes)


IGNORING_THE_TEXT = samples.fit("majority", samples.rows(3)).layers


@pytest.mark.parametrize(
    "model", [*MODELS.values(), IGNORING_THE_TEXT], ids=[*MODELS, "ignoring the text"]
)
def test_the_runtime_predicts_the_same(model: LayerModel, tmp_path: Path) -> None:
    X = samples.rows(len(model.classes)).X
    for rows in (X, csr_array(X * 0.37), csr_array((0, samples.TERMS))):
        check(model, tmp_path, X=rows)
    check(model, tmp_path, decision(model, Temperature(3.0)))


@pytest.mark.parametrize("activation", HIDDEN)
@pytest.mark.parametrize(
    ("classes", "output"), [(2, "sigmoid"), (3, "softmax"), (6, "sigmoid_shares")]
)
def test_the_runtime_computes_every_activation(
    activation: str, classes: int, output: str, tmp_path: Path
) -> None:
    check(random_model(classes, (5, 4), activation, output), tmp_path)


def test_every_activation_has_an_operator() -> None:
    assert set(onnx_model.OPERATORS) == set(HIDDEN)


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_a_model_of_presence_ignores_how_often_a_term_occurs(output: str, tmp_path: Path) -> None:
    model = random_model(2, (5, 4), "relu", output, presence=True)
    check(model, tmp_path)
    once = run(model, decision(model), samples.rows(2).X, tmp_path / "model.onnx")[1]
    often = run(model, decision(model), samples.rows(2).X * 7, tmp_path / "model.onnx")[1]
    assert often.tolist() == once.tolist()


@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize("labels", [1, 2, 6])
def test_several_labels_have_a_probability_each_and_are_decided_by_their_thresholds(
    labels: int, calibrated: bool, tmp_path: Path
) -> None:
    model, X = (
        random_model(labels, (5,), "relu", SIGMOIDS),
        csr_array(np.vstack([samples.rows(2, seed=1).X.toarray(), np.eye(2, samples.TERMS) * 1e4])),
    )
    scaling = LabelScaling(
        tuple(np.linspace(1.5, 0.3, labels).tolist()),
        tuple(np.linspace(-0.5, 1.0, labels).tolist()),
    )
    chosen = replace(decision(model), calibration=scaling if calibrated else None)
    expected = chosen.calibrate(model.predict_proba(X))
    assert (np.abs(expected - model.predict_proba(X)) > 0.01).any() == calibrated
    decided, probabilities = run(model, chosen, X, tmp_path / "model.onnx")
    assert probabilities == pytest.approx(expected, abs=1e-5)
    clear = np.abs(expected - np.array(chosen.thresholds)) > 1e-5
    assert clear.mean() > 0.99
    assert np.array(decided)[clear].tolist() == chosen.decide(expected)[clear].tolist()
    assert 0 < np.array(decided).mean() < 1


@pytest.mark.parametrize("padding", ["post", "pre"])
@pytest.mark.parametrize("convolved", [False, True])
@pytest.mark.parametrize("pooling", ["average", "flatten", "max"])
def test_the_runtime_reads_token_ids(
    pooling: Pooling, convolved: bool, padding: Side, tmp_path: Path
) -> None:
    model = fronts.model(pooling, convolved, activation="gelu")
    tokens = fronts.rows([1, 2, 3], [], [8, 8, 7, 1, 2, 3], [4], padding=padding)
    onnx_model.write(VECTORIZER, model, decision(model), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(
        tmp_path / "model.onnx", providers=["CPUExecutionProvider"]
    )
    assert [(given.name, given.shape) for given in session.get_inputs()] == [
        ("token_ids", ["rows", fronts.LENGTH])
    ]
    ids = tokens.padded().astype(np.int64)
    label, probabilities = session.run(["label", "probabilities"], {"token_ids": ids})
    expected = model.predict_proba(tokens)
    assert probabilities == pytest.approx(expected, abs=1e-5)
    assert label.tolist() == np.array(model.classes)[expected.argmax(axis=1)].tolist()


CALIBRATIONS = [Temperature(0.2), Temperature(3.0), Platt(2.5, -0.4), Platt(-0.5, 1.0)]


@pytest.mark.parametrize("calibration", [None, *CALIBRATIONS], ids=str)
@pytest.mark.parametrize("size", [30.0, 1e3, 1e6])
def test_scores_of_any_size_are_calibrated_alike(
    size: float, calibration: Calibration | None, tmp_path: Path
) -> None:
    values = [[1.0, 0], [0, 1], [1, 1], [0, 0], [0.1, 0.2], [-0.3, -0.4], [-1, -1]]
    X = csr_array(np.pad(np.array(values), ((0, 0), (0, samples.TERMS - 2))))
    for output in ("sigmoid", "softmax", "sigmoid_shares"):
        units = 1 if output == "sigmoid" else 2
        kernel = np.vstack([np.eye(2), np.zeros((samples.TERMS - 2, 2))])[:, :units]
        model = LayerModel(("no", "yes"), (Layer(size * kernel, np.zeros(units), output),))
        check(model, tmp_path, Decision(0.5, calibration), X)


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.9, 1.0])
def test_the_threshold_decides(threshold: float, tmp_path: Path) -> None:
    model = random_model()
    check(model, tmp_path, Decision(threshold))
    if threshold in {0.0, 1.0}:
        labels, _ = run(model, Decision(threshold), samples.rows(2).X, tmp_path / "model.onnx")
        assert set(labels) == {f"class {1 - int(threshold)}"}


def test_ordered_classes_are_decided_by_distance(tmp_path: Path) -> None:
    model, X = random_model(3), samples.rows(3, seed=1).X
    ordered = Decision(None, Temperature(4.0), scale=(1, 2, 5))
    labels, probabilities = run(model, ordered, X, tmp_path / "model.onnx")
    decided = ordered.decide(probabilities.astype(np.float64))
    assert labels == [model.classes[place] for place in decided]
    assert decided.tolist() != probabilities.argmax(axis=1).tolist()


@pytest.mark.parametrize("columns", [(), (0.3,)], ids=["answers", "abstains"])
def test_costs_decide(columns: tuple[float, ...], tmp_path: Path) -> None:
    model, X = random_model(3), samples.rows(3, seed=1).X
    costs = Decision(
        None,
        Temperature(2.0),
        costs=((0, 1, 4, *columns), (1, 0, 1, *columns), (2, 1, 0, *columns)),
    )
    labels, probabilities = run(model, costs, X, tmp_path / "model.onnx")
    assert labels == [
        [*model.classes, ""][place] for place in costs.decide(probabilities.astype(np.float64))
    ]
    assert ("" in labels) == bool(columns)
    assert len(set(labels)) > 1


@pytest.mark.parametrize("output", OUTPUT)
def test_the_bytes_repeat(output: str, tmp_path: Path) -> None:
    model = random_model(2 if output == "sigmoid" else 3, (5, 4), "gelu", output)
    for name in ("a", "b"):
        onnx_model.write(VECTORIZER, model, decision(model), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_inputs_and_outputs_have_names_types_and_shapes(tmp_path: Path) -> None:
    model = random_model(3)
    onnx_model.write(VECTORIZER, model, decision(model), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(
        tmp_path / "model.onnx", providers=["CPUExecutionProvider"]
    )

    def shapes(values: Any) -> dict[str, Any]:
        return {value.name: (value.type, value.shape) for value in values}

    assert shapes(session.get_inputs()) == {"features": ("tensor(float)", ["rows", samples.TERMS])}
    assert shapes(session.get_outputs()) == {
        "label": ("tensor(string)", ["rows"]),
        "probabilities": ("tensor(float)", ["rows", 3]),
    }


def test_the_metadata_has_the_vectorizer_and_the_classes(tmp_path: Path) -> None:
    model = LayerModel(("100%", "größe ☃", 'a "b"\nc'), random_model(3).layers)
    onnx_model.write(VECTORIZER, model, decision(model), tmp_path / "model.onnx")
    proto = onnx.load(tmp_path / "model.onnx")
    metadata = {entry.key: json.loads(entry.value) for entry in proto.metadata_props}
    assert metadata["classes"] == list(model.classes)
    texts = ["term01 term03 term03", "", "term11"]
    X = Vectorizer.from_json(metadata["vectorizer"]).transform(texts)
    assert X.toarray().tolist() == VECTORIZER.transform(texts).toarray().tolist()
    labels, probabilities = run(model, decision(model), X, tmp_path / "model.onnx")
    assert (
        labels == np.array(model.classes)[decision(model).decide(model.predict_proba(X))].tolist()
    )
    assert probabilities == pytest.approx(model.predict_proba(X), abs=1e-5)
