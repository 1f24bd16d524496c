"""The page: the sections, the template, and a policy under which nothing else can run or be loaded.

The page stands alone and names no time, machine or path, so the same inputs give the same bytes. Text of the corpus is
escaped, cut, and shown without characters that hide or reorder others.
"""

from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from textclf.core.formatting import display_name, join_names
from textclf.core.labels import visible
from textclf.plot.render import javascript
from textclf.report import curves, details, results
from textclf.report.data import data
from textclf.report.errors import errors
from textclf.report.markup import mark_settings, policy
from textclf.report.rows import open_rows
from textclf.report.run import Run

TEMPLATES = resources.files("textclf.report") / "templates"
PAGE, STYLE, SCRIPT = "report.html.j2", "report.css", "report.js"
SECTIONS = {
    "summary": "In short",
    "protocol": "How it was measured",
    "data": "The data",
    "models": "Models side by side",
    "history": "Training history",
    "confusion": "Confusion",
    "curves": "ROC, precision and recall",
    "calibration": "Calibration",
    "terms": "What the models learned",
    "errors": "Where they go wrong",
    "params": "Parameters",
    "provenance": "Provenance",
}


def render(run: Run) -> str:
    """Return the page."""
    style, script = _file(STYLE), javascript(_file(SCRIPT))
    if "</script" in script or "<!--" in script:
        raise ValueError("the script must not contain the end of a script element")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"mark_settings": mark_settings, "visible": visible}
    return environment.from_string(_file(PAGE)).render(
        _context(run),
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (vl-convert's and our own)
        policy=policy(script, style),
    )


def _file(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _context(run: Run) -> dict[str, Any]:
    """Return what the template shows."""
    rows = {split: open_rows(readers) for split, readers in run.splits.items()}
    corpora = [source.corpus for source in run.sources if source.corpus]
    settings = run.settings
    subject = visible(settings.about.title or join_names(corpora) or settings.data.path)
    return {
        "sections": SECTIONS,
        "subject": subject,
        "names": run.names,
        "models": {name: display_name(name) for name in run.models},
        "summary": results.summary(run),
        "protocol": results.protocol(run),
        "data": data(run, rows),
        "compared": results.compared(run),
        "history": curves.history(run),
        "confusion": curves.confusion(run),
        "curves": curves.curves(run),
        "calibration": curves.calibration(run),
        "learned": details.learned(run),
        "errors": errors(run, rows["test"]),
        "params": details.params(run),
        "provenance": details.provenance(run),
    }
