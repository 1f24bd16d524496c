"""The numbers of a run, and that they and every other byte come out again."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests import verify
from tests.e2e.conftest import Alone
from tests.verify import Copy


def metrics(copy: Copy, name: str) -> Any:
    return json.loads((copy.folder / "metrics" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("file", "key", "least", "most"),
    [
        ("features", "words.train.rows", 750, 750),
        ("features", "words.train.features", 1714, 1714),
        ("features", "words.train.nonzeros", 7368, 7368),
        ("features", "words.test.rows", 250, 250),
        ("training", "keras.parameters", 17161, 17161),
        ("training", "keras.epochs", 100, 100),
        ("training", "keras.best_epoch", 11, 15),
        ("evaluation", "keras.train.accuracy", 1.0, 1.0),
        ("evaluation", "keras.test.accuracy", 0.78, 0.80),
        ("evaluation", "logistic_regression.train.accuracy", 0.985333, 0.985333),
        ("evaluation", "logistic_regression.test.accuracy", 0.796, 0.796),
        ("evaluation", "majority.test.accuracy", 0.48, 0.48),
    ],
)
def test_a_run_gives_the_numbers_of_the_lesson(
    pipeline: Copy, file: str, key: str, least: float, most: float
) -> None:
    number = metrics(pipeline, file)
    for part in key.split("."):
        number = number[part]
    assert least <= number <= most


def test_the_loss_on_the_test_rows_rises_while_the_training_rows_are_known_by_heart(
    pipeline: Copy,
) -> None:
    lines = (pipeline.folder / "plots/history.csv").read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines[1:]]
    loss = {(split, int(epoch)): float(value) for _, epoch, split, value, _ in rows}
    best = metrics(pipeline, "training")["keras"]["best_epoch"]
    assert loss["test", 100] > 1.5 * loss["test", best]
    assert loss["train", 100] < 0.01 * loss["train", 1]


def test_a_run_leaves_every_committed_file_as_it_was(pipeline: Copy) -> None:
    assert pipeline.run("git", "status", "--porcelain") == ""
    assert (pipeline.folder / "dvc.lock").read_bytes() == (verify.ROOT / "dvc.lock").read_bytes()


@pytest.mark.slow
def test_a_forced_run_under_other_settings_gives_the_same_bytes(
    pipeline: Copy, elsewhere: Copy
) -> None:
    assert (
        verify.differing_paths(
            verify.file_hashes(pipeline.folder), verify.file_hashes(elsewhere.folder)
        )
        == {}
    )
    assert elsewhere.run("git", "status", "--porcelain") == ""
    assert (elsewhere.folder / "dvc.lock").read_bytes() == (verify.ROOT / "dvc.lock").read_bytes()


def written(pipeline: Copy, runs: dict[str, Alone]) -> verify.Table:
    """Return the SHA-256 of what the stages wrote when each ran alone."""
    return {
        stage: verify.hash_outputs(run.folder, verify.recorded_hashes(pipeline.folder)[stage])
        for stage, run in runs.items()
    }


@pytest.mark.slow
def test_a_stage_needs_no_file_but_its_deps_and_params(
    pipeline: Copy, alone: dict[str, Alone]
) -> None:
    assert (
        verify.differing_paths(verify.file_hashes(pipeline.folder), written(pipeline, alone)) == {}
    )


@pytest.mark.nightly
def test_another_cpu_gives_the_same_bytes(pipeline: Copy, emulated: dict[str, Alone]) -> None:
    assert (
        verify.differing_paths(verify.file_hashes(pipeline.folder), written(pipeline, emulated))
        == {}
    )


def loaded(run: Alone) -> set[str]:
    return set(re.findall(r"^import '([\w.]+)'", run.printed, re.MULTILINE))


@pytest.mark.slow
def test_only_the_network_is_trained_with_tensorflow(alone: dict[str, Alone]) -> None:
    # What the module that imports TensorFlow loads is not printed.
    heavy = {"keras", "tensorflow", "textclf.models.common.networks.environment"}
    assert {stage for stage, run in alone.items() if loaded(run) & heavy} == {"train@keras"}


@pytest.mark.slow
def test_a_stage_runs_the_code_of_its_folder_and_not_an_installed_textclf(
    alone: dict[str, Alone],
) -> None:
    for stage, run in alone.items():
        # From its source, or from compiled bytecode that matches it.
        loaded = r"(?:code object from|matches) '?(\S+/textclf/(?:\w+/)*\w+\.py)"
        sources = {Path(path) for path in re.findall(loaded, run.printed)}
        assert {path.is_relative_to(run.folder) for path in sources} == {True}, stage
