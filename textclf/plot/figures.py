"""The figures of a run: charts side by side on white, with a title, as SVG files.

White, and not transparent: an image on a web page can't know whether the page is light or dark.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from textclf.core.formatting import display_name
from textclf.core.labels import columns, display_labels
from textclf.plot import confusion as matrices
from textclf.plot import curves, groups
from textclf.plot import history as epochs
from textclf.plot import reliability as bins
from textclf.plot import search as trials
from textclf.plot.marks import colour, present
from textclf.plot.render import FONT, svg
from textclf.plot.style import CONFIG, INK, SCHEMA, SQUARE, Spec

if TYPE_CHECKING:
    from textclf.evaluate.registry import Metric

WATCHED = "The test rows were watched, as in the lesson; they decided nothing."
WIDEST = 800  # pixels of panels side by side, about the width of a README; more stand below
FONTS = ' font-family="Liberation Sans, Arimo, Arial, Helvetica, sans-serif"'  # all as wide as the one laid out with
DARK, PAPER = "#1b1f24", "#ffffff"
LABEL_LIMIT = 24  # columns of a class name
LARGEST = 640  # pixels of the side of a matrix
LETTERS = 60  # in one row of a legend
FEW = 6  # classes whose ROC panels have room for more than a line


def history(rows: pd.DataFrame, path: Path) -> None:
    """Draw accuracy and loss by epoch; `rows` has the columns `history.COLUMNS`."""
    title = "Accuracy and loss by epoch"
    if not len(rows):
        _write(path, [_note("No model of this run was trained in epochs.")], title)
        return
    models = _models(rows)
    panels = [_panel(epochs.history(rows, models, column), "", 320) for column in ("accuracy", "loss")]
    title = f"Accuracy and loss of {display_name(models[0])} by epoch" if len(models) == 1 else title
    _write(path, panels, title, WATCHED if epochs.watched(rows) == "test" else "", across=2)


def confusion(rows: pd.DataFrame, path: Path, titles: Mapping[str, str] | None = None) -> None:
    """Draw the confusion matrix of each model; `rows` has the columns `confusion.COLUMNS`.

    `titles` has names to show for classes. Of many classes, those with the most mistakes are drawn.
    """
    every = matrices.classes_of(rows)
    total = {model: int(pairs["count"].sum()) for model, pairs in rows.groupby("model", sort=False)}
    right = {
        model: int(pairs["count"][pairs["actual"] == pairs["predicted"]].sum())
        for model, pairs in rows.groupby("model", sort=False)
    }
    shown = matrices.most_mistaken(rows, every)
    labels = display_labels(shown, titles, LABEL_LIMIT)
    rows = matrices.retitled(matrices.of_classes(rows, shown), labels)
    classes = list(labels.values())
    few = len(classes) <= matrices.FEW
    cell = 46 if few else 34 if len(total) == 1 else matrices.CELL
    side = round(min(max(172, cell * len(classes)), LARGEST))
    room = min(8 * max(map(columns, classes)), 180)
    panels = []
    for model, pairs in rows.groupby("model", sort=False):
        spec = matrices.confusion(pairs, classes, (side, side), room)
        title = {"text": display_name(str(model)), "subtitle": f"{right[model]:,} of {total[model]:,} right"}
        panels.append(_panel(spec, title, side))
    subtitle = [f"Number of rows{' and' if few else '; the colour is the'} share of the actual class."]
    if len(every) > len(shown):
        subtitle.append(f"The {len(shown)} of {len(every)} classes with the most mistakes.")
    _write(path, panels, "Test rows by actual and predicted class", subtitle, WIDEST // (side + 75))


def roc(rows: pd.DataFrame, path: Path, titles: Mapping[str, str] | None = None) -> None:
    """Draw the ROC curves of the models with the areas below them: one panel, or one per class if there are several.

    `rows` has the columns `curves.ROC_COLUMNS`; `titles` has names to show for classes.
    """
    classes = list(dict.fromkeys(rows["class"]))
    shown = _smallest_areas(rows, classes)
    labels = display_labels(shown, titles, LABEL_LIMIT)
    models = _models(rows)
    if len(classes) == 1:
        areas = {
            str(name): f"{display_name(str(name))} ({curves.area(curve):.3f})"
            for name, curve in rows.groupby("model", sort=False)
        }
        panels = [_panel(curves.roc(rows, models, titles=areas, letters=LETTERS), "", 440, 350)]
        _write(path, panels, "ROC curves of the test rows", "In brackets: the area below the curve.")
        return
    few = len(labels) <= FEW
    side, across = (190, 3) if few else (112, 5)
    panels = []
    for name, label in labels.items():
        part = rows[rows["class"] == name]
        limit = max(1, curves.CURVE_POINTS // len(labels))
        panel = _panel(curves.roc(part, models, limit, legend=not panels, axis_titles=few), label, side, side)
        panel["layer"] = [*panel["layer"], _areas(part, models, size=12 if few else 9)]
        panels.append(panel)
    subtitle = ["Each class against the rest; the numbers are the areas below the curves."]
    if not few:
        subtitle[0] += " Across: false positive rate; up: true positive rate."
    if len(classes) > len(shown):
        subtitle.append(f"The {len(shown)} of {len(classes)} classes with the smallest areas.")
    _write(path, panels, "ROC curves of the test rows", subtitle, across)


def reliability(rows: pd.DataFrame, path: Path) -> None:
    """Draw the accuracy of each model against its confidence; `rows` has the columns `reliability.COLUMNS`."""
    start = bins.lowest_confidence(rows)
    panels = [
        _panel(bins.reliability(part, str(model), start), display_name(str(model)), 176, 176)
        for model, part in rows.groupby("model", sort=False)
    ]
    subtitle = "On the dotted line confidence and accuracy agree; below it the model is overconfident."
    _write(path, panels, "Reliability on the test rows", subtitle, across=3)


def learning_curve(rows: pd.DataFrame, path: Path) -> None:
    """Draw the test accuracy by the number of training rows; `rows` has `groups.LEARNING_CURVE_COLUMNS`."""
    panel = _panel(groups.learning_curve(rows, _models(rows), LETTERS), "", 560, SQUARE)
    _write(path, [panel], "Would more rows help?")


def search(rows: pd.DataFrame, path: Path, metric: "Metric") -> None:
    """Draw the scores of the trials of a search; `rows` has `trial`, a column per setting, `score`, and the folds."""
    names = list(map(str, rows))
    settings = [name for name in names if name not in {"trial", "score"} and not name.startswith("fold_")]
    panels = [_panel(trials.by_trial(rows, metric), "", 320)]
    panels += [_panel(trials.by_setting(rows, name, metric), "", 320) for name in settings]
    _write(path, panels, "Trials of the search", "Each point is a trial; the line is the best one so far.", across=2)


def _models(rows: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(rows["model"].tolist()))


def _smallest_areas(rows: pd.DataFrame, classes: Sequence[str]) -> list[str]:
    """Return the `MOST_CLASSES` classes with the smallest mean area below the curves of the models, in order."""
    if len(classes) <= matrices.MOST_CLASSES:
        return list(classes)
    areas = {
        name: [curves.area(curve) for _, curve in part.groupby("model", sort=False)]
        for name, part in rows.groupby("class", sort=False)
    }
    smallest = sorted(classes, key=lambda name: np.mean(areas[name]))[: matrices.MOST_CLASSES]
    return [name for name in classes if name in set(smallest)]


def _areas(rows: pd.DataFrame, models: Sequence[str], size: int) -> Spec:
    """Return a layer with the area below each curve, in the colour of its model, in the lower right corner."""
    areas = {name: curves.area(curve) for name, curve in rows.groupby("model", sort=False)}
    shown = present(rows, models)
    values = [{"model": display_name(name), "x": 1, "y": 0, "area": f"{areas[name]:.3f}"} for name in reversed(shown)]
    layers = [
        {
            "data": {"values": [value]},
            "mark": {"type": "text", "align": "right", "baseline": "bottom", "dy": -1.2 * size * n, "fontSize": size},
            "encoding": {
                "x": {"field": "x", "type": "quantitative"},
                "y": {"field": "y", "type": "quantitative"},
                "text": {"field": "area"},
                "color": colour(shown),
            },
        }
        for n, value in enumerate(values)
    ]
    return {"layer": layers}


def _note(text: str) -> Spec:
    mark = {"type": "text", "text": text}
    return {"data": {"values": [{}]}, "layer": [{"mark": mark}], "width": 400, "height": 60}


def _panel(spec: Spec, title: str | Spec, width: int, height: int | None = None) -> Spec:
    """Return a chart as a part of a figure, with a title and a size of its plot area in pixels."""
    own = {"$schema", "autosize", "padding", "config"}
    size = {"width": width, "height": height or spec["height"]}
    return {key: value for key, value in spec.items() if key not in own} | size | ({"title": title} if title else {})


def _write(path: Path, panels: Sequence[Spec], title: str, subtitle: str | list[str] = "", across: int = 1) -> None:
    """Write panels as one figure, `across` of them in a row, under a title."""
    heading: dict[str, Any] = {"text": title, "fontSize": 15, "fontWeight": 600, "offset": 14, "anchor": "start"}
    spec: Spec = {
        "$schema": SCHEMA,
        "background": PAPER,
        "padding": 12,
        "config": CONFIG | {"concat": {"spacing": 20}},
        "title": heading | ({"subtitle": subtitle} if subtitle else {}),
        "concat": list(panels),
        "columns": max(1, min(across, len(panels))),
    }
    drawn = svg(spec).replace(f'"{INK}"', f'"{DARK}"').replace(FONT, FONTS, 1)
    path.write_text(drawn, encoding="utf-8", newline="\n")
