"""The folder from which a training resumes, and the stage train, which removes it."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from stages import train as stage
from tests import samples
from tests.settings import models, put
from textclf.artifacts import checked, features, layers, packages, predictions, shapes, splits
from textclf.artifacts.checksums import MANIFEST
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.shapes import Part, Shapes
from textclf.models import majority
from textclf.models.common import fitting
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.fitting import fingerprint, scratch_folder, scratch_prefix


def test_a_fingerprint_changes_with_rows_shards_and_settings(tmp_path: Path) -> None:
    settings = samples.settings("naive_bayes")
    first = fingerprint(samples.write_splits(tmp_path / "1" / "words"), settings)
    assert fingerprint(samples.write_splits(tmp_path / "2" / "words"), settings) == first
    fingerprints = {
        first,
        fingerprint(
            samples.write_splits(tmp_path / "1" / "words"),
            samples.settings("naive_bayes", alpha=2.0),
        ),
        fingerprint(samples.write_splits(tmp_path / "3" / "words", classes=3), settings),
        fingerprint(samples.write_splits(tmp_path / "4" / "words", test=16), settings),
        fingerprint(samples.write_splits(tmp_path / "5" / "letters"), settings),
    }
    assert len(fingerprints) == 5
    assert {len(digits) for digits in fingerprints} == {16}
    splits = features.open_shards(tmp_path / "1" / "words")
    folder = scratch_folder(tmp_path, "naive_bayes", splits, settings)
    assert folder == tmp_path / f"{scratch_prefix('naive_bayes')}{first}.scratch"
    assert not folder.exists()


# The stage


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run the stage for a model on shards in data/features, with changes of params.yaml."""
    folder = tmp_path / "data" / "features" / "words"
    samples.write_splits(folder)
    packages.write(folder)
    shapes.write_features(Shapes("sparse", {"words": Part(samples.TERMS, {}, {})}), folder)
    checked.write_default(tmp_path / "data" / "default.json", settled=True)
    monkeypatch.chdir(tmp_path)

    def run_stage(*settings: str, model: str = "naive_bayes") -> None:
        Path("params.yaml").write_text(put(*models(model), *settings), encoding="utf-8")
        checked.write_weights(Path("data", "weights"), {f"train@{model}": {}}, {})
        Path("data", "splits").mkdir(exist_ok=True)
        splits.write_table(
            pa.table({"id": pa.array([], pa.string())}), Path("data", "splits", "train.parquet")
        )
        names = ("features", "splits", "pretrained", "weights", "trained", "predictions")
        stage.run(
            item=model,
            default=Path("data", "default.json"),
            **{name: Path("data", name) for name in names},
        )

    return run_stage


def hidden(folder: Path) -> list[Path]:
    return list((folder / "data").rglob(".*"))


def test_a_killed_training_finds_its_scratch_folder_again_and_the_stage_removes_it_at_the_end(
    tmp_path: Path, run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    contents: list[list[str]] = []  # of the scratch folder, at the start of each training
    killed = True

    def fit(train: Dataset, watched: Dataset, settings: Any, folders: Folders) -> Fitted:
        scratch = folders.scratch
        assert scratch is not None
        contents.append(sorted(path.name for path in scratch.glob("*")))
        scratch.mkdir(exist_ok=True)
        (scratch / "state").touch()
        if killed:
            raise KeyboardInterrupt
        return majority.fit(train, watched, settings, folders)

    monkeypatch.setattr(fitting, "load_model", lambda _: SimpleNamespace(fit=fit))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run()
    with pytest.raises(KeyboardInterrupt):
        run("train.naive_bayes.alpha", "2.0")
    assert contents == [[], ["state"], []]
    assert [path.parent for path in hidden(tmp_path)] == [tmp_path / "data"] * 2
    killed = False
    run()
    assert contents[3] == ["state"]
    assert not hidden(tmp_path)


@pytest.mark.parametrize("index", [0, 1])
def test_only_the_first_of_several_workers_writes(
    tmp_path: Path, run: Callable[..., None], index: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = {"worker": ["localhost:1", "localhost:2"]}
    monkeypatch.setenv(
        "TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
    )
    run()
    for path in ("trained/naive_bayes/model.npz", "predictions/naive_bayes.parquet"):
        assert (tmp_path / "data" / path).exists() == (index == 0)
    assert not hidden(tmp_path)


@pytest.mark.parametrize("model", ["naive_bayes", "logistic_regression"])
def test_the_written_layers_give_the_written_predictions_in_a_row_group_per_shard(
    tmp_path: Path, run: Callable[..., None], capsys: pytest.CaptureFixture[str], model: str
) -> None:
    run(model=model)
    groups = list(predictions.batches(tmp_path / "data" / "predictions" / f"{model}.parquet"))
    splits = features.open_shards(tmp_path / "data" / "features" / "words")
    trained = tmp_path / "data" / "trained" / model
    read = layers.read(trained)
    parts = [(name, part) for name, shards in splits.items() for part in shards]
    assert [len(rows) for rows in groups] == [25, 25, 10, 20, 20, 20, 15, 15, 15, 15]
    for rows, (name, part) in zip(groups, parts, strict=True):
        assert set(rows.split) == {name}
        assert rows.ids.tolist() == part.ids.tolist()
        assert rows.y.tolist() == part.y.tolist()
        assert rows.classes == read.classes
        assert np.array_equal(rows.probabilities, read.predict_proba(part.X))
    whole = {name: features.concatenate(list(shards)) for name, shards in splits.items()}
    fitted = samples.fit(model, whole["train"])
    assert json.loads((trained / "training.json").read_text()) == dict(fitted.record)
    assert capsys.readouterr().out == f"{fitted}\n"
    written = {
        layers.WEIGHTS,
        layers.DESCRIPTION,
        packages.FILE,
        shapes.FILE,
        MANIFEST,
        "training.json",
    }
    assert {path.name for path in trained.iterdir()} == written


@pytest.mark.parametrize("watched", ["validation", "test"])
def test_the_history_and_further_files_of_a_training_are_written(
    tmp_path: Path, run: Callable[..., None], monkeypatch: pytest.MonkeyPatch, watched: str
) -> None:
    if watched == "test":
        for path in (tmp_path / "data" / "features" / "words").glob("validation*"):
            path.unlink()
    history = pd.DataFrame(
        {"epoch": [1, 1], "split": ["train", "watched"], "loss": [0.5, 1 / 3], "accuracy": [1.0, 0]}
    )

    def fit(*arguments: Any) -> Fitted:
        model = majority.fit(*arguments).layers
        return Fitted(model, {"parameters": 1}, history, {"notes.txt": lambda path: path.touch()})

    monkeypatch.setattr(fitting, "load_model", lambda _: SimpleNamespace(fit=fit))
    run()
    trained = tmp_path / "data" / "trained" / "naive_bayes"
    assert (trained / "notes.txt").exists()
    lines = (trained / "history.csv").read_text().splitlines()
    assert lines == ["epoch,split,loss,accuracy", "1,train,0.5,1.0", f"1,{watched},0.333333,0.0"]
