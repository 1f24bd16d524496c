"""Token ids as rows, and what stands before the dense layers of a model of them, in numpy."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests import samples
from tests.unit.artifacts.fronts import IDS, LENGTH, POOLINGS, TAPS, front, model, rows
from textclf.artifacts import layers, token_front
from textclf.artifacts.layers import Layer, LayerModel
from textclf.artifacts.token_front import Pooling, TokenFront
from textclf.artifacts.tokens import Side, Tokens, average_windows, concatenate

ROWS = rows([1, 2, 3], [], [8, 8, 7, 1, 2, 3], [4])


each_front = pytest.mark.parametrize(
    ("pooling", "convolved"),
    [(pooling, convolved) for pooling in POOLINGS for convolved in (False, True)],
)


def vectors(made: TokenFront, X: Tokens) -> NDArray[np.float64]:
    return np.concatenate(list(made.chunks(X, layers.HIDDEN)))


@each_front
@pytest.mark.parametrize("padding", ["post", "pre"])
def test_the_vector_of_a_text_follows_from_the_formulas(
    pooling: Pooling, convolved: bool, padding: Side
) -> None:
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
def test_a_model_that_was_written_predicts_the_same(
    tmp_path: Path, pooling: Pooling, convolved: bool
) -> None:
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
        LayerModel(("a", "b"), (Layer(np.ones((IDS, 2)), np.ones(2), "softmax"),)).predict_proba(
            ROWS
        )


def test_a_model_with_a_front_is_not_linear() -> None:
    made = model()
    linear = LayerModel(made.classes, made.layers[1:], front=made.front)
    assert linear.linear_weights() is None
    assert not linear.ignores_text


def tokens(rows: list[list[int]], length: int = 4, padding: Side = "post") -> Tokens:
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return Tokens(
        np.array([each for row in rows for each in row], dtype=np.int32), starts, 9, length, padding
    )


def rows_of(part: Tokens) -> list[list[int]]:
    return [
        part.ids[start:end].tolist()
        for start, end in zip(part.starts[:-1], part.starts[1:], strict=True)
    ]


LISTS = st.lists(st.lists(st.integers(1, 8), max_size=4), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("post", [[1, 2, 0, 0], [0, 0, 0, 0], [3, 4, 5, 6]]),
        ("pre", [[0, 0, 1, 2], [0, 0, 0, 0], [3, 4, 5, 6]]),
    ],
)
def test_rows_are_padded_on_the_chosen_side(padding: Side, expected: list[list[int]]) -> None:
    matrix = tokens([[1, 2], [], [3, 4, 5, 6]], padding=padding).padded()
    assert matrix.tolist() == expected
    assert matrix.dtype == np.int32


@given(LISTS, st.data())
def test_rows_taken_are_those_of_a_list(rows: list[list[int]], data: st.DataObject) -> None:
    whole = tokens(rows)
    positions = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8))
    mask = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    assert rows_of(whole[np.array(positions, dtype=np.int64)]) == [
        rows[position] for position in positions
    ]
    assert rows_of(whole[np.array(mask)]) == [
        row for row, chosen in zip(rows, mask, strict=True) if chosen
    ]
    assert rows_of(whole[1:3]) == rows[1:3]
    assert whole[1:3].starts.dtype == np.int64


@given(st.lists(LISTS, min_size=1, max_size=4))
def test_pieces_are_concatenated_in_order(pieces: list[list[list[int]]]) -> None:
    together = concatenate([tokens(rows) for rows in pieces])
    assert rows_of(together) == [row for rows in pieces for row in rows]
    assert together.shape == (sum(map(len, pieces)), 9)
    assert together.nnz == sum(len(row) for rows in pieces for row in rows)


def test_a_row_longer_than_the_length_is_divided_into_windows() -> None:
    whole = tokens([[1, 2], [3, 4, 5, 6, 7], [], [1, 2, 3, 4], [8] * 8])
    windows, first = whole.windows()
    assert rows_of(windows) == [[1, 2], [3, 4, 5, 6], [7], [], [1, 2, 3, 4], [8] * 4, [8] * 4]
    assert first.tolist() == [0, 1, 3, 4, 5]
    assert (windows.starts.dtype.name, windows.length) == ("int64", 4)
    assert rows_of(windows[first]) == [[1, 2], [3, 4, 5, 6], [], [1, 2, 3, 4], [8] * 4]


def test_windows_are_averaged_by_their_lengths() -> None:
    values = np.array([[0.1, 0.7], [1.0, 0.0], [0.0, 1.0], [0.3, 0.3]])
    means = average_windows(values, [3, 4, 1, 7], [0, 1, 3])
    assert means.tolist() == [[0.1, 0.7], [0.8, 0.2], [0.3, 0.3]]
    assert average_windows(np.empty((0, 2)), [], []).shape == (0, 2)
