"""Accuracy of each model on each split."""

from collections.abc import Sequence

import pandas as pd

from textclf.core.formatting import split_rows
from textclf.plot.charts import Axis, names
from textclf.plot.marks import by_model, chart_of, named, tooltip
from textclf.plot.style import INK, WIDE, Spec

STEP = 26  # pixels from one model to the next
SPLIT_SHAPES = {"train": "diamond", "validation": "square", "test": "circle"}


def accuracies(rows: pd.DataFrame, models: Sequence[str]) -> Spec:
    """Return the accuracy of each model on each split, with its interval on the test rows.

    `rows` has the columns `model`, `split`, `accuracy`, `low`, `high`.
    """
    splits = list(dict.fromkeys(rows["split"]))
    test: Spec = {"field": "split", "equal": split_rows("test")}
    lowest = max(0.0, round(float(rows["low"].min()) - 0.05, 1))
    x = Axis("accuracy", scale={"domain": [lowest, 1]})
    y = names("model", None)
    shapes: Spec = {
        "field": "split",
        "scale": {"domain": [*map(split_rows, splits)], "range": [SPLIT_SHAPES[split] for split in splits]},
        "legend": {"symbolStrokeColor": INK, "symbolFillColor": "transparent", "columns": 3},
    }
    colour = by_model("colour", models, legend=None)
    ends = [("low", "interval from", ".1%"), ("high", "to", ".1%")]
    tips = {"tooltip": tooltip(y.tip, ("split", "rows"), x.tip, *ends)}
    points: list[Spec] = [
        {
            "transform": [{"filter": test if filled else {"not": test}}],
            "mark": {"type": "point", "size": 95, "opacity": 1, "strokeWidth": 2, "filled": filled},
            "encoding": {"x": x.encode(), "color": colour, "shape": shapes} | tips,
        }
        for filled in (False, True)
    ]
    interval: Spec = {
        "transform": [{"filter": test}],
        "mark": {"type": "rule", "strokeWidth": 3, "strokeCap": "round"},
        "encoding": {"x": x.encode("low"), "x2": {"field": "high"}, "color": colour},
    }
    table = named(rows).assign(split=rows["split"].map(split_rows))
    return chart_of(table, WIDE, STEP * len(models) + 20, [interval, *points], {"y": y.encode()})
