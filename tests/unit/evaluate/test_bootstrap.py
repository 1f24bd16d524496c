"""Resamples of rows and of counts, and the metrics in them."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evaluate.samples import SEEDS, sample
from textclf.evaluate import bootstrap as module
from textclf.evaluate.bootstrap import bootstrap, resample_counts, resamples
from textclf.evaluate.intervals import percentile
from textclf.evaluate.metrics import weighted


@given(SEEDS, st.integers(1, 40), st.integers(1, 4))
def test_stratified_resamples_keep_the_size_of_every_class(seed: int, rows: int, classes: int) -> None:
    y = np.random.default_rng(seed).integers(0, classes, rows)
    counts = np.concatenate(list(resamples(y, seed, 20)))
    assert counts.shape == (20, rows)
    for label in range(classes):
        assert (counts[:, y == label].sum(axis=1) == (y == label).sum()).all()


def test_resamples_that_are_not_stratified_draw_from_all_rows() -> None:
    y = np.repeat([0, 1], [10, 30])
    counts = np.concatenate(list(resamples(y, 3, 5000, stratified=False)))
    positives = counts[:, y == 1].sum(axis=1)
    assert (counts.sum(axis=1) == 40).all()
    assert positives.mean() == pytest.approx(30, abs=0.2)
    assert positives.var() == pytest.approx(40 * 0.75 * 0.25, rel=0.1)


def test_a_class_that_a_resample_misses_does_not_count_in_it() -> None:
    y, probabilities = np.array([0, 0, 0, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]])
    decided = probabilities.argmax(axis=1)
    draws = bootstrap(y, {"a": (probabilities, decided)}, 1, 500, stratified=False)["a"]
    assert all(np.isfinite(values).all() for values in draws.values())
    weights = np.array([[1.0, 2.0, 1.0, 0.0]])
    assert weighted(y, probabilities, decided)(weights)["balanced_accuracy"][0] == 0.75


def test_resamples_do_not_depend_on_where_chunks_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    y = sample(1)[0]
    whole = list(resamples(y, 7, 50))
    monkeypatch.setattr(module, "CELLS", 7 * len(y))
    cut = list(resamples(y, 7, 50))
    assert (len(whole), len(cut)) == (1, 8)
    np.testing.assert_array_equal(np.concatenate(whole), np.concatenate(cut))


def test_resamples_are_multinomial_within_a_class() -> None:
    y = np.repeat([0, 1], [10, 30])
    counts = np.concatenate(list(resamples(y, 3, 20_000)))[:, y == 1]
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.04)
    covariance = np.cov(counts.T)
    np.testing.assert_allclose(np.diag(covariance), 29 / 30, atol=0.06)
    np.testing.assert_allclose(covariance[~np.eye(30, dtype=bool)], -1 / 30, atol=0.04)


def test_resamples_of_a_seed_stay_the_same_across_versions() -> None:
    first = next(resamples(np.array([0, 1, 0, 1, 1]), 20, 2))
    assert first.dtype == np.int32
    assert first.tolist() == [[2, 1, 0, 2, 0], [2, 0, 0, 1, 2]]


def test_memory_does_not_grow_with_the_resamples() -> None:
    y, probabilities, decided = sample(1, rows=1000)
    tracemalloc.start()
    bootstrap(y, {"a": (probabilities, decided)}, 1, 4000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64e6


def test_many_rare_classes_have_intervals() -> None:
    # A resample of 40 classes with one row each has all of them with a probability of 40! / 40^40.
    y, probabilities, decided = sample(3, rows=40, classes=40)
    draws = bootstrap(y, {"a": (probabilities, decided)}, 1, 200, stratified=False)["a"]
    for name, values in draws.items():
        if values.ndim == 1:
            low, high = percentile(values)
            assert low <= high, name


def test_all_models_are_measured_on_the_same_resamples_and_again() -> None:
    y, probabilities, decided = sample(4, classes=3)
    models = {"a": (probabilities, decided), "perfect": (probabilities, y)}
    draws, again = (bootstrap(y, models, 5, 200, stratified=False) for _ in range(2))
    assert all((draws[name][metric] == again[name][metric]).all() for name in models for metric in ("mcc", "brier"))
    assert (draws["perfect"]["accuracy"] == 1).all()
    assert np.array_equal(draws["a"]["log_loss"], draws["perfect"]["log_loss"])
    assert {len(values) for values in draws["a"].values()} == {200}


def test_resampled_counts_keep_the_rows_and_if_stratified_the_classes() -> None:
    table = np.array([[5, 0, 3], [0, 0, 0], [1, 90, 2]])
    free, fixed, again, other = (
        np.concatenate(list(resample_counts(table, seed, 300, stratified)))
        for seed, stratified in ((0, False), (0, True), (0, False), (1, False))
    )
    assert free.shape == fixed.shape == (300, 3, 3)
    assert set(free.sum(axis=(1, 2)).tolist()) == {101}
    assert (fixed.sum(axis=2) == table.sum(axis=1)).all()
    assert len(set(free.sum(axis=2)[:, 0].tolist())) > 5
    assert not free[:, table == 0].any()
    assert free.mean(axis=0) == pytest.approx(table, abs=1)
    assert np.array_equal(free, again)
    assert not np.array_equal(free, other)
