"""Confident learning: which labels contradict the probabilities of models that did not see them.

Northcutt, Jiang and Chuang (2021), J. Artif. Intell. Res. 70:1373-1411, doi:10.1613/jair.1.12125, as cleanlab has it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.studies.audit.held_out import Probabilities

FILTER = "prune_by_noise_rate"  # of each pair of classes, as many rows as the noise that is estimated for it
SCORE = "normalized_margin"  # how far the given label is from the most probable other one


@dataclass(frozen=True)
class Judgement:
    """What one model says of all rows.

    `flagged` (rows,): whether the label is an issue. `scores` (rows,): 0 for a label that is surely wrong, 1 for one
    that is surely right. `joint` (classes, classes): the estimated number of rows with a given label (first axis) and a
    true one. `right`: rows whose most probable class is their label.
    """

    flagged: NDArray[np.bool_]
    scores: NDArray[np.float64]
    joint: NDArray[np.int64]
    right: int


@dataclass(frozen=True)
class Issues:
    """What all models say together.

    `judgements` by model. `votes` (rows,): number of models that flag the row. `scores` (rows,): mean over the models.
    `suggested` (rows,): the position of the most probable class but the given one, by the mean of the probabilities.
    `order`: the positions of the rows that a model flags, most suspicious first: those that more models flag, then
    those with a lower score.
    """

    judgements: Mapping[str, Judgement]
    votes: NDArray[np.int64]
    scores: NDArray[np.float64]
    suggested: NDArray[np.int64]
    order: NDArray[np.int64]

    def flagged_by(self, row: int) -> list[str]:
        """Return the names of the models that flag a row."""
        return [name for name, judgement in self.judgements.items() if judgement.flagged[row]]


def judge(y: NDArray[np.int64], probabilities: Probabilities) -> Judgement:
    """Return what the probabilities of a model, which must be of rows that it did not see, say of the labels `y`."""
    from cleanlab.count import compute_confident_joint
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    joint = compute_confident_joint(y, probabilities)
    flagged = find_label_issues(y, probabilities, filter_by=FILTER, confident_joint=joint, n_jobs=1)
    scores = get_label_quality_scores(y, probabilities, method=SCORE)
    return Judgement(flagged, scores, joint, int((probabilities.argmax(axis=1) == y).sum()))


def combine(y: NDArray[np.int64], models: Iterable[tuple[str, Probabilities]]) -> Issues:
    """Return the issues that the models find, each given by its name and its probabilities; at least one."""
    judgements = {}
    total: Any = 0.0
    for name, probabilities in models:
        judgements[name] = judge(y, probabilities)
        total = total + probabilities
    total[np.arange(len(y)), y] = -1
    votes = np.array([each.flagged for each in judgements.values()], dtype=np.int64).sum(axis=0)
    scores = np.mean([each.scores for each in judgements.values()], axis=0)
    flagged = np.flatnonzero(votes)
    order = flagged[np.lexsort((scores[flagged], -votes[flagged]))]
    return Issues(judgements, votes, scores, total.argmax(axis=1), order)
