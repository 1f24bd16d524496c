"""Costs of decisions: the matrix that evaluate.costs gives, and what decisions cost by it."""

from collections.abc import Mapping, Sequence

import numpy as np

from textclf.artifacts.decisions import Costs
from textclf.core.errors import UserError
from textclf.core.settings import PARAMS_FILE
from textclf.evaluate.settings import ABSTAIN, CostsByClass, by_pair, unknown_classes


def cost_matrix(costs: CostsByClass, classes: Sequence[str]) -> Costs | None:
    """Return the costs by actual and decided class, (classes, classes).

    With a cost of no answer there is one more column, the last, for it. A pair that is not named
    costs 0 if it is right, otherwise 1. None if there are no costs. Raises `UserError` with a line
    for each name that is not a class.
    """
    if lines := [f"{PARAMS_FILE}: {sentence}" for sentence in unknown_classes(costs, classes)]:
        raise UserError(*lines)
    if not costs:
        return None
    matrix = 1 - np.eye(len(classes))
    for (actual, decided), cost in by_pair(costs).items():
        matrix[classes.index(actual), classes.index(decided)] = cost
    abstain = costs.get(ABSTAIN, {})
    if not isinstance(abstain, Mapping):
        matrix = np.column_stack([matrix, np.full(len(classes), abstain)])
    return tuple(map(tuple, matrix.tolist()))
