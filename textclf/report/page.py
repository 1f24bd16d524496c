"""The report: which sections it has, in which order, and what each of them shows."""

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from markupsafe import Markup, escape

from textclf.core.display import visible
from textclf.core.formatting import join_names, percent, points
from textclf.pages import page
from textclf.pages.page import Heading
from textclf.report import curves, details, overview
from textclf.report.behaviour import behaviour
from textclf.report.data import data
from textclf.report.doubt import doubt, unknown
from textclf.report.errors import errors
from textclf.report.run import PageSettings, Run
from textclf.report.slices import slices
from textclf.report.summary import summary

# The most useful first, each with its title.
SECTIONS: dict[str, tuple[str, Callable[[Run], Any]]] = {
    "summary": ("In short", summary),
    "protocol": ("How it was measured", overview.protocol),
    "models": ("Models side by side", overview.compared),
    "labels": ("How many labels are enough?", curves.labels),
    "history": ("Training history", curves.history),
    "slices": ("Where they are weak", slices),
    "errors": ("Where they go wrong", errors),
    "behaviour": ("Behavioural tests", behaviour),
    "doubt": ("When it should not answer", doubt),
    "unknown": ("Texts of no class", unknown),
    "terms": ("What the models learned", details.learned),
    "confusion": ("Confusion", curves.confusion),
    "calibration": ("Calibration", curves.calibration),
    "curves": ("ROC, precision and recall", curves.curves),
    "data": ("The data", data),
    "params": ("Parameters", details.params),
    "provenance": ("Provenance", details.provenance),
}
_NAMES = "|".join(section.name for section in fields(PageSettings))
SETTING = re.compile(rf"\b((?:{_NAMES})(?:\.[a-z]\w*)+)")


def render(run: Run) -> str:
    """Return the page; a section with nothing to say is left out."""
    context: dict[str, Any] = {"names": run.names, "words": run.words}
    for name, (_, section) in SECTIONS.items():
        context[name] = section(run)
    corpora = [source.corpus for source in run.sources if source.corpus]
    subject = visible(run.settings.about.title or join_names(corpora) or run.settings.data.path)
    models = "model" if len(run.models) == 1 else "models"
    texts = f"{context['data']['rows']} texts"
    facts = f"{texts}, {len(run.names)} {run.words['kinds']}, {len(run.models)} {models}"
    heading = Heading("Text classification report", subject, facts)
    filters: dict[str, Callable[..., object]] = {
        "mark_settings": mark_settings,
        "percent": percent,
        "points": points,
    }
    titles = {name: title for name, (title, _) in SECTIONS.items()}
    return page.render("textclf.report", heading, titles, context, filters)


def mark_settings(sentence: str) -> Markup:
    """Return the sentence, escaped, with the names of settings in it marked as code."""
    marked = SETTING.sub(r"<code>\1</code>", str(escape(sentence)))
    return Markup(marked)  # noqa: S704 (escaped first)
