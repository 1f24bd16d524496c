"""The figures of a run: charts side by side on white, with a title, as SVG files.

White, and not transparent: an image on a web page can't know whether the page is light or dark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from textclf.core.display import NO_ANSWER, columns, display_labels
from textclf.core.files import CURVES
from textclf.core.formatting import display_name
from textclf.plot import confusion as matrices
from textclf.plot import history as epochs
from textclf.plot.charts import ACCURACY, CHARTS, LEARNING_CURVE, LOSS, ROC, Axis, of_labels
from textclf.plot.draw import CURVE_POINTS, area, curves, lines
from textclf.plot.draw import panels as panels_of
from textclf.plot.marks import TITLES, chart_of, present
from textclf.plot.render import FONT, svg
from textclf.plot.style import BLUE, CONFIG, HEIGHT, INK, SCHEMA, SQUARE, WIDTH, Spec, mark_of

if TYPE_CHECKING:
    from textclf.evaluate.metrics.metric import Metric

# What to show for a class.
Names = Mapping[str, str]
WATCHED = "The test rows were watched, as in the lesson; they decided nothing."
# Pixels of panels side by side, about the width of a README; more stand below.
WIDEST = 800
# All as wide as the font that charts are laid out with.
FONTS = ' font-family="Liberation Sans, Arimo, Arial, Helvetica, sans-serif"'
DARK = "#1b1f24"
PAPER = "#ffffff"
# Columns of a class name.
LABEL_LIMIT = 24
# Pixels of the side of a matrix.
LARGEST = 640
# Letters in one row of a legend.
LETTERS = 60
# Up to this many classes, ROC panels have room for more than a line.
FEW = 6
# Up to this many different numbers stand side by side at equal distances, as names do.
FEW_VALUES = 8
# From this quotient of the largest and the smallest number on, the scale is logarithmic.
DECADES = 100


def draw(name: str, rows: pd.DataFrame, path: Path, titles: Names | None = None) -> None:
    """Draw the figure of this name; `rows` is its table, `titles` has names to show for classes."""
    own = {"history": history, "confusion": confusion, "roc": roc}
    if name in own:
        own[name](rows, path, titles or {})
        return
    (chart,) = [chart for chart in CHARTS.values() if chart.figure == name]
    drawn = panels_of(chart, rows, _models(rows), titles or {})
    panels = [
        _panel(spec, title, 176, 176) if title else _panel(spec, "", 440)
        for title, spec in drawn.items()
    ]
    _write(path, panels, chart.title, chart.note, across=3)


def history(rows: pd.DataFrame, path: Path, _: Names) -> None:
    """Draw accuracy and loss by epoch."""
    title = "Accuracy and loss by epoch"
    if not len(rows):
        note = {"mark": {"type": "text", "text": "No model of this run was trained in epochs."}}
        empty = {"data": {"values": [{}]}, "layer": [note], "width": 400, "height": 60}
        _write(path, [empty], title)
        return
    models = _models(rows)
    panels = [_panel(epochs.history(chart, rows, models), "", 320) for chart in (ACCURACY, LOSS)]
    watched, lowest = epochs.watched(rows), epochs.lowest_loss(rows)
    subtitle = [f"The dot is at the lowest {watched} loss of a model."]
    if len(models) == len(lowest) == 1:
        title = f"Accuracy and loss of {display_name(models[0])} by epoch"
        (loss,), (epoch,) = lowest["loss"], lowest["epoch"]
        subtitle = [f"The dot is at the lowest {watched} loss: {loss:.3f}, at epoch {epoch:,}."]
    subtitle += [WATCHED] if watched == "test" else []
    _write(path, panels, title, subtitle, across=2)


def confusion(rows: pd.DataFrame, path: Path, titles: Names) -> None:
    """Draw the confusion matrix of each model; of many classes, those with the most mistakes.

    With several labels, the cells off the diagonal need not be mistakes.
    """
    multilabel = matrices.overlapping(rows)
    chart = of_labels(CHARTS["confusion"]) if multilabel else CHARTS["confusion"]
    kind, most = "class", "classes with the most mistakes"
    if multilabel:
        kind, most = "label", "labels most often predicted for texts with other labels"
    every = list(dict.fromkeys([*rows["actual"], *rows["predicted"]]))
    total = rows.groupby("model", sort=False)["count"].sum()
    right = rows[rows["actual"] == rows["predicted"]].groupby("model")["count"].sum()
    shown = matrices.most_mistaken(rows, every)
    labels = display_labels(shown, {"": NO_ANSWER, **titles}, LABEL_LIMIT)
    rows = matrices.retitled(matrices.of_classes(rows, shown), labels)
    classes = list(labels.values())
    few = len(classes) <= matrices.FEW
    cell = matrices.CELL
    if few:
        cell = 46
    elif len(total) == 1:
        cell = 34
    side = round(min(max(172, cell * len(classes)), LARGEST))
    room = min(8 * max(map(columns, classes), default=0), 180)
    panels = []
    for model, pairs in rows.groupby("model", sort=False):
        spec = matrices.confusion(pairs, classes, (side, side), room, chart)
        heading = {"text": display_name(str(model))}
        if not multilabel:
            heading["subtitle"] = f"{right.get(model, 0):,} of {total[model]:,} right"
        panels.append(_panel(spec, heading, side))
    share = " and" if few else "; the colour is the"
    subtitle = [f"Number of rows{share} share of the actual {kind}."]
    if not every:
        subtitle = ["No label was predicted for a text that has labels."]
    if len(every) > len(shown):
        subtitle.append(f"The {len(shown)} of {len(every)} {most}.")
    _write(path, panels, chart.title, subtitle, WIDEST // (side + 75))


def roc(rows: pd.DataFrame, path: Path, titles: Names) -> None:
    """Draw the ROC curves of the models with the areas below them, with a panel per class."""
    classes = list(dict.fromkeys(rows["class"]))
    areas = {
        (name, model): area(curve)
        for (name, model), curve in rows.groupby(["class", "model"], sort=False)
    }
    models = _models(rows)
    if len(classes) == 1:
        legend = {
            str(name): f"{display_name(str(name))} ({area:.3f})"
            for (_, name), area in areas.items()
        }
        spec = curves(ROC, rows, models, titles=legend, letters=LETTERS)
        panel = _panel(spec, "", 440, 350)
        _write(path, [panel], ROC.title, "In brackets: the area below the curve.")
        return
    labels = display_labels(classes, titles, LABEL_LIMIT)
    few = len(labels) <= FEW
    side, across = (190, 3) if few else (112, 5)
    chart = ROC if few else replace(ROC, x=replace(ROC.x, title=None), y=replace(ROC.y, title=None))
    panels: list[Spec] = []
    for name, label in labels.items():
        part = rows[rows["class"] == name]
        spec = curves(chart, part, models, max(1, CURVE_POINTS // len(labels)), legend=not panels)
        of_models = {model: areas[name, model] for model in present(part, models)}
        spec["layer"].append(_areas(of_models, 12 if few else 9))
        panels.append(_panel(spec, label, side, side))
    subtitle = ["Each class against the rest; the numbers are the areas below the curves."]
    if not few:
        subtitle[0] += " Across: false positive rate; up: true positive rate."
    if len(classes) == CURVES:
        subtitle.append(f"Of more than {CURVES} classes, those with the most mistakes.")
    _write(path, panels, ROC.title, subtitle, across)


def _areas(areas: Mapping[str, float], size: int) -> Spec:
    """Return a layer with the area below each curve, in its colour, in the lower right corner."""
    corner = {name: {"field": name, "type": "quantitative"} for name in "xy"}
    mark: Spec = {"type": "text", "align": "right", "baseline": "bottom", "fontSize": size}
    layers = []
    for n, (name, value) in enumerate(reversed([*areas.items()])):
        own = {"text": f"{value:.3f}", "dy": -1.2 * size * n, "color": mark_of(name).colour}
        layers.append({"mark": mark | own, "encoding": corner})
    return {"data": {"values": [{"x": 1, "y": 0}]}, "layer": layers}


def learning_curve(rows: pd.DataFrame, path: Path) -> None:
    """Draw the test accuracy by the number of training rows."""
    panel = _panel(lines(LEARNING_CURVE, rows, _models(rows), letters=LETTERS), "", 560, SQUARE)
    _write(path, [panel], LEARNING_CURVE.title)


def search(rows: pd.DataFrame, path: Path, metric: "Metric") -> None:
    """Draw the scores of a search's trials, in order and by setting; `rows` as `trial_table`."""
    known = {"trial", "score", "expected"}
    settings = [
        name for name in map(str, rows) if name not in known and not name.startswith("fold_")
    ]
    specs = [by_trial(rows, metric)]
    for name in settings:
        part = rows.dropna(subset=name)
        if len(part):
            specs.append(by_setting(part, name, metric))
    panels = [_panel(spec, "", 320) for spec in specs]
    subtitle = ["Each point is a trial; the line is the best one so far."]
    if "expected" in rows:
        subtitle.append("Dashed: the best that so many random trials find on average.")
    _write(path, panels, "Trials of the search", subtitle, across=2)


def _models(rows: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(rows["model"].tolist()))


def _panel(spec: Spec, title: str | Spec, width: int, height: int | None = None) -> Spec:
    """Return a chart as a part of a figure, with a title and a size of its plot area in pixels."""
    own = {"$schema", "autosize", "padding", "config"}
    size = {"width": width, "height": height or spec["height"]}
    size["layer"] = [layer for layer in spec["layer"] if layer.get("name") != TITLES]
    panel = {key: value for key, value in spec.items() if key not in own} | size
    return panel | {"title": title} if title else panel


def _write(
    path: Path, panels: Sequence[Spec], title: str, subtitle: str | list[str] = "", across: int = 1
) -> None:
    heading: dict[str, Any] = {
        "text": title,
        "fontSize": 15,
        "fontWeight": 600,
        "offset": 14,
        "anchor": "start",
    }
    spec: Spec = {
        "$schema": SCHEMA,
        "background": PAPER,
        "padding": 12,
        "config": CONFIG | {"concat": {"spacing": 20}},
        "title": heading | ({"subtitle": subtitle} if subtitle else {}),
        "concat": list(panels),
        "columns": max(1, min(across, len(panels))),
    }
    drawn = svg(spec, titled=False).replace(f'"{INK}"', f'"{DARK}"').replace(FONT, FONTS, 1)
    path.write_text(drawn, encoding="utf-8", newline="\n")


def by_trial(rows: pd.DataFrame, metric: "Metric") -> Spec:
    """Return the score of each trial and the best one so far, and dashed `expected`, if any."""
    best = (np.maximum if metric.higher_is_better else np.minimum).accumulate(rows["score"])
    x: Spec = {
        "field": "trial",
        "type": "quantitative",
        "title": "trial",
        "axis": {"grid": False, "tickMinStep": 1},
    }
    line: Spec = {
        "mark": {"type": "line", "interpolate": "step-after", "color": INK, "strokeWidth": 1.5},
        "encoding": {"y": _score(metric, "best")},
    }
    layers = [line, _points(metric)]
    if "expected" in rows:
        dashed: Spec = {
            "type": "line",
            "color": INK,
            "strokeWidth": 1,
            "strokeDash": [4, 3],
            "opacity": 0.6,
        }
        layers.append({"mark": dashed, "encoding": {"y": _score(metric, "expected")}})
    table = rows[["trial", "score", *rows.columns.intersection(["expected"])]].assign(best=best)
    return chart_of(table, WIDTH, HEIGHT, layers, {"x": x})


def by_setting(rows: pd.DataFrame, setting: str, metric: "Metric") -> Spec:
    """Return the score of each trial by its value of a setting.

    `rows` has the columns `score` and `setting`. The chart calls the value `value`: a dot in the
    name of a column would be a path in Vega.
    """
    numbers = pd.to_numeric(rows[setting], errors="coerce")
    are_names = numbers.isna().any()
    x: Spec = {"field": "value", "title": setting, "axis": {"grid": False, "labelAngle": 0}}
    if are_names:
        x |= {"type": "nominal", "sort": None}
    elif numbers.nunique() <= FEW_VALUES:
        x |= {"type": "ordinal"}
    else:
        is_wide = numbers.min() > 0 and numbers.max() / numbers.min() >= DECADES
        x |= {"type": "quantitative", "scale": {"type": "log"} if is_wide else {"zero": False}}
        x["axis"] = {"grid": False, "tickCount": 5}
    table = rows[["score"]].assign(value=rows[setting] if are_names else numbers)
    return chart_of(table, WIDTH, HEIGHT, [_points(metric)], {"x": x})


def _points(metric: "Metric") -> Spec:
    mark: Spec = {"type": "point", "filled": True, "size": 45, "opacity": 0.8, "color": BLUE}
    return {"mark": mark, "encoding": {"y": _score(metric, "score")}}


def _score(metric: "Metric", field: str) -> Spec:
    ticks = {"format": "%"} if metric.percent else {}
    return Axis(field, metric.title, scale={"zero": False, "nice": True}, ticks=ticks).encode()
