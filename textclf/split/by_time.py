"""Splits by time: the latest rows are the test rows, those before them the validation rows."""

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
    return np.asarray(pc.rank(as_array(times), tiebreaker="dense").to_numpy().astype(np.int64))


def take_latest(ranks: Positions, rows: Positions, count: int) -> tuple[Positions, Positions]:
    """Divide some rows into the earlier and the latest, and return both in the order of the table.

    The latest are about `count`: rows of equal times stay together. Raises `UserError` if all times are equal.
    """
    times, counts = np.unique(ranks[rows], return_counts=True)
    since = counts[::-1].cumsum()[::-1]  # rows of each time and later ones
    if len(times) < 2:
        raise UserError(f"{len(rows)} rows must have different times to be split by them (data.time); got one")
    border = times[1:][np.abs(since[1:] - count).argmin()]
    is_late = ranks[rows] >= border
    return rows[~is_late], rows[is_late]


def describe_time(time: Any) -> str:
    """Return a number or a date-time as text; a midnight is a date."""
    return str(time).removesuffix(" 00:00:00") if isinstance(time, str) else f"{time:f}".rstrip("0").rstrip(".")
