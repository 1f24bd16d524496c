import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.artifacts.checksums import write_manifest
from textclf.artifacts.decisions import (
    Decision,
    Platt,
    Temperature,
    best_model,
    explain_choice,
    read_decision,
    write_decision,
)
from textclf.core.errors import UserError

PROBABILITIES = np.array([[0.1, 0.9], [0.6, 0.4], [0.5, 0.5], [0.0, 1.0]])
DECISIONS = [
    Decision(0.25),
    Decision(),
    Decision(0.5, Temperature(1.25)),
    Decision(None, Temperature(0.01)),
    Decision(0.0, Platt(1.5, -0.25)),
]


@pytest.mark.parametrize(("threshold", "positive"), [(0.1, [1, 1, 1, 1]), (0.4, [1, 0, 1, 1]), (0.5, [1, 0, 0, 1])])
def test_a_row_is_positive_above_the_threshold(threshold: float, positive: list[int]) -> None:
    assert Decision(threshold).decide(PROBABILITIES).tolist() == positive


def test_without_a_threshold_the_first_of_the_most_probable_classes_is_decided() -> None:
    probabilities = np.array([[0.4, 0.3, 0.3], [0.2, 0.4, 0.4], [0.3, 0.3, 0.4], [1 / 3, 1 / 3, 1 / 3]])
    decided = Decision().decide(probabilities)
    assert decided.dtype == np.int64
    assert decided.tolist() == [0, 1, 2, 0]


@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=20))
def test_temperature_1_and_the_identity_line_change_nothing(positive: list[float]) -> None:
    probabilities = np.column_stack([1 - np.array(positive), positive])
    for calibration in (Temperature(1.0), Platt(1.0, 0.0)):
        np.testing.assert_allclose(Decision(None, calibration).calibrate(probabilities), probabilities, atol=1e-12)


@pytest.mark.parametrize("decision", DECISIONS, ids=str)
def test_calibrated_probabilities_are_probabilities(decision: Decision) -> None:
    calibrated = decision.calibrate(PROBABILITIES)
    assert np.isfinite(calibrated).all()
    np.testing.assert_allclose(calibrated.sum(axis=1), 1, atol=1e-12)
    assert decision.calibrate(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("decision", DECISIONS, ids=str)
def test_a_decision_comes_back_from_json(decision: Decision) -> None:
    content = json.loads(json.dumps(decision.to_json()))
    assert Decision.from_json(content | {"uncalibrated": {}}) == decision
    assert ("threshold" in content) == (decision.threshold is not None)


@pytest.mark.parametrize("decision", DECISIONS, ids=str)
def test_the_decision_of_an_exported_model_is_read_back(decision: Decision, tmp_path: Path) -> None:
    path = tmp_path / "decision.json"
    write_decision(decision, path)
    write_manifest(tmp_path)
    assert set(json.loads(path.read_text())) == {"format", "manifest", "scaling", "threshold"}
    classes = 2 if decision.threshold is not None else 3
    assert read_decision(path, classes) == decision
    with pytest.raises(UserError, match=r"decision\.json is damaged"):
        read_decision(path, 5 - classes)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"scaling": {}},
        *({"scaling": {}, "threshold": value} for value in (None, "high", True, -3, 1.5, math.nan, 10**400)),
        *({"scaling": {"temperature": value}, "threshold": 0.5} for value in ("warm", 0, 1e-320, 10**400)),
        {"scaling": {"slope": 1.0}, "threshold": 0.5},
        {"scaling": {"slope": math.inf, "intercept": 0}, "threshold": 0.5},
        {"scaling": 3, "threshold": 0.5},
    ],
    ids=lambda content: str(content)[:50],
)
def test_a_damaged_decision_is_an_error(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "decision.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"decision\.json is damaged"):
        read_decision(path, 2)


def test_a_decision_of_an_older_export_is_read_and_of_a_newer_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "decision.json"
    path.write_text('{"scaling": {"temperature": 2}, "threshold": 0.5}')
    assert read_decision(path, 2) == Decision(0.5, Temperature(2.0))
    path.write_text('{"scaling": {"isotonic": 1.0}, "threshold": 0.5}')
    with pytest.raises(UserError, match=r"was made by a newer textclf \(this version does not know isotonic\)"):
        read_decision(path, 2)
    path.write_text('{"format": 2, "rule": "?"}')
    with pytest.raises(UserError, match=r"was made by a newer textclf \(format 2; this version reads 1\)"):
        read_decision(path, 2)


# The model that represents a run


def scores(**models: tuple[float, float]) -> dict[str, dict[str, float]]:
    """Return accuracy and log loss of each model."""
    return {name: {"accuracy": accuracy, "log_loss": loss} for name, (accuracy, loss) in models.items()}


@pytest.mark.parametrize(
    ("models", "rows", "best"),
    [
        ({"a": (0.7, 0.1), "b": (0.9, 0.8), "c": (0.8, 0.1)}, 100, "b"),
        ({"a": (0.88, 0.3), "b": (0.9, 0.8), "c": (0.8, 0.1)}, 100, "a"),  # the standard error is 0.03
        ({"a": (0.88, 0.3), "b": (0.9, 0.8), "c": (0.8, 0.1)}, 1000, "b"),  # 0.009
        ({"a": (0.9, 0.3), "b": (1.0, 0.8)}, 10, "b"),  # 0
        ({"a": (0.88, 0.3), "b": (0.9, 0.3)}, 100, "b"),
        ({"c": (0.9, 0.3), "b": (0.9, 0.3)}, 100, "c"),
        ({}, 0, None),
    ],
    ids=["accuracy", "log loss", "many rows", "all correct", "same log loss", "order", "no scores"],
)
def test_the_best_of_about_equally_accurate_models_has_the_lowest_log_loss(
    models: dict[str, tuple[float, float]], rows: int, best: str | None
) -> None:
    assert best_model(scores(**models), rows) == best


MODELS = ("a", "b", "c")
TESTED = {name: {"test": score} for name, score in scores(a=(0.1, 9.0), b=(0.1, 9.0), c=(0.99, 0.1)).items()}


def validated(
    rows: int, clusters: dict[str, int] | None = None, **models: tuple[float, float]
) -> tuple[dict[str, Any], dict[str, Any]]:
    measured = {name: {**TESTED[name], "validation": score} for name, score in scores(**models).items()}
    protocol = {"validation_rows": rows} | ({"clusters": clusters} if clusters else {})
    return measured, {"protocol": protocol, "crossvalidation": {}}


def crossvalidated(**models: tuple[float, float]) -> tuple[dict[str, Any], dict[str, Any]]:
    folds = {name: {**score, "rows": 1200, "folds": 3} for name, score in scores(**models).items()}
    return TESTED, {"protocol": {"validation_rows": 0}, "crossvalidation": folds}


@pytest.mark.parametrize(
    ("contents", "choice", "reason"),
    [
        (validated(1000, a=(0.7, 0.1), b=(0.9, 0.8), c=(0.8, 0.1)), "b", "best accuracy on 1,000 validation rows"),
        (
            validated(100, a=(0.88, 0.3), b=(0.9, 0.8), c=(0.8, 0.1)),
            "a",
            "lowest log loss within one standard error of the best accuracy on 100 validation rows",
        ),
        (
            validated(1000, {"validation": 100, "test": 9}, a=(0.88, 0.3), b=(0.9, 0.8), c=(0.8, 0.1)),
            "a",
            "lowest log loss within one standard error of the best accuracy on 1,000 validation rows",
        ),
        (
            crossvalidated(a=(0.7, 0.1), b=(0.9, 0.8)),  # c had too few rows, or takes too long
            "b",
            "best accuracy in 3-fold cross-validation of 1,200 training rows; not cross-validated: c",
        ),
        (
            crossvalidated(a=(0.7, 0.1), b=(0.9, 0.8), c=(0.8, 0.1)),
            "b",
            "best accuracy in 3-fold cross-validation of 1,200 training rows",
        ),
        (crossvalidated(), "c", "the last of train; none could be cross-validated"),
    ],
    ids=["validation", "standard error", "clusters", "cross-validation of some", "cross-validation of all", "neither"],
)
def test_a_run_is_represented_by_a_model_that_no_test_row_chose(
    contents: tuple[dict[str, Any], dict[str, Any]], choice: str, reason: str
) -> None:
    assert explain_choice(None, *contents, MODELS) == (choice, reason)


def test_a_model_that_is_named_or_alone_represents_the_run() -> None:
    measured, decisions = crossvalidated(a=(0.7, 0.1), b=(0.9, 0.8))
    assert explain_choice("a", measured, decisions, MODELS) == ("a", "named by export.model")
    assert explain_choice(None, measured, decisions, ("a",)) == ("a", "the only model")
