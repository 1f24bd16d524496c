"""Curves with fewer points."""

from itertools import pairwise

import numpy as np

from textclf.evaluate.curves import STEPS, corners, positive_counts, thin, thin_roc


def test_curves_of_many_scores_are_thinned_and_stay_near() -> None:
    generator = np.random.default_rng(1)
    positive = generator.integers(0, 2, 50_000) == 1
    false, true = positive_counts(positive, 1 / (1 + np.exp(-generator.normal(1.5 * positive - 0.75, 1.2))))
    kept = thin_roc((false, true))
    points = np.searchsorted(false + true, kept[0] + kept[1])
    assert len(points) <= 2 * STEPS + 2 < len(false) / 5
    assert (points[0], points[-1]) == (0, len(false) - 1)
    rates = (false / false[-1] + true / true[-1])[points]
    order = np.searchsorted(corners(false, true), points)
    # Between two corners that remain there are others within a step, or the curve has none there.
    assert all(
        after - before <= 2 / STEPS + 1e-9 or following - point == 1
        for (before, after), (point, following) in zip(pairwise(rates), pairwise(order), strict=True)
    )
    _, found = thin((false, true), true / true[-1])
    assert len(found) <= 2 * STEPS + 2
    assert np.diff(found / true[-1]).max() <= 1 / STEPS + 1e-9
