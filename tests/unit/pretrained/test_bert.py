import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from tests import approved, tiny_bert
from tests.refusal import refusal
from textclf.core.errors import UserError
from textclf.pretrained import bert, onnx_graph
from textclf.pretrained.onnx_graph import Graph

WEIGHTS = tiny_bert.weights()
ROWS = [[2, 4, 6, 9, 3], [2, 5, 3]]


def run(model: onnx.ModelProto, rows: list[list[int]]) -> NDArray[np.float32]:
    """Return the output for rows that are padded with id 1, which the mask hides."""
    onnx.checker.check_model(model, full_check=True)
    width = max(map(len, rows))
    ids = np.array([row + [1] * (width - len(row)) for row in rows])
    mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    output: NDArray[np.float32] = session.run(None, {onnx_graph.IDS: ids, onnx_graph.MASK: mask})[0]
    return output


def test_the_vectors_of_tokens_are_those_of_numpy_whatever_the_padding() -> None:
    vectors = run(bert.encoder_model(tiny_bert.CONFIG, WEIGHTS), ROWS)
    for row, actual in zip(ROWS, vectors, strict=True):
        np.testing.assert_allclose(
            actual[: len(row)], tiny_bert.token_vectors(WEIGHTS, row), rtol=1e-4, atol=2e-5
        )


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_pooled_vectors_leave_padding_out(pooling: bert.Pooling) -> None:
    def head(graph: Graph, vectors: str) -> str:
        return bert.pool_vectors(graph, vectors, pooling)

    model = bert.encoder_model(
        tiny_bert.CONFIG, WEIGHTS, head, "vectors", ("rows", tiny_bert.CONFIG.hidden)
    )
    for row, actual in zip(ROWS, run(model, ROWS), strict=True):
        tokens = tiny_bert.token_vectors(WEIGHTS, row)
        expected = tokens.mean(axis=0) if pooling == "mean" else tokens[0]
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=2e-5)


def test_a_head_of_another_package_continues_the_graph() -> None:
    kernel, bias = np.arange(16.0).reshape(8, 2) / 10, np.array([0.5, -0.5])

    def head(graph: Graph, vectors: str) -> str:
        scores = bert.dense(graph, bert.pool_vectors(graph, vectors, "mean"), kernel, bias)
        return graph.add("Softmax", scores, axis=-1)

    model = bert.encoder_model(tiny_bert.CONFIG, WEIGHTS, head, "probabilities", ("rows", 2))
    scores = np.array(
        [tiny_bert.token_vectors(WEIGHTS, row).mean(axis=0) @ kernel + bias for row in ROWS]
    )
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(run(model, ROWS), expected, rtol=1e-4)


def test_the_same_weights_give_the_same_bytes() -> None:
    first, again = (bert.encoder_model(tiny_bert.CONFIG, tiny_bert.weights()) for _ in range(2))
    assert first.SerializeToString(deterministic=True) == again.SerializeToString(
        deterministic=True
    )


def test_mpnet_adds_a_score_for_the_distance_of_two_tokens(tmp_path: Path) -> None:
    sizes = {
        "model_type": "mpnet",
        "max_position_embeddings": 18,
        "relative_attention_num_buckets": 16,
    }
    (tmp_path / "config.json").write_text(
        json.dumps(tiny_bert.CONFIG_JSON | sizes | {"type_vocab_size": 1})
    )
    config = bert.read_config(tmp_path / "config.json")
    ours = WEIGHTS | {"embeddings.token_type_embeddings.weight": np.zeros((1, 8), np.float32)}
    scores = np.arange(32, dtype=np.float32).reshape(16, 2) / 10
    theirs: dict[str, Any] = {"encoder.relative_attention_bias.weight": scores}
    for name, array in ours.items():
        new = re.sub(r"self\.(.)\w+", r"attn.\1", name).replace(
            "attention.output.dense", "attention.attn.o"
        )
        new = new.replace("attention.output.", "attention.")
        theirs[new] = np.concatenate([array[:2], array]) if "position" in name else array
    model = bert.encoder_model(config, bert.select_weights(theirs, config, tmp_path))
    buckets = [0, 1, 2, 3, *[4] * 6, *[5] * 6]  # by distance; 8 more for tokens that follow
    for row in ROWS[0], [2, *[4, 5] * 7, 3]:
        added = [
            [scores[buckets[abs(b - a)] + 8 * (b > a)] for b in range(len(row))]
            for a in range(len(row))
        ]
        expected = tiny_bert.token_vectors(ours, row, np.transpose(added, (2, 0, 1)))
        np.testing.assert_allclose(run(model, [row])[0], expected, rtol=1e-4, atol=2e-5)


def test_the_activation_of_the_configuration_is_used() -> None:
    exact, tanh = (
        run(bert.encoder_model(replace(tiny_bert.CONFIG, activation=name), WEIGHTS), ROWS)
        for name in ("gelu", "gelu_new")
    )
    assert 0 < np.abs(exact - tanh).max() < 0.01


def test_a_configuration_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(tiny_bert.CONFIG_JSON))
    assert bert.read_config(path) == tiny_bert.CONFIG
    path.write_text("{")
    assert refusal(bert.read_config, path).startswith(f"{path} is damaged")


def test_a_configuration_that_cannot_be_built_is_refused_with_the_approved_line(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.json"

    def say(change: str) -> list[str]:
        path.write_text(json.dumps(tiny_bert.CONFIG_JSON | json.loads(change)))
        return [refusal(bert.read_config, path).replace(str(path), "config.json")]

    approved.check_cases(Path(__file__).with_name("refused.txt"), say)


def test_weights_with_a_prefix_are_selected() -> None:
    prefixed = {f"bert.{name}": array for name, array in WEIGHTS.items()} | {
        "cls.bias": np.zeros(1)
    }
    assert bert.select_weights(prefixed, tiny_bert.CONFIG, Path("w")).keys() == WEIGHTS.keys()


@pytest.mark.parametrize("array", [None, np.zeros((3, 8), np.float32)])
def test_weights_that_do_not_fit_the_configuration_are_refused(
    array: NDArray[np.float32] | None,
) -> None:
    name = "embeddings.position_embeddings.weight"
    arrays = {key: value for key, value in WEIGHTS.items() if key != name}
    if array is not None:
        arrays[name] = array
    with pytest.raises(
        UserError, match=r"w: embeddings\.position_embeddings\.weight must have the shape \[16, 8\]"
    ):
        bert.select_weights(arrays, tiny_bert.CONFIG, Path("w"))
