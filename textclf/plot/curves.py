"""Curves of many points: ROC, precision and recall, risk and coverage; thinned to what can be seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.plot.charts import Chart
from textclf.plot.draw import lines
from textclf.plot.marks import present
from textclf.plot.style import Spec

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
