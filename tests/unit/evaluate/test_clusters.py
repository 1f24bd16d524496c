"""Rows that are not independent: how many rows they are worth, tests by sign flips, and the coverage of intervals."""

import math
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from tests.unit.evaluate.samples import SEEDS, exact, predictions
from textclf.artifacts.predictions import Predictions
from textclf.evaluate import clusters
from textclf.evaluate.clusters import (
    are_dependent,
    correlation,
    effective_rows,
    sign_flip,
)
from textclf.evaluate.comparisons import mcnemar
from textclf.evaluate.split_clusters import IdDigest


def keys(*sizes: int) -> NDArray[np.uint64]:
    return np.repeat(np.arange(len(sizes)), sizes).astype(np.uint64)


def test_rows_count_as_dependent_once_more_than_5_percent_repeat_another() -> None:
    assert not are_dependent(keys(*[1] * 100))
    assert not are_dependent(keys(*[2] * 5, *[1] * 90))
    assert are_dependent(keys(*[2] * 6, *[1] * 88))
    assert are_dependent(keys(40, *[1] * 960))  # one large group, though only 4% of the rows
    assert not are_dependent(np.zeros(0, np.uint64))


def groups(*sizes: int) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(sizes)), sizes)


def related(values: NDArray[Any], clusters: NDArray[np.int64], rare: NDArray[np.bool_]) -> float:
    return correlation(values, clusters, rare, np.bincount(clusters))


def few(count: int) -> float:
    """Return the factor of so many clusters."""
    return float((stats.norm.ppf(0.975) / stats.t.ppf(0.975, count - 1)) ** 2)


def test_copies_of_a_row_are_worth_one_row() -> None:
    right = np.repeat([True, False], 500)
    assert effective_rows(right, groups(*[5] * 200), right, 0.95) == pytest.approx(200 * few(200), rel=1e-6)
    alone = np.tile([True, False], 40)
    assert related(alone, groups(*[1] * 80), alone) == 0
    assert effective_rows(alone, groups(*[1] * 80), alone, 0.95) == pytest.approx(80 * few(80))


@pytest.mark.parametrize("values", ["binary", "continuous"])
@pytest.mark.parametrize("true", [0.0, 0.3, 0.8])
def test_the_correlation_is_that_of_the_rows_of_a_cluster(values: str, true: float) -> None:
    generator = np.random.default_rng(3)
    clusters = groups(*generator.integers(1, 9, 20_000))
    scores = math.sqrt(true) * generator.normal(size=20_000)[clusters]
    scores += math.sqrt(1 - true) * generator.normal(size=len(clusters))
    found = related(scores if values == "continuous" else scores > 0, clusters, scores > 0)
    expected = true if values == "continuous" else 2 / math.pi * math.asin(true)  # of the signs of normal numbers
    assert found == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("right", "sizes", "expected"),
    [
        ([True] * 30, [3] * 10, 1.0),  # no mistake: nothing says that rows of a cluster differ
        ([True] * 29 + [False], [3] * 10, 0.51),  # one cluster with a mistake, whose rows differ
        ([True] * 20 + [False] * 10, [30], 1.0),  # a single cluster
        ([True, False] * 15, [22, *[1] * 8], 0.5),  # both occur in the only text with copies
    ],
)
def test_few_clusters_are_taken_as_nearly_perfectly_correlated(
    right: list[bool], sizes: list[int], expected: float
) -> None:
    values = np.array(right)
    assert related(values, groups(*sizes), values) == pytest.approx(expected, abs=0.01)
    assert related(~values, groups(*sizes), ~values) == pytest.approx(expected, abs=0.01)


@given(SEEDS, st.integers(2, 60))
def test_rows_are_never_worth_more_than_their_number(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    sizes = generator.integers(0, 6, count)
    sizes[0] = 1
    right = generator.random(sizes.sum()) < 0.6
    assert 0 < effective_rows(right, groups(*sizes.tolist()), right, 0.95) <= len(right)


@given(st.integers(0, 60), st.integers(0, 60))
def test_sign_flips_of_single_rows_are_mcnemars_test(only_a: int, only_b: int) -> None:
    sums = np.concatenate([np.ones(only_a), -np.ones(only_b), np.zeros(3)])
    assert sign_flip(sums) == pytest.approx(mcnemar(only_a, only_b).p, rel=1e-9)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=9))
def test_sign_flips_count_all_signs(sums: list[int]) -> None:
    totals = [abs(np.dot(signs, sums)) for signs in product([1, -1], repeat=len(sums))]
    expected = float(np.mean([total >= abs(sum(sums)) for total in totals]))
    assert sign_flip(np.array(sums, dtype=float)) == pytest.approx(expected, rel=1e-9)


def test_many_sign_flips_are_nearly_normal(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = np.random.default_rng(2).integers(-4, 6, 600).astype(float)
    p = sign_flip(sums)
    monkeypatch.setattr(clusters, "EXACT_SUM", 10)
    assert 1e-9 < p < 1e-3
    assert sign_flip(sums) == pytest.approx(p, rel=0.2)


def repeated(seed: int, texts: int, times: int) -> tuple[dict[str, Predictions], NDArray[np.int64]]:
    """Return two models that are equally good on average, on texts that each occur several times."""
    generator = np.random.default_rng(seed)
    y = np.repeat(generator.integers(0, 2, texts), times)
    models = {}
    for name in ("a", "b"):
        log_odds = np.repeat(generator.normal(0, 1, texts), times) + 1.7 * (y - 0.5)
        models[name] = predictions(y, 1 / (1 + np.exp(-2 * log_odds)))
    return models, np.repeat(np.arange(texts), times)


def test_repeated_texts_are_worth_no_more_than_once() -> None:
    models, of_rows = repeated(1, 150, 6)
    once = {name: rows.take(slice(None, None, 6)) for name, rows in models.items()}
    parts = [exact(once), exact(models, clusters=of_rows)]
    single, clustered = (part.intervals("a") for part in parts)
    assert parts[0].metrics("a") == pytest.approx(parts[1].metrics("a"), abs=1e-6)
    for metric, ends in single.items():
        repeated_ends = clustered[metric]
        assert ends
        assert repeated_ends
        width = ends["high"] - ends["low"]
        assert repeated_ends == pytest.approx(ends, abs=0.1 * width), metric
    expected, entry = (part.comparisons()["b_vs_a"] for part in parts)
    assert entry["p"] == pytest.approx(expected["p"], rel=1e-6)
    assert entry["smallest_difference"] == pytest.approx(expected["smallest_difference"], rel=0.05)
    assert (entry["low"], entry["high"]) == pytest.approx((expected["low"], expected["high"]), abs=0.02)
    bins = [part.tables("a")["reliability"] for part in parts]
    assert bins[1]["accuracy_high"].to_numpy() == pytest.approx(bins[0]["accuracy_high"].to_numpy(), abs=0.02)


def test_of_dependent_rows_a_class_that_is_never_decided_has_a_precision_without_interval() -> None:
    y = np.repeat([0, 1, 0, 1], 30)
    rows = {"a": predictions(y, 0.1 + 0.2 * np.linspace(0, 1, len(y)))}
    part = exact(rows, clusters=np.repeat(np.arange(40), 3))
    row = part.by_class("a").set_index("class").loc["yes"]
    assert row["precision"] == row["recall"] == 0
    assert np.isnan(row["precision_high"])
    assert 0 < row["recall_high"] < 0.3


def test_intervals_of_clusters_cover_the_truth_and_tests_reject_as_seldom_as_they_say() -> None:
    sets, inside, rejected = 150, {True: 0, False: 0}, {True: 0, False: 0}
    for seed in range(sets):
        models, of_rows = repeated(seed + 100, 60, 5)
        for clustered in (True, False):
            part = exact(models, clusters=of_rows if clustered else None)
            low, high = part.accuracy_interval("a")
            inside[clustered] += low <= 0.8023 <= high  # Phi(1.7 / 2)
            rejected[clustered] += part.comparisons()["b_vs_a"]["p"] < 0.05
    assert inside[True] / sets > 0.9
    assert inside[False] / sets < 0.8
    assert rejected[True] / sets < 0.09
    assert rejected[False] / sets > 0.2


IDS = st.lists(st.text(st.sampled_from("ab\x00é中")), max_size=9)


@given(IDS, IDS, st.integers(0, 9), st.integers(0, 9))
def test_a_digest_of_ids_is_theirs_in_their_order_however_they_are_cut(
    ids: list[str], others: list[str], first: int, second: int
) -> None:
    found = [IdDigest() for _ in range(3)]
    found[0].add(ids)
    for part in (ids[:first], ids[first:]):
        found[1].add(part)
    column = pa.chunked_array([["x", *ids[:second]], ids[second:]], pa.string())
    found[2].add(column[1:])
    assert len({each.digest() for each in found}) == 1
    other = IdDigest()
    other.add(others)
    assert (other.digest() == found[0].digest()) == (others == ids)
