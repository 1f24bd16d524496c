"""The report: which sections it has, in which order, and what each of them shows."""

import re
from dataclasses import fields
from typing import Any

from markupsafe import Markup, escape

from textclf.core.formatting import join_names
from textclf.core.labels import visible
from textclf.pages import page
from textclf.pages.page import Heading
from textclf.report import curves, details, results
from textclf.report.behaviour import behaviour
from textclf.report.data import data
from textclf.report.doubt import doubt
from textclf.report.errors import errors
from textclf.report.rows import open_rows
from textclf.report.run import Run, Settings
from textclf.report.slices import slices

SECTIONS = {  # the most useful first; one with nothing to say is left out
    "summary": "In short",
    "protocol": "How it was measured",
    "models": "Models side by side",
    "history": "Training history",
    "slices": "Where they are weak",
    "errors": "Where they go wrong",
    "behaviour": "Behavioural tests",
    "doubt": "When it should not answer",
    "terms": "What the models learned",
    "confusion": "Confusion",
    "calibration": "Calibration",
    "curves": "ROC, precision and recall",
    "data": "The data",
    "params": "Parameters",
    "provenance": "Provenance",
}
SETTING = re.compile(rf"\b((?:{'|'.join(section.name for section in fields(Settings))})(?:\.[a-z]\w*)+)")


def render(run: Run) -> str:
    """Return the page."""
    context = _context(run)
    corpora = [source.corpus for source in run.sources if source.corpus]
    subject = visible(run.settings.about.title or join_names(corpora) or run.settings.data.path)
    models = "model" if len(run.models) == 1 else "models"
    facts = f"{context['data']['rows']} texts, {len(run.names)} classes, {len(run.models)} {models}"
    heading = Heading("Text classification report", subject, facts)
    return page.render("textclf.report", heading, SECTIONS, context, {"mark_settings": mark_settings})


def mark_settings(sentence: str) -> Markup:
    """Return the sentence, escaped, with the names of settings in it marked as code."""
    return Markup(SETTING.sub(r"<code>\1</code>", str(escape(sentence))))  # noqa: S704 (escaped first)


def _context(run: Run) -> dict[str, Any]:
    """Return what each section shows by its id, None if there is nothing to show."""
    rows = {split: open_rows(readers) for split, readers in run.splits.items()}
    context: dict[str, Any] = {
        "names": run.names,
        "summary": results.summary(run),
        "protocol": results.protocol(run),
        "models": results.compared(run),
        "history": curves.history(run),
        "slices": slices(run),
        "errors": errors(run, rows["test"]),
        "behaviour": behaviour(run),
        "doubt": doubt(run),
        "terms": details.learned(run),
        "confusion": curves.confusion(run),
        "calibration": curves.calibration(run),
        "curves": curves.curves(run),
        "data": data(run, rows),
        "params": details.params(run),
        "provenance": details.provenance(run),
    }
    for name in SECTIONS:
        if context[name] is not None and "charts" in context[name]:
            context[name]["charts"] += curves.registered(run, name)
    return context
