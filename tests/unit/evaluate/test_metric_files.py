"""The JSON files in metrics/, as evaluation writes them and after someone edited them."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from tests import runs
from textclf.core.errors import UserError
from textclf.evaluate import metric_files

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
    ("intervals", tuple(WORTH.split(".")), 0, f"{WORTH} must be greater than 0.0; got 0"),
    ("intervals", ("majority", "test", "f1"), {}, "majority.test.f1.low is missing; it must be set"),
    ("comparisons", (PAIR,), GONE, f"{PAIR} is missing; it must be set"),
    ("comparisons", (PAIR, "p_holm"), GONE, f"{PAIR}.p_holm is missing; it must be set"),
    ("comparisons", (PAIR, "only_first"), 10**40, f"{PAIR}.only_first must be at most 9223372036854775807"),
    ("comparisons", (PAIR, "only_first"), 0.5, f"{PAIR}.only_first must be an integer; got 0.5"),
    ("decisions", ("guessing",), GONE, "guessing is missing; it must be set"),
    ("decisions", ("protocol", "validation_rows"), -1, "protocol.validation_rows must be at least 0; got -1"),
    ("decisions", ("majority", "temperature"), 0, "majority.temperature must be greater than 0.0; got 0"),
    (
        "decisions",
        ("crossvalidation",),
        {"majority": {"rows": 0}},
        "crossvalidation.majority.rows must be greater than",
    ),
    ("coverage", ("protocol", "coverage"), 95, "protocol.coverage must be at most 1.0; got 95"),
    ("coverage", ("protocol", "validation_rows"), 0, "protocol.validation_rows must be greater than 0; got 0"),
    ("coverage", ("majority", "coverage"), None, "majority.coverage must be a mapping; got null"),
    ("coverage", ("majority", "coverage", "low"), GONE, "majority.coverage.low is missing; it must be set"),
    ("coverage", ("majority", "answered"), 1.5, "majority.answered must be at most 1.0; got 1.5"),
    ("coverage", ("majority", "classes", "no", "value"), "1", "majority.classes.no.value must be a number; got '1'"),
    ("training", ("majority", "parameters"), None, "majority.parameters must be a number; got null"),
    ("features", ("words", "train", "rows"), 0, "words.train.rows must be greater than 0; got 0"),
    ("features", ("words", "train"), GONE, "words.train is missing; it must be set"),
    ("features", ("train",), {"rows": 0, "features": 1, "nonzeros": 1}, "train.rows must be greater than 0; got 0"),
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


@functools.cache
def written(validation: bool = True) -> str:
    """Return the contents of the files of a small run as JSON, by name; those with validation rows have all files."""
    settings = {"evaluate.coverage": "0.9"} if validation else {}
    run = runs.make_run(MODELS, validation=validation, settings=settings)
    parts = ("evaluation", "intervals", "comparisons", "coverage", "decisions", "training", "features")
    return json.dumps({name: getattr(run, name) for name in parts if getattr(run, name)} | {"splits": run.leaks})


def write(contents: dict[str, Any], folder: Path) -> None:
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("validation", [False, True])
def test_what_evaluation_writes_is_read_as_it_is(tmp_path: Path, validation: bool) -> None:
    contents = json.loads(written(validation))
    write(contents, tmp_path)
    assert metric_files.read_all(tmp_path, contents, MODELS) == contents


@pytest.mark.parametrize(("name", "keys", "value", "said"), DAMAGED)
def test_what_is_wrong_in_a_file_is_told_in_a_line(
    tmp_path: Path, name: str, keys: tuple[str, ...], value: Any, said: str
) -> None:
    contents = json.loads(written())
    part = contents[name]
    for key in keys[:-1]:
        part = part[key]
    if value is GONE:
        del part[keys[-1]]
    else:
        part[keys[-1]] = value
    write(contents, tmp_path)
    with pytest.raises(UserError) as error:
        metric_files.read_all(tmp_path, contents, MODELS)
    (line,) = error.value.lines
    assert line.startswith(f"{tmp_path / name}.json: {said}")
    assert line.endswith(f"; {MADE}")


def test_a_model_that_was_not_measured_is_named(tmp_path: Path) -> None:
    write(json.loads(written()), tmp_path)
    with pytest.raises(UserError, match="nb_svm is missing"):
        metric_files.read_all(tmp_path, ["evaluation", "decisions"], [*MODELS, "nb_svm"])


def test_the_features_of_an_older_version_which_had_one_representation_are_read(tmp_path: Path) -> None:
    shape = {"rows": 750, "features": 1714, "nonzeros": 7368}
    content = {"train": shape, "test": shape | {"rows": 250}}
    (tmp_path / "features.json").write_text(json.dumps(content), encoding="utf-8")
    assert metric_files.read(tmp_path / "features.json", "features") == content
