"""The trials of a search: their scores in order, and by the value of each setting."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from textclf.plot.charts import Axis
from textclf.plot.marks import chart_of
from textclf.plot.style import BLUE, HEIGHT, INK, WIDTH, Spec

if TYPE_CHECKING:
    from textclf.evaluate.metrics.metric import Metric

FEW = 8  # different numbers that stand side by side at equal distances, as names do
DECADES = 100  # quotient of the largest and the smallest number from which the scale is logarithmic


def by_trial(rows: pd.DataFrame, metric: "Metric") -> Spec:
    """Return the score of each trial and the best one so far, and dashed `expected`, if `rows` has that column."""
    best = (np.maximum if metric.higher_is_better else np.minimum).accumulate(rows["score"])
    x: Spec = {"field": "trial", "type": "quantitative", "title": "trial", "axis": {"grid": False, "tickMinStep": 1}}
    line: Spec = {
        "mark": {"type": "line", "interpolate": "step-after", "color": INK, "strokeWidth": 1.5},
        "encoding": {"y": _score(metric, "best")},
    }
    layers = [line, _points(metric)]
    if "expected" in rows:
        dashed: Spec = {"type": "line", "color": INK, "strokeWidth": 1, "strokeDash": [4, 3], "opacity": 0.6}
        layers.append({"mark": dashed, "encoding": {"y": _score(metric, "expected")}})
    table = rows[["trial", "score", *rows.columns.intersection(["expected"])]].assign(best=best)
    return chart_of(table, WIDTH, HEIGHT, layers, {"x": x})


def by_setting(rows: pd.DataFrame, setting: str, metric: "Metric") -> Spec:
    """Return the score of each trial by its value of a setting; `rows` has the columns `score` and `setting`.

    The chart calls the value `value`: a dot in the name of a column would be a path in Vega.
    """
    numbers = pd.to_numeric(rows[setting], errors="coerce")
    are_names = numbers.isna().any()
    x: Spec = {"field": "value", "title": setting, "axis": {"grid": False, "labelAngle": 0}}
    if are_names:
        x |= {"type": "nominal", "sort": None}
    elif numbers.nunique() <= FEW:
        x |= {"type": "ordinal"}
    else:
        is_wide = numbers.min() > 0 and numbers.max() / numbers.min() >= DECADES
        x |= {"type": "quantitative", "scale": {"type": "log"} if is_wide else {"zero": False}}
        x["axis"] = {"grid": False, "tickCount": 5}
    table = rows[["score"]].assign(value=rows[setting] if are_names else numbers)
    return chart_of(table, WIDTH, HEIGHT, [_points(metric)], {"x": x})


def _points(metric: "Metric") -> Spec:
    mark: Spec = {"type": "point", "filled": True, "size": 45, "opacity": 0.8, "color": BLUE}
    return {"mark": mark, "encoding": {"y": _score(metric, "score")}}


def _score(metric: "Metric", field: str) -> Spec:
    ticks = {"format": "%"} if metric.percent else {}
    return Axis(field, metric.title, scale={"zero": False, "nice": True}, ticks=ticks).encode()
