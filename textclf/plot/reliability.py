"""Accuracy against confidence."""

import pandas as pd

from textclf.plot.marks import chart, guide, tooltip
from textclf.plot.style import HEIGHT, PERCENT, SQUARE, Spec, mark_of

COLUMNS = ("model", "confidence", "accuracy", "accuracy_low", "accuracy_high", "rows")


def reliability(rows: pd.DataFrame, model: str, start: float | None = None) -> Spec:
    """Return the accuracy of one model in bins of confidence, each with its interval; the diagonal is calibrated.

    `rows` has the columns `COLUMNS`, of this model alone. `start` is where both axes of confidence begin.
    """
    colour = mark_of(model).colour
    start = lowest_confidence(rows) if start is None else start
    x: Spec = {
        "field": "confidence",
        "type": "quantitative",
        "title": "confidence",
        "scale": {"domain": [start, 1]},
        "axis": PERCENT | {"tickCount": 4},
    }
    y: Spec = {
        "field": "accuracy",
        "type": "quantitative",
        "title": "accuracy",
        "scale": {"domain": [0, 1]},
        "axis": {"format": "%"},
    }
    return chart(
        rows[list(COLUMNS[1:])],
        SQUARE,
        HEIGHT,
        [
            guide([(start, start), (1, 1)], x, y),
            {
                "mark": {"type": "rule", "color": colour, "strokeWidth": 2, "opacity": 0.6},
                "encoding": {"y": y | {"field": "accuracy_low"}, "y2": {"field": "accuracy_high"}},
            },
            {
                "mark": {"type": "point", "color": colour, "filled": True, "size": 80, "opacity": 1},
                "encoding": {
                    "y": y,
                    "tooltip": tooltip(
                        ("confidence", "mean probability", ".1%"),
                        ("accuracy", "accuracy", ".1%"),
                        ("accuracy_low", "interval from", ".1%"),
                        ("accuracy_high", "to", ".1%"),
                        ("rows", "rows", ",d"),
                    ),
                },
            },
        ],
        {"x": x},
    )


def lowest_confidence(rows: pd.DataFrame) -> float:
    """Return where an axis of confidence begins: 0.4 where no confidence is below one half, as of two classes."""
    return 0.4 if rows["confidence"].min() >= 0.5 else 0.0
