"""The parts that charts share: scales by model, legends, titles of marks, guides and data.

A chart is one Vega-Lite view with layers. Names of models and classes are data in it, never part of
an expression.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from textclf.core.files import DIGITS
from textclf.core.formatting import display_name
from textclf.plot.style import CONFIG, INK, SCHEMA, Spec, mark_of

# The name of the layers that only a pointer finds; a figure leaves them out.
TITLES = "titles"
# The encoding of a layer whose marks have titles.
TITLED: Spec = {"description": {"field": "said"}}
# Letters of the models' names in one row of a legend, which must fit a phone.
LEGEND_LETTERS = 28


def chart_of(
    rows: pd.DataFrame, width: int, height: int, layers: list[Spec], shared: Mapping[str, Any]
) -> Spec:
    """Return a chart of these layers, which share a table of data and some encodings."""
    return {
        "$schema": SCHEMA,
        "width": width,
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 2,
        "config": CONFIG,
        "data": {"values": values(rows)},
        "encoding": shared,
        "layer": layers,
    }


def values(rows: pd.DataFrame) -> list[Spec]:
    """Return the rows as records of numbers, rounded to `DIGITS`; None if not finite."""
    return [
        {str(name): number(value) for name, value in record.items()}
        for record in rows.to_dict("records")
    ]


def number(value: Any) -> Any:
    """Return a float rounded to `DIGITS`, or None if it is not finite; other values as they are."""
    if isinstance(value, float):
        return round(value, DIGITS) if np.isfinite(value) else None
    return value


def present(rows: pd.DataFrame, models: Sequence[str]) -> list[str]:
    """Return the models that have rows, in the order of `models`."""
    names = set(rows["model"])
    return [name for name in models if name in names]


def named(rows: pd.DataFrame, titles: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return the rows with each model's name as it is shown: its title, or its display name."""
    return rows.assign(model=[title(str(name), titles) for name in rows["model"]])


def title(model: str, titles: Mapping[str, str] | None = None) -> str:
    """Return what to show for a model: its title, or its display name."""
    return (titles or {}).get(model, display_name(model))


def by_model(
    kind: str, shown: Sequence[str], titles: Mapping[str, str] | None = None, **legend: Spec | None
) -> Spec:
    """Return the encoding of a model by `kind`.

    That is the `colour` of its marks, the `dash` of lines or the `shape` of points. All layers of a
    chart give the same scale, one of them a legend.
    """
    marks = [getattr(mark_of(name), kind) for name in shown]
    return {
        "field": "model",
        "scale": {"domain": [title(name, titles) for name in shown], "range": marks},
        **legend,
    }


def key(models: Sequence[str]) -> list[dict[str, str]]:
    """Return the name, colour and dashes of each model, for one legend beside many charts."""
    return [
        {"name": display_name(name), "colour": mark.colour, "dash": " ".join(map(str, mark.dash))}
        for name, mark in ((name, mark_of(name)) for name in models)
    ]


def legend_row(shown: Sequence[str], letters: int = LEGEND_LETTERS, **options: Any) -> Spec:
    """Return a legend: one row if the names have at most `letters` letters, else two columns."""
    return {"columns": len(shown) if sum(map(len, shown)) <= letters else 2, **options}


def describe(rows: pd.DataFrame, fields: Iterable[tuple[str, ...]]) -> pd.DataFrame:
    """Return the rows with a column `said`, the titles of their marks: a line per given field.

    A field is its title, the format of its values, and the columns of a value, or of both ends of a
    range.
    """
    said: list[list[str]] = [[] for _ in range(len(rows))]
    for title, form, *columns in fields:
        for lines, *cells in zip(said, *(rows[column] for column in columns), strict=True):
            if not any(map(pd.isna, cells)):
                lines.append(f"{title}: {' to '.join(format(cell, form) for cell in cells)}")
    return rows.assign(said=["\n".join(lines) for lines in said])


def guide_line(points: Sequence[tuple[float, float]], x: Spec, y: Spec) -> Spec:
    """Return the dotted line of a model that guesses, or that is calibrated."""
    return {
        "data": {"values": [{x["field"]: number(a), y["field"]: number(b)} for a, b in points]},
        "mark": {
            "type": "line",
            "color": INK,
            "strokeWidth": 1,
            "strokeDash": [2, 3],
            "opacity": 0.6,
        },
        "encoding": {"x": x, "y": y},
    }
