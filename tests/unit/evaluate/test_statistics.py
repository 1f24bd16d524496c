"""Statistics against scikit-learn, scipy and statsmodels, published examples, and what must hold of any data."""

import math
import tracemalloc
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics as sk

from textclf.core.errors import UserError
from textclf.evaluate import statistics

Arrays = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]

PROPERTY = settings(deadline=None, max_examples=50)  # a deadline would be an assertion of wall time
SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.floats(0, 1)


def reference(name: str) -> Any:
    """A module of statsmodels, which checks textclf and is no part of it."""
    return pytest.importorskip(f"statsmodels.{name}")


def sample(seed: int, rows: int = 60, classes: int = 2, digits: int = 2) -> Arrays:
    """Actual classes, each of them present; probabilities with ties; and the most probable classes."""
    generator = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), generator.integers(0, classes, rows - classes)])
    raw = np.round(generator.dirichlet(np.ones(classes), rows) + 0.5 * np.eye(classes)[y], digits) + 1e-3
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    return y, probabilities, probabilities.argmax(axis=1)


def by_scikit_learn(
    y: NDArray[np.int64], probabilities: NDArray[np.float64], decided: NDArray[np.int64], weights: NDArray[np.float64]
) -> dict[str, Any]:
    classes = probabilities.shape[1]
    labels = np.arange(classes)
    average: dict[str, Any] = {"average": "binary", "pos_label": 1} if classes == 2 else {"average": "macro"}
    scores = probabilities[:, 1] if classes == 2 else probabilities
    options = {"labels": labels, "sample_weight": weights, "zero_division": 0}
    precision, recall, f1, _ = sk.precision_recall_fscore_support(y, decided, **options, **average)
    of_classes = sk.precision_recall_fscore_support(y, decided, **options, average=None)[:3]
    return {
        **dict(zip(("class_precision", "class_recall", "class_f1"), of_classes, strict=True)),
        "class_roc_auc": [sk.roc_auc_score(y == c, probabilities[:, c], sample_weight=weights) for c in labels],
        "accuracy": sk.accuracy_score(y, decided, sample_weight=weights),
        "balanced_accuracy": sk.balanced_accuracy_score(y, decided, sample_weight=weights),
        "brier": sk.brier_score_loss(y, probabilities, labels=labels, sample_weight=weights),
        "f1": f1,
        "log_loss": sk.log_loss(y, probabilities, labels=labels, sample_weight=weights),
        "mcc": sk.matthews_corrcoef(y, decided, sample_weight=weights),
        "precision": precision,
        "recall": recall,
        "roc_auc": sk.roc_auc_score(y, scores, multi_class="ovr", labels=labels, sample_weight=weights),
    }


# Intervals


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe (1998), Table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_examples(successes: int, n: int, low: float, high: float) -> None:
    interval = statistics.wilson(successes, n)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@PROPERTY
@given(st.integers(1, 5000), SHARES, st.floats(0.5, 0.999))
def test_wilson_contains_the_share_and_equals_its_formula(n: int, share: float, confidence: float) -> None:
    successes = round(share * n)
    low, high = statistics.wilson(successes, n, confidence)
    assert low <= successes / n + 1e-12
    assert high >= successes / n - 1e-12
    z, p = stats.norm.ppf((1 + confidence) / 2), successes / n
    middle, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert low == pytest.approx((middle - half) / (1 + z**2 / n), abs=1e-12)
    assert high == pytest.approx((middle + half) / (1 + z**2 / n), abs=1e-12)


@PROPERTY
@given(st.integers(1, 10**6), SHARES, st.floats(0.01, 0.999))
def test_wilson_equals_scipy(n: int, share: float, confidence: float) -> None:
    successes = round(share * n)
    expected = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    found = statistics.wilson(successes, n, confidence)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-14)
    assert (found.low == 0, found.high == 1) == (successes == 0, successes == n)


def test_wilson_equals_statsmodels() -> None:
    proportion_confint = reference("stats.proportion").proportion_confint
    for successes, n in ((199, 250), (0, 7), (7, 7), (1, 1000)):
        assert statistics.wilson(successes, n) == pytest.approx(
            proportion_confint(successes, n, method="wilson"), abs=1e-12
        )


@PROPERTY
@given(SEEDS, st.integers(1, 40), st.integers(1, 4))
def test_resamples_keep_the_size_of_every_class(seed: int, rows: int, classes: int) -> None:
    y = np.random.default_rng(seed).integers(0, classes, rows)
    counts = np.concatenate(list(statistics.resamples(y, seed, 20)))
    assert counts.shape == (20, rows)
    for name in range(classes):
        assert (counts[:, y == name].sum(axis=1) == (y == name).sum()).all()


def test_resamples_that_are_not_stratified_draw_from_all_rows() -> None:
    y = np.repeat([0, 1], [10, 30])
    counts = np.concatenate(list(statistics.resamples(y, 3, 5000, stratified=False)))
    positives = counts[:, y == 1].sum(axis=1)
    assert (counts.sum(axis=1) == 40).all()
    assert positives.mean() == pytest.approx(30, abs=0.2)
    assert positives.var() == pytest.approx(40 * 0.75 * 0.25, rel=0.1)


def test_resamples_without_a_class_count_where_the_metric_is_defined() -> None:
    y, probabilities = np.array([0, 0, 0, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]])
    decided = probabilities.argmax(axis=1)
    draws = statistics.bootstrap(y, {"a": (probabilities, decided)}, 1, 500, stratified=False)["a"]
    lacking = np.isnan(draws["roc_auc"])
    assert 0 < lacking.sum() < 500
    assert {name for name, values in draws.items() if np.isnan(values).any()} == {"roc_auc", "class_roc_auc"}
    expected = np.quantile(draws["roc_auc"][~lacking], [0.025, 0.975])
    assert statistics.percentile(draws["roc_auc"]) == pytest.approx(expected)
    weights = np.array([[1.0, 2.0, 1.0, 0.0]])
    assert statistics.weighted_metrics(y, probabilities, decided, weights)["balanced_accuracy"][0] == 0.75


def test_resamples_do_not_depend_on_where_chunks_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    y = sample(1)[0]
    whole = list(statistics.resamples(y, 7, 50))
    monkeypatch.setattr(statistics, "CELLS", 7 * len(y))
    cut = list(statistics.resamples(y, 7, 50))
    assert (len(whole), len(cut)) == (1, 8)
    np.testing.assert_array_equal(np.concatenate(whole), np.concatenate(cut))


def test_resamples_are_multinomial_within_a_class() -> None:
    y = np.repeat([0, 1], [10, 30])
    counts = np.concatenate(list(statistics.resamples(y, 3, 20_000)))[:, y == 1]
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.04)
    covariance = np.cov(counts.T)
    np.testing.assert_allclose(np.diag(covariance), 29 / 30, atol=0.06)
    np.testing.assert_allclose(covariance[~np.eye(30, dtype=bool)], -1 / 30, atol=0.04)


def test_resamples_of_a_seed_stay_what_they_are() -> None:
    first = next(statistics.resamples(np.array([0, 1, 0, 1, 1]), 20, 2))
    assert first.dtype == np.int32
    assert first.tolist() == [[2, 1, 0, 2, 0], [2, 0, 0, 1, 2]]


def test_memory_stays_bounded_as_resamples_grow() -> None:
    y, probabilities, decided = sample(1, rows=1000)
    tracemalloc.start()
    statistics.bootstrap(y, {"a": (probabilities, decided)}, 1, 4000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64e6


@PROPERTY
@given(SEEDS, st.integers(2, 6), st.booleans(), st.booleans())
def test_weighted_metrics_equal_scikit_learn(seed: int, classes: int, whole: bool, never: bool) -> None:
    y, probabilities, decided = sample(seed, classes=classes)
    if never:  # is the last class predicted
        decided = probabilities[:, :-1].argmax(axis=1)
        whole = True  # as in a bootstrap; with decimals an mcc of 0 is so to 8 digits
    generator = np.random.default_rng(seed)
    weights = generator.integers(1, 4, len(y)).astype(float) if whole else generator.uniform(0.1, 3, len(y))
    found = statistics.weighted_metrics(y, probabilities, decided, weights[np.newaxis])
    expected = by_scikit_learn(y, probabilities, decided, weights)
    assert {*found} == {*expected, "ece"}
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, abs=1e-12), name


@settings(PROPERTY, max_examples=20)
@given(SEEDS, st.integers(3, 6), st.data())
def test_metrics_of_rows_without_a_class_equal_scikit_learn(seed: int, classes: int, data: st.DataObject) -> None:
    y, probabilities, decided = sample(seed, classes=classes)
    lacking = data.draw(st.integers(0, classes - 1))
    there = y != lacking
    y, probabilities, decided = y[there], probabilities[there], decided[there]
    found = statistics.weighted_metrics(y, probabilities, decided, np.ones((1, len(y))))
    with warnings.catch_warnings():  # of scikit-learn: y_pred contains classes not in y_true; no positive samples
        warnings.simplefilter("ignore")
        expected = by_scikit_learn(y, probabilities, decided, np.ones(len(y)))
    assert np.isnan(expected.pop("roc_auc"))
    assert {*found} == {*expected, "ece"}
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, abs=1e-12, nan_ok=True), name
    assert np.isnan(found["class_roc_auc"][0]).nonzero()[0].tolist() == [lacking]


def test_a_resample_without_a_class_counts_the_others() -> None:
    y, probabilities, decided = sample(2, rows=12, classes=4)
    weights = np.ones((3, 12))
    weights[0, y == 3] = 0
    weights[1, y >= 2] = 0
    weights[2, y >= 1] = 0
    found = statistics.weighted_metrics(y, probabilities, decided, weights)
    for place, classes in enumerate((3, 2)):
        for macro, of_class in (("roc_auc", "class_roc_auc"), ("balanced_accuracy", "class_recall")):
            assert found[macro][place] == pytest.approx(found[of_class][place, :classes].mean(), abs=1e-12)
    assert np.isfinite(found["class_roc_auc"]).sum(axis=1).tolist() == [3, 2, 0]
    assert np.isnan(found["roc_auc"]).tolist() == [False, False, True]


def test_many_rare_classes_have_intervals() -> None:
    # A resample of 40 classes with a row each has them all with a probability of 40! / 40^40.
    y, probabilities, decided = sample(3, rows=40, classes=40)
    draws = statistics.bootstrap(y, {"a": (probabilities, decided)}, 1, 200, stratified=False)["a"]
    for name, values in draws.items():
        if values.ndim == 1:
            low, high = statistics.percentile(values)
            assert low <= high, name


@PROPERTY
@given(SEEDS, st.integers(2, 4))
def test_weighted_metrics_of_resamples_are_those_of_the_drawn_rows(seed: int, classes: int) -> None:
    y, probabilities, decided = sample(seed, rows=25, classes=classes)
    counts = next(statistics.resamples(y, seed, 3))
    found = statistics.weighted_metrics(y, probabilities, decided, counts.astype(float))
    for position, count in enumerate(counts):
        drawn = np.repeat(np.arange(len(y)), count)
        alone = statistics.weighted_metrics(y[drawn], probabilities[drawn], decided[drawn], np.ones((1, len(y))))
        for name, values in found.items():
            assert values[position] == pytest.approx(alone[name][0], abs=1e-12), name


def test_metrics_that_compare_classes_are_left_out_where_there_is_one() -> None:
    y, probabilities, decided = sample(1)
    ones = np.ones((1, len(y)))
    assert {"balanced_accuracy", "mcc", "roc_auc"}.isdisjoint(
        statistics.weighted_metrics(np.zeros_like(y), probabilities, decided, ones)
    )
    y, probabilities, decided = sample(1, classes=3)
    found = statistics.weighted_metrics(np.where(y == 2, 1, y), probabilities, decided, ones)
    assert {"balanced_accuracy", "mcc"} <= {*found}
    assert "roc_auc" not in found


def test_a_model_that_always_says_one_class_has_zeros_and_no_warning() -> None:
    y = sample(1)[0]
    probabilities = np.tile([0.6, 0.4], (len(y), 1))
    found = statistics.weighted_metrics(y, probabilities, np.zeros_like(y), np.ones((1, len(y))))
    assert [found[name][0] for name in ("precision", "recall", "f1", "mcc")] == [0, 0, 0, 0]
    assert [found[name][0] for name in ("balanced_accuracy", "roc_auc")] == [0.5, 0.5]


def test_probabilities_of_0_cost_what_scikit_learn_says() -> None:
    y, probabilities = np.array([0, 1, 1]), np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    found = statistics.weighted_metrics(y, probabilities, probabilities.argmax(axis=1), np.ones((1, 3)))
    assert found["log_loss"][0] == pytest.approx(sk.log_loss(y, probabilities), abs=1e-12)


@PROPERTY
@given(SEEDS, st.integers(2, 4))
def test_intervals_of_means_contain_the_estimate(seed: int, classes: int) -> None:
    y, probabilities, decided = sample(seed, classes=classes)
    estimates = statistics.weighted_metrics(y, probabilities, decided, np.ones((1, len(y))))
    draws = statistics.bootstrap(y, {"a": (probabilities, decided)}, seed, 400)["a"]
    assert {*draws} == {*estimates}
    for name in ("accuracy", "log_loss", "brier", "balanced_accuracy"):
        low, high = statistics.percentile(draws[name])
        assert low - 1e-12 <= estimates[name][0] <= high + 1e-12, name


def test_bootstrap_is_the_same_again_and_pairs_the_models() -> None:
    y, probabilities, decided = sample(4)
    other = probabilities[::-1].argmax(axis=1)
    models = {"a": (probabilities, decided), "b": (probabilities[::-1], other)}
    draws = statistics.bootstrap(y, models, 5, 300)
    again = statistics.bootstrap(y, models, 5, 300)
    assert all((draws[name][metric] == again[name][metric]).all() for name in models for metric in draws[name])
    difference = statistics.accuracy_difference(y, decided == y, other == y, 5, 300)
    low, high = statistics.percentile(draws["a"]["accuracy"] - draws["b"]["accuracy"])
    assert (difference.low, difference.high) == pytest.approx((low, high), abs=1e-12)


def test_the_interval_of_a_mean_has_the_width_that_theory_gives() -> None:
    y, probabilities, decided = sample(8, rows=2000)
    draws = statistics.bootstrap(y, {"a": (probabilities, decided)}, 8, 2000)["a"]["log_loss"]
    losses = -np.log(probabilities[np.arange(len(y)), y])
    variance = sum((y == name).sum() * losses[y == name].var() for name in (0, 1)) / len(y) ** 2
    assert draws.std() == pytest.approx(math.sqrt(variance), rel=0.05)
    low, high = statistics.percentile(draws)
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(variance), rel=0.08)


# Comparison of models


def test_mcnemar_gives_the_published_example() -> None:
    # Airway hyper-responsiveness of 21 children: Fagerland, Lydersen & Laake (2013), Table 1; 2 (1 + 8) / 2^8
    a = np.repeat([True, True, False, False], [1, 1, 7, 12])
    b = np.repeat([True, False, True, False], [1, 1, 7, 12])
    found = statistics.mcnemar(a, b)
    assert (found.only_a, found.only_b) == (1, 7)
    assert found.p == pytest.approx(18 / 256, abs=1e-12)


def test_mcnemar_equals_statsmodels() -> None:
    mcnemar = reference("stats.contingency_tables").mcnemar
    # The first: approval ratings, Agresti (1990), p. 350, whose test is the asymptotic one
    for both, only_a, only_b, none in ((794, 150, 86, 570), (10, 3, 3, 1), (5, 0, 4, 5), (0, 1, 0, 0)):
        counts = [both, only_a, only_b, none]
        found = statistics.mcnemar(
            np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)
        )
        expected = mcnemar([[both, only_a], [only_b, none]], exact=True).pvalue
        assert (found.only_a, found.only_b) == (only_a, only_b)
        assert found.p == pytest.approx(expected, rel=1e-9)


@PROPERTY
@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemar_equals_scipy(only_a: int, only_b: int) -> None:
    right_a, right_b = np.repeat([True, False], [only_a, only_b]), np.repeat([False, True], [only_a, only_b])
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert statistics.mcnemar(right_a, right_b).p == pytest.approx(expected, rel=1e-12, abs=1e-300)


@PROPERTY
@given(SEEDS, st.integers(1, 50))
def test_mcnemar_is_symmetric(seed: int, rows: int) -> None:
    a, b = np.random.default_rng(seed).integers(0, 2, (2, rows)).astype(bool)
    one, other = statistics.mcnemar(a, b), statistics.mcnemar(b, a)
    assert (one.only_a, one.only_b) == (other.only_b, other.only_a)
    assert one.p == pytest.approx(other.p, rel=1e-12)
    assert 0 < one.p <= 1
    assert statistics.mcnemar(a, a) == statistics.McNemar(0, 0, 1.0)


@PROPERTY
@given(SEEDS, st.integers(1, 50))
def test_accuracy_difference_contains_the_estimate_and_changes_sign_with_the_order(seed: int, rows: int) -> None:
    y, a, b = np.random.default_rng(seed).integers(0, 2, (3, rows))
    one = statistics.accuracy_difference(y, a == 1, b == 1, 1, 200)
    other = statistics.accuracy_difference(y, b == 1, a == 1, 1, 200)
    assert one.difference == pytest.approx(a.mean() - b.mean(), abs=1e-12)
    assert one.low <= one.difference + 1e-12
    assert one.high >= one.difference - 1e-12
    assert (one.difference, one.low, one.high) == pytest.approx((-other.difference, -other.high, -other.low), abs=1e-12)


def test_holm_gives_the_textbook_example() -> None:
    found = statistics.holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(found, [0.03, 0.06, 0.06, 0.02], atol=1e-12)


@PROPERTY
@given(st.lists(SHARES, max_size=12))
def test_holm_is_monotone_and_above_the_raw_p_values(p_values: list[float]) -> None:
    raw = np.array(p_values)
    found = statistics.holm(raw)
    assert (np.diff(found[np.argsort(raw, kind="stable")]) >= 0).all()
    assert (found >= raw).all()
    assert (found <= np.minimum(raw * len(raw), 1)).all()


def test_holm_equals_statsmodels() -> None:
    multipletests = reference("stats.multitest").multipletests
    generator = np.random.default_rng(2)
    for size in (1, 2, 3, 10, 100):
        raw = np.round(generator.uniform(0, 0.2, size), 2)
        np.testing.assert_allclose(statistics.holm(raw), multipletests(raw, method="holm")[1], atol=1e-12)


def test_smallest_difference_needs_the_rows_of_connors_formula() -> None:
    # 0.45 and 0.05 need 23 rows: R code of powerandsamplesize.com, McNemar Z-test, after Connor (1987), p. 209
    enough, short = (statistics.smallest_difference(n, 0.5) for n in (23, 22))
    assert enough is not None
    assert short is not None
    assert enough < 0.45 - 0.05 < short


@PROPERTY
@given(st.integers(2, 100_000), st.floats(0.001, 1), st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_smallest_difference_solves_the_formula(n: int, share: float, confidence: float, power: float) -> None:
    found = statistics.smallest_difference(n, share, confidence, power)
    z_confidence, z_power = float(stats.norm.ppf((1 + confidence) / 2)), float(stats.norm.ppf(power))
    # The larger root of the quadratic equation that the formula is without its roots
    a, b, c = n + z_power**2, z_confidence * math.sqrt(n * share), share * (z_confidence**2 - z_power**2)
    root = (b + math.sqrt(max(b**2 - a * c, 0))) / a
    if found is None:
        # The root of a difference near 0 has half of its digits; of too few rows it solves the squared formula alone.
        assert root > share - 1e-7 or n < z_confidence**2
    else:
        assert found == pytest.approx(root, abs=1e-7)
        assert found <= share


def test_no_difference_is_large_enough_where_models_hardly_disagree() -> None:
    assert statistics.smallest_difference(250, 0) is None
    assert statistics.smallest_difference(250, 0.01) is None


@pytest.mark.parametrize(("n", "share"), [(250, 0.15), (1000, 0.1), (5000, 0.3)])
def test_smallest_difference_is_shown_with_the_power_asked_for(n: int, share: float) -> None:
    difference = statistics.smallest_difference(n, share)
    assert difference is not None
    generator = np.random.default_rng(1)
    discordant = generator.binomial(n, share, 20_000)
    only_a = generator.binomial(discordant, (share + difference) / (2 * share))
    only_b = discordant - only_a
    asymptotic = np.mean((only_a - only_b) ** 2 > stats.norm.ppf(0.975) ** 2 * discordant)
    exact = np.mean(2 * stats.binom.cdf(np.minimum(only_a, only_b), discordant, 0.5) < 0.05)
    assert asymptotic == pytest.approx(0.8, abs=0.015)
    assert 0.74 < exact < asymptotic


@PROPERTY
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30), st.floats(0, 2))
def test_corrected_t_is_a_t_test_with_a_larger_variance(values: list[float], ratio: float) -> None:
    differences = np.round(values, 3)
    found = statistics.corrected_t(differences, ratio)
    assert found.low <= found.mean <= found.high
    if np.ptp(differences) > 0:
        plain = stats.ttest_1samp(differences, 0)
        shrunk = float(plain.statistic) / math.sqrt(1 + len(differences) * ratio)
        assert found.t == pytest.approx(shrunk, rel=1e-9, abs=1e-12)
        assert found.p == pytest.approx(2 * stats.t.sf(abs(shrunk), len(differences) - 1), rel=1e-9)
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


def test_corrected_t_without_correction_equals_scipy() -> None:
    differences = np.random.default_rng(3).normal(0.01, 0.02, 10)
    found, expected = statistics.corrected_t(differences, 0), stats.ttest_1samp(differences, 0)
    interval = expected.confidence_interval()
    assert (found.t, found.p) == pytest.approx((expected.statistic, expected.pvalue), abs=1e-12)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert found.sd == pytest.approx(differences.std(ddof=1))


def test_corrected_t_of_equal_differences() -> None:
    assert statistics.corrected_t(np.zeros(5), 0.1) == statistics.CorrectedT(0, 0, 0, 1, 0, 0)
    equal = statistics.corrected_t(np.full(3, -0.1), 0.1)
    assert equal == statistics.CorrectedT(-0.1, 0, -math.inf, 0, -0.1, -0.1)
    with pytest.raises(ValueError, match="must have two differences or more; got 1"):
        statistics.corrected_t(np.array([0.1]), 0.1)


# Calibration


@PROPERTY
@given(SEEDS, st.integers(2, 5))
def test_brier_and_calibration_error_agree_with_the_weighted_metrics(seed: int, classes: int) -> None:
    y, probabilities, decided = sample(seed, classes=classes)
    found = statistics.weighted_metrics(y, probabilities, decided, np.ones((1, len(y))))
    assert statistics.brier(y, probabilities) == pytest.approx(found["brier"][0], abs=1e-12)
    assert statistics.calibration_error(y, probabilities) == pytest.approx(found["ece"][0], abs=1e-12)


@PROPERTY
@given(SEEDS, st.integers(2, 5), st.integers(1, 20))
def test_reliability_holds_every_row_and_gives_the_calibration_error(seed: int, classes: int, bins: int) -> None:
    y, probabilities, _ = sample(seed, classes=classes)
    table = statistics.reliability(y, probabilities, bins)
    assert sum(row.rows for row in table) == len(y)
    for row in table:
        assert row.low - 1e-12 <= row.confidence <= row.high + 1e-12
        assert row.accuracy_low - 1e-12 <= row.accuracy <= row.accuracy_high + 1e-12
    error = sum(row.rows * abs(row.accuracy - row.confidence) for row in table) / len(y)
    assert statistics.calibration_error(y, probabilities, bins) == pytest.approx(error, abs=1e-12)
    weights = np.random.default_rng(seed).integers(1, 4, (1, len(y)))
    weighted = statistics.weighted_metrics(y, probabilities, y, weights.astype(float))["ece"][0]
    repeated = statistics.calibration_error(np.repeat(y, weights[0]), np.repeat(probabilities, weights[0], axis=0))
    assert weighted == pytest.approx(repeated, abs=1e-12)


def test_bins_are_open_below() -> None:
    probabilities = np.array([[0.7, 0.3], [0.2, 0.8], [0.0, 1.0], [0.29, 0.71]])
    table = statistics.reliability(np.array([0, 1, 0, 1]), probabilities)
    assert [(row.low, row.high, row.rows) for row in table] == [(0.6, 0.7, 1), (0.7, 0.8, 2), (0.9, 1.0, 1)]
    assert table[1].confidence == pytest.approx(0.755)
    assert (table[1].accuracy, table[1].accuracy_low, table[1].accuracy_high) == (1, *statistics.wilson(2, 2))
    assert statistics.calibration_error(np.array([0, 1, 0, 1]), probabilities) == pytest.approx(
        (0.3 + 2 * 0.245 + 1) / 4
    )


@PROPERTY
@given(SEEDS, st.integers(2, 5))
def test_temperature_1_and_the_identity_line_change_nothing(seed: int, classes: int) -> None:
    _, probabilities, _ = sample(seed, classes=classes)
    np.testing.assert_allclose(statistics.Temperature(1.0).apply(probabilities), probabilities, atol=1e-12)
    np.testing.assert_allclose(statistics.Platt(1.0, 0.0).apply(sample(seed)[1]), sample(seed)[1], atol=1e-12)


@PROPERTY
@given(SEEDS, st.integers(2, 5))
def test_temperature_lowers_the_log_loss_and_keeps_the_decisions(seed: int, classes: int) -> None:
    y, probabilities, decided = sample(seed, classes=classes, digits=3)
    calibrated = statistics.fit_temperature(y, probabilities).apply(probabilities)
    assert sk.log_loss(y, calibrated) <= sk.log_loss(y, probabilities) + 1e-12
    np.testing.assert_allclose(calibrated.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(
        calibrated[np.arange(len(y)), decided], calibrated.max(axis=1), atol=1e-12
    )  # ties may be parted by rounding


def test_temperature_is_recovered_and_equals_a_logistic_regression_without_intercept() -> None:
    generator = np.random.default_rng(6)
    odds = generator.normal(0, 2, 20_000)
    y = (generator.uniform(size=len(odds)) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    overconfident = statistics.Platt(3.0, 0.0).apply(statistics.Platt(1.0, 0.0).apply(_probabilities(odds)))
    found = statistics.fit_temperature(y, overconfident).temperature
    assert found == pytest.approx(3, rel=0.05)
    expected = reference("api").GLM(y, 3 * odds, family=reference("api").families.Binomial()).fit(tol=1e-14)
    assert 1 / found == pytest.approx(expected.params[0], rel=1e-6)


def test_platt_equals_a_logistic_regression_on_his_targets() -> None:
    api = reference("api")
    generator = np.random.default_rng(7)
    for rows in (12, 200, 5000):
        y = np.concatenate([[0, 1], generator.integers(0, 2, rows - 2)])
        odds = generator.normal(2 * y - 1, 2) * 2
        positives = y.sum()
        target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (rows - positives + 2))
        expected = api.GLM(target, np.column_stack([odds, np.ones(rows)]), family=api.families.Binomial())
        found = statistics.fit_platt(y, _probabilities(odds))
        assert (found.slope, found.intercept) == pytest.approx(expected.fit(tol=1e-14).params, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("y", [[0, 1, 1, 0, 1], [1, 1, 1, 1, 1]])
def test_calibration_stays_finite_where_classes_are_parted_or_nothing_is_told_apart(y: list[int]) -> None:
    actual = np.array(y)
    for probabilities in (np.eye(2)[actual], np.eye(2)[1 - actual], np.full((5, 2), 0.5)):
        for model in (statistics.fit_temperature(actual, probabilities), statistics.fit_platt(actual, probabilities)):
            calibrated = model.apply(probabilities)
            assert np.isfinite(calibrated).all()
            np.testing.assert_allclose(calibrated.sum(axis=1), 1, atol=1e-12)


def test_constant_probabilities_are_mapped_to_the_share_of_the_targets() -> None:
    y = np.array([1, 1, 1, 0])
    constant = np.tile([0.4, 0.6], (4, 1))
    assert statistics.fit_temperature(y, np.full((4, 2), 0.5)) == statistics.Temperature(1.0)
    found = statistics.fit_platt(y, constant)
    assert found.slope > 0
    np.testing.assert_allclose(found.apply(constant)[:, 1], (3 * 4 / 5 + 1 / 3) / 4, atol=1e-8)


def _probabilities(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    positive = 1 / (1 + np.exp(-odds))
    return np.column_stack([1 - positive, positive])


# Thresholds

SCORES = SHARES | st.integers(0, 20).map(lambda k: (300_000 + k) / 1e6) | st.integers(0, 10).map(lambda k: k / 10)
ROWS = st.lists(st.tuples(st.integers(0, 1), SCORES), min_size=1, max_size=30)


def _columns(rows: list[tuple[int, float]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def _decisions(scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Every partition of the rows by a threshold of 6 digits from 0 to 1 (thresholds, rows)."""
    steps = np.rint(scores * 1e6)
    thresholds = np.clip(np.concatenate([[0], steps, steps + 1]), 0, 1e6) / 1e6
    decisions: NDArray[np.bool_] = scores > thresholds[:, np.newaxis]
    return decisions


def _f1(y: NDArray[np.int64], said: NDArray[np.bool_]) -> Any:
    return 2 * (y * said).sum(axis=-1) / np.maximum(y.sum() + said.sum(axis=-1), 1)


def _accuracy(y: NDArray[np.int64], said: NDArray[np.bool_]) -> Any:
    return (y == said).mean(axis=-1)


@PROPERTY
@given(ROWS)
def test_no_threshold_has_more_accuracy_or_f1_than_the_chosen(rows: list[tuple[int, float]]) -> None:
    y, scores = _columns(rows)
    accuracy, f1 = statistics.choose_threshold(y, scores, "accuracy"), statistics.choose_threshold(y, scores, "f1")
    assert (accuracy, f1) == (round(accuracy, 6), round(f1, 6))
    assert _accuracy(y, scores > accuracy) >= _accuracy(y, _decisions(scores)).max() - 1e-12
    assert _f1(y, scores > f1) >= _f1(y, _decisions(scores)).max() - 1e-12


@PROPERTY
@given(ROWS, st.floats(0.01, 1))
def test_the_threshold_for_a_precision_reaches_it_with_the_largest_recall(
    rows: list[tuple[int, float]], target: float
) -> None:
    y, scores = _columns(rows)
    reached = [(y * said).sum() for said in _decisions(scores) if (y * said).any() and y[said].mean() >= target]
    if not reached:
        with pytest.raises(UserError, match=r"^the target must be a precision that some threshold reaches; got "):
            statistics.choose_threshold(y, scores, "precision", target)
        return
    chosen = statistics.choose_threshold(y, scores, "precision", target)
    assert y[scores > chosen].mean() >= target
    assert (y * (scores > chosen)).sum() == max(reached)


def test_of_equal_thresholds_that_nearest_one_half_is_chosen_then_the_lower() -> None:
    y = np.array([0, 1, 0, 1])
    scores = np.array([0.3, 0.5, 0.5, 0.7])  # 0.4 and 0.6 are each right three times
    assert statistics.choose_threshold(y, scores, "accuracy") == 0.4
    assert statistics.choose_threshold(np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.7, 0.9]), "accuracy") == 0.8
    assert statistics.choose_threshold(np.array([0, 1]), np.array([0.2, 0.9]), "f1") == 0.55


def test_a_threshold_is_judged_as_it_is_rounded() -> None:
    y = np.array([0, 1, 1, 1])
    scores = np.array([0.70000031, 0.70000033, 0.70000034, 0.9])  # no threshold of 6 digits parts the first three
    assert statistics.choose_threshold(y, scores, "accuracy") == 0.7


def test_a_precision_needs_a_target_that_can_be_reached() -> None:
    y, scores = np.array([1, 0, 1, 1, 0]), np.array([0.2, 0.4, 0.6, 0.7, 0.9])
    assert statistics.choose_threshold(y, scores, "precision", 2 / 3) == 0.5
    with pytest.raises(UserError, match=r"got 0\.8, where the highest is 0\.666667"):
        statistics.choose_threshold(y, scores, "precision", 0.8)
    with pytest.raises(ValueError, match="must have a target"):
        statistics.choose_threshold(y, scores, "precision")
