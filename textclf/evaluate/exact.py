"""Metrics of a split that fits in memory: every row counts on its own."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.evaluate import calibrate, curves
from textclf.evaluate.bootstrap import bootstrap
from textclf.evaluate.calibrate import Bin
from textclf.evaluate.comparisons import Comparison, accuracy_difference, mcnemar
from textclf.evaluate.curves import PositiveCounts
from textclf.evaluate.intervals import Interval, percentile
from textclf.evaluate.metrics import Values, point_values, shown_classes
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.split_metrics import SplitMetrics


class ExactMetrics(SplitMetrics):
    """Metrics of the rows of a split; intervals are percentiles of bootstrap resamples of the rows."""

    def __init__(
        self,
        split: str,
        models: Mapping[str, Predictions],
        decisions: Mapping[str, Decision],
        settings: Evaluate,
        stratified: bool,
    ) -> None:
        """Calibrate and decide the same rows of each model."""
        first = next(iter(models.values()))
        super().__init__(split, first.classes, decisions, settings, stratified)
        self.y = first.y
        self.raw = {name: rows.probabilities for name, rows in models.items()}
        self.probabilities = {name: decisions[name].calibrate(rows) for name, rows in self.raw.items()}
        self.decided = {name: decisions[name].decide(rows) for name, rows in self.probabilities.items()}

    @cached_property
    def draws(self) -> dict[str, Values]:
        """Return the metrics of each model in the same resamples."""
        outputs = {name: (self.probabilities[name], self.decided[name]) for name in self.decisions}
        return bootstrap(self.y, outputs, self.settings.seed, self.settings.resamples, self.stratified)

    def values(self, model: str) -> Values:
        """Return the metrics of the rows under one weighting."""
        return point_values(self.y, self.probabilities[model], self.decided[model])

    def raw_values(self, model: str) -> Values:
        """Return the metrics before calibration; the most probable class is decided."""
        return point_values(self.y, self.raw[model], self.raw[model].argmax(axis=1))

    def confusion_matrix(self, model: str) -> NDArray[np.int64]:
        """Return the numbers of rows by actual and decided class, (classes, classes)."""
        return curves.confusion_matrix(self.y, self.decided[model], len(self.classes))

    def interval(self, model: str, metric: str, position: int | None = None) -> Interval:
        """Return the percentile interval of the resamples."""
        draws = self.draws[model]
        values = draws[metric] if position is None else draws[f"class_{metric}"][:, position]
        return percentile(values, self.settings.confidence)

    def comparison(self, a: str, b: str) -> Comparison:
        """Return how two models compare on the rows, by the same resamples as `interval`."""
        correct = self.decided[a] == self.y, self.decided[b] == self.y
        settings = self.settings
        difference = accuracy_difference(
            self.y, *correct, settings.seed, settings.resamples, settings.confidence, self.stratified
        )
        return Comparison(mcnemar(*correct), difference, len(self.y))

    def positive_counts(self, model: str) -> dict[str, PositiveCounts]:
        """Return false and true positives by class, at every distinct score."""
        probabilities = self.probabilities[model]
        return {
            self.classes[place]: curves.positive_counts(self.y == place, probabilities[:, place])
            for place in shown_classes(len(self.classes))
        }

    def reliability_bins(self, model: str) -> list[Bin]:
        """Return the bins of confidence that hold rows."""
        return calibrate.reliability_bins(self.y, self.probabilities[model], confidence=self.settings.confidence)
