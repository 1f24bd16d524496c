"""The choice of the default model by rows that did not train it, its cost, and its reason."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from textclf.core.files import DIGITS
from textclf.core.formatting import count_noun
from textclf.evaluate.metrics.metric import Metric, margin
from textclf.evaluate.registry import ACCURACY, COST, LOG_LOSS, MAE, deciding, format_value
from textclf.evaluate.results import Candidate, Choice, Results
from textclf.evaluate.rows import Floats, JudgedRows

# Standard errors of a difference, up to which two models are tied.
ERRORS = 0.5
# The confidence level of an interval of one standard error to each side.
ONE_ERROR = 0.6826894921370859
# Parts of the rows, each of which is measured with the choice of the others.
PARTS = 10
# The seed of the random parts.
SEED = 0
# What the best model has, by the metric that chooses.
BEST = {
    "accuracy": "highest accuracy",
    "cost": "lowest mean cost",
    "mae": "lowest mean absolute error",
    "log_loss": "lowest log loss",
}


def compare_candidates(models: Mapping[str, JudgedRows]) -> dict[str, Candidate]:
    """Return how each model, from the fastest to the slowest, compares with the best.

    With costs, the mean cost takes the place of the accuracy, and lower is better, with ordered
    classes the mean absolute error; with several labels per text the log loss, since few sets are
    exactly right. `accuracy_difference`, or that of the other metric, is to the highest accuracy,
    `log_loss_difference` to the lowest log loss of the models whose accuracy is at most `ERRORS`
    standard errors (`accuracy_error`) below it. Of these, the models whose log loss is at most as
    many standard errors (`log_loss_error`) higher are tied, and the first of them is to be chosen.
    Errors are those of the paired difference on the same rows, of dependent rows by their clusters:
    Breiman et al. (1984), Classification and Regression Trees, 3.4, take within one unpaired error
    what is simplest.
    """
    metric = chooses(models)
    sign = -1 if metric.higher_is_better else 1
    values = {name: metric.influence(rows) for name, rows in models.items()}
    loss = {name: LOG_LOSS.influence(rows) for name, rows in models.items()}
    best = max(models, key=lambda name: (-sign * values[name].mean(), -loss[name].mean()))
    gaps = {
        name: paired_difference(rows, models[best], values[name], values[best])
        for name, rows in models.items()
    }
    close = [name for name, gap in gaps.items() if _within(gap, sign)]
    likeliest = min(close, key=lambda name: float(loss[name].mean()))
    of_loss = {
        name: paired_difference(rows, models[likeliest], loss[name], loss[likeliest])
        for name, rows in models.items()
    }
    candidates = {}
    for name, gap in gaps.items():
        differences: dict[str, Any] = {}
        # If the log loss itself chooses, it is written last, as the difference to the likeliest.
        for measured, (difference, error) in ((metric, gap), (LOG_LOSS, of_loss[name])):
            differences[f"{measured.name}_difference"] = difference
            differences[f"{measured.name}_error"] = error
        tied = name in close and _within(of_loss[name], 1)
        candidates[name] = Candidate(**differences, tied=int(tied))
    return candidates


def chooses(models: Mapping[str, JudgedRows]) -> Metric:
    """Return the metric that chooses the default model.

    It is the accuracy, with `evaluate.costs` the mean cost, with `data.order` the mean absolute
    error, with several labels the log loss.
    """
    rows = next(iter(models.values()))
    if rows.multilabel:
        return LOG_LOSS
    if rows.costs is not None:
        return COST
    return MAE if rows.has_distances else ACCURACY


def paired_difference(
    a: JudgedRows, b: JudgedRows, of_a: Floats, of_b: Floats
) -> tuple[float, float]:
    """Return the mean of `of_a` - `of_b` and its standard error, both rounded.

    They (rows,) are numbers of the same rows as two models judge them.
    """
    differences = of_a - of_b
    error = margin(a, differences, a.wrong | b.wrong, ONE_ERROR)
    return round(float(differences.mean()), DIGITS), round(error, DIGITS)


def _within(gap: tuple[float, float], sign: int) -> bool:
    difference, error = gap
    return sign * difference <= ERRORS * error


def choose(candidates: Mapping[str, Candidate]) -> str:
    """Return the first of the tied models."""
    return next(name for name, entry in candidates.items() if entry.tied)


def score_after_choice(models: Mapping[str, JudgedRows]) -> float | None:
    """Return the metric of `chooses` to expect of the chosen model; None for too few rows.

    It is rounded. The accuracy of the best of several models is too high on the rows that chose it.
    Here, the model that all other rows choose is measured on each of `PARTS` parts of the rows, or
    of their clusters; the predictions stay the same: Tsamardinos, Greasidou & Borboudakis (2018),
    Machine Learning 107:1895-1922, doi:10.1007/s10994-018-5714-4, who draw bootstrap samples in
    place of parts.
    """
    rows, metric = next(iter(models.values())), chooses(models)
    groups = np.arange(len(rows)) if rows.clusters is None else rows.clusters
    if groups.max() + 1 < PARTS:
        return None
    parts = np.random.default_rng(SEED).permutation(groups.max() + 1)[groups] % PARTS
    total = 0.0
    for part in range(PARTS):
        others = {name: judged.take(parts != part) for name, judged in models.items()}
        chosen = choose(compare_candidates(others))
        total += float(metric.influence(models[chosen])[parts == part].sum())
    return round(total / len(rows), DIGITS)


def explain_choice(named: str | None, results: Results, models: Sequence[str]) -> tuple[str, str]:
    """Return the model that represents a run, the default of `textclf predict`, and why.

    The reason is a phrase. The model is the one that is named, otherwise the one that the stage
    evaluate chose on the validation rows or, without them, on held-out training rows; a
    cross-validation may leave models out: those that take too long, and those for which a class has
    too few rows. The test rows decide nothing.
    """
    if named is not None:
        return named, "as export.model says"
    if len(models) == 1:
        return models[0], "the only model"
    decisions = results.decisions
    choice = decisions.choice or Choice()
    compared = {name: choice.models[name] for name in models if name in choice.models}
    if not compared:
        return models[-1], "the last of train; none could be cross-validated"
    chosen = choose(compared)
    multilabel = decisions[chosen].decision.multilabel
    differences = {
        name for name in BEST if getattr(compared[chosen], f"{name}_difference") is not None
    }
    metric = "log_loss" if multilabel else deciding(differences).name
    best = BEST[metric]
    if rows := decisions.protocol.validation_rows:
        score = results.evaluation[chosen]["validation"][metric]
        where, measured = f"on {count_noun(rows, 'validation row')}", ""
    else:
        scores = decisions.crossvalidation[chosen]
        score = getattr(scores, metric)
        training_rows = count_noun(scores.rows, "training row")
        learned = scores.rows * (scores.folds - 1) // scores.folds
        where = (
            f"in {scores.folds}-fold cross-validation of {training_rows}, "
            f"by models of about {learned:,} of them"
        )
        # The default model has learned from all training rows.
        measured = " of such models"
    reason = best
    if getattr(compared[chosen], f"{metric}_difference"):
        extreme, _, measure = best.partition(" ")
        reason = f"fastest of the models whose {measure} is about the {extreme}"
    expected = getattr(choice, metric)
    if decisions[chosen].decision.rejection is not None:
        # The metrics of the run are those after rejection.
        where += ", before any text is rejected"
    elif expected is not None:
        before, after = (format_value(metric, value) for value in (score, expected))
        where += f": {before}"
        if after != before:
            where += f"; expect {after}{measured}, since the best of several is partly lucky"
    left_out = [name for name in models if name not in compared]
    others = f"; not cross-validated: {', '.join(left_out)}" if left_out else ""
    return chosen, f"{reason} {where}{others}"
