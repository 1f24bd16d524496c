"""Charts of rows as Vega-Lite: lines, thinned curves, points with intervals, and bars."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.formatting import display_name
from textclf.plot.charts import Chart
from textclf.plot.marks import (
    LEGEND_LETTERS,
    TITLED,
    TITLES,
    by_model,
    chart_of,
    describe,
    guide_line,
    legend_row,
    named,
    present,
    title,
    values,
)
from textclf.plot.style import BLUE, HEIGHT, SQUARE, WIDTH, Spec, mark_of

# Titles of the points of a chart of lines.
MOST_TITLES = 40
# Square pixels of a point whose area shows a number: of 0 and of the largest.
AREAS = [12, 260]
# Points of all curves of one kind together.
CURVE_POINTS = 3000
# As a share of the side of a chart: less than the width of a line.
TOLERANCE = 0.002


def intervals(chart: Chart, hue: Spec, width: float, opacity: Spec) -> list[Spec]:
    """Return the layer of a chart's intervals, if any, as lines of this colour and width."""
    if not chart.ends:
        return []
    along, axis = ("y", chart.y) if chart.y.form else ("x", chart.x)
    low, high = chart.ends
    encoding = {
        along: axis.encode(low),
        f"{along}2": {"field": high},
        "color": hue,
        "opacity": opacity,
    }
    return [{"mark": {"type": "rule", "strokeWidth": width}, "encoding": encoding}]


def area_of(chart: Chart) -> Spec:
    """Return the encoding of a point's area by the number in the chart's column for it."""
    scale = {"zero": True, "range": AREAS}
    return {"field": chart.area, "type": "quantitative", "scale": scale, "legend": None}


def lines(
    chart: Chart,
    rows: pd.DataFrame,
    models: Sequence[str],
    *,
    size: tuple[int, int] = (WIDTH, SQUARE),
    legend: bool = True,
    letters: int = LEGEND_LETTERS,
    titles: Mapping[str, str] | None = None,
    dashes: Spec | None = None,
    more: Sequence[Spec] = (),
) -> Spec:
    """Return a line per model through its rows in their order, with intervals if there are any.

    `titles` has what the legend says instead of a model's name, `letters` in one row at most.
    `dashes` encodes another column than `model` by the dashes of its line. `more` are further
    layers.
    """
    shown = present(rows, models)
    names = [title(name, titles) for name in shown]
    symbols = None
    if legend:
        symbols = legend_row(names, letters, symbolType="stroke", symbolSize=300, symbolOpacity=1)
    y = chart.y.encode()
    encoding = {
        "y": y,
        "color": by_model("colour", shown, titles, legend=symbols),
        "strokeDash": dashes or by_model("dash", shown, titles, legend=symbols),
        # A curve may go straight up: x does not give its order.
        "order": {"field": "place", "type": "quantitative"},
    }
    line: Spec = {"mark": {"type": "line"}, "encoding": encoding}
    # Thin and pale, as there are many, and lines besides.
    rules = intervals(chart, by_model("colour", shown), 1.5, {"value": 0.5})
    every = -(-len(rows) // MOST_TITLES) or 1
    said = describe(named(rows, titles).iloc[::every], _fields(chart, rows))
    points: Spec = {
        "name": TITLES,
        "data": {"values": values(said[[chart.x.column, chart.y.column, "model", "said"]])},
        "mark": {"type": "square", "size": 64, "opacity": 0},
        "encoding": {"y": y, "color": by_model("colour", shown)} | TITLED,
    }
    layers = [*_guides(chart), *rules, line, points, *more]
    if chart.ends:
        mark = {"type": "point", "filled": True, "size": 45, "opacity": 1}
        layers.append({"mark": mark, "encoding": {"y": y, "color": by_model("colour", shown)}})
    columns = [name for name in rows if name in chart.columns]
    table = named(rows, titles)[columns].assign(place=np.arange(len(rows)))
    return chart_of(table, *size, layers, {"x": chart.x.encode()})


def points(
    chart: Chart,
    rows: pd.DataFrame,
    models: Sequence[str],
    *,
    size: tuple[int, int],
    legend: bool = True,
    more: Sequence[Spec] = (),
) -> Spec:
    """Return a point per row with its interval; models stand side by side if there is a legend.

    A chart with models along an axis needs none. `more` are further layers.
    """
    shown = present(rows, models)
    named_by_axis = chart.y.column == "model"
    symbols = None
    if not named_by_axis:
        symbols = legend_row(shown, symbolStrokeWidth=0, symbolOpacity=1)
    along, across = ("y", "x") if chart.y.form else ("x", "y")
    value, group = (chart.y, chart.x) if chart.y.form else (chart.x, chart.y)
    # Without a legend, a scale would be that of the first of the panels that stand side by side.
    colour = {"value": mark_of(shown[0]).colour}
    if legend:
        colour = by_model("colour", shown, legend=symbols)
    encoding: Spec = {along: value.encode(), "color": colour}
    shared: Spec = {across: group.encode()}
    point: Spec = {"mark": {"type": "point", "filled": True, "size": 80, "opacity": 1}}
    if legend:
        encoding["shape"] = by_model("shape", shown, legend=symbols)
    if legend and not named_by_axis:
        shared[f"{across}Offset"] = {
            "field": "model",
            "sort": None,
            "scale": {"domain": [*map(display_name, shown)]},
        }
    if chart.area:
        encoding["size"] = area_of(chart)
    point["encoding"] = encoding | TITLED
    table = named(rows)[[name for name in rows if name in {*chart.columns, "rows"}]]
    layers = [*_guides(chart), *intervals(chart, colour, 2, {"value": 0.6}), point, *more]
    return chart_of(describe(table, _fields(chart, table)), *size, layers, shared)


def bars(chart: Chart, rows: pd.DataFrame, *, size: tuple[int, int]) -> Spec:
    """Return a bar per row, as high as its number, from one of the chart's `ends` to the other."""
    low, high = chart.ends or ("low", "high")
    x = chart.x.encode(low) | {"bin": {"binned": True}}
    bar = {
        "mark": {"type": "bar", "color": BLUE, "binSpacing": 1, "opacity": 0.8},
        "encoding": {"x": x, "x2": {"field": high}, "y": chart.y.encode()} | TITLED,
    }
    fields = [(*chart.x.field[:2], low, high), chart.y.field]
    return chart_of(describe(rows[[low, high, chart.y.column]], fields), *size, [bar], {})


def _fields(chart: Chart, rows: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return what the title of a mark says, as for `describe`.

    These are model, split, both axes, interval and rows, as far as the rows have them.
    """
    value = chart.y if chart.y.form else chart.x
    fields: list[tuple[str, ...]] = [
        ("model", "", "model"),
        ("rows", "", "split"),
        chart.x.field,
        chart.y.field,
    ]
    fields += [("interval", value.form, *chart.ends)] if chart.ends else []
    fields.append(("rows", ",.0f", "rows"))
    return list({field[2:]: field for field in fields if {*field[2:]} <= {*rows}}.values())


def _guides(chart: Chart) -> list[Spec]:
    return [guide_line(chart.guide, chart.x.encode(), chart.y.encode())] if chart.guide else []


def curves(
    chart: Chart,
    rows: pd.DataFrame,
    models: Sequence[str],
    limit: int = CURVE_POINTS,
    **options: Any,
) -> Spec:
    """Return a curve per model, of `limit` points together; `options` are those of `lines`."""
    limit = max(20, limit // max(1, len(present(rows, models))))
    x, y = chart.x.column, chart.y.column
    parts = []
    for _, curve in rows.groupby("model", sort=False):
        points = curve
        if chart.steps:
            # With the corners between two points, where y is already that of the next one.
            twice = np.repeat(np.arange(len(curve)), 2)
            points = curve.iloc[twice[:-1]].assign(**{y: curve[y].to_numpy()[twice[1:]]})
        parts.append(points.iloc[thin(points[[x, y]].to_numpy(), limit)])
    return lines(chart, pd.concat(parts, ignore_index=True), models, **options)


def area(curve: pd.DataFrame) -> float:
    """Return the area below a ROC curve, by the trapezoidal rule."""
    x, y = (curve[name].to_numpy() for name in ("false_positive_rate", "true_positive_rate"))
    return float(np.nansum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def thin(points: NDArray[np.float64], limit: int) -> NDArray[np.int64]:
    """Return the positions of at most `limit` points that draw the same curve, with both ends.

    `points` is (points, 2).

    Douglas and Peucker (1973), Cartographica 10:112-122, doi:10.3138/FM57-6770-U75U-7727: a point
    is kept if the curve without it would be off by more than `TOLERANCE`, which is raised until few
    enough are left.
    """
    tolerance = TOLERANCE
    positions = _peucker(points, tolerance)
    while len(positions) > max(limit, 2):
        tolerance *= 2
        positions = _peucker(points, tolerance)
    return positions


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
            distance = np.abs(between[:, 0] * along[1] - between[:, 1] * along[0]) / length
        else:
            distance = np.hypot(between[:, 0], between[:, 1])
        farthest = int(distance.argmax())
        if distance[farthest] > tolerance:
            middle = first + 1 + farthest
            keep[middle] = True
            waiting += [(first, middle), (middle, last)]
    return np.flatnonzero(keep)


def panels(
    chart: Chart, rows: pd.DataFrame, models: Sequence[str], names: Mapping[str, str]
) -> dict[str, Spec]:
    """Return the panels of a chart by title, "" for a single one; `names` has those of classes."""
    rows = rows[rows["split"] == chart.split] if chart.split else rows
    if "class" in chart.columns:
        rows = rows.assign(**{"class": [names.get(name, name) for name in rows["class"]]})
    # With two classes the higher probability is at least one half.
    if chart.x.column == "confidence" and rows["confidence"].min() >= 0.5:
        x = replace(chart.x, scale={"domain": [0.4, 1]})
        chart = replace(chart, x=x, guide=((0.4, 0.4), (1, 1)))
    if not chart.panels:
        return {"": _draw(chart, rows, models, CURVE_POINTS, legend=True)}
    parts = {str(key): part for key, part in rows.groupby(chart.panels, sort=False)}
    limit = CURVE_POINTS // max(1, len(parts))
    if chart.panels == "model":
        return {
            display_name(name): _draw(chart, parts[name], [name], limit, False)
            for name in models
            if name in parts
        }
    return {name: _draw(chart, part, models, limit, True) for name, part in parts.items()}


def _draw(
    chart: Chart, rows: pd.DataFrame, models: Sequence[str], limit: int, legend: bool
) -> Spec:
    if chart.kind == "line":
        return curves(chart, rows, models, limit, legend=legend)
    size = SQUARE if chart.panels else WIDTH, HEIGHT
    if not chart.y.form:
        # Room for the points of each group.
        size = WIDTH, 40 + rows[chart.y.column].nunique() * (14 * rows["model"].nunique() + 10)
    return points(chart, rows, models, size=size, legend=legend)
