"""Accuracy and loss by epoch, on training rows and on the rows that were watched."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.formatting import split_rows
from textclf.plot.marks import chart, colour, faded, hover, legend_row, named, present, selectable, tooltip, values
from textclf.plot.style import HEIGHT, INK, WIDTH, Spec

COLUMNS = ("model", "epoch", "split", "loss", "accuracy")
STEPS_SHOWN = 300  # epochs of one line
RULED = 2  # models whose lowest loss has a dotted line; that of a single model has a label if there is room for it
LETTER, LINE = 6.1, 14  # pixels of a letter in a label, on average, and of its height
NARROW = 320  # pixels of the plot area of the narrowest chart
NICE = 1.2  # by how much the end of an axis is rounded up at most
# Where a label stands, if not in its usual place
PLACES: tuple[Spec, ...] = tuple(
    {"align": align, "dx": dx, "baseline": baseline, "dy": dy}
    for baseline, dy in (("top", 10), ("bottom", -10))
    for align, dx in (("center", 0), ("left", 8), ("right", -8))
)
SHIFTS = {"left": 0, "center": 0.5, "right": 1}  # of a label to the left, in parts of its length
TITLES = {"accuracy": ("accuracy", ".1%"), "loss": ("loss (nats)", ".4f")}


def history(rows: pd.DataFrame, models: Sequence[str], column: str) -> Spec:
    """Return the chart of a column, `accuracy` or `loss`, with a line per model and split.

    `rows` has the columns `COLUMNS`. The epoch with the lowest loss on the watched rows is marked.
    """
    shown = present(rows, models)
    split = watched(rows)
    rows = rows[np.isfinite(rows[column])]
    lines = pd.concat([rows.iloc[:0], *map(_thin, _lines(rows))], ignore_index=True)
    lines = lines.assign(split=[split_rows(name) for name in lines["split"]])
    heading, form = TITLES[column]
    y: Spec = {
        "field": column,
        "type": "quantitative",
        "title": heading,
        "scale": {"zero": column == "loss", "nice": True},
        "axis": {"format": "%"} if column == "accuracy" else {},
    }
    x: Spec = {
        "field": "epoch",
        "type": "quantitative",
        "title": "epoch",
        "scale": {"domain": [0, int(rows["epoch"].max())]},
        "axis": {"grid": False, "tickMinStep": 1, "tickCount": 6},
    }
    dashes: Spec = {
        "field": "split",
        "scale": {"domain": [split_rows("train"), split_rows(split)], "range": [[5, 3], [1, 0]]},
        "legend": {"symbolType": "stroke", "symbolStrokeColor": INK, "symbolSize": 300},
    }
    legend: Spec | None = legend_row(shown, symbolType="stroke") if len(shown) > 1 else None
    layers: list[Spec] = [
        {
            "params": [selectable()],
            "mark": {"type": "line", "clip": False},
            "encoding": {
                "color": colour(shown, legend=legend),
                "strokeDash": dashes,
                "opacity": faded(),
                "y": y,
            },
        },
        hover(y, ("model", "model"), ("split", "rows"), ("epoch", "epoch"), (column, heading, form)),
    ]
    lowest = lowest_loss(rows)
    if len(lowest):
        layers += _lowest(lowest, shown, column, y, x, split, rows)
    return chart(named(lines[["model", "epoch", "split", column]]), WIDTH, HEIGHT, layers, {"x": x})


def watched(rows: pd.DataFrame) -> str:
    """Return the split that was watched during training, train if there is no other."""
    return next((str(split) for split in rows["split"] if split != "train"), "train")


def lowest_loss(rows: pd.DataFrame) -> pd.DataFrame:
    """Return, for each model, its row with the lowest loss on the watched rows; none where no loss is finite."""
    part = rows[(rows["split"] == watched(rows)) & np.isfinite(rows["loss"])]
    lowest: pd.DataFrame = part.sort_values("loss", kind="stable").drop_duplicates("model").sort_index()
    return lowest


def _lowest(
    lowest: pd.DataFrame,
    shown: Sequence[str],
    column: str,
    y: Spec,
    x: Spec,
    split: str,
    rows: pd.DataFrame,
) -> list[Spec]:
    """Return layers that mark the epoch with the lowest loss: a dot, a dotted line, and its value as text."""
    points = named(lowest)[["model", "epoch", "loss", "accuracy"]]
    form = TITLES[column][1]
    labels = [
        f"lowest {split} loss {loss:.3f}, epoch {epoch}"
        for loss, epoch in zip(points["loss"].tolist(), points["epoch"].tolist(), strict=True)
    ]
    data: Spec = {"values": values(points.assign(label=labels))}
    fields = tooltip(("model", "model"), ("epoch", "lowest loss at epoch"), (column, TITLES[column][0], form))
    layers: list[Spec] = [
        {
            "data": data,
            "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
            "encoding": {"color": colour(shown), "y": y, "tooltip": fields},
        }
    ]
    if len(points) <= RULED:
        layers.append(
            {
                "data": data,
                "mark": {"type": "rule", "strokeWidth": 1, "strokeDash": [2, 3], "opacity": 0.6},
                "encoding": {"x": x},
            }
        )
    if column == "loss" and len(points) == 1 and (place := _place_label(data["values"][0], rows)):
        layers.append(
            {
                "data": data,
                "mark": {"type": "text", "baseline": "top", "dy": 6} | place,
                "encoding": {"text": {"field": "label"}, "y": y},
            }
        )
    return layers


def _place_label(point: Spec, rows: pd.DataFrame) -> Spec | None:
    """Return where the label of a point stands without a line across it, None if there is no room."""
    last, length = int(rows["epoch"].max()), LETTER * len(point["label"])
    for place in (_beside(point["epoch"], last), *PLACES):
        left = point["epoch"] / last * NARROW + place.get("dx", 0) - SHIFTS[place["align"]] * length
        top = place["dy"] - LINE if place.get("baseline") == "bottom" else place.get("dy", 6)
        if 0 <= left <= NARROW - length and not any(
            _is_crossed(point["loss"], np.linspace(left, left + length) / NARROW * last, top, rows, scale)
            for scale in (1, NICE)
        ):
            return place
    return None


def _is_crossed(loss: float, epochs: NDArray[np.float64], top: float, rows: pd.DataFrame, scale: float) -> bool:
    """Return whether a line crosses a label at these epochs, from `top` pixels below a loss on to its height.

    The axis ends at `scale` times the highest loss.
    """
    pixels = HEIGHT / (scale * float(rows["loss"].max()))
    if not (loss - scale * float(rows["loss"].max())) * pixels <= top <= loss * pixels - LINE:
        return True  # it is not inside the chart
    for line in _lines(rows):
        below = (loss - np.interp(epochs, line["epoch"], line["loss"], np.nan, np.nan)) * pixels
        if ((top < below) & (below < top + LINE)).any():
            return True
    return False


def _beside(epoch: int, last: int) -> Spec:
    """Return where a label stands: below a point in the middle, else on the side that has more room."""
    if last < 3 * epoch < 2 * last:
        return {"align": "center", "dy": 10}
    return {"align": "right", "dx": -8} if 2 * epoch > last else {"align": "left", "dx": 8}


def _lines(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the rows of each model and split."""
    for _, line in rows.groupby(["model", "split"], sort=False):
        yield line


def _thin(line: pd.DataFrame) -> pd.DataFrame:
    """Return at most `STEPS_SHOWN` rows at even distances, the first and the last among them."""
    places = np.unique(np.linspace(0, len(line) - 1, STEPS_SHOWN).round().astype(int))
    return line.iloc[places] if len(line) > STEPS_SHOWN else line
