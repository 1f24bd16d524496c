"""Training on shards: what it gives, against what the same rows give in memory."""

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from stages import train as stage
from tests import samples
from tests.settings import put
from textclf import models, params
from textclf.artifacts import layers as portable
from textclf.artifacts import predictions, shards
from textclf.core import resources as budget
from textclf.core.errors import UserError
from textclf.models import fitting as training
from textclf.models import logistic_regression, majority, naive_bayes, streaming
from textclf.vectorize import features
from textclf.vectorize.features import Features, Shards

LINEAR = ("majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm")
SIZES = {"train": 25, "validation": 20, "test": 15}  # rows of a shard of each split


def in_shards(part: Features, folder: Path, rows: int, name: str = "train") -> Shards:
    """The rows written as shards of so many rows each."""
    pieces = (samples.taken(part, some) for some in np.split(np.arange(len(part.y)), range(rows, len(part.y), rows)))
    folder.mkdir(exist_ok=True)
    return Shards(shards.write(pieces, folder, name, ".npz", features.write))


def splits(folder: Path, classes: int = 2, sizes: dict[str, int] | None = None) -> dict[str, Shards]:
    """Sixty rows of each split."""
    for seed, (name, size) in enumerate((SIZES if sizes is None else sizes).items()):
        in_shards(samples.rows(classes, seed=seed), folder, size, name)
    return features.open_shards(folder)


def together(found: dict[str, Shards]) -> dict[str, Features]:
    return {name: part.together() for name, part in found.items()}


# What is predicted


@pytest.mark.parametrize("model", LINEAR)
def test_the_tables_are_those_of_the_shards_in_order(tmp_path: Path, model: str) -> None:
    found = splits(tmp_path / "features")
    trained = training.train_shards(model, found, samples.settings(model), tmp_path / "scratch")
    tables = list(trained.tables)
    assert [(rows["split"].unique().tolist(), len(rows)) for rows in tables] == [
        *[(["train"], rows) for rows in (25, 25, 10)],
        *[(["validation"], rows) for rows in (20, 20, 20)],
        *[(["test"], rows) for rows in (15, 15, 15, 15)],
    ]
    parts = list(together(found).values())
    rows = pd.concat(tables)
    assert rows["id"].tolist() == [name for part in parts for name in part.ids]
    assert rows["label"].tolist() == [name for part in parts for name in part.classes[part.y]]
    expected = np.concatenate([trained.model.predict_proba(part.X) for part in parts])
    assert np.array_equal(rows[["probability_class 0", "probability_class 1"]].to_numpy(), expected)
    assert trained.watched == "validation"


@pytest.mark.parametrize("model", LINEAR)
def test_one_shard_a_split_gives_what_rows_in_memory_give(tmp_path: Path, model: str) -> None:
    found = splits(tmp_path / "features", sizes={"train": 60, "test": 60})
    streamed = training.train_shards(model, found, samples.settings(model), tmp_path / "scratch")
    trained = training.train(model, together(found), samples.settings(model))
    (rows,) = streamed.tables
    assert rows.equals(trained.predictions)
    assert streamed.watched == trained.watched == "test"
    assert not (tmp_path / "scratch").exists()


@pytest.mark.parametrize("model", LINEAR)
@pytest.mark.parametrize("classes", [2, 3])
def test_small_shards_give_the_model_of_all_rows(tmp_path: Path, model: str, classes: int) -> None:
    found = splits(tmp_path / "features", classes)
    settings = samples.settings(model)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    training.train_shards(model, found, settings, tmp_path / "scratch").model.save(tmp_path / "a")
    training.train(model, together(found), settings).model.save(tmp_path / "b")
    for name in (portable.WEIGHTS, portable.DESCRIPTION):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("given", ["balanced", {"class 0": 0.1, "class 1": 2.0, "class 2": 7.0}], ids=str)
@pytest.mark.parametrize("alpha", [0.01, 1.0])
def test_naive_bayes_of_shards_weighs_classes_as_that_of_all_rows(tmp_path: Path, alpha: float, given: object) -> None:
    rows = in_shards(samples.rows(3), tmp_path, 7)
    settings = samples.settings("naive_bayes", alpha=alpha, class_weight=given)
    streamed = naive_bayes.fit_stream(rows, rows, settings, tmp_path).estimator
    whole = naive_bayes.fit(rows.together(), rows.together(), settings).estimator
    assert streamed.feature_log_prob_ == pytest.approx(whole.feature_log_prob_, rel=1e-13)
    assert streamed.class_log_prior_ == pytest.approx(whole.class_log_prior_, rel=1e-13)


def test_a_shard_may_lack_a_class(tmp_path: Path) -> None:
    part = samples.rows(3)
    rows = in_shards(samples.taken(part, np.argsort(part.y, kind="stable")), tmp_path, 10)
    assert all(len(np.unique(piece.y)) < 3 for piece in rows)
    for module, name in ((majority, "majority"), (naive_bayes, "naive_bayes"), (logistic_regression, "sgd")):
        changes: dict[str, object] = {"solver": "sgd", "max_iter": 10} if name == "sgd" else {}
        settings = samples.settings(module.__name__.rpartition(".")[2], **changes)
        model: Any = module.fit_stream(rows, rows, settings, tmp_path)
        assert model.predict_proba(part.X).shape == (60, 3)
        assert np.log(model.predict_proba(part.X)).min() > -40


# Stochastic gradient descent on shards


@pytest.mark.parametrize("classes", [2, 3])
def test_sgd_on_shards_repeats_and_comes_near_that_on_all_rows(tmp_path: Path, classes: int) -> None:
    part = samples.rows(classes, 400)
    rows = in_shards(part, tmp_path, 60)
    settings = samples.settings("logistic_regression", solver="sgd", class_weight="balanced", max_iter=20)
    one, other = (logistic_regression.fit_stream(rows, rows, settings, tmp_path) for _ in range(2))
    whole = logistic_regression.fit(part, part, settings)
    assert one.portable().layers[0].kernel.tobytes() == other.portable().layers[0].kernel.tobytes()
    assert one.record == whole.record
    assert one.predict_proba(part.X) == pytest.approx(whole.predict_proba(part.X), abs=0.04)


def test_each_pass_and_shard_has_an_order_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = in_shards(samples.rows(), tmp_path, 10)
    orders, read = [], features.read_shard

    def reading(path: Path) -> Features:
        orders.append(path.name)
        return read(path)

    monkeypatch.setattr(logistic_regression, "read_shard", reading)
    settings = samples.settings("logistic_regression", solver="sgd", max_iter=4)
    logistic_regression.fit_stream(rows, rows, settings, tmp_path)
    passes = [tuple(orders[start : start + 6]) for start in range(0, len(orders), 6)]
    assert len(passes) == 5  # the first is for the length of a step
    assert len(set(passes)) == 5
    assert {tuple(sorted(found)) for found in passes} == {tuple(path.name for path in rows.paths)}


def test_auto_counts_the_rows_of_all_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = in_shards(samples.rows(), tmp_path, 25)
    settings = samples.settings("logistic_regression", solver="auto")
    for most, kept in ((60, "iterations"), (59, "passes")):
        monkeypatch.setattr(logistic_regression, "IN_MEMORY", most)
        assert kept in logistic_regression.fit_stream(rows, rows, settings, tmp_path).record


# What is refused


@pytest.mark.parametrize("model", get_args(params.Model))
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_training_shards_that_lack_a_class_are_an_error(tmp_path: Path, model: str, missing: int) -> None:
    part = samples.rows(3)
    some = samples.taken(part, np.flatnonzero(part.y != missing))
    found = {"train": in_shards(some, tmp_path, 20), "test": in_shards(part, tmp_path, 60, "test")}
    with pytest.raises(UserError) as error:
        training.train_shards(model, found, samples.settings(model), tmp_path / "scratch")
    (line,) = error.value.lines
    assert line.startswith(
        f"the training rows must hold every class; class class {missing} has none of {len(some.y)}: "
    )
    assert not (tmp_path / "scratch").exists()


@pytest.mark.parametrize("model", ["linear_svm", "nb_svm"])
def test_rows_that_do_not_fit_into_memory_together_are_an_error(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = splits(tmp_path / "features")
    monkeypatch.setattr(budget, "available_memory", lambda: 1000)
    with pytest.raises(UserError, match=f"^{model}, which does not train on a stream, needs about .* of memory; "):
        training.train_shards(model, found, samples.settings(model), tmp_path / "scratch")


def test_the_rows_of_each_class_are_counted_over_shards(tmp_path: Path) -> None:
    part = samples.rows(3)
    classes, counts = models.count_classes(in_shards(part, tmp_path, 25))
    assert classes.tolist() == part.classes.tolist()
    assert counts.tolist() == np.bincount(part.y).tolist()


def test_labels_of_a_damaged_shard_are_an_error(tmp_path: Path) -> None:
    rows = in_shards(samples.rows(), tmp_path, 25)
    rows.paths[1].write_bytes(b"PK")
    with pytest.raises(UserError, match=r"train-00002\.npz is damaged; "):
        models.count_classes(rows)


# The scratch folder


def test_a_fingerprint_changes_with_rows_shards_and_settings(tmp_path: Path) -> None:
    settings = samples.settings("naive_bayes")
    prints = {streaming.fingerprint(splits(tmp_path / "a"), settings)}
    assert prints == {streaming.fingerprint(splits(tmp_path / "b"), settings)}
    prints.add(streaming.fingerprint(splits(tmp_path / "a"), samples.settings("naive_bayes", alpha=2.0)))
    prints.add(streaming.fingerprint(splits(tmp_path / "c", classes=3), settings))
    prints.add(streaming.fingerprint(splits(tmp_path / "d", sizes=SIZES | {"test": 16}), settings))
    assert len(prints) == 4
    assert {len(found) for found in prints} == {16}


class Keeping:
    """A module whose model is trained on a stream; it keeps a file in the scratch folder, and may be killed."""

    def __init__(self) -> None:
        self.killed = False
        self.found: list[list[str]] = []

    def fit(self, *_: object) -> models.Model:
        raise NotImplementedError

    def fit_stream(self, train: Shards, watched: Shards, settings: Any, scratch: Path) -> models.Model:
        self.found.append(sorted(path.name for path in scratch.glob("*")))
        scratch.mkdir(exist_ok=True)
        (scratch / "state").touch()
        if self.killed:
            raise KeyboardInterrupt
        return majority.fit_stream(train, watched, settings, scratch)


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch) -> Keeping:
    module = Keeping()
    monkeypatch.setattr(models, "module", lambda _: module)
    return module


def run(folder: Path, *settings: str) -> None:
    chosen = params.parse(put("train.models", "[majority, naive_bayes]", "gate.minimum", "{}", *settings))
    paths = (folder / "data" / "features", folder / "data/trained/naive_bayes", folder / "data/p/naive_bayes.parquet")
    stage.run(chosen, "naive_bayes", *paths)


def hidden(folder: Path) -> list[Path]:
    return list((folder / "data").rglob(".*"))


def test_what_a_killed_training_kept_is_found_again_and_removed_in_the_end(tmp_path: Path, keeping: Keeping) -> None:
    (tmp_path / "data").mkdir()
    splits(tmp_path / "data" / "features")
    keeping.killed = True
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "train.naive_bayes.alpha", "2.0")
    assert keeping.found == [[], ["state"], []]
    assert [path.parent for path in hidden(tmp_path)] == [tmp_path / "data"] * 2
    keeping.killed = False
    run(tmp_path)
    assert keeping.found[3] == ["state"]
    assert not hidden(tmp_path)


@pytest.mark.parametrize("index", [0, 1])
def test_of_several_workers_the_first_writes(tmp_path: Path, index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = {"worker": ["localhost:1", "localhost:2"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}))
    (tmp_path / "data").mkdir()
    splits(tmp_path / "data" / "features")
    run(tmp_path)
    for path in ("trained/naive_bayes/model.npz", "p/naive_bayes.parquet"):
        assert (tmp_path / "data" / path).exists() == (index == 0)
    assert not hidden(tmp_path)


def test_the_stage_writes_a_row_group_a_shard(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    found = splits(tmp_path / "data" / "features")
    run(tmp_path)
    path = tmp_path / "data" / "p" / "naive_bayes.parquet"
    groups = list(predictions.batches(path))
    assert [len(rows) for rows in groups] == [25, 25, 10, 20, 20, 20, 15, 15, 15, 15]
    trained = training.train("naive_bayes", together(found), samples.settings("naive_bayes"))
    assert pd.concat(groups, ignore_index=True).equals(trained.predictions)
    record = json.loads((tmp_path / "data" / "trained" / "naive_bayes" / "training.json").read_text())
    assert record == dict(trained.model.record)
