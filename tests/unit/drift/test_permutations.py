"""Permutation tests with repeated texts."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.unit.drift.texts import pool_of
from textclf.drift.pool import Pool
from textclf.drift.two_sample import deviations, differences, distances, max_t, permutations, upper_p

COPIES = st.lists(st.integers(1, 4), min_size=1, max_size=30)


def make_pool(copies: Sequence[int], sizes: Sequence[int] | None = None) -> Pool:
    """Return a pool with these copies of each text, and so many texts in each cluster, by default one."""
    counts = np.array(copies)
    clusters = np.repeat(np.arange(len(sizes or copies)), sizes or 1)
    return Pool(tuple(map(str, copies)), 0 * counts, counts, clusters)


@given(COPIES, st.integers(0, 20))
def test_texts_change_places_with_texts_of_as_many_copies_only(numbers: list[int], count: int) -> None:
    places = np.concatenate(list(permutations(make_pool(numbers), count, seed=5)), axis=1)
    copies = np.array(numbers)
    assert places.shape == (len(copies), count + 1)
    assert (places[:, 0] == np.arange(len(copies))).all()
    assert (np.sort(places, axis=0) == np.arange(len(copies))[:, None]).all()
    assert (copies[places] == copies[:, None]).all()


@given(COPIES, st.integers(1, 20))
def test_clusters_change_places_as_a_whole_with_clusters_of_as_many_texts_only(sizes: list[int], count: int) -> None:
    pool = make_pool([1] * sum(sizes), sizes)
    places = np.concatenate(list(permutations(pool, count, seed=5)), axis=1)
    assert (np.sort(places, axis=0) == np.arange(len(places))[:, None]).all()
    for each in places.T:
        taken = [each[pool.clusters == cluster] for cluster in range(len(sizes))]
        assert all((np.diff(part) == 1).all() for part in taken)
        assert [sizes[pool.clusters[part[0]]] for part in taken] == sizes
        assert all(len(set(pool.clusters[part].tolist())) == 1 for part in taken)


def test_all_permutations_of_texts_with_as_many_copies_are_equally_frequent() -> None:
    count = 6000
    places = np.concatenate(list(permutations(make_pool([1, 1, 1, 2, 2]), count, seed=0)), axis=1)[:, 1:]
    found = Counter(map(tuple, places.T.tolist()))
    assert len(found) == 12  # 3! times 2!
    assert max(abs(each - count / 12) for each in found.values()) < 5 * (count / 12) ** 0.5


def test_permutations_do_not_depend_on_the_size_of_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    first = next(iter(permutations(make_pool([1] * 7), 3, seed=0)))
    monkeypatch.setattr("textclf.drift.two_sample.CELLS", 1)
    assert [chunk.shape for chunk in permutations(make_pool([1] * 7), 3, seed=0)] == [(7, 1)] * 4
    assert first.shape == (7, 4)


def test_the_p_value_counts_the_observed_statistic_too() -> None:
    assert upper_p(np.array([3.0, 1.0, 2.0, 3.0])) == 0.5
    assert upper_p(np.array([3.0, 1.0, 2.0])) == pytest.approx(1 / 3)
    assert upper_p(np.array([1.0])) == 1


def test_corrected_p_values_are_exact_shares() -> None:
    assert max_t(np.array([3.0, 2.0, 0.5]), np.array([3.0, *[2.0] * 9, *[1.0] * 190])).tolist() == [1 / 200, 0.05, 1]


def test_deviations_are_from_the_mean_of_all_permutations() -> None:
    assert deviations(np.array([[5.0, 1.0], [1.0, 1.0], [3.0, 4.0]])).tolist() == [[2, 1], [2, 1], [0, 2]]


def test_differences_equal_those_of_the_permuted_texts() -> None:
    pool = pool_of(["a", "b", "c", "c", "x y"], ["d", "e", "e", "x y"])
    values = np.arange(12.0).reshape(6, 2) ** 2
    places = np.concatenate(list(permutations(pool, 9, seed=4)), axis=1)
    found = differences(pool, values, np.ones(6), 9, seed=4)
    ratios = differences(pool, values[:, :1], values[:, 1], 9, seed=4)[:, 0]
    for row, ratio, order in zip(found, ratios, places.T, strict=True):
        new, reference = pool.new[order] > 0, pool.reference[order] > 0
        assert row == pytest.approx(values[new].mean(axis=0) - values[reference].mean(axis=0))
        sums = [values[side].sum(axis=0) for side in (new, reference)]
        assert ratio == pytest.approx(sums[0][0] / sums[0][1] - sums[1][0] / sums[1][1])


def test_distances_equal_those_of_scipy_for_the_permuted_texts() -> None:
    pool = pool_of(["a", "b", "c", "c", "x y"], ["d", "e", "e", "x y"])
    values = np.array([[1.0, 5.0], [2.0, 5.0], [2.0, 1.0], [7.0, 5.0], [2.0, 4.0], [0.0, 9.0]])
    places = np.concatenate(list(permutations(pool, 9, seed=4)), axis=1)
    for row, order in zip(distances(pool, values, 9, seed=4), places.T, strict=True):
        sides = [values[side[order] > 0] for side in (pool.new, pool.reference)]
        expected = [stats.ks_2samp(new, old).statistic for new, old in zip(*(side.T for side in sides), strict=True)]
        assert row == pytest.approx(expected)
