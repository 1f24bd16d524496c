"""The sections with curves and matrices of the test rows.

They are labels, history, confusion, ROC, precision and recall, and calibration.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from textclf.core.display import NO_ANSWER, display_labels
from textclf.core.files import CURVES
from textclf.core.formatting import display_name, join_names, percent
from textclf.evaluate.curves import confusion_table
from textclf.evaluate.measure import read_together
from textclf.evaluate.metrics.of_rows import BINS, top_class
from textclf.evaluate.registry import METRICS, format_interval, format_value
from textclf.evaluate.results import format_metric
from textclf.pages.parts import Chart, Table, ends
from textclf.plot.charts import (
    ACCURACY,
    CONFUSION,
    LEARNING_CURVE,
    LOSS,
    PRECISION_RECALL,
    RELIABILITY,
    ROC,
)
from textclf.plot.confusion import confusion as confusion_chart
from textclf.plot.confusion import most_mistaken, of_classes, retitled
from textclf.plot.draw import CURVE_POINTS, lines, panels
from textclf.plot.draw import curves as curves_chart
from textclf.plot.history import history as history_chart
from textclf.plot.history import lowest_loss, watched
from textclf.plot.marks import key, present
from textclf.report.run import Run

# Classes whose curves are not folded.
UNFOLDED = 3
# Columns of a class name in a matrix.
LABEL_LIMIT = 24
# Up to this many classes matrices stand side by side.
SMALL = 8
PAIR_TITLES = {
    "class": "The pairs of classes that are confused most",
    "label": "Pairs of labels most often predicted for texts that do not have both",
}
# A calibration error is worth mending above this many times that to expect by chance, ...
WELL_ABOVE = 2
# ... and more than this share above it.
MATTERS = 0.02
# Confused pairs that are listed for each model.
PAIRS = 10
# Of more than twice as many classes, this many of the hardest and of the easiest are listed.
ENDS = 15


def labels(run: Run) -> dict[str, Any] | None:
    """Return the accuracy of linear models by number of labels; None without such models."""
    models = {name: run.results.labels[name] for name in run.ordered if name in run.results.labels}
    if not models:
        return None
    points = [
        (name, int(n), at.value, at.low, at.high)
        for name, of in models.items()
        for n, at in of.history.items()
    ]
    rows = pd.DataFrame(
        points, columns=["model", "rows", "accuracy", "accuracy_low", "accuracy_high"]
    )
    chart = run.chart(replace(LEARNING_CURVE, x=replace(LEARNING_CURVE.x, title="labels")))
    caption = f"Test {run.words['accuracy']} by number of labels, with {run.level} intervals."
    drawn = Chart(
        "labels",
        caption,
        caption,
        lines(chart, rows.sort_values("rows", kind="stable"), run.models),
    )
    sentences = [(display_name(name), max(map(int, of.history)), of) for name, of in models.items()]
    return {"charts": [drawn], "models": sentences}


def history(run: Run) -> dict[str, Any] | None:
    """Return accuracy and loss by epoch of the models trained in epochs; None without any."""
    rows = run.tables["history"]
    if not len(rows):
        return None
    split = watched(rows)
    table, sentences = [], []
    for name in present(rows, run.models):
        part = rows[rows["model"] == name]
        best = [
            *lowest_loss(part).to_dict("records"),
            *part[part["split"] == split].to_dict("records"),
        ][0]
        table += _epochs(part, split, best["epoch"])
        sentences.append(
            f"the {split} loss of {display_name(name)} is lowest, {best['loss']:.3f}, "
            f"at epoch {best['epoch']:,} of {part['epoch'].max():,}"
        )
    finding = f"{join_names(sentences)}."
    accuracy = run.words["accuracy"]
    columns = [
        "model",
        "epoch",
        "",
        f"train {accuracy}",
        "train loss",
        f"{split} {accuracy}",
        f"{split} loss",
    ]
    return {
        "charts": [
            Chart(
                f"history-{chart.name}",
                f"{chart.title}, on training and {split} rows: {finding}",
                f"{chart.title}. The dot is at the lowest {split} loss.",
                history_chart(chart, rows, run.models),
            )
            for chart in map(run.chart, (ACCURACY, LOSS))
        ],
        "table": Table(
            f"First, best and last epoch, on training and {split} rows", columns, table, range(2, 7)
        ),
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
        numbers = [
            text for row in both for text in (percent(row["accuracy"]), f"{row['loss']:.4f}")
        ]
        lines.append([display_name(rows["model"].iloc[0]), title, f"{epoch:,}", *numbers])
    return lines


def confusion(run: Run) -> dict[str, Any]:
    """Return a confusion matrix per model and the pairs of classes confused most.

    A matrix shows the classes mistaken most. With several labels the pairs are of labels decided
    most for texts with another one.
    """
    table, kind = run.tables["confusion"], run.words["kind"]
    shown = most_mistaken(table, run.classes)
    together = confusion_table(run.together, run.support, run.classes) if run.multilabel else None
    total, order = len(run.rows["test"]), "count" if together is None else "more"
    matrices, pairs = [], []
    for model in run.models:
        rows = table[table["model"] == model]
        right = f"{run.right(model):,} of {total:,}"
        what = "Confusion matrix" if together is None else "Decided labels"
        description = f"{what} of {display_name(model)}: {right} test rows are right."
        matrices.append(_matrix(run, model, rows, shown, description, f"{right} right"))
        mistakes = rows[(rows["actual"] != rows["predicted"]) & (rows["count"] > 0)]
        if together is not None:
            mistakes = mistakes.merge(
                together, "left", ["actual", "predicted"], suffixes=("", "_both")
            )
            both = mistakes["count_both"].fillna(0).astype(int)
            mistakes = mistakes.assign(count_both=both, more=mistakes["count"] - both)
        pairs += [
            [
                display_name(model),
                run.names[pair["actual"]],
                run.names.get(pair["predicted"], NO_ANSWER),
                f"{pair['count']:,}",
                percent(pair["share"]),
                *([] if together is None else [f"{pair['count_both']:,}"]),
            ]
            for pair in mistakes.nlargest(PAIRS, order).to_dict("records")
        ]
    unfolded = len(matrices) if len(shown) <= SMALL else 1
    if together is not None:
        what = "Labels that the test texts have together."
        matrices.append(_matrix(run, "", together, shown, what, "as of a model without mistakes"))
    if unfolded == 1:
        # The model that represents the run stands first.
        matrices.sort(key=lambda chart: chart.name != f"confusion-{run.default[0]}")
    columns = ["model", "actual", "predicted", "rows", f"of the actual {kind}"]
    return {
        "charts": matrices[:unfolded],
        "more": matrices[unfolded:],
        "left_out": len(run.classes) - len(shown),
        "shown": len(shown),
        "pairs": Table(
            "Mistakes by class" if run.binary else PAIR_TITLES[kind],
            columns if together is None else [*columns, "with both"],
            pairs,
            (3, 4) if together is None else (3, 4, 5),
        ),
    }


def _matrix(
    run: Run, model: str, rows: pd.DataFrame, shown: list[str], description: str, caption: str
) -> Chart:
    short = display_labels(run.classes, run.names, LABEL_LIMIT)
    chart = run.chart(CONFUSION)
    chart = chart if model else replace(chart, x=chart.y)
    spec = confusion_chart(
        retitled(of_classes(rows, run.classes), short), [short[name] for name in shown], chart=chart
    )
    title = display_name(model) or "actual labels"
    return Chart(
        f"confusion-{model}", description, caption, spec, title=title, wide=len(shown) > SMALL
    )


def curves(run: Run) -> dict[str, Any]:
    """Return the ROC and the precision-recall curves, with metrics per class in a table.

    Binary: one chart of each kind, of the positive class. Otherwise one for each class that
    evaluate chose.
    """
    drawn: dict[str, list[Chart]] = {}
    for chart in (ROC, PRECISION_RECALL):
        points = run.tables[chart.table].dropna()
        shown = list(dict.fromkeys(points["class"]))
        drawn[chart.name] = [
            _curve(run, chart.name, name, points, CURVE_POINTS // len(shown)) for name in shown
        ]
    several = not run.binary
    return {
        "charts": [chart for charts in drawn.values() for chart in charts[:UNFOLDED]],
        "more": [chart for charts in drawn.values() for chart in charts[UNFOLDED:]],
        "roc": bool(drawn["roc"]),
        "key": key(run.models) if several else [],
        "several": several,
        "left_out": several and len(run.classes) > CURVES,
        "shown": len(drawn[PRECISION_RECALL.name]),
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
        description = (
            f"ROC curves of {run.words['kind']} {run.names[name]}; "
            f"areas below them: {join_names(areas)}."
        )
    else:
        title = "Precision and recall"
        share = float(run.support[place] / len(run.rows["test"]))
        chart = replace(PRECISION_RECALL, guide=((0, share), (1, share)))
        guess = f"guessing has a precision of {percent(share)}"
        description = f"Precision-recall curves of {run.words['kind']} {run.names[name]}; {guess}."
    rows = points[points["class"] == name]
    spec = curves_chart(chart, rows, run.models, limit, legend=run.binary)
    title = f"{title}, {run.words['kind']} {run.names[name]}"
    return Chart(f"{kind}-{place}", description, "", spec, title=title)


def _class_metrics(run: Run) -> Table:
    """Return the metrics of each class on the test rows; of many, the lowest and highest F1."""
    tested = run.tables["classes"]
    tested = tested[tested["split"] == "test"]
    rows = {(row["class"], row["model"]): row for row in tested.to_dict("records")}
    shown, kind, kinds = set(ends(_hardest(run), ENDS)), run.words["kind"], run.words["kinds"]
    caption = f"Metrics of each {kind} on the test rows, with {run.level} intervals"
    if len(shown) < len(run.classes):
        caption += (
            f": the {ENDS} of {len(run.classes)} {kinds} with the lowest F1, "
            f"and the {ENDS} with the highest"
        )
    keys, own, after = run.class_metrics, [], []
    if run.multilabel:
        # For want of room; the charts have these areas.
        keys = [key for key in keys if key != "roc_auc"]
        own, after = ["rows", "threshold"], ["calibration error, mean probability"]
    columns = [kind, "model", *own, *(METRICS[key].title for key in keys), *after]
    labels = _describe_labels(run) if run.multilabel else {}
    lines = [
        [
            run.names[name],
            display_name(model),
            *labels.get((name, model), [])[:2],
            *(_with_interval(rows[name, model], key) for key in keys),
            *labels.get((name, model), [])[2:],
        ]
        for name in run.classes
        if name in shown
        for model in run.models
        if (name, model) in rows
    ]
    return Table(caption, columns, lines, range(2, len(columns)))


def _describe_labels(run: Run) -> dict[tuple[str, str], list[object]]:
    """Return by label and model its test rows, threshold, calibration error, mean probability."""
    total = len(run.rows["test"])
    gaps = {name: np.zeros((len(run.classes), BINS)) for name in run.models}
    for batch in (batch for split, batch in read_together(run.predictions) if split == "test"):
        for model, rows in batch.items():
            calibrated = run.decision(model).calibrate(rows.probabilities)
            for place in range(len(run.classes)):
                probabilities, has, bins = top_class(rows.y[:, [place]], calibrated[:, [place]])
                gaps[model][place] += np.bincount(bins, has - probabilities, minlength=BINS) / total
    return {
        (name, model): [
            f"{support:,}",
            f"{threshold:.3f}",
            (
                format_value("ece", np.abs(gap).sum()),
                f"mean {percent(support / total - gap.sum())}",
            ),
        ]
        for model in run.models
        for name, support, threshold, gap in zip(
            run.classes, run.support, run.decision(model).thresholds or (), gaps[model], strict=True
        )
    }


def _hardest(run: Run) -> list[str]:
    """Return the classes by mean F1 on the test rows, the lowest first, those without F1 last."""
    tested = run.tables["classes"]
    mean = tested[tested["split"] == "test"].groupby("class")["f1"].mean().fillna(math.inf)
    return sorted(run.classes, key=lambda name: mean.get(name, math.inf))


def _with_interval(row: Mapping[Any, Any], metric: str) -> tuple[str, str]:
    value, low, high = (float(row[f"{metric}{end}"]) for end in ("", "_low", "_high"))
    if not np.isfinite(value):
        return "", ""
    ends = format_interval(metric, low, high) if np.isfinite(low) else ""
    return format_value(metric, value), ends


def calibration(run: Run) -> dict[str, Any]:
    """Return accuracy against confidence, with the error after and before any calibration.

    With several labels it is the share of the texts that have a label against the probability of
    it.
    """
    drawn, rows = [], []
    table = run.tables["reliability"]
    chart, title = RELIABILITY, "Accuracy by confidence"
    titles = ["accuracy", "probability of the predicted class", "rows"]
    if run.multilabel:
        title = "Share of a label by its probability"
        titles = ["share that has it", "probability of a label", "pairs"]
        chart = replace(
            chart, x=replace(chart.x, title=titles[1]), y=replace(chart.y, title=titles[0])
        )
    specs = panels(chart, table, run.models, run.names)
    for model in run.models:
        bins = table[table["model"] == model]
        before = run.results.decisions[model].uncalibrated.get("test", {}).get("ece")
        measured = run.results.evaluation[model]["test"]
        value, beside = format_metric(
            "ece", measured, {}, run.results.decisions[model].ece_if_calibrated.get("test")
        )
        beside += "" if before is None else f"; {format_value('ece', before)} before"
        error = f"{METRICS['ece'].title} {value}" + (f" ({beside})" if beside else "")
        drawn.append(
            Chart(
                f"reliability-{model}",
                f"{title.replace(' by ', ' against ')} of {display_name(model)}, "
                f"in {len(bins)} bins: {error}.",
                error,
                specs[display_name(model)],
                title=display_name(model),
            )
        )
        rows += [
            [
                display_name(model),
                f"{percent(row['low'], 0)} to {percent(row['high'], 0)}",
                f"{row['rows']:,}",
                percent(row["confidence"]),
                (
                    percent(row["accuracy"]),
                    format_interval("accuracy", row["accuracy_low"], row["accuracy_high"]),
                ),
            ]
            for row in bins.to_dict("records")
        ]
    columns = ["model", *titles[1:], "mean probability", titles[0]]
    return {
        "charts": drawn,
        "table": Table(title, columns, rows, range(2, 5)),
        "remedy": _calibration_remedy(run),
    }


def _calibration_remedy(run: Run) -> str:
    """Return how to calibrate models whose calibration error is well above chance, or ""."""
    if run.settings.evaluate.calibration != "none":
        return ""
    poor = []
    for name in run.models:
        error = run.results.evaluation[name]["test"]["ece"]
        chance = run.results.decisions[name].ece_if_calibrated.get("test")
        # Whether there are rows to fit to that trained nothing.
        fits = "validation" in run.splits or name not in run.settings.evaluate.external
        if fits and chance is not None and error > WELL_ABOVE * chance and error > chance + MATTERS:
            poor.append(display_name(name))
    methods = "platt or temperature" if run.binary or run.multilabel else "temperature"
    rows = "validation rows" if "validation" in run.splits else "training rows left out of the fit"
    verb = "is" if len(poor) == 1 else "are"
    sentence = (
        f"{join_names(poor)} {verb} calibrated worse than chance explains: "
        f"evaluate.calibration: {methods} corrects the probabilities by {rows}."
    )
    return sentence if poor else ""
