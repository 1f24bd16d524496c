"""Damaged files of every kind: a right answer or an error in one line, never another answer."""

import contextlib
import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import textclf
from tests import pull_request, stored_splits
from tests.conftest import arguments, run_stage, tree
from tests.faults import damage
from tests.faults.campaign import generator, tries
from tests.processes import git
from textclf import cli
from textclf.artifacts import conformal, decisions, external, features, layers, predictions, shapes, shards, splits
from textclf.artifacts.checksums import verify_folder
from textclf.artifacts.decisions import Decision, Platt, Temperature
from textclf.artifacts.layers import Layer, LayerModel
from textclf.artifacts.predictions import Predictions
from textclf.core import files
from textclf.core.errors import UserError
from textclf.core.settings import load_yaml
from textclf.evaluate.results import Results
from textclf.export import folder
from textclf.predict.predictor import find_model
from textclf.vectorize import representation
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

# Exported models

TEXTS = ["The food was great, great!", "bad food", "", "nothing that is known", "not a bad place 7"]
LEARNED = ["bad food", "great place", "great food, not bad", "a place to be", "food 7 of 10"]


def make_model(kind: str, vectorizer: Vectorizer) -> LayerModel:
    """Return a model of random weights: linear, or with a hidden layer for `network`."""
    generator = np.random.default_rng(0)
    columns = len(vectorizer.terms())
    if kind == "network":
        hidden = Layer(generator.normal(size=(columns, 3)), generator.normal(size=3), "relu")
        return LayerModel(("0", "1"), (hidden, Layer(generator.normal(size=(3, 1)), np.zeros(1), "sigmoid")))
    return layers.linear(("0", "1"), generator.normal(size=(1, columns)), np.array([0.5]), "sigmoid")


MODELS = {
    "linear": ({}, Decision(0.5)),
    "network": ({}, Decision(0.4, Temperature(1.7))),
    "tfidf": ({"weighting": "tfidf", "analyzer": "word+char", "ngram_range": [1, 2]}, Decision(0.5, Platt(1.5, -0.25))),
    "hashing": ({"weighting": "tfidf", "hashing": 64}, Decision(0.5)),
}


@pytest.mark.parametrize("name", MODELS)
def test_damage_of_one_file_never_changes_a_prediction(name: str, tmp_path: Path) -> None:
    settings, decision = MODELS[name]
    vectorizer = Vectorizer.fit(LEARNED, Terms.model_validate(settings))
    (trained := tmp_path / "trained").mkdir()
    layers.write(make_model(name, vectorizer), trained)
    (trained / "model.keras").write_bytes(b"what Keras opens")
    models = tmp_path / "models"
    models.mkdir()
    decisions.write_index(name, [name], models)
    folder.write(models / name, folder.measured(trained, vectorizer), decision, "# A model card\n")

    def answer() -> tuple[bytes, list[str]]:
        predictor = textclf.load(find_model(models, None))
        return predictor.predict_proba(TEXTS).tobytes(), predictor.predict(TEXTS).tolist()

    written = sorted(path for path in models.rglob("*") if path.is_file())
    assert damage.defects(written, answer, tries(400), generator(name), damage.DISK, same=True) == []


# Splits and predictions

ROWS = 200


def write_splits(folder: Path) -> Callable[[], object]:
    """Write splits of several shards, and return a function that reads all that stages read of them."""
    folder.mkdir()
    for split in ("train", "test"):
        labels = ["yes" if n % 3 else "no" for n in range(ROWS)]
        clusters = np.arange(ROWS, dtype=np.uint64) ** np.uint64(7)
        rows = {"id": [f"a.txt:{n}" for n in range(ROWS)], "text": [f"text {n % 50}" for n in range(ROWS)]}
        stored_splits.write_shards(pd.DataFrame({**rows, "label": labels, "cluster": clusters}), folder, split)
    splits.write_classes(["no", "yes"], folder)
    splits.write_checksums({"a.txt": "0" * 64}, folder)

    def read() -> object:
        parts = splits.open_shards(folder)
        columns = [splits.read_column(path, name) for part in parts.values() for path in part.paths for name in ("id",)]
        clusters = [keys.tobytes() for split in parts for keys in splits.open_clusters(folder, split)]
        rows = {split: part.to_csv() for split, part in splits.read(folder).items()}
        return rows, columns, clusters, splits.read_classes(folder), splits.read_checksums(folder)

    return read


def write_predictions(folder: Path) -> Callable[[], object]:
    """Write predictions in two row groups, and return a function that reads them."""
    folder.mkdir()
    positive = np.random.default_rng(0).random(ROWS)
    rows = Predictions(
        np.array([f"a.txt:{n}" for n in range(ROWS)], dtype=object),
        np.repeat(np.array(["train", "test"], dtype=object), ROWS // 2),
        np.arange(ROWS) % 2,
        np.column_stack([1 - positive, positive]),
        ("no", "yes"),
    )
    predictions.write([rows.take(slice(0, 100)), rows.take(slice(100, ROWS))], folder / "a.parquet")

    def read() -> object:
        parts = [*predictions.batches(folder / "a.parquet"), predictions.read(folder / "a.parquet")]
        return [
            (part.ids.tolist(), part.split.tolist(), part.y.tobytes(), part.probabilities.tobytes(), part.classes)
            for part in parts
        ]

    return read


@pytest.mark.parametrize("write", [write_splits, write_predictions])
def test_damage_of_one_file_never_changes_a_row(
    write: Callable[[Path], Callable[[], object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "ROWS", 150)
    read = write(tmp_path / "data")
    written = sorted((tmp_path / "data").iterdir())
    assert damage.defects(written, read, tries(400), generator(write.__name__), damage.DISK, same=True) == []


# Every reader of a file that a stage wrote

METRICS = ("evaluation", "intervals", "comparisons", "coverage", "decisions", "training", "features", "splits")
COLUMNS = ("model", "split", "class", "support")
CLASSES = ("0", "1")
SHARD, PREDICTED = Path("data/splits/train.parquet"), Path("data/predictions/majority.parquet")
SCORES = Path("data/conformal.json")
FEATURES = Path("data/features/words")
TRAINED, MODEL = Path("data/trained/majority"), Path("models/majority")

Reader = Callable[[], object]


def read_layers() -> LayerModel:
    verify_folder(TRAINED)
    return layers.read(TRAINED)


# What is read, and the files that are damaged.
READERS: dict[str, tuple[Reader, list[Path]]] = {
    "rows": (lambda: splits.read_shard(SHARD), [SHARD]),
    "ids": (lambda: splits.read_column(SHARD, "id"), [SHARD]),
    "clusters": (lambda: list(splits.open_clusters(SHARD.parent, "train")), [SHARD]),
    "classes": (lambda: splits.read_classes(SHARD.parent), [SHARD.parent / splits.CLASSES]),
    "features": (
        lambda: features.read_shard(Path("data/features/words/train.npz")),
        [Path("data/features/words/train.npz")],
    ),
    "labels": (
        lambda: features.read_arrays(Path("data/features/words/train.npz"), "classes", "y"),
        [Path("data/features/words/train.npz")],
    ),
    "predictions": (lambda: predictions.read(PREDICTED), [PREDICTED]),
    "batches": (lambda: list(predictions.batches(PREDICTED)), [PREDICTED]),
    "external": (lambda: external.read(PREDICTED, CLASSES), [PREDICTED]),
    "shapes": (lambda: shapes.read(FEATURES), [FEATURES / shapes.FILE]),
    "layers": (read_layers, [TRAINED / layers.WEIGHTS, TRAINED / layers.DESCRIPTION]),
    "decision": (lambda: decisions.read_decision(MODEL / decisions.DECISION, 2), [MODEL / decisions.DECISION]),
    "scores": (lambda: conformal.read(SCORES), [SCORES]),
    "index": (lambda: decisions.read_index(MODEL.parent), [MODEL.parent / decisions.INDEX]),
    "vectorizer": (lambda: representation.read(MODEL / "vectorizer.json", MODEL), [MODEL / "vectorizer.json"]),
    "table": (lambda: files.read_csv(Path("plots/classes.csv"), COLUMNS), [Path("plots/classes.csv")]),
    "params": (lambda: load_yaml(Path("params.yaml")), [Path("params.yaml")]),
    **{
        name: (functools.partial(Results.read, Path("metrics"), [name], ["majority"]), [Path(f"metrics/{name}.json")])
        for name in METRICS
    },
}


@pytest.mark.parametrize("name", READERS)
def test_a_reader_of_damage_says_so_or_reads_it(project: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(project)
    read, paths = READERS[name]
    count = tries(5 if name == "params" else 50)  # reading YAML takes a tenth of a second
    assert damage.defects(paths, read, count, generator(name)) == []


def run(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Run a stage; raise its error as a `UserError`."""
    status = run_stage(Path(), name, *arguments(name))
    lines = capfd.readouterr().err.splitlines()
    if status == 2 and lines[0].startswith("error: "):
        raise UserError(*lines)
    assert status in {None, 0}, lines


BETWEEN = {"features": ("train", "evaluate", "export"), "trained": ("evaluate", "export")}


@pytest.mark.parametrize("made", BETWEEN)
def test_a_flipped_bit_is_refused_or_has_no_effect(project: Path, capfd: pytest.CaptureFixture[str], made: str) -> None:
    def results() -> object:
        for name in BETWEEN[made]:
            run(name, capfd)
        return [tree(Path(folder)) for folder in ("metrics", "models", "plots")]

    with contextlib.chdir(project):
        paths = [path for path in sorted(Path("data", made).glob("*/*")) if path.is_file()]
        assert damage.defects(paths, results, tries(4), generator(made), [damage.flip], same=True) == []


# Revisions that `textclf pr-report` compares


def pr_report(capfd: pytest.CaptureFixture[str], base: str) -> tuple[Any, str]:
    with pytest.raises(SystemExit) as stop:
        cli.main(["pr-report", base])
    return stop.value.code, capfd.readouterr().err


def test_pr_report_on_damaged_revisions_gives_an_answer_or_a_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pull_request.make(project)
    monkeypatch.chdir(project)
    base = git("rev-parse", "HEAD").strip()
    rng = generator()
    assert pr_report(capfd, base) == (0, "")
    sound = shutil.copytree(project, project.with_name("sound"), ignore=shutil.ignore_patterns(".git", ".dvc"))
    wrong = []
    for _ in range(tries(20)):
        path = Path(rng.choice(pull_request.READ))
        committed = rng.random() < 0.3  # else damage the working tree
        with damage.damaged(path, damage.edit(path.suffix), rng):
            content = path.read_bytes()[:2000]
            if path.suffix == ".parquet":
                pull_request.lock(project)
            if committed:
                pull_request.commit(project)
            else:
                code, errors = pr_report(capfd, base)
        if committed:
            code, errors = pr_report(capfd, "HEAD")
        named = str(path) in errors or "params.yaml" in errors  # or a rule of the gate names what is gone
        refused = errors.startswith("error: ")
        if code not in {0, 1, 2} or (code == 2) != refused or (errors and not named):
            wrong.append(f"{path}: {content!r}\n{code} {errors}")
        git("reset", "--quiet", "--mixed", base, folder=project)
        for name in pull_request.READ:
            shutil.copy(sound / name, project / name)
    assert wrong == []
