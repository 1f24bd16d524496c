"""The simulation of the best of several results."""

from benchmarks.looks import Scenario, covered


def test_the_interval_of_the_best_of_many_needs_to_be_wider_unless_they_are_alike() -> None:
    many = covered(Scenario(250, 0.8, 50, 0.0), seed=1, sets=100)
    assert many["one"] < 0.6
    assert many["widened"] > 0.9
    alike = covered(Scenario(250, 0.8, 50, 1.0), seed=1, sets=100)
    assert alike["one"] > 0.88
