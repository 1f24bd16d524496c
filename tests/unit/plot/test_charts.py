import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runs import HOSTILE, epochs, made
from textclf.export import card
from textclf.plot import charts
from textclf.plot.figures import COLOURS

ALL = ("majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm", "keras")
TAGS = {"svg", "g", "path", "line", "rect", "text", "tspan"}
GROUPS = pd.DataFrame(
    [
        {"model": model, "words": words, "class": words, "accuracy": 0.5, "low": 0.4, "high": 0.6, "rows": 3}
        for model in ("majority", "keras")
        for words in ("1 to 3", "4")
    ]
)
NAMES = list(card.labels([*HOSTILE, "", " ", "中文"], limit=24).values())
RUN = made(count=12)
PAIRS = pd.DataFrame([{"actual": a, "predicted": b, "count": 2, "share": 0.1} for a in NAMES for b in NAMES])
DOTS = pd.DataFrame(
    [
        {"model": model, "split": split, "accuracy": 0.8, "low": 0.7, "high": 0.9}
        for model in ALL
        for split in ("train", "validation", "test")
    ]
)
SPECS = [
    pytest.param(charts.accuracies(DOTS, ALL), id="accuracies"),
    pytest.param(charts.history(epochs(["keras"], "test"), ALL, "loss"), id="loss"),
    pytest.param(charts.history(epochs(["keras"], "validation"), ["keras"], "accuracy"), id="accuracy"),
    pytest.param(charts.history(epochs(["keras", "nb_svm"], "test", 2000), ALL, "loss"), id="long histories"),
    pytest.param(charts.confusion(PAIRS, NAMES), id="confusion of hostile classes"),
    pytest.param(charts.confusion(PAIRS, NAMES[:2]), id="confusion of two"),
    pytest.param(charts.roc(RUN.roc, RUN.models), id="roc"),
    pytest.param(charts.roc(RUN.roc, RUN.models, legend=False), id="roc without a legend"),
    pytest.param(charts.precision_recall(RUN.precision_recall, RUN.models, 0.3), id="precision and recall"),
    pytest.param(charts.reliability(RUN.reliability.tail(3), RUN.models, "logistic_regression"), id="reliability"),
    pytest.param(charts.lengths(pd.DataFrame({"from": [0, 2], "to": [2, 4], "rows": [7, 1]})), id="lengths"),
    pytest.param(charts.by_length(GROUPS, ALL), id="by length"),
    pytest.param(
        charts.by_class(GROUPS.assign(**{"class": ["</svg><script>", '" onload="x'] * 2}), ALL), id="by class"
    ),
]


def parts(spec: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a specification."""
    if isinstance(spec, dict):
        yield spec
    for part in spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else ():
        yield from parts(part)


@pytest.mark.parametrize("spec", SPECS)
def test_a_picture_is_xml_of_shapes_and_text_alone_and_repeats(spec: charts.Spec) -> None:
    drawn = charts.svg(spec)
    assert drawn == charts.svg(json.loads(json.dumps(spec)))
    for element in ET.fromstring(drawn).iter():  # noqa: S314 (our own)
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in TAGS
        assert [name for name in element.attrib if name.startswith("on") or name in {"id", "style", "href"}] == []
        assert not any(re.search(r"\d\.\d{3}", value) for value in element.attrib.values())
    assert "currentColor" in drawn


@pytest.mark.parametrize("spec", SPECS)
def test_a_chart_has_no_expression_and_no_name_outside_of_its_data(spec: charts.Spec) -> None:
    for part in parts({key: value for key, value in spec.items() if key != "data"}):
        assert not {"calculate", "expr", "signal", "url", "href"} & set(part)


def test_hostile_names_are_text_in_a_picture() -> None:
    drawn = charts.svg(charts.confusion(PAIRS, NAMES))
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_a_model_has_one_colour_in_all_charts() -> None:
    every = json.dumps(charts.roc(RUN.roc, ("keras", *RUN.models)))
    alone = charts.history(epochs(["majority"], "test"), ("keras", "majority"), "loss")
    scale = alone["layer"][0]["encoding"]["color"]["scale"]
    assert scale == {"domain": ["majority"], "range": [COLOURS[1]]}
    assert json.dumps({"domain": ["majority", "logistic regression"], "range": [*COLOURS[1:3]]}) in every


def test_long_histories_are_thinned_but_keep_their_ends_and_the_lowest() -> None:
    spec = charts.history(epochs(["keras"], "test", 5000), ["keras"], "loss")
    shown = [row["epoch"] for row in spec["data"]["values"] if row["split"] == "test"]
    assert len(shown) <= charts.STEPS_SHOWN
    assert (shown[0], shown[-1]) == (1, 5000)
    assert [row["epoch"] for row in spec["layer"][-1]["data"]["values"]] == [3]


def test_a_history_that_is_not_a_number_is_drawn_without_it() -> None:
    rows = epochs(["keras"], "test").assign(loss=np.nan)
    rows.loc[0, "loss"] = 0.7
    assert ET.fromstring(charts.svg(charts.history(rows, ["keras"], "loss"))) is not None  # noqa: S314 (our own)


def test_thousands_of_points_are_thinned() -> None:
    x = np.linspace(0, 1, 9000)
    y = np.sqrt(x) + 0.03 * np.sin(200 * x)
    rows = pd.DataFrame({"model": "keras", "false_positive_rate": x, "true_positive_rate": y})
    assert 100 < len(charts.roc(rows, ["keras"])["data"]["values"]) <= 1000
    assert 30 <= len(charts.roc(rows, ["keras"], limit=100)["data"]["values"]) <= 100


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=60))
def test_a_thinned_curve_is_within_the_tolerance(found: list[tuple[float, float]]) -> None:
    points = np.array(found)
    kept = charts.thin(points, len(points))
    assert (kept[0], kept[-1]) == (0, len(points) - 1)
    for first, last in pairwise(kept.tolist()):
        along = points[last] - points[first]
        for point in points[first + 1 : last] - points[first]:
            length = np.hypot(*along)
            away = abs(point[0] * along[1] - point[1] * along[0]) / length if length else np.hypot(*point)
            assert away <= charts.TOLERANCE


def test_two_points_are_the_least_that_is_left() -> None:
    assert charts.thin(np.array([[0.0, 0.0], [0.5, 1.0], [1.0, 0.0]]), 1).tolist() == [0, 2]


def test_the_script_holds_the_libraries_and_ends_with_the_snippet() -> None:
    script = charts.javascript("window.drawn = vegaEmbed;")
    assert script.rstrip().endswith(";")
    assert "window.drawn=" in script
    assert "</script" not in script
    assert len(script) < 1_000_000
