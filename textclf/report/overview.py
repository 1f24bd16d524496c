"""The sections on how a run was measured, and on the models side by side."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from textclf.core.display import visible
from textclf.core.files import SPLITS
from textclf.core.formatting import (
    display_name,
    join_names,
    p_value,
    percent,
    points,
    split_rows,
)
from textclf.evaluate.metrics.metric import Metric
from textclf.evaluate.registry import METRICS, format_interval, format_value
from textclf.evaluate.results import Comparison, format_difference, format_metric
from textclf.export import description
from textclf.pages.parts import Chart, Table
from textclf.plot.charts import BY_SPLIT
from textclf.plot.draw import panels
from textclf.report.run import Run
from textclf.report.summary import corrected, differs
from textclf.vectorize.caveats import caveats


def protocol(run: Run) -> dict[str, Any]:
    """Return the caveats, and how the run was made and measured."""
    settings = run.settings
    watching = [name for name in run.models if name in run.watching]
    chosen = isinstance(settings.evaluate.threshold, str)
    decisions = {name: run.decision(name) for name in run.models}
    calibrations = {name: run.calibration(name) for name in run.models}
    return {
        "caveats": [
            *description.caveats(run, run.names, watching),
            *(
                sentence
                for name, shape in run.results.features.items()
                for sentence in caveats(
                    name, settings.vectorize[name], shape.model_dump(exclude_unset=True)
                )
            ),
        ],
        "facts": [
            *description.protocol(
                run, run.names, settings.models.names(), refitted=run.refitted is not None
            ),
            *(_external(run, name, settings.evaluate.external[name]) for name in settings.external),
        ],
        "thresholds": [
            (display_name(name), f"{decision.threshold:.3f}")
            for name, decision in decisions.items()
            if chosen and decision.threshold is not None
        ],
        "calibrations": [
            (display_name(name), sentence) for name, sentence in calibrations.items() if sentence
        ],
    }


def _external(run: Run, name: str, path: str) -> str:
    read = (
        f"The predictions of {display_name(name)} were made elsewhere and read from "
        f"{visible(path)}; whether it was trained on test rows is not known here."
    )
    labels = (
        " The file has labels alone, so every probability is 0 or 1: its log loss, Brier score, "
        "calibration and curves say nothing."
    )
    return read + labels if run.results.training[name].get("labels_only") else read


def _accuracies(run: Run, splits: Sequence[str]) -> Chart:
    """Return the chart of accuracies on each split; its text has those on the test rows."""
    accuracies: list[dict[str, Any]] = [
        {
            "model": name,
            "split": split_rows(split),
            "accuracy": run.results.evaluation[name][split]["accuracy"],
            "low": run.results.accuracy_ends(name, split).low,
            "high": run.results.accuracy_ends(name, split).high,
        }
        for split in reversed(splits)
        for name in run.models
        if split in run.results.evaluation[name]
    ]
    drawn = [row for row in accuracies if row["model"] not in run.squeezing]
    tested = "; ".join(
        f"{display_name(row['model'])} {percent(row['accuracy'])} "
        f"({format_interval('accuracy', row['low'], row['high'])})"
        for row in accuracies
        if row["split"] == split_rows("test")
    )
    fitted = "that models were fitted to" + (" or chosen by" if "validation" in splits else "")
    accuracy = run.words["accuracy"]
    return Chart(
        "accuracies",
        f"Test {accuracy} with {run.level} intervals: {tested}.",
        f"{accuracy[0].upper()}{accuracy[1:]} with its {run.level} interval, on the test rows "
        f"and on the rows {fitted}.{run.not_drawn}",
        panels(run.chart(BY_SPLIT), pd.DataFrame(drawn), run.models, {})[""],
    )


def compared(run: Run) -> dict[str, Any]:
    """Return the models side by side: metrics with their intervals, and paired tests."""
    splits = [split for split in SPLITS if split in run.splits]
    important, others = _metrics(run, splits)
    level_caption = f"with {run.level} intervals, on the test rows unless stated otherwise"
    tests = _tests(run)
    return {
        "chart": _accuracies(run, splits),
        "metrics": _by_model(run, f"Metrics {level_caption}", important),
        "others": _by_model(run, f"Other metrics {level_caption}", others),
        "other_titles": join_names([str(row[0]) for row in others]),
        "per_class": join_names(
            [METRICS[name].titled(run.multilabel) for name in run.class_metrics]
        ),
        "positive": run.names[run.classes[-1]] if run.binary else None,
        "clusters": "test" in run.results.decisions.protocol.clusters,
        "lower": join_names(
            [metric.title for metric in _measured(run) if not metric.higher_is_better]
        ),
        "tests": Table(
            "Pairs of models on the same test rows",
            [
                "pair",
                "difference",
                "interval",
                "right alone",
                "p",
                "p (Holm)",
                "detectable",
                "significant",
            ],
            tests,
            range(1, 7),
        )
        if tests
        else None,
        "differences": _differences(run) if tests else None,
        "corrected": corrected(run),
        "significant": sum(differs(run, test) for test in run.results.comparisons.values()),
    }


def _by_model(run: Run, caption: str, rows: Sequence[Sequence[object]]) -> Table:
    return Table(caption, ["", *map(display_name, run.models)], rows, range(1, 1 + len(run.models)))


def _measured(run: Run) -> list[Metric]:
    """Return the metrics that some model has on the test rows."""
    return [
        metric
        for key, metric in METRICS.items()
        if any(key in run.results.evaluation[name]["test"] for name in run.models)
    ]


def _metrics(run: Run, splits: Sequence[str]) -> tuple[list[list[object]], list[list[object]]]:
    """Return the rows of the important metrics, accuracy by split first, and of the others."""
    important: list[list[object]] = [
        [
            f"{run.words['accuracy']} on {split_rows(split)}",
            *(_metric(run, name, split, "accuracy") for name in run.models),
        ]
        for split in reversed(splits)
    ]
    others: list[list[object]] = []
    for metric in _measured(run):
        key = metric.name
        if key != "accuracy":
            guessing = run.results.decisions.guessing.get(key)
            own = metric.titled(run.multilabel)
            title = own if guessing is None else (own, f"guessing: {format_value(key, guessing)}")
            row: list[object] = [title, *(_metric(run, name, "test", key) for name in run.models)]
            (important if metric.important else others).append(row)
    parameters = [run.results.training[name].get("parameters") for name in run.models]
    others.append(["parameters", *(f"{number:,}" if number else "" for number in parameters)])
    return important, others


def _metric(run: Run, model: str, split: str, key: str) -> tuple[str, str]:
    results = run.results
    measured = results.evaluation[model].get(split, {})
    intervals = results.intervals[model].get(split, {})
    chance = results.decisions[model].ece_if_calibrated.get(split)
    return format_metric(key, measured, intervals, chance)


def _pairs(run: Run) -> Iterator[tuple[str, Comparison]]:
    """Yield the title and the comparison of each pair of models, the later one first."""
    for earlier, later in combinations(run.models, 2):
        title = f"{display_name(later)} vs. {display_name(earlier)}"
        yield title, run.results.compare(later, earlier)


def _differences(run: Run) -> Table:
    """Return a table of the differences in metrics other than accuracy, by pair."""
    pairs = dict(_pairs(run))
    keys = [key for key in METRICS if any(key in test.metrics for test in pairs.values())]
    rows = [[title, *(_difference(key, test) for key in keys)] for title, test in pairs.items()]
    titles = []
    for key in keys:
        title = METRICS[key].titled(run.multilabel)
        titles.append(f"{title} (points)" if METRICS[key].percent else title)
    caption = f"Differences in other metrics on the same test rows, with {run.level} intervals"
    return Table(caption, ["pair", *titles], rows, range(1, len(keys) + 1))


def _difference(metric: str, test: Comparison) -> object:
    if metric not in test.metrics:
        return ""
    measured = test.metrics[metric]
    return format_difference(metric, measured.difference if measured else 0.0, measured)


def _tests(run: Run) -> list[list[object]]:
    rows: list[list[object]] = []
    for title, test in _pairs(run):
        smallest = test.smallest_difference
        rows.append(
            [
                title,
                f"{points(test.difference)} points",
                f"{points(test.low)} to {points(test.high)}",
                f"{test.only_first:,.0f} and {test.only_second:,.0f}",
                p_value(test.p),
                p_value(test.p_holm),
                "none" if smallest is None else f"{points(smallest, signed=False)} points",
                "yes" if differs(run, test) else "no",
            ]
        )
    return rows
