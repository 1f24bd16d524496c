"""Metrics of a split that fits in memory: every row counts on its own."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.evaluate import calibrate, curves
from textclf.evaluate.areas import Areas
from textclf.evaluate.bootstrap import bootstrap
from textclf.evaluate.calibrate import Bin
from textclf.evaluate.clusters import sum_by_cluster
from textclf.evaluate.comparisons import accuracy_difference
from textclf.evaluate.curves import PositiveCounts
from textclf.evaluate.intervals import Interval, percentile, percentiles
from textclf.evaluate.metrics import FROM_COUNTS, Values, point_values
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.split_metrics import Floats, Paired, SplitMetrics

RESAMPLED_AREAS = 20  # classes up to which the ROC AUC is resampled; its time grows with rows times classes


class ExactMetrics(SplitMetrics):
    """Metrics of the rows of a split; intervals are percentiles of bootstrap resamples of the rows or clusters."""

    def __init__(
        self,
        split: str,
        models: Mapping[str, Predictions],
        decisions: Mapping[str, Decision],
        settings: Evaluate,
        stratified: bool,
        clusters: NDArray[np.int64] | None = None,
    ) -> None:
        """Calibrate and decide the same rows of each model.

        `clusters` (rows,) are the positions of their clusters, None if they are independent.
        """
        first = next(iter(models.values()))
        super().__init__(
            split, first.classes, decisions, settings, stratified, None if clusters is None else int(clusters.max()) + 1
        )
        self.y, self.cluster_of = first.y, clusters
        self.raw = {name: rows.probabilities for name, rows in models.items()}
        self.probabilities = {name: decisions[name].calibrate(rows) for name, rows in self.raw.items()}
        self.decided = {name: decisions[name].decide(rows) for name, rows in self.probabilities.items()}
        self._ends: dict[tuple[str, str], tuple[Floats, Floats]] = {}
        self._areas: dict[str, Areas] = {}

    @cached_property
    def draws(self) -> dict[str, Values]:
        """Return the metrics of each model in the same resamples."""
        outputs = {name: (self.probabilities[name], self.decided[name]) for name in self.decisions}
        settings, areas = self.settings, len(self.classes) <= RESAMPLED_AREAS
        return bootstrap(
            self.y, outputs, settings.seed, settings.resamples, self.stratified, self.cluster_of, areas=areas
        )

    @cached_property
    def _values(self) -> dict[str, Values]:
        return {name: point_values(self.y, self.probabilities[name], self.decided[name]) for name in self.decisions}

    @cached_property
    def _matrices(self) -> dict[str, NDArray[np.int64]]:
        classes = len(self.classes)
        return {name: curves.confusion_matrix(self.y, self.decided[name], classes) for name in self.decisions}

    def values(self, model: str) -> Values:
        """Return the metrics of the rows under one weighting."""
        return self._values[model]

    def raw_values(self, model: str) -> Values:
        """Return the metrics before calibration; the most probable class is decided."""
        return point_values(self.y, self.raw[model], self.raw[model].argmax(axis=1))

    def confusion_matrix(self, model: str) -> NDArray[np.int64]:
        """Return the numbers of rows by actual and decided class, (classes, classes)."""
        return self._matrices[model]

    def constant(self, model: str) -> bool:
        """Return whether the model gives the same probabilities to all rows."""
        return bool((self.probabilities[model] == self.probabilities[model][0]).all())

    def sampled(self, model: str, metric: str, position: int | None = None) -> Interval:
        """Return the percentile interval of the resamples; of many areas under curves a normal approximation."""
        confidence = self.settings.confidence
        if metric == "roc_auc" and len(self.classes) > RESAMPLED_AREAS:
            if model not in self._areas:
                self._areas[model] = Areas(self.y, self.probabilities[model], self.cluster_of, self.stratified)
            return self._areas[model].interval(position, confidence)
        draws = self.draws[model]
        if position is None:
            return percentile(draws[metric], confidence)
        if metric not in FROM_COUNTS:
            return percentile(draws[f"class_{metric}"][:, position], confidence)
        if (model, metric) not in self._ends:
            self._ends[model, metric] = percentiles(draws[f"class_{metric}"], confidence)
        low, high = self._ends[model, metric]
        return Interval(float(low[position]), float(high[position]))

    def cluster_counts(self, model: str, metric: str, place: int | None) -> tuple[Floats, Floats]:
        """Return the right rows and all rows of each cluster whose share gives accuracy or a metric of `SHARES`."""
        assert self.cluster_of is not None  # noqa: S101 (as the base class asks for them only if there are clusters)
        decided = self.decided[model]
        if place is None or metric == "accuracy":
            rows = np.ones(len(self.y), dtype=bool)
        else:
            actual, predicted = self.y == place, decided == place
            rows = {"precision": predicted, "recall": actual, "f1": actual | predicted}[metric]
        return sum_by_cluster(rows & (decided == self.y), self.cluster_of), sum_by_cluster(rows, self.cluster_of)

    def paired(self, a: str, b: str) -> Paired:
        """Return two models on the same rows, by the same resamples as `sampled`."""
        correct_a, correct_b = self.decided[a] == self.y, self.decided[b] == self.y
        settings, clusters = self.settings, self.cluster_of
        difference = accuracy_difference(
            *(self.y, correct_a, correct_b, settings.seed, settings.resamples, settings.confidence),
            stratified=self.stratified,
            clusters=clusters,
        )
        sums, rows = None, None
        if clusters is not None:
            sums = sum_by_cluster(correct_a.astype(np.int64) - correct_b, clusters)
            rows = sum_by_cluster(np.ones(len(self.y)), clusters)
        only_a, only_b = int((correct_a & ~correct_b).sum()), int((correct_b & ~correct_a).sum())
        return Paired(only_a, only_b, difference, sums, rows)

    def positive_counts(self, model: str) -> dict[str, PositiveCounts]:
        """Return false and true positives by class, at every distinct score."""
        probabilities = self.probabilities[model]
        return {
            self.classes[place]: curves.positive_counts(self.y == place, probabilities[:, place])
            for place in self.curve_places(model)
        }

    def answer_counts(self, model: str) -> PositiveCounts:
        """Return the numbers of wrong and right answers, at every distinct confidence."""
        decided = self.decided[model]
        confidence = self.probabilities[model][np.arange(len(decided)), decided]
        return curves.positive_counts(decided == self.y, confidence)

    def reliability_bins(self, model: str) -> list[Bin]:
        """Return the bins of confidence that hold rows."""
        return calibrate.reliability_bins(self.y, self.probabilities[model], confidence=self.settings.confidence)
