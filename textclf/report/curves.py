"""The sections with the curves of the test rows: history, confusion, ROC, precision and recall, calibration."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from textclf.artifacts.metrics import METRICS, format_interval, format_value
from textclf.core.formatting import confidence_level, display_name, join_names, percent
from textclf.plot import curves as charts
from textclf.plot import reliability
from textclf.plot.confusion import confusion as confusion_chart
from textclf.plot.history import history as history_chart
from textclf.plot.history import lowest_loss, watched
from textclf.plot.marks import key, present
from textclf.report.markup import Chart, Table
from textclf.report.run import CLASS_METRICS, Run

CURVES = 12  # classes whose curves are drawn
CELLS = 20  # classes of a matrix
LABEL_LIMIT = 24  # columns of a class name in a matrix
PAIRS = 20  # confused pairs that are listed for each model
# The metrics per class in the section of each kind of curve.
SECTION_METRICS = {
    "roc": tuple(name for name in CLASS_METRICS if name == "roc_auc"),
    "precision_recall": tuple(name for name in CLASS_METRICS if name != "roc_auc"),
}


def history(run: Run) -> dict[str, Any]:
    """Return accuracy and loss by epoch, of the models that were trained in epochs."""
    rows = run.history
    if rows.empty:
        return {"charts": [], "table": None, "watched": None}
    split = watched(rows)
    table, sentences = [], []
    for name in present(rows, run.models):
        part = rows[rows["model"] == name]
        best = lowest_loss(part).iloc[0] if len(lowest_loss(part)) else part[part["split"] == split].iloc[0]
        table += _epochs(part, split, int(best["epoch"]))
        sentences.append(
            f"the {split} loss of {display_name(name)} is lowest, {best['loss']:.3f}, at epoch {best['epoch']:,} of "
            f"{part['epoch'].max():,}"
        )
    finding = f"{join_names(sentences)}."
    columns = ["model", "epoch", "", "train accuracy", "train loss", f"{split} accuracy", f"{split} loss"]
    captions = {"accuracy": "Accuracy by epoch.", "loss": "Loss by epoch."}
    return {
        "charts": [
            Chart(
                f"history-{column}",
                f"{column.capitalize()} by epoch, on training and {split} rows: {finding}",
                f"{caption} The dot is at the lowest {split} loss.",
                history_chart(rows, run.models, column),
                narrow=True,
            )
            for column, caption in captions.items()
        ],
        "table": Table(f"First, best and last epoch, on training and {split} rows", columns, table, range(2, 7)),
        "watched": split,
        "finding": finding[0].upper() + finding[1:],
    }


def _epochs(rows: pd.DataFrame, split: str, best: int) -> list[list[str]]:
    """Return the first, the best and the last epoch of a model as rows of the table."""
    train, other = (rows[rows["split"] == name].set_index("epoch") for name in ("train", split))
    titles = {"first": other.index[0], f"lowest {split} loss": best, "last": other.index[-1]}
    lines = []
    for title, epoch in titles.items():
        numbers = [
            cell
            for table in (train, other)
            for cell in (percent(table.loc[epoch, "accuracy"]), f"{table.loc[epoch, 'loss']:.4f}")
        ]
        lines.append([display_name(str(rows["model"].iloc[0])), title, f"{epoch:,}", *numbers])
    return lines


def confusion(run: Run) -> dict[str, Any]:
    """Return a matrix per model, with the classes that are mistaken most, and the pairs that are confused most."""
    shown = _most_mistaken(run)
    short = run.short_names(LABEL_LIMIT)
    matrices, pairs = [], []
    for model in run.models:
        rows = run.confusion[run.confusion["model"] == model]
        counts = run.counts(model)
        right, total = int(counts.trace()), int(counts.sum())
        titled = rows.assign(**{column: rows[column].map(short) for column in ("actual", "predicted")})
        matrices.append(
            Chart(
                f"confusion-{model}",
                f"Confusion matrix of {display_name(model)}: {right:,} of {total:,} test rows are right.",
                f"{right:,} of {total:,} right",
                confusion_chart(titled, [short[name] for name in shown]),
                title=display_name(model),
                narrow=len(shown) <= 8,
                wide=len(shown) > 8,
            )
        )
        pairs += _pairs(run, model, rows)
    return {
        "charts": matrices,
        "left_out": len(run.classes) - len(shown),
        "shown": len(shown),
        "pairs": Table(
            "The pairs of classes that are confused most" if len(run.classes) > 2 else "Mistakes by class",
            ["model", "actual", "predicted", "rows", "of the actual class"],
            pairs,
            (3, 4),
        ),
    }


def _most_mistaken(run: Run) -> list[str]:
    """Return the `CELLS` classes with most mistakes of all models, actual or predicted, in the order of the classes."""
    mistakes = run.confusion[run.confusion["actual"] != run.confusion["predicted"]]
    weight = mistakes.groupby("actual")["count"].sum().add(mistakes.groupby("predicted")["count"].sum(), fill_value=0)
    order = sorted(run.classes, key=lambda name: (-int(weight.get(name, 0)), run.classes.index(name)))
    return [name for name in run.classes if name in set(order[:CELLS])]


def _pairs(run: Run, model: str, rows: pd.DataFrame) -> list[list[str]]:
    most = rows[(rows["actual"] != rows["predicted"]) & (rows["count"] > 0)]
    most = most.sort_values("count", ascending=False, kind="stable").head(PAIRS)
    return [
        [
            display_name(model),
            run.names[pair["actual"]],
            run.names[pair["predicted"]],
            f"{pair['count']:,}",
            percent(pair["share"]),
        ]
        for pair in most.to_dict("records")
    ]


def curves(run: Run, kind: str) -> dict[str, Any]:
    """Return the ROC or precision-recall curves (`kind`), with metrics per class in a table.

    Binary: one chart, of the positive class. Otherwise one for each of the classes with most test rows.
    """
    table = (run.roc if kind == "roc" else run.precision_recall).dropna()
    sizes = dict(zip(run.classes, run.counts(run.models[0]).sum(axis=1).tolist(), strict=True))
    drawable = set(table["class"])
    classes = [name for name in run.classes if name in drawable]
    rows = run.by_class[(run.by_class["split"] == "test") & (run.by_class["support"] > 0)]
    tested = [name for name in run.classes if name in {*classes, *rows["class"]}] if len(run.classes) > 2 else classes
    largest = sorted(classes, key=lambda name: (-sizes[name], run.classes.index(name)))[:CURVES]
    shown = [name for name in classes if name in largest]
    drawn = [
        _curve(run, kind, name, table[table["class"] == name], sizes[name] / sum(sizes.values()), len(shown))
        for name in shown
    ]
    metrics = SECTION_METRICS[kind]
    titles = [METRICS[name].title for name in metrics]
    caption = (
        f"{join_names(titles)} on the test rows, with {confidence_level(run.settings.evaluate.confidence)} intervals"
    )
    return {
        "charts": drawn,
        "key": key(run.models) if len(drawn) > 1 else [],
        "left_out": len(tested) - len(shown),
        "table": Table(
            f"{caption[0].upper()}{caption[1:]}",
            ["class", "model", *titles],
            _class_metrics(run, tested, metrics),
            range(2, 2 + len(titles)),
        ),
    }


def _curve(run: Run, kind: str, name: str, rows: pd.DataFrame, share: float, number: int) -> Chart:
    """Return the curves of one class, one of `number` charts; `share` is that of the class among the test rows."""
    limit, legend = charts.CURVE_POINTS // number, number == 1
    if kind == "roc":
        spec = charts.roc(rows, run.models, limit, legend)
        tested = run.by_class[(run.by_class["split"] == "test") & (run.by_class["class"] == name)]
        areas = [
            f"{display_name(str(model))} {format_value('roc_auc', area)}"
            for model, area in zip(tested["model"], tested["roc_auc"], strict=True)
            if np.isfinite(area)
        ]
        description = f"ROC curves of class {run.names[name]}; areas below them: {join_names(areas)}."
    else:
        spec = charts.precision_recall(rows, run.models, share, limit, legend)
        guess = f"guessing has a precision of {percent(share)}"
        description = f"Precision-recall curves of class {run.names[name]}; {guess}."
    place = list(run.classes).index(name)
    return Chart(f"{kind}-{place}", description, "", spec, title=f"class {run.names[name]}", narrow=True)


def _class_metrics(run: Run, classes: Sequence[str], metrics: Sequence[str]) -> list[list[object]]:
    tested = run.by_class[run.by_class["split"] == "test"].to_dict("records")
    rows = {(row["class"], row["model"]): row for row in tested}
    return [
        [run.names[name], display_name(model), *(_with_interval(rows[name, model], key) for key in metrics)]
        for name in classes
        for model in run.models
    ]


def _with_interval(row: Mapping[Any, Any], metric: str) -> tuple[str, str]:
    value, low, high = (float(row[f"{metric}{end}"]) for end in ("", "_low", "_high"))
    if not np.isfinite(value):
        return "", ""
    ends = format_interval(metric, low, high) if np.isfinite(low) else ""
    return format_value(metric, value), ends


def calibration(run: Run) -> dict[str, Any]:
    """Return accuracy against confidence, with the calibration error, and that before calibration if there was one."""
    drawn, rows = [], []
    for model in run.models:
        bins = run.reliability[run.reliability["model"] == model]
        error = f"{METRICS['ece'].title} {format_value('ece', run.evaluation[model]['test']['ece'])}"
        before = run.decisions[model].get("uncalibrated", {}).get("test", {}).get("ece")
        error += "" if before is None else f" ({format_value('ece', before)} before)"
        drawn.append(
            Chart(
                f"reliability-{model}",
                f"Accuracy against confidence of {display_name(model)}, in {len(bins)} bins: {error}.",
                error,
                reliability.reliability(bins, model),
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
