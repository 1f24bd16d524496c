"""A chart of a table of the run, in a panel for each model or class, or in one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from textclf.core.formatting import display_name
from textclf.plot.charts import Chart
from textclf.plot.curves import CURVE_POINTS, curves
from textclf.plot.draw import points
from textclf.plot.style import HEIGHT, SQUARE, WIDTH, Spec


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
