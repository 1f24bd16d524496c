"""Calibration against its posterior, thresholds against all possible ones, and reliability bins."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics as sk

from tests.refusal import refusal
from tests.unit.evaluate.samples import SEEDS, SHARES, sample
from textclf.artifacts.decisions import Temperature
from textclf.artifacts.temperature import fit_temperature
from textclf.core.errors import UserError
from textclf.evaluate.calibrate import (
    choose_threshold,
    fit_platt,
    reach_precision,
    reliability_table,
)
from textclf.evaluate.intervals import wilson
from textclf.evaluate.metrics.of_rows import expected_ece
from textclf.evaluate.registry import compute


@given(SEEDS, st.integers(2, 5))
def test_bins_hold_every_row_and_give_the_calibration_error(seed: int, classes: int) -> None:
    y, probabilities, _ = sample(seed, classes=classes)
    table: list[Any] = [*reliability_table(y, probabilities).itertuples()]
    assert sum(row.rows for row in table) == len(y)
    for row in table:
        assert row.low - 1e-12 <= row.confidence <= row.high + 1e-12
        assert row.accuracy_low - 1e-12 <= row.accuracy <= row.accuracy_high + 1e-12
    error = sum(row.rows * abs(row.accuracy - row.confidence) for row in table) / len(y)
    assert compute(y, probabilities, y)["ece"] == pytest.approx(error, abs=1e-6)


def test_a_bin_holds_its_upper_end() -> None:
    y, probabilities = (
        np.array([0, 1, 0, 1]),
        np.array([[0.7, 0.3], [0.2, 0.8], [0.0, 1.0], [0.29, 0.71]]),
    )
    table: list[Any] = [*reliability_table(y, probabilities).itertuples()]
    assert [(row.low, row.high, row.rows) for row in table] == [
        (0.6, 0.7, 1),
        (0.7, 0.8, 2),
        (0.9, 1.0, 1),
    ]
    assert table[1].confidence == pytest.approx(0.755)
    assert (table[1].accuracy, table[1].accuracy_low, table[1].accuracy_high) == (1, *wilson(2, 2))
    assert compute(y, probabilities, y)["ece"] == pytest.approx((0.3 + 2 * 0.245 + 1) / 4, abs=1e-6)


@given(SEEDS, st.integers(2, 5))
def test_temperature_lowers_the_log_loss_and_keeps_the_decisions(seed: int, classes: int) -> None:
    y, probabilities, decided = sample(seed, classes=classes, digits=3)
    calibrated = fit_temperature(y, probabilities).apply(probabilities)
    assert sk.log_loss(y, calibrated) <= sk.log_loss(y, probabilities) + 1e-12
    np.testing.assert_allclose(calibrated.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(
        calibrated[np.arange(len(y)), decided], calibrated.max(axis=1), atol=1e-12
    )  # rounding may break ties


@given(SEEDS, st.sampled_from([0.2, 1.0]))
def test_temperature_and_platt_maximise_the_posterior(seed: int, worth: float) -> None:
    y, probabilities, _ = sample(seed, rows=30)
    rows, odds = worth * len(y), np.log(probabilities[:, 1] / probabilities[:, 0])

    def loss(slope: Any, intercept: Any) -> Any:
        z = np.multiply.outer(slope, odds) + np.asarray(intercept)[..., None]
        return rows * np.mean(np.logaddexp(0, z) - y * z, axis=-1)

    steps = np.array([-0.01, 0, 0.01])
    log_temperatures = np.log(fit_temperature(y, probabilities, worth).temperature) + steps
    log_prior = log_temperatures**2 / (2 * 0.5**2)
    posterior = loss(np.exp(-log_temperatures), 0 * log_temperatures) + log_prior
    assert posterior.argmin() == 1
    platt = fit_platt(y, probabilities, worth)
    slopes, intercepts = (
        grid.ravel() for grid in np.meshgrid(platt.slope + steps, platt.intercept + steps)
    )
    posterior = loss(slopes, intercepts) + (slopes - 1) ** 2 / (2 * 0.5**2) + intercepts**2 / 2
    assert posterior.argmin() == 4


@pytest.mark.parametrize("rows", [10, 50, 250])
def test_rows_that_are_all_right_make_no_model_certain(rows: int) -> None:
    y, probabilities = (
        np.tile([0, 1], rows // 2),
        np.tile([[0.97, 0.03], [0.03, 0.97]], (rows // 2, 1)),
    )
    for model in (fit_temperature(y, probabilities), fit_platt(y, probabilities)):
        assert 0.97 < model.apply(probabilities)[0, 0] < 1 - 0.1 / rows


def test_labels_alone_get_the_probability_of_the_share_that_is_right() -> None:
    y, labels = np.zeros(50, np.int64), np.repeat(np.eye(2), [35, 15], axis=0)
    assert fit_temperature(y, labels).apply(labels)[0, 0] == pytest.approx(0.7, abs=1e-4)


def test_dependent_rows_move_a_calibration_less() -> None:
    y, probabilities = (
        np.tile([0, 1, 1], 20),
        np.tile([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1]], (20, 1)),
    )
    temperatures = [
        fit_temperature(y, probabilities, worth).temperature for worth in (1.0, 0.1, 0.01)
    ]
    slopes = [fit_platt(y, probabilities, worth).slope for worth in (1.0, 0.01)]
    assert temperatures == sorted(temperatures, reverse=True)
    assert slopes[0] < slopes[1]


@pytest.mark.parametrize("y", [[0, 1, 1, 0, 1], [1, 1, 1, 1, 1]])
def test_calibration_stays_finite_if_classes_are_separated_or_nothing_is_told_apart(
    y: list[int],
) -> None:
    actual = np.array(y)
    for probabilities in (np.eye(2)[actual], np.eye(2)[1 - actual], np.full((5, 2), 0.5)):
        for model in (fit_temperature(actual, probabilities), fit_platt(actual, probabilities)):
            calibrated = model.apply(probabilities)
            assert np.isfinite(calibrated).all()
            np.testing.assert_allclose(calibrated.sum(axis=1), 1, atol=1e-12)


def test_a_model_that_tells_nothing_apart_keeps_its_temperature() -> None:
    assert fit_temperature(np.array([1, 1, 1, 0]), np.full((4, 2), 0.5)) == Temperature(1.0)


@pytest.mark.parametrize("rows", [10, 50, 250])
def test_the_error_of_a_calibrated_model_is_the_one_expected(rows: int) -> None:
    generator = np.random.default_rng(rows)
    for classes, spread in ((2, 0.5), (2, 3), (3, 2)):
        probabilities = np.exp(spread * generator.normal(size=(rows, classes)))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        drawn = (probabilities.cumsum(axis=1) < generator.uniform(size=(500, rows, 1))).sum(axis=2)
        errors = [
            compute(np.minimum(y, classes - 1), probabilities, drawn[0] * 0)["ece"] for y in drawn
        ]
        # The normal approximation is off by up to a tenth where a bin has few rows.
        assert expected_ece(probabilities) == pytest.approx(
            np.mean(errors), rel=0.15 if rows == 10 else 0.1
        )
        repeated = np.repeat(probabilities, 4, axis=0)
        assert expected_ece(repeated, worth=0.25) == pytest.approx(expected_ece(probabilities))


# Thresholds

SCORES = (
    SHARES
    | st.integers(0, 20).map(lambda k: (300_000 + k) / 1e6)
    | st.integers(0, 10).map(lambda k: k / 10)
)
ROWS = st.lists(st.tuples(st.integers(0, 1), SCORES), min_size=1, max_size=30)


def _decisions(scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return every partition of the rows by a threshold of 6 digits, (thresholds, rows)."""
    steps = np.rint(scores * 1e6)
    thresholds = np.clip(np.concatenate([[0], steps, steps + 1]), 0, 1e6) / 1e6
    decisions: NDArray[np.bool_] = scores > thresholds[:, np.newaxis]
    return decisions


def _f1(y: NDArray[np.int64], positive: NDArray[np.bool_]) -> Any:
    return 2 * (y * positive).sum(axis=-1) / np.maximum(y.sum() + positive.sum(axis=-1), 1)


def _accuracy(y: NDArray[np.int64], positive: NDArray[np.bool_]) -> Any:
    return (y == positive).mean(axis=-1)


@given(ROWS)
def test_no_threshold_has_more_accuracy_or_f1_than_the_chosen_one(
    rows: list[tuple[int, float]],
) -> None:
    y, scores = map(np.array, zip(*rows, strict=True))
    accuracy, f1 = choose_threshold(y, scores, "accuracy"), choose_threshold(y, scores, "f1")
    assert (accuracy, f1) == (round(accuracy, 6), round(f1, 6))
    assert _accuracy(y, scores > accuracy) >= _accuracy(y, _decisions(scores)).max() - 1e-12
    assert _f1(y, scores > f1) >= _f1(y, _decisions(scores)).max() - 1e-12


DIPS = (0.0, 0.0), (0.5, 0.7), (0.88, 1.1)  # scores between which few rows are positive
UNREACHED = (
    r"^evaluate.target_precision must be a precision that some threshold has "
    r"with 95% confidence; got "
)


@given(SEEDS, st.integers(1, 150), st.sampled_from([0.3, 0.6, 0.8, 0.9]), st.sampled_from(DIPS))
def test_the_threshold_for_a_precision_is_the_last_that_passes_from_the_highest(
    seed: int, rows: int, target: float, dip: tuple[float, float]
) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.uniform(size=rows).round(2)
    shares = np.where((scores > dip[0]) & (scores < dip[1]), 0.2, 0.98)
    y = (generator.uniform(size=rows) < shares).astype(np.int64)
    least = min(
        max(math.ceil(math.log(0.05) / math.log(target)), 0.25 * scores.sum()), (scores > 0).sum()
    )
    expected = None
    for decided in sorted(_decisions(scores), key=np.sum):
        if decided.sum() >= least and decided.any():
            test = stats.binomtest(
                int(y[decided].sum()), int(decided.sum()), target, alternative="greater"
            )
            if test.pvalue > 0.05:
                break
            expected = decided.sum()
    if expected is None:
        with pytest.raises(UserError, match=UNREACHED):
            reach_precision(y, scores, target)
        return
    assert (scores > reach_precision(y, scores, target)).sum() == expected


@given(SEEDS, st.sampled_from([0.6, 0.75]))
def test_the_precision_of_dependent_rows_is_that_of_a_plain_reference(
    seed: int, target: float
) -> None:
    generator = np.random.default_rng(seed)
    keys = generator.integers(0, 60, 150) ** 2 // 60
    # Without a probability of 0, which is above no threshold.
    scores: Any = generator.integers(1, 40, 150) / 40
    y = (generator.random(150) < 0.3 + 0.7 * scores).astype(np.int64)
    reached = accepted = alike = 0.0
    for threshold in (np.unique(scores)[::-1] - 0.0125).tolist():  # from the highest down
        above = scores > threshold
        gaps, sizes, rows = (y - target)[above], np.bincount(keys[above]), int(above.sum())
        kish, number = rows**2 / (sizes**2).sum(), (sizes**2).sum() ** 2 / (sizes**4).sum()
        measured = min(rows * (gaps**2).sum() / (np.bincount(keys[above], gaps) ** 2).sum(), rows)
        effective = (number + 2) / (number / measured + 2 / kish)
        alike = max(alike, kish)
        if rows < 0.25 * scores.sum() or alike < math.ceil(math.log(0.05) / math.log(target)):
            continue
        right = y[above].mean() * effective
        reached = stats.beta.ppf(0.05, right, effective - right + 1)
        if not reached >= target:  # not a number if no row is right
            break
        accepted = rows
    if accepted:
        assert (scores > reach_precision(y, scores, target, clusters=keys)).sum() == accepted
    else:
        with pytest.raises(
            UserError, match=r"rows, worth \d+ independent ones, with the highest probabilities"
        ):
            reach_precision(y, scores, target, clusters=keys)


def test_a_precision_is_reached_in_nearly_every_run_where_larger_clusters_are_harder() -> None:
    generator, failed, reached = (
        np.random.default_rng(7),
        {"all": 0, "one": 0},
        {"all": 0, "one": 0},
    )
    keys = np.repeat(np.arange(550), np.repeat([1, 10], [500, 50]))
    half = np.repeat([1.0, 0.3], 500)  # half the distance between the classes

    def precision(threshold: float) -> float:
        cut = np.log(threshold / (1 - threshold))
        true, false = (
            np.sum(stats.norm.sf(cut, side * np.array([1.0, 0.3]), 1)) for side in (1, -1)
        )
        return float(true / (true + false))

    for _ in range(200):
        y = generator.integers(0, 2, 550)[keys]
        odds = (
            half * (2 * y - 1)
            + 0.7 * generator.normal(size=550)[keys]
            + 0.714 * generator.normal(size=1000)
        )
        scores, first = 1 / (1 + np.exp(-odds)), np.unique(keys, return_index=True)[1]
        for name, rows, clusters in (("all", slice(None), keys), ("one", first, None)):
            try:
                threshold = reach_precision(y[rows], scores[rows], 0.75, clusters=clusters)
            except UserError:
                continue
            reached[name] += 1
            failed[name] += precision(threshold) < 0.75
    assert failed["all"] <= 200 * 0.05 + 2 * math.sqrt(200 * 0.05 * 0.95)
    assert reached["all"] > 100
    assert failed["one"] > 60  # one row of each cluster is easier than most rows


def test_of_equally_good_thresholds_the_nearest_to_one_half_is_chosen_then_the_lower() -> None:
    y = np.array([0, 1, 0, 1])
    scores = np.array([0.3, 0.5, 0.5, 0.7])  # 0.4 and 0.6 are each right three times
    assert choose_threshold(y, scores, "accuracy") == 0.4
    assert (
        choose_threshold(np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.7, 0.9]), "accuracy") == 0.8
    )
    assert choose_threshold(np.array([0, 1]), np.array([0.2, 0.9]), "f1") == 0.55


@pytest.mark.parametrize(
    ("low", "right", "said"),
    [
        (0.0, 20, "of the 20 rows with the highest probabilities 20 are positive; about 57"),
        (0.1, 19, "of the 40 rows with the highest probabilities 19 are positive; no number of"),
    ],
)
def test_a_precision_that_is_not_sure_is_refused_with_the_rows_that_it_would_take(
    low: float, right: int, said: str
) -> None:
    y, scores = np.repeat([1, 0], [right, 40 - right]), np.repeat([0.8, low], 20)
    rule = (
        "evaluate.target_precision must be a precision that some threshold has "
        "with 95% confidence; got 0.9, but"
    )
    remedy = "rows would do at this rate; raise split.validation_size or lower the target"
    assert refusal(reach_precision, y, scores, 0.9) == f"{rule} {said} {remedy}"
