"""The section on slices: parts of the test rows in which a model is weaker than on the others."""

from typing import Any

from textclf.core.display import visible
from textclf.core.formatting import (
    count_noun,
    display_name,
    join_names,
    p_relation,
    p_value,
    percent,
    points,
)
from textclf.evaluate.registry import METRICS
from textclf.evaluate.results import Slice, format_difference, format_measured
from textclf.evaluate.slices.membership import FEWEST_ROWS, describe_left_out
from textclf.evaluate.slices.names import CLASS
from textclf.evaluate.slices.report import ranked, weak
from textclf.pages.parts import Table
from textclf.report.run import Run

# Slices of a model that its sentence names.
NAMED = 3


def slices(run: Run) -> dict[str, Any] | None:
    """Return the slices of each model, most evidence of weakness first; None without slices."""
    by_model = run.results.slices.models
    models = [name for name in run.ordered if by_model.get(name)]
    if not models:
        return None
    return {
        "findings": [sentence for name in models for sentence in _findings(run, name)],
        "count": max(len(by_model[name]) for name in models),
        "least": FEWEST_ROWS,
        "left_out": describe_left_out(run.results.slices.protocol.left_out),
        "constant": join_names([display_name(name) for name in run.models if name not in models]),
        "clustered": "test" in run.results.decisions.protocol.clusters,
        "all": [
            {
                "title": f"{display_name(name)}: all {count_noun(len(by_model[name]), 'slice')}",
                "table": _table(run, name),
            }
            for name in models
        ],
    }


def _findings(run: Run, model: str) -> list[str]:
    """Return a sentence on the slices where a model is weak beyond chance, if there are any."""
    entries = run.results.slices[model]
    names = weak(entries, run.settings.evaluate.confidence)
    if not names:
        return []
    parts = []
    for name in names[:NAMED]:
        entry = entries[name]
        parts.append(
            f"{title(run, name)} ({percent(entry.accuracy)} of {count_noun(entry.rows, 'row')}, "
            f"{points(entry.difference)} points, p {p_relation(entry.p_holm)})"
        )
    more = len(names) - NAMED
    others = f", and {more} more" if more > 0 else ""
    where = f"{join_names(parts)}{others}"
    name = display_name(model)
    return [f"{name} is less accurate on some rows than on the other test rows: {where}."]


def title(run: Run, name: str) -> str:
    """Return what to show for a slice: its column or property, and its value (class names)."""
    family, _, value = name.partition("=")
    shown = run.names.get(value, value) if family == CLASS else value
    return f"{visible(family.replace('_', ' '))}: {visible(shown) if shown else 'missing'}"


def _table(run: Run, model: str) -> Table:
    entries, metric = run.results.slices[model], run.settings.evaluate.slice_metric
    columns = [
        "slice",
        "rows",
        run.words["accuracy"],
        "difference",
        "p",
        *([METRICS[metric].title] if metric else []),
    ]
    rows = [
        [
            title(run, name),
            f"{entry.rows:,}",
            format_measured("accuracy", entry.accuracy, entry.accuracy_interval),
            format_difference("accuracy", entry.difference, entry.difference_interval),
            p_value(entry.p_holm),
            *([_metric(entry, metric)] if metric else []),
        ]
        for name in ranked(entries)
        for entry in [entries[name]]
    ]
    caption = f"All slices of {display_name(model)}, the strongest evidence of weakness first"
    return Table(f"{caption}, with {run.level} intervals", columns, rows, range(1, len(columns)))


def _metric(entry: Slice, metric: str) -> tuple[str, str]:
    measured = entry.metric(metric)
    return ("not defined", "") if measured is None else format_measured(metric, *measured)
