from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests import tiny_bert
from textclf.pretrained import pieces

WEIGHTS = tiny_bert.weights()
OPENING, CLOSING = tiny_bert.PIECES.index("[CLS]"), tiny_bert.PIECES.index("[SEP]")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_bert.write_folder(tmp_path / "tiny")


def written(folder: Path) -> NDArray[np.int8]:
    target = folder / "pieces.npy"
    pieces.write({path.name: path for path in folder.iterdir()}, target)
    array: NDArray[np.int8] = np.load(target)
    return array


def test_a_piece_has_the_mean_of_three_token_vectors_less_the_mean_of_all(folder: Path) -> None:
    rows = [[OPENING, piece, CLOSING] for piece in range(len(tiny_bert.PIECES))]
    means = np.array([tiny_bert.token_vectors(WEIGHTS, row).mean(axis=0) for row in rows])
    expected = means - means.mean(axis=0)
    expected *= 127 / abs(expected).max()
    actual = written(folder)
    assert (actual.dtype.name, actual.shape) == ("int8", (len(rows), tiny_bert.CONFIG.hidden))
    np.testing.assert_allclose(actual, expected, atol=0.5 + 1e-6)
    assert abs(actual.astype(int)).max() == 127


def test_rows_of_any_length_have_the_mean_of_their_token_vectors() -> None:
    double = {name: array.astype(np.float64) for name, array in WEIGHTS.items()}
    rows = np.array([[2, 4, 6, 9, 3], [2, 5, 5, 8, 3]])
    expected = [tiny_bert.token_vectors(WEIGHTS, row).mean(axis=0) for row in rows.tolist()]
    np.testing.assert_allclose(pieces.encode(rows, double, tiny_bert.CONFIG), expected, atol=1e-12)


def test_neither_batches_nor_threads_change_the_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = written(folder)
    monkeypatch.setattr(pieces, "BATCH", 3)
    for threads in (1, 4):
        monkeypatch.setattr(pieces, "cores", lambda threads=threads: threads)
        assert written(folder).tobytes() == first.tobytes()
