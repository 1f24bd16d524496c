"""The choice of the default model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from textclf.evaluate import model_choice
from textclf.evaluate.model_choice import choose, compare_candidates, score_after_choice
from textclf.evaluate.rows import JudgedRows


def models_of(
    wrong: Mapping[str, Any], sure: Mapping[str, float], count: int = 100, copies: int = 1
) -> dict[str, JudgedRows]:
    """Return rows of two classes, on some of which each model is wrong, always with the same confidence."""
    clusters, models = np.repeat(np.arange(count), copies), {}
    for name, some in wrong.items():
        y, decided = clusters % 2, clusters % 2 ^ np.isin(clusters, some)
        probabilities = np.where(np.eye(2, dtype=bool)[decided], sure[name], 1 - sure[name])
        models[name] = JudgedRows(y, probabilities, decided, clusters if copies > 1 else None)
    return models


def test_the_standard_error_is_that_of_the_paired_difference() -> None:
    entry = compare_candidates(models_of({"fast": range(12), "slow": range(10)}, {"fast": 0.8, "slow": 0.8}))["fast"]
    assert entry["accuracy_difference"] == -0.02
    # Of McNemar's table, with the correction of Student's t for 100 rows
    assert entry["accuracy_error"] == pytest.approx(np.sqrt((0.02 - 0.02**2) / 99), rel=0.01)


@pytest.mark.parametrize(
    ("wrong", "sure", "chosen"),
    [
        ({"fast": range(11), "slow": range(2, 12)}, {"fast": 0.8, "slow": 0.8}, "slow"),
        ({"fast": range(10), "slow": range(10, 20)}, {"fast": 0.8, "slow": 0.8}, "fast"),
        ({"fast": range(12), "slow": range(10)}, {"fast": 0.8, "slow": 0.8}, "slow"),  # always as good, twice better
        ({"fast": range(10, 21), "slow": range(10)}, {"fast": 0.8, "slow": 0.8}, "fast"),  # one more of 21
        ({"fast": range(10, 21), "slow": range(10)}, {"fast": 0.99, "slow": 0.85}, "slow"),  # with a worse log loss
        ({"fast": range(10), "slow": range(11, 22)}, {"fast": 0.99, "slow": 0.85}, "slow"),
    ],
    ids=["one more", "equal", "nested", "tied", "log loss", "log loss of the most accurate"],
)
def test_the_fastest_of_the_models_that_are_tied_is_chosen(
    wrong: dict[str, Sequence[int]], sure: dict[str, float], chosen: str
) -> None:
    candidates = compare_candidates(models_of(wrong, sure))
    assert choose(candidates) == chosen
    assert candidates["slow"]["tied"]


def test_dependent_rows_count_once() -> None:
    wrong, sure = {"fast": range(10, 22), "slow": range(10)}, {"fast": 0.8, "slow": 0.8}
    models = [models_of(wrong, sure, copies=copies) for copies in (1, 9)]
    once, often = map(compare_candidates, models)
    assert often["fast"]["accuracy_error"] == pytest.approx(once["fast"]["accuracy_error"], rel=0.05)
    assert choose(often) == choose(once) == "fast"
    assert score_after_choice(models[0]) == score_after_choice(models[1])


def test_the_accuracy_after_the_choice_is_not_that_of_the_best_of_many() -> None:
    """Models that guess have an accuracy of 50%, however well the best of them did on the rows that chose it."""
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
    assert score_after_choice(models_of({"a": range(7)}, {"a": 0.8}, model_choice.PARTS - 1, 20)) is None
