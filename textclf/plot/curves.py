"""A chart of a table of the run, in one panel or in one for each model or class; curves thinned to what can be seen."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.formatting import display_name
from textclf.plot.charts import Chart
from textclf.plot.draw import lines, points
from textclf.plot.marks import present
from textclf.plot.style import HEIGHT, SQUARE, WIDTH, Spec

CURVE_POINTS = 3000  # of all curves of one kind together
TOLERANCE = 0.002  # of the side of a chart: less than the width of a line


def curves(chart: Chart, rows: pd.DataFrame, models: Sequence[str], limit: int = CURVE_POINTS, **options: Any) -> Spec:
    """Return a curve per model, of `limit` points together; `options` are those of `lines`."""
    limit = max(20, limit // max(1, len(present(rows, models))))
    x, y = chart.x.column, chart.y.column
    parts = []
    for _, curve in rows.groupby("model", sort=False):
        points = curve
        if chart.steps:  # with the corners between two points, where y is already that of the next one
            twice = np.repeat(np.arange(len(curve)), 2)
            points = curve.iloc[twice[:-1]].assign(**{y: curve[y].to_numpy()[twice[1:]]})
        parts.append(points.iloc[thin(points[[x, y]].to_numpy(), limit)])
    return lines(chart, pd.concat(parts, ignore_index=True), models, **options)


def area(curve: pd.DataFrame) -> float:
    """Return the area below a ROC curve, by the trapezoidal rule."""
    x, y = (curve[name].to_numpy() for name in ("false_positive_rate", "true_positive_rate"))
    return float(np.nansum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def thin(points: NDArray[np.float64], limit: int) -> NDArray[np.int64]:
    """Return the positions of at most `limit` points (points, 2) that draw the same curve, both ends among them.

    Douglas and Peucker (1973), Cartographica 10:112-122, doi:10.3138/FM57-6770-U75U-7727: a point is kept if the curve
    without it would be off by more than `TOLERANCE`, which is raised until few enough are left.
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
            distance = np.abs(between[:, 0] * along[1] - between[:, 1] * along[0]) / length
        else:
            distance = np.hypot(between[:, 0], between[:, 1])
        farthest = int(distance.argmax())
        if distance[farthest] > tolerance:
            middle = first + 1 + farthest
            keep[middle] = True
            waiting += [(first, middle), (middle, last)]
    return np.flatnonzero(keep)


def panels(chart: Chart, rows: pd.DataFrame, models: Sequence[str], names: Mapping[str, str]) -> dict[str, Spec]:
    """Return the panels of a chart by their titles, "" if it is a single one; `names` has those of classes."""
    rows = rows[rows["split"] == chart.split] if chart.split else rows
    if "class" in chart.columns:
        rows = rows.assign(**{"class": [names.get(name, name) for name in rows["class"]]})
    if chart.x.column == "confidence" and rows["confidence"].min() >= 0.5:  # as of two classes
        chart = replace(chart, x=replace(chart.x, scale={"domain": [0.4, 1]}), guide=((0.4, 0.4), (1, 1)))
    if not chart.panels:
        return {"": _draw(chart, rows, models, CURVE_POINTS, legend=True)}
    parts = {str(key): part for key, part in rows.groupby(chart.panels, sort=False)}
    limit = CURVE_POINTS // max(1, len(parts))
    if chart.panels == "model":
        return {display_name(name): _draw(chart, parts[name], [name], limit, False) for name in models if name in parts}
    return {name: _draw(chart, part, models, limit, True) for name, part in parts.items()}


def _draw(chart: Chart, rows: pd.DataFrame, models: Sequence[str], limit: int, legend: bool) -> Spec:
    if chart.kind == "line":
        return curves(chart, rows, models, limit, legend=legend)
    size = SQUARE if chart.panels else WIDTH, HEIGHT
    if not chart.y.form:  # room for the points of each group
        size = WIDTH, 40 + rows[chart.y.column].nunique() * (14 * rows["model"].nunique() + 10)
    return points(chart, rows, models, size=size, legend=legend)
