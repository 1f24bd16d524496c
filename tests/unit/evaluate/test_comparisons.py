"""Comparisons of models against published examples, scipy and statsmodels."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.unit.evaluate.samples import TOP, drawn, params, reference
from textclf.evaluate.comparisons import (
    Comparison,
    CorrectedT,
    Difference,
    corrected_t,
    holm,
    mcnemar,
    summarize,
)
from textclf.evaluate.intervals import tango
from textclf.evaluate.power import smallest_difference
from textclf.evaluate.split_metrics import SplitMetrics


def test_mcnemar_gives_the_published_example() -> None:
    # Airway hyper-responsiveness of 21 children: Fagerland, Lydersen & Laake (2013), Table 1; 2 (1 + 8) / 2^8
    assert mcnemar(1, 7).p == pytest.approx(18 / 256, abs=1e-12)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemar_equals_scipy_and_is_symmetric(only_a: int, only_b: int) -> None:
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    test, reverse = mcnemar(only_a, only_b), mcnemar(only_b, only_a)
    assert test.p == pytest.approx(expected, rel=1e-12, abs=1e-300)
    assert test.p == pytest.approx(reverse.p, rel=1e-12, abs=1e-300)
    assert 0 <= test.p <= 1


def test_a_difference_in_accuracy_has_the_score_interval_of_the_rows_that_clusters_are_worth() -> None:
    a, b = drawn(4, classes=2), drawn(5, classes=2)
    models = {"a": a, "b": replace(b, y=a.y)}
    right = [rows.probabilities.argmax(axis=1) == a.y for rows in models.values()]
    only = [int((one & ~other).sum()) for one, other in (right, right[::-1])]
    for clusters in (None, np.arange(90) // 3):
        part = SplitMetrics("test", models, dict.fromkeys(models, TOP), params(), False, clusters)
        found, reverse = part.comparison("a", "b"), part.comparison("b", "a")
        worth = found.rows / 90
        assert (worth == 1) == (clusters is None)
        ends = found.difference.low, found.difference.high
        assert ends == pytest.approx(tango(only[0] * worth, only[1] * worth, 90 * worth), abs=1e-12)
        assert found.difference.difference == pytest.approx((only[0] - only[1]) / 90, abs=1e-12)
        assert (reverse.difference.low, reverse.difference.high) == pytest.approx((-ends[1], -ends[0]), abs=1e-9)


def test_holm_gives_the_textbook_example() -> None:
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02], atol=1e-12)


def test_holm_equals_statsmodels() -> None:
    multipletests = reference("stats.multitest").multipletests
    generator = np.random.default_rng(2)
    for size in (1, 2, 3, 10, 100):
        raw = np.round(generator.uniform(0, 0.2, size), 2)
        np.testing.assert_allclose(holm(raw), multipletests(raw, method="holm")[1], atol=1e-12)


def test_the_smallest_difference_is_that_of_the_first_step_of_holm_and_of_whole_independent_rows() -> None:
    pair = Comparison(mcnemar(30, 20), Difference(0.04, -0.02, 0.1), rows=249.9, discordant=0.2)
    for pairs in (1, 3, 10):
        report = summarize({str(number): pair for number in range(pairs)}, 0.9)
        expected = smallest_difference(249, 0.2, 0.1 / pairs)
        for entry in report.values():
            assert entry["smallest_difference"] == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30), st.floats(0, 2))
def test_corrected_t_is_a_t_test_with_a_larger_variance(values: list[float], ratio: float) -> None:
    differences = np.round(values, 3)
    result = corrected_t(differences, ratio)
    assert result.low <= result.mean <= result.high
    if np.ptp(differences) > 0:
        plain = stats.ttest_1samp(differences, 0)
        shrunk = float(plain.statistic) / math.sqrt(1 + len(differences) * ratio)
        assert result.t == pytest.approx(shrunk, rel=1e-9, abs=1e-12)
        assert result.p == pytest.approx(2 * stats.t.sf(abs(shrunk), len(differences) - 1), rel=1e-9)
        assert result.sd == pytest.approx(differences.std(ddof=1))
        assert (result.p < 0.05) == (result.low > 0 or result.high < 0)


def test_corrected_t_of_equal_differences() -> None:
    assert corrected_t(np.zeros(5), 0.1) == CorrectedT(0, 0, 0, 1, 0, 0)
    assert corrected_t(np.full(3, -0.1), 0.1) == CorrectedT(-0.1, 0, -math.inf, 0, -0.1, -0.1)
