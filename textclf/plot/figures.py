"""Figures for a talk or a README, drawn from the curves that evaluate writes."""

import math
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from textclf.core.formatting import readable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette (jfly.uni-koeln.de/color): the colour-blind can tell these apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":", "-.")  # so can a reader of a black-and-white print
PANEL = 4.2  # inches, the side of one panel
WIDEST = 3.1 * PANEL  # inches that panels side by side may take; more stand below
LETTER = 0.62 / 72  # inches that a letter of size 1 takes in a line
LONGEST = 24  # letters that are shown of a class's name
FEW = 6  # classes up to which there is room for all that could be said of each
MODELS = 3  # models whose names have room in a corner
# Of the tables that are drawn.
HISTORY_COLUMNS = ("model", "epoch", "split", "loss", "accuracy")
CONFUSION_COLUMNS = ("model", "actual", "predicted", "count", "share")
ROC_COLUMNS = ("model", "class", "false_positive_rate", "true_positive_rate")
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


def history(rows: pd.DataFrame, path: Path) -> None:
    """Draw accuracy and loss by epoch, training rows against watched rows, the lowest watched loss marked.

    `rows` has the columns `model`, `epoch` (from 1), `split`, `loss`, `accuracy`.
    """
    with _figure(path, 2) as (figure, (accuracy, loss)):
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
        loss.set(title="Loss by epoch", xlabel="epoch", ylabel="cross-entropy (nats)", ylim=(0, None))
        if rows.empty:
            for axes in (accuracy, loss):
                axes.text(0.5, 0.5, "no model was trained in epochs", ha="center", transform=axes.transAxes)
        else:
            accuracy.legend(loc="lower right")
            if "test" in set(rows["split"]):
                figure.supxlabel("The test rows were watched, as in the lesson; they decided nothing.", size=9)


def confusion(rows: pd.DataFrame, path: Path) -> None:
    """Draw the confusion matrix of each model: counts, shaded by the share of the actual class.

    `rows` has the columns `model`, `actual`, `predicted`, `count`, `share`. Many classes make the figure larger, up
    to a limit, and its letters smaller; cells then show no share, and no count of 0.
    """
    from matplotlib.collections import PolyCollection

    models = list(rows.groupby("model", sort=False))
    classes = list(dict.fromkeys(rows["actual"]))
    few = len(classes) <= FEW
    side = min(max(0.7 * PANEL, 0.49 * len(classes)), 2.4 * PANEL)
    cell = side / len(classes)
    name_size = min(11, 50 * cell)
    name_length = max(map(_letters, map(_short, classes))) * name_size * LETTER
    upright = name_length > cell
    count_letters = max(len("100%") if few else 1, *(len(str(count)) for count in rows["count"]))
    count_size = min(13 if len(classes) <= 3 else 9, 0.7 * cell / LETTER / count_letters)
    width = side + 0.3 * PANEL + max(0, name_length - 0.8)
    height = side + 0.3 * PANEL + name_length * upright
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    with _figure(path, len(models), (width, height), names=classes) as (figure, panels):
        for axes, (model, pairs) in zip(panels, models, strict=True):
            shown = pairs[few | (pairs["count"] > 0)]
            places = np.array([[classes.index(name) for name in shown[column]] for column in ("predicted", "actual")]).T
            cells = PolyCollection(places[:, np.newaxis] + square, cmap="Blues", edgecolors="white", linewidth=2)
            cells.set(array=shown["share"], clim=(0, 1))
            axes.add_collection(cells)
            for (x, y), count, share in zip(places, shown["count"], shown["share"], strict=True):
                text = f"{count}\n{share:.0%}" if few else str(count)
                colour = "white" if share > 0.5 else "black"
                axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", color=colour, size=count_size)
            right = sum(pairs["count"][pairs["actual"] == pairs["predicted"]])
            axes.set(
                title=f"{readable(str(model))}\n{right} of {sum(pairs['count'])} right",
                xlabel="predicted class",
                ylabel="actual class",
                xlim=(0, len(classes)),
                ylim=(len(classes), 0),
                aspect="equal",
                facecolor="#f7fbff",  # as a share of 0 is shaded
            )
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_ticks(np.arange(len(classes)) + 0.5, map(_short, classes), size=name_size, parse_math=False)
            if upright:
                for label in axes.get_xticklabels():
                    label.set(rotation=90, rotation_mode="anchor", ha="right", va="center")
            axes.grid(visible=False)
        # Beside the first row, of the size that it has where there is no other.
        part = height / figure.get_figheight()
        shrink = 0.8 * part * min(1, PANEL / height)
        figure.colorbar(cells, ax=panels, label="share of the actual class", shrink=shrink, anchor=(0, 1 - part / 2))
        figure.suptitle("Test rows by actual and predicted class")


def roc(rows: pd.DataFrame, path: Path) -> None:
    """Draw the ROC curves of the models, with the area below each; of more than two classes a panel a class.

    `rows` has the columns `model`, `class`, `false_positive_rate`, `true_positive_rate`.
    """
    classes = list(rows.groupby("class", sort=False))
    several = len(classes) > 1
    size = (1.25 * PANEL, PANEL)
    letters = 9.0
    if several:
        size = (PANEL, PANEL) if len(classes) <= FEW else (PANEL / 2, PANEL / 2)
        letters = 9 if len(classes) <= FEW else 7
    with _figure(path, len(classes), size, names=rows["class"]) as (figure, panels):
        for axes, (name, curves) in zip(panels, classes, strict=True):
            for number, (model, points) in enumerate(curves.groupby("model", sort=False)):
                x, y = points["false_positive_rate"], points["true_positive_rate"]
                area = float((x.diff() * (y + y.shift()) / 2).sum())  # the trapezoids below the curve
                axes.plot(
                    x,
                    y,
                    DASHES[number % len(DASHES)],
                    color=COLOURS[number % len(COLOURS)],
                    label=f"{area:.3f}" if several else f"{readable(str(model))} ({area:.3f})",
                )
            axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
            if several:
                axes.set_title(_short(str(name)), parse_math=False, size=letters + 2)
                axes.legend(loc="lower right", fontsize=letters, handlelength=1.6, frameon=True, framealpha=1)
            else:
                axes.set(title="ROC curves of the test rows", xlabel="false positive rate", ylabel="true positive rate")
                axes.legend(loc="lower right", title="model (area under the curve)", frameon=True, framealpha=1)
        if several:
            title = "ROC curves of the test rows, each class against the rest, and the areas below the curves"
            models = [readable(model) for model in rows["model"].unique()]
            figure.legend(axes.get_lines(), models, loc="outside upper center", ncols=6, title=title)
            figure.supxlabel("false positive rate", size=11)
            figure.supylabel("true positive rate", size=11)


def reliability(rows: pd.DataFrame, path: Path) -> None:
    """Draw each model's accuracy against its confidence, bin by bin, with intervals; the diagonal is calibrated.

    `rows` has the columns `model`, `confidence`, `accuracy`, `accuracy_low`, `accuracy_high`.
    """
    many = rows["model"].nunique() > MODELS
    with _figure(path, 1, ((1.75 if many else 1.25) * PANEL, PANEL)) as (figure, (axes,)):
        axes.plot([0, 1], [0, 1], color="#555555", linewidth=1, linestyle=":", label="calibrated")
        _with_intervals(axes, rows, x="confidence")
        axes.set(
            title="Reliability on the test rows",
            xlabel="confidence (mean probability of the predicted class)",
            ylabel="accuracy (share of rows)",
            xlim=(0.4 if rows["confidence"].min() >= 0.5 else 0, 1.01),
            ylim=(0, 1.01),
        )
        figure.legend(loc="outside right upper") if many else axes.legend(loc="lower right")


def learning_curve(rows: pd.DataFrame, path: Path) -> None:
    """Draw each model's test accuracy against the number of its training rows, with intervals.

    `rows` has the columns `model`, `rows`, `accuracy`, `accuracy_low`, `accuracy_high`.
    """
    with _figure(path, 1, (1.75 * PANEL, PANEL)) as (figure, (axes,)):
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


def _short(name: str) -> str:
    """The name, or its beginning if it takes more than `LONGEST` letters."""
    if _letters(name) <= LONGEST:
        return name
    end = len(name)
    while _letters(name[:end]) >= LONGEST:
        end -= 1
    return name[:end] + "…"


def _letters(text: str) -> int:
    """How many letters' room a text takes, where those of Chinese and its like take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


@contextmanager
def _figure(
    path: Path, panels: int, size: tuple[float, float] = (PANEL, PANEL), names: Iterable[str] = ()
) -> "Iterator[tuple[Figure, list[Axes]]]":
    """A figure with panels of a size, in rows no wider than `WIDEST`, written when the block ends well.

    It is SVG whose bytes repeat. Of `names` in a script that the font lacks, the letters are left to the font of
    whoever looks at it.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.font_manager import findfont, get_font

    letters = get_font(findfont("DejaVu Sans")).get_charmap()
    foreign = any(ord(letter) not in letters for name in set(names) for letter in name)
    style = STYLE | ({"svg.fonttype": "none", "font.sans-serif": ["DejaVu Sans"]} if foreign else {})
    width, height = size
    columns = min(panels, max(1, int(WIDEST / width)))
    rows = math.ceil(panels / columns)
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(
            figsize=(columns * width + 0.8, rows * height), layout="constrained" if rows == 1 else "compressed"
        )
        yield figure, [figure.add_subplot(rows, columns, number) for number in range(1, panels + 1)]
        figure.savefig(path, format="svg", metadata={"Creator": None, "Date": None})
