"""Networks of several labels per text: one sigmoid and one binary loss per label."""

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import log_loss

from tests import samples
from tests.unit.models import berts, networks, test_sequences
from textclf.artifacts import classifiers
from textclf.artifacts.features import Features
from textclf.artifacts.layers import SIGMOIDS
from textclf.artifacts.onnx_classifier import OnnxClassifier
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.loading import load_model

Labels = NDArray[np.int8]
KERAS = {"units": [4], "learning_rate": 0.05, "epochs": 3, "batch_size": 20}
SEQUENCES = test_sequences.SMALL | {"epochs": 4}
SETTINGS: dict[str, dict[str, Any]] = {
    "keras": KERAS,
    "embedding": SEQUENCES,
    "cnn": SEQUENCES | test_sequences.CNN,
}


def label_rows(kind: str, count: int = 40, labels: int = 3) -> Features:
    """Return rows of features that a kind of network reads, with sets of labels."""
    part = samples.label_rows(labels, count)
    return part if kind == "keras" else dataclasses.replace(part, X=test_sequences.rows(count).X)


@cache
def fit(kind: str, labels: int = 3, repetition: int = 0, weighted: bool = False) -> Fitted:  # noqa: ARG001
    """Return a network fitted on 40 rows, which watches the first 9 of them; a repetition is fitted anew."""
    part = label_rows(kind, labels=labels)
    weights = {"class_weight": {name: 1.0 + 2 * (number == 0) for number, name in enumerate(part.classes.tolist())}}
    settings = samples.settings(kind, **SETTINGS[kind] | (weights if weighted else {}))
    watched = samples.take(part, np.arange(9))
    fitted: Fitted = load_model(kind).fit(samples.dataset(part), samples.dataset(watched), settings, samples.FOLDERS)
    return fitted


def measured(fitted: Fitted, part: Features) -> tuple[float, float]:
    """Return the mean over labels of scikit-learn's log loss, and the share of rows with the exact set."""
    chances = fitted.layers.predict_proba(part.X)
    losses = [log_loss(y, p, labels=[0, 1]) for y, p in zip(part.y.T, chances.T, strict=True)]
    return float(np.mean(losses)), float(((chances > 0.5) == part.y).all(axis=1).mean())


def last(fitted: Fitted, split: str) -> tuple[float, float]:
    """Return loss and accuracy of the last epoch on the rows of a split."""
    assert fitted.history is not None
    row = fitted.history[fitted.history["split"] == split].iloc[-1]
    return float(row["loss"]), float(row["accuracy"])


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_network_has_a_sigmoid_per_label_and_its_files_predict_the_same(tmp_path: Path, kind: str) -> None:
    fitted, part = fit(kind), label_rows(kind)
    assert fitted.layers.layers[-1].activation == SIGMOIDS
    assert fitted.layers.layers[-1].kernel.shape[1] == 3
    again = samples.write_and_read(fitted.layers, tmp_path)
    assert again.predict_proba(part.X).tolist() == fitted.layers.predict_proba(part.X).tolist()


@pytest.mark.parametrize("kind", SETTINGS)
def test_the_loss_is_the_mean_over_labels_and_the_accuracy_that_of_whole_sets(kind: str) -> None:
    fitted, part = fit(kind), label_rows(kind)
    assert last(fitted, "watched") == pytest.approx(measured(fitted, samples.take(part, np.arange(9))), rel=1e-4)
    assert fitted.history is not None
    losses = fitted.history["loss"][fitted.history["split"] == "train"].tolist()
    assert losses[-1] < losses[0]


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert networks.bits(fit("keras")) == networks.bits(fit("keras", repetition=1))


def test_one_label_is_learned_as_two_classes_are() -> None:
    part = label_rows("keras", labels=1)
    binary = Features(part.ids, part.X, part.y[:, 0].astype(np.int64), np.array(["no", "yes"]))
    two = networks.train(binary, samples.take(binary, np.arange(9)), samples.settings("keras", **KERAS))
    one = fit("keras", labels=1)
    assert one.layers.predict_proba(part.X)[:, 0] == pytest.approx(two.layers.predict_proba(part.X)[:, 1], abs=1e-6)
    assert last(one, "train") == pytest.approx(last(two, "train"), rel=1e-5)
    assert last(one, "watched") == pytest.approx(last(two, "watched"), rel=1e-5)


def test_the_weight_of_a_label_is_that_of_its_rows_in_its_own_loss() -> None:
    part = label_rows("keras")
    weighted, equal = (fit("keras", weighted=weighted).layers.predict_proba(part.X) for weighted in (True, False))
    assert weighted[:, 0].mean() > equal[:, 0].mean() + 0.02
    assert np.abs(weighted - equal)[:, 1:].max() < np.abs(weighted - equal)[:, 0].max()


# The transformer


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    return berts.folders(tmp_path, monkeypatch)


def bert_rows(count: int, labels: int, seed: int = 0) -> Features:
    """Return random rows with a label for each of the first ids that they have, perhaps none."""
    X = berts.tokens(count, seed)
    y = np.array(
        [
            [number in X.ids[start:end] for number in range(1, labels + 1)]
            for start, end in zip(X.starts, X.starts[1:], strict=False)
        ]
    )
    names = np.array([f"label {number}" for number in range(labels)])
    return Features(np.arange(count).astype(str), X, y.astype(np.int8), names)


@pytest.mark.parametrize("labels", [1, 2])
def test_a_transformer_learns_several_labels(tmp_path: Path, folders: Folders, labels: int) -> None:
    train, watched = bert_rows(60, labels), bert_rows(9, labels, 1)
    fitted = berts.fit(train, watched, berts.settings(epochs=12), folders)
    assert isinstance(fitted.layers, OnnxClassifier)
    assert fitted.layers.predict_proba(train.X).shape == (60, labels)
    assert last(fitted, "watched") == pytest.approx(measured(fitted, watched), rel=1e-3)
    shares = train.y.mean(axis=0)
    assert measured(fitted, train)[0] < 0.85 * -(shares * np.log(shares) + (1 - shares) * np.log(1 - shares)).mean()
    fitted.write(tmp_path)
    again = classifiers.read(tmp_path)
    assert isinstance(again, OnnxClassifier)
    assert again.multilabel
    assert again.predict_proba(train.X).tolist() == fitted.layers.predict_proba(train.X).tolist()


def test_weights_of_labels_change_what_a_transformer_learns(folders: Folders) -> None:
    train, watched = bert_rows(40, 2), bert_rows(9, 2, 1)
    given = {"label 0": 5.0, "label 1": 1.0}
    probabilities = [
        berts.fit(train, watched, berts.settings(epochs=2, class_weight=weight), folders).layers.predict_proba(train.X)
        for weight in (None, given)
    ]
    difference = (probabilities[1] - probabilities[0]).mean(axis=0)
    assert difference[0] > 0.05
    assert difference[0] > abs(difference[1])
