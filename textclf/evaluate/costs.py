"""Costs of decisions: the matrix that evaluate.costs gives, and what decisions cost by it."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Costs
from textclf.core.errors import UserError
from textclf.core.settings import PARAMS_FILE
from textclf.evaluate.clusters import effective_rows
from textclf.evaluate.intervals import Interval, wilson
from textclf.evaluate.metrics import row_costs
from textclf.evaluate.rows import Rows
from textclf.evaluate.settings import ABSTAIN, CostsByClass, by_pair, unknown_classes

Ints = NDArray[np.int64]


def cost_matrix(costs: CostsByClass, classes: Sequence[str]) -> Costs | None:
    """Return the costs by actual and decided class, (classes, classes); the last column, if set, for no answer.

    A pair that is not named costs 0 if it is right, otherwise 1. None if there are no costs. Raises `UserError` with a
    line for each name that is not a class.
    """
    if lines := [f"{PARAMS_FILE}: {sentence}" for sentence in unknown_classes(costs, classes)]:
        raise UserError(*lines)
    if not costs:
        return None
    matrix = 1 - np.eye(len(classes))
    for (actual, decided), cost in by_pair(costs).items():
        matrix[classes.index(actual), classes.index(decided)] = cost
    if not isinstance(abstain := costs.get(ABSTAIN, {}), Mapping):
        matrix = np.column_stack([matrix, np.full(len(classes), abstain)])
    return tuple(map(tuple, matrix.tolist()))


def cost_interval(rows: Rows, model: str, confidence: float, constant: bool = False) -> Interval:
    """Return the interval of the mean cost of a model; `constant` says that it decides all texts alike.

    The shares of the rows with each cost, the lowest and the highest that the model can have among them, have Wilson's
    intervals; the squares of their half-lengths are added, with the correlations of multinomial shares (Zou & Donner
    2008, Stat. Med. 27:1693-1702). So the interval allows for expensive mistakes that no row shows; one from the
    variance of the rows would be far too short. Dependent rows count as the independent ones that they are worth.
    """
    values, matrix, worth = row_costs(rows.costs, rows.y, rows.decided[model]), np.array(rows.costs), float(len(rows))
    if constant:
        matrix = matrix[:, rows.decided[model][:1]]
    if rows.clusters is not None:
        worth = effective_rows(values, rows.clusters, rows.wrong(model), confidence)
    levels = np.unique(np.append(values, (matrix.min(), matrix.max())))
    shares = np.bincount(np.searchsorted(levels, values), minlength=len(levels)) / len(rows)
    weights = levels - levels[shares.argmax()]
    ends = np.array([wilson(share * worth, worth, confidence) for share in shares])
    moves = weights[:, np.newaxis] * (ends - shares[:, np.newaxis])
    lengths = np.stack([moves.min(axis=1), moves.max(axis=1)])
    odds = shares / np.maximum(1 - shares, 0.5)  # of the value with the largest share, any would do
    correlated = lengths * np.sign(weights) * np.sqrt(odds)
    squares = (lengths**2).sum(axis=1) + (correlated**2).sum(axis=1) - correlated.sum(axis=1) ** 2
    low, high = (float(end) for end in values.mean() + np.array([-1, 1]) * np.sqrt(np.maximum(squares, 0)))
    return Interval(max(low, float(levels[0])), min(high, float(levels[-1])))


def cheapest_constant(costs: Costs, train: Ints, rows: Ints) -> tuple[int, float]:
    """Return the constant decision that costs least on the training rows, and its mean cost on other rows.

    `train` and `rows` are numbers of rows per class (classes,). The decision is the position of a class, or the number
    of classes for no answer.
    """
    cheapest = int((train @ np.array(costs)).argmin())
    return cheapest, float(rows @ np.array(costs)[:, cheapest] / rows.sum())
