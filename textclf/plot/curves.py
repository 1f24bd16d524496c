"""ROC, precision-recall and risk-coverage curves."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.plot.marks import (
    LEGEND_LETTERS,
    chart,
    colour,
    dash,
    faded,
    guide,
    hover,
    legend_row,
    named,
    present,
    selectable,
    title,
)
from textclf.plot.style import PERCENT, SQUARE, WIDTH, Spec

ROC_COLUMNS = ("model", "class", "false_positive_rate", "true_positive_rate")
PRECISION_RECALL_COLUMNS = ("model", "class", "recall", "precision")
RISK_COLUMNS = ("model", "share_answered", "error")
CURVE_POINTS = 3000  # of all curves of one kind together
TOLERANCE = 0.002  # of the side of a chart: less than the width of a line


def roc(
    rows: pd.DataFrame,
    models: Sequence[str],
    limit: int = CURVE_POINTS,
    legend: bool = True,
    titles: Mapping[str, str] | None = None,
    letters: int = LEGEND_LETTERS,
    axis_titles: bool = True,
) -> Spec:
    """Return the ROC curves of the models for one class.

    `rows` has the columns `model`, `false_positive_rate` and `true_positive_rate`. `limit` is the number of points of
    all curves together; `titles` has what the legend says instead of a model's name, `letters` in one row at most.
    """
    x, y = ROC_COLUMNS[2:]
    return _curves(rows, models, x, y, [(0, 0), (1, 1)], limit, legend, titles, letters, axis_titles)


def precision_recall(
    rows: pd.DataFrame, models: Sequence[str], share: float, limit: int = CURVE_POINTS, legend: bool = True
) -> Spec:
    """Return the precision-recall curves of the models for one class.

    `rows` has the columns `model`, `recall` and `precision`. `share` is that of the class among the rows: the
    precision of guessing.
    """
    x, y = PRECISION_RECALL_COLUMNS[2:]
    steps = pd.concat([_steps(curve, y) for _, curve in rows.groupby("model", sort=False)], ignore_index=True)
    return _curves(steps, models, x, y, [(0, share), (1, share)], limit, legend)


def risk_coverage(rows: pd.DataFrame, models: Sequence[str], limit: int = CURVE_POINTS) -> Spec:
    """Return the error of each model on the rows that it answers, against their share, the most confident rows first.

    `rows` has the columns `RISK_COLUMNS`.
    """
    highest = min(1.0, math.ceil(10 * float(rows["error"].max()) + 1e-9) / 10)
    return _curves(rows, models, *RISK_COLUMNS[1:], [], limit, legend=True, highest=max(highest, 0.1))


def _steps(curve: pd.DataFrame, y: str) -> pd.DataFrame:
    """Return the points with the corners of steps between them; a straight line between two would be too optimistic.

    Davis and Goadrich (2006), ICML, doi:10.1145/1143844.1143874. Between two recalls the precision is that of the
    higher one, as in scikit-learn's average precision.
    """
    twice = np.repeat(np.arange(len(curve)), 2)
    return curve.iloc[twice[:-1]].assign(**{y: curve[y].to_numpy()[twice[1:]]})


def area(curve: pd.DataFrame) -> float:
    """Return the area below a ROC curve, by the trapezoidal rule."""
    x, y = (curve[name].to_numpy() for name in ROC_COLUMNS[2:])
    return float(np.nansum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def _curves(
    rows: pd.DataFrame,
    models: Sequence[str],
    x_column: str,
    y_column: str,
    guess: Sequence[tuple[float, float]],
    limit: int,
    legend: bool,
    titles: Mapping[str, str] | None = None,
    letters: int = LEGEND_LETTERS,
    axis_titles: bool = True,
    highest: float = 1,
) -> Spec:
    shown = present(rows, models)
    limit = max(20, limit // max(1, len(shown)))
    pair = [x_column, y_column]
    parts = [
        curve.iloc[thin(np.column_stack([curve[name] for name in pair]), limit)]
        for _, curve in rows.groupby("model", sort=False)
    ]
    points = named(pd.concat(parts, ignore_index=True), titles)[["model", *pair]]
    points = points.assign(place=np.arange(len(points)))  # a curve may go straight up, so x does not give its order
    x_axis, y_axis = _axis(1), _axis(highest)
    x_title, y_title = (column.replace("_", " ") for column in pair)
    x = x_axis | {"field": x_column, "title": x_title if axis_titles else None}
    y = y_axis | {"field": y_column, "title": y_title if axis_titles else None}
    symbols: Spec | None = (
        legend_row([title(name, titles) for name in shown], letters, symbolType="stroke", symbolSize=300)
        if legend
        else None
    )
    line: Spec = {
        "mark": {"type": "line"},
        "encoding": {
            "y": y,
            "color": colour(shown, titles, legend=symbols),
            "strokeDash": dash(shown, titles, legend=symbols),
            "order": {"field": "place", "type": "quantitative"},
        },
    }
    if legend:
        line["params"] = [selectable()]
        line["encoding"]["opacity"] = faded()
    tips = hover(y, ("model", "model"), (x_column, x_title, ".1%"), (y_column, y_title, ".1%"))
    guides = [guide(guess, x, y)] if guess else []
    return chart(points, WIDTH, SQUARE, [*guides, line, tips], {"x": x})


def _axis(highest: float) -> Spec:
    return {"type": "quantitative", "scale": {"domain": [0, highest]}, "axis": PERCENT}


def thin(points: NDArray[np.float64], limit: int) -> NDArray[np.int64]:
    """Return the positions of at most `limit` points that draw the same curve, both ends among them.

    `points` is (points, 2). Douglas and Peucker (1973), Cartographica 10:112-122, doi:10.3138/FM57-6770-U75U-7727: a
    point is kept if the curve without it would be off by more than `TOLERANCE`, which is raised until few enough are
    left.
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
