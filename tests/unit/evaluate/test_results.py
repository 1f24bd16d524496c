"""The results of a run as objects: the bytes of their files, and what is said of damaged ones."""

import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests import approved, results, runs
from tests.processes import ROOT
from tests.refusal import refusal
from textclf.core import result_files
from textclf.evaluate.results import KINDS, Results

MODELS = ("majority", "logistic_regression")
MADE = "; remove it and run dvc repro (or dvc pull) to make it"
DAMAGED = Path(__file__).with_name("damaged_results.txt")

# Runs whose files have between them every key that evaluate writes, but those of texts of no class
RUNS: dict[str, dict[str, Any]] = {
    "test rows alone": {},
    "validation rows": {
        "validation": True,
        "columns": {"platform": ["web", "ios"]},
        "settings": {
            "evaluate.coverage": "0.9",
            "evaluate.slice_metric": "f1",
            "evaluate.calibration": "platt",
        },
    },
    "costs": {
        "validation": True,
        "settings": {"evaluate.costs": "{'no': {'yes': 10}, abstain: 0.6}"},
    },
    "several labels": {
        "validation": True,
        "sets": (["no"], ["yes"], [], ["no", "yes"]),
        "settings": {"evaluate.threshold": "f1", "evaluate.coverage": "0.8"},
    },
}


@functools.cache
def contents_of(name: str) -> str:
    """Return the contents of the files of one of `RUNS` as JSON, by name."""
    return json.dumps(runs.make_run(MODELS, **RUNS[name]).results.files())


def write(contents: dict[str, Any], folder: Path) -> None:
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    "path", [ROOT / f"metrics/{name}.json" for name in KINDS], ids=lambda path: path.stem
)
def test_a_committed_file_keeps_its_bytes(path: Path, tmp_path: Path) -> None:
    result_files.write(tmp_path / path.name, result_files.read(path, KINDS[path.stem]))
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", RUNS)
def test_what_evaluation_writes_is_read_as_it_is(tmp_path: Path, name: str) -> None:
    contents = json.loads(contents_of(name))
    write(contents, tmp_path)
    assert json.loads(json.dumps(Results.read(tmp_path, KINDS, MODELS).files())) == contents


def test_what_is_wrong_in_a_file_is_told_in_the_approved_line(tmp_path: Path) -> None:
    said = []
    for case in DAMAGED.read_text(encoding="utf-8").splitlines():
        if case.startswith("> "):
            continue
        said.append(f"{case}\n")
        if case.startswith("#"):
            continue
        name, keys, value = case.split(": ", 2)
        contents = json.loads(contents_of("validation rows"))
        part, *between, last = contents[f"{name}.json"], *keys.split(".")
        for key in between:
            part = part[key]
        if value == "GONE":
            del part[last]
        else:
            part[last] = json.loads(value)
        write(contents, tmp_path)
        line = refusal(Results.read, tmp_path, KINDS, MODELS)
        line = re.sub(
            r"got \{.*…", "got {…", line.removeprefix(f"{tmp_path}/")
        )  # numbers of the run
        assert line.endswith(MADE)
        said.append(f"> {line.removesuffix(MADE)}\n")
    approved.check("".join(said), DAMAGED)


def test_a_model_that_was_not_measured_is_named(tmp_path: Path) -> None:
    write(json.loads(contents_of("test rows alone")), tmp_path)
    assert "nb_svm is missing" in refusal(
        Results.read, tmp_path, ["decisions"], [*MODELS, "nb_svm"]
    )


def test_a_difference_is_that_of_the_model_named_first_from_the_other() -> None:
    metrics = {"f1": results.difference(0.1), "brier": None}
    stored = results.comparison(0.1, -0.2, 0.3, metrics=metrics)
    run = Results.of(comparisons={"b_vs_a": stored})
    assert run.compare("b", "a") == stored
    reverse = run.compare("a", "b")
    assert (reverse.difference, reverse.low, reverse.high, reverse.p) == (-0.1, -0.3, 0.2, stored.p)
    assert reverse.metrics == {"f1": results.difference(-0.1), "brier": None}
