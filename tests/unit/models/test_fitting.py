"""Fitting a model by its name, and predicting with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.utils.class_weight import compute_sample_weight

from tests import samples
from textclf.artifacts.features import Features
from textclf.models import majority
from textclf.models.common.class_weights import row_weights
from textclf.models.common.fitted import Fitted
from textclf.models.common.fitting import fit_model, predict_shards, training_record, watched_split
from textclf.models.common.settings import ClassWeight

CLASSES = np.array(["no", "yes"])


def part(name: str, counts: list[list[int]], y: list[int]) -> Features:
    ids = np.array([f"{name}:{number}" for number in range(len(y))])
    return Features(ids, csr_array(np.array(counts)), np.array(y), CLASSES)


SPLITS = {
    "train": part("a", [[2, 0], [1, 0], [0, 1], [0, 3]], [1, 1, 0, 0]),
    "validation": part("b", [[1, 1]], [1]),
    "test": part("c", [[0, 2], [5, 0]], [1, 0]),
}


def fit_splits(model: str, splits: Mapping[str, Any], **changes: object) -> Fitted:
    """Return a model fitted on the rows, or shards, of `train`."""
    datasets = {name: samples.dataset(rows) for name, rows in splits.items()}
    return fit_model(model, datasets, samples.settings(model, **changes), samples.FOLDERS)


@pytest.mark.parametrize("watched", ["validation", "test"])
def test_the_model_watches_validation_rows_or_else_test_rows(
    monkeypatch: pytest.MonkeyPatch, watched: str
) -> None:
    splits = {
        name: rows for name, rows in SPLITS.items() if name != "validation" or watched == name
    }
    assert watched_split(splits) == watched
    given: list[Any] = []
    fit = majority.fit

    def record(*arguments: Any) -> Fitted:
        given.extend(arguments)
        return fit(*arguments)

    monkeypatch.setattr(majority, "fit", record)
    fit_splits("majority", splits)
    assert [next(iter(dataset.batches())) for dataset in given[:2]] == [
        splits["train"],
        splits[watched],
    ]
    assert given[2:] == [samples.settings("majority"), samples.FOLDERS]


def test_one_shard_per_split_is_predicted_in_one_batch(tmp_path: Path) -> None:
    splits = samples.write_splits(tmp_path / "features", train=60, validation=60, test=60)
    (batch,) = predict_shards(fit_splits("naive_bayes", splits).layers, splits)
    assert batch.split.tolist() == ["train"] * 60 + ["validation"] * 60 + ["test"] * 60


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        ("majority", {}),
        ("naive_bayes", {}),
        ("logistic_regression", {"solver": "stream", "max_iter": 10}),
    ],
    ids=["majority", "naive_bayes", "stream"],
)
def test_a_shard_may_lack_a_class(tmp_path: Path, model: str, changes: dict[str, object]) -> None:
    part = samples.rows(3)
    rows = samples.write_shards(samples.take(part, np.argsort(part.y, kind="stable")), tmp_path, 10)
    assert all(len(np.unique(piece.y)) < 3 for piece in rows)
    probabilities = samples.fit(model, rows, **changes).layers.predict_proba(part.X)
    assert probabilities.shape == (60, 3)
    assert np.log(probabilities).min() > -40


@pytest.mark.parametrize(("stopping", "recorded"), [(None, {}), (5, {"early_stopping": 5})])
def test_the_record_of_a_training_says_whether_it_stops_early(
    stopping: int | None, recorded: dict[str, int]
) -> None:
    settings = samples.settings("keras", early_stopping=stopping)
    assert training_record(Fitted(None, {"epochs": 9}), settings) == {"epochs": 9} | recorded


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("balanced", "balanced"),
        ((("class 2", 7.0), ("class 0", 0.5), ("class 1", 2.0)), {0: 0.5, 1: 2.0, 2: 7.0}),
        ((("class 1", 4.0),), {0: 1.0, 1: 4.0, 2: 1.0}),  # a class that is not named weighs 1
    ],
    ids=str,
)
def test_a_row_has_the_weight_of_its_class_as_in_scikit_learn(
    given: ClassWeight, expected: object
) -> None:
    part = samples.rows(3)
    weights = row_weights(part, given)
    assert weights == pytest.approx(compute_sample_weight(expected, part.y), rel=1e-15)
    assert row_weights(part, None) is None


def test_with_several_labels_a_weight_is_that_of_the_rows_with_a_label() -> None:
    part = samples.label_rows()
    weights = row_weights(part, (("label 0", 0.5), ("label 2", 7.0)))
    assert weights is not None
    assert weights.tolist() == np.where(part.y == 1, [0.5, 1.0, 7.0], 1.0).tolist()
