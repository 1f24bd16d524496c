"""Training on one batch: few rows, few epochs. tests/e2e shows that it learns the lesson's."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.unit.models import networks
from tests.unit.models.networks import ROWS, TERMS
from textclf.core.errors import UserError
from textclf.models import keras as package
from textclf.models.common.fitted import Fitted
from textclf.models.common.networks import environment
from textclf.models.common.networks.compiled import compile_network
from textclf.models.keras import build


@pytest.mark.parametrize(
    ("classes", "given"),
    [
        pytest.param(2, None, id="2"),
        pytest.param(2, {"0": 0.5, "1": 3.0}, id="2 weighted", marks=pytest.mark.nightly),
        pytest.param(3, {"0": 0.5, "1": 3.0, "2": 1.0}, id="3 weighted"),
        pytest.param(3, None, id="3", marks=pytest.mark.nightly),
    ],
)
def test_training_on_sparse_rows_is_training_on_dense_ones(
    classes: int, given: dict[str, float] | None
) -> None:
    # One batch per epoch, so that the order of the rows does not matter; most terms occur in
    # several rows.
    rows = networks.rows(classes=classes)
    settings = networks.settings(units=(4,), batch_size=ROWS, epochs=5, class_weight=given)
    fitted = networks.train(rows, rows, settings)
    keras, _ = environment.import_keras()
    keras.utils.set_random_seed(settings.seed)
    dense = build.build_network(TERMS, classes, settings)
    dense.compile(
        optimizer=keras.optimizers.Adam(0.1),
        loss="binary_crossentropy" if classes == 2 else "sparse_categorical_crossentropy",
        run_eagerly=True,  # compiling takes longer than five steps
    )
    weights = None if given is None else {int(name): weight for name, weight in given.items()}
    history = dense.fit(
        rows.X.toarray(),
        rows.y[:, None],
        epochs=5,
        batch_size=ROWS,
        shuffle=False,
        verbose=0,
        class_weight=weights,
    ).history
    arrays = [array for layer in fitted.layers.layers for array in (layer.kernel, layer.bias)]
    for ours, theirs in zip(arrays, dense.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    losses = networks.losses(fitted, "train")
    assert losses == pytest.approx(history["loss"], abs=1e-5)
    assert losses[-1] < losses[0]


def test_a_training_is_the_same_alone_and_after_a_larger_one_and_needs_no_watched_rows() -> None:
    settings, rows = networks.settings(units=[], batch_size=2, early_stopping=1), networks.rows(8)
    compile_network.cache_clear()
    alone = networks.train(rows.take(np.arange(6)), None, settings)
    compile_network.cache_clear()
    networks.train(rows, rows, settings)
    after = networks.train(rows.take(np.arange(6)), None, settings)
    assert networks.bits(after) == networks.bits(alone)
    assert networks.losses(after, "watched") == []
    assert after.record["epochs"] == 2


def test_the_record_counts_weights_and_epochs() -> None:
    fitted = networks.fit_deep()
    assert (fitted.record["parameters"], fitted.record["epochs"]) == (
        6 * 4 + 4 + 4 * 3 + 3 + 3 + 1,
        2,
    )
    assert fitted.record["best_epoch"] == 1 + np.argmin(networks.losses(fitted, "watched"))
    assert [layer.activation for layer in fitted.layers.layers] == ["relu", "relu", "sigmoid"]


def loss_of_predictions(fitted: Fitted) -> float:
    y = networks.opposite().y
    return -float(
        np.log(fitted.layers.predict_proba(networks.opposite().X)[np.arange(len(y)), y]).mean()
    )


def test_early_stopping_ends_the_training_and_takes_the_best_epoch() -> None:
    fitted = networks.fit_stopping(40, 3)
    losses = networks.losses(fitted, "watched")
    assert len(losses) < 40
    best = int(np.argmin(losses)) + 1
    assert fitted.record["epochs"] == len(losses) == best + 3
    assert fitted.record["best_epoch"] == best
    assert loss_of_predictions(fitted) == pytest.approx(min(losses), abs=1e-5)
    assert losses[-1] > min(losses) + 1e-3


@pytest.mark.nightly
def test_without_early_stopping_the_last_epoch_is_taken() -> None:
    epochs = int(networks.fit_stopping(40, 3).record["best_epoch"]) + 2
    fitted = networks.fit_stopping(epochs, None)
    losses = networks.losses(fitted, "watched")
    assert losses == networks.losses(
        networks.fit_stopping(epochs, 10), "watched"
    )  # watching changes nothing
    assert loss_of_predictions(fitted) == pytest.approx(losses[-1], abs=1e-5)
    assert losses[-1] > min(losses) + 1e-4


def test_early_stopping_is_named_as_a_choice_by_validation_rows_and_in_the_notes() -> None:
    settings = networks.settings(epochs=1), networks.settings(epochs=20, early_stopping=3)
    assert [section.validation_choices() for section in settings] == [[], ["early_stopping"]]
    assert package.notes(settings[0]) == ["The network trained for all of its 1 epoch."]
    (note,) = package.notes(settings[1])
    assert "20 epochs at most, or until 3 epochs brought no lower loss" in note


def test_the_seed_decides_the_weights() -> None:
    assert networks.bits(networks.fit()) == networks.bits(networks.fit(repetition=1))
    assert networks.bits(networks.fit()) != networks.bits(networks.fit(seed=1))


def test_a_network_that_diverged_is_an_error() -> None:
    settings = networks.settings(units=[], optimizer="sgd", learning_rate=1e38, batch_size=ROWS)
    with pytest.raises(UserError, match=r"got (nan|inf) in epoch [12]; set a lower learning_rate"):
        networks.train(networks.rows(), networks.rows(4), settings)


@pytest.mark.parametrize(
    "optimizer",
    [
        "adamw",
        *(
            pytest.param(name, marks=pytest.mark.nightly)
            for name in ("adagrad", "nadam", "rmsprop", "sgd")
        ),
    ],
)
def test_a_network_that_is_compiled_already_trains_as_a_new_one(optimizer: str) -> None:
    changes = {"units": [], "optimizer": optimizer, "batch_size": ROWS}
    settings = networks.settings(**changes)
    compile_network.cache_clear()
    new = networks.train(networks.rows(), networks.rows(4), settings)
    networks.train(
        networks.rows(),
        networks.opposite(),
        networks.settings(**changes | {"learning_rate": 0.5, "seed": 3}),
    )
    again = networks.train(networks.rows(), networks.rows(4), settings)
    assert compile_network.cache_info().misses == 1
    assert networks.bits(again) == networks.bits(new)


def test_a_padded_row_holds_its_terms_and_counts_and_then_zeros() -> None:
    X = np.array([[0, 2, 0, 1], [0, 0, 0, 0], [3, 0, 0, 0]])
    for rows in (csr_array(X), X.astype(np.float32)):
        ids, counts = build.pad_rows(rows, 3)
        assert ids.tolist() == [[1, 3, 0], [0, 0, 0], [0, 0, 0]]
        assert counts.tolist() == [[2, 1, 0], [0, 0, 0], [3, 0, 0]]
        assert ids.dtype == np.int32
        assert counts.dtype == np.float32


@pytest.mark.parametrize(
    ("terms", "width"),
    [(0, 4), (1, 4), (28, 28), (29, 32), (33, 40), (57, 64), (384, 384), (385, 448), (768, 768)],
)
def test_the_width_is_one_of_few_that_hold_the_longest_row(terms: int, width: int) -> None:
    X = np.zeros((3, 1000), dtype=np.float32)
    X[1, :terms] = 1
    assert build.width_of(csr_array(X)) == width
    assert terms == 0 or build.width_of(X[:, :terms]) == width


@pytest.mark.parametrize(
    ("terms", "columns"), [(1, 313), (256, 313), (313, 313), (314, 5000), (5000, 5000)], ids=str
)
def test_rows_are_padded_to_few_widths_far_apart(terms: int, columns: int) -> None:
    X = csr_array(np.ones((2, terms)))
    ids, counts = build.pad_rows(X, 5000)
    assert ids.shape == counts.shape == (2, columns)
    assert ids[0].tolist() == [*range(terms), *[0] * (columns - terms)]
    assert counts.sum() == 2 * terms


@pytest.mark.parametrize(("units", "classes"), [((), 2), ((4, 3), 2), ((), 3), ((4,), 3)], ids=str)
def test_the_sparse_network_computes_what_the_dense_one_does(
    units: tuple[int, ...], classes: int
) -> None:
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
