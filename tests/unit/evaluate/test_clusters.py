"""Rows that are not independent: variance of their mean, effective rows, coverage of intervals."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import linalg, stats

from tests.unit.evaluate.samples import SEEDS, exact, known, predictions, reference
from textclf.artifacts.predictions import Predictions
from textclf.evaluate import registry, split_clusters
from textclf.evaluate.clusters import (
    are_dependent,
    cr2,
    effective_rows,
    independent_rows,
    variance_of_mean,
)
from textclf.evaluate.metrics.of_counts import CountMetric, Share
from textclf.evaluate.rows import JudgedRows
from textclf.evaluate.split_clusters import IdDigest, positions


def test_rows_count_as_dependent_once_more_than_5_percent_repeat_another() -> None:
    assert not are_dependent(np.array([1] * 100))
    assert not are_dependent(np.array([2] * 5 + [1] * 90))
    assert are_dependent(np.array([2] * 6 + [1] * 88))
    # One large group, though only 4% of the rows.
    assert are_dependent(np.array([40] + [1] * 960))
    assert not are_dependent(np.zeros(0, np.int64))


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=8), SEEDS, st.integers(1, 200))
def test_clusters_are_numbered_by_their_keys_part_by_part(
    values: list[int], seed: int, part: int
) -> None:
    drawn = np.random.default_rng(seed).integers(len(values), size=100)
    keys = np.array(values, np.uint64)[drawn]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(split_clusters, "PART", part)
        places = positions(keys)
    if places is not None:
        assert places.tolist() == np.unique(keys, return_inverse=True)[1].tolist()


def groups(*sizes: int) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(sizes)), sizes)


def few(degrees: float) -> float:
    return float((stats.norm.ppf(0.975) / stats.t.ppf(0.975, degrees)) ** 2)


def test_copies_of_a_row_are_worth_one_row() -> None:
    right = np.repeat([True, False], 500)
    assert effective_rows(right, groups(*[5] * 200), right, 0.95) == pytest.approx(
        200 * few(199), rel=1e-6
    )
    alone = np.tile([True, False], 40)
    assert effective_rows(alone, groups(*[1] * 80), alone, 0.95) == pytest.approx(80 * few(79))


def of_rows(
    values: NDArray[np.float64], clusters: NDArray[np.int64], strata: Any = 0
) -> tuple[float, float]:
    strata = np.zeros(len(values), np.int64) + strata
    shape, means = (
        (strata.max() + 1, clusters.max() + 1),
        np.bincount(strata, values) / np.bincount(strata),
    )
    sums, sizes = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, (strata, clusters), values - means[strata])
    np.add.at(sizes, (strata, clusters), 1)
    return cr2(sums, sizes)


@given(SEEDS)
def test_the_variance_is_cr2_of_a_regression(seed: int) -> None:
    """By the matrices of Bell & McCaffrey (2002), for the mean weighted by the strata."""
    generator = np.random.default_rng(seed)
    clusters = groups(*generator.integers(1, 7, 12))
    values, strata = (
        generator.exponential(size=len(clusters)) ** 2,
        generator.integers(0, 2, len(clusters)),
    )
    for of in (np.zeros_like(strata), strata):
        design = np.eye(of.max() + 1)[of]
        inverse = np.linalg.inv(design.T @ design)
        hat, weights = design @ inverse @ design.T, design.mean(axis=0) @ inverse @ design.T
        residuals, rest = values - hat @ values, np.eye(len(values)) - hat
        rows = [np.flatnonzero(clusters == each) for each in range(12)]
        adjusted = [
            weights[own] @ linalg.sqrtm(linalg.inv(rest[np.ix_(own, own)])).real for own in rows
        ]
        variance, degrees = of_rows(values, clusters, of)
        parts = np.array([each @ residuals[own] for each, own in zip(adjusted, rows, strict=True)])
        assert variance == pytest.approx((parts**2).sum(), rel=1e-9)
        vectors = np.array([each @ rest[own] for each, own in zip(adjusted, rows, strict=True)])
        products = vectors @ vectors.T
        expected = min(
            np.trace(products) ** 2 / (products**2).sum(),
            3 * (parts**2).sum() ** 2 / (parts**4).sum(),
        )
        assert degrees == pytest.approx(expected, rel=1e-9)


def test_the_variance_is_that_of_statsmodels() -> None:
    api = reference("api")
    generator = np.random.default_rng(1)
    values, ones, clusters = generator.exponential(size=60), np.ones(60), groups(*[4] * 15)
    expected = api.OLS(values, ones).fit(cov_type="HC2").bse[0] ** 2
    assert variance_of_mean(values, np.zeros(60, np.int64)) == pytest.approx(expected, rel=1e-9)
    assert of_rows(values, np.arange(60))[0] == pytest.approx(expected, rel=1e-9)
    reduced = api.GEE(values, ones, clusters, cov_struct=api.cov_struct.Independence()).fit(
        cov_type="bias_reduced"
    )
    # Mancl & DeRouen divide by 1 - m / n once more, which is the same for all clusters here.
    assert of_rows(values, clusters)[0] == pytest.approx(
        reduced.bse[0] ** 2 * (1 - 1 / 15), rel=1e-6
    )


def test_clusters_have_the_degrees_of_freedom_of_the_squares_at_hand() -> None:
    even, one = np.tile([1.0, -1.0], 50), np.append(np.zeros(98), [1.0, -1.0])
    assert of_rows(even, np.arange(100)) == pytest.approx((1 / 99, 99))
    assert of_rows(one, np.arange(100)) == pytest.approx((2 / 99 / 100, 3 * 2**2 / 2))


def test_a_cluster_that_counts_several_times_is_as_many_clusters() -> None:
    generator = np.random.default_rng(1)
    sums, times = generator.normal(size=(2, 6)), np.array([1, 4, 2, 1, 3, 1])
    sizes: NDArray[np.float64] = generator.integers(1, 5, (2, 6)).astype(np.float64)
    expected = cr2(np.repeat(sums, times, axis=1), np.repeat(sizes, times, axis=1))
    assert cr2(sums, sizes, times.astype(float)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("right", "sizes", "expected"),
    [
        ([True] * 30, [3] * 10, 10),  # no mistake: nothing says that rows of a cluster differ
        (
            [True] * 26 + [False] * 4,
            [1] * 4 + [22] + [1] * 4,
            900 / 492,
        ),  # mistakes in four clusters
        ([True] * 20 + [False] * 10, [30], 1),  # a single cluster
    ],
)
def test_with_few_clusters_with_a_mistake_rows_are_alike(
    right: list[bool], sizes: list[int], expected: float
) -> None:
    values = np.array(right)
    assert independent_rows(values, groups(*sizes), values) == pytest.approx(
        (expected, expected - 1)
    )
    assert independent_rows(~values, groups(*sizes), ~values) == pytest.approx(
        (expected, expected - 1)
    )


@given(SEEDS, st.integers(2, 60))
def test_rows_are_never_worth_more_than_their_number(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    sizes = generator.integers(0, 6, count)
    sizes[0] = 1
    right = generator.random(sizes.sum()) < 0.6
    assert 0 < effective_rows(right, groups(*sizes.tolist()), right, 0.95) <= len(right)


@given(SEEDS, st.sampled_from([2, 3]), st.booleans())
def test_rows_that_count_alike_stand_for_each_other(
    seed: int, classes: int, multilabel: bool
) -> None:
    generator = np.random.default_rng(seed)
    of_rows = generator.integers(0, 120, 600)
    shape = (600, classes) if multilabel else (600,)
    y = generator.integers(0, 2 if multilabel else classes, shape)
    drawn = generator.integers(0 if multilabel else -1, 2 if multilabel else classes, shape)
    decided = np.where(generator.random(shape) < 0.8, y, drawn)
    rows = JudgedRows(y, np.full((600, classes), 0.5), decided, of_rows)
    alike = rows.distinct
    assert len(alike) < 600
    counted = (alike.copies, alike.times)
    sides = (~part.wrong for part in (rows, alike))
    whole, short = (
        Share.of_decisions(part, right, np.ones_like(right), 0.95)
        for part, right in zip((rows, alike), sides, strict=True)
    )
    for name, number in asdict(whole).items():
        assert asdict(short)[name] == pytest.approx(number, rel=1e-9), name
    for metric in registry.metrics_of(multilabel).values():
        if isinstance(metric, CountMetric):
            expected = effective_rows(metric.influence(rows), of_rows, rows.wrong, 0.95)
            assert effective_rows(
                metric.influence(alike), known(alike.clusters), alike.wrong, 0.95, *counted
            ) == pytest.approx(expected, rel=1e-9)


def repeated(seed: int, texts: int, times: int) -> tuple[dict[str, Predictions], NDArray[np.int64]]:
    """Return two models that are equally good on average, on texts with several copies."""
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
        assert ends
        ends.pop("effective_rows", None)
        repeated_ends = known(clustered[metric])
        assert (repeated_ends.pop("degrees", 0) > 20) == (metric == "accuracy")
        assert repeated_ends.pop("effective_rows", 150) == pytest.approx(150, rel=0.05)
        width = ends["high"] - ends["low"]
        assert repeated_ends == pytest.approx(ends, abs=0.1 * width), metric
    expected, entry = (part.comparisons()["b_vs_a"] for part in parts)
    assert entry["p"] == pytest.approx(expected["p"], rel=0.1)
    assert entry["smallest_difference"] == pytest.approx(expected["smallest_difference"], rel=0.05)
    assert (entry["low"], entry["high"]) == pytest.approx(
        (expected["low"], expected["high"]), abs=0.02
    )
    bins = [part.tables("a")["reliability"] for part in parts]
    assert bins[1]["accuracy_high"].to_numpy() == pytest.approx(
        bins[0]["accuracy_high"].to_numpy(), abs=0.02
    )


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
    digests = [IdDigest() for _ in range(3)]
    digests[0].add(ids)
    for part in (ids[:first], ids[first:]):
        digests[1].add(part)
    column = pa.chunked_array([["x", *ids[:second]], ids[second:]], pa.string())
    digests[2].add(column[1:])
    assert len({each.digest() for each in digests}) == 1
    other = IdDigest()
    other.add(others)
    assert (other.digest() == digests[0].digest()) == (others == ids)
