"""Metrics of a split of any size, from sums and histograms that grow batch by batch.

Memory does not grow with the rows. What follows from counts and sums is exact; the ROC AUC and curves come from
histograms of the scores. Intervals of count metrics and of differences are percentiles of resampled counts
(`bootstrap.resample_counts`); those of means over rows and of the ROC AUC are normal approximations.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.evaluate.bootstrap import join, resample_counts
from textclf.evaluate.calibrate import Bin, bin_from_counts
from textclf.evaluate.comparisons import Comparison, Difference, mcnemar_from_counts
from textclf.evaluate.curves import PositiveCounts, confusion_matrix
from textclf.evaluate.histograms import COARSE, FINE, Histogram
from textclf.evaluate.intervals import Interval, normal, percentile, variance_of_mean
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
from textclf.evaluate.split_metrics import SplitMetrics

Floats = NDArray[np.float64]


class Sums:
    """Sums over the decided rows of a split for one model.

    `confusion` (classes, classes): rows by actual and decided class. `moments`: for each metric of `ROW_MEANS`, and for
    the influences on the ROC AUC of more than two classes, sums and sums of squares by actual class, (2, classes).
    `bins` (bins, 3): rows, correct rows and summed confidence per bin of confidence. `scores`: the histogram of each
    class with a curve, by position.
    """

    def __init__(self, classes: int) -> None:
        """Start without rows."""
        self.classes = classes
        self.confusion = np.zeros((classes, classes), dtype=np.int64)
        self.moments = {name: np.zeros((2, classes)) for name in (*ROW_MEANS, "roc_auc")}
        self.bins = np.zeros((BINS, 3))
        curves = shown_classes(classes)
        bits = max(
            COARSE, min(FINE, FINE + 1 - math.ceil(math.log2(len(curves))))
        )  # a few MB for any number of classes
        self.scores = {place: Histogram(bits) for place in curves}

    def add(self, y: NDArray[np.int64], probabilities: Floats, decided: NDArray[np.int64]) -> None:
        """Add these rows."""
        self.confusion += confusion_matrix(y, decided, self.classes)
        for name, function in ROW_MEANS.items():
            self._add_moments(name, y, function(y, probabilities))
        confidences, correct, position = top_class(y, probabilities)
        for column, weights in enumerate((None, correct, confidences)):
            self.bins[:, column] += np.bincount(position, weights, minlength=len(self.bins))
        for place, histogram in self.scores.items():
            histogram.add(y == place, probabilities[:, place])

    def add_influences(self, y: NDArray[np.int64], probabilities: Floats) -> None:
        """Add the influences of these rows on the mean ROC AUC; all rows must have been added before."""
        influences = [
            histogram.influence(y == place, probabilities[:, place]) for place, histogram in self.scores.items()
        ]
        self._add_moments("roc_auc", y, np.mean(influences, axis=0))

    def _add_moments(self, name: str, y: NDArray[np.int64], values: Floats) -> None:
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
        """Return the count metrics in resamples of the rows."""
        return join([self._from_tables(part) for part in resample_counts(self.confusion, seed, count, stratified)])

    def _from_tables(self, tables: NDArray[np.int64]) -> Values:
        """Return the count metrics of confusion matrices (weightings, classes, classes)."""
        counts = tables.diagonal(axis1=1, axis2=2), tables.sum(axis=1), tables.sum(axis=2)
        correct, predicted, actual = (values.astype(np.float64) for values in counts)
        return from_counts(Counts(correct, predicted, actual, int(np.count_nonzero(self.support))))

    def mean_interval(self, metric: str, confidence: float, stratified: bool) -> Interval:
        """Return the normal interval of a mean over the rows, or of the ROC AUC, which nearly is one.

        The variance of a mean of several areas is that of the influences of the rows; of a single area DeLong's.
        """
        if metric == "roc_auc" and self.classes == 2:
            return self.area_interval(1, confidence)
        sums, squares = self.moments[metric]
        variance = variance_of_mean(self.support, sums, squares, stratified)
        highest = {"roc_auc": 1.0, "brier": 1.0 if self.classes == 2 else 2.0}.get(metric, math.inf)
        return _clip(normal(float(self.values()[metric][0]), math.sqrt(variance), confidence), highest)

    def area_interval(self, place: int, confidence: float) -> Interval:
        """Return the interval of the ROC AUC of a class; there must be rows of it and of others."""
        histogram = self.scores[1 if self.classes == 2 else place]
        return _clip(normal(histogram.area, math.sqrt(histogram.variance), confidence), 1.0)

    def reliability_bins(self, confidence: float) -> list[Bin]:
        """Return the bins of confidence that hold rows."""
        return [
            bin_from_counts(place, len(self.bins), int(rows), int(correct), total / rows, confidence)
            for place, (rows, correct, total) in enumerate(self.bins.tolist())
            if rows
        ]


def _clip(interval: Interval, highest: float) -> Interval:
    """Return the part of the interval from 0 to the highest possible value."""
    return Interval(max(interval.low, 0.0), min(interval.high, highest))


class StreamingMetrics(SplitMetrics):
    """Metrics of the rows of a split that were added batch by batch."""

    thinned = True

    def __init__(
        self,
        split: str,
        classes: Sequence[str],
        decisions: Mapping[str, Decision],
        settings: Evaluate,
        stratified: bool,
    ) -> None:
        """Start without rows."""
        super().__init__(split, classes, decisions, settings, stratified)
        self.sums = {name: Sums(len(classes)) for name in decisions}
        self.raw = {name: Sums(len(classes)) for name, decision in decisions.items() if decision.calibration}
        # Rows of each pair of models by actual class and by which of them is correct: neither, first, second, both
        self.pairs = {pair: np.zeros((len(classes), 4), dtype=np.int64) for pair in combinations(decisions, 2)}
        self._draws: dict[str, Values] = {}

    def add(self, models: Mapping[str, Predictions]) -> None:
        """Add the same rows of each model."""
        y = next(iter(models.values())).y
        correct = {}
        for name, rows in models.items():
            decision = self.decisions[name]
            if name in self.raw:
                self.raw[name].add(y, rows.probabilities, rows.probabilities.argmax(axis=1))
            calibrated = decision.calibrate(rows.probabilities)
            decided = decision.decide(calibrated)
            self.sums[name].add(y, calibrated, decided)
            correct[name] = decided == y
        for first, second in self.pairs:
            kinds = 4 * y + correct[first] + 2 * correct[second]
            self.pairs[first, second] += np.bincount(kinds, minlength=4 * len(self.classes)).reshape(-1, 4)

    def add_influences(self, models: Mapping[str, Predictions]) -> None:
        """Add the same rows again for the interval of the ROC AUC, which more than two classes need."""
        for name, rows in models.items():
            self.sums[name].add_influences(rows.y, self.decisions[name].calibrate(rows.probabilities))

    def values(self, model: str) -> Values:
        """Return the metrics of the rows under one weighting."""
        return self.sums[model].values()

    def raw_values(self, model: str) -> Values:
        """Return the metrics before calibration."""
        return self.raw[model].values()

    def confusion_matrix(self, model: str) -> NDArray[np.int64]:
        """Return the numbers of rows by actual and decided class, (classes, classes)."""
        return self.sums[model].confusion

    def interval(self, model: str, metric: str, position: int | None = None) -> Interval:
        """Return the percentile interval of resampled counts, or a normal approximation."""
        sums, settings = self.sums[model], self.settings
        if metric in FROM_COUNTS:
            if model not in self._draws:
                self._draws[model] = sums.draws(settings.seed, settings.resamples, self.stratified)
            draws = self._draws[model]
            values = draws[metric] if position is None else draws[f"class_{metric}"][:, position]
            return percentile(values, settings.confidence)
        if position is None:
            return sums.mean_interval(metric, settings.confidence, self.stratified)
        return sums.area_interval(position, settings.confidence)

    def comparison(self, a: str, b: str) -> Comparison:
        """Return how two models compare on the rows; `b` comes before `a` in the order of the models."""
        cells = self.pairs[b, a]
        _, only_b, only_a, _ = cells.sum(axis=0).tolist()
        rows = int(cells.sum())
        settings = self.settings
        chunks = resample_counts(cells, settings.seed, settings.resamples, self.stratified)
        draws = np.concatenate([(chunk[:, :, 2] - chunk[:, :, 1]).sum(axis=1) for chunk in chunks]) / rows
        difference = Difference((only_a - only_b) / rows, *percentile(draws, settings.confidence))
        return Comparison(mcnemar_from_counts(only_a, only_b), difference, rows)

    def positive_counts(self, model: str) -> dict[str, PositiveCounts]:
        """Return false and true positives by class, at the bins of the histograms."""
        scores = self.sums[model].scores
        return {self.classes[place]: histogram.positive_counts() for place, histogram in scores.items()}

    def reliability_bins(self, model: str) -> list[Bin]:
        """Return the bins of confidence that hold rows."""
        return self.sums[model].reliability_bins(self.settings.confidence)
