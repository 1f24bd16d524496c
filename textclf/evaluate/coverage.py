"""Prediction sets on the test rows: how often they contain the actual class, how large they are, how many answer."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.conformal import Conformal, Sets, answers, highest_coverage, least_rows
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.core.formatting import count_noun
from textclf.core.progress import track
from textclf.core.quoting import quote_name
from textclf.evaluate.boundary import Share
from textclf.evaluate.choose import validation_rows
from textclf.evaluate.clusters import BUCKETS, Clusters, effective_rows
from textclf.evaluate.settings import Evaluate

# Kinds of rows by their set: empty; the actual class alone, or another; several with the actual class, or without it
EMPTY, RIGHT, WRONG, WITH, WITHOUT = KINDS = range(5)

Counts = NDArray[np.int64]


class SetCounts:
    """Counts of the rows of a model, which grow batch by batch: `rows` (groups, classes, kinds) and `sizes` of sets.

    Groups are clusters of dependent rows, or `BUCKETS` random groups of such clusters; one if rows are independent.
    """

    def __init__(self, classes: int, groups: int = 1) -> None:
        """Start without rows."""
        self.rows = np.zeros((groups, classes, len(KINDS)), dtype=np.int64)
        self.sizes = 0

    def add(self, y: NDArray[np.int64], sets: Sets, groups: NDArray[np.int64] | None = None) -> None:
        """Add the sets of rows; `groups` (rows,) are those of the rows, if these are dependent."""
        _, classes, kinds = self.rows.shape
        cells = classes * kinds * (0 if groups is None else groups) + kinds * y + kinds_of(y, sets)
        self.rows += np.bincount(cells, minlength=self.rows.size).reshape(self.rows.shape)
        self.sizes += int(sets.sum())

    def report(self, labels: Sequence[str], confidence: float) -> dict[str, Any]:
        """Return what metrics/coverage.json has of a model, rounded.

        `coverage` is the share of the rows whose set has the actual class, `accuracy` that of the answers that are
        right, None if there are none, each with its Wilson interval. `answered` is the share of rows whose set has one
        class.
        """
        kinds = self.rows.sum(axis=(0, 1)).tolist()
        total = sum(kinds)
        return {
            "rows": total,
            "coverage": self._share([RIGHT, WITH], KINDS, confidence),
            "set_size": round(self.sizes / total, DIGITS),
            "empty": round(kinds[EMPTY] / total, DIGITS),
            "answered": round((kinds[RIGHT] + kinds[WRONG]) / total, DIGITS),
            "several": round((kinds[WITH] + kinds[WITHOUT]) / total, DIGITS),
            "accuracy": self._share([RIGHT], [RIGHT, WRONG], confidence),
            "classes": {
                label: self._share([RIGHT, WITH], KINDS, confidence, place) for place, label in enumerate(labels)
            },
        }

    def _share(
        self, right: Sequence[int], of: Sequence[int], confidence: float, place: int | None = None
    ) -> dict[str, float] | None:
        """Return `value`, `low`, `high` and `rows` of a share of the rows of some kinds; None without such rows.

        `place` is the position of their actual class. Dependent rows count as fewer, as everywhere.
        """
        rows = self.rows.sum(axis=1) if place is None else self.rows[:, place]
        found, total = rows[:, [*right]].sum(axis=1), rows[:, [*of]].sum(axis=1)
        if not total.sum():
            return None
        value, effective = float(found.sum() / total.sum()), float(total.sum())
        if len(rows) > 1:
            sums, sizes = found.astype(np.float64), total.astype(np.float64)
            effective = effective_rows(sums, sizes, value * (1 - value), confidence)
        ends = Share(int(found.sum()), int(total.sum()), effective).interval(confidence)
        numbers = {"value": value, "low": ends.low, "high": ends.high}
        return {name: round(number, DIGITS) for name, number in numbers.items()} | {"rows": int(total.sum())}


def kinds_of(y: NDArray[np.int64], sets: Sets) -> NDArray[np.int64]:
    """Return the kind of each row (rows,) by its set and its actual class."""
    sizes, has = sets.sum(axis=1), sets[np.arange(len(y)), y]
    return np.select([sizes == 0, answers(sets) == y, sizes == 1, has], [EMPTY, RIGHT, WRONG, WITH], WITHOUT)


def fit_sets(
    models: Mapping[str, Iterable[Predictions]], decisions: Mapping[str, Decision], settings: Evaluate
) -> dict[str, Conformal]:
    """Return the conformal scores of each model, from the validation rows; an empty mapping without `coverage`.

    Raises `UserError` if there are too few validation rows for this coverage, in all or of a class.
    """
    fitted: dict[str, Conformal] = {}
    if settings.coverage is None:
        return fitted
    for name, batches in models.items():
        y, probabilities = validation_rows(batches)
        if not fitted:
            _require_rows(y, next(iter(batches)).classes, settings.coverage, settings.coverage_by_class)
        fitted[name] = Conformal.fit(y, decisions[name].calibrate(probabilities), settings.coverage_by_class)
    return fitted


def _require_rows(y: NDArray[np.int64], classes: Sequence[str], coverage: float, by_class: bool) -> None:
    least = least_rows(coverage)
    counts = np.bincount(y, minlength=len(classes)) if by_class else np.array([len(y)])
    place = int(counts.argmin())
    rows = int(counts[place])
    if rows < least:
        whose = f" of class {quote_name(classes[place])}" if by_class else ""
        raise UserError(
            f"evaluate.coverage must be at most {highest_coverage(rows)} for "
            f"{count_noun(rows, 'validation row')}{whose}; got {coverage}, which takes at least {least:,} of them; "
            "raise split.validation_size or lower the coverage"
        )


def measure_sets(
    models: Mapping[str, Iterable[Predictions]],
    decisions: Mapping[str, Decision],
    fitted: Mapping[str, Conformal],
    settings: Evaluate,
    clusters: Clusters | None = None,
) -> dict[str, Any]:
    """Return the content of metrics/coverage.json: `protocol`, and each model's numbers on the test rows.

    Empty if `coverage` is not set. `clusters` are those of the test rows, None if they are independent. The predictions
    are read once more, batch by batch, so that memory does not grow with the rows.
    """
    if settings.coverage is None:
        return {}
    groups = None if clusters is None else _groups(clusters)
    counts: dict[str, SetCounts] = {}
    classes: tuple[str, ...] = ()
    for name, batches in track(models.items(), "measure prediction sets", len(models)):
        added = 0
        for batch in batches:
            rows = batch.take(batch.split == "test")
            if name not in counts:
                classes = batch.classes
                counts[name] = SetCounts(len(classes), 1 if groups is None else int(groups.max()) + 1)
            if len(rows):
                sets = fitted[name].sets(decisions[name].calibrate(rows.probabilities), settings.coverage)
                counts[name].add(rows.y, sets, None if groups is None else groups[added : added + len(rows)])
                added += len(rows)
    protocol = {
        "coverage": settings.coverage,
        "by_class": int(settings.coverage_by_class),
        "validation_rows": sum(group.rows for group in next(iter(fitted.values())).groups),
    }
    return {"protocol": protocol} | {name: each.report(classes, settings.confidence) for name, each in counts.items()}


def _groups(clusters: Clusters) -> NDArray[np.int64]:
    """Return the cluster of each row or, of more than `BUCKETS` clusters, one of so many random groups of them."""
    if clusters.count <= BUCKETS:
        return np.unique(clusters.keys, return_inverse=True)[1].astype(np.int64)
    return (clusters.keys % np.uint64(BUCKETS)).astype(np.int64)
