"""The outcome of a run in a few lines."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import approved
from tests.processes import Command
from tests.results import comparison, difference, ends, share
from tests.settings import put
from textclf.core import result_files
from textclf.core.result_files import to_json
from textclf.evaluate.looks import widen
from textclf.evaluate.results import Results
from textclf.export import outcome

MODELS = ("majority", "logistic_regression", "keras")
ACCURACY = {"majority": 0.5, "logistic_regression": 0.8, "keras": 0.75}
LOSS = {"majority": 0.693, "logistic_regression": 0.45, "keras": 5.05}
MEASURED = {name: {"test": {"accuracy": ACCURACY[name], "log_loss": LOSS[name]}} for name in MODELS}
COSTS: dict[str, Any] = {"metrics": {"cost": difference(-0.25)}}
COMPARISONS = {
    "logistic_regression_vs_majority": comparison(0.3, 0.2, 0.35, **COSTS),
    "keras_vs_majority": comparison(0.25, 0.15, 0.3),
    "keras_vs_logistic_regression": comparison(-0.05, -0.08, 0.01),
}


def describe(
    measured: Any = MEASURED,
    models: Sequence[str] = MODELS,
    confidence: float = 0.95,
    baseline: Any = None,
    unknown: Any = None,
    **options: Any,
) -> list[str]:
    """Return the outcome of a run whose default model is named, the last one."""
    worth = {"effective_rows": 250.0, **options.pop("worth", {})}
    intervals = {
        name: {"test": {"accuracy": to_json(ends(value, 0.05)) | worth}}
        for name, value in ACCURACY.items()
    }
    decisions: dict[str, Any] = {name: {"threshold": 0.5} for name in MODELS}
    decisions["majority"]["baseline"] = 1
    guessing = {
        name: value for name, value in GUESSING.items() if name in measured[models[-1]]["test"]
    }
    results = Results.of(
        evaluation=measured,
        intervals=intervals,
        comparisons=COMPARISONS,
        decisions=decisions | {"guessing": guessing | (baseline or {})},
        unknown=unknown or {},
    )
    return outcome.describe(
        results, models, options.pop("named", models[-1]), confidence, **options
    )


GUESSING = {
    "accuracy": 0.5,
    "cost": 0.5,
    "f1": 0.1,
    "micro_f1": 0.2,
}  # what one answer to every text scores


def costing(cost: float) -> dict[str, Any]:
    return {name: {"test": MEASURED[name]["test"] | {"cost": cost}} for name in MODELS}


OF_SETS = {"keras": {"test": {"accuracy": 0.654, "log_loss": 0.2, "micro_f1": 0.889, "f1": 0.8}}}
RECALLED: dict[str, Any] = {
    "accuracy": share(0.9, 0.8, 0.95),
    "recall": share(0.56, 0.5, 0.6),
    "precision": None,
    "scores": {},
}
TIE = MEASURED | {"majority": {"test": {"accuracy": 0.75, "log_loss": 6.0}}}
OUTCOMES: dict[str, dict[str, Any]] = {
    "the floor, the most accurate model and the default": {},
    "predictions made elsewhere": {
        "models": MODELS[:2],
        "named": "majority",
        "external": MODELS[2:],
    },
    "one result on the test rows": {"looks": 1},
    "two results on the test rows": {"looks": 2},
    "a mean cost in place of the log loss": {"measured": costing(0.25)},
    "a mean cost below zero": {"measured": costing(-0.25)},
    "several labels": {"measured": OF_SETS, "models": ("keras",)},
    "a single model, with intervals of 90%": {"models": ("keras",), "confidence": 0.9},
    "no better than one answer to every text": {"baseline": {"accuracy": 0.75}},
    "no cheaper than one answer to every text": {
        "measured": costing(0.25),
        "baseline": {"cost": 0.25},
    },
    "no better than one set of labels": {
        "measured": OF_SETS,
        "models": ("keras",),
        "baseline": {"accuracy": 0.7},
    },
    "texts of no class": {"unknown": {name: {"test": RECALLED} for name in MODELS[1:]}},
    "of equally accurate models, the one with the lower log loss first": {"measured": TIE},
}


def test_each_outcome_is_as_it_was_approved() -> None:
    text = "".join(
        "\n".join([f"# {name}", *describe(**run), "", ""]) for name, run in OUTCOMES.items()
    )
    approved.check(text, Path(__file__).with_name("outcomes.txt"))


def test_the_number_of_results_on_the_test_rows_widens_the_interval_of_the_default_model() -> None:
    low, high = widen(0.75, 250.0, 0.95, 20)
    assert low < 0.7 < 0.8 < high
    assert f"may be anywhere from {low:.1%} to {high:.1%}" in describe(looks=20)[-1]


def test_few_groups_widen_it_more_than_as_many_independent_rows() -> None:
    low, high = widen(0.75, 250.0, 0.95, 20, degrees=9)
    assert (
        f"may be anywhere from {low:.1%} to {high:.1%}"
        in describe(looks=20, worth={"degrees": 9})[-1]
    )
    assert describe(looks=20, worth={"degrees": 9}) != describe(looks=20)


def test_external_predictions_are_listed(
    project: Path, monkeypatch: pytest.MonkeyPatch, command_line: Command
) -> None:
    monkeypatch.chdir(project)
    params = Path("params.yaml")
    settings = put(
        "evaluate.external", "{rules: rules.csv}", text=params.read_text(encoding="utf-8")
    )
    params.write_text(settings, encoding="utf-8")
    for name in ("evaluation", "intervals", "decisions"):
        path = Path("metrics", f"{name}.json")
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "rules": content["majority"]}))
    result_files.write(
        Path("metrics", "comparisons.json"), {"rules_vs_majority": COMPARISONS["keras_vs_majority"]}
    )
    status, out, err = command_line("metrics")
    assert (status, err) == (0, "")
    assert re.search(r"^rules .*\+25\.0$", out, re.MULTILINE)
    assert "default model: majority" in out


def test_damage_is_told_in_a_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, command_line: Command
) -> None:
    monkeypatch.chdir(project)
    Path("metrics/evaluation.json").write_text("{}", encoding="utf-8")
    status, out, err = command_line("metrics")
    assert err.startswith(
        "error: metrics: metrics/evaluation.json: majority.train.accuracy is missing; "
        "it must be set"
    )
    assert (status, out, err.count("\n")) == (2, "", 1)
