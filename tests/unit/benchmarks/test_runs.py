"""Runs of the stages with changed params, and the rendering of results."""

from benchmarks import lesson, runs, tables, timings
from textclf.core.settings import load_yaml


def test_the_commands_are_those_of_dvc_yaml_up_to_evaluate() -> None:
    params = load_yaml(runs.ROOT / "params.yaml")
    runs.set_param(params, "train.models", ["majority", "nb_svm"])
    commands = runs.commands(params)
    assert [command[2] for command in commands] == [
        "stages.check",
        "stages.fetch",
        "stages.split",
        "stages.vectorize",
        "stages.combine",
        "stages.train",
        "stages.train",
        "stages.evaluate",
    ]
    items = [word for command in commands for word in command if "@" in word]
    assert items == ["vectorize@words", "train@majority", "train@nb_svm"]
    assert [command[2] for command in runs.commands(params, "export")][-2:] == ["stages.evaluate", "stages.export"]
    assert not any("$" in word for command in commands for word in command)


def test_numbers_are_rounded_at_any_depth() -> None:
    assert runs.rounded({"a": [0.12345678, 1], "b": {"c": 0.5, "d": None}}) == {
        "a": [0.123457, 1],
        "b": {"c": 0.5, "d": None},
    }


def test_a_spread_has_median_minimum_and_maximum() -> None:
    assert timings.show(timings.spread([3.0, 1.0, 2.0])) == "2.00 (1.00 to 3.00)"


def test_the_interval_of_a_mean_over_seeds_is_students() -> None:
    mean, sd, least, most, low, high = lesson.spread([1.0, 2.0, 3.0, None])
    assert (mean, sd, least, most) == (2.0, 1.0, 1.0, 3.0)
    assert (round(low, 4), round(high, 4)) == (-0.4841, 4.4841)  # 2 -+ 4.3027 / sqrt(3)


def test_the_baseline_of_a_table_has_no_interval() -> None:
    assert tables.accuracy({"accuracy": 0.8}) == "0.800"
    assert tables.accuracy({"accuracy": 0.8, "low": -0.01, "high": 0.02}) == "0.800 (-0.010 to +0.020)"
