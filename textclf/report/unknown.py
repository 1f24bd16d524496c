"""The section on texts of no class: how many each model finds, and what that costs within the classes."""

from typing import Any

from textclf.core.formatting import display_name, percent
from textclf.core.labels import visible
from textclf.evaluate.results import format_measured
from textclf.pages.parts import Table
from textclf.report.doubt import cell
from textclf.report.run import Run


def unknown(run: Run) -> dict[str, Any] | None:
    """Return the test rows as each model decides them, and by each score; None without data.unknown."""
    data, evaluate = run.settings.data, run.settings.evaluate
    found = run.results.unknown
    tests = {name: found[name]["test"] for name in run.models if "test" in found.get(name, {})}
    if not tests:
        return None
    rows = [
        [
            display_name(name),
            way,
            *map(cell, (each.accuracy, each.recall, each.precision)),
            ("", "") if area is None else format_measured("accuracy", area.value, area.ends),
        ]
        for name, test in tests.items()
        for way, each, area in [
            ("as decided", test, None),
            *((score, by_score, by_score.roc_auc) for score, by_score in test.scores.items()),
        ]
    ]
    columns = ["accuracy within the classes", "recall of no class", "precision of no class", "area under the ROC curve"]
    caption = f"Texts of no class among the test rows, with {run.level} intervals"
    return {
        "label": visible(data.unknown or ""),
        "trained": data.train_unknown,
        "score": evaluate.unknown_score,
        "keep": percent(evaluate.unknown_keep),
        "table": Table(caption, ["model", "by", *columns], rows, range(2, 6)),
    }
