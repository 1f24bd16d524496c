"""The sections with the curves of the test rows: history, confusion, ROC, precision and recall, calibration."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from textclf.core.formatting import display_name, join_names, percent
from textclf.core.labels import NO_ANSWER, display_labels
from textclf.evaluate.registry import METRICS, format_interval, format_metric, format_value
from textclf.pages.parts import Chart, Table, ends
from textclf.plot.charts import ACCURACY, LOSS, PRECISION_RECALL, RELIABILITY, ROC
from textclf.plot.confusion import confusion as confusion_chart
from textclf.plot.confusion import most_mistaken, of_classes, retitled
from textclf.plot.curves import CURVE_POINTS
from textclf.plot.curves import curves as curves_chart
from textclf.plot.history import history as history_chart
from textclf.plot.history import lowest_loss, watched
from textclf.plot.marks import key, present
from textclf.plot.panels import panels
from textclf.report.run import CLASS_METRICS, Run

CURVES = 12  # classes whose curves are drawn
UNFOLDED = 3  # of them
LABEL_LIMIT = 24  # columns of a class name in a matrix
SMALL = 8  # classes up to which matrices stand side by side
PAIRS = 10  # confused pairs that are listed for each model
ENDS = 15  # of more than twice as many classes, the hardest and the easiest whose metrics are listed


def history(run: Run) -> dict[str, Any] | None:
    """Return accuracy and loss by epoch, of the models that were trained in epochs; None if there are none."""
    rows = run.tables["history"]
    if not len(rows):
        return None
    split = watched(rows)
    table, sentences = [], []
    for name in present(rows, run.models):
        part = rows[rows["model"] == name]
        best = [*lowest_loss(part).to_dict("records"), *part[part["split"] == split].to_dict("records")][0]
        table += _epochs(part, split, best["epoch"])
        sentences.append(
            f"the {split} loss of {display_name(name)} is lowest, {best['loss']:.3f}, at epoch {best['epoch']:,} of "
            f"{part['epoch'].max():,}"
        )
    finding = f"{join_names(sentences)}."
    columns = ["model", "epoch", "", "train accuracy", "train loss", f"{split} accuracy", f"{split} loss"]
    return {
        "charts": [
            Chart(
                f"history-{chart.name}",
                f"{chart.title}, on training and {split} rows: {finding}",
                f"{chart.title}. The dot is at the lowest {split} loss.",
                history_chart(chart, rows, run.models),
                narrow=True,
            )
            for chart in (ACCURACY, LOSS)
        ],
        "table": Table(f"First, best and last epoch, on training and {split} rows", columns, table, range(2, 7)),
        "watched": split,
        "finding": finding[0].upper() + finding[1:],
    }


def _epochs(rows: pd.DataFrame, split: str, best: int) -> list[list[str]]:
    """Return the first, the best and the last epoch of a model as rows of the table."""
    epochs = rows[rows["split"] == split]["epoch"].tolist()
    titles = {"first": epochs[0], f"lowest {split} loss": best, "last": epochs[-1]}
    measured = {(row["epoch"], row["split"]): row for row in rows.to_dict("records")}
    lines = []
    for title, epoch in titles.items():
        both = [measured[epoch, "train"], measured[epoch, split]]
        numbers = [text for row in both for text in (percent(row["accuracy"]), f"{row['loss']:.4f}")]
        lines.append([display_name(rows["model"].iloc[0]), title, f"{epoch:,}", *numbers])
    return lines


def confusion(run: Run) -> dict[str, Any]:
    """Return a matrix per model, with the classes that are mistaken most, and the pairs that are confused most."""
    table = run.tables["confusion"]
    shown = most_mistaken(table, run.classes)
    short = display_labels(run.classes, run.names, LABEL_LIMIT)
    matrices, pairs = [], []
    for model in run.models:
        rows = table[table["model"] == model]
        counts = run.counts(model)
        right, total = int(counts.trace()), int(counts.sum())
        matrices.append(
            Chart(
                f"confusion-{model}",
                f"Confusion matrix of {display_name(model)}: {right:,} of {total:,} test rows are right.",
                f"{right:,} of {total:,} right",
                confusion_chart(retitled(of_classes(rows, run.classes), short), [short[name] for name in shown]),
                title=display_name(model),
                narrow=len(shown) <= SMALL,
                wide=len(shown) > SMALL,
            )
        )
        mistakes = rows[(rows["actual"] != rows["predicted"]) & (rows["count"] > 0)]
        pairs += [
            [
                display_name(model),
                run.names[pair["actual"]],
                run.names.get(pair["predicted"], NO_ANSWER),
                f"{pair['count']:,}",
                percent(pair["share"]),
            ]
            for pair in mistakes.nlargest(PAIRS, "count").to_dict("records")
        ]
    unfolded = len(matrices) if len(shown) <= SMALL else 1
    if unfolded == 1:  # the model that represents the run first
        matrices.sort(key=lambda chart: chart.name != f"confusion-{run.representative[0]}")
    return {
        "charts": matrices[:unfolded],
        "more": matrices[unfolded:],
        "left_out": len(run.classes) - len(shown),
        "shown": len(shown),
        "pairs": Table(
            "The pairs of classes that are confused most" if len(run.classes) > 2 else "Mistakes by class",
            ["model", "actual", "predicted", "rows", "of the actual class"],
            pairs,
            (3, 4),
        ),
    }


def curves(run: Run) -> dict[str, Any]:
    """Return the ROC and the precision-recall curves, with metrics per class in a table.

    Binary: one chart of each kind, of the positive class. Otherwise one for each of the classes with most mistakes.
    """
    drawn: dict[str, list[Chart]] = {}
    left_out = 0
    for chart in (ROC, PRECISION_RECALL):
        points = run.tables[chart.table].dropna()
        measured = set(points["class"])
        classes = [name for name in run.classes if name in measured]
        shown = most_mistaken(run.tables["confusion"], classes, CURVES)
        left_out = max(left_out, len(classes) - len(shown))
        drawn[chart.name] = [_curve(run, chart.name, name, points, CURVE_POINTS // len(shown)) for name in shown]
    several = len(run.classes) > 2
    return {
        "charts": [chart for charts in drawn.values() for chart in charts[:UNFOLDED]],
        "more": [chart for charts in drawn.values() for chart in charts[UNFOLDED:]],
        "roc": bool(drawn["roc"]),
        "key": key(run.models) if several else [],
        "several": several,
        "left_out": left_out,
        "shown": CURVES,
        "table": _class_metrics(run),
    }


def _curve(run: Run, kind: str, name: str, points: pd.DataFrame, limit: int) -> Chart:
    place = list(run.classes).index(name)
    if kind == "roc":
        title, chart = "ROC", ROC
        classes = run.tables["classes"]
        tested = classes[(classes["split"] == "test") & (classes["class"] == name)]
        areas = [
            f"{display_name(model)} {format_value('roc_auc', area)}"
            for model, area in zip(tested["model"], tested["roc_auc"], strict=True)
            if np.isfinite(area)
        ]
        description = f"ROC curves of class {run.names[name]}; areas below them: {join_names(areas)}."
    else:
        title = "Precision and recall"
        counts = run.counts(run.models[0])
        share = float(counts[place].sum() / counts.sum())
        chart = replace(PRECISION_RECALL, guide=((0, share), (1, share)))
        guess = f"guessing has a precision of {percent(share)}"
        description = f"Precision-recall curves of class {run.names[name]}; {guess}."
    rows = points[points["class"] == name]
    spec = curves_chart(chart, rows, run.models, limit, legend=len(run.classes) == 2)
    return Chart(f"{kind}-{place}", description, "", spec, title=f"{title}, class {run.names[name]}", narrow=True)


def _class_metrics(run: Run) -> Table:
    """Return the metrics of each class on the test rows: of many classes those with the lowest and highest F1."""
    tested = run.tables["classes"]
    tested = tested[tested["split"] == "test"]
    rows = {(row["class"], row["model"]): row for row in tested.to_dict("records")}
    mean = tested.groupby("class")["f1"].mean().fillna(math.inf)
    hardest = sorted(run.classes, key=lambda name: mean.get(name, math.inf))
    shown = set(ends(hardest, ENDS))
    caption = f"Metrics of each class on the test rows, with {run.level} intervals"
    if len(shown) < len(run.classes):
        caption += f": the {ENDS} of {len(run.classes)} classes with the lowest F1, and the {ENDS} with the highest"
    return Table(
        caption,
        ["class", "model", *(METRICS[name].title for name in CLASS_METRICS)],
        [
            [run.names[name], display_name(model), *(_with_interval(rows[name, model], key) for key in CLASS_METRICS)]
            for name in run.classes
            if name in shown
            for model in run.models
            if (name, model) in rows
        ],
        range(2, 2 + len(CLASS_METRICS)),
    )


def _with_interval(row: Mapping[Any, Any], metric: str) -> tuple[str, str]:
    value, low, high = (float(row[f"{metric}{end}"]) for end in ("", "_low", "_high"))
    if not np.isfinite(value):
        return "", ""
    ends = format_interval(metric, low, high) if np.isfinite(low) else ""
    return format_value(metric, value), ends


def calibration(run: Run) -> dict[str, Any]:
    """Return accuracy against confidence, with the calibration error, and that before calibration if there was one."""
    drawn, rows = [], []
    table = run.tables["reliability"]
    specs = panels(RELIABILITY, table, run.models, run.names)
    for model in run.models:
        bins = table[table["model"] == model]
        before = run.decisions[model].get("uncalibrated", {}).get("test", {}).get("ece")
        measured = run.evaluation[model]["test"]
        value, beside = format_metric("ece", measured, {}, run.ece_if_calibrated(model, "test"))
        beside += "" if before is None else f"; {format_value('ece', before)} before"
        error = f"{METRICS['ece'].title} {value}" + (f" ({beside})" if beside else "")
        drawn.append(
            Chart(
                f"reliability-{model}",
                f"Accuracy against confidence of {display_name(model)}, in {len(bins)} bins: {error}.",
                error,
                specs[display_name(model)],
                title=display_name(model),
                narrow=True,
            )
        )
        rows += [
            [
                display_name(model),
                f"{percent(row['low'], 0)} to {percent(row['high'], 0)}",
                f"{row['rows']:,}",
                percent(row["confidence"]),
                (percent(row["accuracy"]), format_interval("accuracy", row["accuracy_low"], row["accuracy_high"])),
            ]
            for row in bins.to_dict("records")
        ]
    columns = ["model", "probability of the predicted class", "rows", "mean probability", "accuracy"]
    return {"charts": drawn, "table": Table("Accuracy by confidence", columns, rows, range(2, 5))}
