"""The registry of metrics, from which evaluation, reports, card, gate and docs take them.

A new metric is an entry here and its test; one of a new kind also a class in
`textclf.evaluate.metrics`.
"""

import math
from collections.abc import Collection, Mapping

from textclf.artifacts.decisions import Costs
from textclf.core.files import DIGITS
from textclf.core.formatting import percent
from textclf.core.scale import Scale
from textclf.evaluate.metrics.metric import MULTICLASS, MULTILABEL, Metric
from textclf.evaluate.metrics.of_counts import Accuracy, HammingLoss, Matthews, Ratio
from textclf.evaluate.metrics.of_order import Area, AveragePrecision
from textclf.evaluate.metrics.of_rows import (
    CalibrationError,
    MeanCost,
    RowMean,
    costs_of,
    distances_of,
    log_losses,
    ranking_precisions,
    row_costs,
    row_distances,
    squared_errors,
)
from textclf.evaluate.metrics.of_scale import QuadraticKappa, Spearman, WithinOne
from textclf.evaluate.rows import Floats, JudgedRows, Labels

ACCURACY = Accuracy(
    "accuracy",
    "accuracy",
    "share of the rows decided correctly",
    percent=True,
    important=True,
    listed=True,
)
HAMMING_LOSS = HammingLoss(
    "hamming_loss",
    "Hamming loss",
    "share of the pairs of row and label decided wrongly",
    higher_is_better=False,
    percent=True,
    task=MULTILABEL,
)
ROC_AUC = Area(
    "roc_auc",
    "ROC AUC",
    "probability that a row of a class gets a higher probability of it than a row of another class",
    per_class=True,
    important=True,
    compared=True,
    listed=True,
)
COST = MeanCost(
    "cost",
    "mean cost",
    "mean cost of the decisions, if `evaluate.costs` is set",
    of_row=row_costs,
    matrix=costs_of,
    higher_is_better=False,
    important=True,
    compared=True,
    listed=True,
    task=MULTICLASS,
)
MAE = MeanCost(
    "mae",
    "mean absolute error",
    "mean distance of decided and actual class, if `data.order` is set",
    of_row=row_distances,
    matrix=distances_of,
    higher_is_better=False,
    important=True,
    compared=True,
    listed=True,
    task=MULTICLASS,
)
LOG_LOSS = RowMean(
    "log_loss",
    "log loss (nats)",
    "mean negative logarithm of the probability of the actual class",
    of_row=log_losses,
    higher_is_better=False,
    important=True,
    compared=True,
    listed=True,
)
# In the order in which they are shown.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        ACCURACY,
        Ratio(
            "balanced_accuracy",
            "balanced accuracy",
            "mean of the recalls of the classes that have rows",
            by_actual=1,
            percent=True,
            task=MULTICLASS,
        ),
        Ratio(
            "micro_precision",
            "micro precision",
            "share of right labels among the decided labels of all rows together",
            by_predicted=1,
            together=True,
            percent=True,
            task=MULTILABEL,
        ),
        Ratio(
            "micro_recall",
            "micro recall",
            "share of decided labels among the actual labels of all rows together",
            by_actual=1,
            together=True,
            percent=True,
            task=MULTILABEL,
        ),
        Ratio(
            "micro_f1",
            "micro F1",
            "harmonic mean of micro precision and micro recall",
            by_predicted=1,
            by_actual=1,
            together=True,
            percent=True,
            important=True,
            compared=True,
            listed=True,
            task=MULTILABEL,
        ),
        Ratio(
            "precision",
            "precision",
            "share of the rows decided as a class that belong to it",
            by_predicted=1,
            percent=True,
            per_class=True,
        ),
        Ratio(
            "recall",
            "recall",
            "share of the rows of a class decided as it",
            by_actual=1,
            percent=True,
            per_class=True,
        ),
        Ratio(
            "f1",
            "F1",
            "harmonic mean of precision and recall",
            by_predicted=1,
            by_actual=1,
            percent=True,
            per_class=True,
            important=True,
            compared=True,
            listed=True,
        ),
        ROC_AUC,
        AveragePrecision(
            "average_precision",
            "average precision",
            "mean precision over the thresholds, weighted by the gain in recall",
            per_class=True,
            important=True,
            compared=True,
            task=MULTILABEL,
        ),
        Matthews(
            "mcc",
            "MCC",
            "Matthews correlation coefficient of actual and decided classes",
            task=MULTICLASS,
        ),
        RowMean(
            "ranking",
            "label ranking",
            (
                "share of actual labels among those at least as probable as an actual one; "
                "mean over these, then over rows"
            ),
            of_row=ranking_precisions,
            task=MULTILABEL,
        ),
        HAMMING_LOSS,
        COST,
        MAE,
        WithinOne(
            "within_one",
            "within one step",
            "share of the rows decided as the actual class or a neighbour, if `data.order` is set",
            percent=True,
            compared=True,
            task=MULTICLASS,
        ),
        QuadraticKappa(
            "kappa",
            "quadratic kappa",
            "Cohen's kappa weighted by squared distances, if `data.order` is set",
            important=True,
            compared=True,
            listed=True,
            task=MULTICLASS,
        ),
        Spearman(
            "spearman",
            "Spearman's correlation",
            "rank correlation of the actual and the expected number, if `data.order` is set",
            compared=True,
            task=MULTICLASS,
        ),
        LOG_LOSS,
        RowMean(
            "brier",
            "Brier score",
            (
                "mean squared error of the probabilities: "
                "of the positive class, or summed over more than two classes"
            ),
            of_row=squared_errors,
            highest=(1.0, 2.0),
            higher_is_better=False,
            compared=True,
            uncalibrated=True,
        ),
        CalibrationError(
            "ece",
            "calibration error",
            (
                "expected calibration error: "
                "mean distance of accuracy and confidence over ten bins of the confidence"
            ),
            higher_is_better=False,
            interval=False,
            uncalibrated=True,
        ),
    )
}
OF_SETS = ("micro_f1", "f1")  # shown beside the accuracy of sets of labels, which is strict
OF_SCALE = ("mae", "within_one", "kappa", "spearman")  # of ordered classes
DECIDING = (COST, MAE, ACCURACY)  # the first that is measured compares models of one label per text


def deciding(measured: Collection[str]) -> Metric:
    """Return the metric that compares models of one label per text; `measured` are the names."""
    return next(metric for metric in DECIDING if metric.name in measured)


def metrics_of(multilabel: bool) -> dict[str, Metric]:
    """Return the metrics of rows with one class each, or with a set of labels each."""
    return {name: metric for name, metric in METRICS.items() if metric.suits(multilabel)}


def measure(rows: JudgedRows, names: Collection[str] = METRICS) -> dict[str, float]:
    """Return the metrics of these `names` that are defined for the rows by name."""
    metrics = metrics_of(rows.multilabel)
    values = {name: rows.once(metrics[name].value) for name in metrics if name in names}
    return {name: value for name, value in values.items() if not math.isnan(value)}


def compute(
    y: Labels,
    probabilities: Floats,
    decided: Labels,
    costs: Costs | None = None,
    scale: Scale | None = None,
) -> dict[str, float]:
    """Return the metrics that are defined for the rows by name, rounded as in evaluation.json."""
    return rounded(measure(JudgedRows(y, probabilities, decided, costs=costs, scale=scale)))


def rounded(values: Mapping[str, float]) -> dict[str, float]:
    """Return metrics rounded to `DIGITS`."""
    return {name: round(value, DIGITS) for name, value in values.items()}


def pair_name(later: str, earlier: str) -> str:
    """Return the key under which two models are compared; `later` comes later in train."""
    return f"{later}_vs_{earlier}"


def format_value(name: str, value: float) -> str:
    """Return a metric's value as it is shown: a percentage, or a number with three decimals."""
    return percent(value) if METRICS[name].percent else f"{value:.3f}"


def format_interval(name: str, low: float, high: float) -> str:
    """Return the interval of a metric as it is shown: 74.6% to 84.5%."""
    return f"{format_value(name, low)} to {format_value(name, high)}"
