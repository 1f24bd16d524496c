"""What stands before the dense layers of a model of token ids, in numpy."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests import samples
from tests.unit.artifacts.fronts import IDS, LENGTH, POOLINGS, TAPS, front, model, rows
from textclf.artifacts import layers, token_front
from textclf.artifacts.layers import Layer, LayerModel
from textclf.artifacts.token_front import Pooling, TokenFront
from textclf.artifacts.tokens import Side, Tokens

ROWS = rows([1, 2, 3], [], [8, 8, 7, 1, 2, 3], [4])


each_front = pytest.mark.parametrize(
    ("pooling", "convolved"), [(pooling, convolved) for pooling in POOLINGS for convolved in (False, True)]
)


def vectors(made: TokenFront, X: Tokens) -> NDArray[np.float64]:
    return np.concatenate(list(made.chunks(X, layers.HIDDEN)))


@each_front
@pytest.mark.parametrize("padding", ["post", "pre"])
def test_the_vector_of_a_text_follows_from_the_formulas(pooling: Pooling, convolved: bool, padding: Side) -> None:
    made, X = front(pooling, convolved), rows([1, 2, 3], [], [8, 8, 7, 1, 2, 3], padding=padding)
    embedded = made.embedding[X.padded()]
    if made.convolution is not None:
        kernel, bias = made.convolution.kernel, made.convolution.bias
        windows = np.stack([embedded[:, at : at + TAPS] for at in range(LENGTH - TAPS + 1)], axis=1)
        embedded = np.maximum(np.einsum("bptd,tdf->bpf", windows, kernel) + bias, 0)
    expected = {
        "average": embedded.mean(axis=1),
        "flatten": embedded.reshape(len(embedded), -1),
        "max": embedded.max(axis=1),
    }[pooling]
    assert vectors(made, X) == pytest.approx(expected, abs=1e-12)
    assert made.columns == expected.shape[1]


@each_front
def test_a_text_gets_the_same_digits_alone_and_among_others(
    monkeypatch: pytest.MonkeyPatch, pooling: Pooling, convolved: bool
) -> None:
    made = model(pooling, convolved)
    together = made.predict_proba(ROWS)
    alone = np.concatenate([made.predict_proba(ROWS[[row]]) for row in range(4)])
    assert together.tolist() == alone.tolist()
    assert made.predict_proba(ROWS[:0]).shape == (0, 3)
    monkeypatch.setattr(token_front, "CELLS", 1)  # one text at a time
    assert made.predict_proba(ROWS).tolist() == together.tolist()


@each_front
def test_a_model_that_was_written_predicts_the_same(tmp_path: Path, pooling: Pooling, convolved: bool) -> None:
    made = model(pooling, convolved)
    read = samples.write_and_read(made, tmp_path)
    assert read.predict_proba(ROWS).tolist() == made.predict_proba(ROWS).tolist()
    assert read.front is not None
    assert read.front.description() == front(pooling, convolved).description()


def test_texts_of_another_length_are_an_error() -> None:
    with pytest.raises(ValueError, match="6 ids; got 7"):
        model().predict_proba(Tokens(ROWS.ids, ROWS.starts, IDS, LENGTH + 1))


def test_a_model_without_a_front_takes_no_token_ids() -> None:
    with pytest.raises(TypeError, match="no token ids"):
        LayerModel(("a", "b"), (Layer(np.ones((IDS, 2)), np.ones(2), "softmax"),)).predict_proba(ROWS)


def test_a_model_with_a_front_is_not_linear() -> None:
    made = model()
    linear = LayerModel(made.classes, made.layers[1:], front=made.front)
    assert linear.linear_weights() is None
    assert not linear.ignores_text
