import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.artifacts.tokens import Side, Tokens, average_windows, concatenate


def tokens(rows: list[list[int]], length: int = 4, padding: Side = "post") -> Tokens:
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return Tokens(np.array([each for row in rows for each in row], dtype=np.int32), starts, 9, length, padding)


def rows_of(part: Tokens) -> list[list[int]]:
    return [part.ids[start:end].tolist() for start, end in zip(part.starts[:-1], part.starts[1:], strict=True)]


ROWS = st.lists(st.lists(st.integers(1, 8), max_size=4), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("padding", "expected"),
    [("post", [[1, 2, 0, 0], [0, 0, 0, 0], [3, 4, 5, 6]]), ("pre", [[0, 0, 1, 2], [0, 0, 0, 0], [3, 4, 5, 6]])],
)
def test_rows_are_padded_on_the_chosen_side(padding: Side, expected: list[list[int]]) -> None:
    matrix = tokens([[1, 2], [], [3, 4, 5, 6]], padding=padding).padded()
    assert matrix.tolist() == expected
    assert matrix.dtype == np.int32


@given(ROWS, st.data())
def test_rows_taken_are_those_of_a_list(rows: list[list[int]], data: st.DataObject) -> None:
    whole = tokens(rows)
    positions = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8))
    mask = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    assert rows_of(whole[np.array(positions, dtype=np.int64)]) == [rows[position] for position in positions]
    assert rows_of(whole[np.array(mask)]) == [row for row, chosen in zip(rows, mask, strict=True) if chosen]
    assert rows_of(whole[1:3]) == rows[1:3]
    assert whole[1:3].starts.dtype == np.int64


@given(st.lists(ROWS, min_size=1, max_size=4))
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
