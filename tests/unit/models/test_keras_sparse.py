"""Rows as the network takes them: padded, in blocks and in batches; and the network over such rows."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.unit.models import networks
from tests.unit.models.networks import TERMS
from textclf.artifacts.features import Features
from textclf.models.common.networks import blocks
from textclf.models.keras import build, sparse

# Padding


def test_a_padded_row_holds_its_terms_and_counts_and_then_zeros() -> None:
    ids, counts = sparse.pad_rows(csr_array(np.array([[0, 2, 0, 1], [0, 0, 0, 0], [3, 0, 0, 0]])), 2)
    assert ids.tolist() == [[1, 3], [0, 0], [0, 0]]
    assert counts.tolist() == [[2, 1], [0, 0], [3, 0]]
    assert ids.dtype == np.int32
    assert counts.dtype == np.float32


@pytest.mark.parametrize("rows", [0, 2])
def test_rows_without_a_term_are_padded_to_one_column(rows: int) -> None:
    X = csr_array((rows, 4), dtype=np.int64)
    assert sparse.most_terms(X) == 1
    ids, counts = sparse.pad_rows(X, 1)
    assert ids.shape == counts.shape == (rows, 1)
    assert not counts.any()


def test_a_padded_row_sums_to_the_product_with_the_dense_row() -> None:
    X, kernel = networks.rows().X, np.arange(TERMS * 2).reshape(TERMS, 2)
    ids, counts = sparse.pad_rows(X, sparse.most_terms(X))
    assert np.array_equal((kernel[ids] * counts[..., None]).sum(axis=1), X @ kernel)


@pytest.mark.parametrize(("terms", "columns"), [(1, 313), (256, 313), (313, 313), (314, 5000), (5000, 5000)], ids=str)
def test_rows_are_padded_to_few_widths_far_apart(terms: int, columns: int) -> None:
    X = csr_array(np.ones((2, terms)))
    ids, counts = sparse.pad_rows(X, 5000)
    assert ids.shape == counts.shape == (2, columns)
    assert ids[0].tolist() == [*range(terms), *[0] * (columns - terms)]
    assert counts.sum() == 2 * terms


def test_ordinary_rows_are_padded_to_one_width() -> None:
    assert [sparse.pad_rows(csr_array((1, 9)), width)[0].shape[1] for width in (1, 255, 4080)] == [1, 255, 4080]


def test_labels_are_a_column() -> None:
    assert blocks.as_column(np.array([0, 1])).tolist() == [[0.0], [1.0]]


# Blocks and batches


@pytest.mark.parametrize(
    ("rows", "batch", "terms", "shapes"),
    [
        (7, 3, 5, [(2, 3), (1, 1)]),
        (6, 3, 5, [(2, 3)]),
        (2, 3, 5, [(1, 2)]),
        (3, 3, 5, [(1, 3)]),
        (7, 1, 5, [(7, 1)]),
        (7, 1, 8, [(6, 1), (1, 1)]),  # 6 rows of 8 terms are 96 numbers
        (16, 3, 8, [(2, 3), (2, 3), (1, 3), (1, 1)]),
        (7, 3, 10**9, [(1, 3), (1, 3), (1, 1)]),  # a batch that memory can't hold is not refused here
    ],
)
def test_an_epoch_is_as_few_blocks_as_memory_allows(
    monkeypatch: pytest.MonkeyPatch, rows: int, batch: int, terms: int, shapes: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(blocks, "BATCH_CELLS", 100)
    assert blocks.block_shapes(rows, batch, 2 * terms) == shapes


@pytest.mark.parametrize(("rows", "batch"), [(7, 3), (6, 3), (2, 3), (3, 3), (7, 1)])
def test_every_epoch_visits_every_row_once_in_its_own_order_whatever_the_memory(
    monkeypatch: pytest.MonkeyPatch, rows: int, batch: int
) -> None:
    part = Features(
        np.arange(rows).astype(str), csr_array(np.diag(np.arange(1, rows + 1))), np.arange(rows), np.array([])
    )

    def epochs(seed: int) -> list[list[int]]:
        """Return the rows of each epoch in their order, by the label, which is the number of the row."""
        shapes = blocks.block_shapes(rows, batch, cells=2 * sparse.WIDTHS)
        visited: list[list[int]] = []
        settings = networks.settings(epochs=4, batch_size=batch, seed=seed)
        dataset, per_epoch = sparse.training_blocks(networks.untrained(), part, settings)
        assert per_epoch == len(shapes)
        made = list(dataset)
        assert len(made) == 4 * len(shapes)
        for number, ((ids, counts), y) in enumerate(made):
            if number % len(shapes) == 0:
                visited.append([])
            real = np.ravel(y) != blocks.NO_STEP
            assert real.sum() == np.prod(shapes[number % len(shapes)])
            # Terms and counts are those of the row with this label.
            terms, times, labels = (np.ravel(array[..., 0])[real] for array in (ids, counts, y))
            assert np.array_equal(terms, labels)
            assert np.array_equal(times, labels + 1)
            visited[-1] += labels.astype(int).tolist()
        return visited

    visited = epochs(0)
    assert len(visited) == 4
    assert all(sorted(epoch) == list(range(rows)) for epoch in visited)
    assert len({tuple(epoch) for epoch in visited}) > 1
    assert visited != epochs(1)
    monkeypatch.setattr(blocks, "BATCH_CELLS", 8 * sparse.WIDTHS)
    assert visited == epochs(0)


def test_blocks_are_as_long_as_those_before_if_these_are_not_much_longer() -> None:
    model, settings = networks.untrained(), networks.settings(epochs=1, batch_size=1)
    lengths = []
    for rows in (9, 5, 3, 2, 1, 10):
        ((ids, counts), y), *rest = sparse.training_blocks(model, networks.rows(rows), settings)[0]
        assert not rest
        assert len(ids) == len(counts) == len(y)
        assert (np.ravel(y) != blocks.NO_STEP).tolist() == [True] * rows + [False] * (len(y) - rows)
        lengths.append(len(y))
    assert lengths == [9, 9, 9, 2, 1, 10]


def test_weighted_rows_come_with_the_weight_of_their_class() -> None:
    settings = networks.settings(epochs=1, class_weight={"0": 0.5, "1": 2.0, "2": 3.0})
    for _, y, weight in sparse.training_blocks(networks.untrained(), networks.rows(classes=3), settings)[0]:
        assert weight.shape == y.shape
        assert weight.numpy().ravel().tolist() == [[0.5, 2.0, 3.0][int(label)] for label in y.numpy().ravel()]


@pytest.mark.parametrize(("cells", "sizes"), [(2**27, [7]), (24, [2, 2, 2, 1]), (1, [1] * 7)])
def test_watched_rows_come_in_batches_in_their_order(
    monkeypatch: pytest.MonkeyPatch, cells: int, sizes: list[int]
) -> None:
    part = networks.rows()
    assert sparse.most_terms(part.X) == 4
    monkeypatch.setattr(blocks, "BATCH_CELLS", cells)
    batches = list(sparse.validation_batches(part.X, 3, part.y))
    assert [len(y) for _, y in batches] == sizes
    assert np.concatenate([y for _, y in batches]).ravel().tolist() == part.y.tolist()
    kernel = np.eye(TERMS)
    rows = [np.sum(kernel[ids.numpy()] * counts.numpy()[..., None], axis=1) for (ids, counts), _ in batches]
    assert np.array_equal(np.concatenate(rows), part.X.toarray())


# The network over sparse rows


@pytest.mark.parametrize(("units", "classes"), [((), 2), ((4, 3), 2), ((), 3), ((4,), 3)], ids=str)
def test_the_sparse_network_computes_what_the_dense_one_does(units: tuple[int, ...], classes: int) -> None:
    generator = np.random.default_rng(0)
    network = build.build_network(TERMS, classes, networks.settings(units=units))
    for layer in network.layers:
        layer.set_weights([generator.normal(size=array.shape) for array in layer.get_weights()])
    X = networks.rows().X
    expected = network(X.toarray().astype(np.float32)).numpy()
    model = sparse.over_sparse_rows(network)
    for width in (sparse.most_terms(X), TERMS + 3):
        ids, counts = sparse.pad_rows(X, width)
        assert model.predict_on_batch([ids, counts]) == pytest.approx(expected, abs=1e-6)
