"""The first section: the headline, and the verdicts on the other models."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import pandas as pd

from textclf.core.formatting import display_name, p_relation, points, round_significant
from textclf.evaluate.metrics.metric import Metric
from textclf.evaluate.model_warnings import below_baseline, describe_baseline, find_warnings
from textclf.evaluate.registry import COST, MAE, METRICS, OF_SETS, deciding
from textclf.evaluate.results import (
    Comparison,
    Ends,
    format_difference,
    format_metric,
    format_share,
)
from textclf.pages.parts import Chart
from textclf.plot.charts import BY_MODEL, Axis
from textclf.plot.draw import points as points_chart
from textclf.plot.style import WIDTH, Spec
from textclf.report.run import Run

# Pixels of each model in the chart, whose number stands above its dot.
ROW = 36


class Words(NamedTuple):
    """How verdicts by a metric speak of two models."""

    less: str
    more: str
    text: str  # a text ... 0.1 less
    both: str  # ... by no more than chance


WORDS: dict[Metric, Words] = {
    COST: Words("Cheaper than", "More expensive than", "costs", "their costs differ"),
    MAE: Words("Nearer than", "Farther off than", "is off by", "their errors differ"),
}


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
        "loss": _loss(measured, intervals),
        "unanswered": f"{int(run.counts[name][:, len(run.classes) :].sum()):,}",
        "of_sets": [format_metric(key, measured, intervals) for key in OF_SETS if run.multilabel],
        "chart": _ranking(run),
        "verdicts": [_verdict(run, name, other) for other in run.models if other != name],
        "warnings": [
            (display_name(model), text) for model, texts in warnings.items() for text in texts
        ],
        "no_validation": "validation" not in run.splits,
    }


def _loss(measured: Mapping[str, float], intervals: Mapping[str, Ends | None]) -> list[str]:
    """Return sentences on the mean cost and on how far the decisions are off, if measured."""
    sentences = []
    for name, words in (("cost", "The mean cost is"), ("mae", "On average it is off by")):
        value, interval = format_metric(name, measured, intervals)
        if value:
            sentences.append(f"{words} {value}{f' ({interval})' if interval else ''}.")
    if "within_one" in measured:
        share, interval = format_metric("within_one", measured, intervals)
        sentences.append(f"{share} ({interval}) are right or one step off.")
    return sentences


def _verdict(run: Run, name: str, other: str) -> dict[str, Any]:
    test = run.results.compare(name, other)
    metric = deciding([*test.metrics, "accuracy"])
    loss, gap = test.metrics.get("log_loss"), test.metrics.get(metric.name)
    said = f"No significant difference in {metric.title} from"
    if gap and not gap.low <= 0 <= gap.high:
        said = WORDS[metric].less if gap.difference < 0 else WORDS[metric].more
    return {
        "plain": _in_plain_words(run, test),
        "said": said,
        "metric": metric.title,
        "gap": format_difference(metric.name, gap.difference if gap else 0.0, gap)
        if metric in WORDS
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
    apart, metric = "Not told apart from", deciding([*test.metrics, "accuracy"])
    if words := WORDS.get(metric):
        gap = test.metrics[metric.name]
        if gap is None or gap.low <= 0 <= gap.high:
            return apart, f"on the test texts {words.both} by no more than chance can explain"
        amount = f"{abs(gap.difference):.3f}"
        if gap.difference < 0:
            return words.less, f"a text {words.text} {amount} less on average"
        return words.more, f"a text {words.text} {amount} more on average"
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
    """Return the chart of the models, the best first, by the metric that compares them."""
    results, what = run.results, "the share of the test texts that a model gets right"
    chart, sign = run.chart(BY_MODEL), -1
    metric = deciding(results.decisions.guessing)
    key = metric.name
    if metric in WORDS:
        sign, what = 1, f"the {metric.title} of a model on the test texts; less is better"
        axis = Axis(key, f"{metric.title} per text", ".3f", scale={"zero": True}, ticks={})
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
