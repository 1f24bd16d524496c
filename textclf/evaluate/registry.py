"""The registry of metrics: what evaluation, intervals, card, report, pull-request report, gate and docs know of each.

A new metric is an entry here, a function in `textclf.evaluate.metrics` and its test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from textclf.core.formatting import percent, points

Task = Literal["multiclass", "multilabel"]
MULTICLASS: Task = "multiclass"  # each row has one class
MULTILABEL: Task = "multilabel"  # each row has a set of labels


@dataclass(frozen=True)
class Metric:
    """A number that is measured for each model and split.

    `title` is what people see, `description` the definition in the docs. `percent`: shown as a percentage, otherwise
    with three decimals. `per_class`: also measured for each class against the rest; the metric itself is then that of
    the positive class or, with more than two classes or several labels, the mean over them. `interval`: reported with a
    confidence interval. `important`: shown first in the report on a pull request. `task`: the only task with
    this metric; None: both.
    """

    name: str
    title: str
    description: str
    higher_is_better: bool = True
    percent: bool = False
    per_class: bool = False
    interval: bool = True
    important: bool = False
    task: Task | None = None

    def titled(self, multilabel: bool) -> str:
        """Return the title; with several labels per text it says which accuracy or mean it is."""
        kind = "subset " if self.name == "accuracy" else "macro " * self.per_class
        return kind * multilabel + self.title

    def suits(self, multilabel: bool) -> bool:
        """Return whether the metric is for rows with one class each or, if `multilabel`, with a set of labels each."""
        return self.task in (None, MULTILABEL if multilabel else MULTICLASS)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy", "share of the rows decided correctly", percent=True, important=True),
        Metric(
            "balanced_accuracy",
            "balanced accuracy",
            "mean of the recalls of the classes that have rows",
            percent=True,
            task=MULTICLASS,
        ),
        Metric(
            "micro_precision",
            "micro precision",
            "share of right labels among the decided labels of all rows together",
            percent=True,
            task=MULTILABEL,
        ),
        Metric(
            "micro_recall",
            "micro recall",
            "share of decided labels among the actual labels of all rows together",
            percent=True,
            task=MULTILABEL,
        ),
        Metric(
            "micro_f1",
            "micro F1",
            "harmonic mean of micro precision and micro recall",
            percent=True,
            important=True,
            task=MULTILABEL,
        ),
        Metric(
            "precision",
            "precision",
            "share of the rows decided as a class that belong to it",
            percent=True,
            per_class=True,
        ),
        Metric("recall", "recall", "share of the rows of a class decided as it", percent=True, per_class=True),
        Metric("f1", "F1", "harmonic mean of precision and recall", percent=True, per_class=True, important=True),
        Metric(
            "roc_auc",
            "ROC AUC",
            "probability that a row of a class gets a higher probability of it than a row of another class",
            per_class=True,
            important=True,
        ),
        Metric(
            "average_precision",
            "average precision",
            "mean precision over the thresholds, weighted by the gain in recall",
            per_class=True,
            important=True,
            task=MULTILABEL,
        ),
        Metric("mcc", "MCC", "Matthews correlation coefficient of actual and decided classes", task=MULTICLASS),
        Metric(
            "ranking",
            "label ranking",
            "share of actual labels among those at least as probable as an actual one; mean over these, then over rows",
            task=MULTILABEL,
        ),
        Metric(
            "hamming_loss",
            "Hamming loss",
            "share of the pairs of row and label decided wrongly",
            higher_is_better=False,
            percent=True,
            task=MULTILABEL,
        ),
        Metric(
            "cost",
            "mean cost",
            "mean cost of the decisions, if `evaluate.costs` is set",
            higher_is_better=False,
            important=True,
            task=MULTICLASS,
        ),
        Metric(
            "log_loss",
            "log loss (nats)",
            "mean negative logarithm of the probability of the actual class",
            higher_is_better=False,
            important=True,
        ),
        Metric(
            "brier",
            "Brier score",
            "mean squared error of the probabilities: of the positive class, or summed over more than two classes",
            higher_is_better=False,
        ),
        Metric(
            "ece",
            "calibration error",
            "expected calibration error: mean distance of accuracy and confidence over ten bins of the confidence",
            higher_is_better=False,
            interval=False,  # it is biased upward in a sample: 67 to 91% of bootstrap intervals of 95% had the truth
        ),
    )
}  # in the order in which they are shown
FLOOR = "majority"  # the model that every other one is expected to beat
OF_SETS = ("micro_f1", "f1")  # shown beside the accuracy of sets of labels, which is strict


def metrics_of(multilabel: bool) -> dict[str, Metric]:
    """Return the metrics of rows with one class each, or with a set of labels each."""
    return {name: metric for name, metric in METRICS.items() if metric.suits(multilabel)}


def pair_name(later: str, earlier: str) -> str:
    """Return the key under which two models are compared; `later` comes later in train."""
    return f"{later}_vs_{earlier}"


def compare_pair(
    comparisons: Mapping[str, Mapping[str, Any]], models: Sequence[str], name: str, other: str
) -> dict[str, Any]:
    """Return the test of two models from comparisons.json; differences and their ends are of the first minus other.

    `models` are in the order in which they were compared.
    """
    later, earlier = sorted((name, other), key=models.index, reverse=True)
    # An older version compared accuracies alone.
    test: dict[str, Any] = {"metrics": {}, **comparisons[pair_name(later, earlier)]}
    if later != name:
        test |= _reverse(test)
        test["metrics"] = {metric: each and _reverse(each) for metric, each in test["metrics"].items()}
    return test


def _reverse(ends: Mapping[str, float]) -> dict[str, float]:
    return {"difference": -ends["difference"], "low": -ends["high"], "high": -ends["low"]}


def format_value(name: str, value: float) -> str:
    """Return a metric's value as it is shown: a percentage with one decimal, or a number with three."""
    return percent(value) if METRICS[name].percent else f"{value:.3f}"


TOO_FEW = "too few rows"  # shown instead of an interval, where the metrics files have null


def format_interval(name: str, low: float, high: float) -> str:
    """Return the interval of a metric as it is shown: 74.6% to 84.5%."""
    return f"{format_value(name, low)} to {format_value(name, high)}"


def format_metric(
    name: str,
    metrics: Mapping[str, float],
    intervals: Mapping[str, Mapping[str, float] | None],
    calibrated: float | None = None,
) -> tuple[str, str]:
    """Return a metric among those of a split as it is shown, with its interval; each is "" if there is none.

    `calibrated` is what stands beside the calibration error: the one to expect if the probabilities are right.
    """
    if name not in metrics:
        return "", ""
    if name not in intervals:
        beside = f"{format_value(name, calibrated)} if calibrated" if name == "ece" and calibrated is not None else ""
        return format_value(name, metrics[name]), beside
    return format_measured(name, metrics[name], intervals[name])


def format_measured(name: str, value: float, ends: Mapping[str, float] | None) -> tuple[str, str]:
    """Return a metric's value and its interval (`low` and `high`, or None for too few rows) as they are shown."""
    return format_value(name, value), format_interval(name, ends["low"], ends["high"]) if ends else TOO_FEW


def format_difference(name: str, ends: Mapping[str, float] | None) -> tuple[str, str]:
    """Return the difference of a metric between two models and its interval as they are shown, percentages in points.

    `ends` has `difference`, `low` and `high`; None stands for too few rows.
    """
    if ends is None:
        return "", TOO_FEW
    value, low, high = (
        points(ends[key]) if METRICS[name].percent else f"{ends[key]:+.3f}".replace("-", "\N{MINUS SIGN}")
        for key in ("difference", "low", "high")
    )
    return value, f"{low} to {high}"
