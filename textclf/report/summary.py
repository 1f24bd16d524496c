"""The first section: the headline, and the verdicts on the other models."""

import math
from typing import Any

from textclf.core.formatting import display_name, p_relation
from textclf.evaluate.model_warnings import below_baseline, describe_baseline, find_warnings
from textclf.evaluate.registry import OF_SETS
from textclf.evaluate.results import Comparison, format_difference, format_metric, format_share
from textclf.report.run import Run


def summary(run: Run) -> dict[str, Any]:
    """Return the headline: accuracy of the representative model, compared with the others."""
    name, reason = run.default
    measured, intervals = run.results.evaluation[name]["test"], run.results.intervals[name]["test"]
    confidence = run.settings.evaluate.confidence
    rejected = run.results.unknown.get(name, {}).get("test")
    # Of this model alone: the verdicts tell which others are weaker.
    warnings = find_warnings(run.results, run.models, confidence, [name])
    return {
        "model": display_name(name),
        "why": reason,
        "accuracy": measured["accuracy"],
        "ends": run.results.accuracy_ends(name),
        "confidence": run.level,
        "rows": f"{len(run.rows['test']):,}",
        "right": f"{run.right(name):,}",
        "below": below_baseline(run.results, name),
        "baseline": describe_baseline(run.results),
        # Texts of no class that are learned as a class.
        "learned": {*run.results.splits.unknown} & {*run.classes},
        "recall": "" if rejected is None else format_share(rejected.recall),
        "cost": format_metric("cost", measured, intervals),
        "unanswered": f"{int(run.counts[name][:, len(run.classes) :].sum()):,}",
        "of_sets": [format_metric(key, measured, intervals) for key in OF_SETS if run.multilabel],
        "verdicts": [_verdict(run, name, other) for other in run.models if other != name],
        "warnings": [
            (display_name(model), text) for model, texts in warnings.items() for text in texts
        ],
        "no_validation": "validation" not in run.splits,
    }


def _verdict(run: Run, name: str, other: str) -> dict[str, Any]:
    test = run.results.compare(name, other)
    loss, cost = test.metrics.get("log_loss"), test.metrics.get("cost")
    said = "No significant difference in mean cost from"
    if cost and not cost.low <= 0 <= cost.high:
        said = "Cheaper than" if cost.difference < 0 else "More expensive than"
    return {
        "said": said,
        "cost": format_difference("cost", cost.difference if cost else 0.0, cost)
        if "cost" in test.metrics
        else None,
        "test": test,
        "differs": differs(run, test),
        "other": display_name(other),
        "p": p_relation(test.p_holm).replace(" ", "\N{NO-BREAK SPACE}"),
        "corrected": not (run.decision(name).baseline or run.decision(other).baseline)
        and corrected(run) > 1,
        "loss": format_difference("log_loss", loss.difference, loss)
        if loss and not loss.low <= 0 <= loss.high
        else None,
    }


def corrected(run: Run) -> int:
    """Return the number of pairs without a baseline: their p-values are corrected together."""
    return math.comb(sum(not run.decision(name).baseline for name in run.models), 2)


def differs(run: Run, test: Comparison) -> bool:
    """Return whether two models differ significantly."""
    return test.p_holm <= 1 - run.settings.evaluate.confidence
