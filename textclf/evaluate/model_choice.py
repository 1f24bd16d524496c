"""The choice of the default model by rows that did not train it, and what choosing costs."""

from collections.abc import Mapping

import numpy as np

from textclf.core.files import DIGITS
from textclf.evaluate.counts import Floats
from textclf.evaluate.metrics.metric import Metric, margin
from textclf.evaluate.registry import ACCURACY, COST, LOG_LOSS
from textclf.evaluate.rows import JudgedRows

ERRORS = 0.5  # standard errors of a difference, up to which two models are tied
ONE_ERROR = 0.6826894921370859  # confidence level of an interval of one standard error to each side
PARTS = 10  # of the rows, each of which is measured with the choice of the others
SEED = 0  # of the parts


def compare_candidates(models: Mapping[str, JudgedRows]) -> dict[str, dict[str, float]]:
    """Return how each model, from the fastest to the slowest, compares with the best; `tied` is 1 or 0.

    With costs, the mean cost takes the place of the accuracy, and lower is better. `accuracy_difference`, or
    `cost_difference`, is to the highest accuracy, `log_loss_difference` to the lowest log loss of the models whose
    accuracy is at most `ERRORS` standard errors (`accuracy_error`) below it. Of these, the models whose log loss is at
    most as many standard errors (`log_loss_error`) higher are tied, and the first of them is to be chosen. Errors are
    those of the paired difference on the same rows, of dependent rows by their clusters: Breiman et al. (1984),
    Classification and Regression Trees, 3.4, take within one unpaired error what is simplest.
    """
    metric = chooses(models)
    sign = -1 if metric.higher_is_better else 1
    values = {name: metric.influence(rows) for name, rows in models.items()}
    loss = {name: LOG_LOSS.influence(rows) for name, rows in models.items()}
    best = max(models, key=lambda name: (-sign * values[name].mean(), -loss[name].mean()))
    report = {name: _difference(models, metric.name, values, name, best) for name in models}
    close = [name for name, entry in report.items() if _within(entry, metric.name, sign)]
    likeliest = min(close, key=lambda name: float(loss[name].mean()))
    for name in models:
        report[name] |= _difference(models, LOG_LOSS.name, loss, name, likeliest)
        report[name]["tied"] = int(name in close and _within(report[name], LOG_LOSS.name, 1))
    return report


def chooses(models: Mapping[str, JudgedRows]) -> Metric:
    """Return the metric that chooses the model: the mean cost or, without `evaluate.costs`, the accuracy."""
    return ACCURACY if next(iter(models.values())).costs is None else COST


def _difference(
    models: Mapping[str, JudgedRows], metric: str, values: Mapping[str, Floats], name: str, other: str
) -> dict[str, float]:
    """Return the mean difference of two models and its standard error, rounded."""
    differences, rare = values[name] - values[other], models[name].wrong | models[other].wrong
    error = margin(models[name], differences, rare, ONE_ERROR)
    numbers = {f"{metric}_difference": float(differences.mean()), f"{metric}_error": error}
    return {key: round(number, DIGITS) for key, number in numbers.items()}


def _within(entry: Mapping[str, float], metric: str, sign: int) -> bool:
    return sign * entry[f"{metric}_difference"] <= ERRORS * entry[f"{metric}_error"]


def choose(candidates: Mapping[str, Mapping[str, float]]) -> str:
    """Return the first of the tied models."""
    return next(name for name, entry in candidates.items() if entry["tied"])


def score_after_choice(models: Mapping[str, JudgedRows]) -> float | None:
    """Return the accuracy or mean cost to expect of the model that is chosen, rounded; None if there are too few rows.

    The accuracy of the best of several models is too high on the rows that chose it. Here, the model that all other
    rows choose is measured on each of `PARTS` parts of the rows, or of their clusters; the predictions stay the same:
    Tsamardinos, Greasidou & Borboudakis (2018), Machine Learning 107:1895-1922, doi:10.1007/s10994-018-5714-4, who draw
    bootstrap samples in place of parts.
    """
    rows, metric = next(iter(models.values())), chooses(models)
    groups = np.arange(len(rows)) if rows.clusters is None else rows.clusters
    if groups.max() + 1 < PARTS:
        return None
    parts = np.random.default_rng(SEED).permutation(groups.max() + 1)[groups] % PARTS
    total = 0.0
    for part in range(PARTS):
        chosen = choose(compare_candidates({name: each.take(parts != part) for name, each in models.items()}))
        total += float(metric.influence(models[chosen])[parts == part].sum())
    return round(total / len(rows), DIGITS)
