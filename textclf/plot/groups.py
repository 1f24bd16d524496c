"""Accuracy with intervals: of each model, of groups of rows, and by the number of training rows; lengths of texts."""

from collections.abc import Sequence

import pandas as pd

from textclf.core.formatting import display_name, split_rows
from textclf.plot.marks import (
    LEGEND_LETTERS,
    chart,
    colour,
    dash,
    faded,
    legend_row,
    named,
    present,
    selectable,
    shape,
    tooltip,
)
from textclf.plot.style import BLUE, HEIGHT, INK, PERCENT, WIDE, Spec

LEARNING_CURVE_COLUMNS = ("model", "rows", "accuracy", "accuracy_low", "accuracy_high")
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
    return chart(table, WIDE, STEP * len(models) + 20, [interval, *points], {"y": y})


def by_length(rows: pd.DataFrame, models: Sequence[str]) -> Spec:
    """Return the accuracy by the length of the text: `model`, `words`, `accuracy`, `low`, `high`, `rows`."""
    return _grouped(rows, models, "words", "words in the text", upright=True)


def by_class(rows: pd.DataFrame, models: Sequence[str]) -> Spec:
    """Return the recall of each class: `model`, `class`, `accuracy`, `low`, `high`, `rows`."""
    return _grouped(rows, models, "class", None, upright=False)


def _grouped(rows: pd.DataFrame, models: Sequence[str], column: str, title: str | None, upright: bool) -> Spec:
    """Return points with intervals, grouped by a column; the groups side by side (upright) or below each other."""
    shown = present(rows, models)
    groups = len(set(rows[column]))
    value: Spec = {
        "type": "quantitative",
        "title": "accuracy" if upright else "recall: share of the class found",
        "axis": PERCENT,
        "scale": {"domain": [0, 1]},
    }
    group: Spec = {
        "field": column,
        "type": "nominal",
        "sort": None,
        "title": title,
        "axis": {"labelAngle": 0} if upright else {"labelLimit": 130},
        "scale": {"paddingInner": 0.3},
    }
    across, along, offset = ("x", "y", "xOffset") if upright else ("y", "x", "yOffset")
    aside: Spec = {"field": "model", "sort": None, "scale": {"domain": [display_name(name) for name in shown]}}
    height = HEIGHT if upright else 40 + groups * (14 * len(shown) + 10)
    symbols = legend_row(shown, symbolStrokeWidth=0)
    return chart(
        named(rows)[["model", column, "accuracy", "low", "high", "rows"]],
        WIDE,
        height,
        [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    along: value | {"field": "low"},
                    f"{along}2": {"field": "high"},
                    "color": colour(shown),
                    "opacity": faded(0.65),
                },
            },
            {
                "params": [selectable()],
                "mark": {"type": "point", "filled": True, "size": 65},
                "encoding": {
                    along: value | {"field": "accuracy"},
                    "color": colour(shown, legend=symbols),
                    "shape": shape(shown, symbols),
                    "opacity": faded(),
                    "tooltip": tooltip(
                        ("model", "model"),
                        (column, title or column),
                        ("accuracy", "accuracy", ".1%"),
                        ("low", "interval from", ".1%"),
                        ("high", "to", ".1%"),
                        ("rows", "rows", ",d"),
                    ),
                },
            },
        ],
        {across: group, offset: aside},
    )


def learning_curve(rows: pd.DataFrame, models: Sequence[str], letters: int = LEGEND_LETTERS) -> Spec:
    """Return the test accuracy of each model by its number of training rows, with intervals.

    `rows` has the columns `LEARNING_CURVE_COLUMNS`; `letters` of the models' names fit in one row of the legend.
    """
    shown = present(rows, models)
    x: Spec = {"field": "rows", "type": "quantitative", "title": "training rows"}
    x["axis"] = {"grid": False, "tickCount": 8}
    y: Spec = {
        "field": "accuracy",
        "type": "quantitative",
        "title": "test accuracy",
        "axis": {"format": "%"},
        "scale": {"zero": False, "nice": True},
    }
    symbols = legend_row(list(map(display_name, shown)), letters, symbolType="stroke", symbolSize=300, symbolOpacity=1)
    return chart(
        named(rows)[list(LEARNING_CURVE_COLUMNS)],
        WIDE,
        HEIGHT,
        [
            {
                "mark": {"type": "rule", "strokeWidth": 1.5},
                "encoding": {
                    "y": y | {"field": "accuracy_low"},
                    "y2": {"field": "accuracy_high"},
                    "color": colour(shown),
                    "opacity": {"value": 0.5},
                },
            },
            {
                "mark": {"type": "line"},
                "encoding": {
                    "y": y,
                    "color": colour(shown, legend=symbols),
                    "strokeDash": dash(shown, legend=symbols),
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 45, "opacity": 1},
                "encoding": {"y": y, "color": colour(shown)},
            },
        ],
        {"x": x},
    )


def lengths(rows: pd.DataFrame) -> Spec:
    """Return a histogram of the texts' lengths: `from` and `to` words, and the number of `rows`."""
    bars: Spec = {
        "mark": {"type": "bar", "color": BLUE, "binSpacing": 1, "opacity": 0.8},
        "encoding": {
            "x": {
                "field": "from",
                "bin": {"binned": True},
                "type": "quantitative",
                "title": "words in a text",
                "axis": {"grid": False, "tickMinStep": 1},
            },
            "x2": {"field": "to"},
            "y": {"field": "rows", "type": "quantitative", "title": "texts", "axis": {"tickCount": 4}},
            "tooltip": tooltip(("from", "words, from", ",d"), ("to", "to below", ",d"), ("rows", "texts", ",d")),
        },
    }
    return chart(rows[["from", "to", "rows"]], WIDE, 150, [bars], {})
