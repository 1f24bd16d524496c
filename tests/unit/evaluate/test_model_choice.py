"""The choice of the default model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import approved
from textclf.evaluate import model_choice
from textclf.evaluate.model_choice import (
    choose,
    compare_candidates,
    explain_choice,
    score_after_choice,
)
from textclf.evaluate.registry import LOG_LOSS
from textclf.evaluate.results import Results
from textclf.evaluate.rows import JudgedRows


def models_of(
    wrong: Mapping[str, Any], sure: Mapping[str, float], count: int = 100, copies: int = 1
) -> dict[str, JudgedRows]:
    """Return rows of two classes, some wrong by each model, always with the same confidence."""
    clusters, models = np.repeat(np.arange(count), copies), {}
    for name, some in wrong.items():
        y, decided = clusters % 2, clusters % 2 ^ np.isin(clusters, some)
        probabilities = np.where(np.eye(2, dtype=bool)[decided], sure[name], 1 - sure[name])
        models[name] = JudgedRows(y, probabilities, decided, clusters if copies > 1 else None)
    return models


def test_the_standard_error_is_that_of_the_paired_difference() -> None:
    entry = compare_candidates(
        models_of({"fast": range(12), "slow": range(10)}, {"fast": 0.8, "slow": 0.8})
    )["fast"]
    assert entry.accuracy_difference == -0.02
    # Of McNemar's table, with the correction of Student's t for 100 rows
    assert entry.accuracy_error == pytest.approx(np.sqrt((0.02 - 0.02**2) / 99), rel=0.01)


@pytest.mark.parametrize(
    ("wrong", "sure", "chosen"),
    [
        ({"fast": range(11), "slow": range(2, 12)}, {"fast": 0.8, "slow": 0.8}, "slow"),
        ({"fast": range(10), "slow": range(10, 20)}, {"fast": 0.8, "slow": 0.8}, "fast"),
        (
            {"fast": range(12), "slow": range(10)},
            {"fast": 0.8, "slow": 0.8},
            "slow",
        ),  # always as good, twice better
        (
            {"fast": range(10, 21), "slow": range(10)},
            {"fast": 0.8, "slow": 0.8},
            "fast",
        ),  # one more of 21
        (
            {"fast": range(10, 21), "slow": range(10)},
            {"fast": 0.99, "slow": 0.85},
            "slow",
        ),  # with a worse log loss
        ({"fast": range(10), "slow": range(11, 22)}, {"fast": 0.99, "slow": 0.85}, "slow"),
    ],
    ids=["one more", "equal", "nested", "tied", "log loss", "log loss of the most accurate"],
)
def test_the_fastest_of_the_models_that_are_tied_is_chosen(
    wrong: dict[str, Sequence[int]], sure: dict[str, float], chosen: str
) -> None:
    candidates = compare_candidates(models_of(wrong, sure))
    assert choose(candidates) == chosen
    assert candidates["slow"].tied


def test_of_several_labels_the_log_loss_chooses_and_not_the_exact_sets() -> None:
    y = np.tile([[0, 1], [1, 0]], (60, 1)).astype(np.int8)
    wrong = np.arange(120) % 3 == 0
    exact, sure = (np.where(y == 1, right, 1 - right) for right in (0.55, 0.95))
    sure[wrong, 0] = 1 - y[wrong, 0] * 0.55 - (1 - y[wrong, 0]) * 0.45
    models = {
        name: JudgedRows(y, each, (each > 0.5).astype(np.int8))
        for name, each in (("exact", exact), ("sure", sure))
    }
    assert [models[name].wrong.mean() for name in models] == [0, pytest.approx(1 / 3)]
    candidates = compare_candidates(models)
    assert choose(candidates) == "sure"
    assert candidates["exact"].log_loss_difference == pytest.approx(0.598, abs=0.2)
    assert "accuracy_difference" not in candidates["exact"].model_fields_set
    assert score_after_choice(models) == pytest.approx(LOG_LOSS.value(models["sure"]), abs=1e-6)


def test_dependent_rows_count_once() -> None:
    wrong, sure = {"fast": range(10, 22), "slow": range(10)}, {"fast": 0.8, "slow": 0.8}
    models = [models_of(wrong, sure, copies=copies) for copies in (1, 9)]
    once, often = map(compare_candidates, models)
    assert often["fast"].accuracy_error == pytest.approx(once["fast"].accuracy_error, rel=0.05)
    assert choose(often) == choose(once) == "fast"
    assert score_after_choice(models[0]) == score_after_choice(models[1])


def test_the_accuracy_after_the_choice_is_not_that_of_the_best_of_many() -> None:
    """Models that guess have an accuracy of 50%, however well the best did on its rows."""
    highest: list[Any] = []
    expected: list[Any] = []
    for seed in range(20):
        guesses = np.random.default_rng(seed).random((20, 200)) < 0.5
        wrong = {f"m{number}": np.flatnonzero(guess) for number, guess in enumerate(guesses)}
        models = models_of(wrong, dict.fromkeys(wrong, 0.6), 200)
        highest.append(1 - models[choose(compare_candidates(models))].wrong.mean())
        expected.append(score_after_choice(models))
    assert np.mean(highest) > 0.54
    assert np.mean(expected) == pytest.approx(0.5, abs=0.02)


def test_one_model_has_its_own_accuracy_and_few_rows_or_clusters_none() -> None:
    assert score_after_choice(models_of({"a": range(7)}, {"a": 0.8}, 50)) == 0.86
    assert (
        score_after_choice(models_of({"a": range(7)}, {"a": 0.8}, model_choice.PARTS - 1, 20))
        is None
    )


MODELS = ("a", "b", "c")
TESTED = {
    name: {"test": {"accuracy": accuracy}}
    for name, accuracy in (("a", 0.1), ("b", 0.1), ("c", 0.99))
}


def chosen_among(*names: str, **tied: int) -> dict[str, Any]:
    """Return the choice in decisions.json, where the second model has the highest accuracy."""
    models = {
        name: {"accuracy_difference": 0.0 if name == "b" else -0.01, "tied": tied.get(name, 0)}
        for name in names
    }
    return {"choice": {"models": models, "accuracy": 0.84}} if models else {}


def validated(*names: str, **tied: int) -> dict[str, Any]:
    measured = {name: {**TESTED[name], "validation": {"accuracy": 0.85}} for name in MODELS}
    return {
        "evaluation": measured,
        "decisions": {"protocol": {"validation_rows": 1000}} | chosen_among(*names, **tied),
    }


def crossvalidated(*names: str, **tied: int) -> dict[str, Any]:
    folds = {name: {"accuracy": 0.85, "log_loss": 0.4, "rows": 1200, "folds": 3} for name in names}
    return {
        "evaluation": TESTED,
        "decisions": {"crossvalidation": folds} | chosen_among(*names, **tied),
    }


def by_cost(a: int) -> dict[str, Any]:
    measured = {name: {"validation": {"accuracy": 0.85, "cost": 0.123}} for name in MODELS}
    models = {"a": {"cost_difference": 0.2, "tied": a}, "b": {"cost_difference": 0.0, "tied": 1}}
    decisions = {"protocol": {"validation_rows": 1000}, "choice": {"models": models, "cost": 0.13}}
    return {"evaluation": measured, "decisions": decisions}


FOLDS = crossvalidated(*MODELS, b=1)
NO_ESTIMATE = {
    "decisions": FOLDS["decisions"] | {"choice": {"models": FOLDS["decisions"]["choice"]["models"]}}
}
BY_LOSS = {"log_loss_difference": 0.0, "tied": 1}
BY_LABELS = {
    "b": {"thresholds": [0.5, 0.5]},
    "choice": {"models": {"b": BY_LOSS}, "log_loss": 0.42},
}
LABELS = {"decisions": FOLDS["decisions"] | BY_LABELS}
REJECTING = {
    "decisions": FOLDS["decisions"]
    | {"b": {"rejection": {"score": "probability", "threshold": 0.5}}}
}
CASES: dict[str, tuple[dict[str, Any], str | None, Sequence[str]]] = {
    "validation rows": (validated(*MODELS, b=1, c=1), None, MODELS),
    "validation rows, tied": (validated(*MODELS, a=1, b=1), None, MODELS),
    "cross-validation": (FOLDS, None, MODELS),
    "c had too few rows, or takes too long": (crossvalidated("a", "b", a=1), None, MODELS),
    "neither": (crossvalidated(), None, MODELS),
    "too few rows to allow for the choice": (FOLDS | NO_ESTIMATE, None, MODELS),
    "texts of no class": (FOLDS | REJECTING, None, MODELS),
    "several labels": (FOLDS | LABELS, None, MODELS),
    "a named model": (FOLDS, "a", MODELS),
    "a named model, though validation rows choose another": (validated(*MODELS, b=1), "a", MODELS),
    "one model": (FOLDS, None, ("a",)),
    "costs": (by_cost(a=0), None, MODELS),
    "costs, tied": (by_cost(a=1), None, MODELS),
}


def test_a_run_is_represented_by_a_model_that_no_test_row_chose() -> None:
    said = []
    for case, (contents, named, models) in CASES.items():
        decisions = {name: {} for name in MODELS} | contents["decisions"]
        choice, reason = explain_choice(
            named, Results.of(**contents | {"decisions": decisions}), models
        )
        said.append(f"{case}: {choice}, {reason}\n")
    approved.check("".join(said), Path(__file__).with_name("choices.txt"))
