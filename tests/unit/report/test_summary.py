"""The first screen: its picture against the results, its two texts against the predictions."""

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.page import section
from tests.runs import make_run
from textclf.report.errors import errors
from textclf.report.examples import LEGIBLE
from textclf.report.run import Run
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


def answers(run: Run) -> tuple[np.ndarray, ...]:
    """Return ids, actual and decided answers, and probabilities of the default's test rows."""
    (rows,) = run.predictions[run.default[0]]
    rows = rows.take(rows.split == "test")
    probabilities, decided = run.decision(run.default[0]).judge(rows.probabilities, rows.scores)
    return rows.ids, rows.y, decided, probabilities


@pytest.mark.parametrize("name", RUNS)
def test_a_right_and_a_wrong_text_are_those_of_the_predictions(name: str) -> None:
    run = make_run(**RUNS[name])
    ids, actual, decided, probabilities = answers(run)
    examples = {example["kind"]: example for example in errors(run)["examples"]}
    assert list(examples) == ["right", "wrong"]
    for kind, example in examples.items():
        (place,) = np.flatnonzero(ids == example["id"]).tolist()
        assert np.array_equal(actual[place], decided[place]) == (kind == "right")
        assert (example["actual"] == example["decided"]) == (kind == "right")
        text = run.rows["test"].at([place], "text")["text"].item()
        assert example["text"].head == text
        if name == "two classes":
            of_kind = (actual == decided) == (kind == "right")
            assert probabilities[place].max() == probabilities[of_kind].max()
            assert example["sure"] == f"{probabilities[place].max():.1%}"
        if name == "several labels":
            sure = np.where(decided == 1, probabilities, 1 - probabilities)
            wrong, any_label = actual != decided, (actual | decided).any(axis=1)
            of_kind = any_label & (wrong.any(axis=1) == (kind == "wrong"))
            least = sure.min(axis=1) if kind == "right" else (sure * wrong).max(axis=1)
            assert least[place] == least[of_kind].max()
    shown = section(run, "summary")
    assert all(example["text"].head in shown for example in examples.values())


@pytest.mark.parametrize(("long", "shown"), [(("long " * 99,), "long"), (("long " * 99, "s"), "s")])
def test_a_long_text_is_an_example_only_if_no_other_is(long: tuple[str], shown: str) -> None:
    for example in errors(make_run(texts=long, classes=("a", "b", "c")))["examples"]:
        assert example["text"].head[:LEGIBLE].split()[0] == shown


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (8, "l00, l01, l02, l03, l04, l05, l06 and l07"),
        (12, "l00, l01, l02, l03, l04, l05, l06, l07 and 4 more"),
    ],
)
def test_a_long_set_of_labels_is_cut(labels: int, named: str) -> None:
    names = [f"l{number:02}" for number in range(12)]
    run = make_run(("logistic_regression",), names, sets=(names[:labels],))
    assert {example["actual"] for example in errors(run)["examples"]} == {named}


def test_a_model_without_mistakes_has_no_wrong_text() -> None:
    run = make_run(("logistic_regression",), count=3, texts=("one", "two two", "three"))
    (rows,) = run.predictions["logistic_regression"]
    rows.probabilities[:] = np.eye(2)[rows.y]
    assert [example["kind"] for example in errors(run)["examples"]] == ["right"]
    assert "Wrong" not in section(run, "summary")


def test_the_sentences_come_before_their_exact_form() -> None:
    shown = section(make_run(MODELS), "summary")
    order = [shown.index(part) for part in ("Better than majority:", "Right:", "Exactly", "; p")]
    assert all(before < after for before, after in pairwise(order))
