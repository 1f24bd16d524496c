"""Splits by time: the latest rows are the test rows, those before them the validation rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textclf.core.arrow import as_array
from textclf.core.errors import UserError

Positions = NDArray[np.int64]


def rank_times(times: pa.Array) -> Positions:
    """Return the place of each row's time among the distinct times, in their order: (rows,)."""
    ranks: Positions = pc.rank(as_array(times), tiebreaker="dense").to_numpy().astype(np.int64)
    return ranks


def take_latest(ranks: Positions, rows: Positions, count: int) -> tuple[Positions, Positions]:
    """Return the earlier and the latest rows of those at some positions, both in the order of the table.

    The latest are about `count`: rows of equal times stay together, on the side that comes nearer to it. `ranks` are
    those of `rank_times`. Raises `UserError` if all times are equal.
    """
    times, counts = np.unique(ranks[rows], return_counts=True)
    since = counts[::-1].cumsum()[::-1]  # rows of each time and later ones
    if len(times) < 2:
        raise UserError(f"{len(rows)} rows must have different times to be split by them (data.time); got one")
    border = times[1:][np.abs(since[1:] - count).argmin()]
    is_late = ranks[rows] >= border
    return rows[~is_late], rows[is_late]


class TimeSpans:
    """The first and the last time of each split, of rows that come in pieces."""

    def __init__(self) -> None:
        """Start with no rows."""
        self._spans: dict[str, tuple[Any, Any]] = {}

    def add(self, split: str, rows: pa.Table) -> None:
        """Add rows of a split, with the column time."""
        if len(rows):
            least, most = pc.min_max(rows["time"]).as_py().values()
            first, last = self._spans.get(split, (least, most))
            self._spans[split] = min(first, least), max(last, most)

    def report(self) -> Mapping[str, dict[str, str]]:
        """Return `first` and `last` of each split as text; a midnight is a date."""
        return {
            split: {
                name: str(time).removesuffix(" 00:00:00").removesuffix(".0")
                for name, time in zip(("first", "last"), span, strict=True)
            }
            for split, span in self._spans.items()
        }
