"""Every reader of a file that a stage wrote, and pr-report, on randomly damaged files: a right answer or one line."""

import contextlib
import functools
import random
import shutil
import subprocess
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import pull_request
from tests.conftest import arguments, run_stage, tree
from tests.faults import mutations
from tests.faults.campaign import seed, tries
from tests.faults.damage import flip
from textclf import cli
from textclf.artifacts import (
    conformal,
    decisions,
    external,
    features,
    inputs,
    layers,
    predictions,
    splits,
)
from textclf.core import files
from textclf.core.errors import UserError
from textclf.core.settings import load_yaml
from textclf.evaluate import metric_files
from textclf.vectorize import representation

METRICS = ("evaluation", "intervals", "comparisons", "coverage", "decisions", "training", "features", "splits")
COLUMNS = ("model", "split", "class", "support")
CLASSES = ("0", "1")
SHARD, PREDICTED = Path("data/splits/train.parquet"), Path("data/predictions/majority.parquet")
SCORES = Path("data/conformal.json")
FEATURES, INPUTS = Path("data/features/words"), Path("data/inputs/majority.json")
TRAINED, MODEL = Path("data/trained/majority"), Path("models/majority")

Reader = Callable[[], object]
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
        lambda: features.read_labels(Path("data/features/words/train.npz")),
        [Path("data/features/words/train.npz")],
    ),
    "predictions": (lambda: predictions.read(PREDICTED), [PREDICTED]),
    "batches": (lambda: list(predictions.batches(PREDICTED)), [PREDICTED]),
    "external": (lambda: external.read(PREDICTED, CLASSES), [PREDICTED]),
    "inputs": (lambda: inputs.read(INPUTS), [INPUTS]),
    "shapes": (lambda: inputs.read_shapes(FEATURES), [FEATURES / inputs.SHAPES]),
    "layers": (lambda: layers.read(TRAINED), [TRAINED / layers.WEIGHTS, TRAINED / layers.DESCRIPTION]),
    "decision": (lambda: decisions.read_decision(MODEL / decisions.DECISION, 2), [MODEL / decisions.DECISION]),
    "scores": (lambda: conformal.read_all(SCORES, 2), [SCORES]),
    "index": (lambda: decisions.read_index(MODEL.parent), [MODEL.parent / decisions.INDEX]),
    "vectorizer": (lambda: representation.read(MODEL / "vectorizer.json", MODEL), [MODEL / "vectorizer.json"]),
    "table": (lambda: files.read_csv(Path("plots/classes.csv"), COLUMNS), [Path("plots/classes.csv")]),
    "params": (lambda: load_yaml(Path("params.yaml")), [Path("params.yaml")]),
    **{
        name: (
            functools.partial(metric_files.read_all, Path("metrics"), [name], ["majority"]),
            [Path(f"metrics/{name}.json")],
        )
        for name in METRICS
    },
}


@contextlib.contextmanager
def damaged(generator: random.Random, path: Path) -> Iterator[bytes]:
    """Damage a file while the block runs; yields what is in it."""
    before = path.read_bytes()
    content = mutations.damage(generator, before, path.suffix[1:])
    path.write_bytes(content)
    try:
        yield content
    finally:
        path.write_bytes(before)


def defect(error: BaseException, path: Path, content: bytes) -> str:
    """Return a damaged file, small enough to be kept as a case, and the last lines of the traceback."""
    lines = traceback.format_exception(error)[-3:]
    return f"{path}: {content[:2000]!r}\n{''.join(lines)}"


@pytest.mark.parametrize("name", READERS)
def test_a_reader_of_a_damaged_file_says_so_or_reads_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(project)
    generator = random.Random(f"{seed()} {name}")  # noqa: S311 (no secret)
    read, paths = READERS[name]
    read()
    wrong = []
    for _ in range(tries(5 if name == "params" else 50)):  # reading YAML takes a tenth of a second
        path = generator.choice(paths)
        with damaged(generator, path) as content:
            try:
                read()
            except UserError as error:
                if name != "params" and len(error.lines) != 1:
                    wrong.append(f"{path}: {content[:2000]!r}\n{error.lines}")
            except Exception as error:  # noqa: BLE001 (any other is a traceback for the user)
                wrong.append(defect(error, path, content))
    assert wrong == []


STAGE_FILES = {
    "vectorize": [SHARD, SHARD.parent / splits.CLASSES],
    "combine": [Path("data/features/words/shapes.json"), Path("data/plan/models/majority.json")],
    "train": [Path("data/features/words/train.npz"), Path("data/features/words/test.npz"), INPUTS],
    "evaluate": [
        PREDICTED,
        SHARD,
        TRAINED / predictions.RECORD,
        TRAINED / inputs.FILE,
        Path("metrics/splits.json"),
    ],
    "export": [*(Path("metrics", f"{name}.json") for name in METRICS), TRAINED / layers.DESCRIPTION],
}


@pytest.mark.parametrize("name", STAGE_FILES)
def test_a_stage_with_a_damaged_input_says_so_or_works(
    project: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    generator = random.Random(f"{seed()} {name}")  # noqa: S311 (no secret)
    wrong = []
    with contextlib.chdir(project):
        for _ in range(tries(4)):
            path = generator.choice(STAGE_FILES[name])
            with damaged(generator, path) as content:
                try:
                    status = run_stage(project, name, *arguments(name))
                except Exception as error:  # noqa: BLE001 (any other is a traceback for the user)
                    wrong.append(defect(error, path, content))
                    continue
            lines = capfd.readouterr().err.splitlines()
            if status not in {None, 0} and not (status == 2 and len(lines) == 1 and lines[0].startswith("error: ")):
                wrong.append(f"{path}: {content[:2000]!r}\n{status} {lines}")
    assert wrong == []


BETWEEN = {"features": ("combine", "train", "evaluate", "export"), "trained": ("evaluate", "export")}


@pytest.mark.parametrize("made", BETWEEN)
def test_a_flipped_bit_between_stages_is_refused_or_changes_no_result(project: Path, made: str) -> None:
    generator = random.Random(f"{seed()} {made}")  # noqa: S311 (no secret)
    stages = BETWEEN[made]

    def results() -> dict[str, bytes | None]:
        return tree(project / "metrics") | tree(project / "models") | tree(project / "plots")

    paths = [path for path in sorted((project / "data" / made).glob("*/*")) if path.is_file()]
    assert all(run_stage(project, name, *arguments(name)) in {None, 0} for name in stages)
    expected, wrong = results(), []
    for _ in range(tries(4)):
        path = generator.choice(paths)
        before = path.read_bytes()
        path.write_bytes(flip(before, generator))
        if all(run_stage(project, name, *arguments(name)) in {None, 0} for name in stages) and results() != expected:
            wrong.append(f"{path}: {path.read_bytes()[:2000]!r}")
        path.write_bytes(before)
    assert wrong == []


def pr_report(capfd: pytest.CaptureFixture[str], base: str) -> tuple[Any, str]:
    with pytest.raises(SystemExit) as stop:
        cli.main(["pr-report", base])
    return stop.value.code, capfd.readouterr().err


def test_pr_report_on_damaged_revisions_gives_an_answer_or_a_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pull_request.make(project)
    monkeypatch.chdir(project)
    base = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    generator = random.Random(seed())  # noqa: S311 (no secret)
    assert pr_report(capfd, base) == (0, "")
    sound = shutil.copytree(project, project.with_name("sound"), ignore=shutil.ignore_patterns(".git", ".dvc"))
    wrong = []
    for _ in range(tries(20)):
        path = Path(generator.choice(pull_request.READ))
        committed = generator.random() < 0.3  # else damage the working tree
        content = b""
        try:
            with damaged(generator, path) as content:
                if path.suffix == ".parquet":
                    pull_request.lock(project)
                if committed:
                    pull_request.commit(project)
                else:
                    code, errors = pr_report(capfd, base)
            if committed:
                code, errors = pr_report(capfd, "HEAD")
            named = str(path) in errors or "params.yaml" in errors  # or a rule of the gate names what is gone
            lines = errors.splitlines()
            if (
                code not in {0, 1, 2}
                or (code == 2) != bool(lines and lines[0].startswith("error: "))
                or (lines and not named)
            ):
                wrong.append(f"{path}: {content[:2000]!r}\n{code} {errors}")
        except Exception as error:  # noqa: BLE001 (any other is a traceback for the user)
            wrong.append(defect(error, path, content))
        pull_request.git(project, "reset", "--quiet", "--mixed", base)
        for name in pull_request.READ:
            shutil.copy(sound / name, project / name)
    assert wrong == []
