"""The card of a model in Markdown.

Its sections are those of Mitchell et al. (2019), doi:10.1145/3287560.3287596.
"""

from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from textclf.core.display import escape_markdown, labelled_names
from textclf.core.files import SPLITS
from textclf.core.formatting import confidence_level, display_name, join_names, percent
from textclf.core.quoting import list_names
from textclf.core.settings import to_yaml
from textclf.evaluate.model_warnings import below_baseline, describe_baseline, find_warnings
from textclf.evaluate.registry import METRICS, OF_SETS, metrics_of
from textclf.evaluate.results import (
    MeasuredSets,
    Results,
    format_measured,
    format_metric,
    format_share,
)
from textclf.export import description
from textclf.export.facts import Facts
from textclf.export.languages import CODES
from textclf.export.sources import UNSTATED, combine_rights
from textclf.models.common.loading import load_model

TEMPLATE = resources.files("textclf.export") / "templates" / "card.md.j2"
# Classes that are listed.
SHOWN = 20


def render(
    facts: Facts, model: str, columns: Mapping[str, int], *, ignores_text: bool = False
) -> str:
    """Return the card of a model; the same arguments give the same text.

    `columns` are those of each representation; `ignores_text` says that the model predicts the same
    for every text.
    """
    settings, results = facts.settings, facts.results
    names = labelled_names(facts.classes, facts.titles)
    members, (default, reason) = settings.members(model), facts.default
    of_models = list(dict.fromkeys([model, *members]))
    warnings = find_warnings(
        results, [*settings.models.names(), *settings.external], settings.evaluate.confidence
    )
    read = dict.fromkeys(name for member in members for name in settings.representations(member))
    columns_read = [
        column for name in read for column in getattr(settings.vectorize[name], "names", ())
    ]
    watching = [name for name in members if name in facts.watching]
    rights = combine_rights(facts.sources, settings.about)
    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (Markdown, not HTML: `finalize` escapes)
        finalize=lambda value: (
            value if isinstance(value, Markup | int) else escape_markdown(str(value))
        ),
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        **_measured(facts, model, names),
        **_decided(facts, model, names),
        name=display_name(model),
        folder=Markup(model),  # noqa: S704 (small letters, digits and _; code needs no escapes)
        kind=load_model(settings.models[model].kind).KIND,
        classes=[names[label] for label in facts.classes],
        representation=description.representation(settings, model, columns),
        columns=list_names(columns_read),
        record=[
            (display_name(key), to_yaml(value))
            for key, value in sorted(results.training[model].items())
        ],
        hyperparameters=[
            (key, to_yaml(value)) for key, value in settings.models[model].model_dump().items()
        ],
        protocol=description.protocol(facts, names, of_models, refitted=facts.refitted == model),
        caveats=description.caveats(facts, names, watching),
        warnings=warnings.get(model, []),
        default=f"{display_name(default)}: {reason}",
        limits=description.limits(settings, model),
        weights=facts.weights(model),
        onnx=members == [model],
        ignores_text=ignores_text,
        rights=rights,
        language_code=CODES.get(rights.language),
        unstated=UNSTATED,
        shown=SHOWN,
    )


def _measured(facts: Facts, model: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the template that say how good the model is, on which rows."""
    results, report = facts.results, facts.results.splits
    measured = results.evaluation[model]
    splits = [split for split in SPLITS if split in measured]
    cells = {split: _cells(results, model, split) for split in splits}
    multilabel = results.decisions[model].decision.multilabel
    of_classes = [
        metric.titled(multilabel) for metric in metrics_of(multilabel).values() if metric.per_class
    ]
    return {
        "splits": splits,
        "rows": {
            names[label]: [report.rows_by_class[split].get(label, 0) for split in splits]
            for label in facts.classes
        },
        "totals": [report.sizes[split] for split in splits],
        "metrics": [
            (metric.titled(multilabel), [cells[split][name] for split in splits])
            for name, metric in METRICS.items()
            if any(name in measured[split] for split in splits)
        ],
        "class_metrics": join_names(of_classes),
        "of_sets": [
            (METRICS[key].titled(True), cells["test"][key]) for key in OF_SETS if multilabel
        ],
        "accuracy": format_measured(
            "accuracy", measured["test"]["accuracy"], results.intervals[model]["test"]["accuracy"]
        ),
        "below": below_baseline(results, model),
        "baseline": describe_baseline(results),
        "confidence": confidence_level(facts.settings.evaluate.confidence),
    }


def _decided(facts: Facts, model: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the template that say how probabilities become an answer, or none."""
    results, decision = facts.results, facts.results.decisions[model].decision
    costs, multilabel = decision.costs, decision.multilabel
    unknown = results.unknown.get(model, {}).get("test")
    thresholds = zip(names.values(), map(to_yaml, decision.thresholds or ()), strict=True)
    return {
        "positive": (
            names[facts.classes[-1]] if len(facts.classes) == 2 and not multilabel else None
        ),
        "costs": costs,
        "ordered": decision.scale is not None,
        "abstains": costs and len(costs[0]) > len(costs),
        "threshold": None if decision.threshold is None else to_yaml(decision.threshold),
        "thresholds": dict(thresholds) if multilabel else None,
        "calibration": facts.calibration(model),
        "rejection": decision.rejection,
        "unknown": unknown
        and {
            "accuracy": format_share(unknown.accuracy),
            "recall": format_share(unknown.recall),
            "learned": {*results.splits.unknown} & {*facts.classes},
        },
        "sets": coverage_of(
            results.coverage.models.get(model), facts.settings.evaluate.coverage, names
        ),
    }


def _cells(results: Results, model: str, split: str) -> dict[str, str]:
    """Return each metric of a model on a split, its interval in brackets; "" if not measured."""
    intervals = results.intervals[model].get(split, {})
    calibrated = results.decisions[model].ece_if_calibrated.get(split)
    cells = {}
    for name in METRICS:
        value, interval = format_metric(
            name, results.evaluation[model][split], intervals, calibrated
        )
        cells[name] = f"{value} ({interval})" if interval else value
    return cells


def coverage_of(
    sets: MeasuredSets | None, coverage: float | None, names: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return what the card says of prediction sets of this coverage, as texts.

    `names` are those of the classes. None without sets, or if no test row has a label.
    """
    if sets is None or coverage is None or sets.coverage is None:
        return None
    by_class = {label: cell for label, cell in sets.classes.items() if cell}
    lowest = min(by_class, key=lambda label: by_class[label].value)
    return {
        "asked": confidence_level(coverage),
        "share": coverage,
        "found": format_share(sets.coverage),
        "lowest": names[lowest],
        "of_lowest": format_share(by_class[lowest]),
        "size": f"{sets.set_size:.2f}",
        "answered": percent(sets.answered),
        "accuracy": format_share(sets.accuracy) if sets.accuracy else None,
    }
