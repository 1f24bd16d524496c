"""The simulation of power: made-up decisions of three models with a known difference and disagreement."""

import numpy as np
import pytest

from benchmarks.power import PAIRS, Scenario, draw, found


@pytest.mark.parametrize("group", [1, 4])
def test_models_differ_and_disagree_as_they_should(group: int) -> None:
    models = draw(Scenario(400_000, 0.2, group, 0.5), 0.1, np.random.default_rng(1))
    for (a, b), difference in zip(PAIRS, (0.1, 0.05, -0.05), strict=True):
        gaps = models[a] - models[b]
        assert gaps.mean() == pytest.approx(difference, abs=0.004)
        assert (gaps != 0).mean() == pytest.approx(0.2, abs=0.005)
        assert set(np.unique(gaps)) == {-1, 0, 1}


def test_a_large_difference_is_found_and_none_is_not() -> None:
    scenario = Scenario(400, 0.3, 4, 0.5)
    assert found(scenario, 0.3, seed=1, sets=20) == 1
    assert found(scenario, 0.0, seed=1, sets=40) <= 0.1
