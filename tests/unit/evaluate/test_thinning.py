"""Curves with fewer points."""

from itertools import pairwise

import numpy as np

from textclf.evaluate import thinning
from textclf.evaluate.curves import corners, positive_counts
from textclf.evaluate.thinning import thin_precision_recall, thin_roc


def test_curves_of_many_scores_are_thinned_and_stay_near() -> None:
    generator = np.random.default_rng(1)
    positive = generator.integers(0, 2, 50_000) == 1
    false, true = positive_counts(positive, 1 / (1 + np.exp(-generator.normal(1.5 * positive - 0.75, 1.2))))
    points = thin_roc(false, true)
    assert len(points) <= 2 * thinning.STEPS + 2 < len(false) / 5
    assert (points[0], points[-1]) == (0, len(false) - 1)
    rates = (false / false[-1] + true / true[-1])[points]
    order = np.searchsorted(corners(false, true), points)
    # Between two corners that remain there are others within a step, or the curve has none there.
    assert all(
        after - before <= 2 / thinning.STEPS + 1e-9 or following - point == 1
        for (before, after), (point, following) in zip(pairwise(rates), pairwise(order), strict=True)
    )
    points = thin_precision_recall(false, true)
    assert len(points) <= 2 * thinning.STEPS + 2
    assert np.diff((true / true[-1])[points]).max() <= 1 / thinning.STEPS + 1e-9
