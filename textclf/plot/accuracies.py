"""Accuracy of each model on each split."""

from collections.abc import Sequence

import pandas as pd

from textclf.core.formatting import split_rows
from textclf.plot.marks import chart_of, colour, named, tooltip
from textclf.plot.style import INK, PERCENT, WIDE, Spec

STEP = 26  # pixels from one model to the next
SPLIT_SHAPES = {"train": "diamond", "validation": "square", "test": "circle"}


def accuracies(rows: pd.DataFrame, models: Sequence[str]) -> Spec:
    """Return the accuracy of each model on each split, with its interval on the test rows.

    `rows` has the columns `model`, `split`, `accuracy`, `low`, `high`.
    """
    splits = list(dict.fromkeys(rows["split"]))
    test: Spec = {"field": "split", "equal": split_rows("test")}
    y: Spec = {"field": "model", "type": "nominal", "sort": None, "title": None}
    lowest = max(0.0, round(float(rows["low"].min()) - 0.05, 1))
    x: Spec = {"type": "quantitative", "title": "accuracy", "axis": PERCENT, "scale": {"domain": [lowest, 1]}}
    shapes: Spec = {
        "field": "split",
        "scale": {
            "domain": [split_rows(split) for split in splits],
            "range": [SPLIT_SHAPES[split] for split in splits],
        },
        "legend": {"symbolStrokeColor": INK, "symbolFillColor": "transparent", "columns": 3},
    }
    fields = tooltip(
        ("model", "model"),
        ("split", "rows"),
        ("accuracy", "accuracy", ".1%"),
        ("low", "interval from", ".1%"),
        ("high", "to", ".1%"),
    )
    points: list[Spec] = [
        {
            "transform": [{"filter": test if filled else {"not": test}}],
            "mark": {"type": "point", "size": 95, "opacity": 1, "strokeWidth": 2, "filled": filled},
            "encoding": {
                "x": x | {"field": "accuracy"},
                "color": colour(models, legend=None),
                "shape": shapes,
                "tooltip": fields,
            },
        }
        for filled in (False, True)
    ]
    interval: Spec = {
        "transform": [{"filter": test}],
        "mark": {"type": "rule", "strokeWidth": 3, "strokeCap": "round"},
        "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "color": colour(models, legend=None)},
    }
    table = named(rows).assign(split=[split_rows(split) for split in rows["split"]])
    return chart_of(table, WIDE, STEP * len(models) + 20, [interval, *points], {"y": y})
