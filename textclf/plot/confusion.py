"""Confusion matrices."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from textclf.core.display import columns, display_labels
from textclf.core.formatting import largest_remainder
from textclf.plot.charts import CONFUSION, Chart
from textclf.plot.marks import TITLED, chart_of, describe
from textclf.plot.style import BLUE, SQUARE, Spec

# Classes in a matrix: those with most mistakes.
MOST_CLASSES = 20
# Up to this many classes a cell has room for its share, and is drawn even if it is empty.
FEW = 6
# Pixels of a cell, where there are many.
CELL = 24
# Mean width of a letter, in units of its size.
LETTER = 0.6
# Pixels for the name of a class.
LABEL_ROOM = 110


def confusion(
    rows: pd.DataFrame,
    classes: Sequence[str],
    size: tuple[int, int] | None = None,
    label_room: int = LABEL_ROOM,
    chart: Chart = CONFUSION,
) -> Spec:
    """Return a confusion matrix, whose cells are shaded by the share of the actual class.

    `rows` has the columns `actual`, `predicted`, `count`, `share`, of one model. `classes` are
    those to show, in order; names wider than `label_room` pixels are cut. `size` is width and
    height in pixels. With many classes cells show no share, and empty cells are left out. `chart`
    has the titles of the axes.
    """
    many = len(classes) > FEW
    side = max(SQUARE, CELL * len(classes))
    height = side if len(classes) > 4 else 40 + 55 * len(classes)
    width, height = size or (side + many * label_room, height)
    rows = of_classes(rows, classes)
    rows = rows[rows["count"] > 0] if many else _all_cells(rows, classes)
    cell = min(width, height) / len(classes)
    letters = min(12.0, 0.8 * cell)
    titles = display_labels(classes, limit=max(10, int(label_room / (LETTER * letters))))
    rows = retitled(rows, titles)
    # The room of names on an axis, whatever fonts are installed.
    room = LETTER * letters * max(map(columns, titles.values()))
    # Names stand level if there is room, else at an angle, whose sine is about 0.87, or upright.
    if room <= width / len(classes):
        angle, below = 0, 1.4 * letters
    elif cell >= CELL / 2:
        angle, below = -60, room * 0.87 + 0.6 * letters
    else:
        angle, below = -90, room + 0.6 * letters
    ticks: Spec = {
        "grid": False,
        "ticks": False,
        "domain": False,
        "labelLimit": 0,
        "labelFontSize": round(letters, 1),
    }
    scale: Spec = {"scale": {"domain": list(titles.values()), "paddingInner": 0.04}}
    drawn = ["actual", "predicted", "count", "share"]
    if not many:
        drawn.append("percentage")
    fields = [("actual", "", "actual"), ("predicted", "", "predicted"), ("rows", ",.0f", "count")]
    fields.append((f"of the {chart.y.label}", ".1%", "share"))
    layers = cells(
        cell,
        None if many else {"field": "percentage", "type": "nominal"},
        longest=len(f"{rows['count'].max():,}") if len(rows) else 1,
    )
    layers[0]["encoding"] |= TITLED
    x_axis = ticks | {"orient": "bottom", "labelAngle": angle} | _extent(below)
    encoding = {
        "x": chart.x.encode(CONFUSION.x.column) | scale | {"axis": x_axis},
        "y": chart.y.encode() | scale | {"axis": ticks | _extent(room)},
    }
    spec = chart_of(describe(rows[drawn], fields), width, height, layers, encoding)
    # An empty cell has the colour of a share of 0.
    return spec | {"view": {"fill": BLUE, "fillOpacity": 0.05}} if many else spec


def overlapping(rows: pd.DataFrame) -> bool:
    """Return whether a row may count in several cells or none: shares do not sum to 1."""
    if rows.empty:
        return True
    sums = rows.groupby(["model", "actual"])["share"].sum()
    return not np.allclose(sums, 1, atol=0.001)


def of_classes(rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return the rows of pairs of these classes."""
    return rows[rows["actual"].isin(classes) & rows["predicted"].isin(classes)]


def retitled(rows: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows with the title of each class in place of its name."""
    return rows.assign(
        **{column: [titles[name] for name in rows[column]] for column in ("actual", "predicted")}
    )


def most_mistaken(
    rows: pd.DataFrame, classes: Sequence[str], limit: int = MOST_CLASSES
) -> list[str]:
    """Return the `limit` classes with most mistakes, actual or predicted, in their given order.

    The mistakes are those of all models, but not of a model that predicts one class for every row.
    """
    rows = rows[rows["count"] > 0]
    several = rows.groupby("model", sort=False)["predicted"].transform("nunique") > 1
    mistakes = rows[several & (rows["actual"] != rows["predicted"])]
    weight: Counter[str] = Counter()
    for column in ("actual", "predicted"):
        for name, count in mistakes.groupby(column)["count"].sum().items():
            weight[str(name)] += count
    most = set(sorted(classes, key=lambda name: -weight[name])[:limit])
    return [name for name in classes if name in most]


def cells(cell: float, percentage: Spec | None, longest: int = 3) -> list[Spec]:
    """Return the layers of a matrix: shaded cells of `cell` pixels, counts and, of few, shares.

    `percentage` encodes the share as text; `longest` is the number of characters of the largest
    count.
    """
    size = min(14.0 if percentage else 11.0, 0.9 * cell / (LETTER * longest))
    layers: list[Spec] = [
        {
            "mark": {"type": "rect", "color": BLUE, "cornerRadius": 2 if cell >= CELL else 0},
            "encoding": {
                # Light enough at its darkest for the page's own ink to be read on it.
                "fillOpacity": {
                    "field": "share",
                    "type": "quantitative",
                    "scale": {"domain": [0, 1], "range": [0.05, 0.62]},
                    "legend": None,
                }
            },
        },
        {
            "mark": {"type": "text", "fontSize": round(size, 1), "dy": -8 if percentage else 0},
            "encoding": {"text": {"field": "count", "type": "quantitative", "format": ",d"}},
        },
    ]
    if percentage:
        layers.append(
            {"mark": {"type": "text", "fontSize": 12, "dy": 10}, "encoding": {"text": percentage}}
        )
    return layers


def _all_cells(rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return a cell per pair of classes, with shares as whole percentages.

    These are 100 in sum if the shares are 1 in sum.
    """
    pairs = pd.MultiIndex.from_product([classes, classes], names=["actual", "predicted"])
    every = (
        rows.set_index(["actual", "predicted"])[["count", "share"]]
        .reindex(pairs, fill_value=0)
        .reset_index()
    )
    percentages: list[str] = []
    for _, row in every.groupby("actual", sort=False)["share"]:
        if abs(row.sum() - 1) < 0.001:
            shares = largest_remainder(row.tolist())
        else:
            shares = (100 * row).round().astype(int).tolist()
        percentages += [f"{share}%" for share in shares]
    return every.assign(percentage=percentages)


def _extent(pixels: float) -> Spec:
    return {"minExtent": round(pixels), "maxExtent": round(pixels)}
