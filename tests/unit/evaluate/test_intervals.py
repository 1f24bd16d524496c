"""Intervals against published examples, scipy and statsmodels."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.unit.evaluate.samples import SHARES
from textclf.evaluate.intervals import area_score, tango, wilson


@given(st.integers(1, 10**6), SHARES, st.floats(0.01, 0.999))
def test_wilson_equals_scipy(n: int, share: float, confidence: float) -> None:
    successes = round(share * n)
    expected = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    interval = wilson(successes, n, confidence)
    assert interval == pytest.approx((expected.low, expected.high), abs=1e-14)
    assert (interval.low == 0, interval.high == 1) == (successes == 0, successes == n)


@pytest.mark.parametrize(
    ("only_a", "only_b", "n", "low", "high"),
    # Fagerland, Lydersen & Laake (2014): airway hyper-responsiveness, and complete response
    [(1, 7, 21, -0.517, -0.026), (6, 16, 161, -0.124, -0.005)],
)
def test_tango_gives_the_published_examples(only_a: int, only_b: int, n: int, low: float, high: float) -> None:
    assert tango(only_a, only_b, n) == pytest.approx((low, high), abs=5e-4)


@given(st.integers(1, 300), st.data())
def test_tango_contains_the_difference_and_changes_sign_with_the_order(n: int, data: st.DataObject) -> None:
    only_a = data.draw(st.integers(0, n))
    only_b = data.draw(st.integers(0, n - only_a))
    low, high = tango(only_a, only_b, n)
    assert -1 <= low <= (only_a - only_b) / n <= high <= 1
    assert low < high
    assert tango(only_b, only_a, n) == pytest.approx((-high, -low), abs=1e-9)


def test_tango_equals_the_score_test_at_its_ends() -> None:
    # Without rows of either kind the score test of a difference d is d^2 n / (d (1 - d)), so d = z^2 / (n + z^2).
    z = stats.norm.ppf(0.975)
    assert tango(0, 0, 40) == pytest.approx((-(z**2) / (40 + z**2), z**2 / (40 + z**2)), abs=1e-9)


@pytest.mark.parametrize("sizes", [(4, 4), (15, 40), (300, 200)])
def test_the_score_interval_of_an_area_holds_the_areas_that_explain_it(sizes: tuple[int, int]) -> None:
    z, mean = stats.norm.ppf(0.975), sum(sizes) / 2 - 1
    for area in (0.0, 0.3, 0.5, 0.9, 1.0):
        low, high = area_score(area, *sizes)
        assert 0 <= low <= area <= high <= 1
        for end in (low, high):
            if 0 < end < 1:
                inner = 1 + mean * ((1 - end) / (2 - end) + end / (1 + end))
                error = math.sqrt(end * (1 - end) * inner / (sizes[0] * sizes[1]))
                assert abs(end - area) == pytest.approx(z * error, rel=1e-6)
    assert area_score(1, *sizes).low == pytest.approx(1 - area_score(0, *sizes).high)
