"""Accuracy and loss by epoch, on training rows and on the rows that were watched."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from textclf.core.formatting import split_rows
from textclf.plot.charts import Chart
from textclf.plot.draw import lines
from textclf.plot.marks import TITLED, by_model, describe, named, present, values
from textclf.plot.style import HEIGHT, INK, WIDTH, Spec

# Epochs of one line.
STEPS_SHOWN = 300
# Up to this many models, the lowest loss has a dotted line.
RULED = 2


def history(chart: Chart, rows: pd.DataFrame, models: Sequence[str]) -> Spec:
    """Return the chart of `ACCURACY` or `LOSS` by model and split; the lowest loss is marked."""
    shown = present(rows, models)
    finite = rows[np.isfinite(rows[chart.y.column])]
    parts = [_thin(line) for _, line in finite.groupby(["model", "split"], sort=False)]
    thinned = pd.concat([finite.iloc[:0], *parts], ignore_index=True)
    splits = [split_rows("train"), split_rows(watched(rows))]
    dashes: Spec = {
        "field": "split",
        "scale": {"domain": splits, "range": [[5, 3], [1, 0]]},
        "legend": {"symbolType": "stroke", "symbolStrokeColor": INK, "symbolSize": 300},
    }
    return lines(
        chart,
        thinned.assign(split=thinned["split"].map(split_rows)),
        models,
        size=(WIDTH, HEIGHT),
        legend=len(shown) > 1,
        dashes=dashes,
        more=_lowest(chart, lowest_loss(finite), shown),
    )


def watched(rows: pd.DataFrame) -> str:
    """Return the split that was watched during training, train if there is no other."""
    return next((str(split) for split in rows["split"] if split != "train"), "train")


def lowest_loss(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each model's row with the lowest finite loss on the watched rows, if it has one."""
    part = rows[(rows["split"] == watched(rows)) & np.isfinite(rows["loss"])]
    lowest: pd.DataFrame = (
        part.sort_values("loss", kind="stable").drop_duplicates("model").sort_index()
    )
    return lowest


def _lowest(chart: Chart, lowest: pd.DataFrame, shown: Sequence[str]) -> list[Spec]:
    """Return layers that mark the lowest loss of each model by a dot, of few by a dotted line."""
    if not len(lowest):
        return []
    fields = [("model", "", "model"), ("lowest loss at epoch", ",.0f", "epoch"), chart.y.field]
    said = describe(named(lowest), fields)
    data: Spec = {"values": values(said[["model", "epoch", chart.y.column, "said"]])}
    dot: Spec = {
        "data": data,
        "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
        "encoding": {"color": by_model("colour", shown), "y": chart.y.encode()} | TITLED,
    }
    rule: Spec = {
        "data": data,
        "mark": {"type": "rule", "strokeWidth": 1, "strokeDash": [2, 3], "opacity": 0.6},
        "encoding": {"x": chart.x.encode()},
    }
    return [dot, rule] if len(lowest) <= RULED else [dot]


def _thin(line: pd.DataFrame) -> pd.DataFrame:
    """Return at most `STEPS_SHOWN` rows at even distances, the first and the last among them."""
    positions = np.unique(np.linspace(0, len(line) - 1, STEPS_SHOWN).round().astype(int))
    return line.iloc[positions] if len(line) > STEPS_SHOWN else line
