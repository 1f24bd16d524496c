"""Metrics, intervals, comparisons and curves of models, from their predictions alone."""

from collections.abc import Mapping
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

Calibrator = statistics.Temperature | statistics.Platt


def arrays(rows: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions of the labels among the classes (rows,), and the probabilities (rows, classes)."""
    names = predictions.classes(rows)
    y = np.array([names.index(label) for label in rows["label"]], dtype=np.int64)
    return y, rows[[predictions.PREFIX + name for name in names]].to_numpy(dtype=np.float64)


# From probabilities to decisions


def calibrator(rows: pd.DataFrame, settings: Evaluate) -> Calibrator | None:
    """The scaling of probabilities that `settings` ask for, fitted on the validation rows among `rows`."""
    if settings.calibration == "none":
        return None
    y, probabilities = arrays(_validation(rows))
    if settings.calibration == "platt":
        return statistics.fit_platt(y, probabilities)
    return statistics.fit_temperature(y, probabilities)


def calibrated(rows: pd.DataFrame, scaling: Calibrator | None) -> pd.DataFrame:
    """The table of predictions with its probabilities scaled, or as it is without a scaling."""
    if scaling is None:
        return rows
    probabilities = scaling.apply(arrays(rows)[1])
    columns = [predictions.PREFIX + name for name in predictions.classes(rows)]
    return rows.assign(**dict(zip(columns, probabilities.T, strict=True)))


def threshold(rows: pd.DataFrame, settings: Evaluate) -> float:
    """The probability above which a row is positive: as set, or chosen on the validation rows among `rows`."""
    if isinstance(settings.threshold, float):
        return settings.threshold
    y, probabilities = arrays(_validation(rows))
    return statistics.choose_threshold(y, probabilities[:, -1], settings.threshold, settings.target_precision)


def decide(rows: pd.DataFrame, limit: float) -> pd.DataFrame:
    """The table with a column `decided`, the class that each row is taken for.

    The positive class is the last one; a row belongs to it where its probability is above the limit.
    """
    negative, positive = predictions.classes(rows)
    return rows.assign(decided=np.where(rows[predictions.PREFIX + positive] > limit, positive, negative))


def _validation(rows: pd.DataFrame) -> pd.DataFrame:
    chosen = rows[rows["split"] == "validation"]
    if chosen.empty:
        raise UserError("the predictions must hold validation rows to choose by; got none; run dvc repro")
    return chosen


# From decisions to numbers


def metrics(rows: pd.DataFrame) -> dict[str, float]:
    """Metrics of the decided rows of one split.

    Accuracy, log loss (nats), ROC AUC, F1, precision and recall; Brier score and expected calibration error.
    F1, precision and recall are those of the positive class, which is the last one; precision is 0 where
    nothing is predicted positive. ROC AUC is left out where the rows hold one class alone: it is not defined
    there.
    """
    from sklearn import metrics as sk

    y, probabilities = arrays(rows)
    names = predictions.classes(rows)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        rows["label"], rows["decided"], labels=names, average="binary", pos_label=names[-1], zero_division=0
    )
    values = {
        "accuracy": sk.accuracy_score(rows["label"], rows["decided"]),
        "log_loss": sk.log_loss(y, probabilities, labels=np.arange(len(names))),
        "f1": f1,
        "precision": precision,
        "recall": recall,
        **calibration(rows),
    }
    if len(np.unique(y)) > 1:
        values["roc_auc"] = sk.roc_auc_score(y, probabilities[:, -1])
    return {name: round(float(value), DIGITS) for name, value in values.items()}


def calibration(rows: pd.DataFrame) -> dict[str, float]:
    """Brier score and expected calibration error (`ece`) of the rows."""
    y, probabilities = arrays(rows)
    values = {
        "brier": statistics.brier(y, probabilities),
        "ece": statistics.calibration_error(y, probabilities),
    }
    return {name: round(value, DIGITS) for name, value in values.items()}


def intervals(
    models: Mapping[str, pd.DataFrame], settings: Evaluate, stratified: bool
) -> dict[str, dict[str, dict[str, float]]]:
    """Low and high end of the interval of each model's metrics, over the decided rows of one split.

    Wilson's for accuracy, the percentiles of a bootstrap for the others; `models` have the same rows. `stratified`
    says whether the split holds the shares of the classes fixed; the resamples then do so too, and else do not.
    The calibration error has none: its bootstrap is biased (see `statistics.percentile`).
    """
    draws = statistics.bootstrap(
        arrays(next(iter(models.values())))[0],
        {name: (arrays(rows)[1], _positions(rows)) for name, rows in models.items()},
        settings.seed,
        settings.resamples,
        stratified,
    )
    report = {}
    for name, rows in models.items():
        found = {
            metric: statistics.percentile(draws[name][metric], settings.confidence)
            for metric in metrics(rows)
            if metric in draws[name] and metric != "ece"
        }
        found["accuracy"] = statistics.wilson(int(_right(rows).sum()), len(rows), settings.confidence)
        report[name] = {
            metric: {"low": round(low, DIGITS), "high": round(high, DIGITS)} for metric, (low, high) in found.items()
        }
    return report


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
    names = predictions.classes(rows)
    return np.array([names.index(name) for name in rows["decided"]], dtype=np.int64)


# Curves


def confusion(rows: pd.DataFrame) -> pd.DataFrame:
    """A row a pair of classes: `actual`, `predicted`, `count`, and `share`, its part of the actual class's rows."""
    from sklearn.metrics import confusion_matrix

    names = predictions.classes(rows)
    counts = confusion_matrix(rows["label"], rows["decided"], labels=names)
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
    """Corners of the ROC curve of the positive class: `false_positive_rate`, `true_positive_rate`, both ascending."""
    from sklearn.metrics import roc_curve

    y, scores = _positive(rows)
    false_positive_rate, true_positive_rate, _ = roc_curve(y, scores)
    return pd.DataFrame({"false_positive_rate": false_positive_rate, "true_positive_rate": true_positive_rate})


def precision_recall(rows: pd.DataFrame) -> pd.DataFrame:
    """Points of the precision-recall curve of the positive class: `recall` ascending, `precision`."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(*_positive(rows), drop_intermediate=True)
    return pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]})


def reliability(rows: pd.DataFrame, settings: Evaluate) -> pd.DataFrame:
    """A row a bin of confidence, as `statistics.reliability` has it."""
    bins = statistics.reliability(*arrays(rows), confidence=settings.confidence)
    return pd.DataFrame([asdict(found) for found in bins])


def _positive(rows: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    y, probabilities = arrays(rows)
    return y == probabilities.shape[1] - 1, probabilities[:, -1]


def stacked(tables: Mapping[str, pd.DataFrame], columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """The tables of the models below one another, behind a column `model`; `columns` if there is no table."""
    if not tables:
        return pd.DataFrame(columns=["model", *columns])
    return pd.concat([table.assign(model=name)[["model", *table.columns]] for name, table in tables.items()])


def decisions(
    tables: Mapping[str, pd.DataFrame], settings: Evaluate
) -> tuple[dict[str, pd.DataFrame], dict[str, dict[str, Any]]]:
    """The decided rows of each model, and how they were decided.

    The second has, for each model, the `threshold`; where probabilities were scaled, the parameters of the
    scaling, and Brier score and calibration error of each split before it under `uncalibrated`.
    """
    decided: dict[str, pd.DataFrame] = {}
    report: dict[str, dict[str, Any]] = {}
    for name, rows in tables.items():
        scaling = calibrator(rows, settings)
        scaled = calibrated(rows, scaling)
        limit = threshold(scaled, settings)
        decided[name] = decide(scaled, limit)
        report[name] = {"threshold": limit}
        if scaling is not None:
            report[name] |= {key: round(value, DIGITS) for key, value in asdict(scaling).items()}
            report[name]["uncalibrated"] = {
                str(split): calibration(part) for split, part in rows.groupby("split", sort=False)
            }
    return decided, report
