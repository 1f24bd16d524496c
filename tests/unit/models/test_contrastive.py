"""The transformer's objective contrastive: loss, batches, logistic regression on vectors."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from tests.unit.models import berts
from textclf.artifacts.onnx_classifier import OnnxClassifier
from textclf.models.common.fitted import Folders
from textclf.models.transformer import contrastive, training
from textclf.models.transformer.batches import class_batches, pad

SETTINGS = berts.settings(objective="contrastive", epochs=8)


def loss_of(vectors: NDArray[np.float64], y: NDArray[np.int64], row: int) -> float:
    """Return the loss of a row, by the formula of the paper (L_out), term by term."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    others = [other for other in range(len(y)) if other != row]
    total = sum(np.exp(unit[row] @ unit[other] / 0.1) for other in others)
    partners = [other for other in others if y[other] == y[row]]
    logarithms = [
        float(np.log(np.exp(unit[row] @ unit[partner] / 0.1) / total)) for partner in partners
    ]
    return -sum(logarithms) / max(len(partners), 1)


def test_the_loss_is_that_of_the_paper_and_a_row_alone_in_its_class_has_none() -> None:
    vectors = np.random.default_rng(0).normal(size=(7, 5))
    y = np.array([0, 1, 0, 2, 1, 0, 1])
    losses, nearest = contrastive.objective(vectors.astype(np.float32), y)
    np.testing.assert_allclose(losses, [loss_of(vectors, y, row) for row in range(7)], rtol=1e-4)
    assert losses[3] == 0 < min(losses[row] for row in (0, 1, 2, 4, 5, 6))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = unit @ unit.T - 2 * np.eye(7)
    assert np.asarray(nearest).tolist() == (y[similarity.argmax(axis=1)] == y).tolist()


@pytest.mark.parametrize(
    ("counts", "size"), [((8, 8), 64), ((5,) * 20, 16), ((60, 7, 2), 16), ((3, 1), 4)]
)
def test_a_batch_has_each_class_in_its_share_and_a_partner_for_each_row(
    counts: tuple[int, ...], size: int
) -> None:
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    batches = class_batches(y, size, seed=3, epoch=1)
    assert sorted(np.concatenate(batches)) == list(range(len(y)))
    assert len(batches) == -(-len(y) // size)
    for batch in batches:
        of_class = np.bincount(y[batch], minlength=len(counts))
        assert not any(of_class[label] == 1 for label, count in enumerate(counts) if count > 1)
        np.testing.assert_allclose(of_class, np.array(counts) / len(batches), atol=6)
        assert len(batch) <= 1.5 * size
    again, other = (class_batches(y, size, seed=3, epoch=epoch) for epoch in (1, 2))
    assert [batch.tolist() for batch in again] == [batch.tolist() for batch in batches]
    assert [batch.tolist() for batch in other] != [batch.tolist() for batch in batches]


@pytest.mark.parametrize("classes", [2, 3])
def test_the_graph_is_logistic_regression_on_the_tuned_vectors_of_length_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classes: int
) -> None:
    folders, rows = berts.folders(tmp_path, monkeypatch), berts.rows(40, classes)
    fitted = berts.fit(rows, berts.rows(9, classes, 1), SETTINGS, folders)
    tuned = training.compile_network(
        *(berts.config(tmp_path), classes, SETTINGS, False)
    ).network  # the one kept
    vectors = np.asarray(tuned(pad(rows.X), training=False), dtype=np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = LogisticRegression(C=10, max_iter=1000).fit(vectors, rows.y).predict_proba(vectors)
    assert isinstance(fitted.layers, OnnxClassifier)
    np.testing.assert_allclose(fitted.layers.predict_proba(rows.X), expected, atol=1e-4)
    assert fitted.history is None
    assert fitted.record["epochs"] == fitted.record["best_epoch"] == 8


def test_a_fold_that_finds_the_network_compiled_gets_the_bytes_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, rows = Folders(berts.folders(tmp_path, monkeypatch).pretrained), berts.rows(20)
    training.compile_network.cache_clear()
    for settings in (SETTINGS, berts.settings(seed=1)):
        fits = [berts.fit(rows, rows, settings, folders).layers for _ in range(2)]
        assert fits[0].content == fits[1].content
    assert training.compile_network.cache_info()[:2] == (2, 2)  # found, compiled
