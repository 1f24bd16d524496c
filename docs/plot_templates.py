"""The templates of `dvc plots show` and `dvc plots diff`, with the colours of the models.

DVC fills in data, title and revisions, so a template names no model or class: what is added in
params.yaml appears without an edit. `make docs` writes them to .dvc/plots. DVC finds a template
there by its name, from any folder and for any revision; it ends with an error if one is missing, so
they are in Git and not made by a run.
"""

import json
from typing import Any

from textclf.core.files import CURVES
from textclf.plot.charts import Chart
from textclf.plot.confusion import MOST_CLASSES, cells
from textclf.plot.draw import area_of, intervals
from textclf.plot.marks import guide_line
from textclf.plot.style import BLUE, LETTERS, MARKS, OTHER_COLOURS, VERMILION, Spec

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # the version in DVC's page
SIDE = 300  # pixels
CELL = 44  # pixels of a cell of a confusion matrix
SMALL, ACROSS = 200, 3  # pixels of a panel of a class, and their number side by side


def colour_expression() -> str:
    """Return the Vega expression of a model's colour, as `textclf.plot.style.mark_of` has it."""
    first, last = (
        f"(indexof({json.dumps(LETTERS)}, lower(substring(datum.model, {start}, {end}))) + 1)"
        for start, end in ((0, 1), ("length(datum.model) - 1", "length(datum.model)"))
    )
    known = json.dumps({name: mark.colour for name, mark in MARKS.items()})
    number = f"(length(datum.model) + 3 * {first} + 5 * {last})"
    return f"{known}[datum.model] || {json.dumps(OTHER_COLOURS)}[{number} % {len(OTHER_COLOURS)}]"


COLOUR: Spec = {"calculate": colour_expression(), "as": "colour"}
MODEL: Spec = {"field": "colour", "type": "nominal", "scale": None}
SPLIT: Spec = {
    "field": "split",
    "type": "nominal",
    "title": "rows",
    "sort": None,
    "scale": {"range": [BLUE, VERMILION, MARKS["nb_svm"].colour]},
}
# Of lines; colour is taken by models or splits.
REVISION: Spec = {
    "field": "rev",
    "type": "nominal",
    "title": "revision",
    "sort": None,
    "legend": {"symbolType": "stroke", "symbolSize": 900},
}
VARYING = "datum.errors > 1 || datum.error == 0"
TIPS: Spec = {"tooltip": {"content": "data"}}
NUMBERED: Spec = {"window": [{"op": "row_number", "as": "row"}]}
AS_IN_DATA: Spec = {
    "field": "row",
    "op": "min",
    "order": "ascending",
}  # transforms that rank rows reorder them
BY_REVISION: Spec = {"row": {"field": "rev", "type": "nominal", "title": "revision"}}
POINT: Spec = {"type": "point", "filled": True, "size": 65, "opacity": 1}


def text(chart: Chart) -> str:
    """Return the content of the template's file."""
    return json.dumps(template(chart)) + "\n"


def template(chart: Chart) -> Spec:
    """Return the template of a chart: revisions are dashes of lines, rows of panels otherwise."""
    makers = {"line": _lines, "point": _lines if chart.panels else _points, "cell": _cells}
    return makers[chart.kind](chart)


def _base(chart: Chart, note: str = "") -> Spec:
    axes = [axis.column for axis in (chart.x, chart.y) if axis.form]
    data: Spec = {
        "values": "<DVC_METRIC_DATA>",
        "format": {
            "parse": dict.fromkeys(
                [*axes, *(chart.ends or ()), *filter(None, [chart.area])], "number"
            )
        },
    }
    title: Spec = {"text": "<DVC_METRIC_TITLE>", "anchor": "middle"} | (
        {"subtitle": note} if note else {}
    )
    return {"$schema": SCHEMA, "data": data, "title": title}


def _lines(chart: Chart) -> Spec:
    """Return a line per model, in a panel for each class if the chart has such panels."""
    by_split = chart.dash == "split"
    encoding: Spec = {
        "x": chart.x.encode(),
        "y": chart.y.encode(),
        "color": SPLIT if by_split else MODEL,
        "detail": {"field": "model", "type": "nominal"},
    }
    order: Spec = {"order": {"field": "row", "type": "quantitative"}, "strokeDash": REVISION}
    steps = {"interpolate": "step-before"} if chart.steps else {}
    layers: list[Spec] = [{"mark": {"type": "line"} | TIPS | steps, "encoding": encoding | order}]
    if chart.kind == "point":
        size = {"size": area_of(chart)} if chart.area else {}
        layers.append({"mark": POINT | TIPS, "encoding": encoding | size})
    if chart.guide:
        guide = guide_line(chart.guide, chart.x.encode(), chart.y.encode())
        layers.insert(0, guide | {"mark": guide["mark"] | {"color": "gray"}})
    if chart.panels == "class":
        panels: Spec = {
            "facet": {"field": "class", "type": "nominal", "sort": AS_IN_DATA},
            "columns": ACROSS,
        }
        panels["spec"] = {"width": SMALL, "height": SMALL, "layer": layers}
        drawn: Spec = {"transform": [NUMBERED, COLOUR]} | panels
        return _base(chart, _most("most mistakes", CURVES)) | _with_key(drawn)
    varying: list[Spec] = []
    if (
        chart.y.column == "error"
    ):  # the line of a baseline tells one number, and would squeeze the axis of the others
        distinct: Any = [{"op": "distinct", "field": "error", "as": "errors"}]
        varying = [{"joinaggregate": distinct, "groupby": ["rev", "model"]}, {"filter": VARYING}]
    drawn = {
        "width": SIDE,
        "height": SIDE,
        "transform": [NUMBERED, *varying, COLOUR],
        "layer": layers,
    }
    note = "Without models whose error is the same throughout" if varying else ""
    return _base(chart, note) | (drawn if by_split else _with_key(drawn))


def _with_key(chart: Spec) -> Spec:
    """Return the chart beside the data's model names; a scale's legend would list all models."""
    names: Spec = {"orient": "right", "domain": False, "ticks": False, "labelLimit": 0}
    y: Spec = {"field": "model", "type": "nominal", "sort": None, "title": None, "axis": names}
    key: Spec = {
        "transform": [{"aggregate": [{"op": "count", "as": "rows"}], "groupby": ["model"]}, COLOUR],
        "mark": POINT,
        "view": {"stroke": None},
        "encoding": {"y": y, "color": MODEL},
    }
    return {"hconcat": [chart, key]}


def _points(chart: Chart) -> Spec:
    """Return a point with its interval per model and class; of many classes the lowest means."""
    shared = {
        "y": chart.y.encode() | {"sort": AS_IN_DATA},
        "yOffset": {"field": "model", "type": "nominal", "sort": AS_IN_DATA},
        "color": MODEL,
        "tooltip": _tips(chart),
    }
    point: Spec = {"mark": POINT, "encoding": {"x": chart.x.encode()}}
    mean: Any = [{"op": "mean", "field": chart.x.column, "as": "mean"}]
    drawn = {
        "transform": [
            *([{"filter": f"datum.split == '{chart.split}'"}] if chart.split else []),
            NUMBERED,
            {"joinaggregate": mean, "groupby": ["class"]},
            *_first("mean", "class", "ascending"),
            COLOUR,
        ],
        "facet": BY_REVISION,
        "resolve": {"scale": {"y": "independent"}},
        "spec": {
            "width": SIDE,
            "encoding": shared,
            "layer": [*intervals(chart, MODEL, 2, {"value": 1}), point],
        },
    }
    return _base(chart, _most(f"lowest {chart.x.label}")) | _with_key(drawn)


def _cells(chart: Chart) -> Spec:
    """Return a matrix per model, with the same classes in the same order on both axes.

    Of many classes those with most mistakes are drawn, chosen as by `confusion.most_mistaken`. Each
    row is taken twice, for its actual and its predicted class (`name`), so that both get the
    class's total and its place in the data.
    """
    varied: Any = [{"op": "distinct", "field": "predicted", "as": "decided"}]
    wrong = "datum.actual == datum.predicted || datum.decided == 1 ? 0 : datum.count"
    of_class: Any = [
        {"op": "sum", "field": "wrong", "as": "mistakes"},
        {"op": "min", "field": "start", "as": "place"},
    ]
    of_row: Any = [{"op": "count", "as": "sides"}, {"op": "max", "field": "across", "as": "column"}]
    ranked: list[Spec] = [
        NUMBERED,
        {"joinaggregate": varied, "groupby": ["rev", "model"]},
        {"calculate": wrong, "as": "wrong"},
        {"fold": ["actual", "predicted"], "as": ["side", "name"]},
        {"calculate": "datum.side == 'actual' ? datum.row : 1e9", "as": "start"},
        {"joinaggregate": of_class, "groupby": ["name"]},
        *_first("mistakes", "name", "descending"),
        {"calculate": "datum.side == 'predicted' ? datum.place : 0", "as": "across"},
        {"joinaggregate": of_row, "groupby": ["row"]},
        {"filter": "datum.side == 'actual' && datum.sides == 2"},
    ]
    shared: Spec = {"tooltip": _tips(chart)}
    for channel, axis, place in (("x", chart.x, "column"), ("y", chart.y, "place")):
        shared[channel] = axis.encode() | {"sort": AS_IN_DATA | {"field": place}}
    layers = cells(CELL, {"field": "share", "type": "quantitative", "format": ".0%"})
    return _base(chart, _most("most mistakes")) | {
        "transform": ranked,
        "facet": BY_REVISION
        | {"column": {"field": "model", "type": "nominal", "title": "model", "sort": AS_IN_DATA}},
        "spec": {
            "width": {"step": CELL},
            "height": {"step": CELL},
            "encoding": shared,
            "layer": layers,
        },
    }


def _tips(chart: Chart) -> list[Spec]:
    return [{"field": name} for name in chart.columns]


def _first(field: str, name: str, order: str) -> list[Spec]:
    """Return transforms that keep the first `MOST_CLASSES` values of `name`, ordered by `field`."""
    rank = f"rank_{name}"
    window: Spec = {
        "window": [{"op": "dense_rank", "as": rank}],
        "sort": [{"field": field, "order": order}, {"field": name}],
    }
    return [window, {"filter": f"datum.{rank} <= {MOST_CLASSES}"}]


def _most(kind: str, most: int = MOST_CLASSES) -> str:
    return f"With more than {most} classes, those with the {kind}"
