"""The templates of `dvc plots show` and `dvc plots diff`, with the colours and cells of the charts.

DVC fills in data, titles and revisions, so a template names no model or class: what is added in params.yaml appears
without an edit. `make docs` writes them to .dvc/plots.
"""

import json
from typing import Any

from textclf.plot.confusion import MOST_CLASSES, cells
from textclf.plot.style import BLUE, GREEN, PERCENT, VERMILION, Spec, colour_expression

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # the version in DVC's page
DATA, TITLE = "<DVC_METRIC_DATA>", "<DVC_METRIC_TITLE>"
SIDE = 300  # pixels
CELL = 44  # pixels of a cell of a confusion matrix
CURVES = 12  # classes whose curves are drawn
SHARE: Spec = {"domain": [0, 1]}
X: Spec = {"field": "<DVC_METRIC_X>", "type": "quantitative", "title": "<DVC_METRIC_X_LABEL>"}
Y: Spec = {"field": "<DVC_METRIC_Y>", "type": "quantitative", "title": "<DVC_METRIC_Y_LABEL>"}
COLOUR: Spec = {"calculate": colour_expression("model"), "as": "colour"}
MODEL: Spec = {"field": "colour", "type": "nominal", "scale": None}
# Of lines; colour is taken by models or splits.
REVISION: Spec = {
    "field": "rev",
    "type": "nominal",
    "title": "revision",
    "sort": None,
    "legend": {"symbolType": "stroke", "symbolSize": 900},
}
ROWS: Spec = {"field": "rev", "type": "nominal", "title": "revision"}  # where each revision is a row of panels
TIPS: Spec = {"content": "data"}
NUMBERED: Spec = {"window": [{"op": "row_number", "as": "row"}]}
AS_IN_DATA: Spec = {"field": "row", "op": "min", "order": "ascending"}  # transforms that rank rows reorder them


def templates() -> dict[str, Spec]:
    """Return the specification of each template by its name."""
    return {
        "by_class": _by_class(),
        "by_split": _by_split(),
        "confusion_by_model": _confusion_by_model(),
        "precision_recall_by_model": _curves({"interpolate": "step-before"}, diagonal=False),
        "reliability_by_model": _curves({}, diagonal=True, points=True),
        "risk_coverage_by_model": _curves({}, diagonal=False, y_scale={"zero": True}),
        "roc_by_model": _curves({}, diagonal=True),
    }


def text(template: Spec) -> str:
    """Return the content of a template's file."""
    return json.dumps(template, indent=2) + "\n"


def _base(note: str = "", **parse: str) -> Spec:
    data: Spec = {"values": DATA} | ({"format": {"parse": parse}} if parse else {})
    title: Spec = {"text": TITLE, "anchor": "middle"} | ({"subtitle": note} if note else {})
    return {"$schema": SCHEMA, "data": data, "title": title}


def _with_key(chart: Spec) -> Spec:
    """Return the chart beside the names of the models in the data; the legend of a scale would list all that exist."""
    key: Spec = {
        "transform": [{"aggregate": [{"op": "count", "as": "rows"}], "groupby": ["model"]}, COLOUR],
        "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
        "view": {"stroke": None},
        "encoding": {
            "y": {
                "field": "model",
                "type": "nominal",
                "sort": None,
                "title": None,
                "axis": {"orient": "right", "domain": False, "ticks": False, "labelLimit": 0},
            },
            "color": MODEL,
        },
    }
    return {"hconcat": [chart, key]}


def _by_split() -> Spec:
    return _base() | {
        "width": SIDE,
        "height": SIDE,
        "mark": {"type": "line", "tooltip": TIPS},
        "encoding": {
            "x": X,
            "y": Y | {"scale": {"zero": False}},
            "color": {
                "field": "split",
                "type": "nominal",
                "title": "rows",
                "sort": None,
                "scale": {"range": [BLUE, VERMILION, GREEN]},
            },
            "detail": {"field": "model", "type": "nominal"},
            "strokeDash": REVISION,
        },
    }


def _curves(mark: Spec, diagonal: bool, points: bool = False, y_scale: Spec = SHARE) -> Spec:
    """Return a curve per model and class: of the first classes in the data, if there are many."""
    axis: Spec = {"scale": SHARE, "axis": PERCENT}
    layers: list[Spec] = [
        {
            "mark": {"type": "line", "tooltip": TIPS} | mark,
            "encoding": {
                "x": X | axis,
                "y": Y | axis | {"scale": y_scale},
                "order": {"field": "row", "type": "quantitative"},
                "color": MODEL,
                "detail": [{"field": "class", "type": "nominal"}, {"field": "model", "type": "nominal"}],
                "strokeDash": REVISION,
            },
        }
    ]
    if points:
        encoding = {key: value for key, value in layers[0]["encoding"].items() if key not in {"order", "strokeDash"}}
        layers.append({"mark": {"type": "point", "filled": True, "size": 50, "opacity": 1}, "encoding": encoding})
    if diagonal:
        ends: Any = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
        line: Spec = {"type": "line", "color": "gray", "strokeWidth": 1, "strokeDash": [2, 3]}
        place = {name: {"field": name, "type": "quantitative"} for name in "xy"}
        layers.insert(0, {"data": {"values": ends}, "mark": line, "encoding": place})
    return _base() | _with_key(
        {
            "width": SIDE,
            "height": SIDE,
            "transform": [
                NUMBERED,
                {"joinaggregate": [{"op": "min", "field": "row", "as": "first"}], "groupby": ["class"]},
                {"window": [{"op": "dense_rank", "as": "rank"}], "sort": [{"field": "first"}]},
                {"filter": f"datum.rank <= {CURVES}"},
                COLOUR,
            ],
            "layer": layers,
        }
    )


def _by_class() -> Spec:
    x: Spec = {"type": "quantitative", "title": "<DVC_METRIC_X_LABEL>", "scale": SHARE, "axis": PERCENT}
    return _base(_most("lowest F1"), f1="number", f1_low="number", f1_high="number") | _with_key(
        {
            "transform": [
                {"filter": "datum.split == 'test'"},
                NUMBERED,
                {"joinaggregate": [{"op": "mean", "field": "f1", "as": "mean"}], "groupby": ["class"]},
                *_first("mean", "class", "ascending"),
                COLOUR,
            ],
            "facet": {"row": ROWS},
            "resolve": {"scale": {"y": "independent"}},
            "spec": {
                "width": SIDE,
                "encoding": {
                    "y": {
                        "field": "<DVC_METRIC_Y>",
                        "type": "nominal",
                        "title": "<DVC_METRIC_Y_LABEL>",
                        "sort": AS_IN_DATA,
                    },
                    "yOffset": {"field": "model", "type": "nominal", "sort": AS_IN_DATA},
                    "color": MODEL,
                },
                "layer": [
                    {
                        "mark": {"type": "rule", "strokeWidth": 2, "tooltip": TIPS},
                        "encoding": {"x": x | {"field": "f1_low"}, "x2": {"field": "f1_high"}},
                    },
                    {
                        "mark": {"type": "point", "filled": True, "size": 65, "tooltip": TIPS},
                        "encoding": {"x": x | {"field": "f1"}},
                    },
                ],
            },
        }
    )


def _confusion_by_model() -> Spec:
    place: Spec = {"type": "nominal", "sort": AS_IN_DATA}
    ranked: list[Spec] = [NUMBERED, {"calculate": "datum.actual == datum.predicted ? 0 : datum.count", "as": "wrong"}]
    for column in ("actual", "predicted"):
        total: Spec = {"op": "sum", "field": "wrong", "as": f"wrong_{column}"}
        ranked += [{"joinaggregate": [total], "groupby": [column]}, *_first(f"wrong_{column}", column, "descending")]
    return _base(_most("most mistakes"), count="number", share="number") | {
        "transform": ranked,
        "facet": {"row": ROWS, "column": {"field": "model", "type": "nominal", "title": "model", "sort": AS_IN_DATA}},
        "spec": {
            "width": {"step": CELL},
            "height": {"step": CELL},
            "encoding": {
                "x": place | {"field": "<DVC_METRIC_X>", "title": "<DVC_METRIC_X_LABEL>"},
                "y": place | {"field": "<DVC_METRIC_Y>", "title": "<DVC_METRIC_Y_LABEL>"},
                "tooltip": [{"field": name} for name in ("model", "actual", "predicted", "count", "share")],
            },
            "layer": cells(CELL, {"field": "share", "type": "quantitative", "format": ".0%"}),
        },
    }


def _first(field: str, name: str, order: str) -> list[Spec]:
    """Return transforms that keep the first `MOST_CLASSES` values of the column `name`, in the order of `field`."""
    rank = f"rank_{name}"
    window: Spec = {
        "window": [{"op": "dense_rank", "as": rank}],
        "sort": [{"field": field, "order": order}, {"field": name}],
    }
    return [window, {"filter": f"datum.{rank} <= {MOST_CLASSES}"}]


def _most(kind: str) -> str:
    return f"With more than {MOST_CLASSES} classes, those with the {kind}"
