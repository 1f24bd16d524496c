"""The intervals of the metrics of several models on the same rows.

Up to `EXACT_ROWS` rows they are percentile intervals of bootstrap resamples of the rows, or of the clusters of
dependent ones. Beyond, counts are resampled instead of rows, which takes the same time for any number of rows; means
over rows have normal intervals. The ROC AUC has the interval of `areas.Areas`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textclf.evaluate.areas import Areas, variance
from textclf.evaluate.bootstrap import bootstrap, join, resample_counts, resamples
from textclf.evaluate.intervals import Interval, normal, percentile
from textclf.evaluate.metrics import (
    ROW_MEANS,
    Counts,
    Values,
    confusion_matrix,
    from_counts,
    from_tables,
)
from textclf.evaluate.settings import EXACT_ROWS, Evaluate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """The rows of a split and what each model says of them.

    `y` (rows,) are the positions of the actual classes; `probabilities` (rows, classes) and `decided` (rows,) are by
    model. `clusters` (rows,) are the positions of the clusters of dependent rows, None if the rows are independent.
    `stratified` says whether the split fixed the shares of the classes.
    """

    y: Ints
    probabilities: Mapping[str, Floats]
    decided: Mapping[str, Ints]
    clusters: Ints | None
    stratified: bool
    classes: int

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y)


class Sampling:
    """The intervals of all models, from the same resamples, so that differences between models are paired."""

    def __init__(self, rows: Rows, settings: Evaluate) -> None:
        """Draw nothing yet."""
        self.rows, self.settings = rows, settings
        self.many = len(rows) > EXACT_ROWS
        self._areas: dict[str, Areas] = {}

    def interval(self, model: str, metric: str, position: int | None = None) -> Interval:
        """Return the interval of a metric of a model, or of that of the class at this position."""
        confidence, rows = self.settings.confidence, self.rows
        if metric == "roc_auc":
            if model not in self._areas:
                self._areas[model] = Areas(rows.y, rows.probabilities[model], rows.clusters, rows.stratified)
            return self._areas[model].interval(position, confidence)
        if metric in ROW_MEANS and self.many:
            return self._mean_interval(model, metric)
        draws = self._draws[model]
        values = draws[metric] if position is None else draws[f"class_{metric}"][:, position]
        return percentile(values, confidence)

    def _resampled_clusters(self, count: int) -> Iterator[NDArray[np.int32]]:
        """Yield how often each of so many clusters is drawn in each resample, in chunks (resamples, clusters)."""
        return resamples(np.zeros(count, np.int64), self.settings.seed, self.settings.resamples, stratified=False)

    @cached_property
    def _draws(self) -> dict[str, Values]:
        """The metrics of each model in the resamples; of many rows those that follow from counts."""
        rows, settings = self.rows, self.settings
        if self.many:
            return {name: self._count_draws(decided) for name, decided in rows.decided.items()}
        outputs = {name: (rows.probabilities[name], rows.decided[name]) for name in rows.decided}
        return bootstrap(rows.y, outputs, settings.seed, settings.resamples, rows.stratified, rows.clusters)

    def _count_draws(self, decided: Ints) -> Values:
        rows, settings, present = self.rows, self.settings, len(np.unique(self.rows.y))
        if rows.clusters is None:
            table = confusion_matrix(rows.y, decided, rows.classes)
            chunks = resample_counts(table, settings.seed, settings.resamples, rows.stratified)
            return join([from_tables(part, present) for part in chunks])
        right, clusters = decided == rows.y, rows.clusters
        shape = int(clusters.max()) + 1, rows.classes
        counted = ((clusters[right], rows.y[right]), (clusters, decided), (clusters, rows.y))
        by_cluster = np.stack([_count(of, places, shape) for of, places in counted], axis=1)
        parts = []
        for chunk in self._resampled_clusters(len(by_cluster)):
            drawn = (chunk @ by_cluster.reshape(len(by_cluster), -1)).reshape(len(chunk), 3, rows.classes)
            parts.append(from_counts(Counts(drawn[:, 0], drawn[:, 1], drawn[:, 2], present)))
        return join(parts)

    def _mean_interval(self, model: str, metric: str) -> Interval:
        """Return the normal interval of a mean over the rows."""
        rows = self.rows
        values = ROW_MEANS[metric](rows.y, rows.probabilities[model])
        error = math.sqrt(variance(values, rows.y, rows.clusters, rows.stratified))
        ends = normal(float(values.mean()), error, self.settings.confidence)
        highest = {"brier": 1.0 if rows.classes == 2 else 2.0}.get(metric, math.inf)
        return Interval(max(ends.low, 0.0), min(ends.high, highest))


def _count(clusters: Ints, places: Ints, shape: tuple[int, int]) -> Floats:
    """Return the number of rows of each class in each cluster, (clusters, classes)."""
    return np.bincount(clusters * shape[1] + places, minlength=shape[0] * shape[1]).astype(np.float64).reshape(shape)
