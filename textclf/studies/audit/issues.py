"""Confident learning: which labels contradict the probabilities of models that did not see them.

Northcutt, Jiang and Chuang (2021), J. Artif. Intell. Res. 70:1373-1411, doi:10.1613/jair.1.12125,
as cleanlab has it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.progress import track
from textclf.studies.crossvalidation import make_folds
from textclf.studies.measure import Setup, make_features, predict_held_out
from textclf.studies.settings import Audit, CrossValidate

# How cleanlab flags rows. Of few classes, for each pair as many rows are flagged as have wrong
# labels by the estimate. Of many, a pair has too few rows for that: the labels of lowest
# probability are flagged, as many as are wrong by the estimate in all, as Kuan & Mueller (2022),
# Model-agnostic label quality scoring to detect real-world label errors, ICML DataPerf workshop.
METHODS = {False: "prune_by_noise_rate", True: "low_self_confidence"}
MANY_CLASSES = 20

# (rows,): the position of the class of each row; or a matrix of 0 and 1 (rows, labels).
Labels = NDArray[np.integer]
# (rows, classes)
Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Judgement:
    """What one model says of all rows."""

    flagged: NDArray[np.bool_]  # (rows,): whether the label is an issue
    # (rows,): 0 for a label that is surely wrong, 1 for one that is surely right.
    scores: NDArray[np.float64]
    # The estimated number of rows by given and true label (classes, classes); or (labels, 2) of
    # those that lack each of several labels per text, and that have it but should not.
    joint: NDArray[np.int64]
    noise: float  # the estimated share of wrong labels
    right: int  # rows whose most probable class, or set of labels, is the given one
    # `flagged`, or of several labels per text those that are issues (rows, labels).
    wrong: NDArray[np.bool_]


@dataclass(frozen=True)
class Issues:
    """What all models say together."""

    judgements: Mapping[str, Judgement]  # by model
    votes: NDArray[np.int64]  # (rows,): number of models that flag the row
    scores: NDArray[np.float64]  # (rows,): mean over the models
    # (rows,): the most probable class but the given one, by the mean probability; or a matrix
    # (rows, labels): the given labels but for those that most models flag.
    suggested: Labels
    order: NDArray[np.int64]  # flagged rows, most suspicious first: more votes, then lower scores

    def flagged_by(self, row: int) -> list[str]:
        """Return the names of the models that flag a row."""
        return [name for name, judgement in self.judgements.items() if judgement.flagged[row]]


def held_out_probabilities(
    rows: pd.DataFrame, classes: Sequence[str], models: Sequence[str], setup: Setup, settings: Audit
) -> Iterator[tuple[str, Probabilities]]:
    """Yield each model's name and its uncalibrated probabilities for all rows, in their order.

    Those of a row come from the model, and the vocabulary, of the folds without it and without rows
    of its text or `group`.
    """
    rows = rows.drop(columns="split", errors="ignore").reset_index(drop=True)
    drawn = CrossValidate(folds=settings.folds, repeats=1, seed=settings.seed)
    folds = list(make_folds(rows, drawn, "audit.folds"))
    trainings = [(name, splits) for name in models for _, _, splits in folds]
    probabilities = np.empty((len(rows), len(classes)))
    tracked = track(trainings, "audit", len(trainings), "training")
    for number, (name, splits) in enumerate(tracked, start=1):
        own = setup.model(name)
        validation = bool(own.validation_choices())
        features = make_features(splits, classes, own.features, setup, validation)
        predicted = predict_held_out(features, own, setup.pretrained)[-1]
        probabilities[splits["test"].index] = predicted.probabilities
        if number % len(folds) == 0:
            yield name, probabilities
            probabilities = np.empty_like(probabilities)


def judge(y: Labels, probabilities: Probabilities) -> Judgement:
    """Return what a model's probabilities say of the labels `y` of rows that it did not see."""
    from cleanlab.count import compute_confident_joint
    from cleanlab.filter import find_label_issues

    method = METHODS[probabilities.shape[1] >= MANY_CLASSES]
    joint = compute_confident_joint(y, probabilities)
    flagged = find_label_issues(y, probabilities, filter_by=method, confident_joint=joint, n_jobs=1)
    scores = score_labels(y, probabilities)
    noise, right = 1 - joint.trace() / joint.sum(), (probabilities.argmax(axis=1) == y).sum()
    return Judgement(flagged, scores, joint, float(noise), int(right), flagged)


def score_labels(y: Labels, probabilities: Probabilities) -> NDArray[np.float64]:
    """Return a score per label, from 0 (surely wrong) to 1 (surely right).

    By Bayes' rule the odds that a label is right are p / (1 - p) / r, if p is the probability of
    its class, and r the rate at which rows of other classes get this label by mistake (class-
    conditional noise, as in Northcutt et al.). With one rate for all classes, p orders the labels.
    But if mistakes follow the shares of the classes, a rare class has a low rate; its right rows
    have a low p too, since a model hardly ever predicts it, and would come first. Which case it is
    is not known, and the rows of a rare class are too few to tell. So r is taken as half way, in
    logarithms: the square root of the share of the class, relative to that of equal shares.
    """
    own = probabilities[np.arange(len(y)), y]
    relative_shares = np.bincount(y) / len(y) * probabilities.shape[1]
    rates = np.sqrt(relative_shares[y])
    return np.asarray(own / (own + (1 - own) * rates))


def judge_sets(y: Labels, probabilities: Probabilities) -> Judgement:
    """Return what `judge` does for several labels per text; both arguments (rows, labels)."""
    from cleanlab.count import compute_confident_joint
    from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class
    from cleanlab.multilabel_classification.rank import get_label_quality_scores

    labels = [np.flatnonzero(row).tolist() for row in y]
    joint = compute_confident_joint(labels, probabilities, multi_label=True)
    wrong = find_multilabel_issues_per_class(labels, probabilities, confident_joint=joint, n_jobs=1)
    scores = get_label_quality_scores(labels, probabilities)
    mistakes, right = joint[:, (0, 1), (1, 0)], ((probabilities > 0.5) == y).all(axis=1).sum()
    return Judgement(
        wrong.any(axis=1), scores, mistakes, float(mistakes.sum() / joint.sum()), int(right), wrong
    )


def combine(y: Labels, models: Iterable[tuple[str, Probabilities]]) -> Issues:
    """Return the issues that the models find: at least one, with its name and probabilities."""
    judgements = {}
    total: Any = 0.0
    for name, probabilities in models:
        judgements[name] = judge(y, probabilities) if y.ndim == 1 else judge_sets(y, probabilities)
        total = total + probabilities
    if y.ndim == 1:
        total[np.arange(len(y)), y] = -1
        suggested = total.argmax(axis=1)
    else:
        pairs = np.sum([judgement.wrong for judgement in judgements.values()], axis=0)
        suggested = y ^ ((pairs > 0) & (pairs == pairs.max(axis=1, keepdims=True)))
    flags = [judgement.flagged for judgement in judgements.values()]
    votes = np.array(flags, dtype=np.int64).sum(axis=0)
    scores = np.mean([judgement.scores for judgement in judgements.values()], axis=0)
    flagged = np.flatnonzero(votes)
    order = flagged[np.lexsort((scores[flagged], -votes[flagged]))]
    return Issues(judgements, votes, scores, suggested, order)
