"""Prediction sets on the test rows: how often they contain the actual class, how large they are, how many answer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.conformal import Conformal, Sets, highest_coverage, least_rows
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.core.formatting import count_noun
from textclf.core.quoting import quote_name
from textclf.evaluate.boundary import Share
from textclf.evaluate.choose import no_validation_rows, one_per_cluster, some_rows
from textclf.evaluate.clusters import effective_rows
from textclf.evaluate.rows import Rows
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.split_metrics import SplitMetrics


def fit_sets(validation: SplitMetrics | None, settings: Evaluate) -> dict[str, Conformal]:
    """Return the conformal scores of each model, from the validation rows; an empty mapping without `coverage`.

    Of dependent rows one of each cluster has a score, by class one of each class in it. Raises `UserError` if there are
    too few scores for this coverage, in all or of a class.
    """
    fitted: dict[str, Conformal] = {}
    if settings.coverage is None:
        return fitted
    if validation is None:
        raise no_validation_rows()
    rows = validation.of_rows
    for name, calibrated in rows.probabilities.items():
        y, probabilities, clusters = some_rows(rows.y, calibrated, rows.clusters)
        classes = y if settings.coverage_by_class else np.zeros(len(y), np.int64)
        chosen = one_per_cluster(clusters, settings.seed, classes)
        if not fitted:
            _require_rows(y[chosen], validation.classes, settings, clusters is not None)
        fitted[name] = Conformal.fit(y[chosen], probabilities[chosen], settings.coverage_by_class)
    return fitted


def _require_rows(y: NDArray[Any], classes: Sequence[str], settings: Evaluate, dependent: bool) -> None:
    coverage, by_class = settings.coverage or 0.0, settings.coverage_by_class
    least = least_rows(coverage)
    counts = np.bincount(y, minlength=len(classes)) if by_class else np.array([len(y)])
    place = int(counts.argmin())
    rows = int(counts[place])
    if rows < least:
        counted = f"{count_noun(rows, 'group')} of dependent rows" if dependent else count_noun(rows, "validation row")
        whose = f" of class {quote_name(classes[place])}" if by_class else ""
        raise UserError(
            f"evaluate.coverage must be at most {highest_coverage(rows)} for {counted}{whose}; got {coverage}, which "
            f"takes at least {least:,} of them; raise split.validation_size or lower the coverage"
        )


def measure_sets(test: SplitMetrics, fitted: Mapping[str, Conformal], settings: Evaluate) -> dict[str, Any]:
    """Return the content of metrics/coverage.json: `protocol`, and each model's numbers on the test rows.

    Empty if `coverage` is not set.
    """
    if settings.coverage is None:
        return {}
    report: dict[str, Any] = {
        "protocol": {
            "coverage": settings.coverage,
            "by_class": int(settings.coverage_by_class),
            "validation_rows": sum(group.rows for group in next(iter(fitted.values())).groups),
        }
    }
    for name, scores in fitted.items():
        sets = scores.sets(test.of_rows.probabilities[name], settings.coverage)
        report[name] = _report(sets, test.of_rows, test.classes, settings.confidence)
    return report


def _report(sets: Sets, rows: Rows, labels: Sequence[str], confidence: float) -> dict[str, Any]:
    """Return what metrics/coverage.json has of a model, rounded.

    `coverage` is the share of the rows whose set has the actual class, `accuracy` that of the answers that are right,
    None if there are none, each with its Wilson interval. `answered` is the share of rows whose set has one class. With
    several labels per text, `coverage` is the mean share of the labels of a row that its set has, whose interval is too
    wide rather than too narrow, and `accuracy` is None.
    """
    sizes, everything = sets.sum(axis=1), np.ones(len(rows), dtype=bool)
    if rows.multilabel:
        labels_of, by_class = rows.y.sum(axis=1), sets
        covered = np.divide((sets & (rows.y == 1)).sum(axis=1), labels_of, out=np.ones(len(rows)), where=labels_of > 0)
    else:
        covered = sets[np.arange(len(rows)), rows.y]
        by_class = np.broadcast_to(covered[:, np.newaxis], sets.shape)
    return {
        "rows": len(rows),
        "coverage": share_of(covered, everything, rows.clusters, confidence),
        "set_size": round(float(sizes.mean()), DIGITS),
        "empty": round(float((sizes == 0).mean()), DIGITS),
        "answered": round(float((sizes == 1).mean()), DIGITS),
        "several": round(float((sizes > 1).mean()), DIGITS),
        "accuracy": None if rows.multilabel else share_of(covered, sizes == 1, rows.clusters, confidence),
        "classes": {
            label: share_of(by_class[:, place], rows.is_actual(place), rows.clusters, confidence)
            for place, label in enumerate(labels)
        },
    }


def share_of(
    found: NDArray[Any], among: NDArray[np.bool_], clusters: NDArray[np.int64] | None, confidence: float
) -> dict[str, float] | None:
    """Return `value`, `low`, `high` and `rows` of the share of some rows that are `found`; None without such rows.

    All are (rows,); a row may be found in part. Dependent rows count as fewer, as everywhere.
    """
    right, total = found[among].sum(), int(among.sum())
    if not total:
        return None
    value, effective = right / total, float(total)
    if clusters is not None:
        effective = effective_rows(found[among], clusters[among], found[among] == 1, confidence)
    ends = Share(right, total, effective).interval(confidence)
    return {"value": round(float(value), DIGITS), **ends.rounded(), "rows": total}
