"""Prediction sets and abstention of an exported model: from Python and by `textclf predict --coverage`."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import textclf
from tests.refusal import refusal
from tests.unit.predict.models import doubting, export, three_classes, two_classes
from textclf.predict.predictor import Predictor

TEXTS = ["great place", "bad", "food", ""]
RAISE = "raise split.validation_size or lower the coverage"
WITHOUT = (
    "must come with a model that has scores of validation rows; got one without; set split.validation_size and "
    "evaluate.coverage in params.yaml, and run dvc repro"
)
Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return the folder of a model that has scores of 100 validation rows."""
    return export(doubting(two_classes()), tmp_path / "model")


@pytest.fixture
def run(command_line: Run) -> Run:
    """Return a function that runs `textclf predict`, and returns exit code, stdout and stderr."""
    return partial(command_line, "predict")


def expected(predictor: Predictor, coverage: float) -> list[list[str]]:
    """Return the sets by the definition: 100 probabilities of n / 101, of which the (101 - rank)th is the lowest."""
    cutoff = np.floor((101 - np.ceil(101 * coverage)) / 101 * 1e6) / 1e6
    return [
        [name for name, value in zip(predictor.classes_, row, strict=True) if value >= cutoff]
        for row in predictor.predict_proba(TEXTS).tolist()
    ]


@pytest.mark.parametrize("make", [two_classes, three_classes], ids=lambda make: make.__name__)
@pytest.mark.parametrize("coverage", [0.2, 0.8, 0.99])
def test_sets_have_the_classes_whose_probability_reaches_the_cutoff(
    make: Callable[[], Predictor], coverage: float, tmp_path: Path
) -> None:
    predictor = doubting(make())
    assert predictor.predict_set(TEXTS, coverage) == expected(predictor, coverage)
    assert textclf.load(export(predictor, tmp_path / "model")).predict_set(TEXTS, coverage) == expected(
        predictor, coverage
    )
    assert predictor.predict_set([], coverage) == []


@pytest.mark.parametrize("coverage", [0.4, 0.9])
def test_the_command_adds_the_set_and_a_label_only_where_it_has_one_class(
    run: Run, model: Path, coverage: float
) -> None:
    status, out, err = run("--model", model, "--coverage", coverage, *TEXTS)
    assert (status, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    sets = textclf.load(model).predict_set(TEXTS, coverage)
    assert {len(each) for each in sets} == ({0, 1} if coverage == 0.4 else {1, 2})
    assert [(row["set"], row["label"]) for row in rows] == [
        (labels, labels[0] if len(labels) == 1 else None) for labels in sets
    ]
    assert list(rows[0]) == ["id", "text", "label", "set", "confidence", "probability_no", "probability_yes"]


def test_the_answer_is_the_class_of_the_set_whatever_the_threshold(run: Run, tmp_path: Path) -> None:
    folder = export(doubting(two_classes(threshold=0.99)), tmp_path / "model")
    status, out, _ = run("--model", folder, "--coverage", "0.6", "great place")
    row = json.loads(out)
    assert (status, row["label"], row["set"]) == (0, "yes", ["yes"])
    assert json.loads(run("--model", folder, "great place")[1])["label"] == "no"


@pytest.mark.parametrize(
    ("coverage", "line"),
    [
        *((value, f"must be greater than 0 and less than 1; got {value}") for value in ("1.0", "0.0", "nan")),
        (
            "0.995",
            f"must be at most 0.990099 for 100 validation rows; got 0.995, which takes at least 199 of them; {RAISE}",
        ),
    ],
)
def test_a_coverage_that_cannot_be_is_an_error_of_one_line(run: Run, model: Path, coverage: str, line: str) -> None:
    assert run("--model", model, "--coverage", coverage, *TEXTS) == (2, "", f"error: predict: --coverage {line}\n")
    assert refusal(textclf.load(model).predict_set, TEXTS, float(coverage)) == f"coverage {line}"


def test_a_coverage_by_class_is_limited_by_the_rows_of_each_class() -> None:
    predictor = doubting(two_classes(), rows=20, by_class=True)
    assert predictor.predict_set(["bad"], 0.9523809) == [["no"]]  # 20 / 21 is the highest
    rule = (
        "coverage must be at most 0.95238 for 20 validation rows of class no; got 0.96, which takes at least 24 of them"
    )
    assert refusal(predictor.predict_set, ["bad"], 0.96) == f"{rule}; {RAISE}"
