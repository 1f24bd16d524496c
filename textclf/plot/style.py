"""What all charts look like: colours, dashes, sizes and the Vega-Lite configuration."""

from typing import Any

Spec = dict[str, Any]  # a Vega-Lite specification or a part of one

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
# Okabe and Ito's palette (jfly.uni-koeln.de/color), which colour-blind readers can tell apart. Grey instead of black,
# which would vanish in the dark scheme.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2], [1, 3])  # for readers of a black-and-white print
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
INK = "currentColor"  # text and axes take the colour of the page's text
WIDTH, WIDE, SQUARE = 400, 520, 300  # pixels
HEIGHT = 240
PERCENT: Spec = {"format": "%", "tickCount": 6}
CONFIG: Spec = {
    "aria": False,  # the page describes a chart as a whole, and has its numbers as a table
    "background": None,
    "font": "sans-serif",  # vl-convert brings its own: the same widths on every machine
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "domainColor": INK,
        "tickColor": INK,
        "gridColor": INK,
        "domainOpacity": 0.35,
        "tickOpacity": 0.35,
        "gridOpacity": 0.12,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelLimit": 150,
        "labelFlush": False,
    },
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "labelLimit": 200,
        "orient": "top",
        "symbolStrokeWidth": 2,
        "symbolSize": 90,
        "columnPadding": 24,  # room for wider letters than those that the chart was laid out with
        "title": None,
    },
    "title": {
        "color": INK,
        "subtitleColor": INK,
        "fontSize": 13,
        "fontWeight": "normal",
        "subtitleFontSize": 12,
        "anchor": "start",
    },
    "text": {"color": INK, "fontSize": 12},
    "rule": {"color": INK},
    "line": {"strokeWidth": 2},
}
