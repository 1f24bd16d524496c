"""Comparisons of models against published examples, scipy and statsmodels."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from docs.power import rows_needed
from tests.processes import python
from tests.unit.evaluate.samples import SHARES, TOP, drawn, known, params, reference
from textclf.evaluate import comparisons
from textclf.evaluate.comparisons import (
    Comparison,
    CorrectedT,
    corrected_t,
    holm,
    mcnemar,
    power_curve,
    smallest_difference,
    summarize,
)
from textclf.evaluate.intervals import Difference, area_score, degrees_correction, tango, wilson
from textclf.evaluate.split_metrics import SplitMetrics


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemar_equals_statsmodels_and_agrees_with_tangos_interval(
    only_a: int, only_b: int
) -> None:
    test, reverse, table = (
        mcnemar(only_a, only_b),
        mcnemar(only_b, only_a),
        [[0, only_a], [only_b, 0]],
    )
    if only_a + only_b:
        expected = (
            reference("stats.contingency_tables")
            .mcnemar(table, exact=False, correction=False)
            .pvalue
        )
        assert test.p == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert test.p == reverse.p
    for worth, degrees, confidence in ((1.0, math.inf, 0.95), (0.3, 7.5, 0.9)):
        rows = 6000 * worth * degrees_correction(degrees, 1 - confidence)
        low, high = tango(only_a / 6000 * rows, only_b / 6000 * rows, rows, confidence)
        if abs(low) > 1e-9 < abs(high):
            assert (mcnemar(only_a, only_b, worth, degrees).p < 1 - confidence) == (
                low > 0 or high < 0
            )


def test_evaluate_and_report_load_no_part_of_scipy_that_takes_long() -> None:
    code = (
        "import sys, stages.evaluate, stages.report; from textclf.evaluate import comparisons;"
        "comparisons.mcnemar(8, 9); comparisons.smallest_difference(250, 0.2, 0.05);"
        "print({'scipy.stats', 'scipy.optimize'} & {*sys.modules})"
    )
    assert python("-c", code).out == "set()\n"


def test_a_difference_in_accuracy_has_the_score_interval_of_the_rows_that_clusters_are_worth() -> (
    None
):
    a, b = drawn(4, classes=2), drawn(5, classes=2)
    models = {"a": a, "b": replace(b, y=a.y)}
    right = [rows.probabilities.argmax(axis=1) == a.y for rows in models.values()]
    only = [int((one & ~other).sum()) for one, other in (right, right[::-1])]
    for clusters in (None, np.arange(90) // 3):
        part = SplitMetrics("test", models, dict.fromkeys(models, TOP), params(), False, clusters)
        comparison, reverse = part.comparison("a", "b"), part.comparison("b", "a")
        worth = comparison.rows / 90 * degrees_correction(comparison.degrees, 0.05)
        assert (worth == 1) == (clusters is None)
        assert comparison.groups == (math.inf if clusters is None else 30)
        ends = comparison.difference.low, comparison.difference.high
        assert ends == pytest.approx(tango(only[0] * worth, only[1] * worth, 90 * worth), abs=1e-12)
        assert comparison.difference.difference == pytest.approx(
            (only[0] - only[1]) / 90, abs=1e-12
        )
        assert (reverse.difference.low, reverse.difference.high) == pytest.approx(
            (-ends[1], -ends[0]), abs=1e-9
        )


def test_holm_equals_statsmodels() -> None:
    multipletests = reference("stats.multitest").multipletests
    generator = np.random.default_rng(2)
    for size in (1, 2, 3, 10, 100):
        raw = np.round(generator.uniform(0, 0.2, size), 2)
        np.testing.assert_allclose(holm(raw), multipletests(raw, method="holm")[1], atol=1e-12)


def test_holm_and_the_smallest_difference_count_the_pairs_without_majority() -> None:
    pair = Comparison(mcnemar(30, 20), Difference(0.04, -0.02, 0.1), rows=249.9, discordant=0.2)
    for pairs in (1, 3, 10):
        compared = {("model", str(number)): pair for number in range(pairs)} | {
            ("model", "majority"): pair
        }
        report = summarize(compared, ["majority"], 0.9)
        for name, entry in report.items():
            counted = 1 if name == "model_vs_majority" else pairs
            assert entry["p_holm"] == pytest.approx(min(counted * pair.test.p, 1), rel=1e-5)
            expected = smallest_difference(249, 0.2, 0.1 / counted)
            assert entry["smallest_difference"] == pytest.approx(expected, abs=1e-6)


def test_few_groups_have_less_power_the_stricter_the_level_and_very_few_foresee_none() -> None:
    few = Comparison(
        mcnemar(60, 40), Difference(0.04, -0.02, 0.1), 500.0, 0.2, degrees=20, groups=20
    )
    for pairs in (1, 10):
        compared = {("model", str(number)): few for number in range(pairs)}
        entry = summarize(compared)["model_vs_0"]
        alpha = 0.05 / pairs
        rows = 500 * (stats.norm.ppf(alpha / 2) / stats.t.ppf(alpha / 2, 20)) ** 2
        assert entry["smallest_difference"] == pytest.approx(
            smallest_difference(rows, 0.2, alpha), abs=1e-6
        )
    entry = summarize({("a", "b"): replace(few, groups=19.9)})["a_vs_b"]
    assert "smallest_difference" not in entry


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30), st.floats(0, 2))
def test_corrected_t_is_a_t_test_with_a_larger_variance(values: list[float], ratio: float) -> None:
    differences = np.round(values, 3)
    result = corrected_t(differences, ratio)
    assert result.low <= result.mean <= result.high
    if np.ptp(differences) > 0:
        plain = stats.ttest_1samp(differences, 0)
        shrunk = float(plain.statistic) / math.sqrt(1 + len(differences) * ratio)
        assert result.t == pytest.approx(shrunk, rel=1e-9, abs=1e-12)
        assert result.p == pytest.approx(
            2 * stats.t.sf(abs(shrunk), len(differences) - 1), rel=1e-9
        )
        assert result.sd == pytest.approx(differences.std(ddof=1))
        assert (result.p < 0.05) == (result.low > 0 or result.high < 0)


def test_corrected_t_of_equal_differences() -> None:
    assert corrected_t(np.zeros(5), 0.1) == CorrectedT(0, 0, 0, 1, 0, 0)
    assert corrected_t(np.full(3, -0.1), 0.1) == CorrectedT(-0.1, 0, -math.inf, 0, -0.1, -0.1)


# The power of McNemar's test, against enumeration, simulation and a published example


@given(
    st.integers(1, 40),
    st.floats(0.01, 1),
    st.floats(0, 1),
    st.sampled_from([0.1, 0.05, 0.05 / 3, 0.001]),
)
def test_the_power_is_that_of_all_tables(
    n: int, discordant: float, part: float, alpha: float
) -> None:
    difference, expected = part * discordant, 0.0
    better = min((1 + difference / discordant) / 2, 1)
    for m in range(1, n + 1):
        right = np.arange(m + 1)
        rejected = np.array([mcnemar(int(a), m - int(a)).p <= alpha for a in right])
        expected += (
            stats.binom.pmf(m, n, discordant) * stats.binom.pmf(right, m, better)[rejected].sum()
        )
    assert power_curve(n, discordant, alpha)(difference) == pytest.approx(expected, abs=1e-9)


def test_many_rows_have_nearly_the_power_of_connors_formula() -> None:
    # Of 5, 3, 2 and 1 points by the normal approximation: Connor (1987), Biometrics 43:207-211
    for difference, rows in ((0.05, 413), (0.03, 1149), (0.02, 2588), (0.01, 10359)):
        assert rows_needed(difference, 0.132, 0.05) == pytest.approx(rows, rel=0.03)


@pytest.mark.parametrize(
    ("n", "discordant", "alpha"), [(50, 0.4, 0.05), (250, 0.132, 0.05 / 3), (2000, 0.1, 0.05)]
)
def test_the_smallest_difference_is_detected_with_80_percent_power(
    n: int, discordant: float, alpha: float
) -> None:
    difference = known(smallest_difference(n, discordant, alpha))
    generator = np.random.default_rng(1)
    rows = generator.binomial(n, discordant, 40_000)
    worse = generator.binomial(rows, (1 - difference / discordant) / 2)
    simulated = np.mean(stats.chi2.sf((rows - 2 * worse) ** 2 / np.maximum(rows, 1), 1) <= alpha)
    assert simulated == pytest.approx(comparisons.POWER, abs=0.008)  # four standard errors


def test_no_difference_is_detectable_if_models_hardly_disagree_or_rows_are_few() -> None:
    assert smallest_difference(250, 0, 0.05) is None
    assert smallest_difference(250, 0.01, 0.05) is None
    assert smallest_difference(3, 1, 0.05) is None
    assert smallest_difference(3.9, 1, 0.05) is None
    assert smallest_difference(0.9, 1, 0.05) is None
    assert (
        smallest_difference(101, 1, 0.99) is None
    )  # a level at which nearly everything is a difference


def test_a_difference_needs_the_fewest_rows_that_detect_it() -> None:
    for difference, discordant, alpha in ((0.05, 0.13, 0.05), (0.2, 0.3, 0.01), (0.9, 1.0, 0.05)):
        rows = rows_needed(difference, discordant, alpha)
        powers = [power_curve(n, discordant, alpha)(difference) for n in (rows - 1, rows)]
        assert powers[0] < comparisons.POWER <= powers[1]


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
def test_tango_gives_the_published_examples(
    only_a: int, only_b: int, n: int, low: float, high: float
) -> None:
    assert tango(only_a, only_b, n) == pytest.approx((low, high), abs=5e-4)


@given(st.integers(1, 300), st.data())
def test_tango_contains_the_difference_and_changes_sign_with_the_order(
    n: int, data: st.DataObject
) -> None:
    only_a = data.draw(st.integers(0, n))
    only_b = data.draw(st.integers(0, n - only_a))
    low, high = tango(only_a, only_b, n)
    assert -1 <= low <= (only_a - only_b) / n <= high <= 1
    assert low < high
    assert tango(only_b, only_a, n) == pytest.approx((-high, -low), abs=1e-9)


def test_tango_equals_the_score_test_at_its_ends() -> None:
    # Without rows of either kind the score test of a difference d is d^2 n / (d (1 - d)), so d =
    # z^2 / (n + z^2).
    z = stats.norm.ppf(0.975)
    assert tango(0, 0, 40) == pytest.approx((-(z**2) / (40 + z**2), z**2 / (40 + z**2)), abs=1e-9)


@pytest.mark.parametrize("sizes", [(4, 4), (15, 40), (300, 200)])
def test_the_score_interval_of_an_area_holds_the_areas_that_explain_it(
    sizes: tuple[int, int],
) -> None:
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
