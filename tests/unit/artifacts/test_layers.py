"""Models as dense layers. That those of each model are its own is tested in tests/unit/models."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit, logsumexp, softmax

from tests import samples
from tests.refusal import refusal
from tests.unit.artifacts.random_layers import MODELS, random_model
from textclf.artifacts import layers
from textclf.artifacts.layers import HIDDEN, OUTPUT, Layer, LayerModel
from textclf.models.common.networks.settings import Activation


def odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    others = [
        np.delete(probabilities, position, axis=1).sum(axis=1)
        for position in range(probabilities.shape[1])
    ]
    return np.asarray(np.log(probabilities) - np.log(np.array(others).T))


def remove_terms(model: LayerModel, X: csr_array) -> NDArray[np.float64]:
    """Return how much the log odds fall when one nonzero after the other is really made 0."""
    whole = odds(model.predict_proba(X))
    falls = []
    for position in range(X.nnz):
        without = X.copy()
        without.data[position] = 0
        without.eliminate_zeros()
        row = np.searchsorted(X.indptr, position, side="right") - 1
        falls.append((whole - odds(model.predict_proba(without)))[row])
    return np.array(falls)


IGNORING_THE_TEXT: LayerModel = samples.fit("majority", samples.rows(3)).layers
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


# What it predicts


@pytest.mark.parametrize("scale", [1, 50, 1000])
def test_softmax_is_scipys_to_the_bit(scale: int) -> None:
    scores = np.random.default_rng(scale).normal(size=(50, 7)) * scale
    assert np.array_equal(OUTPUT["softmax"](scores), softmax(scores, axis=1))


@pytest.mark.parametrize("output", OUTPUT)
@given(
    st.integers(0, 2**32 - 1), st.integers(2, 40), st.tuples(st.integers(1, 40), st.integers(1, 40))
)
def test_a_row_is_predicted_and_explained_to_the_bit_alike_alone_and_among_others(
    output: str, seed: int, count: int, units: tuple[int, int]
) -> None:
    model = random_model(
        2 if output == "sigmoid" else 9, units, sorted(HIDDEN)[seed % len(HIDDEN)], output
    )
    X = csr_array(np.random.default_rng(seed).integers(-2, 3, (count, samples.TERMS)).clip(0))
    rows = [csr_array(X[[position]]) for position in range(count)]
    assert np.array_equal(
        model.predict_proba(X), np.vstack([model.predict_proba(row) for row in rows])
    )
    assert np.array_equal(model.occlusion(X), np.vstack([model.occlusion(row) for row in rows]))


def test_the_activations_are_those_that_a_network_may_have() -> None:
    assert set(HIDDEN) == set(get_args(Activation))


@pytest.mark.parametrize("output", OUTPUT)
@pytest.mark.parametrize("scale", [1e3, 1e6])
@pytest.mark.parametrize("activation", HIDDEN)
def test_extreme_scores_stay_probabilities(activation: str, scale: float, output: str) -> None:
    classes = 2 if output == "sigmoid" else 3
    X = csr_array(scale * np.array([[1.0, -1, 0], [-1, 1, 1], [1, 1, 1], [-1, -1, -1], [0, 0, 0]]))
    hidden = Layer(np.eye(3), np.zeros(3), activation)
    units = 1 if output == "sigmoid" else classes
    last = Layer(np.eye(3)[:, :units], np.zeros(units), output)
    model = LayerModel(tuple("abc"[:classes]), (hidden, last))
    probabilities = model.predict_proba(X)
    assert np.isfinite(probabilities).all()
    assert (probabilities >= 0).all()
    assert (probabilities <= 1).all()
    if not model.multilabel:
        assert probabilities.sum(axis=1) == pytest.approx(np.ones(5))
    assert np.isfinite(model.occlusion(X)).all()


def test_a_small_probability_keeps_its_digits() -> None:
    model = layers.linear(("a", "b"), np.ones((1, 1)), np.zeros(1), "sigmoid")
    probabilities = model.predict_proba(csr_array(np.array([[50.0], [-50.0], [700.0], [-700.0]])))
    small = [probabilities[row, column] for row, column in ((0, 0), (1, 1), (2, 0), (3, 1))]
    assert small == pytest.approx(np.exp([-50.0, -50.0, -700.0, -700.0]), rel=1e-12, abs=0)
    assert model.predict_proba(csr_array(np.array([[-1e308], [1e308]]))).tolist() == [
        [1.0, 0.0],
        [0.0, 1.0],
    ]


def test_shares_of_sigmoids_are_each_sigmoid_divided_by_their_sum() -> None:
    scores = np.array([[0.0, 1.0, -2.0], [0.0, 0.0, 0.0], [30.0, -30.0, 2.0]])
    bias = np.array([0.5, 0.0, -0.5])
    sigmoids = expit(2 * scores + bias)
    probabilities = layers.linear("abc", 2 * np.eye(3), bias, "sigmoid_shares").predict_proba(
        csr_array(scores)
    )
    assert probabilities == pytest.approx(sigmoids / sigmoids.sum(axis=1, keepdims=True), rel=1e-14)


def test_classes_are_equally_probable_if_all_sigmoids_underflow() -> None:
    model = layers.linear("abc", np.eye(3), np.zeros(3), "sigmoid_shares")
    assert model.predict_proba(csr_array(np.array([[-1e6, -1e6, -2e6]]))).tolist() == [[1 / 3] * 3]
    assert model.predict_proba(csr_array(np.array([[-1e6, 0.0, -1e6]])))[0, 1] == 1


def test_with_presence_the_weight_of_a_term_does_not_matter() -> None:
    model = layers.linear("ab", np.array([[1.0, -2.0]]), np.ones(1), "sigmoid", presence=True)
    probabilities = model.predict_proba(csr_array(np.array([[0.2, 7.0], [3.0, 0.0], [0.0, 0.0]])))
    assert probabilities[:, 1] == pytest.approx(expit([0.0, 2.0, 1.0]))


# Occlusion


@each_model
def test_occlusion_is_what_the_removal_of_a_term_changes(model: LayerModel) -> None:
    X = csr_array(samples.rows(3, count=20).X * 0.7)
    assert model.occlusion(X) == pytest.approx(remove_terms(model, X), rel=1e-6, abs=1e-9)


@each_model
def test_occlusion_in_pieces_is_the_same(
    model: LayerModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = samples.rows(3).X
    whole = model.occlusion(X)
    monkeypatch.setattr(layers, "CELLS", 7)
    assert model.occlusion(X) == pytest.approx(whole, rel=1e-12, abs=1e-12)


def test_rows_without_terms_have_no_occlusion() -> None:
    assert random_model(3).occlusion(csr_array((2, samples.TERMS))).shape == (0, 3)
    assert random_model(3).occlusion(csr_array((0, samples.TERMS))).shape == (0, 3)


def test_no_term_has_an_effect_in_a_model_that_ignores_the_text() -> None:
    X = samples.rows(3).X
    falls = IGNORING_THE_TEXT.occlusion(X)
    assert falls.shape == (X.nnz, 3)
    assert not falls.any()


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6])
@pytest.mark.parametrize("classes", [2, 3, 6])
def test_log_odds_are_those_of_the_class_against_all_others(classes: int, size: float) -> None:
    scores = size * np.random.default_rng(0).normal(size=(50, classes))
    scores[0] = 0
    scores[1, 1:] = scores[1, 0]
    others = [logsumexp(np.delete(scores, position, axis=1), axis=1) for position in range(classes)]
    assert layers.log_odds(scores) == pytest.approx(
        scores - np.array(others).T, rel=1e-12, abs=1e-14 + 1e-15 * size
    )


# Weights of terms


def test_the_weights_of_two_classes_are_those_of_the_positive_one_and_their_negatives() -> None:
    model = random_model()
    weights = model.linear_weights()
    assert weights is not None
    assert (
        weights.tolist()
        == np.column_stack([-model.layers[0].kernel[:, 0], model.layers[0].kernel[:, 0]]).tolist()
    )


@pytest.mark.parametrize("output", ["softmax", "sigmoid_shares"])
def test_the_weights_of_more_classes_are_centred(output: str) -> None:
    model = random_model(3, output=output)
    weights = model.linear_weights()
    assert weights is not None
    assert weights.sum(axis=1) == pytest.approx(np.zeros(samples.TERMS), abs=1e-12)
    differences = model.layers[0].kernel[:, :1] - model.layers[0].kernel
    assert weights[:, :1] - weights == pytest.approx(differences)


def test_a_network_and_a_model_without_terms_have_no_weights() -> None:
    assert random_model(2, (3,)).linear_weights() is None
    assert IGNORING_THE_TEXT.linear_weights() is None


# Files


@each_model
def test_written_layers_are_read_back_bit_for_bit(model: LayerModel, tmp_path: Path) -> None:
    names = ("100%", 'say "a"', "größe ☃\u2028", "d", "e", "f")[: len(model.classes)]
    layers.write(replace(model, classes=names), tmp_path)
    again = layers.read(tmp_path)
    assert (again.classes, again.presence) == (names, model.presence)
    for new, old in zip(again.layers, model.layers, strict=True):
        assert new.activation == old.activation
        assert (new.kernel.tobytes(), new.bias.tobytes()) == (
            old.kernel.tobytes(),
            old.bias.tobytes(),
        )


def described(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        content = json.loads((folder / layers.DESCRIPTION).read_text())
        change(content)
        (folder / layers.DESCRIPTION).write_text(json.dumps(content))

    return damage


def weighted(**changed: object) -> Callable[[Path], object]:
    """Return a function that changes arrays in model.npz; None leaves one out."""

    def damage(folder: Path) -> None:
        with np.load(folder / layers.WEIGHTS) as stored:
            arrays = {name: stored[name] for name in stored.files} | changed
        np.savez(
            folder / layers.WEIGHTS,
            **{name: array for name, array in arrays.items() if array is not None},
        )

    return damage


def flipped(folder: Path) -> None:
    content = bytearray((folder / layers.WEIGHTS).read_bytes())
    content[300] ^= 1  # a bit of a weight
    (folder / layers.WEIGHTS).write_bytes(content)


DAMAGE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "no JSON": ("json", lambda folder: (folder / layers.DESCRIPTION).write_text('{"classes": [')),
    "a key too few": ("json", described(lambda content: content.pop("presence"))),
    "a layer too many": (
        "npz",
        described(lambda content: content.update(activations=["relu", "relu", "softmax"])),
    ),
    "an empty file": ("npz", lambda folder: (folder / layers.WEIGHTS).write_bytes(b"")),
    "a flipped bit": ("npz", flipped),
    "an array missing": ("npz", weighted(bias_2=None)),
    "a pickle": ("npz", weighted(bias_2=np.array([0.0, None, 0.0], dtype=object))),
}


@pytest.mark.parametrize(("file", "damage"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_an_error(
    tmp_path: Path, file: str, damage: Callable[[Path], object]
) -> None:
    layers.write(random_model(3, (5,), "relu"), tmp_path)
    damage(tmp_path)
    path = tmp_path / f"model.{file}"
    assert (
        refusal(layers.read, tmp_path)
        == f"{path} is damaged; remove it and run dvc repro (or dvc pull) to make it"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 2}, "format 2; this version reads 1"),
        ({"activations": ["swish", "softmax"]}, "this version does not know swish"),
    ],
)
def test_a_model_of_a_newer_version_is_refused(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    layers.write(random_model(3, (5,)), tmp_path)
    described(lambda content: content.update(changes))(tmp_path)
    path = tmp_path / layers.DESCRIPTION
    assert (
        refusal(layers.read, tmp_path)
        == f"{path} was made by a newer textclf ({reason}); upgrade textclf"
    )
