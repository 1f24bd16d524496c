"""The first screen: its picture against the results."""

import re
from typing import Any

import numpy as np
import pytest

from tests.runs import make_run
from textclf.report.summary import summary

MODELS = ("majority", "logistic_regression", "keras")
COSTS = {"evaluate.costs": "{'no': {'yes': 10}, abstain: 0.6}"}
SETS = (("a",), ("a", "b"), (), ("b",))
RUNS: dict[str, dict[str, Any]] = {
    "two classes": {"models": MODELS},
    "several labels": {"models": MODELS, "classes": ("a", "b"), "sets": SETS, "count": 60},
    "costs, no answer": {
        "models": MODELS,
        "count": 200,
        "validation": True,
        "settings": COSTS,
    },
}


def drawn(svg: str) -> dict[str, Any]:
    """Return where dots, ends of lines and the floor are on the axis, by its ticks."""
    number = r"(-?[\d.]+)"
    ticks = re.findall(rf'translate\({number},16\)"[^>]*>([\d.]+)(%?)<', svg)
    places = [float(place) for place, *_ in ticks]
    values = [float(text) / (100 if percent else 1) for _, text, percent in ticks]

    def value(place: float) -> float:
        return float(np.polyval(np.polyfit(places, values, 1), place))

    dots = re.findall(
        rf'translate\({number},[\d.]+\)"[^>]*><title>model: ([\w ]+)&#xA;[\w ]+: ([\d.]+)', svg
    )
    spans = re.findall(rf'translate\({number},[\d.]+\)" x2="{number}" y2="0" stroke="#', svg)
    (floor,) = re.findall(rf'translate\({number},0\)"[^>]*stroke-dasharray', svg)
    return {
        "dots": {name.replace(" ", "_"): value(float(place)) for place, name, _ in dots},
        "ends": [(value(float(low)), value(float(low) + float(width))) for low, width in spans],
        "floor": value(float(floor)),
    }


@pytest.mark.parametrize("name", RUNS)
def test_the_picture_has_each_model_and_the_floor_where_the_results_have_them(name: str) -> None:
    run = make_run(**RUNS[name])
    chart = summary(run)["chart"]
    seen, results = drawn(chart.svg), run.results
    key = "cost" if "costs" in name else "accuracy"
    measured = {model: results.evaluation[model]["test"][key] for model in MODELS}
    assert seen["dots"] == pytest.approx(measured, abs=2e-3)
    assert seen["floor"] == pytest.approx(results.decisions.guessing[key], abs=2e-3)
    best_first = [measured[model] for model in seen["dots"]]
    assert best_first == sorted(best_first, reverse=key == "accuracy")
    for model, (low, high) in zip(seen["dots"], seen["ends"], strict=True):
        ends = results.intervals[model]["test"][key]
        assert ends
        assert (low, high) == pytest.approx((ends.low, ends.high), abs=2e-3)
        assert model.replace("_", " ") in chart.description


def test_a_model_without_an_interval_is_a_dot_alone() -> None:
    run = make_run(**RUNS["costs, no answer"])
    run.results.intervals["keras"]["test"]["cost"] = None
    seen = drawn(summary(run)["chart"].svg)
    assert set(seen["dots"]) == set(MODELS)
    assert len(seen["ends"]) == len(MODELS) - 1
