"""Comparisons of models against published examples, scipy and statsmodels."""

import math
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from tests.conftest import ROOT
from tests.unit.evaluate.samples import TOP, drawn, params, reference
from textclf.evaluate.comparisons import (
    Comparison,
    CorrectedT,
    Difference,
    corrected_t,
    fisher,
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


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Return right rows of all rows, twice."""
    most = draw(st.sampled_from([1, 5, 40, 3000]))
    rows, others = draw(st.integers(0, most)), draw(st.integers(0, most))
    return draw(st.integers(0, rows)), rows, draw(st.integers(0, others)), others


@given(tables())
@example((0, 0, 0, 0))
@example((0, 7, 0, 9))  # none is right, all are
@example((7, 7, 9, 9))
@example((10, 20, 10, 20))  # the likeliest table
@example((3, 8, 5, 8))  # both tails have the same chance
@example((2, 2, 0, 3000))
@example((61_000, 66_000, 160_000, 180_000))
@example((3000, 3000, 0, 3000))  # no double is so small
def test_fisher_equals_scipy_and_is_symmetric(table: tuple[int, int, int, int]) -> None:
    right, rows, others_right, others = table
    wrong = (rows - right, rows, others - others_right, others)
    expected = stats.fisher_exact(np.array([[right, wrong[0]], [others_right, wrong[2]]])).pvalue
    for same in (table, (*table[2:], *table[:2]), wrong):
        assert fisher(*same) == pytest.approx(expected, rel=1e-9, abs=1e-300)
        assert 0 <= fisher(*same) <= 1


def test_fisher_is_exact() -> None:
    right, rows, others_right, others = table = (1914, 1944, 1562, 2266)
    ways = [comb(rows, count) * comb(others, right + others_right - count) for count in range(1210, rows + 1)]
    likely = ways[right - 1210]
    expected = Fraction(sum(each for each in ways if each <= likely), sum(ways))
    assert fisher(*table) == pytest.approx(float(expected), rel=1e-12)


def test_evaluate_and_report_load_no_part_of_scipy_that_takes_long() -> None:
    code = (
        "import sys, stages.evaluate, stages.report; from textclf.evaluate import comparisons, power;"
        "comparisons.fisher(8, 9, 5, 9); power.smallest_difference(250, 0.2, 0.05);"
        "print({'scipy.stats', 'scipy.optimize'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
    assert run.stdout == "set()\n"


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
