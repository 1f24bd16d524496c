"""Curves with fewer points, so that their tables do not grow with the rows."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from textclf.evaluate.curves import PositiveCounts, corners

STEPS = 500  # along a curve, of which the first and the last point remain


def thin(
    curves: Mapping[str, PositiveCounts], choose: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]
) -> dict[str, PositiveCounts]:
    """Return the curves with the points that `choose`, such as `thin_roc`, keeps.

    A curve of at most 2 `STEPS` points keeps all of them.
    """
    thinned = {}
    for name, (false, true) in curves.items():
        points = choose(false, true) if len(true) > 2 * STEPS else slice(None)
        thinned[name] = false[points], true[points]
    return thinned


def thin_roc(false: NDArray[np.int64], true: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of the points of a ROC curve to keep, about 2 `STEPS` at most.

    The mean of both rates, which grows along the curve, is cut into `STEPS` steps, of which the first and the last
    corner remain: every other corner is within 2 / `STEPS` of one that remains in the sum of the rates.
    """
    kept = corners(false, true)
    rates = sum(counts[kept] / max(counts[-1], 1) for counts in (false, true))
    return kept[_ends_of_steps(np.asarray(rates) / 2)] if len(kept) > 2 * STEPS else kept


def thin_precision_recall(_: NDArray[np.int64], true: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of the points of a precision-recall curve to keep.

    Every other point is within 1 / `STEPS` of one that remains in recall.
    """
    return _ends_of_steps(true / max(true[-1], 1))


def thin_risk(wrong: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of the points of a risk-coverage curve to keep.

    Every other point is within 1 / `STEPS` of one that remains in the share of the rows answered.
    """
    return _ends_of_steps((wrong + right) / (wrong[-1] + right[-1]))


def _ends_of_steps(ascending: NDArray[np.float64]) -> NDArray[np.int64]:
    steps = np.floor(ascending * STEPS)
    end = np.ones(len(steps), dtype=bool)
    end[1:-1] = (steps[1:-1] != steps[:-2]) | (steps[1:-1] != steps[2:])
    return np.flatnonzero(end)
