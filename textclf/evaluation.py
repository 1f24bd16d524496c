"""Metrics, intervals, comparisons and curves of models, from their predictions alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf import predictions, statistics
from textclf.errors import UserError
from textclf.files import DIGITS
from textclf.params import Evaluate

HISTORY_COLUMNS = ("epoch", "split", "loss", "accuracy")  # of a training in epochs, as models record it

CLASS_METRICS = ("precision", "recall", "f1", "roc_auc")
EVEN = 0.5  # the threshold that makes no choice

Calibrator = statistics.Temperature | statistics.Platt


def arrays(rows: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions of the labels among the classes (rows,), and the probabilities (rows, classes)."""
    names = predictions.classes(rows)
    columns = [rows[predictions.PREFIX + name].to_numpy(dtype=np.float64) for name in names]
    return _places(rows["label"], names), np.column_stack(columns)


# From probabilities to decisions


def calibrator(rows: pd.DataFrame, settings: Evaluate) -> Calibrator | None:
    """The scaling of probabilities that `settings` ask for, fitted on the validation rows among `rows`."""
    if settings.calibration == "none":
        return None
    y, probabilities = arrays(_validation(rows))
    if settings.calibration == "platt":
        if probabilities.shape[1] != 2:
            raise UserError(
                f"evaluate.calibration must be none or temperature for {probabilities.shape[1]} classes; got platt"
            )
        return statistics.fit_platt(y, probabilities)
    return statistics.fit_temperature(y, probabilities)


def calibrated(rows: pd.DataFrame, scaling: Calibrator | None) -> pd.DataFrame:
    """The table of predictions with its probabilities scaled, or as it is without a scaling."""
    if scaling is None:
        return rows
    probabilities = scaling.apply(arrays(rows)[1])
    columns = [predictions.PREFIX + name for name in predictions.classes(rows)]
    return rows.assign(**dict(zip(columns, probabilities.T, strict=True)))


def threshold(rows: pd.DataFrame, settings: Evaluate) -> float | None:
    """The probability above which a row is positive: as set, or chosen on the validation rows among `rows`.

    None with more than two classes, where a row belongs to the most probable one.
    """
    if (classes := len(predictions.classes(rows))) > 2:
        if settings.threshold != EVEN:
            raise UserError(f"evaluate.threshold must be {EVEN} for {classes} classes; got {settings.threshold}")
        return None
    if isinstance(settings.threshold, float):
        return settings.threshold
    y, probabilities = arrays(_validation(rows))
    return statistics.choose_threshold(y, probabilities[:, -1], settings.threshold, settings.target_precision)


def decide(rows: pd.DataFrame, limit: float | None) -> pd.DataFrame:
    """The table with a column `decided`, the class that each row is taken for: see `statistics.decide`."""
    names = np.array(predictions.classes(rows), dtype=object)
    return rows.assign(decided=names[statistics.decide(arrays(rows)[1], limit)])


def _validation(rows: pd.DataFrame) -> pd.DataFrame:
    chosen = rows[rows["split"] == "validation"]
    if chosen.empty:
        raise UserError("the predictions must hold validation rows to choose by; got none; run dvc repro")
    return chosen


# From decisions to numbers


def metrics(rows: pd.DataFrame) -> dict[str, float]:
    """Metrics of the decided rows of one split.

    Accuracy, balanced accuracy, log loss (nats), ROC AUC, F1, precision and recall; Matthews' correlation
    coefficient (`mcc`); Brier score and expected calibration error (`ece`). With two classes F1, precision, recall
    and ROC AUC are those of the positive one, which is the last; with more they are means over the classes, each
    against the rest. What has nothing to be counted in is 0. What is not defined for the rows is left out: ROC AUC
    where they lack a class, balanced accuracy and mcc where they hold one alone.
    """
    y, probabilities = arrays(rows)
    once = np.ones((1, len(y)))
    measured = statistics.weighted_metrics(y, probabilities, _positions(rows), once)
    return {name: round(float(value[0]), DIGITS) for name, value in measured.items() if value.ndim == 1}


def calibration(rows: pd.DataFrame) -> dict[str, float]:
    """Brier score and expected calibration error (`ece`) of the rows."""
    y, probabilities = arrays(rows)
    values = {
        "brier": statistics.brier(y, probabilities),
        "ece": statistics.calibration_error(y, probabilities),
    }
    return {name: round(value, DIGITS) for name, value in values.items()}


def resampled(models: Mapping[str, pd.DataFrame], settings: Evaluate, stratified: bool) -> dict[str, statistics.Draws]:
    """Each model's metrics in resamples of the decided rows of one split, for `intervals` and `by_class`.

    `models` have the same rows. `stratified` says whether the split holds the shares of the classes fixed; the
    resamples then do so too, and else do not.
    """
    return statistics.bootstrap(
        arrays(next(iter(models.values())))[0],
        {name: (arrays(rows)[1], _positions(rows)) for name, rows in models.items()},
        settings.seed,
        settings.resamples,
        stratified,
    )


def intervals(
    models: Mapping[str, pd.DataFrame], draws: Mapping[str, statistics.Draws], settings: Evaluate
) -> dict[str, dict[str, dict[str, float]]]:
    """Low and high end of the interval of each model's metrics, over the decided rows of one split.

    Wilson's for accuracy, the percentiles of the draws of `resampled` for the others. The calibration error has
    none: its bootstrap is biased (see `statistics.percentile`).
    """
    report = {}
    for name, rows in models.items():
        found = {
            metric: statistics.percentile(values, settings.confidence)
            for metric, values in draws[name].items()
            if values.ndim == 1 and metric != "ece"
        }
        found["accuracy"] = statistics.wilson(int(_right(rows).sum()), len(rows), settings.confidence)
        report[name] = {
            metric: {"low": round(low, DIGITS), "high": round(high, DIGITS)} for metric, (low, high) in found.items()
        }
    return report


def by_class(rows: pd.DataFrame, draws: statistics.Draws, settings: Evaluate) -> pd.DataFrame:
    """A row a class against the rest, over the decided rows of one split of one model.

    `split`, `class`, `support` (its rows), and `precision`, `recall`, `f1` and `roc_auc`, each with the `_low` and
    `_high` of its interval: Wilson's for recall, the percentiles of the draws of `resampled` for the others. A class
    without rows has none of these, which are then NaN, and one without others has no `roc_auc`.
    """
    names = predictions.classes(rows)
    y, probabilities = arrays(rows)
    decided = _positions(rows)
    once = statistics.weighted_metrics(y, probabilities, decided, np.ones((1, len(y))))
    table = []
    for position, name in enumerate(names):
        support = int((y == position).sum())
        row = {"split": rows["split"].iloc[0], "class": name, "support": support}
        for metric in CLASS_METRICS:
            value = once[f"class_{metric}"][0, position] if support else np.nan
            low, high = np.nan, np.nan
            if metric == "recall" and support:
                right = int(((y == position) & (decided == position)).sum())
                low, high = statistics.wilson(right, support, settings.confidence)
            elif np.isfinite(value):
                low, high = statistics.percentile(draws[f"class_{metric}"][:, position], settings.confidence)
            row |= {metric: value, f"{metric}_low": low, f"{metric}_high": high}
        table.append(row)
    return pd.DataFrame(table)


def best_model(measured: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str | None:
    """The model with the highest accuracy on the validation rows; of equals the one with the lower log loss there.

    None without validation rows: the test rows choose nothing.
    """
    judged = {name: splits["validation"] for name, splits in measured.items() if "validation" in splits}
    return max(judged, key=lambda name: (judged[name]["accuracy"], -judged[name]["log_loss"]), default=None)


def default_model(
    named: str | None, measured: Mapping[str, Mapping[str, Mapping[str, float]]], models: Sequence[str]
) -> str:
    """The model that stands for a run: the one named, or the best on the validation rows, or else the last trained."""
    return named or best_model(measured) or models[-1]


def best(measured: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    """The metrics, by split, of the best model; empty where there is none."""
    name = best_model(measured)
    return {} if name is None else dict(measured[name])


def comparisons(
    models: Mapping[str, pd.DataFrame], settings: Evaluate, stratified: bool
) -> dict[str, dict[str, float]]:
    """Each pair of models on the same decided rows, under `<later>_vs_<earlier>`.

    `difference` in accuracy with the `low` and `high` of its bootstrap interval; `only_first`, `only_second`
    rows that one alone has right; `p` of McNemar's exact test, and `p_holm`, corrected for the number of
    pairs; `smallest_difference` that so many rows could show with 80% power, left out where none is large
    enough. `stratified`: see `intervals`.
    """
    report: dict[str, dict[str, float]] = {}
    for (earlier, ours), (later, theirs) in combinations(models.items(), 2):
        right = _right(theirs), _right(ours)
        test = statistics.mcnemar(*right)
        difference = statistics.accuracy_difference(
            arrays(ours)[0], *right, settings.seed, settings.resamples, settings.confidence, stratified
        )
        entry = {**asdict(difference), "only_first": test.only_a, "only_second": test.only_b, "p": test.p}
        discordant = (test.only_a + test.only_b) / len(ours)
        smallest = statistics.smallest_difference(len(ours), discordant, settings.confidence)
        if smallest is not None:
            entry["smallest_difference"] = smallest
        report[f"{later}_vs_{earlier}"] = entry
    adjusted = statistics.holm(np.array([entry["p"] for entry in report.values()]))
    return {
        pair: {key: round(value, DIGITS) for key, value in (entry | {"p_holm": float(p)}).items()}
        for (pair, entry), p in zip(report.items(), adjusted, strict=True)
    }


def _right(rows: pd.DataFrame) -> NDArray[np.bool_]:
    return (rows["label"] == rows["decided"]).to_numpy(dtype=bool)


def _positions(rows: pd.DataFrame) -> NDArray[np.int64]:
    return _places(rows["decided"], predictions.classes(rows))


def _places(labels: pd.Series, names: list[str]) -> NDArray[np.int64]:
    places = {name: place for place, name in enumerate(names)}
    return np.array([places[label] for label in labels.tolist()], dtype=np.int64)


# Curves


def confusion(rows: pd.DataFrame) -> pd.DataFrame:
    """A row a pair of classes: `actual`, `predicted`, `count`, and `share`, its part of the actual class's rows."""
    names = predictions.classes(rows)
    pairs = _places(rows["label"], names) * len(names) + _positions(rows)
    counts = np.bincount(pairs, minlength=len(names) ** 2).reshape(len(names), -1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return pd.DataFrame(
        {
            "actual": np.repeat(names, len(names)),
            "predicted": np.tile(names, len(names)),
            "count": counts.ravel(),
            "share": shares.ravel(),
        }
    )


def roc(rows: pd.DataFrame) -> pd.DataFrame:
    """Corners of ROC curves: `class`, `false_positive_rate`, `true_positive_rate`, both ascending.

    One curve of two classes, of the positive one; of more a curve each, against the rest. A point midway between
    its neighbours is left out, as by scikit-learn's `roc_curve`. A rate is NaN where there is no row that it could be
    a share of.
    """
    tables = []
    for name, actual, scores in _against_the_rest(rows):
        false, true = _positives(actual, scores)
        corner = np.ones(len(true), dtype=bool)
        corner[1:-1] = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
        rates = [_rates(np.append(0, counts[corner]), none=np.nan) for counts in (false, true)]
        tables.append(pd.DataFrame({"class": name, "false_positive_rate": rates[0], "true_positive_rate": rates[1]}))
    return pd.concat(tables)


def precision_recall(rows: pd.DataFrame) -> pd.DataFrame:
    """Points of precision-recall curves: `class`, `recall` ascending, `precision`; the curves as of `roc`.

    Each begins at no recall with a precision of 1. Of more than two points with one recall the first and the last are
    kept, as by scikit-learn's `precision_recall_curve`. Recall is 1 throughout where there is nothing to be found.
    """
    tables = []
    for name, actual, scores in _against_the_rest(rows):
        false, true = _positives(actual, scores)
        end = np.ones(len(true), dtype=bool)
        end[1:-1] = (np.diff(true[:-1]) != 0) | (np.diff(true[1:]) != 0)
        false, true = false[end], true[end]
        recall, precision = _rates(true, none=1.0), true / (true + false)
        points = {"recall": np.append(0.0, recall), "precision": np.append(1.0, precision)}
        tables.append(pd.DataFrame({"class": name, **points}))
    return pd.concat(tables)


def _positives(actual: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many rows are falsely and truly positive, as the threshold falls to each distinct score (scores,)."""
    falling = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[falling])), len(scores) - 1)  # row of each score
    true = np.cumsum(actual[falling])[last]
    return last + 1 - true, true


def _rates(counts: NDArray[np.int64], none: float) -> NDArray[np.float64]:
    """The counts as shares of the last one, which is all there are; `none` where there are none."""
    return counts / counts[-1] if counts[-1] else np.full(len(counts), none)


def reliability(rows: pd.DataFrame, settings: Evaluate) -> pd.DataFrame:
    """A row a bin of confidence, as `statistics.reliability` has it."""
    bins = statistics.reliability(*arrays(rows), confidence=settings.confidence)
    return pd.DataFrame([asdict(found) for found in bins])


def _against_the_rest(rows: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.float64]]]:
    """Name, which rows are of it, and its probabilities, of each class, or of two of the positive one."""
    y, probabilities = arrays(rows)
    names = predictions.classes(rows)
    for position, name in enumerate(names):
        if len(names) > 2 or position == 1:
            yield name, y == position, probabilities[:, position]


def stacked(tables: Mapping[str, pd.DataFrame], columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """The tables of the models below one another, behind a column `model`; `columns` if there is no table."""
    if not tables:
        return pd.DataFrame(columns=["model", *columns])
    return pd.concat([table.assign(model=name)[["model", *table.columns]] for name, table in tables.items()])


def decisions(
    tables: Mapping[str, pd.DataFrame], settings: Evaluate
) -> tuple[dict[str, pd.DataFrame], dict[str, dict[str, Any]]]:
    """The decided rows of each model, and how they were decided.

    The second has, for each model, the `threshold` of two classes; where probabilities were scaled, the parameters
    of the scaling, and Brier score and calibration error of each split before it under `uncalibrated`.
    """
    decided: dict[str, pd.DataFrame] = {}
    report: dict[str, dict[str, Any]] = {}
    for name, rows in tables.items():
        scaling = calibrator(rows, settings)
        scaled = calibrated(rows, scaling)
        limit = threshold(scaled, settings)
        decided[name] = decide(scaled, limit)
        report[name] = {} if limit is None else {"threshold": limit}
        if scaling is not None:
            report[name] |= {key: round(value, DIGITS) for key, value in asdict(scaling).items()}
            report[name]["uncalibrated"] = {
                str(split): calibration(part) for split, part in rows.groupby("split", sort=False)
            }
    return decided, report
