"""What all charts look like: the marks of each model, sizes and the Vega-Lite configuration."""

from typing import Any, NamedTuple

# A Vega-Lite specification or a part of one.
Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


class Mark(NamedTuple):
    """How a model is drawn: the dashes and the shape tell it apart in a black-and-white print."""

    colour: str
    dash: tuple[int, ...]
    shape: str


# A star as an SVG path: Vega's own wedge, stroke and arrow have hardly any area.
STAR = (
    "M0,-1L0.32,-0.44L0.95,-0.31L0.52,0.17L0.59,0.81L0,0.55"
    "L-0.59,0.81L-0.52,0.17L-0.95,-0.31L-0.32,-0.44Z"
)
# The colours are those of Okabe and Ito's palette (jfly.uni-koeln.de/color), which colour-blind
# readers can tell apart; orange and pink are darker, and grey stands for black. Each has a contrast
# of at least 3 to 1 with the page in the light and the dark scheme (WCAG 2.2, 1.4.11).
MARKS = {
    "majority": Mark("#7F7F7F", (2, 2), "diamond"),
    "naive_bayes": Mark("#B37C00", (8, 3, 2, 3), "triangle-up"),
    "logistic_regression": Mark("#D55E00", (6, 3), "square"),
    "linear_svm": Mark("#C2689B", (4, 2), "cross"),
    "nb_svm": Mark("#009E73", (1, 3), "triangle-down"),
    "keras": Mark("#0072B2", (1, 0), "circle"),
    "embedding": Mark("#008080", (10, 2), "triangle-left"),
    "cnn": Mark("#9C6B1E", (5, 2, 1, 2), "triangle-right"),
    "transformer": Mark("#9467BD", (3, 3), STAR),
}
# Of a model that is not in `MARKS`: its name chooses.
OTHER_COLOURS = ("#8E6BD8", "#7A8B1F", "#1F8FA6", "#A0673C", "#D1495B", "#5B7DB1", "#3E8E41")
OTHER_DASHES = ((5, 2, 1, 2), (10, 2), (3, 3))
OTHER_SHAPES = ("triangle-right", "triangle-left", STAR)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"
BLUE, VERMILION = MARKS["keras"].colour, MARKS["logistic_regression"].colour
# Text and axes take the colour of the page's text.
INK = "currentColor"
# Pixels; a phone shows them at nearly full size.
WIDTH = 400
SQUARE = 250
HEIGHT = 190
PERCENT: Spec = {"format": "%", "tickCount": 6}


def mark_of(model: str) -> Mark:
    """Return the mark of a model, which depends on its name alone, not on other models."""
    if model in MARKS:
        return MARKS[model]
    first, last = (LETTERS.find(letter.lower()) + 1 for letter in (model[:1], model[-1:]))
    # Simple enough for a Vega expression (docs/plot_templates.py).
    number = len(model) + 3 * first + 5 * last
    part = number // len(OTHER_COLOURS) % len(OTHER_DASHES)
    return Mark(OTHER_COLOURS[number % len(OTHER_COLOURS)], OTHER_DASHES[part], OTHER_SHAPES[part])


CONFIG: Spec = {
    "aria": False,  # of axes, legends and lines: the page describes a chart as a whole
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
        "layout": {"top": {"direction": "vertical"}},  # two legends side by side may be too wide
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
