"""The metrics of a split, whatever its size."""

import math
from collections.abc import Mapping
from functools import cache, cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision
from textclf.artifacts.label_sets import count_labels, of_actual
from textclf.artifacts.predictions import Predictions
from textclf.core.files import CURVES, DIGITS
from textclf.evaluate import comparisons, curves, influence, metrics
from textclf.evaluate.boundary import FEW, TINY, Share, counts_interval
from textclf.evaluate.calibrate import reliability_table
from textclf.evaluate.clusters import effective_rows, few_degrees, independent_rows
from textclf.evaluate.comparisons import Comparison, Difference, mcnemar
from textclf.evaluate.costs import cost_interval
from textclf.evaluate.intervals import Interval, tango, wilson
from textclf.evaluate.registry import METRICS, pair_name
from textclf.evaluate.rows import Rows
from textclf.evaluate.settings import Evaluate

UNCALIBRATED = ("brier", "ece")  # reported of the probabilities before calibration too
COMPARED = ("log_loss", "brier", "f1", "roc_auc")  # between models, beside accuracy and, with costs, cost
COMPARED_SETS = (*COMPARED, "micro_f1", "average_precision")  # likewise, with several labels per text
SHARES = ("precision", "recall", "f1")  # of one class, follow from a share of rows
SHARES_OF_PAIRS = ("micro_precision", "micro_recall", "micro_f1", "hamming_loss")  # shares of pairs of row and label


class SplitMetrics:
    """Metrics, intervals, comparisons and curves of all models on the same rows of one split.

    By model, `values` are the metrics, each an array of one value, and `matrices` the rows by actual and decided class.
    `support` (classes,) are the rows of each class.
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

        `stratified` says whether the split fixed the shares of the classes; `clusters` (rows,) are the positions of the
        clusters of the rows, None if the rows are independent.
        """
        first = next(iter(models.values()))
        self.split, self.classes, self.decisions, self.settings = split, first.classes, decisions, settings
        self.raw = {name: rows.probabilities for name, rows in models.items()}
        calibrated = {name: decisions[name].calibrate(rows) for name, rows in self.raw.items()}
        decided = {name: decisions[name].decide(rows) for name, rows in calibrated.items()}
        costs = next(iter(decisions.values())).costs  # the same for all
        self.of_rows = Rows(first.y, calibrated, decided, clusters, stratified, len(first.classes), costs)
        self.values = {name: metrics.point_values(first.y, calibrated[name], decided[name], costs) for name in models}
        self.support = count_labels(first.y, len(first.classes))
        # Cached: with many labels or rows they take seconds.
        self._interval, self._share = cache(self._compute_interval), cache(self._compute_share)
        self.matrices = {name: metrics.confusion_matrix(first.y, decided[name], len(first.classes)) for name in models}

    def constant(self, model: str) -> bool:
        """Return whether the model gives the same probabilities to all rows."""
        probabilities = self.of_rows.probabilities[model]
        return bool((probabilities == probabilities[0]).all())

    @cached_property
    def curve_places(self) -> list[int]:
        """The positions of the classes with a curve: of more than `CURVES` those with the most mistakes, these first.

        A mistake is a row for which a class is missed or wrongly decided, by a model whose probabilities vary. Classes
        that have no rows, or all of them, come last: their curves are not defined.
        """
        places = metrics.shown_classes(len(self.classes), self.of_rows.multilabel)
        if len(places) <= CURVES:
            return [*places]
        mistakes = np.zeros(len(places))
        for name, decided in self.of_rows.decided.items():
            if not self.constant(name):
                counts = metrics.class_counts(self.of_rows.y, decided, len(places))
                mistakes += counts.predicted + counts.actual - 2 * counts.correct
        undefined = (self.support == 0) | (self.support == len(self.of_rows))
        hardest = np.lexsort((-self.support, -mistakes, undefined))
        return [int(place) for place in hardest[:CURVES]]

    def metrics(self, model: str) -> dict[str, float]:
        """Return the metrics that are defined for the rows, rounded."""
        return metrics.rounded(self.values[model])

    def uncalibrated(self, model: str) -> dict[str, float]:
        """Return Brier score and calibration error before calibration, rounded."""
        raw = self.raw[model]
        values = metrics.compute(self.of_rows.y, raw, raw.argmax(axis=1))
        return {name: values[name] for name in UNCALIBRATED}

    def mistakes(self, model: str) -> int:
        """Return the number of rows, or clusters of dependent rows, that are wrong before calibration."""
        return self.of_rows.independent(self.raw[model].argmax(axis=1) != self.of_rows.y)

    def ece_if_calibrated(self, model: str) -> float:
        """Return the calibration error to expect if the probabilities are right, rounded."""
        probabilities = self.of_rows.probabilities[model]
        return round(metrics.expected_ece(probabilities, self._worth(model), self.of_rows.multilabel), DIGITS)

    def intervals(self, model: str) -> dict[str, dict[str, float] | None]:
        """Return `low` and `high` of each metric with an interval, rounded; None if there are too few rows for it.

        The accuracy has `effective_rows` too, the number of independent rows that its Wilson interval is of. A metric
        that no other rows could change, as of a model that ignores them, is left out.
        """
        report: dict[str, dict[str, float] | None] = {}
        constant = self.constant(model)
        for name in self.values[model]:
            if name in METRICS and METRICS[name].interval and not (constant and self._fixed(model, name)):
                ends = self.interval(model, name)
                report[name] = ends and ends.rounded()
        worth = self._share(model, "accuracy", None).effective
        report["accuracy"] = self.accuracy_interval(model).rounded() | {"effective_rows": round(worth, DIGITS)}
        return report

    def interval(self, model: str, metric: str, place: int | None = None) -> Interval | None:
        """Return the interval of a metric, or of its value for the class at this place.

        None if there are too few rows for one. docs/evaluation.md lists which interval is used when.
        """
        if self.of_rows.binary and METRICS[metric].per_class and (place is None or metric == "roc_auc"):
            place = 1  # of two classes, the metric is that of the positive one, and both have the same area
        return self._interval(model, metric, place)

    def _compute_interval(self, model: str, metric: str, place: int | None) -> Interval | None:
        confidence = self.settings.confidence
        if metric in ("accuracy", *SHARES_OF_PAIRS) or (metric in SHARES and place is not None):
            share = self._share(model, metric, place)
            return share.interval(confidence) if share.rows else None
        if metric == "cost":
            return cost_interval(self.of_rows, model, confidence, self.constant(model))
        rows, values = self.of_rows, self.values[model]
        if rows.multilabel and place is None and metric in influence.MEANS:
            return self._label_mean_interval(model, metric)
        if metric == "roc_auc":
            places = [*metrics.shown_classes(len(self.classes))] if place is None else [place]
            return influence.area_interval(rows, model, values["class_roc_auc"][0, places], places, confidence)
        if metric in metrics.FROM_COUNTS:
            worth, fixed = 1.0, rows.stratified and rows.clusters is None
            if rows.clusters is not None:
                influences = influence.influence(rows, model, metric)
                worth = effective_rows(influences, rows.clusters, rows.wrong(model), confidence) / len(rows)
            return counts_interval(self.matrices[model], metric, worth, fixed, confidence)
        value = float(values[metric][0] if place is None else values[f"class_{metric}"][0, place])
        if not influence.is_few(rows, model, metric, place):
            influences = influence.influence(rows, model, metric, place)
            half = influence.margin(rows, metric, place, influences, rows.wrong(model), confidence)
            if half > TINY:
                return influence.on_scale(metric, value, half, rows.sides)
        if metric != "average_precision" or place is None:
            return None
        labelled = rows.independent(rows.is_actual(place))  # the binomial variance: Boyd, Eng & Page (2013), 4.2
        return wilson(value * labelled, labelled, confidence)

    def accuracy_interval(self, model: str) -> Interval:
        """Return Wilson's interval of the accuracy."""
        return self._share(model, "accuracy", None).interval(self.settings.confidence)

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return len(self.of_rows)

    def _fixed(self, model: str, metric: str, position: int | None = None) -> bool:
        """Return whether a metric of a model that ignores the rows is the same whatever they are."""
        if metric == "accuracy":
            return False
        if metric == "cost":
            return bool(np.ptp(np.array(self.of_rows.costs)[:, self.of_rows.decided[model][0]]) == 0)
        rows, influences = self.of_rows, influence.influence(self.of_rows, model, metric, position)
        wrong = rows.wrong(model)
        return influence.margin(rows, metric, position, influences, wrong, self.settings.confidence) <= TINY

    def _compute_share(self, model: str, metric: str, place: int | None) -> Share:
        """Return the share that gives the accuracy, a metric of `SHARES` of a class, or one of `SHARES_OF_PAIRS`.

        The pairs of one row and several labels are dependent, as the rows of a cluster are.
        """
        of_rows, clusters = self.of_rows, self.of_rows.clusters
        if metric in SHARES_OF_PAIRS:
            is_actual, is_decided = of_rows.y == 1, of_rows.decided[model] == 1
            clusters = np.arange(len(of_rows)) if clusters is None else clusters
            clusters = np.broadcast_to(clusters[:, np.newaxis], is_actual.shape)
        elif place is not None and metric != "accuracy":
            is_actual, is_decided = of_rows.is_actual(place), of_rows.is_decided(model, place)
        else:
            is_actual, is_decided = np.ones(len(of_rows), dtype=bool), ~of_rows.wrong(model)
        right, kind = is_actual & is_decided, metric.removeprefix(metrics.TOGETHER)
        among = {"precision": is_decided, "f1": is_actual | is_decided}.get(kind, is_actual)
        if kind == "hamming_loss":
            right, among = is_actual != is_decided, np.ones_like(right)
        number, rows = int(np.count_nonzero(right)), int(np.count_nonzero(among))
        effective = float(rows)
        if clusters is not None and rows:
            right, clusters = right[among], clusters[among]
            effective = effective_rows(right, clusters, right, self.settings.confidence)
        return Share(number, rows, effective, metric in {"f1", "micro_f1"})

    def _label_mean_interval(self, model: str, metric: str) -> Interval | None:
        """Return the interval of a mean over labels, from theirs and their correlations; None if one has too few rows.

        Zou (2007), Psychological Methods 12:399-413.
        """
        by_label, rows = self.values[model][f"class_{metric}"][0], self.of_rows
        places = np.flatnonzero(np.isfinite(by_label)).tolist()
        few = FEW if metric in {"recall", "f1", "roc_auc"} else influence.FEW_OF_LABEL
        counted = [rows.is_decided(model, each) if metric == "precision" else rows.is_actual(each) for each in places]
        found = [self.interval(model, metric, place) for place in places]
        ends = np.array([each for each in found if each is not None])
        if len(ends) < len(places) or min(map(rows.independent, counted)) < few:
            return None
        related, mean = influence.correlations(self.of_rows, model, metric, places), float(by_label[places].mean())
        below, above = (
            math.sqrt(max(float(side @ related @ side), 0)) / len(places) for side in np.abs(ends.T - by_label[places])
        )
        return Interval(max(mean - below, 0.0), min(mean + above, 1.0))

    def comparison(self, a: str, b: str) -> Comparison:
        """Return how two models compare on the rows; `b` comes before `a` in the order of the models."""
        rows, confidence, clusters = self.rows, self.settings.confidence, self.of_rows.clusters
        right_a, right_b = (~self.of_rows.wrong(model) for model in (a, b))
        only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
        worth, degrees = float(rows), math.inf
        if clusters is not None:
            better = right_a.astype(np.float64) - right_b
            worth, degrees = independent_rows(better, clusters, better != 0)
        test = mcnemar(only_a, only_b, worth / rows, degrees)
        worth *= few_degrees(degrees, confidence)
        ends = tango(only_a / rows * worth, only_b / rows * worth, worth, confidence)
        difference = Difference((only_a - only_b) / rows, *ends)
        return Comparison(test, difference, worth, (only_a + only_b) / rows)

    def by_class(self, model: str) -> pd.DataFrame:
        """Return one row per class against the rest: `split`, `class`, `support` (its rows), metrics and intervals.

        A metric has the columns `<name>`, `<name>_low` and `<name>_high`; the interval is Wilson's for recall, and NaN
        if there are too few rows. Metrics are NaN for a class without rows, and `roc_auc` if there are no other rows.
        """
        values = self.values[model]
        constant = self.constant(model)
        table = []
        for place, name in enumerate(self.classes):
            support = int(self.support[place])
            row: dict[str, object] = {"split": self.split, "class": name, "support": support}
            for metric in (metric for metric in METRICS.values() if f"class_{metric.name}" in values):
                value = values[f"class_{metric.name}"][0, place] if support else np.nan
                ends = None
                if metric.interval and np.isfinite(value):
                    fixed = constant and metric.name != "recall" and self._fixed(model, metric.name, place)
                    ends = None if fixed else self.interval(model, metric.name, place)
                low, high = (np.nan, np.nan) if ends is None else ends
                row |= {metric.name: value, f"{metric.name}_low": low, f"{metric.name}_high": high}
            table.append(row)
        return pd.DataFrame(table)

    def comparisons(self) -> dict[str, dict[str, Any]]:
        """Return each pair of models under its `pair_name`, as `comparisons.summarize` has it.

        `metrics` has the differences of other metrics, rounded; None if there are too few rows for an interval. A
        metric that does not depend on the rows for one of the models is left out.
        """
        pairs = [(later, earlier) for earlier, later in combinations(self.decisions, 2)]
        compared = {pair: self.comparison(*pair) for pair in pairs}
        report: dict[str, dict[str, Any]] = {
            pair: entry | {"metrics": {}}
            for pair, entry in comparisons.summarize(compared, self.settings.confidence).items()
        }
        for metric in ("cost", *COMPARED_SETS):
            values = {name: float(of_model[metric][0]) for name, of_model in self.values.items() if metric in of_model}
            of_rows = metric == "cost" or metric in metrics.ROW_MEANS
            varying = {name for name in values if of_rows or not self.constant(name)}
            measured = [pair for pair in pairs if varying.issuperset(pair)]
            found = influence.compare_metric(self.of_rows, metric, values, measured, self.settings.confidence)
            for pair, difference in found.items():
                report[pair_name(*pair)]["metrics"][metric] = difference and difference.rounded()
        return report

    def tables(self, model: str) -> dict[str, pd.DataFrame]:
        """Return the tables of `curves` by name, and `reliability`: those of CSV files that show test rows.

        ROC and precision-recall curves are of the classes of `curve_places`, each against the rest. The confidence in
        `risk_coverage` is the probability of the decided class, of `Decision.answering`; that of a set of labels is the
        product of those of its decisions, as if they were independent.
        """
        y, probabilities = self.of_rows.y, self.of_rows.probabilities[model]
        decided = self.decisions[model].answering().decide(probabilities)
        by_class = {
            self.classes[place]: curves.positive_counts(self.of_rows.is_actual(place), probabilities[:, place])
            for place in self.curve_places
        }
        confidences = of_actual(probabilities, decided)
        if self.of_rows.multilabel:
            confidences = confidences.prod(axis=1)
        answers = curves.positive_counts(~self.of_rows.wrong(model), confidences)
        return {
            "confusion": curves.confusion_table(self.matrices[model], self.support, [*self.classes, ""]),
            "roc": curves.roc_table(by_class),
            "precision_recall": curves.precision_recall_table(by_class),
            "reliability": reliability_table(y, probabilities, self.settings.confidence, self._worth(model)),
            "risk_coverage": curves.risk_coverage_table(answers),
        }

    def _worth(self, model: str) -> float:
        """Return the number of independent rows that a row, or a pair of row and label, is worth for its decision."""
        share = self._share(model, "hamming_loss" if self.of_rows.multilabel else "accuracy", None)
        return share.effective / share.rows
