"""Prediction sets on the test rows: their coverage, their size, and the share that answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.conformal import Conformal, Sets, without_gaps
from textclf.evaluate.choose import no_validation_rows, some_rows
from textclf.evaluate.clusters import TINY, effective_rows, independent_rows
from textclf.evaluate.metrics.of_counts import Share
from textclf.evaluate.results import Coverage, CoverageProtocol, MeasuredSets, MeasuredShare
from textclf.evaluate.rows import JudgedRows, Labels
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.split_metrics import SplitMetrics


def fit_sets(validation: SplitMetrics | None, settings: Evaluate) -> dict[str, Conformal]:
    """Return the conformal scores of each model on the validation rows; none without `coverage`.

    With several labels per text, rows without labels have none. Dependent rows count as the
    independent rows that would estimate as precisely the share of rows that their sets cover.
    Raises `UserError` if they are too few for this coverage, in all or of a class.
    """
    fitted: dict[str, Conformal] = {}
    if settings.coverage is None:
        return fitted
    if validation is None:
        raise no_validation_rows()
    for name, rows in validation.judged.items():
        y, probabilities, clusters = some_rows(rows.y, rows.probabilities, rows.clusters)
        if rows.multilabel:
            labelled = y.any(axis=1)
            y, probabilities = y[labelled], probabilities[labelled]
            clusters = None if clusters is None else clusters[labelled]
        scores = Conformal.fit(y, probabilities, settings.coverage_by_class)
        of_rows = " with labels" if rows.multilabel else ""
        description = "evaluate.coverage", validation.classes, of_rows
        scores.require(settings.coverage, *description)
        if clusters is not None:
            covered = _covered(scores.sets(probabilities, settings.coverage), y)
            parts: list[Any] = [slice(None)]
            if settings.coverage_by_class:
                parts = [y == place for place in range(len(scores.groups))]
            groups = []
            for group, part in zip(scores.groups, parts, strict=True):
                rare = covered[part] < 1
                independent, _ = independent_rows(covered[part], clusters[part], rare)
                groups.append(replace(group, independent=int(independent + TINY)))
            scores = Conformal(tuple(groups))
            scores.require(settings.coverage, *description)
        fitted[name] = scores
    return fitted


def measure_sets(
    test: SplitMetrics, fitted: Mapping[str, Conformal], settings: Evaluate
) -> Coverage:
    """Return the content of metrics/coverage.json: empty if `coverage` is not set."""
    if settings.coverage is None:
        return Coverage()
    protocol = CoverageProtocol(
        coverage=settings.coverage,
        by_class=int(settings.coverage_by_class),
        validation_rows=sum(group.rows for group in next(iter(fitted.values())).groups),
    )
    models: dict[str, Any] = {}
    for name, scores in fitted.items():
        sets = scores.sets(test.judged[name].probabilities, settings.coverage)
        if test.of_rows.scale is not None:
            sets = without_gaps(sets)
        models[name] = _report(sets, test.of_rows, test.classes, settings.confidence)
    return Coverage(**models, protocol=protocol)


def _report(sets: Sets, rows: JudgedRows, labels: Sequence[str], confidence: float) -> MeasuredSets:
    """Return what metrics/coverage.json has of a model, with Wilson intervals.

    With several labels per text, the interval of the coverage is too wide rather than too narrow.
    """
    sizes, covered = sets.sum(axis=1), _covered(sets, rows.y)
    accuracy = None
    labelled = np.ones(len(rows), dtype=bool)
    if rows.multilabel:
        labelled = np.asarray(rows.y.any(axis=1))
    else:
        accuracy = share_of(covered, sizes == 1, rows.clusters, confidence)
    return MeasuredSets(
        rows=len(rows),
        coverage=share_of(covered, labelled, rows.clusters, confidence),
        set_size=float(sizes.mean()),
        empty=float((sizes == 0).mean()),
        answered=float((sizes == 1).mean()),
        several=float((sizes > 1).mean()),
        accuracy=accuracy,
        classes={
            label: share_of(sets[:, place], rows.is_actual(place), rows.clusters, confidence)
            for place, label in enumerate(labels)
        },
    )


def _covered(sets: Sets, y: Labels) -> NDArray[Any]:
    """Return whether the set of each row has its class, or the share of its labels: (rows,).

    The share of a row without labels is 0.
    """
    if y.ndim == 1:
        return sets[np.arange(len(y)), y]
    return np.asarray((sets & (y == 1)).sum(axis=1) / np.maximum(y.sum(axis=1), 1))


def share_of(
    covered: NDArray[Any],
    among: NDArray[np.bool_],
    clusters: NDArray[np.int64] | None,
    confidence: float,
) -> MeasuredShare | None:
    """Return the share of the rows `among` all that are `covered`; None without such rows.

    All are (rows,); a row may be covered in part. Dependent rows count as fewer, as everywhere.
    """
    right, total = covered[among].sum(), int(among.sum())
    if not total:
        return None
    value, effective = right / total, float(total)
    if clusters is not None:
        rare = covered[among] == 1
        effective = effective_rows(covered[among], clusters[among], rare, confidence)
    ends = Share(right, total, effective).interval(confidence)
    return MeasuredShare(value=float(value), low=ends.low, high=ends.high, rows=total)
