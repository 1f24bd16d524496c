"""Classifiers of token ids as ONNX: what they predict, and their files."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, softmax

from tests.refusal import refusal
from tests.unit.models import berts
from textclf.artifacts import classifiers
from textclf.artifacts.layers import LayerModel
from textclf.artifacts.onnx_classifier import DESCRIPTION, GRAPH, SCORES, OnnxClassifier
from textclf.artifacts.tokens import Tokens
from textclf.core.errors import UserError
from textclf.pretrained.bert import dense, encoder_model, pool_vectors
from textclf.pretrained.onnx_graph import Graph

CLASSES = ("no", "maybe", "yes")


def make(folder: Path, classes: tuple[str, ...] = CLASSES) -> OnnxClassifier:
    sizes = berts.config(folder)
    units = 1 if len(classes) == 2 else len(classes)
    kernel = np.random.default_rng(1).standard_normal((sizes.hidden, units))

    def head(graph: Graph, vectors: str) -> str:
        return dense(graph, pool_vectors(graph, vectors, "mean"), kernel, np.zeros(units))

    proto = encoder_model(sizes, berts.arrays(sizes), head, SCORES, ("rows", units))
    return OnnxClassifier(
        classes, sizes.vocabulary, berts.LENGTH, proto.SerializeToString(deterministic=True)
    )


def scores(model: OnnxClassifier, tokens: Tokens) -> np.ndarray:
    """Return the scores of the rows, all padded in one batch."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.content, providers=["CPUExecutionProvider"])
    ids = tokens.padded().astype(np.int64)
    (computed,) = session.run(
        None, {"input_ids": ids, "attention_mask": (ids != 0).astype(np.int64)}
    )
    return np.asarray(computed)


def written(model: OnnxClassifier | LayerModel, folder: Path) -> Path:
    folder.mkdir()
    classifiers.write(model, folder)
    return folder


def test_probabilities_are_those_of_the_scores(tmp_path: Path) -> None:
    tokens = berts.tokens(7)
    several, two = make(tmp_path), make(tmp_path, ("no", "yes"))
    np.testing.assert_allclose(
        several.predict_proba(tokens), softmax(scores(several, tokens), axis=1), atol=1e-5
    )
    positive = expit(scores(two, tokens))
    np.testing.assert_allclose(
        two.predict_proba(tokens), np.hstack([1 - positive, positive]), atol=1e-5
    )
    assert two.predict_proba(tokens).dtype == np.float64


def test_a_row_has_the_same_bits_among_others_and_on_any_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokens = make(tmp_path), berts.tokens(40)
    together = model.predict_proba(tokens)
    alone = np.concatenate([model.predict_proba(tokens[[row]]) for row in range(40)])
    np.testing.assert_array_equal(together, alone)
    monkeypatch.setattr("textclf.artifacts.onnx_classifier.cores", lambda: 1)
    np.testing.assert_array_equal(together, model.predict_proba(tokens))
    assert model.predict_proba(tokens[:0]).shape == (0, 3)


def test_a_text_in_windows_gets_the_mean_of_their_probabilities(tmp_path: Path) -> None:
    model, short = make(tmp_path), berts.tokens(5)
    generator = np.random.default_rng(2)
    row = generator.integers(1, 20, 2 * berts.LENGTH + 3).astype(np.int32)
    ids, starts = np.concatenate([short.ids, row, short.ids]), [*short.starts, short.nnz + len(row)]
    tokens = replace(short, ids=ids, starts=np.array([*starts, *(starts[-1] + short.starts[1:])]))
    parts = [
        replace(short, ids=part, starts=np.array([0, len(part)])) for part in np.split(row, [9, 18])
    ]
    result = model.predict_proba(tokens)
    expected = np.average(
        [model.predict_proba(part)[0] for part in parts], axis=0, weights=[9, 9, 3]
    )
    np.testing.assert_allclose(result[5], expected, rtol=1e-12)
    np.testing.assert_array_equal(result[[0, 1, 2, 3, 4]], model.predict_proba(short))
    np.testing.assert_array_equal(result[6:], model.predict_proba(short))


@pytest.mark.parametrize("change", [{"vocabulary": 21}, {"length": berts.LENGTH + 1}])
def test_tokens_that_are_not_of_the_model_are_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    tokens = replace(berts.tokens(3), **change)
    with pytest.raises(
        UserError, match=r"^the tokens must have 20 ids and a length of at most 9; got "
    ):
        make(tmp_path).predict_proba(tokens)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "tensors"}, "was made by a newer textclf (this version does not know tensors)"),
        ({"format": 2}, "was made by a newer textclf (format 2"),
        ({"length": None, "format": 1.5}, f"{DESCRIPTION} is damaged"),
    ],
)
def test_a_damaged_description_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    folder = written(make(tmp_path), tmp_path / "model")
    content = json.loads((folder / DESCRIPTION).read_text()) | change
    (folder / DESCRIPTION).write_text(json.dumps(content))
    assert message in refusal(classifiers.read, folder)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = written(make(tmp_path), tmp_path / "model")
    for name in (GRAPH, DESCRIPTION):
        (folder / name).unlink()
        assert refusal(classifiers.read, folder).startswith(f"{folder / name} not found; ")
