"""Tests by classifier and by words: brute force, permutations, p-values without drift."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from tests.unit.drift.texts import draw_texts, pool_of, rejected
from textclf.drift.features import kernel
from textclf.drift.pool import PooledTexts
from textclf.drift.two_sample import (
    RIDGE,
    areas,
    centre,
    classifier_test,
    cut_folds,
    deviations,
    differences,
    distances,
    max_t,
    permutations,
    upper_p,
    word_test,
)
from textclf.vectorize.terms.counts import Counted, count_by
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

COPIES = st.lists(st.integers(1, 4), min_size=1, max_size=30)


def split_words(texts: Sequence[str]) -> Counted:
    return count_by(texts, str.split)


WORDS = Vectorizer.fit(["one two"], Terms())


def make_pool(seed: int, copies: bool = False) -> PooledTexts:
    """Return a pool of texts of one source; `copies` repeats many, each on one side only."""
    generator = np.random.default_rng(seed)
    sides = [draw_texts(generator, count, 4) for count in (30, 18)]
    if copies:
        sides = [[text for text in side for _ in range(generator.integers(1, 5))] for side in sides]
    return pool_of(sides[0], sides[1], seed)


def trained_scores(
    K: NDArray[np.float64], sides: NDArray[np.float64], fold: slice
) -> NDArray[np.float64]:
    rest = np.setdiff1d(np.arange(len(K)), np.arange(len(K))[fold])
    weights = np.linalg.solve(
        K[np.ix_(rest, rest)] + RIDGE * np.eye(len(rest)), (sides - sides.mean())[rest]
    )
    scores: NDArray[np.float64] = K[fold][:, rest] @ weights
    return scores


def test_a_centred_kernel_is_of_vectors_less_their_mean_with_a_mean_squared_length_of_1() -> None:
    vectors = np.random.default_rng(0).normal(3, 2, (7, 4))
    centred = vectors - vectors.mean(axis=0)
    products = centred @ centred.T
    assert centre(vectors @ vectors.T) == pytest.approx(products * 7 / np.trace(products))
    assert centre(np.ones((3, 3))).tolist() == np.zeros((3, 3)).tolist()


def test_areas_equal_those_of_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(0)
    scores, sides = (
        generator.normal(size=(40, 3)),
        generator.integers(0, 2, (40, 3)).astype(np.float64),
    )
    whole = areas(scores, sides, [slice(0, 40)])
    assert whole == pytest.approx(
        [roc_auc_score(sides[:, each], scores[:, each]) for each in range(3)]
    )
    folds = [slice(0, 15), slice(15, 40)]
    for each in range(3):
        pairs = [(sides[fold, each].sum() * (1 - sides[fold, each]).sum()) for fold in folds]
        parts = [roc_auc_score(sides[fold, each], scores[fold, each]) for fold in folds]
        assert areas(scores, sides, folds)[each] == pytest.approx(np.average(parts, weights=pairs))


def test_a_text_that_both_sides_have_is_as_high_as_itself() -> None:
    sides = np.array([[1.0], [0.5], [0.0]])
    # New: 1 of the first and a half of the second text. Pairs in which the new one is higher, or
    # half for the same text
    higher = 1 * 0.5 + 1 * 1 + 0.5 * 0.5 / 2 + 0.5 * 1
    assert areas(np.array([[3.0], [2.0], [1.0]]), sides, [slice(0, 3)]).tolist() == [
        higher / (1.5 * 1.5)
    ]
    assert areas(np.array([[1.0], [2.0]]), np.array([[1.0], [1.0]]), [slice(0, 2)]).tolist() == [
        0.5
    ]  # no pairs
    pool = pool_of(["?", "!", "."], ["-", "+", ";"])  # texts without any feature
    assert classifier_test(pool, kernel(WORDS, pool.texts), 9, seed=0)[1] > 0.05


def test_the_p_value_equals_that_of_training_anew_for_each_permutation() -> None:
    pool = make_pool(3)
    K = centre(kernel(WORDS, pool.texts))
    sides, folds = pool.new / pool.copies, cut_folds(pool.clusters)
    statistics = []
    for order in np.concatenate(list(permutations(pool, 49, seed=8)), axis=1).T:
        permuted = sides[order]
        scores = np.concatenate([trained_scores(K, permuted, fold) for fold in folds])
        statistics.append(areas(np.round(scores, 9)[:, None], permuted[:, None], folds)[0])
    area, p = classifier_test(pool, kernel(WORDS, pool.texts), 49, seed=8)
    assert area == pytest.approx(statistics[0])
    assert p == pytest.approx(np.mean(np.array(statistics) >= statistics[0] - 1e-9))


@pytest.mark.parametrize("copies", [False, True], ids=["distinct", "copies"])
def test_without_drift_p_values_are_uniform(copies: bool) -> None:
    p_values = []
    for seed in range(200):
        pool = make_pool(seed, copies)
        p_values.append(classifier_test(pool, kernel(WORDS, pool.texts), 19, seed)[1])
    low, high = stats.binom.interval(0.999, len(p_values), 0.1)
    assert low <= rejected(p_values, 0.1)[0] <= high
    assert (
        stats.chisquare(
            np.bincount(np.round(np.array(p_values) * 20).astype(int), minlength=21)[1:]
        ).pvalue
        > 0.001
    )


def brute_force(reference: list[str], new: list[str], word: str) -> float:
    """Return the difference of the shares of texts that have a word, divided by its scale."""
    has = [[word in text.split() for text in side] for side in (reference, new)]
    share = np.mean([*has[0], *has[1]])
    return float((np.mean(has[1]) - np.mean(has[0])) / np.sqrt(share * (1 - share)))


def test_words_are_ordered_by_the_difference_of_their_shares() -> None:
    reference = [f"common w{number} food" for number in "abcdefghij"]
    new = [
        f"common w{number} {'film' if number in 'klmnop' else 'food'}" for number in "klmnopqrst"
    ]
    result = word_test(pool_of(reference, new), split_words, 99, seed=0)
    assert [word.word for word in result] == ["film", "food"]  # others are in one text, or in all
    by_word = {word.word: word for word in result}
    assert by_word["food"].p == pytest.approx(by_word["film"].p)
    assert (by_word["food"].reference, by_word["food"].new) == pytest.approx((1, 0.4))
    assert abs(brute_force(reference, new, "film")) == pytest.approx(
        abs(brute_force(reference, new, "food"))
    )
    assert by_word["film"].p <= 0.05


def test_no_word_in_several_texts_is_no_drift() -> None:
    assert word_test(pool_of(["a", "b", "c"], ["d", "e", "f"]), split_words, 9, seed=0) == []


def pool_with(copies: Sequence[int], sizes: Sequence[int] | None = None) -> PooledTexts:
    """Return a pool with these copies of each text, and this many texts per cluster."""
    counts = np.array(copies)
    clusters = np.repeat(np.arange(len(sizes or copies)), sizes or 1)
    return PooledTexts(tuple(map(str, copies)), 0 * counts, counts, clusters)


@given(COPIES, st.integers(0, 20))
def test_texts_change_places_with_texts_of_as_many_copies_only(
    numbers: list[int], count: int
) -> None:
    places = np.concatenate(list(permutations(pool_with(numbers), count, seed=5)), axis=1)
    copies = np.array(numbers)
    assert places.shape == (len(copies), count + 1)
    assert (places[:, 0] == np.arange(len(copies))).all()
    assert (np.sort(places, axis=0) == np.arange(len(copies))[:, None]).all()
    assert (copies[places] == copies[:, None]).all()


@given(COPIES, st.integers(1, 20))
def test_clusters_change_places_as_a_whole_with_clusters_of_as_many_texts_only(
    sizes: list[int], count: int
) -> None:
    pool = pool_with([1] * sum(sizes), sizes)
    places = np.concatenate(list(permutations(pool, count, seed=5)), axis=1)
    assert (np.sort(places, axis=0) == np.arange(len(places))[:, None]).all()
    for each in places.T:
        taken = [each[pool.clusters == cluster] for cluster in range(len(sizes))]
        assert all((np.diff(part) == 1).all() for part in taken)
        assert [sizes[pool.clusters[part[0]]] for part in taken] == sizes
        assert all(len(set(pool.clusters[part].tolist())) == 1 for part in taken)


def test_all_permutations_of_texts_with_as_many_copies_are_equally_frequent() -> None:
    count = 6000
    places = np.concatenate(list(permutations(pool_with([1, 1, 1, 2, 2]), count, seed=0)), axis=1)[
        :, 1:
    ]
    result = Counter(map(tuple, places.T.tolist()))
    assert len(result) == 12  # 3! times 2!
    assert max(abs(each - count / 12) for each in result.values()) < 5 * (count / 12) ** 0.5


def test_permutations_do_not_depend_on_the_size_of_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    first = next(iter(permutations(pool_with([1] * 7), 3, seed=0)))
    monkeypatch.setattr("textclf.drift.two_sample.CELLS", 1)
    assert [chunk.shape for chunk in permutations(pool_with([1] * 7), 3, seed=0)] == [(7, 1)] * 4
    assert first.shape == (7, 4)


def test_the_p_value_counts_the_observed_statistic_too() -> None:
    assert upper_p(np.array([3.0, 1.0, 2.0, 3.0])) == 0.5
    assert upper_p(np.array([3.0, 1.0, 2.0])) == pytest.approx(1 / 3)
    assert upper_p(np.array([1.0])) == 1


def test_corrected_p_values_are_exact_shares() -> None:
    assert max_t(np.array([3.0, 2.0, 0.5]), np.array([3.0, *[2.0] * 9, *[1.0] * 190])).tolist() == [
        1 / 200,
        0.05,
        1,
    ]


def test_deviations_are_from_the_mean_of_all_permutations() -> None:
    assert deviations(np.array([[5.0, 1.0], [1.0, 1.0], [3.0, 4.0]])).tolist() == [
        [2, 1],
        [2, 1],
        [0, 2],
    ]


def test_differences_equal_those_of_the_permuted_texts() -> None:
    pool = pool_of(["a", "b", "c", "c", "x y"], ["d", "e", "e", "x y"])
    values = np.arange(12.0).reshape(6, 2) ** 2
    places = np.concatenate(list(permutations(pool, 9, seed=4)), axis=1)
    result = differences(pool, values, np.ones(6), 9, seed=4)
    ratios = differences(pool, values[:, :1], values[:, 1], 9, seed=4)[:, 0]
    for row, ratio, order in zip(result, ratios, places.T, strict=True):
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
        expected = [
            stats.ks_2samp(new, old).statistic
            for new, old in zip(*(side.T for side in sides), strict=True)
        ]
        assert row == pytest.approx(expected)
