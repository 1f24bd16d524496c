"""The network: few rows, few epochs. That it learns is shown by tests/e2e on the lesson's corpus."""

import zipfile
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array, random_array

from tests import samples
from textclf.artifacts import layers as portable
from textclf.core.errors import UserError
from textclf.models import keras as network
from textclf.params import Activation
from textclf.vectorize.features import Features

ROWS, TERMS = 7, 6


def params(**changes: object) -> Any:
    chosen = {"units": [4, 3], "learning_rate": 0.1, "epochs": 2, "batch_size": 3}
    return samples.settings("keras", **chosen | changes)


def features(rows: int = ROWS, classes: int = 2) -> Features:
    """Rows of random counts, the first of them empty."""
    counts = random_array((rows, TERMS), density=0.5, rng=np.random.default_rng(1))
    X = csr_array(np.ceil(3 * counts.toarray()).astype(np.int64) * (np.arange(rows) > 0)[:, None])
    return Features(np.arange(rows).astype(str), X, np.arange(rows) % classes, np.arange(classes).astype(str))


def fitted(units: tuple[int, ...] = (), classes: int = 2, seed: int = 0, again: bool = False) -> network.Network:
    """A trained network; without hidden layers in full batches alone, which XLA compiles in a second."""
    return _fitted(units, classes, seed, again)


@cache
def _fitted(units: tuple[int, ...], classes: int, seed: int, _again: bool) -> network.Network:
    settings = params(units=units, seed=seed, batch_size=3 if units else ROWS)
    return network.fit(features(classes=classes), features(4, classes), settings)


def weights(model: network.Network) -> bytes:
    return b"".join(array.tobytes() for array in model.plain.get_weights())


def test_a_padded_row_holds_its_terms_and_counts_and_then_zeros() -> None:
    ids, counts = network.padded(csr_array(np.array([[0, 2, 0, 1], [0, 0, 0, 0], [3, 0, 0, 0]])), 2)
    assert ids.tolist() == [[1, 3], [0, 0], [0, 0]]
    assert counts.tolist() == [[2, 1], [0, 0], [3, 0]]
    assert ids.dtype == np.int32
    assert counts.dtype == np.float32


@pytest.mark.parametrize("rows", [0, 2])
def test_rows_without_a_term_are_padded_to_one_column(rows: int) -> None:
    X = csr_array((rows, 4), dtype=np.int64)
    assert network.longest(X) == 1
    ids, counts = network.padded(X, 1)
    assert ids.shape == counts.shape == (rows, 1)
    assert not counts.any()


def test_a_padded_row_adds_up_to_the_product_with_the_dense_row() -> None:
    kernel = np.arange(TERMS * 2).reshape(TERMS, 2)
    ids, counts = network.padded(features().X, network.longest(features().X))
    assert np.array_equal((kernel[ids] * counts[..., None]).sum(axis=1), features().X @ kernel)


@pytest.mark.parametrize(("terms", "columns"), [(1, 313), (256, 313), (313, 313), (314, 5000), (5000, 5000)], ids=str)
def test_rows_are_padded_to_few_widths_far_apart(terms: int, columns: int) -> None:
    X = csr_array(np.ones((2, terms)))
    ids, counts = network.padded(X, 5000)
    assert ids.shape == counts.shape == (2, columns)
    assert ids[0].tolist() == [*range(terms), *[0] * (columns - terms)]
    assert counts.sum() == 2 * terms


def test_ordinary_rows_are_padded_to_one_width() -> None:
    assert [network.padded(csr_array((1, 9)), widest)[0].shape[1] for widest in (1, 255, 4080)] == [1, 255, 4080]


@pytest.mark.parametrize(
    ("rows", "batch", "terms", "blocks"),
    [
        (7, 3, 5, [(2, 3), (1, 1)]),
        (6, 3, 5, [(2, 3)]),
        (2, 3, 5, [(1, 2)]),
        (3, 3, 5, [(1, 3)]),
        (7, 1, 5, [(7, 1)]),
        (7, 1, 8, [(6, 1), (1, 1)]),  # 6 rows of 8 terms are 96 numbers
        (16, 3, 8, [(2, 3), (2, 3), (1, 3), (1, 1)]),
        (7, 3, 10**9, [(1, 3), (1, 3), (1, 1)]),  # what memory can't hold is not refused here
    ],
)
def test_an_epoch_is_as_few_blocks_as_memory_allows(
    monkeypatch: pytest.MonkeyPatch, rows: int, batch: int, terms: int, blocks: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(network, "CELLS_AT_ONCE", 100)
    assert network.blocks_of_epoch(rows, batch, terms) == blocks


@pytest.mark.parametrize("cells", [2**27, 8])
@pytest.mark.parametrize(("rows", "batch"), [(7, 3), (6, 3), (2, 3), (3, 3), (7, 1)])
def test_every_epoch_visits_every_row_once_in_an_order_of_its_own(
    monkeypatch: pytest.MonkeyPatch, rows: int, batch: int, cells: int
) -> None:
    part = Features(
        np.arange(rows).astype(str), csr_array(np.diag(np.arange(1, rows + 1))), np.arange(rows), np.array([])
    )

    def epochs(seed: int) -> list[list[int]]:
        """The rows of each epoch in their order, by the label, which is the row's number."""
        shapes = network.blocks_of_epoch(rows, batch, terms=1)
        visited: list[list[int]] = []
        blocks = list(network.epochs_of_blocks(part, params(epochs=4, batch_size=batch, seed=seed)))
        assert len(blocks) == 4 * len(shapes)
        for number, ((ids, counts), y) in enumerate(blocks):
            if number % len(shapes) == 0:
                visited.append([])
            assert y.shape == (*shapes[number % len(shapes)], 1)
            # Terms and counts are those of the row that the label names.
            assert np.array_equal(ids, y)
            assert np.array_equal(counts, y + 1)
            visited[-1] += np.ravel(y).astype(int).tolist()
        return visited

    visited = epochs(0)
    assert len(visited) == 4
    assert all(sorted(epoch) == list(range(rows)) for epoch in visited)
    assert len({tuple(epoch) for epoch in visited}) > 1
    assert visited != epochs(1)
    monkeypatch.setattr(network, "CELLS_AT_ONCE", cells)  # memory does not decide the order
    assert visited == epochs(0)


def test_weighted_rows_carry_the_weight_of_their_class() -> None:
    part = features(classes=3)
    settings = params(epochs=1, class_weight={"0": 0.5, "1": 2.0, "2": 3.0})
    for _, y, weight in network.epochs_of_blocks(part, settings):
        assert weight.shape == y.shape
        assert weight.numpy().ravel().tolist() == [[0.5, 2.0, 3.0][int(label)] for label in y.numpy().ravel()]


@pytest.mark.parametrize("cells", [2**27, 24, 1])  # all rows at once, two, one
def test_rows_come_in_batches_in_their_order(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    part = features()
    assert network.longest(part.X) == 4
    monkeypatch.setattr(network, "CELLS_AT_ONCE", cells)
    found = list(network.batches(part.X, 3, part.y))
    assert [len(y) for _, y in found] == {2**27: [7], 24: [2, 2, 2, 1], 1: [1] * 7}[cells]
    assert np.concatenate([y for _, y in found]).ravel().tolist() == part.y.tolist()
    kernel = np.eye(TERMS)
    rows = [np.sum(kernel[ids.numpy()] * counts.numpy()[..., None], axis=1) for (ids, counts), _ in found]
    assert np.array_equal(np.concatenate(rows), part.X.toarray())
    assert [len(rows) for ((rows, _),) in network.batches(part.X, 3)] == [len(y) for _, y in found]


def test_labels_are_a_column() -> None:
    assert network.column(np.array([0, 1])).tolist() == [[0.0], [1.0]]


def test_history_is_a_row_an_epoch_and_split() -> None:
    recorded = {"loss": [0.7, 0.6], "accuracy": [0.5, 1.0], "val_loss": [0.9, 0.8], "val_accuracy": [0.4, 0.3]}
    expected = pd.DataFrame(
        {
            "epoch": [1, 2, 1, 2],
            "split": ["train", "train", "watched", "watched"],
            "loss": [0.7, 0.6, 0.9, 0.8],
            "accuracy": [0.5, 1.0, 0.4, 0.3],
        }
    )
    assert network.tidy(recorded).equals(expected)


@pytest.mark.parametrize(
    ("classes", "output", "parameters"), [(2, (1, "sigmoid"), 17_161), (3, (3, "softmax"), 17_183)]
)
def test_the_stack_is_the_lessons_and_beyond_two_classes_ends_in_softmax(
    classes: int, output: tuple[int, str], parameters: int
) -> None:
    plain = network.stack(1714, classes, params(units=[10]))
    assert [(layer.__class__.__name__, layer.units, layer.activation.__name__) for layer in plain.layers] == [
        ("Dense", 10, "relu"),
        ("Dense", *output),
    ]
    assert plain.count_params() == parameters


def by_plain(plain: Any, X: csr_array) -> NDArray[np.float64]:
    """Probabilities of the classes by the stack of Dense layers."""
    output: NDArray[np.float64] = plain.predict(X.toarray(), verbose=0)
    return np.hstack([1 - output, output]) if output.shape[1] == 1 else output


@pytest.mark.parametrize(("units", "classes"), [((), 2), ((4, 3), 2), ((), 3)], ids=str)
def test_the_sparse_model_is_the_plain_one(units: tuple[int, ...], classes: int) -> None:
    untrained = network.stack(TERMS, classes, params(units=units))
    X = features().X
    names, history = np.arange(classes).astype(str), fitted(units, classes).history
    pairs = [
        (by_plain(model.plain, X), model.predict_proba(X))
        for model in (
            network.Network(names, untrained, network.over_sparse_rows(untrained), history),
            fitted(units, classes),
        )
    ]
    for plain, sparse in pairs:
        assert sparse == pytest.approx(plain, abs=1e-6)
    assert not np.allclose(pairs[0][1], pairs[1][1])


@pytest.mark.parametrize(
    ("classes", "given"),
    [(2, None), (2, {"0": 0.5, "1": 3.0}), (3, None), (3, {"0": 0.5, "1": 3.0, "2": 1.0})],
    ids=str,
)
def test_training_on_sparse_rows_is_training_on_dense_ones(classes: int, given: dict[str, float] | None) -> None:
    # One batch an epoch, so that the order of the rows does not matter; most terms stand in several of them.
    rows = features(classes=classes)
    settings = params(units=(4,), batch_size=ROWS, epochs=5, class_weight=given)
    trained = network.fit(rows, rows, settings)
    keras, _ = network.load_keras()
    keras.utils.set_random_seed(settings.seed)
    dense = network.stack(TERMS, classes, settings)
    dense.compile(
        optimizer=keras.optimizers.Adam(0.1),
        loss="binary_crossentropy" if classes == 2 else "sparse_categorical_crossentropy",
    )
    weights = None if given is None else {int(name): weight for name, weight in given.items()}
    history = dense.fit(
        rows.X.toarray(), rows.y[:, None], epochs=5, batch_size=ROWS, shuffle=False, verbose=0, class_weight=weights
    ).history
    for ours, theirs in zip(trained.plain.get_weights(), dense.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    losses = trained.history.loc[trained.history["split"] == "train", "loss"]
    assert losses.to_numpy() == pytest.approx(history["loss"], abs=1e-5)
    assert losses.iloc[-1] < losses.iloc[0]


def test_one_long_row_changes_nothing_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    # With little memory each batch is a block of its own, and only that of the long row is wide.
    monkeypatch.setattr(network, "NARROWEST", 2)
    monkeypatch.setattr(network, "CELLS_AT_ONCE", 4 * 40)
    generator = np.random.default_rng(0)
    X = (generator.random((8, 40)) < 0.05).astype(np.int64)
    X[5] = 1
    part = Features(np.arange(8).astype(str), csr_array(X), np.arange(8) % 2, np.array(["0", "1"]))
    settings = params(units=[], batch_size=2)
    trained = network.fit(part, part, settings)
    assert np.concatenate([by_plain(trained.plain, part.X)]) == pytest.approx(trained.predict_proba(part.X), abs=1e-6)
    monkeypatch.undo()
    everything = network.fit(part, part, settings)
    for ours, theirs in zip(trained.plain.get_weights(), everything.plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert np.allclose(trained.history["loss"], everything.history["loss"], atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_of_a_row_add_up_to_1(classes: int) -> None:
    probabilities = fitted(classes=classes).predict_proba(features().X)
    assert probabilities.shape == (ROWS, classes)
    assert probabilities.min() >= 0
    assert probabilities.sum(axis=1) == pytest.approx([1.0] * ROWS, abs=1e-15)


def test_the_record_counts_weights_and_epochs() -> None:
    record, history = fitted((4, 3)).record, fitted((4, 3)).history
    assert (record["parameters"], record["epochs"]) == (6 * 4 + 4 + 4 * 3 + 3 + 3 + 1, 2)
    watched = history[history["split"] == "watched"].set_index("epoch")["loss"]
    assert record["best_epoch"] == watched.idxmin()


@cache
def stopped(epochs: int, patience: int | None) -> network.Network:
    """A network without hidden layers that watches rows of the opposite labels, so that its loss on them must rise."""
    settings = params(units=[], batch_size=ROWS, epochs=epochs, early_stopping=patience, learning_rate=0.05)
    return network.fit(features(), opposite(), settings)


def opposite() -> Features:
    """The training rows with wrong labels but for two, and so a loss that falls first and then rises."""
    part = features()
    return Features(part.ids, part.X, np.where(np.arange(ROWS) < 2, part.y, 1 - part.y), part.classes)


def watched_losses(model: network.Network) -> list[float]:
    return [float(loss) for loss in model.history["loss"][model.history["split"] == "watched"]]


def loss_of_predictions(model: network.Network) -> float:
    y = opposite().y
    return -float(np.log(model.predict_proba(opposite().X)[np.arange(len(y)), y]).mean())


def test_early_stopping_ends_the_training_and_takes_the_best_epoch() -> None:
    model = stopped(40, 3)
    losses = watched_losses(model)
    assert len(losses) < 40
    best = int(np.argmin(losses)) + 1
    assert model.record["epochs"] == len(losses) == best + 3
    assert model.record["best_epoch"] == best
    assert loss_of_predictions(model) == pytest.approx(min(losses), abs=1e-5)
    assert losses[-1] > min(losses) + 1e-3
    # What is saved is what predicts.
    X = opposite().X
    assert model.plain.predict(X.toarray(), verbose=0)[:, 0] == pytest.approx(model.predict_proba(X)[:, 1], abs=1e-6)


def test_the_best_epoch_is_taken_too_where_the_epochs_end_first() -> None:
    best = int(stopped(40, 3).record["best_epoch"])
    model = stopped(best + 2, 10)
    losses = watched_losses(model)
    assert model.record["epochs"] == len(losses) == best + 2
    assert model.record["best_epoch"] == best
    assert loss_of_predictions(model) == pytest.approx(min(losses), abs=1e-5)


def test_without_early_stopping_the_last_epoch_is_taken() -> None:
    epochs = int(stopped(40, 3).record["best_epoch"]) + 2
    model = stopped(epochs, None)
    losses = watched_losses(model)
    assert losses == watched_losses(stopped(epochs, 10))  # to watch changes nothing
    assert loss_of_predictions(model) == pytest.approx(losses[-1], abs=1e-5)
    assert losses[-1] > min(losses) + 1e-4


def test_the_summary_is_keras_table_of_the_layers() -> None:
    summary = fitted((4, 3)).summary()
    for text in ("hidden_1", "hidden_2", "output", "Total params: 47"):
        assert text in summary


def test_the_seed_decides_the_weights() -> None:
    assert weights(fitted()) == weights(fitted(again=True))
    assert fitted().history.equals(fitted(again=True).history)
    assert weights(fitted()) != weights(fitted(seed=1))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # load_model reads weights by h5py
def test_the_saved_network_repeats_byte_for_byte_and_opens_without_our_code(tmp_path: Path) -> None:
    from keras.saving import load_model

    files = []
    for again in (False, True):
        fitted(again=again).save(tmp_path)
        files.append((tmp_path / "model.keras").read_bytes())
    assert files[0] == files[1]
    loaded = load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.__class__.__name__ == "Sequential"
    X = features().X
    assert loaded.predict(X.toarray(), verbose=0)[:, 0] == pytest.approx(fitted().predict_proba(X)[:, 1], abs=1e-6)
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert {member.date_time for member in archive.infolist()} == {network.ZIP_TIME}
        assert b"shared_object_id" not in archive.read("config.json")


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("activation", get_args(Activation))
def test_its_layers_of_numbers_predict_the_same(tmp_path: Path, activation: str, classes: int) -> None:
    trained = network.stack(TERMS, classes, params(units=(4, 3), activation=activation))
    for layer in trained.layers:  # larger than at the start, where all activations are nearly linear
        layer.set_weights([8 * weights + 0.1 for weights in layer.get_weights()])
    names, history = np.arange(classes).astype(str), fitted().history
    model = network.Network(names, trained, network.over_sparse_rows(trained), history)
    portable.write(model.portable(), tmp_path)
    again = portable.read(tmp_path)
    X = features().X
    assert again.classes == tuple(names)
    assert again.predict_proba(X) == pytest.approx(by_plain(trained, X), abs=1e-5)


def test_a_network_that_diverged_is_an_error() -> None:
    with pytest.raises(UserError, match=r"train\.keras\.learning_rate"):
        network.fit(features(), features(4), params(units=[], optimizer="sgd", learning_rate=1e38, batch_size=ROWS))
