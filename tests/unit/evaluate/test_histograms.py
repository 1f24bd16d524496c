"""Histograms of scores: bins, areas within their bound, thinned curves."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textclf.evaluate import histograms
from textclf.evaluate.histograms import Histogram, thin_precision_recall, thin_roc
from textclf.evaluate.metrics import point_values


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(4, 13))
def test_a_higher_score_is_never_in_a_lower_bin(scores: list[float], bits: int) -> None:
    histogram = Histogram(bits)
    bins = histogram.bins_of(np.sort(np.array(scores)))
    assert (np.diff(bins) >= 0).all()
    assert bins[0] >= 0
    assert bins[-1] < len(histogram.counts)


def test_bins_are_narrow_relative_to_the_odds() -> None:
    histogram = Histogram()
    for score in (1e-12, 0.003, 0.3, 0.5 - 1e-3, 0.5 + 1e-3, 0.99, 1 - 1e-9):
        odds = score / (1 - score) * 1.001
        assert np.diff(histogram.bins_of(np.array([score, odds / (1 + odds)]))) > 0
    middle = histogram.bins_of(np.array([np.nextafter(0.5, 0), 0.5, np.nextafter(0.5, 1)]))
    assert (np.diff(middle) == 1).all()  # a threshold of 1/2 separates them


@given(st.integers(0, 2**32 - 1), st.integers(4, 13), st.integers(2, 300))
def test_the_error_of_an_area_is_within_its_bound(seed: int, bits: int, rows: int) -> None:
    generator = np.random.default_rng(seed)
    positive, scores = generator.integers(0, 2, rows) == 1, generator.normal(0.5, 0.02, rows).clip(0, 1)
    positive[:2] = False, True
    histogram = Histogram(bits)
    histogram.add(positive, scores)
    y, probabilities = positive.astype(np.int64), np.column_stack([1 - scores, scores])
    assert abs(histogram.area - point_values(y, probabilities, y)["roc_auc"][0]) <= histogram.bound + 1e-12


def test_curves_of_many_scores_are_thinned_and_stay_near() -> None:
    generator = np.random.default_rng(1)
    positive = generator.integers(0, 2, 50_000) == 1
    histogram = Histogram()
    histogram.add(positive, 1 / (1 + np.exp(-generator.normal(1.5 * positive - 0.75, 1.2))))
    false, true = histogram.positive_counts()
    points = thin_roc(false, true)
    assert len(points) <= 2 * histograms.STEPS + 2 < len(false) / 5
    assert (points[0], points[-1]) == (0, len(false) - 1)
    rates = (false / false[-1] + true / true[-1])[points]
    # Between two points that remain there are others within a step, or the curve has none there.
    assert all(
        after - before <= 2 / histograms.STEPS + 1e-9 or following - point == 1
        for (before, after), (point, following) in zip(pairwise(rates), pairwise(points), strict=True)
    )
    points = thin_precision_recall(false, true)
    assert len(points) <= 2 * histograms.STEPS + 2
    assert np.diff((true / true[-1])[points]).max() <= 1 / histograms.STEPS + 1e-9
