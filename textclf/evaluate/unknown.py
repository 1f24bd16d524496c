"""Texts of no class: the score below which a model rejects a text, and how well that works."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts.decisions import PROBABILITY, Decision, Rejection
from textclf.artifacts.predictions import Predictions, concatenate
from textclf.core.errors import UserError
from textclf.core.files import DIGITS, SPLITS, UNKNOWN
from textclf.core.formatting import count_noun
from textclf.evaluate.choose import FEWEST_TO_CHOOSE
from textclf.evaluate.coverage import share_of
from textclf.evaluate.curves import STEPS, positive_counts
from textclf.evaluate.measure import HeldOut
from textclf.evaluate.registry import ROC_AUC
from textclf.evaluate.results import Area, MeasuredShare, RejectedByScore, Unknown
from textclf.evaluate.rows import JudgedRows
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.split_clusters import positions

CURVE_COLUMNS = ("threshold", "accuracy", "recall")
# Validation rows of no class, or clusters of them, below which their threshold is mostly chance.
FEW = 30

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """How a model decides rows, some of which belong to no class.

    `known` (rows,) are those of a class, `right` (rows,) those of them with the right class if not
    rejected, `rejected` (rows,) those that the model decides to be of no class. `scores` (rows,) by
    name are low for texts of no class. `clusters` (rows,) are those of dependent rows, None if the
    rows are independent.
    """

    known: Mask
    right: Mask
    rejected: Mask
    scores: Mapping[str, Floats]
    clusters: NDArray[np.int64] | None = None

    def curve(self, score: str, thresholds: Floats) -> tuple[Floats, Floats]:
        """Return by threshold the accuracy within the classes and the recall of no class."""
        scores = self.scores[score]
        right, unknown = np.sort(scores[self.right]), np.sort(scores[~self.known])
        not_rejected = len(right) - np.searchsorted(right, thresholds)
        accuracy = not_rejected / max(int(self.known.sum()), 1)
        return accuracy, np.searchsorted(unknown, thresholds) / max(len(unknown), 1)

    def table(self, score: str) -> pd.DataFrame:
        """Return the curve as the columns of `CURVE_COLUMNS`, with a bounded number of points."""
        thresholds = candidates(self.scores[score])
        positions = np.linspace(0, len(thresholds) - 1, 2 * STEPS).astype(int)
        thinned = thresholds[np.unique(positions)]
        columns = thinned, *self.curve(score, thinned)
        return pd.DataFrame(dict(zip(CURVE_COLUMNS, columns, strict=True)))

    def choose(self, score: str, keep: float | None = None) -> float:
        """Return the lowest threshold with the best mean of accuracy and recall.

        With `keep`: the highest that keeps this share of their accuracy. The rows must not be test
        rows.
        """
        thresholds = candidates(self.scores[score])
        accuracy, recall = self.curve(score, thresholds)
        if keep is not None:
            return float(thresholds[np.flatnonzero(accuracy >= keep * accuracy[0])[-1]])
        return float(thresholds[np.argmax((accuracy + recall).round(DIGITS))])


def judge(
    rows: Predictions, decision: Decision, label: str, clusters: NDArray[np.int64] | None = None
) -> Judged:
    """Return how a model decides rows; `clusters` (rows,) are as in `Judged`.

    `label` is that of texts of no class. If it is a class, the model decides it as any other; its
    probability, with the other sign, is the score.
    """
    calibrated = decision.calibrate(rows.probabilities)
    decided = decision.decide(calibrated)
    if label in rows.classes:
        place = rows.classes.index(label)
        others = np.where(np.arange(len(rows.classes)) == place, -1.0, calibrated).argmax(axis=1)
        scores = {PROBABILITY: -calibrated[:, place]}
        known = rows.y != place
        right = np.where(decided == place, others, decided) == rows.y
        return Judged(known, right & known, decided == place, scores, clusters)
    scores = {PROBABILITY: calibrated.max(axis=1), **rows.scores}
    rejected = decision.rejects(calibrated, rows.scores)
    known = rows.y >= 0
    # With costs, the decision may be no class, -1, as the label of the rows of no class.
    right = (decided == rows.y) & known
    return Judged(known, right, rejected, scores, clusters)


def measure_unknown(
    models: Mapping[str, Iterable[Predictions]],
    decisions: Mapping[str, Decision],
    held_out: HeldOut,
    label: str,
    keys: Mapping[str, NDArray[np.uint64]],
    settings: Evaluate,
) -> tuple[dict[str, Decision], dict[str, dict[str, Unknown]], dict[str, pd.DataFrame]]:
    """Return decisions with rejections, the content of unknown.json, and curves of the test rows.

    Validation rows choose the thresholds or, without them, held-out training rows. That of
    `unknown_score` has the best mean of accuracy and recall if at least `FEWEST_TO_CHOOSE` of these
    rows, or clusters, belong to no class; those of the other scores keep `unknown_keep` of the
    accuracy on them, and so does this one otherwise. A model that ignores the text rejects none; if
    `label` is a class, there is no rejection. `keys` are those of the clusters of the rows of each
    split, with the rows of no class last. A model without predictions for rows of no class is not
    measured. Raises `UserError` if there are no rows that choose for a model.
    """
    clusters = {split: positions(keys_of_rows) for split, keys_of_rows in keys.items()}
    rejecting, report, curves = dict(decisions), dict[str, dict[str, Unknown]](), {}
    for name, decision in decisions.items():
        parts = read_splits(models[name])
        rows, dependent = parts.get("validation"), clusters.get("validation")
        if rows is None:
            rows, dependent = held_out.models.get(name), held_out.clusters
        if rows is None:
            where = f"data.unknown must have validation rows, or held-out training rows of {name}"
            raise UserError(
                f"{where}, to choose a threshold by; got none: set split.validation_size"
            )
        # Predictions made elsewhere may lack the rows of no class, which are the last.
        of_rows = None if dependent is None else dependent[: len(rows)]
        chooser = judge(rows, decision, label, of_rows)
        score = PROBABILITY
        if decision.baseline:
            thresholds = {
                name_of_score: float(np.floor(scores.min())) - 1
                for name_of_score, scores in chooser.scores.items()
            }
        else:
            thresholds = {
                name_of_score: chooser.choose(name_of_score, settings.unknown_keep)
                for name_of_score in chooser.scores
            }
        if label not in rows.classes and not decision.baseline:
            score = settings.unknown_score
            unknown: NDArray[Any] = ~chooser.known
            if chooser.clusters is not None:
                unknown = np.bincount(chooser.clusters[unknown])
            few = np.count_nonzero(unknown) < FEWEST_TO_CHOOSE
            threshold = thresholds[score] if few else chooser.choose(score)
            rejecting[name] = replace(decision, rejection=Rejection(score, threshold))
        for split, rows in parts.items():
            judged = judge(rows, rejecting[name], label, clusters.get(split))
            if not judged.known.all():
                entry = _report(judged, thresholds, settings.confidence)
                report.setdefault(name, {})[split] = entry
                if split == "test":
                    curves[name] = judged.table(score)
    return rejecting, report, curves


def read_splits(batches: Iterable[Predictions]) -> dict[str, Predictions]:
    """Return a model's predictions for validation and test rows, rows of no class last."""
    parts: dict[str, list[Predictions]] = {
        f"{name}{end}": [] for name in SPLITS[1:] for end in ("", UNKNOWN)
    }
    for batch in batches:
        predicted = ~np.isnan(batch.probabilities[:, 0])
        for name, part in parts.items():
            chosen = (batch.split == name) & predicted
            if chosen.any():
                part.append(batch.take(chosen))
    joined = {name: parts[name] + parts[f"{name}{UNKNOWN}"] for name in SPLITS[1:]}
    return {name: concatenate(both) for name, both in joined.items() if both}


def describe_few(keys: NDArray[np.uint64]) -> Iterator[str]:
    """Yield a warning if few validation rows of no class choose the thresholds.

    `keys` (rows,) are those of their clusters.
    """
    number = len(np.unique(keys))
    if 0 < number < FEW:
        rows = count_noun(number, "independent validation row")
        effect = "rest on them and are uncertain"
        if number < FEWEST_TO_CHOOSE:
            effect = "keep evaluate.unknown_keep of the accuracy on the rows that choose"
        yield f"only {rows} of no class: the thresholds {effect}; raise split.validation_size"


def candidates(scores: Floats) -> Floats:
    """Return the thresholds to choose from, ascending and rounded.

    One is below all scores, the others are between neighbouring ones.
    """
    distinct = np.unique(scores)
    # The floor of the lowest score could be rounded up to above it.
    lowest = (np.ceil(distinct[:1] * 10**DIGITS) - 1) / 10**DIGITS
    midpoints = (distinct[:-1] + np.diff(distinct) / 2).round(DIGITS)
    return np.unique(np.concatenate([lowest, midpoints]))


def _report(judged: Judged, thresholds: Mapping[str, float], confidence: float) -> Unknown:
    """Return what metrics/unknown.json has of a model and a split, with intervals."""
    by_score, unknown = {}, (~judged.known).astype(np.int64)
    for name, scores in judged.scores.items():
        false, true = (np.append(0, counts) for counts in positive_counts(~judged.known, -scores))
        area = np.trapezoid(true / true[-1], false / false[-1])
        rows = JudgedRows(unknown, np.column_stack([scores, -scores]), unknown, judged.clusters)
        ends = ROC_AUC.interval_of(rows, np.array([area]), [1], confidence)
        by_score[name] = RejectedByScore(
            threshold=thresholds[name],
            roc_auc=Area(value=float(area), **(ends.rounded() if ends else {})),
            **_shares(judged, scores < thresholds[name], confidence),
        )
    return Unknown(**_shares(judged, judged.rejected, confidence), scores=by_score)


def _shares(judged: Judged, rejected: Mask, confidence: float) -> dict[str, MeasuredShare | None]:
    known = judged.known
    return {
        "accuracy": share_of(judged.right & ~rejected, known, judged.clusters, confidence),
        "recall": share_of(rejected, ~known, judged.clusters, confidence),
        "precision": share_of(~known, rejected, judged.clusters, confidence),
    }
