"""The card of a model in Markdown, with the sections of Mitchell et al. (2019), doi:10.1145/3287560.3287596."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from textclf.artifacts.decisions import SCALING
from textclf.core.about import NOTHING, About
from textclf.core.files import SPLITS
from textclf.core.formatting import confidence_level, display_name, join_names, percent
from textclf.core.labels import escape_markdown, labelled_names
from textclf.core.settings import to_yaml
from textclf.evaluate.registry import (
    METRICS,
    OF_SETS,
    format_measured,
    format_metric,
    metrics_of,
)
from textclf.export.languages import CODES
from textclf.export.sources import UNSTATED, Source, Weights, class_titles, combine_rights
from textclf.models.common.loading import load_model
from textclf.models.common.settings import ModelSettings

TEMPLATE = resources.files("textclf.export") / "templates" / "card.md.j2"
SHOWN = 20  # classes and raw files that are listed


@dataclass(frozen=True)
class Results:
    """The parts of the metrics files that belong to one model.

    `metrics` and `intervals` are by split and metric; an interval has `low` and `high`, or is None for too few rows.
    `decision` is how probabilities become classes; `record` has numbers about the training. `sets` is its part of
    metrics/coverage.json, None without evaluate.coverage. `ece_if_calibrated` is that of metrics/decisions.json.
    `unknown` has the test rows in metrics/unknown.json, None without data.unknown.
    """

    metrics: Mapping[str, Mapping[str, float]]
    intervals: Mapping[str, Mapping[str, Mapping[str, float] | None]]
    decision: Mapping[str, Any]
    record: Mapping[str, Any]
    sets: Mapping[str, Any] | None = None
    ece_if_calibrated: Mapping[str, float] = field(default_factory=dict)
    unknown: Mapping[str, Any] | None = None


def render(
    model: str,
    kind: str,
    settings: ModelSettings,
    results: Results,
    *,
    sources: Sequence[Source],
    rows: Mapping[str, Mapping[str, int]],
    classes: Sequence[str],
    representation: str,
    protocol: Sequence[str],
    caveats: Sequence[str],
    confidence: float,
    coverage: float | None = None,
    warnings: Sequence[str],
    default: str,
    limits: Sequence[str] = (),
    weights: Sequence[Weights] = (),
    onnx: bool = True,
    ignores_text: bool = False,
    about: About = NOTHING,
    sizes: Mapping[str, int] | None = None,
) -> str:
    """Return the card of a model of that kind; the same arguments give the same text.

    `rows` are counts by split and class label; `classes` the labels in order; `confidence` is the level of the
    intervals, `coverage` evaluate.coverage. `representation`, `protocol` and `caveats` are those of
    `textclf.export.description`, `warnings` those of `textclf.evaluate.model_warnings` on this model. `default` names
    the default model and why. `limits` are those of `textclf.export.description`, `weights` those of
    `textclf.export.sources`. `onnx` says that there is a file of ONNX, `ignores_text` that the model predicts the same
    for every text; `about` is what the user states of the data. `sizes` are the rows of each split; None adds up those
    of the classes.
    """
    names = labelled_names(classes, class_titles(sources, about))
    splits = [split for split in SPLITS if split in results.metrics]
    several = results.decision.get("thresholds")  # of several labels per text
    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (Markdown, not HTML: `finalize` escapes)
        finalize=lambda value: value if isinstance(value, Markup | int) else escape_markdown(str(value)),
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        name=display_name(model),
        folder=Markup(model),  # noqa: S704 (small letters, digits and _; code needs no escapes)
        kind=load_model(kind).KIND,
        classes=[names[label] for label in classes],
        positive=names[classes[-1]] if len(classes) == 2 and not several else None,
        representation=representation,
        record=[(display_name(key), to_yaml(value)) for key, value in sorted(results.record.items())],
        hyperparameters=[(key, to_yaml(value)) for key, value in settings.model_dump().items()],
        splits=splits,
        rows={names[label]: [rows[split].get(label, 0) for split in splits] for label in classes},
        totals=[sizes[split] if sizes else sum(rows[split].values()) for split in splits],
        metrics=[
            (metric.titled(bool(several)), [_measured(name, results, split) for split in splits])
            for name, metric in METRICS.items()
            if any(name in results.metrics[split] for split in splits)
        ],
        class_metrics=join_names(
            [each.titled(bool(several)) for each in metrics_of(bool(several)).values() if each.per_class]
        ),
        of_sets=[(METRICS[key].titled(True), _measured(key, results, "test")) for key in OF_SETS if several],
        accuracy=format_measured(
            "accuracy", results.metrics["test"]["accuracy"], results.intervals["test"]["accuracy"]
        ),
        confidence=confidence_level(confidence),
        costs=(costs := results.decision.get("costs")),
        abstains=costs and len(costs[0]) > len(costs),
        threshold=to_yaml(results.decision["threshold"]) if "threshold" in results.decision else None,
        thresholds=dict(zip(names.values(), map(to_yaml, several), strict=True)) if several else None,
        calibration=[(key, to_yaml(value)) for key, value in sorted(results.decision.items()) if key in SCALING],
        rejection=results.decision.get("rejection"),
        unknown=results.unknown and {key: _share(results.unknown[key]) for key in ("accuracy", "recall")},
        sets=None if results.sets is None or coverage is None else coverage_of(results.sets, coverage, names),
        protocol=protocol,
        caveats=caveats,
        warnings=warnings,
        default=default,
        limits=limits,
        weights=weights,
        onnx=onnx,
        ignores_text=ignores_text,
        sources=sources,
        rights=(rights := combine_rights(sources, about)),
        language_code=CODES.get(rights.language),
        unstated=UNSTATED,
        shown=SHOWN,
    )


def _measured(name: str, results: Results, split: str) -> str:
    """Return the value of a metric with the interval in brackets."""
    intervals, calibrated = results.intervals.get(split, {}), results.ece_if_calibrated.get(split)
    value, interval = format_metric(name, results.metrics[split], intervals, calibrated)
    return f"{value} ({interval})" if interval else value


def coverage_of(sets: Mapping[str, Any], coverage: float, names: Mapping[str, str]) -> dict[str, Any]:
    """Return what the card says of prediction sets of this coverage, as texts; `names` are those of the classes."""
    by_class = {label: cell["value"] for label, cell in sets["classes"].items() if cell}
    lowest = min(by_class, key=lambda label: by_class[label])
    return {
        "asked": confidence_level(coverage),
        "share": coverage,
        "found": _share(sets["coverage"]),
        "lowest": names[lowest],
        "of_lowest": _share(sets["classes"][lowest]),
        "size": f"{sets['set_size']:.2f}",
        "answered": percent(sets["answered"]),
        "accuracy": _share(sets["accuracy"]) if sets["accuracy"] else None,
    }


def _share(cell: Mapping[str, float]) -> str:
    return "{} ({})".format(*format_measured("accuracy", cell["value"], cell))
