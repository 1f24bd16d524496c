"""Networks of several labels per text: one sigmoid and one binary loss per label."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import log_loss

from tests import samples
from tests.unit.models import berts, networks
from textclf.artifacts.features import Features
from textclf.artifacts.onnx_classifier import OnnxClassifier
from textclf.models.common.fitted import Fitted, Folders

KERAS = {"units": [4], "learning_rate": 0.05, "epochs": 3, "batch_size": 20}


@cache
def fit(labels: int = 3, weighted: bool = False) -> Fitted:
    """Return a network fitted on 40 rows, which watches the first 9 of them."""
    part = samples.label_rows(labels, 40)
    weights = {
        "class_weight": {
            name: 1.0 + 2 * (number == 0) for number, name in enumerate(part.classes.tolist())
        }
    }
    settings = samples.settings("keras", **KERAS | (weights if weighted else {}))
    return networks.train(part, samples.take(part, np.arange(9)), settings)


def measured(fitted: Fitted, part: Features) -> tuple[float, float]:
    """Return scikit-learn's log loss, the mean over labels, and the share of exact sets."""
    chances = fitted.layers.predict_proba(part.X)
    losses = [log_loss(y, p, labels=[0, 1]) for y, p in zip(part.y.T, chances.T, strict=True)]
    return float(np.mean(losses)), float(((chances > 0.5) == part.y).all(axis=1).mean())


def last(fitted: Fitted, split: str) -> tuple[float, float]:
    """Return loss and accuracy of the last epoch on the rows of a split."""
    assert fitted.history is not None
    row = fitted.history[fitted.history["split"] == split].iloc[-1]
    return float(row["loss"]), float(row["accuracy"])


def test_one_label_is_learned_as_two_classes_are() -> None:
    part = samples.label_rows(1, 40)
    binary = Features(part.ids, part.X, part.y[:, 0].astype(np.int64), np.array(["no", "yes"]))
    two = networks.train(
        binary, samples.take(binary, np.arange(9)), samples.settings("keras", **KERAS)
    )
    one = fit(labels=1)
    assert one.layers.predict_proba(part.X)[:, 0] == pytest.approx(
        two.layers.predict_proba(part.X)[:, 1], abs=1e-6
    )
    assert last(one, "train") == pytest.approx(last(two, "train"), rel=1e-5)
    assert last(one, "watched") == pytest.approx(last(two, "watched"), rel=1e-5)


def test_the_weight_of_a_label_is_that_of_its_rows_in_its_own_loss() -> None:
    part = samples.label_rows(3, 40)
    weighted, equal = (
        fit(weighted=weighted).layers.predict_proba(part.X) for weighted in (True, False)
    )
    assert weighted[:, 0].mean() > equal[:, 0].mean() + 0.02
    assert np.abs(weighted - equal)[:, 1:].max() < np.abs(weighted - equal)[:, 0].max()


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
def test_a_transformer_learns_several_labels(folders: Folders, labels: int) -> None:
    train, watched = bert_rows(60, labels), bert_rows(9, labels, 1)
    fitted = berts.fit(train, watched, berts.settings(epochs=40), folders)
    assert isinstance(fitted.layers, OnnxClassifier)
    assert fitted.layers.predict_proba(train.X).shape == (60, labels)
    assert last(fitted, "watched") == pytest.approx(measured(fitted, watched), rel=1e-3)
    shares = train.y.mean(axis=0)
    assert (
        measured(fitted, train)[0]
        < 0.5 * -(shares * np.log(shares) + (1 - shares) * np.log(1 - shares)).mean()
    )


def test_weights_of_labels_change_what_a_transformer_learns(folders: Folders) -> None:
    train, watched = bert_rows(40, 2), bert_rows(9, 2, 1)
    given = {"label 0": 5.0, "label 1": 1.0}
    probabilities = [
        berts.fit(
            train, watched, berts.settings(epochs=2, class_weight=weight), folders
        ).layers.predict_proba(train.X)
        for weight in (None, given)
    ]
    difference = (probabilities[1] - probabilities[0]).mean(axis=0)
    assert difference[0] > 0.05
    assert difference[0] > abs(difference[1])
