"""The page of `textclf drift`."""

from typing import Any

import pandas as pd

from textclf.core.display import display_labels, visible
from textclf.core.formatting import count_noun, percent
from textclf.drift import result
from textclf.drift.measure import CLASSES
from textclf.drift.result import Result
from textclf.evaluate.intervals import Interval
from textclf.pages import page
from textclf.pages.page import Heading
from textclf.pages.parts import Chart, Table
from textclf.plot import charts
from textclf.plot.draw import intervals
from textclf.plot.marks import TITLED, chart_of, describe
from textclf.plot.style import BLUE, VERMILION, WIDTH, Spec

SECTIONS = {
    "answer": "In short",
    "words": "Words",
    "classes": "Predicted classes",
    "method": "How it was tested",
}
# Words for each direction.
MOST_WORDS = 15
# Classes in the chart; the table has all.
MOST_CLASSES = 20
NUMERIC = (1, 2, 3, 4, 5)
SIDES = ("reference", "new")
COLOURS = (BLUE, VERMILION)
SHAPES = ("circle", "square")
# Pixels for each name.
ROW = 26


def render(comparison: Result) -> str:
    """Return the page; `ModuleNotFoundError` where its packages are not installed."""
    new, settings = comparison.new, comparison.settings
    context = {
        "answer": _answer(comparison),
        "words": _words(comparison),
        "classes": _classes(comparison),
        "method": {
            "model": comparison.model,
            "alpha": f"{settings.alpha:g}",
            "permutations": f"{settings.permutations:,}",
            "seed": settings.seed,
            "shared": count_noun(comparison.shared, "text"),
        },
    }
    facts = f"{count_noun(new.rows, 'new row')}, compared with {visible(comparison.reference.name)}"
    heading = Heading("Drift of texts", visible(new.name), facts)
    return page.render("textclf.drift", heading, SECTIONS, context)


def _answer(comparison: Result) -> dict[str, Any]:
    """Return the answer, what was compared, and a table of the checks."""
    columns = ["Check", "Reference", "New", "Difference", "p", "p (Holm)"]
    table = Table("All checks", columns, result.rows(comparison, 0), NUMERIC)
    sentence = result.answer(comparison)
    return {
        "sentence": sentence[:1].upper() + sentence[1:],
        "facts": result.facts(comparison),
        "table": table,
    }


def _words(comparison: Result) -> dict[str, Any] | None:
    """Return a chart and a table of the words that tell the sides apart; None if there is none."""
    chosen = [
        word for words in result.by_direction(comparison).values() for word in words[:MOST_WORDS]
    ]
    if not chosen:
        return None
    names = display_labels([word.word for word in chosen])
    bars = [
        _point(names[word.word], side, getattr(word, side)) for word in chosen for side in SIDES
    ]
    description = (
        f"Shares of reference and of new texts that have each of {count_noun(len(chosen), 'word')}"
    )
    drawn = Chart("words", description, "", _chart(bars, "share of texts that have the word"))
    rows = [
        (
            names[word.word],
            percent(word.reference),
            percent(word.new),
            *result.shown_p(comparison, "words", word.p),
        )
        for word in chosen
    ]
    table = Table(
        "Words", ["Word", "Reference", "New", "p", "p (Holm)"], rows, NUMERIC[:-1], stack=False
    )
    return {"chart": drawn, "table": table, "found": len(comparison.words), "shown": len(chosen)}


def _classes(comparison: Result) -> dict[str, Any] | None:
    """Return a chart and a table of the predicted classes; None if they were left out."""
    classes = comparison.findings.classes
    if classes is None:
        return None
    names = display_labels(classes)
    ordered = sorted(classes.items(), key=lambda item: item[1].p)
    shown = [name for name in classes if name in {name for name, _ in ordered[:MOST_CLASSES]}]
    bars = []
    for name in shown:
        for side in SIDES:
            share, interval = (getattr(classes[name], key) for key in (side, f"{side}_interval"))
            bars.append(_point(names[name], side, share, interval))
    number = count_noun(len(shown), "predicted class", "predicted classes")
    description = f"Shares of {number}, with 95% intervals"
    drawn = Chart("classes", description, "", _chart(bars, "share of texts"))
    rows = [
        (names[name], *result.cells(shares), *result.shown_p(comparison, CLASSES, shares.p))
        for name, shares in classes.items()
    ]
    columns = ["Class", "Reference", "New", "Difference", "p", "p (Holm)"]
    return {"chart": drawn, "table": Table("Predicted classes", columns, rows, NUMERIC)}


def _point(name: str, side: str, share: float, interval: Interval | None = None) -> dict[str, Any]:
    """Return the row of a chart for the share of one side, with its interval if there is one."""
    low, high = interval or (share, share)
    return {"name": name, "side": side, "share": share, "low": low, "high": high}


def _chart(points: list[dict[str, Any]], title: str) -> Spec:
    """Return a chart with a row per name and, per side, a point with a line for its interval."""
    x, y = charts.Axis("share", title, scale={"zero": True}), charts.names("name", None, grid=True)
    chart = charts.Chart("shares", "", "point", x, y, ends=("low", "high"))
    fields = [("of", "", "name"), ("texts", "", "side"), ("share", ".1%", "share")]
    rows = describe(pd.DataFrame(points), fields)
    colour, shape = (
        {
            "field": "side",
            "scale": {"domain": list(SIDES), "range": list(marks)},
            "legend": {"columns": 2},
        }
        for marks in (COLOURS, SHAPES)
    )
    point: Spec = {
        "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
        "encoding": {"x": x.encode(), "color": colour, "shape": shape} | TITLED,
    }
    layers = [*intervals(chart, colour, 2, {"value": 1}), point]
    shared = {"y": y.encode(), "yOffset": {"field": "side", "sort": list(SIDES)}}
    return chart_of(rows, WIDTH, ROW * len(points) // len(SIDES), layers, shared)
