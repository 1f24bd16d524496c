"""Fitting a model by its name, and predicting with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests import samples
from textclf.artifacts import features, predictions
from textclf.artifacts.features import Features
from textclf.artifacts.shards import Shards
from textclf.core import resources
from textclf.core.errors import UserError
from textclf.models import majority
from textclf.models.common.fitted import Fitted
from textclf.models.common.fitting import fit_model, predict, predict_shards, training_record, watched_split
from textclf.models.settings import KINDS

LINEAR = ("majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm")
SIZES = {"train": 25, "validation": 20, "test": 15}  # rows per shard of each split
CLASSES = np.array(["no", "yes"])
each_linear_model = pytest.mark.parametrize("model", LINEAR)


def part(name: str, counts: list[list[int]], y: list[int]) -> Features:
    ids = np.array([f"{name}:{number}" for number in range(len(y))])
    return Features(ids, csr_array(np.array(counts)), np.array(y), CLASSES)


SPLITS = {
    "train": part("a", [[2, 0], [1, 0], [0, 1], [0, 3]], [1, 1, 0, 0]),
    "validation": part("b", [[1, 1]], [1]),
    "test": part("c", [[0, 2], [5, 0]], [1, 0]),
}


def write_splits(folder: Path, classes: int = 2, sizes: dict[str, int] | None = None) -> dict[str, Shards[Features]]:
    """Write sixty rows of each split in shards."""
    for seed, (name, size) in enumerate((sizes or SIZES).items()):
        samples.write_shards(samples.rows(classes, seed=seed), folder, size, name)
    return features.open_shards(folder)


def fit_splits(model: str, splits: Mapping[str, Any], **changes: object) -> Fitted:
    """Return a model fitted on the rows, or shards, of `train`."""
    datasets = {name: samples.dataset(rows) for name, rows in splits.items()}
    return fit_model(model, datasets, samples.settings(model, **changes), samples.FOLDERS)


# Rows in memory


def test_predictions_have_the_ids_split_and_labels_of_the_rows_in_order() -> None:
    model = fit_splits("logistic_regression", SPLITS).layers
    rows = predict(model, "test", SPLITS["test"])
    assert rows.ids.tolist() == ["c:0", "c:1"]
    assert rows.split.tolist() == ["test", "test"]
    assert rows.y.tolist() == [1, 0]
    assert rows.classes == ("no", "yes")
    assert np.array_equal(rows.probabilities, model.predict_proba(SPLITS["test"].X))


@pytest.mark.parametrize("watched", ["validation", "test"])
def test_the_model_watches_the_validation_rows_or_else_the_test_rows(
    monkeypatch: pytest.MonkeyPatch, watched: str
) -> None:
    splits = {name: rows for name, rows in SPLITS.items() if name != "validation" or watched == name}
    assert watched_split(splits) == watched
    given: list[Any] = []
    fit = majority.fit

    def record(*arguments: Any) -> Fitted:
        given.extend(arguments)
        return fit(*arguments)

    monkeypatch.setattr(majority, "fit", record)
    fit_splits("majority", splits)
    assert [next(iter(dataset.batches())) for dataset in given[:2]] == [splits["train"], splits[watched]]
    assert given[2:] == [samples.settings("majority"), samples.FOLDERS]


@pytest.mark.parametrize("model", KINDS)
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_training_rows_without_a_class_are_refused(model: str, missing: int) -> None:
    rows = samples.rows(3)
    train = samples.take(rows, np.flatnonzero(rows.y != missing))
    line = f"the training rows must hold every class; class class {missing} has none of {len(train.y)}: "
    with pytest.raises(UserError) as error:
        fit_splits(model, {"train": train, "test": rows})
    assert len(error.value.lines) == 1
    assert error.value.lines[0].startswith(line)


@each_linear_model
@pytest.mark.parametrize("classes", [2, 3, 6])
def test_the_layers_read_from_their_files_predict_the_same(tmp_path: Path, model: str, classes: int) -> None:
    train = samples.rows(classes)
    fitted = samples.fit(model, train)
    again = samples.write_and_read(fitted.layers, tmp_path)
    assert again.classes == tuple(train.classes.tolist())
    assert fitted.files == {}
    X = samples.rows(classes, seed=1).X
    assert again.predict_proba(csr_array((0, samples.TERMS))).shape == (0, classes)
    for rows in (X, X * 0.37):
        probabilities = again.predict_proba(rows)
        assert np.array_equal(probabilities, fitted.layers.predict_proba(rows))
        assert probabilities.sum(axis=1) == pytest.approx(np.ones(rows.shape[0]), abs=1e-12)


# Shards


@each_linear_model
def test_shards_are_predicted_in_order_by_the_layers_of_the_model(tmp_path: Path, model: str) -> None:
    splits = write_splits(tmp_path / "features")
    fitted = fit_splits(model, splits)
    batches = list(predict_shards(fitted.layers, splits))
    assert [(set(rows.split), len(rows)) for rows in batches] == [
        *[({"train"}, rows) for rows in (25, 25, 10)],
        *[({"validation"}, rows) for rows in (20, 20, 20)],
        *[({"test"}, rows) for rows in (15, 15, 15, 15)],
    ]
    parts = [features.concatenate(list(shards)) for shards in splits.values()]
    rows = predictions.concatenate(batches)
    assert rows.ids.tolist() == [name for part in parts for name in part.ids]
    assert rows.y.tolist() == [position for part in parts for position in part.y]
    assert rows.classes == ("class 0", "class 1")
    assert np.array_equal(rows.probabilities, np.concatenate([fitted.layers.predict_proba(part.X) for part in parts]))


def test_one_shard_per_split_is_predicted_in_one_batch(tmp_path: Path) -> None:
    splits = write_splits(tmp_path / "features", sizes={"train": 60, "test": 60})
    (batch,) = predict_shards(fit_splits("naive_bayes", splits).layers, splits)
    assert batch.split.tolist() == ["train"] * 60 + ["test"] * 60


@each_linear_model
@pytest.mark.parametrize("classes", [2, 3])
def test_the_number_of_batches_changes_no_bit(tmp_path: Path, model: str, classes: int) -> None:
    part = samples.rows(classes)
    fits = [samples.fit(model, rows).layers.layers[0] for rows in (part, samples.write_shards(part, tmp_path, 25))]
    assert len({layer.kernel.tobytes() + layer.bias.tobytes() for layer in fits}) == 1


@pytest.mark.parametrize(
    ("model", "changes"),
    [("majority", {}), ("naive_bayes", {}), ("logistic_regression", {"solver": "stream", "max_iter": 10})],
    ids=["majority", "naive_bayes", "stream"],
)
def test_a_shard_may_lack_a_class(tmp_path: Path, model: str, changes: dict[str, object]) -> None:
    part = samples.rows(3)
    rows = samples.write_shards(samples.take(part, np.argsort(part.y, kind="stable")), tmp_path, 10)
    assert all(len(np.unique(piece.y)) < 3 for piece in rows)
    probabilities = samples.fit(model, rows, **changes).layers.predict_proba(part.X)
    assert probabilities.shape == (60, 3)
    assert np.log(probabilities).min() > -40


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("linear_svm", "linear_svm"),
        ("nb_svm", "nb_svm"),
        ("logistic_regression", "logistic_regression with the solver lbfgs"),
    ],
)
def test_rows_that_do_not_fit_into_memory_together_are_refused(
    tmp_path: Path, model: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits = write_splits(tmp_path / "features")
    monkeypatch.setattr(resources, "available_memory", lambda: 1000)
    with pytest.raises(UserError, match=f"^{name}, which does not train on a stream, needs about .* of memory; "):
        fit_splits(model, splits)


@pytest.mark.parametrize(("stopping", "recorded"), [(None, {}), (5, {"early_stopping": 5})])
def test_the_record_of_a_training_says_whether_it_stops_early(stopping: int | None, recorded: dict[str, int]) -> None:
    settings = samples.settings("keras", early_stopping=stopping)
    assert training_record(Fitted(None, {"epochs": 9}), settings) == {"epochs": 9} | recorded
