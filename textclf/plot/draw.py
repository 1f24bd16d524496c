"""Charts of rows, as Vega-Lite: lines, points with intervals, and bars."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

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
from textclf.plot.style import BLUE, SQUARE, WIDTH, Spec, mark_of

MOST_TITLES = 40  # of the points of a chart of lines
AREAS = [12, 260]  # square pixels of a point, if its area shows a number: of 0 and of the largest


def intervals(chart: Chart, hue: Spec, width: float, opacity: Spec) -> list[Spec]:
    """Return the layer of a chart's intervals, if it has any, as lines of this colour, width and opacity."""
    if not chart.ends:
        return []
    along, axis = ("y", chart.y) if chart.y.form else ("x", chart.x)
    low, high = chart.ends
    encoding = {along: axis.encode(low), f"{along}2": {"field": high}, "color": hue, "opacity": opacity}
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
    """Return a line per model through its rows, in their order, with intervals if the chart has any.

    `titles` has what the legend says instead of a model's name, `letters` in one row at most. `dashes` encodes another
    column than `model` by the dashes of its line. `more` are further layers.
    """
    shown = present(rows, models)
    names = [title(name, titles) for name in shown]
    symbols = legend_row(names, letters, symbolType="stroke", symbolSize=300, symbolOpacity=1) if legend else None
    y = chart.y.encode()
    encoding = {
        "y": y,
        "color": by_model("colour", shown, titles, legend=symbols),
        "strokeDash": dashes or by_model("dash", shown, titles, legend=symbols),
        "order": {"field": "place", "type": "quantitative"},  # a curve may go straight up: x does not give its order
    }
    line: Spec = {"mark": {"type": "line"}, "encoding": encoding}
    rules = intervals(chart, by_model("colour", shown), 1.5, {"value": 0.5})  # many, and lines besides
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
    chart: Chart, rows: pd.DataFrame, models: Sequence[str], *, size: tuple[int, int], legend: bool = True
) -> Spec:
    """Return a point per row with its interval; the models side by side, if there is a legend of them."""
    shown = present(rows, models)
    symbols = legend_row(shown, symbolStrokeWidth=0, symbolOpacity=1)
    along, across = ("y", "x") if chart.y.form else ("x", "y")
    value, place = (chart.y, chart.x) if chart.y.form else (chart.x, chart.y)
    # Without a legend, a scale would be that of the first of the panels that stand side by side.
    colour = by_model("colour", shown, legend=symbols) if legend else {"value": mark_of(shown[0]).colour}
    encoding: Spec = {along: value.encode(), "color": colour}
    shared: Spec = {across: place.encode()}
    point: Spec = {"mark": {"type": "point", "filled": True, "size": 80, "opacity": 1}}
    if legend:
        encoding["shape"] = by_model("shape", shown, legend=symbols)
        shared[f"{across}Offset"] = {"field": "model", "sort": None, "scale": {"domain": [*map(display_name, shown)]}}
    if chart.area:
        encoding["size"] = area_of(chart)
    point["encoding"] = encoding | TITLED
    table = named(rows)[[name for name in rows if name in {*chart.columns, "rows"}]]
    rules = intervals(chart, colour, 2, {"value": 0.6})
    return chart_of(describe(table, _fields(chart, table)), *size, [*_guides(chart), *rules, point], shared)


def bars(chart: Chart, rows: pd.DataFrame, *, size: tuple[int, int]) -> Spec:
    """Return a bar per row, as high as its number and from one of the chart's `ends` to the other."""
    low, high = chart.ends or ("low", "high")
    x = chart.x.encode(low) | {"bin": {"binned": True}}
    bar = {
        "mark": {"type": "bar", "color": BLUE, "binSpacing": 1, "opacity": 0.8},
        "encoding": {"x": x, "x2": {"field": high}, "y": chart.y.encode()} | TITLED,
    }
    said = describe(rows[[low, high, chart.y.column]], [(*chart.x.field[:2], low, high), chart.y.field])
    return chart_of(said, *size, [bar], {})


def _fields(chart: Chart, rows: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return what the title of a mark says: those that the rows have of model, split, both axes, interval and rows."""
    value = chart.y if chart.y.form else chart.x
    fields: list[tuple[str, ...]] = [("model", "", "model"), ("rows", "", "split"), chart.x.field, chart.y.field]
    fields += [("interval", value.form, *chart.ends)] if chart.ends else []
    fields.append(("rows", ",.0f", "rows"))
    return list({field[2:]: field for field in fields if {*field[2:]} <= {*rows}}.values())


def _guides(chart: Chart) -> list[Spec]:
    return [guide_line(chart.guide, chart.x.encode(), chart.y.encode())] if chart.guide else []
