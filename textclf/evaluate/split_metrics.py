"""The metrics of a split, whatever its size."""

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision
from textclf.artifacts.label_sets import count_labels, of_actual
from textclf.artifacts.predictions import Predictions
from textclf.core.files import CURVES, DIGITS
from textclf.evaluate import comparisons, curves, registry
from textclf.evaluate.calibrate import reliability_table
from textclf.evaluate.clusters import effective_sample_size, independent_rows
from textclf.evaluate.comparisons import Comparison, mcnemar
from textclf.evaluate.intervals import Difference, Interval, degrees_correction, tango
from textclf.evaluate.metrics.of_rows import expected_ece
from textclf.evaluate.registry import ACCURACY, HAMMING_LOSS, METRICS, pair_name
from textclf.evaluate.rows import JudgedRows, shown_classes
from textclf.evaluate.settings import EVEN, Evaluate


class SplitMetrics:
    """Metrics, intervals, comparisons and curves of all models on the same rows of one split.

    By model, `judged` are the rows and what it says of them, and `values` the metrics; `of_rows`
    are the rows as the first model judges them. `support` (classes,) are the rows of each class.
    """

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

        `stratified` says whether the split fixed the shares of the classes; `clusters` (rows,) are
        the positions of the clusters of the rows, None if the rows are independent.
        """
        first = next(iter(models.values()))
        self.split, self.classes = split, first.classes
        self.decisions, self.settings = decisions, settings
        self.raw = {name: rows.probabilities for name, rows in models.items()}
        self.judged: dict[str, JudgedRows] = {}
        for name, rows in models.items():
            calibrated, decided = decisions[name].judge(rows.probabilities, rows.scores)
            prices, scale = decisions[name].prices, decisions[name].scale
            self.judged[name] = JudgedRows(
                first.y, calibrated, decided, clusters, stratified, prices, scale
            )
        self.of_rows = next(iter(self.judged.values()))
        self.support = count_labels(first.y, len(first.classes))

    @cached_property
    def values(self) -> dict[str, dict[str, float]]:
        """The metrics of each model that are defined for the rows."""
        return {name: registry.measure(rows) for name, rows in self.judged.items()}

    def prepare(self, model: str, names: Collection[str]) -> None:
        """Compute what these metrics need `once`; with the accuracy also what the tables need."""
        self.intervals(model, names)
        self.by_class(model, names)
        if ACCURACY.name in names:
            self.ece_if_calibrated(model)
            if self.split == "test":
                self.tables(model)

    @cached_property
    def curve_places(self) -> list[int]:
        """The positions of the classes with a curve, those with the most mistakes first.

        They are at most `CURVES`. A mistake is a row for which a class is missed or wrongly
        decided, by a model whose probabilities vary. Classes that have no rows, or all of them,
        come last: their curves are not defined.
        """
        places = shown_classes(len(self.classes), self.of_rows.multilabel)
        if len(places) <= CURVES:
            return [*places]
        mistakes = np.zeros(len(places))
        for rows in self.judged.values():
            if not rows.constant:
                mistakes += rows.counts.mistakes
        undefined = (self.support == 0) | (self.support == len(self.of_rows))
        hardest = np.lexsort((-self.support, -mistakes, undefined))
        return [int(place) for place in hardest[:CURVES]]

    def metrics(self, model: str) -> dict[str, float]:
        """Return the metrics that are defined for the rows, rounded."""
        return registry.rounded(self.values[model])

    def before_calibration(self, model: str) -> JudgedRows:
        """Return the rows as a model judges them before calibration.

        It decides the most probable class, or the labels above `EVEN`.
        """
        raw = self.raw[model]
        decided = (raw > EVEN).astype(np.int8) if self.of_rows.multilabel else raw.argmax(axis=1)
        return replace(self.judged[model], probabilities=raw, decided=decided)

    def before_rejection(self, model: str) -> JudgedRows:
        """Return the rows as a model judges them before it rejects some as of no class."""
        rows = self.judged[model]
        return replace(rows, decided=self.decisions[model].decide(rows.probabilities))

    def uncalibrated(self, model: str) -> dict[str, float]:
        """Return the metrics of calibration before it, rounded."""
        rows = self.before_calibration(model)
        metrics = [metric for metric in METRICS.values() if metric.uncalibrated]
        return registry.rounded({metric.name: metric.value(rows) for metric in metrics})

    def mistakes(self, model: str) -> int:
        """Return the number of rows, or clusters of rows, that are wrong before calibration."""
        return self.of_rows.independent(self.before_calibration(model).wrong)

    def ece_if_calibrated(self, model: str) -> float:
        """Return the calibration error to expect if the probabilities are right, rounded."""
        return self.judged[model].once(_ece_if_calibrated, self.settings.confidence)

    def intervals(
        self, model: str, names: Collection[str] = METRICS
    ) -> dict[str, dict[str, float] | None]:
        """Return `low` and `high` of each metric with an interval, rounded; None for too few rows.

        The accuracy has `effective_rows` too, the number of independent rows that its Wilson
        interval is of, and of dependent rows the `degrees` of freedom of that. A metric that no
        other rows could change, as of a model that ignores them, is left out.
        """
        report: dict[str, dict[str, float] | None] = {}
        rows, confidence = self.judged[model], self.settings.confidence
        for name in registry.measure(rows, names):
            metric = METRICS[name]
            if metric.interval and not (rows.constant and rows.once(metric.is_fixed, confidence)):
                ends = metric.confidence_interval(rows, confidence)
                report[name] = ends and ends.rounded()
        if ACCURACY.name not in names:
            return report
        share = rows.once(ACCURACY.share, confidence, None)
        accuracy = self.accuracy_interval(model).rounded()
        accuracy["effective_rows"] = round(share.effective, DIGITS)
        if rows.clusters is not None:
            accuracy["degrees"] = round(share.degrees, DIGITS)
        report[ACCURACY.name] = accuracy
        return report

    def interval(self, model: str, metric: str, place: int | None = None) -> Interval | None:
        """Return the interval of a metric, or of its value for the class at this place.

        None if there are too few rows.
        """
        return METRICS[metric].confidence_interval(
            self.judged[model], self.settings.confidence, place
        )

    def accuracy_interval(self, model: str) -> Interval:
        """Return Wilson's interval of the accuracy."""
        share = self.judged[model].once(ACCURACY.share, self.settings.confidence, None)
        return share.interval(self.settings.confidence)

    @property
    def baselines(self) -> list[str]:
        """The models that ignore the texts."""
        return [name for name, decision in self.decisions.items() if decision.baseline]

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return len(self.of_rows)

    def comparison(self, a: str, b: str) -> Comparison:
        """Return how two models compare on the rows; `b` is the earlier one of train."""
        rows, confidence, clusters = self.rows, self.settings.confidence, self.of_rows.clusters
        right_a, right_b = (~self.judged[model].wrong for model in (a, b))
        only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
        effective, degrees, groups = float(rows), math.inf, math.inf
        if clusters is not None:
            groups = effective_sample_size(np.bincount(clusters))
            better = right_a.astype(np.float64) - right_b
            effective, degrees = independent_rows(better, clusters, better != 0)
        test = mcnemar(only_a, only_b, effective / rows, degrees)
        worth = effective * float(degrees_correction(degrees, 1 - confidence))
        ends = tango(only_a / rows * worth, only_b / rows * worth, worth, confidence)
        difference = Difference((only_a - only_b) / rows, *ends)
        return Comparison(test, difference, effective, (only_a + only_b) / rows, degrees, groups)

    def by_class(self, model: str, names: Collection[str] = METRICS) -> pd.DataFrame:
        """Return one row per class against the rest, with metrics and intervals.

        The first columns are `split`, `class` and `support`, the rows of the class. A metric has
        the columns `<name>`, `<name>_low` and `<name>_high`; the interval is Wilson's for recall,
        and NaN if there are too few rows. Metrics are NaN for a class without rows, and `roc_auc`
        if there are no other rows.
        """
        rows, confidence = self.judged[model], self.settings.confidence
        metrics = registry.metrics_of(rows.multilabel).values()
        per_class = [metric for metric in metrics if metric.per_class and metric.name in names]
        table = []
        for place, name in enumerate(self.classes):
            support = int(self.support[place])
            row: dict[str, object] = {"split": self.split, "class": name, "support": support}
            for metric in per_class:
                value = rows.once(metric.of_classes)[place] if support else np.nan
                ends = None
                if metric.interval and np.isfinite(value):
                    fixed = rows.constant and rows.once(metric.is_fixed, confidence, place)
                    ends = None if fixed else metric.confidence_interval(rows, confidence, place)
                low, high = (np.nan, np.nan) if ends is None else ends
                row |= {metric.name: value, f"{metric.name}_low": low, f"{metric.name}_high": high}
            table.append(row)
        return pd.DataFrame(table)

    def comparisons(self) -> dict[str, dict[str, Any]]:
        """Return each pair of models under its `pair_name`, as `comparisons.summarize` has it.

        `metrics` has the differences of other metrics, rounded; None if there are too few rows for
        an interval. A metric that does not depend on the rows for one of the models is left out.
        """
        pairs = [(later, earlier) for earlier, later in combinations(self.decisions, 2)]
        compared = {pair: self.comparison(*pair) for pair in pairs}
        confidence = self.settings.confidence
        summary = comparisons.summarize(compared, self.baselines, confidence)
        report: dict[str, dict[str, Any]] = {
            name: entry | {"metrics": {}} for name, entry in summary.items()
        }
        for metric in METRICS.values():
            if not metric.compared:
                continue
            known = {
                name: rows for name, rows in self.judged.items() if metric.name in self.values[name]
            }
            varying = {name for name, rows in known.items() if metric.varies(rows)}
            measured = [pair for pair in pairs if varying.issuperset(pair)]
            differences = metric.compare(known, measured, confidence)
            for pair, difference in differences.items():
                entry = report[pair_name(*pair)]
                entry["metrics"][metric.name] = difference and difference.rounded()
        return report

    def tables(self, model: str) -> dict[str, pd.DataFrame]:
        """Return the tables of `curves` by name, and `reliability`, for CSV files of test rows.

        ROC and precision-recall curves are of the classes of `curve_places`, each against the rest.
        The confidence in `risk_coverage` is the probability of the decided class, of
        `Decision.answering`; that of a set of labels is the product of those of its decisions, as
        if they were independent.
        """
        results = self.judged[model].results
        if "tables" not in results:
            results["tables"] = self._tables(model)
        tables: dict[str, pd.DataFrame] = results["tables"]
        return tables

    def _tables(self, model: str) -> dict[str, pd.DataFrame]:
        rows = self.judged[model]
        probabilities = rows.probabilities
        decided = self.decisions[model].answering().decide(probabilities)
        by_class = {
            self.classes[place]: curves.positive_counts(
                rows.is_actual(place), probabilities[:, place]
            )
            for place in self.curve_places
        }
        confidences = of_actual(probabilities, decided)
        if rows.multilabel:
            confidences = confidences.prod(axis=1)
        answers = curves.positive_counts(~rows.wrong, confidences)
        confidence = self.settings.confidence
        return {
            "confusion": curves.confusion_table(rows.matrix, self.support, [*self.classes, ""]),
            "roc": curves.roc_table(by_class),
            "precision_recall": curves.precision_recall_table(by_class),
            "reliability": reliability_table(
                rows.y, probabilities, confidence, _effective_part(rows, confidence)
            ),
            "risk_coverage": curves.risk_coverage_table(answers),
        }


def _ece_if_calibrated(rows: JudgedRows, confidence: float) -> float:
    worth = _effective_part(rows, confidence)
    return round(expected_ece(rows.probabilities, worth, rows.multilabel), DIGITS)


def _effective_part(rows: JudgedRows, confidence: float) -> float:
    """Return the effective rows per row, or per pair of row and label, by the mistakes."""
    metric = HAMMING_LOSS if rows.multilabel else ACCURACY
    share = rows.once(metric.share, confidence, None)
    return share.effective / share.rows
