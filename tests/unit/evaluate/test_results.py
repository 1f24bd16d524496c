"""The results of a run as objects: the bytes of their files, and what is said of damaged ones."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from tests import results, runs
from tests.processes import ROOT
from textclf.core import result_files
from textclf.core.errors import UserError
from textclf.evaluate.results import KINDS, Results

MODELS = ("majority", "logistic_regression")
PAIR = "logistic_regression_vs_majority"
WORTH = "majority.test.accuracy.effective_rows"
MADE = "remove it and run dvc repro (or dvc pull) to make it"

# Found by random damage (tests/faults/test_damage.py): file, keys, the value put there or `GONE`, what is said.
GONE = object()
DAMAGED: list[tuple[str, tuple[str, ...], Any, str]] = [
    ("evaluation", ("majority",), GONE, "majority.train.accuracy is missing; it must be set"),
    ("evaluation", ("majority", "test"), GONE, "majority.test.accuracy is missing; it must be set"),
    ("evaluation", ("majority", "test", "accuracy"), "0.5", "majority.test.accuracy must be a number; got '0.5'"),
    ("evaluation", ("majority", "test", "accuracy"), 1.5, "majority.test must be metrics with accuracy from 0 to 1"),
    ("evaluation", ("majority", "test"), None, "majority.test must be a mapping; got null"),
    ("intervals", ("majority", "test", "accuracy"), None, f"{WORTH} is missing; it must be set"),
    ("intervals", tuple(WORTH.split(".")), GONE, f"{WORTH} is missing; it must be set"),
    ("intervals", tuple(WORTH.split(".")), 0, f"{WORTH} must be greater than 0; got 0"),
    ("intervals", ("majority", "test", "f1"), {}, "majority.test.f1.low is missing; it must be set"),
    ("comparisons", (PAIR,), GONE, f"{PAIR} is missing; it must be set"),
    ("comparisons", (PAIR, "p_holm"), GONE, f"{PAIR}.p_holm is missing; it must be set"),
    ("comparisons", (PAIR, "only_first"), 10**40, f"{PAIR}.only_first must be at most 9223372036854775807"),
    ("comparisons", (PAIR, "only_first"), 0.5, f"{PAIR}.only_first must be an integer; got 0.5"),
    ("decisions", ("guessing",), GONE, "guessing is missing; it must be set"),
    ("decisions", ("protocol", "validation_rows"), -1, "protocol.validation_rows must be at least 0; got -1"),
    (
        "decisions",
        ("majority", "temperature"),
        0,
        "majority must be a decision with a valid threshold, temperature, or",
    ),
    (
        "decisions",
        ("crossvalidation",),
        {"majority": {"rows": 0}},
        "crossvalidation.majority.rows must be greater than",
    ),
    ("coverage", ("protocol", "coverage"), 95, "protocol.coverage must be at most 1.0; got 95"),
    ("coverage", ("protocol", "validation_rows"), 0, "protocol.validation_rows must be greater than 0; got 0"),
    ("coverage", ("majority", "coverage", "low"), GONE, "majority.coverage.low is missing; it must be set"),
    ("coverage", ("majority", "answered"), 1.5, "majority.answered must be at most 1.0; got 1.5"),
    ("coverage", ("majority", "classes", "no", "value"), "1", "majority.classes.no.value must be a number; got '1'"),
    ("training", ("majority", "parameters"), None, "majority.parameters must be a number; got null"),
    ("features", ("words", "train", "rows"), 0, "words.train.rows must be greater than 0; got 0"),
    ("features", ("words", "train"), GONE, "words.train is missing; it must be set"),
    ("splits", ("test", "classes"), {"no": 0}, "test.classes must be the numbers of at least one row"),
    (
        "splits",
        ("leaks", "exact"),
        {"test": 1},
        "leaks.exact must be of pairs of splits, such as test_in_train, not te",
    ),
    ("splits", ("leaks", "normalised"), {}, "leaks.normalised."),
    ("splits", ("label_conflicts",), GONE, "label_conflicts is missing; it must be set"),
]


# Runs whose files have between them every key that evaluate writes, but those of texts of no class
RUNS: dict[str, dict[str, Any]] = {
    "test rows alone": {},
    "validation rows": {
        "validation": True,
        "columns": {"platform": ["web", "ios"]},
        "settings": {"evaluate.coverage": "0.9", "evaluate.slice_metric": "f1", "evaluate.calibration": "platt"},
    },
    "costs": {"validation": True, "settings": {"evaluate.costs": "{'no': {'yes': 10}, abstain: 0.6}"}},
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


@pytest.mark.parametrize("path", [ROOT / f"metrics/{name}.json" for name in KINDS], ids=lambda path: path.stem)
def test_a_committed_file_keeps_its_bytes(path: Path, tmp_path: Path) -> None:
    result_files.write(tmp_path / path.name, result_files.read(path, KINDS[path.stem]))
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", RUNS)
def test_what_evaluation_writes_is_read_as_it_is(tmp_path: Path, name: str) -> None:
    contents = json.loads(contents_of(name))
    write(contents, tmp_path)
    assert json.loads(json.dumps(Results.read(tmp_path, KINDS, MODELS).files())) == contents


@pytest.mark.parametrize(("name", "keys", "value", "said"), DAMAGED)
def test_what_is_wrong_in_a_file_is_told_in_a_line(
    tmp_path: Path, name: str, keys: tuple[str, ...], value: Any, said: str
) -> None:
    contents = json.loads(contents_of("validation rows"))
    part = contents[f"{name}.json"]
    for key in keys[:-1]:
        part = part[key]
    if value is GONE:
        del part[keys[-1]]
    else:
        part[keys[-1]] = value
    write(contents, tmp_path)
    with pytest.raises(UserError) as error:
        Results.read(tmp_path, KINDS, MODELS)
    (line,) = error.value.lines
    assert line.startswith(f"{tmp_path / name}.json: {said}")
    assert line.endswith(f"; {MADE}")


def test_a_model_that_was_not_measured_is_named(tmp_path: Path) -> None:
    write(json.loads(contents_of("test rows alone")), tmp_path)
    with pytest.raises(UserError, match="nb_svm is missing"):
        Results.read(tmp_path, ["decisions"], [*MODELS, "nb_svm"])


def test_a_difference_is_that_of_the_model_named_first_from_the_other() -> None:
    metrics = {"f1": results.difference(0.1), "brier": None}
    stored = results.comparison(0.1, -0.2, 0.3, metrics=metrics)
    run = Results.of(comparisons={"b_vs_a": stored})
    assert run.compare("b", "a") == stored
    reverse = run.compare("a", "b")
    assert (reverse.difference, reverse.low, reverse.high, reverse.p) == (-0.1, -0.3, 0.2, stored.p)
    assert reverse.metrics == {"f1": results.difference(-0.1), "brier": None}
