"""The page of `textclf drift`."""

from typing import Any

from textclf.core.formatting import count_noun, percent
from textclf.core.labels import display_labels, visible
from textclf.drift import charts, result
from textclf.drift.charts import Bar
from textclf.drift.measure import CLASSES
from textclf.drift.result import Result
from textclf.pages import page
from textclf.pages.page import Heading
from textclf.pages.parts import Chart, Table

SECTIONS = {"answer": "In short", "words": "Words", "classes": "Predicted classes", "method": "How it was tested"}
MOST_WORDS = 15  # for each direction
MOST_CLASSES = 20  # in the chart; the table has all
NUMERIC = (1, 2, 3, 4, 5)


def render(found: Result) -> str:
    """Return the page; `ModuleNotFoundError` where its packages are not installed."""
    context = {"answer": _answer(found), "words": _words(found), "classes": _classes(found), "method": _method(found)}
    new = found.new
    facts = f"{count_noun(new.rows, 'new row')}, compared with {visible(found.reference.name)}"
    heading = Heading("Drift of texts", visible(new.name), facts)
    return page.render("textclf.drift", heading, SECTIONS, context)


def _answer(found: Result) -> dict[str, Any]:
    """Return the answer, what was compared, and a table of the checks."""
    columns = ["Check", "Reference", "New", "Difference", "p", "p (Holm)"]
    table = Table("All checks", columns, result.rows(found, 0), NUMERIC)
    sentence = result.answer(found)
    return {"sentence": sentence[:1].upper() + sentence[1:], "facts": result.facts(found), "table": table}


def _words(found: Result) -> dict[str, Any] | None:
    """Return a chart and a table of the words that tell the sides apart; None if there is none."""
    chosen = [word for words in result.by_direction(found).values() for word in words[:MOST_WORDS]]
    if not chosen:
        return None
    names = display_labels([word.word for word in chosen])
    bars = [Bar(names[word.word], word.reference, word.new) for word in chosen]
    description = f"Shares of reference and of new texts that have each of {count_noun(len(chosen), 'word')}"
    drawn = Chart("words", description, "", charts.shares(bars, "share of texts that have the word"))
    rows = [
        (names[word.word], percent(word.reference), percent(word.new), *result.shown_p(found, "words", word.p))
        for word in chosen
    ]
    table = Table("Words", ["Word", "Reference", "New", "p", "p (Holm)"], rows, NUMERIC[:-1], stack=False)
    return {"chart": drawn, "table": table, "found": len(found.words), "shown": len(chosen)}


def _classes(found: Result) -> dict[str, Any] | None:
    """Return a chart and a table of the predicted classes; None if they were left out."""
    classes = found.findings.classes
    if classes is None:
        return None
    names = display_labels(classes)
    ordered = sorted(classes.items(), key=lambda item: item[1].p)
    shown = [name for name in classes if name in {name for name, _ in ordered[:MOST_CLASSES]}]
    bars = [charts.bar_of(names[name], classes[name]) for name in shown]
    description = f"Shares of {count_noun(len(shown), 'predicted class', 'predicted classes')}, with 95% intervals"
    drawn = Chart("classes", description, "", charts.shares(bars, "share of texts"))
    rows = [
        (names[name], *result.cells(shares), *result.shown_p(found, CLASSES, shares.p))
        for name, shares in classes.items()
    ]
    columns = ["Class", "Reference", "New", "Difference", "p", "p (Holm)"]
    return {"chart": drawn, "table": Table("Predicted classes", columns, rows, NUMERIC)}


def _method(found: Result) -> dict[str, Any]:
    """Return the settings of the tests."""
    settings = found.settings
    return {
        "model": found.model,
        "alpha": f"{settings.alpha:g}",
        "permutations": f"{settings.permutations:,}",
        "seed": settings.seed,
        "shared": count_noun(found.shared, "text"),
    }
