"""The simulation of slices: made-up test sets with a weak slice, without one, and with dependent rows."""

import numpy as np

from benchmarks.slices import WEAK, Scenario, draw, simulate


def test_a_strong_drop_is_found_and_without_one_nothing_is() -> None:
    found = simulate(Scenario("", 2000, drop=0.4), seed=1, sets=20)
    assert found["found"] == 20
    without = simulate(Scenario("", 250), seed=1, sets=20)
    assert without["found"] == 0
    assert without["alarms"] <= 3
    assert 20 < without["slices"] < 30
    many = simulate(Scenario("", 3080, drop=0.4, intents=77), seed=1, sets=5)
    assert many["found"] == 5
    assert 100 < many["slices"] < 110


def test_only_the_rows_of_the_weak_slice_are_worse() -> None:
    membership, rows, keys = draw(Scenario("", 20_000, drop=0.3), np.random.default_rng(2))
    platform = membership.families[0]
    (place,) = (place for place, name in platform.slices() if name == WEAK)
    right = rows.probabilities.argmax(axis=1) == rows.y
    assert right[platform.codes == place].mean() < 0.6
    assert abs(right[platform.codes != place].mean() - 0.85) < 0.02
    assert keys is None


def test_rows_of_a_cluster_share_what_decides_them() -> None:
    scenario = Scenario("", 1000, cluster=5, correlation=1.0, clustered=True, whole=True)
    membership, rows, keys = draw(scenario, np.random.default_rng(3))
    assert keys is not None
    assert len(set(keys.tolist())) == 200
    right = (rows.probabilities.argmax(axis=1) == rows.y).reshape(-1, 5)
    assert (right == right[:, :1]).all()
    for family in membership.families:
        codes = family.codes.reshape(-1, 5)
        assert family.name == "class" or (codes == codes[:, :1]).all()
