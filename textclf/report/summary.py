"""The first section: the headline, and the verdicts on the other models."""

import math
from dataclasses import replace
from typing import Any

import pandas as pd

from textclf.core.formatting import display_name, p_relation, points, round_significant
from textclf.evaluate.model_warnings import below_baseline, describe_baseline, find_warnings
from textclf.evaluate.registry import METRICS, OF_SETS
from textclf.evaluate.results import Comparison, format_difference, format_metric, format_share
from textclf.pages.parts import Chart
from textclf.plot.charts import BY_MODEL, Axis
from textclf.plot.draw import points as points_chart
from textclf.plot.style import WIDTH, Spec
from textclf.report.run import Run

# Pixels of each model in the chart, whose number stands above its dot.
ROW = 36


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
        "chart": _ranking(run),
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
        "plain": _in_plain_words(run, test),
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


def _in_plain_words(run: Run, test: Comparison) -> tuple[str, str]:
    """Return a verdict for readers without statistics: what precedes the model, what follows it."""
    apart, cost = "Not told apart from", test.metrics.get("cost")
    if cost and not cost.low <= 0 <= cost.high:
        amount = f"{abs(cost.difference):.3f}"
        if cost.difference < 0:
            return "Cheaper than", f"a text costs {amount} less on average"
        return "More expensive than", f"a text costs {amount} more on average"
    if "cost" in test.metrics:
        return apart, "on the test texts their costs differ by no more than chance can explain"
    if differs(run, test):
        number = points(abs(test.difference), signed=False)
        if test.difference > 0:
            return "Better than", f"right on {number} more of 100 texts"
        return "Worse than", f"right on {number} fewer of 100 texts"
    if test.smallest_difference is None:
        return apart, "there are too few test texts to show any difference"
    smallest = round_significant(100 * test.smallest_difference, 2)
    return apart, (
        f"with {len(run.rows['test']):,} test texts, "
        f"differences under about {smallest:g} points can't be told from chance"
    )


def _ranking(run: Run) -> Chart:
    """Return the chart of the models, the best first, by what compares them: accuracy or cost."""
    results, what = run.results, "the share of the test texts that a model gets right"
    chart, key, sign = run.chart(BY_MODEL), "accuracy", -1
    if "cost" in results.decisions.guessing:
        key, sign, what = "cost", 1, "the mean cost of a model per test text; less is better"
        axis = Axis(key, "mean cost per text", ".3f", scale={"zero": True}, ticks={})
        chart = replace(BY_MODEL, x=axis)
    measured = {name: results.evaluation[name]["test"] for name in run.models}
    rows, told = [], []
    for name in sorted(run.models, key=lambda name: sign * measured[name][key]):
        intervals = results.intervals[name]["test"]
        ends = intervals.get(key)
        low, high = (ends.low, ends.high) if ends else (None, None)
        rows.append({"model": name, key: measured[name][key], "low": low, "high": high})
        value, interval = format_metric(key, measured[name], intervals)
        told.append(f"{display_name(name)} {value} ({interval})")
    x = chart.x.encode()
    numbers: Spec = {
        "mark": {"type": "text", "dy": -11},
        "encoding": {"x": x, "text": {"field": key, "format": chart.x.form}},
    }
    floor: Spec = {
        "data": {"values": [{key: results.decisions.guessing[key]}]},
        "mark": {"type": "rule", "strokeDash": [2, 3], "opacity": 0.6},
        "encoding": {"x": x, "y": {"value": 0}, "y2": {"value": "height"}},
    }
    size = WIDTH, ROW * len(rows)
    drawn = points_chart(chart, pd.DataFrame(rows), run.models, size=size, more=[numbers, floor])
    title = METRICS[key].titled(run.multilabel)
    return Chart(
        chart.name,
        f"Test {title} with {run.level} intervals: {'; '.join(told)}.",
        f"Dot: {what}. Line: where that number probably is for all texts of this kind. "
        "Dotted: the same answer for every text.",
        drawn,
    )


def corrected(run: Run) -> int:
    """Return the number of pairs without a baseline: their p-values are corrected together."""
    return math.comb(sum(not run.decision(name).baseline for name in run.models), 2)


def differs(run: Run, test: Comparison) -> bool:
    """Return whether two models differ significantly."""
    return test.p_holm <= 1 - run.settings.evaluate.confidence
