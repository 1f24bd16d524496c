"""The templates of `dvc plots show` and `dvc plots diff`, with the colours and cells of the charts.

DVC fills in data, titles and revisions, so that a template names no model: a model added in params.yaml appears without
an edit. `make docs` writes them to .dvc/plots.
"""

import json

from textclf.core.files import SPLITS
from textclf.plot.confusion import cells
from textclf.plot.style import COLOURS, PERCENT, Spec

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # the version in DVC's page
DATA, TITLE = "<DVC_METRIC_DATA>", {"text": "<DVC_METRIC_TITLE>", "anchor": "middle"}
SIDE = 300  # pixels
CELL = 44  # pixels of a cell of a confusion matrix
SHARE: Spec = {"domain": [0, 1]}
X: Spec = {"field": "<DVC_METRIC_X>", "type": "quantitative", "title": "<DVC_METRIC_X_LABEL>"}
Y: Spec = {"field": "<DVC_METRIC_Y>", "type": "quantitative", "title": "<DVC_METRIC_Y_LABEL>"}
MODEL: Spec = {"field": "model", "type": "nominal", "title": "model", "sort": None, "scale": {"range": [*COLOURS]}}
# Of lines; colour is taken by models or splits.
REVISION: Spec = {
    "field": "rev",
    "type": "nominal",
    "title": "revision",
    "sort": None,
    "legend": {"symbolType": "stroke", "symbolSize": 900},
}
ROWS: Spec = {"field": "rev", "type": "nominal", "title": "revision"}  # where each revision is a row of panels


def templates() -> dict[str, Spec]:
    """Return the specification of each template by its name."""
    return {
        "by_class": _by_class(),
        "by_split": _by_split(),
        "confusion_by_model": _confusion_by_model(),
        "curve_by_model": _curve_by_model(),
    }


def text(template: Spec) -> str:
    """Return the content of a template's file."""
    return json.dumps(template, indent=2) + "\n"


def _base(**parse: str) -> Spec:
    data: Spec = {"values": DATA} | ({"format": {"parse": parse}} if parse else {})
    return {"$schema": SCHEMA, "data": data, "title": TITLE}


def _line() -> Spec:
    return {"width": SIDE, "height": SIDE, "mark": {"type": "line", "tooltip": {"content": "data"}}}


def _by_split() -> Spec:
    train, test, validation, *_ = COLOURS
    splits: Spec = {"domain": [*SPLITS], "range": [train, validation, test]}
    return (
        _base()
        | _line()
        | {
            "encoding": {
                "x": X,
                "y": Y | {"scale": {"zero": False}},
                "color": {"field": "split", "type": "nominal", "title": "rows", "scale": splits},
                "detail": {"field": "model", "type": "nominal"},
                "strokeDash": REVISION,
            }
        }
    )


def _curve_by_model() -> Spec:
    return (
        _base()
        | _line()
        | {
            "transform": [{"window": [{"op": "row_number", "as": "row"}]}],
            "encoding": {
                "x": X | {"scale": SHARE, "axis": PERCENT},
                "y": Y | {"scale": SHARE, "axis": PERCENT},
                "order": {"field": "row", "type": "quantitative"},
                "color": MODEL,
                "detail": {"field": "class", "type": "nominal"},
                "strokeDash": REVISION,
            },
        }
    )


def _by_class() -> Spec:
    x: Spec = {"type": "quantitative", "title": "<DVC_METRIC_X_LABEL>", "scale": SHARE, "axis": PERCENT}
    tips: Spec = {"content": "data"}
    return _base(f1="number", f1_low="number", f1_high="number") | {
        "transform": [{"filter": "datum.split == 'test'"}],
        "facet": {"row": ROWS},
        "resolve": {"scale": {"y": "independent"}},
        "spec": {
            "width": SIDE,
            "encoding": {
                "y": {"field": "<DVC_METRIC_Y>", "type": "nominal", "title": "<DVC_METRIC_Y_LABEL>", "sort": None},
                "yOffset": {"field": "model", "type": "nominal", "sort": None},
                "color": MODEL,
            },
            "layer": [
                {
                    "mark": {"type": "rule", "strokeWidth": 2, "tooltip": tips},
                    "encoding": {"x": x | {"field": "f1_low"}, "x2": {"field": "f1_high"}},
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 65, "tooltip": tips},
                    "encoding": {"x": x | {"field": "f1"}},
                },
            ],
        },
    }


def _confusion_by_model() -> Spec:
    place: Spec = {"type": "nominal", "sort": None}
    return _base(count="number", share="number") | {
        "facet": {"row": ROWS, "column": {"field": "model", "type": "nominal", "title": "model", "sort": None}},
        "spec": {
            "width": {"step": CELL},
            "height": {"step": CELL},
            "encoding": {
                "x": place | {"field": "<DVC_METRIC_X>", "title": "<DVC_METRIC_X_LABEL>"},
                "y": place | {"field": "<DVC_METRIC_Y>", "title": "<DVC_METRIC_Y_LABEL>"},
                "tooltip": [{"field": name} for name in ("model", "actual", "predicted", "count", "share")],
            },
            "layer": cells(CELL, many=False),
        },
    }
