"""The Bayesian comparison of two models over splits."""

import numpy as np
import pytest
from scipy import stats

from textclf.evaluate.comparisons import corrected_t
from textclf.studies.posterior import POINT, posterior, verdict

FOLDS, REPEATS = 4, 3
SPLITS, RATIO = FOLDS * REPEATS, 1 / (FOLDS - 1)


def test_the_regions_are_those_of_the_correlated_bayesian_t_test() -> None:
    differences = np.array([0.02, 0.0, 0.01, -0.01, 0.03, 0.0, 0.01, 0.02, -0.02, 0.01, 0.0, 0.02])
    found = posterior(corrected_t(differences, RATIO), SPLITS, RATIO)
    # baycomp 1.0.3: CorrelatedTTest.probs(zeros, differences, rope=0.01, runs=3)
    expected = (0.04153487118554519, 0.5632545962588544, 0.39521053255560035)
    assert (found["worse"], found["alike"], found["better"]) == pytest.approx(expected, abs=1e-12)


def test_the_probabilities_are_uniform_at_the_truth() -> None:
    """Differences of splits are correlated by the share of test rows; a new draw shares nothing but the mean."""
    sets, rng = 4000, np.random.default_rng(0)
    shared, own = rng.normal(size=(sets, 1)), rng.normal(size=(sets, SPLITS))
    seen = 0.02 * (FOLDS**-0.5 * shared + (1 - 1 / FOLDS) ** 0.5 * own)  # with mean 0
    new = 0.02 * rng.normal(size=(sets, 1))
    wins = [posterior(corrected_t(each, RATIO), SPLITS, RATIO)["wins"] for each in seen - new]
    better = [posterior(corrected_t(each, RATIO), SPLITS, RATIO)["better"] for each in seen + POINT]
    for chances in (wins, better):
        assert stats.kstest(chances, "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    ("difference", "expected"),
    [(0.0, (0, 1, 0, 0.5)), (0.02, (1, 0, 0, 1)), (-0.02, (0, 0, 1, 0)), (0.005, (0, 1, 0, 1))],
)
def test_equal_differences_leave_no_doubt(difference: float, expected: tuple[float, ...]) -> None:
    found = posterior(corrected_t(np.full(SPLITS, difference), RATIO), SPLITS, RATIO)
    assert (found["better"], found["alike"], found["worse"], found["wins"]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("chances", "sentence"),
    [
        ((0.96, 0.03, 0.01), "b is better than a by more than a point of accuracy"),
        ((0.01, 0.03, 0.96), "a is better than b by more than a point of accuracy"),
        ((0.01, 0.96, 0.03), "b and a are alike within a point of accuracy"),
        ((0.94, 0.05, 0.01), "cannot tell whether b and a are alike or one is better"),
    ],
)
def test_a_pair_is_better_alike_or_unknown(chances: tuple[float, ...], sentence: str) -> None:
    test = {**dict(zip(("better", "alike", "worse"), chances, strict=True)), "wins": 0.7}
    shown = "better {:.2f}, alike {:.2f}, worse {:.2f}".format(*chances)
    assert verdict(test, "b", "a", 0.95, "accuracy") == (
        f"{sentence} (probability of b: {shown}; more accurate in a new draw 0.70)"
    )
