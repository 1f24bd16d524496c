"""Figures for a talk or a README, drawn from the curves that evaluate writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette (jfly.uni-koeln.de/color): the colour-blind can tell these apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":", "-.")  # so can a reader of a black-and-white print
PANEL = 4.2  # inches, the side of one panel
# Of the tables that are drawn.
HISTORY_COLUMNS = ("model", "epoch", "split", "loss", "accuracy")
CONFUSION_COLUMNS = ("model", "actual", "predicted", "count", "share")
ROC_COLUMNS = ("model", "false_positive_rate", "true_positive_rate")
RELIABILITY_COLUMNS = ("model", "confidence", "accuracy", "accuracy_low", "accuracy_high")
STYLE: dict[Any, Any] = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 11,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "textclf",  # ids would otherwise be drawn anew each time
}


def readable(name: str) -> str:
    """A model's name as a person would write it."""
    return name.replace("_", " ")


def history(rows: pd.DataFrame, path: Path) -> None:
    """Draw accuracy and loss by epoch, training rows against watched rows, the lowest watched loss marked.

    `rows` has the columns `model`, `epoch` (from 1), `split`, `loss`, `accuracy`.
    """
    with _figure(path, panels=2) as (figure, (accuracy, loss)):
        for number, (model, epochs) in enumerate(rows.groupby("model", sort=False)):
            training = epochs[epochs["split"] == "train"]
            watched = epochs[epochs["split"] != "train"]
            name = f"{readable(str(model))}: " if rows["model"].nunique() > 1 else ""
            lowest = watched.iloc[watched["loss"].to_numpy().argmin()]
            for axes, column in ((accuracy, "accuracy"), (loss, "loss")):
                dash = DASHES[number % len(DASHES)]
                axes.plot(training["epoch"], training[column], dash, color=COLOURS[0], label=f"{name}training rows")
                label = f"{name}{lowest['split']} rows"
                axes.plot(watched["epoch"], watched[column], dash, color=COLOURS[1], label=label)
                axes.axvline(lowest["epoch"], color="#555555", linewidth=1, linestyle=":")
                axes.plot(lowest["epoch"], lowest[column], "o", color=COLOURS[1])
            loss.annotate(
                f"lowest {lowest['split']} loss\n{lowest['loss']:.3f}, epoch {lowest['epoch']}",
                (lowest["epoch"], lowest["loss"]),
                xytext=(14, -6),
                textcoords="offset points",
                va="top",
            )
        accuracy.set(title="Accuracy by epoch", xlabel="epoch", ylabel="accuracy (share of rows)")
        loss.set(title="Loss by epoch", xlabel="epoch", ylabel="binary cross-entropy (nats)", ylim=(0, None))
        if rows.empty:
            for axes in (accuracy, loss):
                axes.text(0.5, 0.5, "no model was trained in epochs", ha="center", transform=axes.transAxes)
        else:
            accuracy.legend(loc="lower right")
            if "test" in set(rows["split"]):
                figure.supxlabel("The test rows were watched, as in the lesson; they decided nothing.", size=9)


def confusion(rows: pd.DataFrame, path: Path) -> None:
    """Draw the confusion matrix of each model, side by side: counts, shaded by the share of the actual class.

    `rows` has the columns `model`, `actual`, `predicted`, `count`, `share`.
    """
    models = list(rows.groupby("model", sort=False))
    with _figure(path, panels=len(models)) as (figure, panels):
        for axes, (model, pairs) in zip(panels, models, strict=True):
            classes = list(dict.fromkeys(pairs["actual"].astype(str)))
            shares = pairs["share"].to_numpy().reshape(len(classes), len(classes))
            image = axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=2)
            for position, (count, share) in enumerate(zip(pairs["count"], pairs["share"], strict=True)):
                row, column = divmod(position, len(classes))
                colour = "white" if share > 0.5 else "black"
                text = f"{count}\n{share:.0%}"
                axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour, size=13)
            right = sum(pairs["count"][pairs["actual"] == pairs["predicted"]])
            total = sum(pairs["count"])
            axes.set(
                title=f"{readable(str(model))}\n{right} of {total} right",
                xlabel="predicted class",
                ylabel="actual class",
                xticks=[position + 0.5 for position in range(len(classes))],
                yticks=[position + 0.5 for position in range(len(classes))],
                xticklabels=classes,
                yticklabels=classes,
                ylim=(len(classes), 0),
                aspect="equal",
            )
            axes.grid(visible=False)
        figure.colorbar(image, ax=panels, label="share of the actual class", shrink=0.8)
        figure.suptitle("Test rows by actual and predicted class")


def roc(rows: pd.DataFrame, path: Path) -> None:
    """Draw the ROC curves of all models in one panel, the area below each in the legend.

    `rows` has the columns `model`, `false_positive_rate`, `true_positive_rate`.
    """
    with _figure(path, panels=1) as (_, (axes,)):
        for number, (model, points) in enumerate(rows.groupby("model", sort=False)):
            x, y = points["false_positive_rate"], points["true_positive_rate"]
            area = float((x.diff() * (y + y.shift()) / 2).sum())  # the trapezoids below the curve
            axes.plot(
                x,
                y,
                DASHES[number % len(DASHES)],
                color=COLOURS[number % len(COLOURS)],
                label=f"{readable(str(model))} ({area:.3f})",
            )
        axes.set(
            title="ROC curves of the test rows",
            xlabel="false positive rate",
            ylabel="true positive rate",
            xlim=(-0.01, 1.01),
            ylim=(-0.01, 1.01),
            aspect="equal",
        )
        axes.legend(loc="lower right", title="model (area under the curve)", frameon=True, framealpha=1)


def reliability(rows: pd.DataFrame, path: Path) -> None:
    """Draw each model's accuracy against its confidence, bin by bin, with intervals; the diagonal is calibrated.

    `rows` has the columns `model`, `confidence`, `accuracy`, `accuracy_low`, `accuracy_high`.
    """
    with _figure(path, panels=1) as (_, (axes,)):
        axes.plot([0, 1], [0, 1], color="#555555", linewidth=1, linestyle=":", label="calibrated")
        _with_intervals(axes, rows, x="confidence")
        axes.set(
            title="Reliability on the test rows",
            xlabel="confidence (mean probability of the predicted class)",
            ylabel="accuracy (share of rows)",
            xlim=(0.4, 1.01),
            ylim=(0, 1.01),
        )
        axes.legend(loc="lower right")


def learning_curve(rows: pd.DataFrame, path: Path) -> None:
    """Draw each model's test accuracy against the number of its training rows, with intervals.

    `rows` has the columns `model`, `rows`, `accuracy`, `accuracy_low`, `accuracy_high`.
    """
    with _figure(path, panels=1.75) as (figure, (axes,)):
        _with_intervals(axes, rows, x="rows")
        axes.set(title="Would more rows help?", xlabel="training rows", ylabel="test accuracy (share of rows)")
        figure.legend(loc="outside right upper")


def _with_intervals(axes: "Axes", rows: pd.DataFrame, x: str) -> None:
    """A line a model of `accuracy`, with bars from `accuracy_low` to `accuracy_high`."""
    for number, (model, points) in enumerate(rows.groupby("model", sort=False)):
        reach = points["accuracy"] - points["accuracy_low"], points["accuracy_high"] - points["accuracy"]
        axes.errorbar(
            points[x],
            points["accuracy"],
            yerr=[part.clip(lower=0) for part in reach],
            color=COLOURS[number % len(COLOURS)],
            linestyle=DASHES[number % len(DASHES)],
            marker="o",
            markersize=4,
            capsize=3,
            elinewidth=1,
            label=readable(str(model)),
        )


@contextmanager
def _figure(path: Path, panels: float) -> "Iterator[tuple[Figure, list[Axes]]]":
    """A figure with panels in a row, written as SVG whose bytes repeat when the block ends well."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(max(panels, 1.25) * PANEL + 0.8, PANEL), layout="constrained")
        yield figure, [figure.add_subplot(1, int(panels), number) for number in range(1, int(panels) + 1)]
        figure.savefig(path, format="svg", metadata={"Creator": None, "Date": None})
