"""The one interface to the metrics of a split, whatever its size."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision
from textclf.artifacts.metrics import METRICS, pair_name
from textclf.core.files import DIGITS
from textclf.evaluate import comparisons, curves
from textclf.evaluate.calibrate import Bin
from textclf.evaluate.comparisons import Comparison
from textclf.evaluate.curves import PositiveCounts
from textclf.evaluate.histograms import thin, thin_precision_recall, thin_roc
from textclf.evaluate.intervals import Interval, wilson
from textclf.evaluate.metrics import Values, rounded
from textclf.evaluate.settings import Evaluate

UNCALIBRATED = ("brier", "ece")  # reported of the probabilities before calibration too


class SplitMetrics(ABC):
    """Metrics, intervals, comparisons and curves of all models on the same rows of one split."""

    thinned = False  # whether curves have more points than a file or a figure needs, so that most are left out

    def __init__(
        self,
        split: str,
        classes: Sequence[str],
        decisions: Mapping[str, Decision],
        settings: Evaluate,
        stratified: bool,
    ) -> None:
        """Measure the models of `decisions`; `stratified` says whether the split fixed the shares of the classes."""
        self.split, self.classes, self.decisions = split, classes, decisions
        self.settings, self.stratified = settings, stratified

    # What the two implementations do in their own way

    @abstractmethod
    def values(self, model: str) -> Values:
        """Return the metrics of the rows under one weighting."""

    @abstractmethod
    def raw_values(self, model: str) -> Values:
        """Return the metrics before calibration, of a model with a calibration."""

    @abstractmethod
    def confusion_matrix(self, model: str) -> NDArray[np.int64]:
        """Return the numbers of rows by actual and decided class, (classes, classes)."""

    @abstractmethod
    def interval(self, model: str, metric: str, position: int | None = None) -> Interval:
        """Return the interval of a metric, or of its value for the class at this position."""

    @abstractmethod
    def comparison(self, a: str, b: str) -> Comparison:
        """Return how two models compare on the rows."""

    @abstractmethod
    def positive_counts(self, model: str) -> dict[str, PositiveCounts]:
        """Return the numbers of false and true positives of each class with a curve."""

    @abstractmethod
    def reliability_bins(self, model: str) -> list[Bin]:
        """Return the bins of confidence that hold rows."""

    # What follows from it

    def metrics(self, model: str) -> dict[str, float]:
        """Return the metrics that are defined for the rows, rounded."""
        return rounded(self.values(model))

    def uncalibrated(self, model: str) -> dict[str, float]:
        """Return Brier score and calibration error before calibration, rounded."""
        values = rounded(self.raw_values(model))
        return {name: values[name] for name in UNCALIBRATED}

    def intervals(self, model: str) -> dict[str, dict[str, float]]:
        """Return `low` and `high` of each metric with an interval, rounded; Wilson's for accuracy."""
        matrix = self.confusion_matrix(model)
        report = {}
        for name in self.values(model):
            if name not in METRICS or not METRICS[name].interval:
                continue
            if name == "accuracy":
                ends = wilson(int(matrix.trace()), int(matrix.sum()), self.settings.confidence)
            else:
                ends = self.interval(model, name)
            report[name] = {"low": round(ends.low, DIGITS), "high": round(ends.high, DIGITS)}
        return report

    def by_class(self, model: str) -> pd.DataFrame:
        """Return one row per class against the rest: `split`, `class`, `support` (its rows), metrics and intervals.

        A metric has the columns `<name>`, `<name>_low` and `<name>_high`; the interval is Wilson's for recall. Metrics
        are NaN for a class without rows, and `roc_auc` if there are no other rows.
        """
        values, matrix = self.values(model), self.confusion_matrix(model)
        table = []
        for place, name in enumerate(self.classes):
            support = int(matrix[place].sum())
            row: dict[str, object] = {"split": self.split, "class": name, "support": support}
            for metric in (metric for metric in METRICS.values() if metric.per_class):
                value = values[f"class_{metric.name}"][0, place] if support else np.nan
                low, high = np.nan, np.nan
                if metric.name == "recall" and support:
                    low, high = wilson(int(matrix[place, place]), support, self.settings.confidence)
                elif metric.interval and np.isfinite(value):
                    low, high = self.interval(model, metric.name, place)
                row |= {metric.name: value, f"{metric.name}_low": low, f"{metric.name}_high": high}
            table.append(row)
        return pd.DataFrame(table)

    def comparisons(self) -> dict[str, dict[str, float]]:
        """Return each pair of models under its `pair_name`, as `comparisons.summarize` has it."""
        pairs = {
            pair_name(later, earlier): self.comparison(later, earlier)
            for earlier, later in combinations(self.decisions, 2)
        }
        return comparisons.summarize(pairs, self.settings.confidence)

    def confusion(self, model: str) -> pd.DataFrame:
        """Return the table of `curves.confusion_table`."""
        return curves.confusion_table(self.confusion_matrix(model), self.classes)

    def roc(self, model: str) -> pd.DataFrame:
        """Return the table of `curves.roc_table`: of the positive class of two, of each of more against the rest."""
        counts = self.positive_counts(model)
        return curves.roc_table(thin(counts, thin_roc) if self.thinned else counts)

    def precision_recall(self, model: str) -> pd.DataFrame:
        """Return the table of `curves.precision_recall_table`, for the same classes as `roc`."""
        counts = self.positive_counts(model)
        return curves.precision_recall_table(thin(counts, thin_precision_recall) if self.thinned else counts)

    def reliability(self, model: str) -> pd.DataFrame:
        """Return the table of `curves.reliability_table`."""
        return curves.reliability_table(self.reliability_bins(model))
