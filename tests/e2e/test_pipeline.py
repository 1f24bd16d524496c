"""The numbers of a run, and that they and every other byte come out again."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

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
def test_a_run_gives_the_numbers_of_the_lesson(pipeline: Copy, file: str, key: str, least: float, most: float) -> None:
    number = metrics(pipeline, file)
    for part in key.split("."):
        number = number[part]
    assert least <= number <= most


def test_the_loss_on_the_test_rows_rises_while_the_training_rows_are_known_by_heart(pipeline: Copy) -> None:
    lines = (pipeline.folder / "plots/history.csv").read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines[1:]]
    loss = {(split, int(epoch)): float(value) for _, epoch, split, value, _ in rows}
    best = metrics(pipeline, "training")["keras"]["best_epoch"]
    assert loss["test", 100] > 1.5 * loss["test", best]
    assert loss["train", 100] < 0.01 * loss["train", 1]


def test_a_run_leaves_every_committed_file_as_it_was(pipeline: Copy) -> None:
    assert pipeline.run("git", "status", "--porcelain") == ""
    assert (pipeline.folder / "dvc.lock").read_bytes() == (verify.ROOT / "dvc.lock").read_bytes()


def test_a_second_run_runs_nothing(pipeline: Copy) -> None:
    assert verify.stages_run(pipeline.dvc("repro")) == []


@pytest.mark.slow
def test_a_forced_run_under_other_settings_gives_the_same_bytes(pipeline: Copy, elsewhere: Copy) -> None:
    assert verify.differing_paths(verify.file_hashes(pipeline.folder), verify.file_hashes(elsewhere.folder)) == {}
    assert elsewhere.run("git", "status", "--porcelain") == ""
    assert (elsewhere.folder / "dvc.lock").read_bytes() == (verify.ROOT / "dvc.lock").read_bytes()


def written(pipeline: Copy, runs: dict[str, Alone]) -> verify.Table:
    """Return the SHA-256 of what the stages wrote when each ran alone."""
    return {
        stage: verify.hash_outputs(run.folder, verify.recorded_hashes(pipeline.folder)[stage])
        for stage, run in runs.items()
    }


def test_a_stage_needs_no_file_but_its_deps_and_params(pipeline: Copy, alone: dict[str, Alone]) -> None:
    assert verify.differing_paths(verify.file_hashes(pipeline.folder), written(pipeline, alone)) == {}


@pytest.mark.slow
def test_another_cpu_gives_the_same_bytes(pipeline: Copy, emulated: dict[str, Alone]) -> None:
    assert verify.differing_paths(verify.file_hashes(pipeline.folder), written(pipeline, emulated)) == {}


def loaded(run: Alone) -> set[str]:
    return set(re.findall(r"^import '([\w.]+)'", run.printed, re.MULTILINE))


def test_a_stage_loads_code_of_each_of_its_deps(pipeline: Copy, alone: dict[str, Alone]) -> None:
    # And of no others: they were not in its folder.
    for stage, record in verify.read_lock(pipeline.folder).items():
        packages = {dep["path"] for dep in record["deps"] if dep["path"].startswith("textclf/")}
        modules = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in packages}
        modules -= {"textclf.pretrained"} if stage.startswith("train@") else set()  # the transformer alone needs it
        unused = {
            module
            for module in modules
            if not any(name == module or name.startswith(f"{module}.") for name in loaded(alone[stage]))
        }
        assert unused == set(), stage


def test_only_the_network_is_trained_with_tensorflow(alone: dict[str, Alone]) -> None:
    heavy = {
        stage: {name.split(".")[0] for name in loaded(run)} & {"keras", "tensorflow"} for stage, run in alone.items()
    }
    assert {stage for stage, names in heavy.items() if names} == {"train@keras"}


def test_a_stage_runs_the_code_of_its_folder_and_not_an_installed_textclf(alone: dict[str, Alone]) -> None:
    for stage, run in alone.items():
        # From its source, or from compiled bytecode that matches it.
        loaded = r"(?:code object from|matches) '?(\S+/textclf/(?:\w+/)*\w+\.py)"
        sources = {Path(path) for path in re.findall(loaded, run.printed)}
        assert {path.is_relative_to(run.folder) for path in sources} == {True}, stage


def test_the_stages_form_the_chain_of_the_design(pipeline: Copy) -> None:
    graph = pipeline.dvc("dag", "--dot")
    lines = [line for line in graph.splitlines() if "->" in line and "/dvc.yaml" not in line]
    edges = {tuple(re.findall(r'"([\w@]+)"', line)) for line in lines}
    trained = [f"train@{name}" for name in yaml.safe_load((pipeline.folder / "params.yaml").read_bytes())["train"]]
    vectorized = "vectorize@words"
    others = ("fetch", "split", vectorized, *trained, "evaluate", "export", "plot", "report")
    assert edges == {
        *(("check", stage) for stage in others),
        ("fetch", "split"),
        *((stage, vectorized) for stage in ("fetch", "split")),  # fetch brings pretrained weights
        *((vectorized, stage) for stage in trained),
        *((stage, "evaluate") for stage in ("split", *trained)),
        ("evaluate", "plot"),
        ("fetch", "plot"),  # which built-in corpora there are, for the names of their classes
        # A model is handed on with its threshold, its vectorizer, and a card that names its data.
        *((stage, "export") for stage in ("fetch", "split", vectorized, *trained, "evaluate")),
        *((stage, "report") for stage in others if stage not in ("plot", "report")),
    }
