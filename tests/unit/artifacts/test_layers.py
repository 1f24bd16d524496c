"""Models as layers of numbers. That the network's are its own stands in tests/unit/test_keras.py."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit, logsumexp

from tests import samples
from textclf import models, params
from textclf.artifacts import layers as portable
from textclf.artifacts.layers import HIDDEN, OUTPUT, Layer, Portable
from textclf.core.errors import UserError

KINDS = ("majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm")
each_number_of_classes = pytest.mark.parametrize("classes", [2, 3, 6])


def fitted(kind: str, classes: int) -> Any:
    part = samples.rows(classes)
    return models.module(kind).fit(part, part, samples.settings(kind))


def made(
    classes: int = 2, units: tuple[int, ...] = (), activation: str = "tanh", output: str = "", presence: bool = False
) -> Portable:
    """Layers of random numbers."""
    generator = np.random.default_rng(classes)
    output = output or ("sigmoid" if classes == 2 else "softmax")
    sizes = [samples.TERMS, *units, 1 if output == "sigmoid" else classes]
    shapes = list(itertools.pairwise(sizes))
    layers = [Layer(generator.normal(size=shape), generator.normal(size=shape[1]), activation) for shape in shapes[:-1]]
    layers.append(Layer(generator.normal(size=shapes[-1]), generator.normal(size=shapes[-1][1]), output))
    return Portable(tuple(f"class {n}" for n in range(classes)), tuple(layers), presence)


def odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log odds by their definition."""
    others = [np.delete(probabilities, place, axis=1).sum(axis=1) for place in range(probabilities.shape[1])]
    return np.asarray(np.log(probabilities) - np.log(np.array(others).T))


def taken_out(model: Portable, X: csr_array) -> NDArray[np.float64]:
    """By how much the log odds fall when one nonzero after the other is really made 0."""
    whole = odds(model.predict_proba(X))
    falls = []
    for place in range(X.nnz):
        without = X.copy()
        without.data[place] = 0
        without.eliminate_zeros()
        row = np.searchsorted(X.indptr, place, side="right") - 1
        falls.append((whole - odds(model.predict_proba(without)))[row])
    return np.array(falls)


MODELS = {
    "two classes": made(),
    "two classes by softmax": made(2, output="softmax"),
    "three classes": made(3),
    "six classes, shares of sigmoids": made(6, output="sigmoid_shares"),
    "presence": made(3, presence=True),
    "a network": made(2, (4, 3)),
    "a network of three classes": made(3, (5,), "gelu"),
    "a network of presence": made(3, (5,), "relu", presence=True),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


# What it predicts


@pytest.mark.parametrize("kind", KINDS)
@each_number_of_classes
def test_it_predicts_what_the_model_predicts(kind: str, classes: int, tmp_path: Path) -> None:
    model = fitted(kind, classes)
    again = samples.saved(model, tmp_path)
    X = samples.rows(classes, seed=1).X
    assert again.predict_proba(csr_array((0, samples.TERMS))).shape == (0, classes)
    for rows in (X, X * 0.37):
        found = again.predict_proba(rows)
        assert found == pytest.approx(model.predict_proba(rows), rel=1e-9, abs=1e-14)
        assert found.sum(axis=1) == pytest.approx(np.ones(rows.shape[0]), abs=1e-12)
    assert again.classes == tuple(f"class {n}" for n in range(classes))


def test_the_activations_are_those_that_a_network_may_have() -> None:
    assert set(HIDDEN) == set(get_args(params.Activation))


@pytest.mark.parametrize("output", OUTPUT)
@pytest.mark.parametrize("scale", [1e3, 1e6])
@pytest.mark.parametrize("activation", HIDDEN)
def test_extreme_scores_stay_probabilities(activation: str, scale: float, output: str) -> None:
    classes = 2 if output == "sigmoid" else 3
    X = csr_array(scale * np.array([[1.0, -1, 0], [-1, 1, 1], [1, 1, 1], [-1, -1, -1], [0, 0, 0]]))
    hidden = Layer(np.eye(3), np.zeros(3), activation)
    last = Layer(np.eye(3)[:, : 1 if output == "sigmoid" else classes], np.zeros(classes)[-1:], output)
    last = Layer(last.kernel, np.zeros(last.kernel.shape[1]), output)
    model = Portable(tuple("abc"[:classes]), (hidden, last))
    found = model.predict_proba(X)
    assert np.isfinite(found).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(5))
    assert np.isfinite(model.occlusion(X)).all()


def test_a_small_probability_keeps_its_digits() -> None:
    model = portable.linear(("a", "b"), np.ones((1, 1)), np.zeros(1), "sigmoid")
    found = model.predict_proba(csr_array(np.array([[50.0], [-700.0]])))
    assert [found[0, 0], found[1, 1]] == pytest.approx(np.exp([-50.0, -700.0]), rel=1e-12, abs=0)


def test_a_row_that_no_class_wants_belongs_to_all_alike() -> None:
    model = portable.linear(("a", "b", "c"), -np.ones((3, 1)), np.zeros(3), "sigmoid_shares")
    assert model.predict_proba(csr_array(np.array([[1e6]]))).tolist() == [[1 / 3] * 3]


# What decided


@each_model
def test_occlusion_is_taking_a_term_out(model: Portable) -> None:
    X = csr_array(samples.rows(3, count=20).X * 0.7)
    assert model.occlusion(X) == pytest.approx(taken_out(model, X), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@each_number_of_classes
def test_occlusion_of_a_trained_model_is_taking_a_term_out(kind: str, classes: int) -> None:
    model, X = fitted(kind, classes).portable(), samples.rows(classes, count=30, seed=1).X
    assert model.occlusion(X) == pytest.approx(taken_out(model, X), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6])
def test_occlusion_of_a_linear_model_of_two_classes_is_weight_times_value(size: float) -> None:
    model = made()
    model = Portable(model.classes, (Layer(size * model.layers[0].kernel, np.zeros(1), "sigmoid"),))
    X = csr_array(samples.rows().X * 0.5)
    expected = model.layers[0].kernel[X.indices, 0] * X.data
    assert model.occlusion(X) == pytest.approx(np.column_stack([-expected, expected]), rel=1e-9, abs=1e-9 * size)


@pytest.mark.parametrize("kind", ["linear_svm", "logistic_regression"])
def test_a_term_has_a_part_however_sure_the_model_is(kind: str) -> None:
    model = fitted(kind, 2).portable()
    X = csr_array(np.full((1, samples.TERMS), 10**5))
    assert (np.abs(model.occlusion(X)) > 1).all()


@each_model
def test_occlusion_in_pieces_is_the_same(model: Portable, monkeypatch: pytest.MonkeyPatch) -> None:
    X = samples.rows(3).X
    whole = model.occlusion(X)
    monkeypatch.setattr(portable, "CELLS", 7)
    assert model.occlusion(X) == pytest.approx(whole, rel=1e-12, abs=1e-12)


def test_nothing_decided_where_there_is_no_term() -> None:
    assert made(3).occlusion(csr_array((2, samples.TERMS))).shape == (0, 3)
    assert made(3).occlusion(csr_array((0, samples.TERMS))).shape == (0, 3)


def test_no_term_decides_in_a_model_that_looks_at_none() -> None:
    X = samples.rows(3).X
    found = fitted("majority", 3).portable().occlusion(X)
    assert found.shape == (X.nnz, 3)
    assert not found.any()


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6])
@pytest.mark.parametrize("classes", [2, 3, 6])
def test_log_odds_are_those_of_the_class_against_all_others(classes: int, size: float) -> None:
    scores = size * np.random.default_rng(0).normal(size=(50, classes))
    scores[0] = 0
    scores[1, 1:] = scores[1, 0]
    others = [logsumexp(np.delete(scores, place, axis=1), axis=1) for place in range(classes)]
    assert portable.log_odds(scores) == pytest.approx(scores - np.array(others).T, rel=1e-12, abs=1e-14 + 1e-15 * size)


# Weights of terms


def test_the_weights_of_two_classes_are_those_of_the_second_and_their_negatives() -> None:
    model = made()
    weights = model.linear_weights()
    assert weights is not None
    assert weights.tolist() == np.column_stack([-model.layers[0].kernel[:, 0], model.layers[0].kernel[:, 0]]).tolist()


@pytest.mark.parametrize("output", ["softmax", "sigmoid_shares"])
def test_the_weights_of_more_classes_are_centred(output: str) -> None:
    model = made(3, output=output)
    weights = model.linear_weights()
    assert weights is not None
    assert weights.sum(axis=1) == pytest.approx(np.zeros(samples.TERMS), abs=1e-12)
    differences = model.layers[0].kernel[:, :1] - model.layers[0].kernel
    assert weights[:, :1] - weights == pytest.approx(differences)


def test_a_network_and_a_model_without_terms_have_no_weights() -> None:
    assert made(2, (3,)).linear_weights() is None
    assert fitted("majority", 3).portable().linear_weights() is None


def test_it_is_made_from_what_scikit_learn_has() -> None:
    model = portable.linear(np.array(["a", "b"]), np.array([[1.0, 2.0]]), np.array([0.5]), "sigmoid")
    assert model.classes == ("a", "b")
    found = model.predict_proba(csr_array(np.array([[1.0, 1.0]])))
    assert found[0] == pytest.approx([expit(-3.5), expit(3.5)])


# Files


@each_model
def test_what_is_written_comes_back_to_the_bit(model: Portable, tmp_path: Path) -> None:
    portable.write(model, tmp_path)
    again = portable.read(tmp_path)
    assert (again.classes, again.presence) == (model.classes, model.presence)
    for new, old in zip(again.layers, model.layers, strict=True):
        assert new.activation == old.activation
        assert (new.kernel.tobytes(), new.bias.tobytes()) == (old.kernel.tobytes(), old.bias.tobytes())


def test_names_of_classes_come_back_whatever_they_hold(tmp_path: Path) -> None:
    names = ("100%", 'say "a"', "größe ☃\u2028")
    portable.write(portable.linear(names, np.ones((3, 1)), np.ones(3), "softmax"), tmp_path)
    assert portable.read(tmp_path).classes == names


def described(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """Other content of model.json."""

    def damage(folder: Path) -> None:
        content = json.loads((folder / portable.DESCRIPTION).read_text())
        change(content)
        (folder / portable.DESCRIPTION).write_text(json.dumps(content))

    return damage


def weighted(**changed: object) -> Callable[[Path], object]:
    """Other arrays in model.npz; None leaves one out."""

    def damage(folder: Path) -> None:
        with np.load(folder / portable.WEIGHTS) as stored:
            arrays = {name: stored[name] for name in stored.files} | changed
        np.savez(folder / portable.WEIGHTS, **{name: array for name, array in arrays.items() if array is not None})

    return damage


def cut(share: float) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        content = (folder / portable.WEIGHTS).read_bytes()
        (folder / portable.WEIGHTS).write_bytes(content[: int(share * len(content))])

    return damage


def flipped(folder: Path) -> None:
    content = bytearray((folder / portable.WEIGHTS).read_bytes())
    content[300] ^= 1  # a bit of a weight
    (folder / portable.WEIGHTS).write_bytes(content)


DAMAGE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "no JSON": ("json", lambda folder: (folder / portable.DESCRIPTION).write_text('{"classes": [')),
    "a list": ("json", lambda folder: (folder / portable.DESCRIPTION).write_text("[]")),
    "too deep": ("json", lambda folder: (folder / portable.DESCRIPTION).write_text("[" * 10**5)),
    "a key too few": ("json", described(lambda content: content.pop("presence"))),
    "no layers": ("json", described(lambda content: content.update(activations=[]))),
    "an unknown activation": ("json", described(lambda content: content.update(activations=["swish", "softmax"]))),
    "an unknown output": ("json", described(lambda content: content.update(activations=["relu", "relu"]))),
    "a class that is no text": ("json", described(lambda content: content.update(classes=["a", "b", 3]))),
    "a class too few": ("npz", described(lambda content: content.update(classes=["a", "b"]))),
    "sigmoid of three": ("npz", described(lambda content: content.update(activations=["relu", "sigmoid"]))),
    "a layer too many": ("npz", described(lambda content: content.update(activations=["relu", "relu", "softmax"]))),
    "an empty file": ("npz", cut(0)),
    "half a file": ("npz", cut(0.5)),
    "most of a file": ("npz", cut(0.99)),
    "a flipped bit": ("npz", flipped),
    "text": ("npz", lambda folder: (folder / portable.WEIGHTS).write_text("weights")),
    "an array missing": ("npz", weighted(bias_2=None)),
    "a bias of another size": ("npz", weighted(bias_1=np.zeros(4))),
    "a bias of one number": ("npz", weighted(bias_1=np.array(0.0))),
    "a kernel of one dimension": ("npz", weighted(kernel_1=np.zeros(5), bias_1=np.array(0.0))),
    "a kernel of three dimensions": ("npz", weighted(kernel_1=np.zeros((2, 5, 5)), bias_1=np.zeros((5, 5)))),
    "layers that do not fit": ("npz", weighted(kernel_2=np.zeros((6, 3)))),
    "other numbers": ("npz", weighted(kernel_1=np.zeros((samples.TERMS, 5), dtype=np.float32))),
    "a bias of other numbers": ("npz", weighted(bias_2=np.zeros(3, dtype=np.int64))),
    "text for numbers": ("npz", weighted(bias_2=np.array(["0", "0", "0"]))),
    "no number": ("npz", weighted(bias_2=np.array([0.0, np.nan, 0.0]))),
    "infinity": ("npz", weighted(bias_2=np.array([0.0, np.inf, 0.0]))),
    "a pickle": ("npz", weighted(bias_2=np.array([0.0, None, 0.0], dtype=object))),
}


@pytest.mark.parametrize(("file", "damage"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_an_error(tmp_path: Path, file: str, damage: Callable[[Path], object]) -> None:
    portable.write(made(3, (5,), "relu"), tmp_path)
    damage(tmp_path)
    with pytest.raises(UserError) as error:
        portable.read(tmp_path)
    path = tmp_path / f"model.{file}"
    assert error.value.lines == (f"{path} is damaged; remove it and run dvc repro (or dvc pull) to make it",)


@pytest.mark.parametrize("name", [portable.WEIGHTS, portable.DESCRIPTION])
def test_a_missing_file_is_an_error(tmp_path: Path, name: str) -> None:
    portable.write(made(), tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(UserError) as error:
        portable.read(tmp_path)
    assert error.value.lines == (f"{tmp_path / name} not found; run dvc repro (or dvc pull) to make it",)
