"""Shares and their differences against statsmodels."""

import numpy as np
import pytest

from tests.unit.evaluate.samples import reference
from textclf.drift.measure import compare, effective, smallest_difference


@pytest.mark.parametrize(
    ("old", "new"), [((56, 70), (48, 80)), ((9, 10), (3, 10)), ((0, 10), (0, 20)), ((5, 5), (0, 7))]
)
def test_the_interval_of_a_difference_equals_that_of_statsmodels(old: tuple[int, int], new: tuple[int, int]) -> None:
    interval = reference("stats.proportion").confint_proportions_2indep
    shares = compare(old, new, 0.5)
    assert tuple(shares.ends) == pytest.approx(interval(*new, *old, compare="diff", method="newcomb"), abs=1e-9)
    assert shares.difference == pytest.approx(new[0] / new[1] - old[0] / old[1])


def test_the_interval_of_a_difference_equals_the_published_example() -> None:
    shares = compare((48, 80), (56, 70), 0.5)  # Newcombe (1998), Table II (a), method 10
    assert (round(shares.ends.low, 4), round(shares.ends.high, 4)) == (0.0524, 0.3339)


def test_words_of_one_text_are_worth_one_word_if_they_are_alike() -> None:
    successes, size = effective(np.array([10.0, 0.0, 10.0, 0.0]), np.full(4, 10.0))
    assert (successes, size) == pytest.approx((2, 4))


def test_words_that_do_not_depend_on_each_other_are_worth_themselves() -> None:
    generator = np.random.default_rng(0)
    words = np.full(20_000, 10.0)
    successes, size = effective(generator.binomial(10, 0.2, 20_000).astype(np.float64), words)
    assert size == pytest.approx(200_000, rel=0.03)
    assert successes / size == pytest.approx(0.2, abs=0.005)


@pytest.mark.parametrize(("parts", "size"), [([0.0, 0.0], 2), ([3.0, 4.0], 2)])
def test_a_share_of_none_or_all_has_a_trial_per_text(parts: list[float], size: int) -> None:
    assert effective(np.array(parts), np.array([3.0, 4.0]))[1] == size


def test_texts_without_words_have_no_share() -> None:
    assert effective(np.zeros(3), np.zeros(3)) == (0.0, 3.0)


def test_the_smallest_difference_has_the_power_that_statsmodels_gives_it() -> None:
    power = reference("stats.proportion").power_proportions_2indep
    difference = smallest_difference(400, 300, 0.05)
    found = power(difference, 0.5 - difference / 2, 300, ratio=400 / 300, alpha=0.05)
    assert found.power == pytest.approx(0.8, abs=0.01)
