"""The trials of a search: their scores in order, and by the value of each setting."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from textclf.plot.marks import chart, tooltip
from textclf.plot.style import BLUE, HEIGHT, INK, WIDE, Spec

if TYPE_CHECKING:
    from textclf.evaluate.registry import Metric

FEW = 8  # different numbers that stand side by side at equal distances, as names do
DECADES = 100  # quotient of the largest and the smallest number from which the scale is logarithmic


def by_trial(rows: pd.DataFrame, metric: "Metric") -> Spec:
    """Return the score of each trial, and the best one so far; `rows` has the columns `trial` and `score`."""
    best = (np.maximum if metric.higher_is_better else np.minimum).accumulate(rows["score"])
    x: Spec = {"field": "trial", "type": "quantitative", "title": "trial", "axis": {"grid": False, "tickMinStep": 1}}
    line: Spec = {
        "mark": {"type": "line", "interpolate": "step-after", "color": INK, "strokeWidth": 1.5},
        "encoding": {"y": _score(metric, "best")},
    }
    table = rows[["trial", "score"]].assign(best=best)
    return chart(table, WIDE, HEIGHT, [line, _points(metric, "trial", "trial")], {"x": x})


def by_setting(rows: pd.DataFrame, setting: str, metric: "Metric") -> Spec:
    """Return the score of each trial by its value of a setting; `rows` has the columns `trial`, `score` and `setting`.

    The chart calls the value `value`: a dot in the name of a column would be a path in Vega.
    """
    values = rows[setting].tolist()
    numbers = [_number(value) for value in values]
    x: Spec = {"field": "value", "title": setting, "axis": {"grid": False, "labelAngle": 0}}
    known = [number for number in numbers if number is not None]
    if len(known) < len(values):
        x |= {"type": "nominal", "sort": None}
    elif len(set(known)) <= FEW:
        x |= {"type": "ordinal"}
    else:
        is_wide = min(known) > 0 and max(known) / min(known) >= DECADES
        x |= {"type": "quantitative", "scale": {"type": "log"} if is_wide else {"zero": False}}
        x["axis"] = {"grid": False, "tickCount": 5}
    shown: Sequence[Any] = numbers if len(known) == len(values) else values
    table = rows[["trial", "score"]].assign(value=np.array(shown, dtype=object))
    return chart(table, WIDE, HEIGHT, [_points(metric, "value", setting)], {"x": x})


def _points(metric: "Metric", field: str, title: str) -> Spec:
    fields = tooltip(
        ("trial", "trial"), ("score", metric.title, ".3f"), *([] if field == "trial" else [(field, title)])
    )
    mark: Spec = {"type": "point", "filled": True, "size": 45, "opacity": 0.8, "color": BLUE}
    return {"mark": mark, "encoding": {"y": _score(metric, "score"), "tooltip": fields}}


def _score(metric: "Metric", field: str) -> Spec:
    axis = {"format": "%"} if metric.percent else {}
    return {
        "field": field,
        "type": "quantitative",
        "title": metric.title,
        "axis": axis,
        "scale": {"zero": False, "nice": True},
    }


def _number(value: str) -> float | None:
    """Return the number that a text is; None if it is none."""
    try:
        return float(value)
    except ValueError:
        return None
