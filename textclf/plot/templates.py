"""The templates of `dvc plots show` and `dvc plots diff`: the same charts, with the colours of the models.

DVC fills in data, title and revisions, so a template names no model or class: what is added in params.yaml appears
without an edit. `make docs` writes them to .dvc/plots. DVC finds a template there by its name, from any folder and for
any revision; it ends with an error if one is missing, so they are in Git and not made by a run.
"""

import json
from typing import Any

from textclf.plot.charts import Chart
from textclf.plot.confusion import MOST_CLASSES, cells
from textclf.plot.draw import intervals
from textclf.plot.marks import guide_line
from textclf.plot.style import BLUE, GREEN, VERMILION, Spec, colour_expression

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # the version in DVC's page
SIDE = 300  # pixels
CELL = 44  # pixels of a cell of a confusion matrix
CURVES = 12  # classes whose curves are drawn
COLOUR: Spec = {"calculate": colour_expression("model"), "as": "colour"}
MODEL: Spec = {"field": "colour", "type": "nominal", "scale": None}
SPLIT: Spec = {
    "field": "split",
    "type": "nominal",
    "title": "rows",
    "sort": None,
    "scale": {"range": [BLUE, VERMILION, GREEN]},
}
# Of lines; colour is taken by models or splits.
REVISION: Spec = {
    "field": "rev",
    "type": "nominal",
    "title": "revision",
    "sort": None,
    "legend": {"symbolType": "stroke", "symbolSize": 900},
}
TIPS: Spec = {"tooltip": {"content": "data"}}
NUMBERED: Spec = {"window": [{"op": "row_number", "as": "row"}]}
AS_IN_DATA: Spec = {"field": "row", "op": "min", "order": "ascending"}  # transforms that rank rows reorder them
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
        "format": {"parse": dict.fromkeys([*axes, *(chart.ends or ())], "number")},
    }
    title: Spec = {"text": "<DVC_METRIC_TITLE>", "anchor": "middle"} | ({"subtitle": note} if note else {})
    return {"$schema": SCHEMA, "data": data, "title": title}


def _lines(chart: Chart) -> Spec:
    """Return a line per model and class: of the first classes in the data, if there are many."""
    by_split = chart.dash == "split"
    encoding: Spec = {
        "x": chart.x.encode(),
        "y": chart.y.encode(),
        "color": SPLIT if by_split else MODEL,
        "detail": [{"field": "class", "type": "nominal"}, {"field": "model", "type": "nominal"}],
    }
    order: Spec = {"order": {"field": "row", "type": "quantitative"}, "strokeDash": REVISION}
    steps = {"interpolate": "step-before"} if chart.steps else {}
    layers: list[Spec] = [{"mark": {"type": "line"} | TIPS | steps, "encoding": encoding | order}]
    if chart.kind == "point":
        layers.append({"mark": POINT | TIPS, "encoding": encoding})
    if chart.guide:
        guide = guide_line(chart.guide, chart.x.encode(), chart.y.encode())
        layers.insert(0, guide | {"mark": guide["mark"] | {"color": "gray"}})
    first: Any = [{"op": "min", "field": "row", "as": "first"}]
    classes = [{"joinaggregate": first, "groupby": ["class"]}, *_first("first", "class", "ascending", CURVES)]
    transform = [NUMBERED, *(classes if chart.panels == "class" else []), COLOUR]
    drawn = {"width": SIDE, "height": SIDE, "transform": transform, "layer": layers}
    return _base(chart) | (drawn if by_split else _with_key(drawn))


def _with_key(chart: Spec) -> Spec:
    """Return the chart beside the names of the models in the data; the legend of a scale would list all that exist."""
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
    """Return a point per model and class with its interval; of many classes those with the lowest mean."""
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
        "spec": {"width": SIDE, "encoding": shared, "layer": [*intervals(chart, MODEL, 2, {"value": 1}), point]},
    }
    return _base(chart, _most(f"lowest {chart.x.label}")) | _with_key(drawn)


def _cells(chart: Chart) -> Spec:
    """Return a matrix per model; of many classes those with most mistakes."""
    ranked: list[Spec] = [NUMBERED, {"calculate": "datum.actual == datum.predicted ? 0 : datum.count", "as": "wrong"}]
    for column in ("actual", "predicted"):
        total: Spec = {"op": "sum", "field": "wrong", "as": f"wrong_{column}"}
        ranked += [{"joinaggregate": [total], "groupby": [column]}, *_first(f"wrong_{column}", column, "descending")]
    place = {"sort": AS_IN_DATA}
    shared = {"x": chart.x.encode() | place, "y": chart.y.encode() | place, "tooltip": _tips(chart)}
    layers = cells(CELL, {"field": "share", "type": "quantitative", "format": ".0%"})
    return _base(chart, _most("most mistakes")) | {
        "transform": ranked,
        "facet": BY_REVISION | {"column": {"field": "model", "type": "nominal", "title": "model", "sort": AS_IN_DATA}},
        "spec": {"width": {"step": CELL}, "height": {"step": CELL}, "encoding": shared, "layer": layers},
    }


def _tips(chart: Chart) -> list[Spec]:
    return [{"field": name} for name in chart.columns]


def _first(field: str, name: str, order: str, most: int = MOST_CLASSES) -> list[Spec]:
    """Return transforms that keep the first `most` values of the column `name`, in the order of `field`."""
    rank = f"rank_{name}"
    window: Spec = {
        "window": [{"op": "dense_rank", "as": rank}],
        "sort": [{"field": field, "order": order}, {"field": name}],
    }
    return [window, {"filter": f"datum.{rank} <= {most}"}]


def _most(kind: str) -> str:
    return f"With more than {MOST_CLASSES} classes, those with the {kind}"
