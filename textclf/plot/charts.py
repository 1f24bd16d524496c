"""Charts of the report: tables to Vega-Lite specifications, and these to SVG.

Each chart is one view of a width of its own choosing, so that a page can lay charts out side by side or below one
another. Every specification takes its colours of text and axes from the page (`currentColor`), and no name of a
model or a class stands in it but as data.
"""

import copy
import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.files import DIGITS
from textclf.core.formatting import readable
from textclf.plot.figures import COLOURS

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH, WIDE, SQUARE = 400, 520, 300  # pixels
HEIGHT = 240
STEP = 26  # pixels from one model to the next
LETTERS = 28  # of the models' names in one row of a legend
HOVER = "hover"  # the layers that only a pointer finds; a static picture does without
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2], [1, 3])  # colours alone are lost in black and white
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
CURVE_POINTS = 3000  # of all curves of one kind together
TOLERANCE = 0.002  # of the side of a chart, below the width of a line
STEPS_SHOWN = 300  # of one line of a history
INK = "currentColor"
# Of an SVG by Vega, which escapes < and > wherever they stand in a text or an attribute.
TAG, NUMBER = re.compile(r"<[^<>]*>"), re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
NOTHING = re.compile(r'<path[^<>]* d="(?:|M0,0h0v0h0Z)"[^<>]*/>')  # paths that draw nothing
IDLE = re.compile(r' (?:class|role|aria-\w+|pointer-events|xmlns:xlink)="[^"]*"| (?:stroke-)?opacity="1"')
PERCENT: Spec = {"format": "%", "tickCount": 6}
CONFIG: Spec = {
    "aria": False,  # the page describes a chart as a whole, and has its numbers as a table
    "background": None,
    "font": "sans-serif",  # the one that vl-convert brings along: the same widths on every machine
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "domainColor": INK,
        "tickColor": INK,
        "gridColor": INK,
        "domainOpacity": 0.35,
        "tickOpacity": 0.35,
        "gridOpacity": 0.12,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelLimit": 150,
    },
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "labelLimit": 200,
        "orient": "top",
        "symbolStrokeWidth": 2,
        "symbolSize": 90,
        "title": None,
    },
    "text": {"color": INK, "fontSize": 12},
    "rule": {"color": INK},
    "line": {"strokeWidth": 2},
}


# Charts


def accuracies(rows: pd.DataFrame, models: Sequence[str]) -> Spec:
    """A dot a model and split, that of the test rows with its interval: `model`, `split`, `accuracy`, `low`, `high`."""
    splits = list(dict.fromkeys(rows["split"]))
    tested: Spec = {"field": "split", "equal": "test"}
    y: Spec = {"field": "model", "type": "nominal", "sort": None, "title": None}
    x: Spec = {"type": "quantitative", "title": "accuracy", "axis": PERCENT, "scale": _scale(rows["low"].min())}
    shapes = {"train": "diamond", "validation": "square", "test": "circle"}
    return _chart(
        _named(rows),
        WIDE,
        STEP * len(models) + 20,
        [
            {
                "transform": [{"filter": tested}],
                "mark": {"type": "rule", "strokeWidth": 3, "strokeCap": "round"},
                "encoding": {
                    "x": x | {"field": "low"},
                    "x2": {"field": "high"},
                    "color": _colour(models, legend=None),
                },
            },
            *(
                {
                    "transform": [{"filter": tested if filled else {"not": tested}}],
                    "mark": {"type": "point", "size": 95, "opacity": 1, "strokeWidth": 2, "filled": filled},
                    "encoding": {
                        "x": x | {"field": "accuracy"},
                        "color": _colour(models, legend=None),
                        "shape": {
                            "field": "split",
                            "scale": {"domain": splits, "range": [shapes.get(split, "cross") for split in splits]},
                            "legend": {"symbolStrokeColor": INK, "symbolFillColor": "transparent", "columns": 3},
                        },
                        "tooltip": _tooltip(
                            ("model", "model"),
                            ("split", "rows"),
                            ("accuracy", "accuracy", ".1%"),
                            ("low", "interval from", ".1%"),
                            ("high", "to", ".1%"),
                        ),
                    },
                }
                for filled in (False, True)
            ),
        ],
        {"y": y},
    )


def history(rows: pd.DataFrame, models: Sequence[str], column: str) -> Spec:
    """Accuracy or loss by epoch, a line a model and split: `model`, `epoch`, `split`, and the column.

    Where the loss is drawn, the lowest of the watched rows is marked.
    """
    shown = [name for name in models if name in set(rows["model"])]
    watched = next((split for split in rows["split"] if split != "train"), "train")
    rows = rows[np.isfinite(rows[column])]
    thinned = pd.concat([rows[:0], *(_every(part) for _, part in rows.groupby(["model", "split"], sort=False))])
    title, form = {"accuracy": ("accuracy", ".1%"), "loss": ("loss (nats)", ".4f")}[column]
    y: Spec = {
        "field": column,
        "type": "quantitative",
        "title": title,
        "scale": {"zero": column == "loss", "nice": True},
        "axis": {"format": "%"} if column == "accuracy" else {},
    }
    x: Spec = {
        "field": "epoch",
        "type": "quantitative",
        "title": "epoch",
        "axis": {"grid": False, "tickMinStep": 1, "tickCount": 6},
    }
    dashes: Spec = {
        "field": "split",
        "scale": {"domain": ["train", watched], "range": [[5, 3], [1, 0]]},
        "legend": {"symbolType": "stroke", "symbolStrokeColor": INK, "symbolSize": 300},
    }
    legend: Spec | None = _row(shown) | {"symbolType": "stroke"} if len(shown) > 1 else None
    best = rows[rows["split"] == watched] if column == "loss" else rows[:0]
    lowest = best.loc[best.groupby("model", sort=False)["loss"].idxmin()] if len(best) else best
    layers: list[Spec] = [
        {
            "params": [_picked("model")],
            "mark": {"type": "line", "clip": False},
            "encoding": {
                "color": _colour(models, shown, legend=legend),
                "strokeDash": dashes,
                "opacity": _faded(),
                "y": y,
            },
        },
        _hover(y, ("model", "model"), ("split", "rows"), ("epoch", "epoch"), (column, title, form)),
    ]
    if len(lowest):
        layers.append(
            {
                "data": {"values": _values(_named(lowest)[["model", "epoch", "split", "loss"]])},
                "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                "encoding": {
                    "color": _colour(models, shown),
                    "y": y,
                    "tooltip": _tooltip(("model", "model"), ("epoch", "lowest at epoch"), ("loss", title, form)),
                },
            }
        )
    return _chart(_named(thinned[["model", "epoch", "split", column]]), WIDTH, HEIGHT, layers, {"x": x})


def confusion(rows: pd.DataFrame, classes: Sequence[str]) -> Spec:
    """A cell a pair of classes, of stronger colour for a larger `share` of the actual class.

    The columns are `actual`, `predicted`, `count`, `share`. `classes` are those shown, in order; where there are many,
    a pair without rows is left blank.
    """
    few = len(classes) <= 12
    rows = rows[rows["actual"].isin(classes) & rows["predicted"].isin(classes)]
    rows = rows if few else rows[rows["count"] > 0]
    axis: Spec = {"grid": False, "ticks": False, "domain": False, "labelLimit": 110}
    place: Spec = {"type": "nominal", "sort": None, "scale": {"domain": list(classes), "paddingInner": 0.04}}
    across = axis | {"orient": "bottom", "labelAngle": 0 if max(map(len, classes)) <= 36 / len(classes) else -60}
    side = max(SQUARE, 24 * len(classes))
    layers: list[Spec] = [
        {
            "mark": {"type": "rect", "color": COLOURS[0], "cornerRadius": 2},
            "encoding": {
                # Light enough at its darkest for the page's own ink to be read on it.
                "fillOpacity": {
                    "field": "share",
                    "type": "quantitative",
                    "scale": {"domain": [0, 1], "range": [0.05, 0.62]},
                    "legend": None,
                },
            },
        },
        {
            "mark": {"type": "text", "fontSize": 14 if len(classes) <= 6 else 11, "dy": -8 if len(classes) <= 6 else 0},
            "encoding": {"text": {"field": "count", "type": "quantitative", "format": ",d"}},
        },
    ]
    if len(classes) <= 6:
        layers.append(
            {
                "mark": {"type": "text", "fontSize": 12, "dy": 10},
                "encoding": {"text": {"field": "share", "type": "quantitative", "format": ".0%"}},
            }
        )
    return _chart(
        rows[["actual", "predicted", "count", "share"]],
        min(side, WIDE),
        min(side, WIDE) if len(classes) > 4 else 210,
        layers,
        {
            "x": place | {"field": "predicted", "title": "predicted class", "axis": across},
            "y": place | {"field": "actual", "title": "actual class", "axis": axis},
            # Of the numbers too, which lie above the cells.
            "tooltip": _tooltip(
                ("actual", "actual"),
                ("predicted", "predicted"),
                ("count", "rows", ",d"),
                ("share", "of the actual class", ".1%"),
            ),
        },
    )


def roc(rows: pd.DataFrame, models: Sequence[str], limit: int = CURVE_POINTS, legend: bool = True) -> Spec:
    """A ROC curve a model, of one class: `model`, `false_positive_rate`, `true_positive_rate`."""
    return _curves(rows, models, ("false_positive_rate", "true_positive_rate"), [(0, 0), (1, 1)], limit, legend)


def precision_recall(
    rows: pd.DataFrame, models: Sequence[str], share: float, limit: int = CURVE_POINTS, legend: bool = True
) -> Spec:
    """A precision-recall curve a model, of one class: `model`, `recall`, `precision`.

    `share`, the class's part of the rows, is the precision of guessing.
    """
    return _curves(rows, models, ("recall", "precision"), [(0, share), (1, share)], limit, legend)


def reliability(rows: pd.DataFrame, models: Sequence[str], model: str) -> Spec:
    """Accuracy against confidence, a point a bin with its interval.

    The columns are `confidence`, `accuracy`, `accuracy_low`, `accuracy_high`, `rows`; the diagonal is calibrated.
    """
    colour = COLOURS[list(models).index(model) % len(COLOURS)]
    start = 0.4 if rows["confidence"].min() >= 0.5 else 0.0
    x: Spec = {
        "field": "confidence",
        "type": "quantitative",
        "title": "mean probability of the predicted class",
        "scale": {"domain": [start, 1]},
        "axis": PERCENT,
    }
    y: Spec = {"type": "quantitative", "title": "accuracy", "scale": {"domain": [0, 1]}, "axis": {"format": "%"}}
    return _chart(
        rows[["confidence", "accuracy", "accuracy_low", "accuracy_high", "rows"]],
        SQUARE,
        HEIGHT,
        [
            _guide([(start, start), (1, 1)], "confidence", "accuracy", x, y),
            {
                "mark": {"type": "rule", "color": colour, "strokeWidth": 2, "opacity": 0.6},
                "encoding": {"y": y | {"field": "accuracy_low"}, "y2": {"field": "accuracy_high"}},
            },
            {
                "mark": {"type": "point", "color": colour, "filled": True, "size": 80, "opacity": 1},
                "encoding": {
                    "y": y | {"field": "accuracy"},
                    "tooltip": _tooltip(
                        ("confidence", "mean probability", ".1%"),
                        ("accuracy", "accuracy", ".1%"),
                        ("accuracy_low", "interval from", ".1%"),
                        ("accuracy_high", "to", ".1%"),
                        ("rows", "rows", ",d"),
                    ),
                },
            },
        ],
        {"x": x},
    )


def lengths(rows: pd.DataFrame) -> Spec:
    """A bar a range of lengths: `from` and `to` words, and `rows`."""
    return _chart(
        rows[["from", "to", "rows"]],
        WIDE,
        150,
        [
            {
                "mark": {"type": "bar", "color": COLOURS[0], "binSpacing": 1, "opacity": 0.8},
                "encoding": {
                    "x": {
                        "field": "from",
                        "bin": {"binned": True},
                        "type": "quantitative",
                        "title": "words in a text",
                        "axis": {"grid": False, "tickMinStep": 1},
                    },
                    "x2": {"field": "to"},
                    "y": {"field": "rows", "type": "quantitative", "title": "texts", "axis": {"tickCount": 4}},
                    "tooltip": _tooltip(
                        ("from", "words, from", ",d"), ("to", "to below", ",d"), ("rows", "texts", ",d")
                    ),
                },
            }
        ],
        {},
    )


def by_length(rows: pd.DataFrame, models: Sequence[str]) -> Spec:
    """Accuracy by the length of the text, a dot a model: `model`, `words`, `accuracy`, `low`, `high`, `rows`."""
    return _groups(rows, models, "words", "words in the text", upright=True)


def by_class(rows: pd.DataFrame, models: Sequence[str]) -> Spec:
    """Recall of each class, a dot a model: `model`, `class`, `accuracy`, `low`, `high`, `rows`."""
    return _groups(rows, models, "class", None, upright=False)


# What they share


def _groups(rows: pd.DataFrame, models: Sequence[str], column: str, title: str | None, upright: bool) -> Spec:
    """Dots with intervals, grouped by a column; the groups side by side, or below one another."""
    shown = [name for name in models if name in set(rows["model"])]
    groups = rows[column].nunique()
    value: Spec = {
        "type": "quantitative",
        "title": "accuracy" if upright else "recall: share of the class found",
        "axis": PERCENT,
        "scale": {"domain": [0, 1]},
    }
    group: Spec = {"field": column, "type": "nominal", "sort": None, "title": title}
    group["axis"] = {"labelAngle": 0} if upright else {"labelLimit": 130}
    group["scale"] = {"paddingInner": 0.3}
    across, along, offset = ("x", "y", "xOffset") if upright else ("y", "x", "yOffset")
    aside: Spec = {"field": "model", "sort": None, "scale": {"domain": [readable(name) for name in shown]}}
    height = HEIGHT if upright else 40 + groups * (14 * len(shown) + 10)
    return _chart(
        _named(rows)[["model", column, "accuracy", "low", "high", "rows"]],
        WIDE,
        height,
        [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    along: value | {"field": "low"},
                    f"{along}2": {"field": "high"},
                    "color": _colour(models, shown),
                    "opacity": _faded(0.65),
                },
            },
            {
                "params": [_picked("model")],
                "mark": {"type": "point", "filled": True, "size": 65},
                "encoding": {
                    along: value | {"field": "accuracy"},
                    "color": _colour(models, shown, legend=_row(shown) | {"symbolStrokeWidth": 0}),
                    "shape": _shape(models, shown),
                    "opacity": _faded(),
                    "tooltip": _tooltip(
                        ("model", "model"),
                        (column, title or column),
                        ("accuracy", "accuracy", ".1%"),
                        ("low", "interval from", ".1%"),
                        ("high", "to", ".1%"),
                        ("rows", "rows", ",d"),
                    ),
                },
            },
        ],
        {across: group, offset: aside},
    )


def _curves(
    rows: pd.DataFrame,
    models: Sequence[str],
    columns: tuple[str, str],
    guide: list[tuple[float, float]],
    limit: int,
    legend: bool,
) -> Spec:
    across, along = columns
    shown = [name for name in models if name in set(rows["model"])]
    part = max(20, limit // max(1, len(shown)))
    thinned = [points.iloc[thin(points[[across, along]].to_numpy(float), part)] for _, points in _by_model(rows)]
    axis: Spec = {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": PERCENT}
    x = axis | {"field": across, "title": across.replace("_", " ")}
    y = axis | {"field": along, "title": along.replace("_", " ")}
    said: Spec | None = _row(shown) | {"symbolType": "stroke", "symbolSize": 300} if legend else None
    line: Spec = {
        "mark": {"type": "line"},
        "encoding": {
            "y": y,
            "color": _colour(models, shown, legend=said),
            "strokeDash": {"field": "model", "scale": _of_models(models, DASHES, shown), "legend": said},
            "order": {"field": "place", "type": "quantitative"},
        },
    }
    if legend:
        line["params"] = [_picked("model")]
        line["encoding"]["opacity"] = _faded()
    return _chart(
        _named(pd.concat(thinned)[["model", across, along]]),
        WIDTH,
        SQUARE,
        [
            _guide(guide, across, along, x, y),
            line,
            _hover(y, ("model", "model"), (across, x["title"], ".1%"), (along, y["title"], ".1%")),
        ],
        {"x": x},
        numbered=True,
    )


def key(models: Sequence[str]) -> list[dict[str, str]]:
    """The name, colour and dashes of each model's curve, for a page that says them once for many charts."""
    return [
        {
            "name": readable(name),
            "colour": COLOURS[place % len(COLOURS)],
            "dash": " ".join(map(str, DASHES[place % len(DASHES)])) if place else "none",
        }
        for place, name in enumerate(models)
    ]


def thin(points: NDArray[np.float64], limit: int) -> NDArray[np.int64]:
    """Positions of the points (points, 2) that draw the same curve, `limit` at most, the ends among them.

    Douglas and Peucker (1973), Cartographica 10:112-122, doi:10.3138/FM57-6770-U75U-7727: a point is kept if the
    curve without it would be off by more than `TOLERANCE`, which is raised until few enough are left.
    """
    tolerance = TOLERANCE
    while len(kept := _peucker(points, tolerance)) > max(limit, 2):
        tolerance *= 2
    return kept


def _peucker(points: NDArray[np.float64], tolerance: float) -> NDArray[np.int64]:
    keep = np.zeros(len(points), dtype=bool)
    keep[[0, -1]] = True
    waiting = [(0, len(points) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        between, along = points[first + 1 : last] - points[first], points[last] - points[first]
        length = float(np.hypot(*along))
        if length > 0:
            away = np.abs(between[:, 0] * along[1] - between[:, 1] * along[0]) / length
        else:
            away = np.hypot(between[:, 0], between[:, 1])
        farthest = int(away.argmax())
        if away[farthest] > tolerance:
            middle = first + 1 + farthest
            keep[middle] = True
            waiting += [(first, middle), (middle, last)]
    return np.flatnonzero(keep)


def _every(points: pd.DataFrame) -> pd.DataFrame:
    """A row in so many, that few enough are left; the first and the last among them."""
    places = np.unique(np.linspace(0, len(points) - 1, STEPS_SHOWN).round().astype(int))
    return points.iloc[places] if len(points) > STEPS_SHOWN else points


def _chart(
    rows: pd.DataFrame, width: int, height: int, layers: list[Spec], shared: Mapping[str, Any], numbered: bool = False
) -> Spec:
    if numbered:
        rows = rows.assign(place=range(len(rows)))  # a curve may go straight up: the order of x does not draw it
    return {
        "$schema": SCHEMA,
        "width": width,
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 2,
        "config": CONFIG,
        "data": {"values": _values(rows)},
        "encoding": shared,
        "layer": layers,
    }


def _guide(points: list[tuple[float, float]], across: str, along: str, x: Spec, y: Spec) -> Spec:
    """The line that a model without knowledge, or one that knows itself, would draw."""
    return {
        "data": {"values": [{across: _number(a), along: _number(b)} for a, b in points]},
        "mark": {"type": "line", "color": INK, "strokeWidth": 1, "strokeDash": [2, 3], "opacity": 0.6},
        "encoding": {"x": x, "y": y | {"field": along}},
    }


def _hover(y: Spec, *fields: tuple[str, ...]) -> Spec:
    """Points that can not be seen but that a pointer finds."""
    mark = {"type": "point", "opacity": 0, "size": 120, "filled": True}
    return {"name": HOVER, "mark": mark, "encoding": {"y": y, "tooltip": _tooltip(*fields)}}


def _picked(field: str) -> Spec:
    return {"name": "picked", "select": {"type": "point", "fields": [field]}, "bind": "legend"}


def _faded(full: float = 1) -> Spec:
    return {"condition": {"param": "picked", "value": full}, "value": 0.12}


def _colour(models: Sequence[str], shown: Sequence[str] | None = None, **legend: Spec | None) -> Spec:
    """A model's colour; layers of one chart say the same of the scale, and one of them alone of the legend."""
    return {"field": "model", "scale": _of_models(models, COLOURS, shown), **legend}


def _shape(models: Sequence[str], shown: Sequence[str]) -> Spec:
    return {
        "field": "model",
        "scale": _of_models(models, SHAPES, shown),
        "legend": _row(shown) | {"symbolStrokeWidth": 0},
    }


def _row(shown: Sequence[str]) -> Spec:
    """A legend of as many columns as have room on a phone."""
    return {"columns": len(shown) if sum(map(len, shown)) <= LETTERS else 2}


def _of_models(models: Sequence[str], marks: Sequence[Any], shown: Sequence[str] | None = None) -> Spec:
    """A scale that gives a model the same mark in every chart, of those shown."""
    given = {name: marks[place % len(marks)] for place, name in enumerate(models) if shown is None or name in shown}
    return {"domain": [readable(name) for name in given], "range": list(given.values())}


def _scale(lowest: float) -> Spec:
    return {"domain": [max(0.0, round(lowest - 0.05, 1)), 1]}


def _tooltip(*fields: tuple[str, ...]) -> list[Spec]:
    """A line a field: its name, its title, and its format if it is a number."""
    return [
        {"field": name, "title": title, "type": "quantitative" if form else "nominal"}
        | ({"format": form[0]} if form else {})
        for name, title, *form in fields
    ]


def _by_model(rows: pd.DataFrame) -> Any:
    return rows.groupby("model", sort=False)


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(model=[readable(str(name)) for name in rows["model"]])


def _values(rows: pd.DataFrame) -> list[Spec]:
    """The rows as records whose numbers are Python's, short, and None where there is none."""
    columns = {name: [_number(value) for value in rows[name].tolist()] for name in rows.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _number(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS) if np.isfinite(value) else None
    return value


# Pictures


def svg(spec: Spec) -> str:
    """The chart as SVG without script, id or style, that takes its ink from the page; its numbers are short."""
    import vl_convert

    still = copy.copy(spec)
    still["layer"] = [layer for layer in spec["layer"] if layer.get("name") != HOVER]
    drawn: str = vl_convert.vegalite_to_svg(still)
    drawn = NOTHING.sub("", drawn)
    return TAG.sub(lambda tag: NUMBER.sub(_short, IDLE.sub("", tag[0])), drawn)


def _short(number: re.Match[str]) -> str:
    return f"{round(float(number[0]), 2):g}"


@functools.cache  # a second's work
def javascript(snippet: str) -> str:
    """A script that holds Vega, Vega-Lite and Vega-Embed (`vegaEmbed`) and ends with the snippet."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle(snippet)
    return bundle
