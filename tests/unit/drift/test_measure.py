"""All checks together."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from tests.unit.drift.texts import draw_texts, pool_of
from tests.unit.evaluate.samples import reference
from tests.unit.predict.models import several_labels, shares, three_classes, two_classes
from textclf.drift.measure import (
    CLASSES,
    CLASSIFIER,
    LENGTH,
    UNKNOWN,
    WORDS,
    Settings,
    compare,
    effective,
    measure,
)
from textclf.drift.result import smallest_difference
from textclf.evaluate.comparisons import holm

SETTINGS = Settings(alpha=0.1, permutations=99, seed=0)


def test_without_drift_any_check_finds_it_at_most_as_often_as_alpha_says() -> None:
    predictor, alarms, runs = three_classes(), 0, 150
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        sides = [
            [*draw_texts(generator, count), *extra]
            for count, extra in ((40, ["great place"]), (25, ["food"]))
        ]
        pool = pool_of(sides[0], sides[1], seed)
        alarms += bool(measure(pool, pool, predictor, replace(SETTINGS, seed=seed)).drifted(0.1))
    assert alarms <= stats.binom.interval(0.999, runs, 0.1)[1]


def test_each_check_finds_the_drift_that_it_is_for() -> None:
    generator = np.random.default_rng(0)
    old, new = draw_texts(generator, 120, 5), draw_texts(generator, 80, 8)
    longer = measure(pool := pool_of(old, new), pool, two_classes(), SETTINGS)
    assert longer.adjusted[LENGTH] == pytest.approx(0.05)
    assert longer.length.new > longer.length.reference
    assert longer.length.longer.area > 0.7
    old = [f"great {text}" for text in draw_texts(generator, 100)]
    new = [f"bad.. {text}" for text in draw_texts(generator, 60)]
    other = measure(pool := pool_of(old, new), pool, two_classes(), SETTINGS)
    assert set(other.drifted(0.1)) == {CLASSIFIER, WORDS, CLASSES}
    assert other.classes is not None
    assert {name: (each.reference, each.new) for name, each in other.classes.items()} == {
        "no": (0, 1),
        "yes": (1, 0),
    }
    assert other.words[0].word in {"bad", "great"}


def test_the_shares_of_labels_need_not_sum_to_1() -> None:
    generator = np.random.default_rng(0)
    old, new = draw_texts(generator, 60), draw_texts(generator, 60)
    old = [
        f"{'bad food' if place < 30 else 'great food, great'} {text}"
        for place, text in enumerate(old)
    ]
    pool = pool_of(old, [f"bad food {text}" for text in new])
    result = measure(pool, pool, several_labels(), SETTINGS)
    assert result.classes is not None
    assert {name: (each.reference, each.new) for name, each in result.classes.items()} == {
        "bad": (0.5, 1),
        "food": (1, 1),
        "good, great": (0.5, 0),
    }
    assert list(result.probabilities or {}) == ["bad", "food", "good, great"]
    assert CLASSES in result.drifted(0.1)


def test_equal_lengths_count_half_and_share_their_rank() -> None:
    old, new = ["a", "bb", "cc", "ddd", "both"], ["ee", "fff", "ggg", "hhhh", "both"]
    pool = pool_of(old, new, seed=1)
    result = measure(pool, None, two_classes(), replace(SETTINGS, permutations=999)).length
    pairs = [(len(one), len(other)) for one in new for other in old]
    assert (
        result.longer.area == sum((one > other) + (one == other) / 2 for one, other in pairs) / 25
    )
    assert (result.reference, result.new) == (2, 3)
    ranks = dict(
        zip(pool.texts, stats.rankdata([len(text) for text in pool.texts]).tolist(), strict=True)
    )
    sums = [sum(ranks[text] for text in side) for side in combinations([*old[:4], *new[:4]], 4)]
    observed, mean = sum(ranks[text] for text in new[:4]), np.mean(sums)
    expected = np.mean([abs(each - mean) >= abs(observed - mean) - 1e-9 for each in sums])
    assert result.longer.p == pytest.approx(expected, abs=0.06)


def test_unknown_words_are_found_in_the_rows_that_the_model_has_not_seen() -> None:
    generator = np.random.default_rng(1)
    pool = pool_of(draw_texts(generator, 40), draw_texts(generator, 40))
    old = [f"great food {text}" for text in draw_texts(generator, 60)]
    seen = pool_of(old, draw_texts(generator, 60))
    result = measure(pool, seen, two_classes(), SETTINGS)
    assert result.unknown is not None
    assert result.unknown.reference == pytest.approx(6 / 8)
    assert result.unknown.new == 1
    assert UNKNOWN in result.drifted(0.1)
    assert WORDS not in result.drifted(0.1)


def test_p_values_are_corrected_by_holm() -> None:
    generator = np.random.default_rng(3)
    pool = pool_of(draw_texts(generator, 30), draw_texts(generator, 30, 7))
    result = measure(pool, pool, two_classes(), SETTINGS)
    assert list(result.adjusted.values()) == holm(np.array(list(result.p.values()))).tolist()
    assert result.correct(WORDS, result.p[WORDS]) == pytest.approx(result.adjusted[WORDS])


def test_a_model_that_ignores_the_text_predicts_no_drift() -> None:
    generator = np.random.default_rng(4)
    pool = pool_of(
        draw_texts(generator, 30), [text.replace("u", "o") for text in draw_texts(generator, 30)]
    )
    result = measure(pool, pool, shares(), SETTINGS)
    assert result.p[CLASSES] == 1
    assert CLASSIFIER in result.drifted(0.1)


# Shares, against statsmodels


@pytest.mark.parametrize(
    ("old", "new"), [((56, 70), (48, 80)), ((9, 10), (3, 10)), ((0, 10), (0, 20)), ((5, 5), (0, 7))]
)
def test_the_interval_of_a_difference_equals_that_of_statsmodels(
    old: tuple[int, int], new: tuple[int, int]
) -> None:
    interval = reference("stats.proportion").confint_proportions_2indep
    shares = compare(old, new, 0.5)
    assert tuple(shares.interval) == pytest.approx(
        interval(*new, *old, compare="diff", method="newcomb"), abs=1e-9
    )
    assert shares.difference == pytest.approx(new[0] / new[1] - old[0] / old[1])


@pytest.mark.parametrize(
    ("parts", "wholes", "share", "trials"),
    [
        (
            [10, 0, 10, 0],
            [10, 10, 10, 10],
            0.5,
            4,
        ),  # all words of a text are alike, so that each is worth one
        ([2, 1], [4, 2], 0.5, 2),  # no difference between texts
        ([3, 1], [4, 4], 0.5, 8),  # so little that each word is worth itself, and not more
        ([0, 0], [3, 4], 0, 2),
        ([3, 4], [3, 4], 1, 2),
        ([0, 0, 0], [0, 0, 0], 0, 3),
        ([], [], 0, 1),
    ],
)
def test_words_of_one_text_are_worth_less(
    parts: list[float], wholes: list[float], share: float, trials: float
) -> None:
    result = effective(np.array(parts, float), np.array(wholes, float))
    assert result == pytest.approx((share * trials, trials))


def test_the_smallest_difference_has_the_power_that_statsmodels_gives_it() -> None:
    power = reference("stats.proportion").power_proportions_2indep
    difference = smallest_difference(400, 300, 0.05)
    result = power(difference, 0.5 - difference / 2, 300, ratio=400 / 300, alpha=0.05)
    assert result.power == pytest.approx(0.8, abs=0.01)
