"""Metrics of a split of any size, from sums and histograms that grow batch by batch.

Memory does not grow with the rows. What follows from counts and sums is exact; the ROC AUC and curves come from
histograms of the scores. Intervals of count metrics and of differences are percentiles of resampled counts
(`bootstrap.resample_counts`); those of means over rows and of the ROC AUC are normal approximations. Clusters of
dependent rows are put into `clusters.BUCKETS` groups at random, which are resampled instead of the clusters.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.evaluate.bootstrap import join, resample_counts, resamples
from textclf.evaluate.calibrate import Bin, bin_from_counts
from textclf.evaluate.clusters import BUCKETS, variance_between
from textclf.evaluate.comparisons import Difference
from textclf.evaluate.curves import PositiveCounts, confusion_matrix
from textclf.evaluate.histograms import COARSE, FINE, Histogram
from textclf.evaluate.intervals import Interval, normal, percentile, percentiles, variance_of_mean
from textclf.evaluate.metrics import (
    BINS,
    FROM_COUNTS,
    ROW_MEANS,
    Counts,
    Values,
    from_counts,
    shown_classes,
    top_class,
)
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.split_metrics import Floats, Paired, SplitMetrics

Buckets = NDArray[np.int64]  # the bucket of each row (rows,)


class Sums:
    """Sums over the decided rows of a split for one model.

    `confusion` (classes, classes): rows by actual and decided class. `moments`: for each metric of `ROW_MEANS`, and for
    the influences on the ROC AUC of more than two classes, sums and sums of squares by actual class, (2, classes).
    `bins` (bins, 3): rows, correct rows and summed confidence per bin of confidence. `scores`: the histogram of each
    class with a curve, by position. `first` are the probabilities of the first row, None if another row has others.

    With `buckets`: `counts` (buckets, 3, classes) are right, decided and actual rows per bucket, and
    `bucket_sums` (buckets,) sums of the metrics of `moments` and, as `roc_auc_<position>`, of each influence.
    """

    def __init__(self, classes: int, buckets: int = 0) -> None:
        """Start without rows; `buckets` is 0 if the rows are independent."""
        self.classes, self.buckets = classes, buckets
        self.counts = np.zeros((buckets, 3, classes))
        self.first: Floats | None = None
        self.constant = True
        self.confusion = np.zeros((classes, classes), dtype=np.int64)
        self.moments = {name: np.zeros((2, classes)) for name in (*ROW_MEANS, "roc_auc")}
        self.bins = np.zeros((BINS, 3))
        curves = shown_classes(classes)
        bits = max(
            COARSE, min(FINE, FINE + 1 - math.ceil(math.log2(len(curves))))
        )  # a few MB for any number of classes
        self.scores = {place: Histogram(bits) for place in curves}
        names = [*self.moments, *(f"roc_auc_{place}" for place in curves)]
        self.bucket_sums = {name: np.zeros(buckets) for name in names}

    def add(
        self, y: NDArray[np.int64], probabilities: Floats, decided: NDArray[np.int64], buckets: Buckets | None = None
    ) -> None:
        """Add these rows; `buckets` (rows,) are theirs, if rows are dependent."""
        self.first = probabilities[0] if self.first is None else self.first
        self.constant = self.constant and bool((probabilities == self.first).all())
        if buckets is not None:
            right = decided == y
            for kind, (rows, places) in enumerate(((buckets[right], y[right]), (buckets, decided), (buckets, y))):
                cells = np.bincount(rows * self.classes + places, minlength=self.buckets * self.classes)
                self.counts[:, kind] += cells.reshape(self.buckets, self.classes)
        self.confusion += confusion_matrix(y, decided, self.classes)
        for name, function in ROW_MEANS.items():
            self._add_moments(name, y, function(y, probabilities), buckets)
        confidences, correct, position = top_class(y, probabilities)
        for column, weights in enumerate((None, correct, confidences)):
            self.bins[:, column] += np.bincount(position, weights, minlength=len(self.bins))
        for place, histogram in self.scores.items():
            histogram.add(y == place, probabilities[:, place])

    def add_influences(self, y: NDArray[np.int64], probabilities: Floats, buckets: Buckets | None = None) -> None:
        """Add the influences of these rows on the mean ROC AUC; all rows must have been added before."""
        total = np.zeros(len(y))
        for place, histogram in self.scores.items():
            influence = histogram.influence(y == place, probabilities[:, place])
            total += influence
            if buckets is not None:
                self.bucket_sums[f"roc_auc_{place}"] += np.bincount(buckets, influence, minlength=self.buckets)
        self._add_moments("roc_auc", y, total / len(self.scores), buckets)

    def _add_moments(self, name: str, y: NDArray[np.int64], values: Floats, buckets: Buckets | None = None) -> None:
        if buckets is not None:
            self.bucket_sums[name] += np.bincount(buckets, values, minlength=self.buckets)
        for row, weights in enumerate((values, values**2)):
            self.moments[name][row] += np.bincount(y, weights, minlength=self.classes)

    @property
    def support(self) -> NDArray[np.int64]:
        """Return the number of rows of each class (classes,)."""
        support: NDArray[np.int64] = self.confusion.sum(axis=1)
        return support

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return int(self.confusion.sum())

    def values(self) -> Values:
        """Return the metrics under one weighting, as `metrics.weighted` has them."""
        values = self._from_tables(self.confusion[np.newaxis])
        values |= {name: np.atleast_1d(self.moments[name][0].sum() / self.rows) for name in ROW_MEANS}
        values["ece"] = np.atleast_1d(np.abs(self.bins[:, 1] - self.bins[:, 2]).sum() / self.rows)
        areas = np.array([histogram.area for histogram in self.scores.values()])
        values["class_roc_auc"] = np.broadcast_to(areas, (1, self.classes))  # binary: the same for both
        if self.support.all():
            values["roc_auc"] = np.atleast_1d(areas.mean())
        return values

    def draws(self, seed: int, count: int, stratified: bool) -> Values:
        """Return the count metrics in resamples of the rows, or of the buckets."""
        if self.buckets:
            parts = []
            for chunk in resamples(np.zeros(self.buckets, dtype=np.int64), seed, count, stratified=False):
                drawn = (chunk @ self.counts.reshape(self.buckets, -1)).reshape(len(chunk), 3, self.classes)
                parts.append(from_counts(Counts(drawn[:, 0], drawn[:, 1], drawn[:, 2], self._present)))
            return join(parts)
        return join([self._from_tables(part) for part in resample_counts(self.confusion, seed, count, stratified)])

    def _from_tables(self, tables: NDArray[np.int64]) -> Values:
        """Return the count metrics of confusion matrices (weightings, classes, classes)."""
        counts = tables.diagonal(axis1=1, axis2=2), tables.sum(axis=1), tables.sum(axis=2)
        correct, predicted, actual = (values.astype(np.float64) for values in counts)
        return from_counts(Counts(correct, predicted, actual, self._present))

    @property
    def _present(self) -> int:
        return int(np.count_nonzero(self.support))

    def mean_interval(self, metric: str, confidence: float, stratified: bool) -> Interval:
        """Return the normal interval of a mean over the rows, or of the ROC AUC, which nearly is one.

        The variance of a mean of several areas is that of the influences of the rows; of a single area DeLong's.
        """
        if metric == "roc_auc" and self.classes == 2:
            return self.area_interval(1, confidence)
        sums, squares = self.moments[metric]
        if self.buckets:
            variance = self._variance_between(metric)
        else:
            variance = variance_of_mean(self.support, sums, squares, stratified)
        highest = {"roc_auc": 1.0, "brier": 1.0 if self.classes == 2 else 2.0}.get(metric, math.inf)
        return _clip(normal(float(self.values()[metric][0]), math.sqrt(variance), confidence), highest)

    def area_interval(self, place: int, confidence: float) -> Interval:
        """Return the interval of the ROC AUC of a class; there must be rows of it and of others."""
        place = 1 if self.classes == 2 else place
        histogram = self.scores[place]
        variance = self._variance_between(f"roc_auc_{place}") if self.buckets else histogram.variance
        return _clip(normal(histogram.area, math.sqrt(variance), confidence), 1.0)

    def _variance_between(self, name: str) -> float:
        return variance_between(self.bucket_sums[name], self.counts[:, 2].sum(axis=1))

    def reliability_bins(self, confidence: float) -> list[Bin]:
        """Return the bins of confidence that hold rows."""
        return [
            bin_from_counts(place, len(self.bins), int(rows), int(correct), total / rows, confidence)
            for place, (rows, correct, total) in enumerate(self.bins.tolist())
            if rows
        ]


def _buckets(keys: NDArray[np.uint64] | None) -> Buckets | None:
    """Return the bucket of each row, from the keys of the clusters, which are hashes."""
    return None if keys is None else (keys % np.uint64(BUCKETS)).astype(np.int64)


def _clip(interval: Interval, highest: float) -> Interval:
    """Return the part of the interval from 0 to the highest possible value."""
    return Interval(max(interval.low, 0.0), min(interval.high, highest))


class StreamingMetrics(SplitMetrics):
    """Metrics of the rows of a split that were added batch by batch."""

    def __init__(
        self,
        split: str,
        classes: Sequence[str],
        decisions: Mapping[str, Decision],
        settings: Evaluate,
        stratified: bool,
        clusters: int | None = None,
    ) -> None:
        """Start without rows, which are in so many clusters; None if they are independent."""
        super().__init__(split, classes, decisions, settings, stratified, clusters)
        self.buckets = 0 if clusters is None else BUCKETS
        self.sums = {name: Sums(len(classes), self.buckets) for name in decisions}
        self.raw = {name: Sums(len(classes)) for name, decision in decisions.items() if decision.calibration}
        # Rows of each pair of models by actual class and by which of them is correct: neither, first, second, both
        self.pairs = {pair: np.zeros((len(classes), 4), dtype=np.int64) for pair in combinations(decisions, 2)}
        self.pair_sums = {pair: np.zeros(self.buckets) for pair in self.pairs}  # first minus second, per bucket
        # Of the probability of the decided class, by whether it is right; the curve is of the test rows
        self.confidences = {name: Histogram() for name in decisions} if split == "test" else {}
        self._draws: dict[str, Values] = {}
        self._ends: dict[tuple[str, str], tuple[Floats, Floats]] = {}

    def add(self, models: Mapping[str, Predictions], keys: NDArray[np.uint64] | None = None) -> None:
        """Add the same rows of each model; `keys` (rows,) are those of their clusters, if they are dependent."""
        buckets = _buckets(keys)
        y = next(iter(models.values())).y
        correct = {}
        for name, rows in models.items():
            decision = self.decisions[name]
            if name in self.raw:
                self.raw[name].add(y, rows.probabilities, rows.probabilities.argmax(axis=1))
            calibrated = decision.calibrate(rows.probabilities)
            decided = decision.decide(calibrated)
            self.sums[name].add(y, calibrated, decided, buckets)
            correct[name] = decided == y
            if name in self.confidences:
                self.confidences[name].add(correct[name], calibrated[np.arange(len(y)), decided])
        for first, second in self.pairs:
            kinds = 4 * y + correct[first] + 2 * correct[second]
            self.pairs[first, second] += np.bincount(kinds, minlength=4 * len(self.classes)).reshape(-1, 4)
            if buckets is not None:
                better = correct[first].astype(np.float64) - correct[second]
                self.pair_sums[first, second] += np.bincount(buckets, better, minlength=self.buckets)

    @property
    def needs_influences(self) -> bool:
        """Return whether the interval of the ROC AUC needs all rows a second time."""
        return len(self.classes) > 2 or self.buckets > 0

    def add_influences(self, models: Mapping[str, Predictions], keys: NDArray[np.uint64] | None = None) -> None:
        """Add the same rows again for the interval of the ROC AUC."""
        for name, rows in models.items():
            self.sums[name].add_influences(rows.y, self.decisions[name].calibrate(rows.probabilities), _buckets(keys))

    def values(self, model: str) -> Values:
        """Return the metrics of the rows under one weighting."""
        return self.sums[model].values()

    def raw_values(self, model: str) -> Values:
        """Return the metrics before calibration."""
        return self.raw[model].values()

    def confusion_matrix(self, model: str) -> NDArray[np.int64]:
        """Return the numbers of rows by actual and decided class, (classes, classes)."""
        return self.sums[model].confusion

    def constant(self, model: str) -> bool:
        """Return whether the model gives the same probabilities to all rows."""
        return self.sums[model].constant

    def sampled(self, model: str, metric: str, position: int | None = None) -> Interval:
        """Return the percentile interval of resampled counts, or a normal approximation."""
        sums, settings = self.sums[model], self.settings
        if metric in FROM_COUNTS:
            if model not in self._draws:
                self._draws[model] = sums.draws(settings.seed, settings.resamples, self.stratified)
            draws = self._draws[model]
            if position is None:
                return percentile(draws[metric], settings.confidence)
            if (model, metric) not in self._ends:
                self._ends[model, metric] = percentiles(draws[f"class_{metric}"], settings.confidence)
            low, high = self._ends[model, metric]
            return Interval(float(low[position]), float(high[position]))
        if position is None:
            return sums.mean_interval(metric, settings.confidence, self.stratified)
        return sums.area_interval(position, settings.confidence)

    def cluster_counts(self, model: str, metric: str, place: int | None) -> tuple[Floats, Floats]:
        """Return the right rows and all rows of each bucket whose share gives accuracy or a metric of `SHARES`."""
        right, decided, actual = self.sums[model].counts.transpose(1, 0, 2)
        if place is None or metric == "accuracy":
            return right.sum(axis=1), actual.sum(axis=1)
        right, decided, actual = right[:, place], decided[:, place], actual[:, place]
        return right, {"precision": decided, "recall": actual, "f1": decided + actual - right}[metric]

    def paired(self, a: str, b: str) -> Paired:
        """Return two models on the same rows; `b` comes before `a` in the order of the models."""
        cells, settings = self.pairs[b, a], self.settings
        _, only_b, only_a, _ = cells.sum(axis=0).tolist()
        rows = int(cells.sum())
        sums = per_bucket = None
        if self.buckets:
            sums, per_bucket = -self.pair_sums[b, a], self.sums[a].counts[:, 2].sum(axis=1)
            chunks = resamples(np.zeros(self.buckets, np.int64), settings.seed, settings.resamples, stratified=False)
            draws = np.concatenate([(chunk @ sums) / (chunk @ per_bucket) for chunk in chunks])
        else:
            tables = resample_counts(cells, settings.seed, settings.resamples, self.stratified)
            draws = np.concatenate([(table[:, :, 2] - table[:, :, 1]).sum(axis=1) for table in tables]) / rows
        difference = Difference((only_a - only_b) / rows, *percentile(draws, settings.confidence))
        return Paired(only_a, only_b, difference, sums, per_bucket)

    def positive_counts(self, model: str) -> dict[str, PositiveCounts]:
        """Return false and true positives by class, at the bins of the histograms."""
        scores = self.sums[model].scores
        return {self.classes[place]: scores[place].positive_counts() for place in self.curve_places(model)}

    def answer_counts(self, model: str) -> PositiveCounts:
        """Return the numbers of wrong and right answers, at the bins of a histogram of the confidence."""
        return self.confidences[model].positive_counts()

    def reliability_bins(self, model: str) -> list[Bin]:
        """Return the bins of confidence that hold rows."""
        return self.sums[model].reliability_bins(self.settings.confidence)
