import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from docs import plot_templates
from tests import curves as tables
from tests.processes import python
from textclf.core.display import display_labels
from textclf.models.settings import KINDS as KNOWN
from textclf.plot import charts, confusion, draw, history, marks, render
from textclf.plot.charts import CHARTS, LOSS, PRECISION_RECALL, ROC
from textclf.plot.draw import MOST_TITLES, bars, lines, panels
from textclf.plot.style import MARKS, OTHER_COLOURS, Spec, mark_of

ROOT = Path(__file__).parents[3]
MODELS = ("majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm", "keras")
PAIR = ("majority", "logistic_regression")
TAGS = {"svg", "g", "path", "line", "rect", "text", "title", "tspan"}
LABELS = list(display_labels([*tables.HOSTILE, "", " ", "中文"], limit=24).values())
GROUPS = pd.DataFrame(
    [
        {"model": model, "class": name, "accuracy": 0.5, "low": 0.4, "high": 0.6, "rows": 3}
        for model in PAIR
        for name in ("</svg><script>", '" onload="x')
    ]
)
GROUPS = GROUPS.assign(split=GROUPS["class"])
BINS = pd.DataFrame({"from": [0, 2], "to": [2, 4], "rows": [7, 1]})
STEPS = pd.DataFrame(
    {"model": ["majority"] * 3, "recall": [0.0, 0.5, 1.0], "precision": [1.0, 0.8, 0.3]}
)
SPECS = [
    pytest.param(panels(charts.BY_SPLIT, GROUPS, MODELS, {})[""], id="accuracies"),
    pytest.param(history.history(LOSS, tables.history(["keras"]), MODELS), id="loss"),
    pytest.param(
        history.history(LOSS, tables.history(["keras", "nb_svm"], count=2000), MODELS),
        id="long histories",
    ),
    pytest.param(
        confusion.confusion(tables.confusion(LABELS, PAIR[:1]), LABELS),
        id="confusion of hostile classes",
    ),
    pytest.param(
        confusion.confusion(tables.confusion(["a", "b"], PAIR[:1]), ["a", "b"]),
        id="confusion of two",
    ),
    pytest.param(draw.curves(ROC, tables.roc(["1"], PAIR), MODELS), id="roc"),
    pytest.param(draw.curves(PRECISION_RECALL, STEPS, MODELS), id="precision and recall"),
    pytest.param(
        panels(CHARTS["reliability"], tables.RELIABILITY, PAIR, {})["majority"], id="reliability"
    ),
    pytest.param(bars(charts.LENGTHS, BINS, size=(500, 150)), id="lengths"),
    pytest.param(panels(charts.BY_CLASS, GROUPS, MODELS, {})[""], id="by class"),
    pytest.param(lines(charts.LEARNING_CURVE, tables.RELIABILITY, MODELS), id="learning curve"),
]


def parts(spec: Any) -> Iterator[dict[str, Any]]:
    if isinstance(spec, dict):
        yield spec
    for part in spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else ():
        yield from parts(part)


@pytest.mark.parametrize("spec", SPECS)
def test_a_picture_is_shapes_and_text_alone_and_repeats_and_no_name_is_outside_of_the_data(
    spec: Spec,
) -> None:
    drawn = render.svg(spec)
    assert drawn == render.svg(json.loads(json.dumps(spec)))
    for element in ET.fromstring(drawn).iter():  # noqa: S314 (our own)
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in TAGS
        assert [
            name
            for name in element.attrib
            if name.startswith("on") or name in {"id", "style", "href"}
        ] == []
        assert not any(re.search(r"\d\.\d{3}", value) for value in element.attrib.values())
    assert "currentColor" in drawn
    for part in parts({key: value for key, value in spec.items() if key != "data"}):
        assert not {"calculate", "expr", "signal", "url", "href"} & set(part)


DRAW = """
import hashlib, os, sys
from textclf.plot import render
spec = {"data": {"values": [{"a": name, "b": 2} for name in sys.argv[1:]]}, "mark": "bar"}
x, y = {"field": "b", "type": "quantitative"}, {"field": "a", "type": "nominal"}
spec["encoding"] = {"y": y, "x": x}
print(render.svg(spec))
print(os.environ["FONTCONFIG_FILE"])
"""


def test_fonts_of_the_machine_change_nothing(tmp_path: Path) -> None:
    (font,) = list(Path("/usr/share/fonts").rglob("DejaVuSans.ttf"))[:1] or pytest.skip(
        "needs the font DejaVu Sans"
    )
    pictures = set()
    for folder in (font.parent, tmp_path):
        config = tmp_path / "fonts.conf"
        config.write_text(f"<fontconfig><dir>{folder}</dir></fontconfig>")
        # Vega's own fonts have neither Georgian nor Arabic letters.
        done = python("-c", DRAW, "abc", "ქართული", "عربي", FONTCONFIG_FILE=str(config))
        picture, variable = done.out.splitlines()
        pictures.add(picture)
        assert variable == str(config)
    assert len(pictures) == 1


def test_a_model_has_one_colour_in_all_charts_and_runs() -> None:
    grey, orange = (mark_of(name).colour for name in PAIR)
    alone = history.history(LOSS, tables.history(["majority"]), ("majority",))
    assert alone["layer"][0]["encoding"]["color"]["scale"] == {
        "domain": ["majority"],
        "range": [grey],
    }
    both = draw.curves(ROC, tables.roc(["1"], PAIR), ("keras", *PAIR))
    scale = {"domain": ["majority", "logistic regression"], "range": [grey, orange]}
    assert both["layer"][1]["encoding"]["color"]["scale"] == scale
    assert [mark["colour"] for mark in marks.key(PAIR)] == [grey, orange]


def test_every_model_of_the_project_has_marks_of_its_own() -> None:
    assert set(MARKS) <= set(KNOWN)
    for values in zip(*map(mark_of, KNOWN), strict=True):
        assert len(set(values)) == len(KNOWN)
    assert not {mark.colour for mark in MARKS.values()} & set(OTHER_COLOURS)


def test_dvc_gives_a_model_the_same_colour() -> None:
    names = [*KNOWN, "external", "my_model2", "Z", "a" * 40, "\u00e9t\u00e9"]
    spec = {
        "data": {"values": [{"model": name} for name in names]},
        "transform": [plot_templates.COLOUR],
        "mark": "bar",
        "encoding": {
            "y": {"field": "model", "sort": None, "type": "nominal"},
            "fill": {"field": "colour", "scale": None, "type": "nominal"},
        },
    }
    drawn = re.findall(
        r'role="graphics-symbol"[^>]*fill="(#[0-9A-F]{6})"', vl_convert.vegalite_to_svg(spec)
    )
    assert drawn == [mark_of(name).colour for name in names]


def test_long_histories_are_thinned_but_keep_their_ends_and_the_lowest_loss() -> None:
    spec = history.history(LOSS, tables.history(["keras"], count=5000), ["keras"])
    shown = [row["epoch"] for row in spec["data"]["values"] if row["split"] == "test rows"]
    assert len(shown) <= history.STEPS_SHOWN
    assert (shown[0], shown[-1]) == (1, 5000)
    assert [row["epoch"] for row in spec["layer"][-1]["data"]["values"]] == [3]


def test_of_epochs_with_the_same_loss_the_first_is_the_lowest() -> None:
    rows = tables.history(["keras", "b"]).assign(loss=0.5)
    lowest = history.lowest_loss(rows)
    assert [*zip(lowest["model"], lowest["epoch"], lowest["split"], strict=True)] == [
        ("keras", 1, "test"),
        ("b", 1, "test"),
    ]
    assert not len(history.lowest_loss(rows.assign(loss=np.nan)))


@pytest.mark.parametrize(
    ("letters", "columns"), [(marks.LEGEND_LETTERS, 3), (marks.LEGEND_LETTERS + 1, 2)]
)
def test_a_legend_has_one_row_unless_its_names_are_too_long_for_a_phone(
    letters: int, columns: int
) -> None:
    names = ["a" * (letters - 12), "b" * 6, "c" * 6]
    rows = tables.roc(["1"], names)
    colour = draw.curves(ROC, rows, names)["layer"][1]["encoding"]["color"]
    assert colour["legend"]["columns"] == columns


@pytest.mark.parametrize(("models", "ruled"), [(["a"], 1), (["a", "b"], 1), (["a", "b", "c"], 0)])
def test_the_epochs_of_the_lowest_loss_of_few_models_have_a_line(
    models: list[str], ruled: int
) -> None:
    layers = history.history(LOSS, tables.history(models), models)["layer"]
    assert sum(layer["mark"]["type"] == "rule" for layer in layers) == ruled


def test_precision_between_two_recalls_is_that_of_the_higher_one() -> None:
    values = draw.curves(PRECISION_RECALL, STEPS, MODELS)["data"]["values"]
    drawn = [(row["recall"], row["precision"]) for row in values]
    assert drawn == [(0.0, 1.0), (0.0, 0.8), (0.5, 0.8), (0.5, 0.3), (1.0, 0.3)]


def titles(spec: Spec) -> list[str]:
    """The titles of the marks of a picture."""
    root = ET.fromstring(render.svg(spec))  # noqa: S314 (our own)
    return [str(element.text) for element in root.iter("{http://www.w3.org/2000/svg}title")]


def test_the_title_of_a_point_has_its_numbers() -> None:
    rows = GROUPS.assign(rows=1234, low=[0.4, np.nan, 0.4, 0.4])
    first, second, *_ = titles(panels(charts.BY_CLASS, rows, MODELS, {})[""])
    assert first.splitlines() == [
        "model: majority",
        "recall: share of the class found: 50.0%",
        "class: </svg><script>",
        "interval: 40.0% to 60.0%",
        "rows: 1,234",
    ]
    assert "interval" not in second
    assert (
        titles(bars(charts.LENGTHS, BINS, size=(400, 150)))[0]
        == "words in a text: 0 to 2\ntexts: 7"
    )
    assert titles(confusion.confusion(tables.confusion(["a", "b"], PAIR[:1]), ["a", "b"]))[
        1
    ].splitlines()[:2] == [
        "actual: a",
        "predicted: b",
    ]


def test_of_many_points_of_a_line_some_have_a_title() -> None:
    said = titles(history.history(LOSS, tables.history(["keras", "nb_svm"], count=2000), MODELS))
    assert 20 < len(said) <= MOST_TITLES + 2  # the lowest loss of each model
    assert said[0].splitlines()[:3] == ["model: keras", "rows: training rows", "epoch: 1"]


def test_a_figure_has_no_titles_and_a_page_hides_the_axes_from_screen_readers() -> None:
    spec = panels(charts.BY_CLASS, GROUPS, MODELS, {})[""]
    assert render.svg(spec).count('<g aria-hidden="true">') > 1
    assert not re.search("<title|aria-", render.svg(spec, titled=False))


def test_thousands_of_points_are_thinned() -> None:
    x = np.linspace(0, 1, 9000)
    y = np.sqrt(x) + 0.03 * np.sin(200 * x)
    rows = pd.DataFrame({"model": "keras", "false_positive_rate": x, "true_positive_rate": y})
    assert 100 < len(draw.curves(ROC, rows, ["keras"])["data"]["values"]) <= 1000
    assert 30 <= len(draw.curves(ROC, rows, ["keras"], 100)["data"]["values"]) <= 100
    assert draw.thin(np.array([[0.0, 0.0], [0.5, 1.0], [1.0, 0.0]]), 1).tolist() == [
        0,
        2,
    ]  # both ends at least


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=60))
def test_a_thinned_curve_is_within_the_tolerance(curve: list[tuple[float, float]]) -> None:
    points = np.array(curve)
    kept = draw.thin(points, len(points))
    assert (kept[0], kept[-1]) == (0, len(points) - 1)
    for first, last in pairwise(kept.tolist()):
        along = points[last] - points[first]
        for point in points[first + 1 : last] - points[first]:
            length = np.hypot(*along)
            away = (
                abs(point[0] * along[1] - point[1] * along[0]) / length
                if length
                else np.hypot(*point)
            )
            assert away <= draw.TOLERANCE


def test_the_templates_of_dvc_plots_are_those_of_the_charts() -> None:
    written = {
        path.stem: path.read_text(encoding="utf-8") for path in (ROOT / ".dvc" / "plots").iterdir()
    }
    assert written == {name: plot_templates.text(chart) for name, chart in CHARTS.items()}, (
        "make docs"
    )


@pytest.mark.lesson
@pytest.mark.parametrize("name", [*CHARTS])
def test_dvc_draws_every_model_and_revision_of_a_chart(name: str) -> None:
    chart = CHARTS[name]
    table = pd.read_csv(
        ROOT / "plots" / f"{chart.table}.csv", dtype=str, keep_default_na=False
    )  # as DVC reads it
    before, both = svg_by_dvc(name, table), svg_by_dvc(name, table, table)
    assert ">HEAD<" not in before
    assert ">HEAD<" in both
    assert both.count('role="graphics-symbol"') > before.count('role="graphics-symbol"')
    told_apart = (
        ("train", "test") if chart.dash == "split" else ("majority", "logistic_regression", "keras")
    )
    assert [text for text in told_apart if f">{text}<" not in before] == []
    coloured = () if chart.kind == "cell" or chart.dash == "split" else told_apart
    assert [model for model in coloured if mark_of(model).colour not in before] == []


def svg_by_dvc(name: str, *revisions: pd.DataFrame) -> str:
    """The picture that DVC's template of a chart draws of the rows of the workspace and of HEAD."""
    named = [
        rows.assign(rev=revision)
        for rows, revision in zip(revisions, ("workspace", "HEAD"), strict=False)
    ]
    values = pd.concat(named).astype(str).to_dict("records")  # text, as DVC reads it
    spec = plot_templates.text(CHARTS[name]).replace('"<DVC_METRIC_DATA>"', json.dumps(values))
    return str(vl_convert.vegalite_to_svg(spec, vl_version="5.8"))


def drawn_by_dvc(name: str, rows: pd.DataFrame) -> list[dict[str, str]]:
    """The tooltips of the marks that DVC's template of a chart draws of these rows."""
    labels = re.findall(r'aria-label="([^"]*)" role="graphics-symbol"', svg_by_dvc(name, rows))
    return [
        dict(part.split(": ", 1) for part in label.split("; ") if ": " in part) for label in labels
    ]


def axis_of_dvc(name: str, rows: pd.DataFrame, axis: str) -> list[str]:
    """The names along an axis (X or Y) of the chart of DVC's template, from left or above."""
    (first, *_) = re.findall(
        rf'aria-label="{axis}-axis[^"]*"(.*?)aria-label="', svg_by_dvc(name, rows), re.DOTALL
    )
    return re.findall(r">(c\d+)<", first)


def test_dvc_gives_both_axes_of_a_matrix_the_same_classes_in_the_same_order() -> None:
    names = [f"c{n}" for n in range(30)]
    rows = tables.confusion(names, ["keras"])[::-1].sort_values(
        "actual", key=lambda text: text.str[1:].astype(int), kind="stable"
    )
    rows = rows[rows["count"] > 0]  # of each actual class, the last predicted one first
    often = rows["actual"].isin(names[8:]) & (rows["actual"] != rows["predicted"])
    rows = rows.assign(count=np.where(often, 9, rows["count"]))
    constant = rows[rows["actual"] == rows["predicted"]].assign(
        model="majority", predicted="c3", count=99
    )
    both = pd.concat([rows, constant], ignore_index=True)
    chosen = confusion.most_mistaken(both, names)
    assert axis_of_dvc("confusion", both, "X") == axis_of_dvc("confusion", both, "Y") == chosen


def test_dvc_draws_the_curves_of_each_class_in_a_panel_of_its_own() -> None:
    svg_lines = [
        part for part in drawn_by_dvc("roc", tables.roc(["b", "a", "c"], PAIR)) if "model" in part
    ]
    assert svg_lines
    spec = plot_templates.template(CHARTS["roc"])["hconcat"][0]
    assert spec["facet"]["field"] == "class"


def test_dvc_draws_no_baseline_whose_error_would_squeeze_the_axis_of_the_others() -> None:
    parts = [("majority", [0.9, 0.9]), ("keras", [0.0, 0.1]), ("perfect", [0.0, 0.0])]
    rows = pd.DataFrame(
        [
            {"model": model, "share_answered": share, "error": value}
            for model, values in parts
            for share, value in zip((0.1, 1.0), values, strict=True)
        ]
    )
    assert {
        part.get("model") for part in drawn_by_dvc("risk_coverage", rows) if "error" in part
    } == {
        "keras",
        "perfect",
    }


def test_the_area_of_a_point_shows_its_rows() -> None:
    rows = tables.RELIABILITY.assign(rows=[10, 1, 100])
    drawn = render.svg(panels(CHARTS["reliability"], rows, PAIR, {})["logistic regression"])
    radii = [float(radius) for radius in re.findall(r'd="M([\d.]+),0A', drawn)]
    assert len(radii) == 2
    assert max(radii) > 4 * min(radii) > 6


def test_a_chart_of_classes_draws_its_split_with_their_names() -> None:
    rows = pd.DataFrame(
        {"model": "keras", "split": ["train", "test"], "class": "0", "f1": [1.0, 0.5]}
    )
    rows = rows.assign(f1_low=rows["f1"], f1_high=rows["f1"])
    spec = panels(CHARTS["f1"], rows, ["keras"], {"0": "negative"})[""]
    assert [(row["class"], row["f1"]) for row in spec["data"]["values"]] == [("negative", 0.5)]
    curve = panels(ROC, tables.roc(["0", "1"], PAIR), PAIR, {"0": "negative"})
    assert [*curve] == ["negative", "1"]
