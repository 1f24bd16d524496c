"""Scores that are low for texts of no class, and predictions for such texts."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import logsumexp
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestCentroid

from textclf.artifacts import predictions, shards
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.decisions import Decision, Rejection, read_decision, write_decision
from textclf.artifacts.features import Features
from textclf.artifacts.layers import Layer, LayerModel
from textclf.artifacts.predictions import Predictions
from textclf.artifacts.unknown import (
    DISTANCE,
    ENERGY,
    fit_means,
    read_means,
    scores_of,
    write_means,
)

GENERATOR = np.random.default_rng(0)
CLASSES = np.array(["a", "b", "c"])
X = GENERATOR.normal(size=(30, 4)).astype(np.float32)
ROWS = Features(np.arange(30).astype(str), X, np.arange(30) % 3, CLASSES)
KERNEL, BIAS = GENERATOR.normal(size=(4, 3)), GENERATOR.normal(size=3)
SOFTMAX = LayerModel(("a", "b", "c"), (Layer(KERNEL, BIAS, "softmax"),))


@pytest.mark.parametrize("activation", ["softmax", "sigmoid_shares"])
def test_the_energy_is_the_logarithm_of_the_summed_exponentials_of_the_logits(
    activation: str,
) -> None:
    model = LayerModel(("a", "b", "c"), (Layer(KERNEL, BIAS, activation),))
    scores = scores_of(model, None, X)
    assert list(scores) == [ENERGY]
    assert scores[ENERGY] == pytest.approx(logsumexp(X @ KERNEL + BIAS, axis=1))


def test_the_energy_of_two_classes_orders_rows_as_their_highest_probability() -> None:
    model = LayerModel(("no", "yes"), (Layer(KERNEL[:, :1], BIAS[:1], "sigmoid"),))
    order = np.argsort(scores_of(model, None, X)[ENERGY])
    assert np.array_equal(order, np.argsort(model.predict_proba(X).max(axis=1)))


def test_the_distance_is_that_to_the_nearest_centroid_of_the_training_rows(tmp_path: Path) -> None:
    parts = [ROWS.take(np.arange(20)), ROWS.take(np.arange(20, 30))]
    dataset = replace(
        Dataset.of_rows(ROWS),
        readers=tuple(partial(part.take, np.arange(len(part.y))) for part in parts),
    )
    means = fit_means(dataset)
    assert means is not None
    centroids = NearestCentroid().fit(X.astype(np.float64), ROWS.y).centroids_
    assert means == pytest.approx(centroids)
    write_means(means, tmp_path)
    read = read_means(tmp_path)
    assert read is not None
    assert np.array_equal(read, means)
    expected = -pairwise_distances(X.astype(np.float64), centroids).min(axis=1)
    assert scores_of(SOFTMAX, means, X)[DISTANCE] == pytest.approx(expected)


def test_rows_without_dense_features_have_no_means(tmp_path: Path) -> None:
    assert fit_means(Dataset.of_rows(Features(ROWS.ids, csr_array(X), ROWS.y, CLASSES))) is None
    assert read_means(tmp_path) is None


def test_predictions_for_texts_of_no_class_and_scores_are_read_back(tmp_path: Path) -> None:
    rows = Predictions(
        np.array(["1", "2", "3"], object),
        np.array(["test", "test", "test_unknown"], object),
        np.array([1, 0, -1]),
        np.array([[0.1, 0.9], [0.75, 0.25], [0.5, 0.5]]),
        ("no", "yes"),
        {"energy": np.array([2.0, 1.0, 0.5])},
    )
    predictions.write([rows.take(slice(2)), rows.take(slice(2, 3))], tmp_path / "a.parquet")
    read = predictions.read(tmp_path / "a.parquet")
    assert read.y.tolist() == [1, 0, -1]
    assert read.scores["energy"].tolist() == [2.0, 1.0, 0.5]
    assert read.classes == ("no", "yes")
    assert read.take(read.y < 0).scores["energy"].tolist() == [0.5]


def test_shards_of_texts_of_no_class_are_opened_on_request_alone(tmp_path: Path) -> None:
    for name in ("train", "test", "test_unknown"):
        (tmp_path / f"{name}.x").write_text(name, encoding="utf-8")
    assert list(shards.open_splits(tmp_path, ".x", Path.read_text)) == ["train", "test"]
    assert list(shards.open_splits(tmp_path, ".x", Path.read_text, unknown=True)) == [
        "train",
        "test",
        "test_unknown",
    ]


def test_the_rejection_of_a_decision_is_read_back_from_both_files(tmp_path: Path) -> None:
    decision = Decision(0.25, rejection=Rejection("energy", 1.5))
    write_decision(decision, tmp_path / "decision.json")
    (tmp_path / "manifest.json").touch()
    assert read_decision(tmp_path / "decision.json", 2) == decision
    assert Decision.from_json(decision.to_json()) == decision
    assert "rejection" not in Decision(0.25).to_json()
