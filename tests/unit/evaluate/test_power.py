"""The power of McNemar's test against enumeration, simulation and a published example."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from docs.power import rows_needed
from textclf.evaluate import power
from textclf.evaluate.comparisons import mcnemar
from textclf.evaluate.power import power_curve, smallest_difference


@given(st.integers(1, 40), st.floats(0.01, 1), st.floats(0, 1), st.sampled_from([0.1, 0.05, 0.05 / 3, 0.001]))
def test_the_power_is_that_of_all_tables(n: int, discordant: float, part: float, alpha: float) -> None:
    difference, expected = part * discordant, 0.0
    better = min((1 + difference / discordant) / 2, 1)
    for m in range(1, n + 1):
        right = np.arange(m + 1)
        rejected = np.array([mcnemar(int(a), m - int(a)).p <= alpha for a in right])
        expected += stats.binom.pmf(m, n, discordant) * stats.binom.pmf(right, m, better)[rejected].sum()
    assert power_curve(n, discordant, alpha)(difference) == pytest.approx(expected, abs=1e-9)


def test_many_rows_have_nearly_the_power_of_connors_formula() -> None:
    # Of 5, 3, 2 and 1 points by the normal approximation: Connor (1987), Biometrics 43:207-211
    for difference, rows in ((0.05, 413), (0.03, 1149), (0.02, 2588), (0.01, 10359)):
        assert rows_needed(difference, 0.132, 0.05) == pytest.approx(rows, rel=0.03)


@pytest.mark.parametrize(("n", "discordant", "alpha"), [(50, 0.4, 0.05), (250, 0.132, 0.05 / 3), (2000, 0.1, 0.05)])
def test_the_smallest_difference_is_detected_with_80_percent_power(n: int, discordant: float, alpha: float) -> None:
    difference = smallest_difference(n, discordant, alpha)
    assert difference is not None
    generator = np.random.default_rng(1)
    rows = generator.binomial(n, discordant, 40_000)
    worse = generator.binomial(rows, (1 - difference / discordant) / 2)
    found = np.mean(stats.chi2.sf((rows - 2 * worse) ** 2 / np.maximum(rows, 1), 1) <= alpha)
    assert found == pytest.approx(power.POWER, abs=0.008)  # four standard errors


def test_no_difference_is_detectable_if_models_hardly_disagree_or_rows_are_few() -> None:
    assert smallest_difference(250, 0, 0.05) is None
    assert smallest_difference(250, 0.01, 0.05) is None
    assert smallest_difference(3, 1, 0.05) is None
    assert smallest_difference(3.9, 1, 0.05) is None
    assert smallest_difference(0.9, 1, 0.05) is None
    assert smallest_difference(101, 1, 0.99) is None  # a level at which nearly everything is a difference


def test_a_difference_needs_the_fewest_rows_that_detect_it() -> None:
    for difference, discordant, alpha in ((0.05, 0.13, 0.05), (0.2, 0.3, 0.01), (0.9, 1.0, 0.05)):
        rows = rows_needed(difference, discordant, alpha)
        powers = [power_curve(n, discordant, alpha)(difference) for n in (rows - 1, rows)]
        assert powers[0] < power.POWER <= powers[1]
