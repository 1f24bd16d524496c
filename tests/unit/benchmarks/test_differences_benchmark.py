"""The simulation of differences between models: intervals counted against the truth."""

from benchmarks.differences import coverage, scenario
from textclf.evaluate.split_metrics import COMPARED


def test_most_intervals_have_the_truth_and_few_mistakes_no_interval() -> None:
    counts = coverage(scenario(250, 0.8), seed=1, sets=20)
    for metric in COMPARED:
        assert counts[metric].stated == 20
        assert counts[metric].contained >= 15
    few = coverage(scenario(50, 0.99), seed=1, sets=5)
    assert all(few[metric].stated == 0 for metric in COMPARED)
