"""The simulation of pairs of models: it trains, decides and measures as it says."""

import numpy as np
import pytest

from benchmarks import pairs


def test_the_true_accuracy_is_that_of_many_rows() -> None:
    rng = np.random.default_rng(0)
    model = pairs.weights(pairs.SHIFT + 0.05 * rng.normal(size=pairs.FEATURES), slice(0, 80), 0.0)
    measured = (pairs.draw(100_000, rng) @ model > 0).mean()
    assert pairs.true_accuracy(model) == pytest.approx(measured, abs=0.005)


def test_a_row_is_tested_by_a_model_that_has_not_seen_it() -> None:
    """Without a signal, accuracies are those of guessing; a model that has seen its test rows is far above."""
    rng = np.random.default_rng(0)
    signed = rng.normal(size=(400, pairs.FEATURES))  # no mean: the classes are alike
    folds = np.arange(400) % pairs.FOLDS
    tested = (folds[:, None] == np.arange(pairs.FOLDS)).astype(float)
    means = (signed.sum(axis=0) - tested.T @ signed) / 300
    assert pairs._share(signed, means, tested) == pytest.approx([0.5] * 4, abs=0.12)
    assert pairs._share(signed, np.tile(signed.mean(axis=0), (4, 1)), tested).min() > 0.6


def test_a_seed_per_fold_and_one_seed_differ_only_for_a_model_that_has_one() -> None:
    rng = np.random.default_rng(0)
    per_fold, one = pairs.crossvalidate(pairs.draw(200, rng), pairs.PAIRS["other features"], rng)
    assert len(per_fold) == 12
    assert (per_fold == one).all()
    per_fold, one = pairs.crossvalidate(pairs.draw(200, rng), pairs.PAIRS["with a seed"], rng)
    assert (per_fold != one).any()


def test_what_is_said_of_another_region_is_wrong_and_nothing_said_is_not() -> None:
    assert pairs.wrong(["better", "unknown", "alike", "alike"], "alike") == 0.25
