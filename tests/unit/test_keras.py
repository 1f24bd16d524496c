"""The network: few rows, few epochs. That it learns is shown by tests/e2e on the lesson's corpus."""

import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array, random_array

from textclf.errors import UserError
from textclf.features import Features
from textclf.models import keras as network
from textclf.params import Keras

ROWS, TERMS = 7, 6


def params(**changes: object) -> Keras:
    chosen: dict[str, object] = {
        "units": [4, 3],
        "activation": "relu",
        "optimizer": "adam",
        "learning_rate": 0.1,
        "epochs": 2,
        "batch_size": 3,
        "seed": 0,
        "early_stopping": None,
    }
    return Keras.model_validate(chosen | changes)


def features(rows: int = ROWS) -> Features:
    """Rows of random counts, the first of them empty."""
    counts = random_array((rows, TERMS), density=0.5, rng=np.random.default_rng(1))
    X = csr_array(np.ceil(3 * counts.toarray()).astype(np.int64) * (np.arange(rows) > 0)[:, None])
    return Features(np.arange(rows).astype(str), X, np.arange(rows) % 2, np.array(["0", "1"]))


@cache
def fitted(units: tuple[int, ...] = (), seed: int = 0, _again: bool = False) -> network.Network:
    """A trained network; without hidden layers in full batches alone, which XLA compiles in a second."""
    return network.fit(features(), features(4), params(units=units, seed=seed, batch_size=3 if units else ROWS))


def weights(model: network.Network) -> bytes:
    return b"".join(array.tobytes() for array in model.plain.get_weights())


def test_a_padded_row_holds_its_terms_and_counts_and_then_zeros() -> None:
    ids, counts = network.padded(csr_array(np.array([[0, 2, 0, 1], [0, 0, 0, 0], [3, 0, 0, 0]])))
    assert ids.tolist() == [[1, 3], [0, 0], [0, 0]]
    assert counts.tolist() == [[2, 1], [0, 0], [3, 0]]
    assert ids.dtype == np.int32
    assert counts.dtype == np.float32


@pytest.mark.parametrize("rows", [0, 2])
def test_rows_without_a_term_are_padded_to_one_column(rows: int) -> None:
    ids, counts = network.padded(csr_array((rows, 4), dtype=np.int64))
    assert ids.shape == counts.shape == (rows, 1)
    assert not counts.any()


def test_a_padded_row_adds_up_to_the_product_with_the_dense_row() -> None:
    kernel = np.arange(TERMS * 2).reshape(TERMS, 2)
    ids, counts = network.padded(features().X)
    assert np.array_equal((kernel[ids] * counts[..., None]).sum(axis=1), features().X @ kernel)


@pytest.mark.parametrize(("rows", "batch", "blocks"), [(7, 3, 2), (6, 3, 1), (2, 3, 1), (3, 3, 1), (7, 1, 1)])
def test_every_epoch_visits_every_row_once_in_an_order_of_its_own(rows: int, batch: int, blocks: int) -> None:
    assert network.blocks_an_epoch(rows, batch) == blocks
    part = Features(
        np.arange(rows).astype(str), csr_array(np.diag(np.arange(1, rows + 1))), np.arange(rows), np.array([])
    )

    def epochs(seed: int) -> list[list[int]]:
        """The rows of each epoch in their order, by the label, which is the row's number."""
        visited: list[list[int]] = []
        for number, ((ids, counts), y) in enumerate(
            network.epochs_of_blocks(part, params(epochs=4, batch_size=batch, seed=seed))
        ):
            if number % blocks == 0:
                visited.append([])
            full = number % blocks == 0 and rows >= batch
            assert y.shape == ((rows // batch, batch, 1) if full else (1, rows % batch, 1))
            # Terms and counts are those of the row that the label names.
            assert np.array_equal(ids, y)
            assert np.array_equal(counts, y + 1)
            visited[-1] += np.ravel(y).astype(int).tolist()
        return visited

    visited = epochs(0)
    assert len(visited) == 4
    assert all(sorted(epoch) == list(range(rows)) for epoch in visited)
    assert len({tuple(epoch) for epoch in visited}) > 1
    assert visited == epochs(0)
    assert visited != epochs(1)


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


def test_the_stack_is_the_lessons() -> None:
    plain = network.stack(1714, params(units=[10]))
    assert [(layer.__class__.__name__, layer.units, layer.activation.__name__) for layer in plain.layers] == [
        ("Dense", 10, "relu"),
        ("Dense", 1, "sigmoid"),
    ]
    assert plain.count_params() == 17_161


@pytest.mark.parametrize("units", [(), (4, 3)], ids=str)
def test_the_sparse_model_is_the_plain_one(units: tuple[int, ...]) -> None:
    untrained = network.stack(TERMS, params(units=units))
    X = features().X
    pairs: list[tuple[Any, NDArray[np.float64]]] = [
        (untrained, network.over_sparse_rows(untrained).predict(list(network.padded(X)), verbose=0)[:, 0]),
        (fitted(units).plain, fitted(units).predict_proba(X)[:, 1]),
    ]
    for plain, sparse in pairs:
        assert sparse == pytest.approx(plain.predict(X.toarray(), verbose=0)[:, 0], abs=1e-6)
    assert not np.allclose(pairs[0][1], pairs[1][1])


def test_training_on_sparse_rows_gives_the_weights_of_training_on_dense_ones() -> None:
    # One batch an epoch, so that the order of the rows does not matter; most terms stand in several of them.
    rows, settings = features(), params(units=(4,), batch_size=ROWS, epochs=5, learning_rate=0.1)
    trained = network.fit(rows, rows, settings).plain
    keras, _ = network.load_keras()
    keras.utils.set_random_seed(settings.seed)
    dense = network.stack(rows.X.shape[1], settings)
    dense.compile(optimizer=keras.optimizers.Adam(0.1), loss="binary_crossentropy")
    dense.fit(rows.X.toarray(), network.column(rows.y), epochs=5, batch_size=ROWS, shuffle=False, verbose=0)
    for ours, theirs in zip(trained.get_weights(), dense.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_probabilities_of_a_row_add_up_to_1() -> None:
    probabilities = fitted().predict_proba(features().X)
    assert probabilities.shape == (ROWS, 2)
    assert probabilities.sum(axis=1).tolist() == [1.0] * ROWS


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
    assert weights(fitted()) == weights(fitted(_again=True))
    assert fitted().history.equals(fitted(_again=True).history)
    assert weights(fitted()) != weights(fitted(seed=1))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # load_model reads weights by h5py
def test_the_saved_network_repeats_byte_for_byte_and_opens_without_our_code(tmp_path: Path) -> None:
    from keras.saving import load_model

    files = []
    for again in (False, True):
        fitted(_again=again).save(tmp_path)
        files.append((tmp_path / "model.keras").read_bytes())
    assert files[0] == files[1]
    loaded = load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.__class__.__name__ == "Sequential"
    X = features().X
    assert loaded.predict(X.toarray(), verbose=0)[:, 0] == pytest.approx(fitted().predict_proba(X)[:, 1], abs=1e-6)
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert {member.date_time for member in archive.infolist()} == {network.ZIP_TIME}
        assert b"shared_object_id" not in archive.read("config.json")


def test_a_network_that_diverged_is_an_error() -> None:
    with pytest.raises(UserError, match=r"train\.keras\.learning_rate"):
        network.fit(features(), features(4), params(units=[], optimizer="sgd", learning_rate=1e38, batch_size=ROWS))
