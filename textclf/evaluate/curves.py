"""Tables of a split for CSV files, stacked by model: confusion matrix and curves.

Curves have a bounded number of points, so that their tables do not grow with the rows.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# The fewest rows of a point of a risk-coverage curve.
FEWEST_POINT_ROWS = 10
# Steps along a curve of more than twice as many points; the first and last point of each remain.
STEPS = 500
# The columns of the history.csv of a model that trains in epochs.
HISTORY_COLUMNS = ("epoch", "split", "loss", "accuracy")

# Numbers of false and true positives, (thresholds,), as the threshold falls.
PositiveCounts = tuple[NDArray[np.int64], NDArray[np.int64]]


def confusion_table(
    matrix: NDArray[np.int64], support: NDArray[np.int64], names: Sequence[str]
) -> pd.DataFrame:
    """Return `actual`, `predicted`, `count`, `share` of the actual class per pair with rows.

    `support` (classes,) are the rows of each actual class, `names` are those of the columns.
    """
    actual, predicted = np.nonzero(matrix)
    counts, labels = matrix[actual, predicted], np.array(names, dtype=object)
    return pd.DataFrame(
        {
            "actual": labels[actual],
            "predicted": labels[predicted],
            "count": counts,
            "share": counts / support[actual],
        }
    )


def positive_counts(actual: NDArray[np.bool_], scores: NDArray[np.float64]) -> PositiveCounts:
    """Return the numbers of false and true positives for each distinct score as threshold.

    The thresholds fall.
    """
    falling = np.argsort(-scores)  # ties in any order
    # The last row with each score.
    last = np.append(np.flatnonzero(np.diff(scores[falling])), len(scores) - 1)
    true = np.cumsum(actual[falling])[last]
    return last + 1 - true, true


def thin(counts: PositiveCounts, along: NDArray[np.float64]) -> PositiveCounts:
    """Return the points of a curve that begin or end one of `STEPS` steps.

    It returns all points if there are at most two per step. `along` (thresholds,) ascends from 0 to
    1.
    """
    if len(along) <= 2 * STEPS:
        return counts
    steps = np.floor(along * STEPS)
    end = np.ones(len(steps), dtype=bool)
    end[1:-1] = (steps[1:-1] != steps[:-2]) | (steps[1:-1] != steps[2:])
    return counts[0][end], counts[1][end]


def thin_roc(counts: PositiveCounts) -> PositiveCounts:
    """Return the corners of a ROC curve at the ends of steps of the mean of both rates.

    The mean grows along the curve. Every other corner is within 2 / `STEPS` of one that remains in
    the sum of the rates.
    """
    if len(counts[0]) <= 2 * STEPS:
        return counts
    corner = corners(*counts)
    false, true = counts[0][corner], counts[1][corner]
    return thin((false, true), (false / max(false[-1], 1) + true / max(true[-1], 1)) / 2)


def roc_table(curves: Mapping[str, PositiveCounts]) -> pd.DataFrame:
    """Return the points of ROC curves: `class`, `false_positive_rate`, `true_positive_rate`.

    The false positive rate of a class ascends. A point on the line between its neighbours is left
    out, as by scikit-learn's `roc_curve`. A rate is NaN if there are no rows to count.
    """
    tables = []
    for name, counts in curves.items():
        false, true = thin_roc(counts)
        corner = corners(false, true)
        points = {
            "false_positive_rate": _rates(np.append(0, false[corner]), undefined=np.nan),
            "true_positive_rate": _rates(np.append(0, true[corner]), undefined=np.nan),
        }
        tables.append(pd.DataFrame({"class": name, **points}))
    return pd.concat(tables, ignore_index=True)


def corners(false: NDArray[np.int64], true: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of the points of a ROC curve not halfway between their neighbours."""
    corner = np.ones(len(true), dtype=bool)
    corner[1:-1] = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
    return np.flatnonzero(corner)


def precision_recall_table(curves: Mapping[str, PositiveCounts]) -> pd.DataFrame:
    """Return the points of precision-recall curves: `class`, `recall` ascending, `precision`.

    Each curve starts at a recall of 0 with a precision of 1; if all scores are equal, it is a
    horizontal line at the share of the class. Of more than two points with the same recall the
    first and the last remain, as by scikit-learn's `precision_recall_curve`. Without positive rows
    recall is 1 throughout.
    """
    tables = []
    for name, counts in curves.items():
        all_false, all_true = thin(counts, counts[1] / max(counts[1][-1], 1))
        end = np.ones(len(all_true), dtype=bool)
        end[1:-1] = (np.diff(all_true[:-1]) != 0) | (np.diff(all_true[1:]) != 0)
        false, true = all_false[end], all_true[end]
        recall, precision = _rates(true, undefined=1.0), true / (true + false)
        points = {
            "recall": np.append(0.0, recall),
            "precision": np.append(1.0 if len(true) > 1 else precision, precision),
        }
        tables.append(pd.DataFrame({"class": name, **points}))
    return pd.concat(tables, ignore_index=True)


def risk_coverage_table(counts: PositiveCounts) -> pd.DataFrame:
    """Return the points of a risk-coverage curve: `share_answered` ascending, and their `error`.

    The rows answered are those with the highest confidence (El-Yaniv & Wiener 2010, J. Mach. Learn.
    Res. 11:1605-1641). Points with fewer than `FEWEST_POINT_ROWS` rows are left out, since their
    error is chance, unless there is no other. Where all rows have the same confidence, the curve is
    a horizontal line.
    """
    wrong, right = thin(counts, (counts[0] + counts[1]) / (counts[0][-1] + counts[1][-1]))
    rows = wrong + right
    shown = rows >= min(FEWEST_POINT_ROWS, rows[-1])
    shares, errors = rows[shown] / rows[-1], wrong[shown] / rows[shown]
    if len(shares) == 1:
        shares, errors = np.append(0.0, shares), np.append(errors, errors)
    return pd.DataFrame({"share_answered": shares, "error": errors})


def _rates(counts: NDArray[np.int64], undefined: float) -> NDArray[np.float64]:
    """Return the counts as shares of the last one, which is the total; `undefined` if it is 0."""
    return counts / counts[-1] if counts[-1] else np.full(len(counts), undefined)


def stack_models(tables: Mapping[str, pd.DataFrame], columns: Sequence[str] = ()) -> pd.DataFrame:
    """Return the tables of all models in one, with a first column `model`.

    `columns` are those of an empty result.
    """
    if not tables:
        return pd.DataFrame(columns=["model", *columns])
    return pd.concat(
        [table.assign(model=name)[["model", *table]] for name, table in tables.items()],
        ignore_index=True,
    )
