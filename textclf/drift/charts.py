"""Charts of drift: shares of reference and new texts side by side."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from textclf.drift.shares import Shares
from textclf.evaluate.intervals import Interval
from textclf.plot.marks import chart, tooltip
from textclf.plot.style import BLUE, VERMILION, WIDTH, Spec

SIDES = ("reference", "new")
COLOURS, SHAPES = (BLUE, VERMILION), ("circle", "square")
ROW = 26  # pixels for each name


class Bar(NamedTuple):
    """A name and the shares of both sides, with intervals if there are any."""

    name: str
    reference: float
    new: float
    reference_ends: Interval | None = None
    new_ends: Interval | None = None


def bar_of(name: str, shares: Shares) -> Bar:
    """Return the bar of shares with intervals."""
    return Bar(name, shares.reference, shares.new, shares.reference_ends, shares.new_ends)


def shares(bars: Sequence[Bar], title: str) -> Spec:
    """Return a chart with a row per name and a point for the share of each side, with a line for its interval.

    `title` is that of the axis.
    """
    records = []
    for bar in bars:
        for side, share, ends in zip(SIDES, bar[1:3], bar[3:5], strict=True):
            low, high = (share, share) if ends is None else ends
            records.append((bar.name, side, share, low, high))
    columns = ("name", "side", "share", "low", "high")
    rows = pd.DataFrame({name: [record[place] for record in records] for place, name in enumerate(columns)})
    scale = {"domain": list(SIDES)}
    colour = {"field": "side", "scale": scale | {"range": list(COLOURS)}, "legend": {"columns": 2}}
    x = {"type": "quantitative", "axis": {"format": "%", "tickCount": 6, "title": title}, "scale": {"zero": True}}
    shared = {
        "y": {
            "field": "name",
            "type": "nominal",
            "sort": None,
            "axis": {"title": None, "grid": True},
        },
        "yOffset": {"field": "side", "sort": list(SIDES)},
        "color": colour,
    }
    layers: list[Spec] = [
        {
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
            "encoding": {
                "x": x | {"field": "share"},
                "shape": {"field": "side", "scale": scale | {"range": list(SHAPES)}, "legend": {"columns": 2}},
                "tooltip": tooltip(("name", "of"), ("side", "texts"), ("share", "share", ".1%")),
            },
        },
    ]
    return chart(rows, WIDTH, ROW * len(bars), layers, shared)
