"""Rows as the network takes them, padded, and the network over such rows."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.unit.models import networks
from tests.unit.models.networks import TERMS
from textclf.models.keras import build


def test_a_padded_row_holds_its_terms_and_counts_and_then_zeros() -> None:
    X = np.array([[0, 2, 0, 1], [0, 0, 0, 0], [3, 0, 0, 0]])
    for rows in (csr_array(X), X.astype(np.float32)):
        ids, counts = build.pad_rows(rows, 3)
        assert ids.tolist() == [[1, 3, 0], [0, 0, 0], [0, 0, 0]]
        assert counts.tolist() == [[2, 1, 0], [0, 0, 0], [3, 0, 0]]
        assert ids.dtype == np.int32
        assert counts.dtype == np.float32


@pytest.mark.parametrize(
    ("terms", "width"), [(0, 4), (1, 4), (28, 28), (29, 32), (33, 40), (57, 64), (384, 384), (385, 448), (768, 768)]
)
def test_the_width_is_one_of_few_that_hold_the_longest_row(terms: int, width: int) -> None:
    X = np.zeros((3, 1000), dtype=np.float32)
    X[1, :terms] = 1
    assert build.width_of(csr_array(X)) == width
    assert terms == 0 or build.width_of(X[:, :terms]) == width


@pytest.mark.parametrize(("terms", "columns"), [(1, 313), (256, 313), (313, 313), (314, 5000), (5000, 5000)], ids=str)
def test_rows_are_padded_to_few_widths_far_apart(terms: int, columns: int) -> None:
    X = csr_array(np.ones((2, terms)))
    ids, counts = build.pad_rows(X, 5000)
    assert ids.shape == counts.shape == (2, columns)
    assert ids[0].tolist() == [*range(terms), *[0] * (columns - terms)]
    assert counts.sum() == 2 * terms


@pytest.mark.parametrize(("units", "classes"), [((), 2), ((4, 3), 2), ((), 3), ((4,), 3)], ids=str)
def test_the_sparse_network_computes_what_the_dense_one_does(units: tuple[int, ...], classes: int) -> None:
    generator = np.random.default_rng(0)
    network = build.build_network(TERMS, classes, networks.settings(units=units))
    for layer in network.layers:
        layer.set_weights([generator.normal(size=array.shape) for array in layer.get_weights()])
    X = networks.rows().X
    expected = network(X.toarray().astype(np.float32)).numpy()
    model = build.over_sparse_rows(network)
    model.set_weights(network.get_weights())
    for width in (4, TERMS + 3):
        ids, counts = build.pad_rows(X, width)
        assert model.predict_on_batch([ids, counts]) == pytest.approx(expected, abs=1e-6)
