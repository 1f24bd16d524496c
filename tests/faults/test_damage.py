"""Damaged files of every kind: a right answer or an error in one line, never another answer."""

import contextlib
import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import pull_request
from tests.conftest import run_stage, tree
from tests.faults import damage
from tests.faults.campaign import generator, tries
from tests.processes import git
from textclf import cli
from textclf.artifacts import (
    conformal,
    decisions,
    external,
    features,
    layers,
    predictions,
    shapes,
    splits,
)
from textclf.artifacts.checksums import verify_folder
from textclf.artifacts.layers import LayerModel
from textclf.core import files
from textclf.core.errors import UserError
from textclf.core.settings import load_yaml
from textclf.evaluate.results import Results
from textclf.vectorize import representation

# Every reader of a file that a stage wrote

METRICS = (
    "evaluation",
    "intervals",
    "comparisons",
    "coverage",
    "decisions",
    "training",
    "features",
    "splits",
)
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
    "decision": (
        lambda: decisions.read_decision(MODEL / decisions.DECISION, 2),
        [MODEL / decisions.DECISION],
    ),
    "scores": (lambda: conformal.read(SCORES), [SCORES]),
    "index": (lambda: decisions.read_index(MODEL.parent), [MODEL.parent / decisions.INDEX]),
    "vectorizer": (
        lambda: representation.read(MODEL / "vectorizer.json", MODEL),
        [MODEL / "vectorizer.json"],
    ),
    "table": (
        lambda: files.read_csv(Path("plots/classes.csv"), COLUMNS),
        [Path("plots/classes.csv")],
    ),
    "params": (lambda: load_yaml(Path("params.yaml")), [Path("params.yaml")]),
    **{
        name: (
            functools.partial(Results.read, Path("metrics"), [name], ["majority"]),
            [Path(f"metrics/{name}.json")],
        )
        for name in METRICS
    },
}


@pytest.mark.parametrize("name", READERS)
def test_a_reader_of_damage_says_so_or_reads_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(project)
    read, paths = READERS[name]
    count = tries(5 if name == "params" else 50)  # reading YAML takes a tenth of a second
    assert damage.defects(paths, read, count, generator(name)) == []


def run(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Run a stage; raise its error as a `UserError`."""
    status = run_stage(Path(), name)
    lines = capfd.readouterr().err.splitlines()
    if status == 2 and lines[0].startswith("error: "):
        raise UserError(*lines)
    assert status in {None, 0}, lines


BETWEEN = {"features": ("train", "evaluate", "export"), "trained": ("evaluate", "export")}


@pytest.mark.parametrize("made", BETWEEN)
def test_a_flipped_bit_is_refused_or_has_no_effect(
    project: Path, capfd: pytest.CaptureFixture[str], made: str
) -> None:
    def results() -> object:
        for name in BETWEEN[made]:
            run(name, capfd)
        return [tree(Path(folder)) for folder in ("metrics", "models", "plots")]

    with contextlib.chdir(project):
        paths = [path for path in sorted(Path("data", made).glob("*/*")) if path.is_file()]
        assert (
            damage.defects(paths, results, tries(4), generator(made), [damage.flip], same=True)
            == []
        )


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
    sound = shutil.copytree(
        project, project.with_name("sound"), ignore=shutil.ignore_patterns(".git", ".dvc")
    )
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
        named = (
            str(path) in errors or "params.yaml" in errors
        )  # or a rule of the gate names what is gone
        refused = errors.startswith("error: ")
        if code not in {0, 1, 2} or (code == 2) != refused or (errors and not named):
            wrong.append(f"{path}: {content!r}\n{code} {errors}")
        git("reset", "--quiet", "--mixed", base, folder=project)
        for name in pull_request.READ:
            shutil.copy(sound / name, project / name)
    assert wrong == []
