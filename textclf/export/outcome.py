"""The outcome of a run in a few lines for a terminal: models on test rows, and the default."""

from collections.abc import Sequence

from textclf.core.formatting import align, confidence_level, display_name
from textclf.evaluate.looks import widen
from textclf.evaluate.model_choice import explain_choice
from textclf.evaluate.model_warnings import below_baseline
from textclf.evaluate.registry import (
    METRICS,
    OF_SETS,
    deciding,
    format_interval,
    format_value,
)
from textclf.evaluate.results import (
    Difference,
    Results,
    format_difference,
    format_measured,
    format_share,
)

# In the folder metrics, as JSON.
FILES = ("evaluation", "intervals", "comparisons", "decisions", "unknown")

# What the columns of differences begin with, by metric.
UNITS = {"accuracy": "", "cost": "cost ", "mae": "error "}


def describe(
    results: Results,
    models: Sequence[str],
    named: str | None,
    confidence: float,
    external: Sequence[str] = (),
    looks: int = 1,
) -> list[str]:
    """Return a table with a row per model, the highest test accuracy first; the default and why.

    The default is that of `textclf predict`.

    With several labels per text it also has `OF_SETS`; with texts of no class the share of them
    that is recognised. With costs it has the mean cost in place of the log loss, the lowest first;
    with ordered classes the mean absolute error likewise.
    A default that is no better than the baseline is told first.

    Each model is compared with the baseline and with the first model, in percentage points, in cost
    or in error; a difference whose paired interval contains 0 may be chance. `models` are in
    train's order, `named` is export.model; `external` are those of evaluate.external, which predict
    cannot take; `looks` is the number of results on these test rows that Git has.
    """
    names = [*models, *external]
    test = {name: results.evaluation[name]["test"] for name in names}
    ranked, shown = rank(results, names)
    references, compared = compared_with(results, names, ranked[0])
    multilabel = OF_SETS[0] in test[ranked[0]]
    unit = UNITS[compared]
    recalls = {
        name: splits["test"].recall for name, splits in results.unknown.items() if "test" in splits
    }
    head = [
        "on the test rows",
        f"{METRICS['accuracy'].titled(multilabel)} ({confidence_level(confidence)} interval)",
        *(METRICS[key].titled(multilabel).partition(" (")[0] for key in shown),
        *(["no class found"] if recalls else []),
        *(f"{unit}against {display_name(name)}" for name in references),
    ]
    rows = [head]
    for name in ranked:
        measured, ends = test[name], results.accuracy_ends(name)
        accuracy, interval = format_measured("accuracy", measured["accuracy"], ends)
        row = [display_name(name), f"{accuracy} ({interval})"]
        row += [format_value(key, measured[key]).replace("-", "\N{MINUS SIGN}") for key in shown]
        if recalls:
            row.append(format_share(recalls.get(name)))
        row += [
            "" if name == other else _against(difference(results, name, other, compared), compared)
            for other in references
        ]
        rows.append(row)
    default, reason = explain_choice(named, results, models)
    lines = [*align(rows), f"default model: {display_name(default)}, {reason}"]
    if looks > 1:
        lines.append(_of_looks(results, default, confidence, looks))
    warning = below_baseline(results, default)
    return [f"{display_name(default)} {warning}", *lines] if warning else lines


def rank(results: Results, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the models from the best on the test rows on, and the metrics beside the accuracy."""
    test = {name: results.evaluation[name]["test"] for name in names}
    ranked = sorted(names, key=lambda name: (-test[name]["accuracy"], test[name]["log_loss"]))
    metric = deciding(test[ranked[0]]).name
    if metric != "accuracy":
        return sorted(ranked, key=lambda name: test[name][metric]), [metric]
    of_sets = OF_SETS if OF_SETS[0] in test[ranked[0]] else ()
    return ranked, [*of_sets, "log_loss"]


def compared_with(results: Results, names: Sequence[str], best: str) -> tuple[list[str], str]:
    """Return the models that each is compared with, the baseline and the best, and by what."""
    metric = deciding(results.evaluation[best]["test"]).name
    baselines = [name for name in names if results.decisions[name].decision.baseline]
    references = dict.fromkeys([*baselines[:1], best] if len(names) > 1 else [])
    return [*references], metric


def difference(results: Results, name: str, other: str, metric: str) -> Difference | None:
    """Return the difference of two models on the test rows; None where rows are too few."""
    test = results.compare(name, other)
    return test if metric == "accuracy" else test.metrics.get(metric)


def _of_looks(results: Results, model: str, confidence: float, looks: int) -> str:
    """Return a sentence with the interval of a model that is the best of so many results."""
    accuracy = results.evaluation[model]["test"]["accuracy"]
    ends = results.accuracy_ends(model)
    low, high = widen(accuracy, ends.effective_rows, confidence, looks, ends.degrees)
    interval = format_interval("accuracy", low, high)
    return (
        f"Git has {looks:,} results on these test rows: if {display_name(model)} was chosen as the "
        f"best of them, its accuracy may be anywhere from {interval}"
    )


def _against(measured: Difference | None, metric: str) -> str:
    value, interval = format_difference(metric, measured.difference if measured else 0.0, measured)
    if measured is None:
        return interval
    return f"{value} (may be chance)" if measured.low <= 0 <= measured.high else value
