"""Measure all models of a run, split by split, from their predictions alone."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision, Measured, best_model, logarithms
from textclf.artifacts.predictions import Predictions, concatenate
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.core.progress import track
from textclf.evaluate.choose import choose_decision
from textclf.evaluate.metrics import compute
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.slices.membership import Membership
from textclf.evaluate.split_clusters import Clusters, IdDigest
from textclf.evaluate.split_metrics import SplitMetrics

SCORES = ("accuracy", "log_loss")  # by which the default model is chosen
# What `dvc metrics` and `dvc exp show` list of each model
COMPARED = ("accuracy", "f1", "log_loss", "roc_auc")  # on rows that the model was not fitted to
FITTED = ("accuracy",)  # on the training rows
TRAINING = ("parameters", "epochs", "best_epoch")  # of a model that is trained in epochs

Summary = dict[str, float | dict[str, float]]


def measure(
    models: Mapping[str, Iterable[Predictions]],
    settings: Evaluate,
    stratified: bool,
    clusters: Mapping[str, Clusters] | None = None,
    membership: Membership | None = None,
) -> tuple[dict[str, SplitMetrics], dict[str, Decision]]:
    """Return the metrics of each split, and the decision of each model.

    `models` have their predictions in batches; `stratified` says whether the split fixed the shares of the classes;
    `clusters` are those of the splits with dependent rows, `membership` has the slices of the test rows. Raises
    `UserError` if the models have different rows, or not those of the clusters and slices.
    """
    clusters = clusters or {}
    expected = {split: (len(known.keys), known.ids) for split, known in clusters.items()}
    if membership is not None:
        expected["test"] = membership.rows, membership.ids
    parts: defaultdict[str, list[dict[str, Predictions]]] = defaultdict(list)
    rows: defaultdict[str, int] = defaultdict(int)
    ids: defaultdict[str, IdDigest] = defaultdict(IdDigest)
    for split, batch in track(read_together(models), "measure predictions"):
        first = next(iter(batch.values()))
        rows[split] += len(first)
        if split in expected:
            ids[split].add(first.ids.tolist())
            if rows[split] > expected[split][0]:
                raise _other_rows(split)
        empty = first.ids[:0].copy()  # not a view: ids take most of the memory
        parts[split].append({name: replace(part, ids=empty, split=empty) for name, part in batch.items()})
    for split, (_, known) in expected.items():
        if ids[split].digest() != known:
            raise _other_rows(split)
    together: dict[str, dict[str, Predictions]] = {}
    for split, batches in parts.items():
        together[split] = {name: concatenate([part[name] for part in batches]) for name in batches[0]}
        batches.clear()
    none = {name: rows.take(slice(0)) for name, rows in together["test"].items()}
    validation = none | together.get("validation", {})
    groups = {split: np.unique(clusters[split].keys, return_inverse=True)[1] for split in together if split in clusters}
    decisions = {name: choose_decision(rows, settings, groups.get("validation")) for name, rows in validation.items()}
    splits: dict[str, SplitMetrics] = {}
    for split, rows_of in together.items():
        some = {name: decisions[name] for name in rows_of}
        splits[split] = SplitMetrics(split, rows_of, some, settings, stratified, groups.get(split))
    return splits, decisions


def _other_rows(split: str) -> UserError:
    return UserError(f"the predictions must be of the {split} rows of data/splits, in their order; run dvc repro")


def read_together(models: Mapping[str, Iterable[Predictions]]) -> Iterator[tuple[str, dict[str, Predictions]]]:
    """Yield each split and a batch of the same rows of it from each model that predicts them, in order.

    Raises `UserError` if the models do not have the same rows in the same batches.
    """
    rule = "the predictions of all models must be of the same rows in the same batches"
    try:
        for batch in zip(*models.values(), strict=True):
            first = batch[0]
            for name, rows in zip(models, batch, strict=True):
                if rows is first:
                    continue
                same = rows.classes == first.classes and np.array_equal(rows.y, first.y)
                if not (same and np.array_equal(rows.ids, first.ids) and np.array_equal(rows.split, first.split)):
                    raise UserError(f"{rule}; those of {name} and {next(iter(models))} differ; run dvc repro")
            splits = list(dict.fromkeys(first.split.tolist()))
            for split in splits:
                # A row group of a large run belongs to one split and is not copied.
                chosen = slice(None) if len(splits) == 1 else first.split == split
                taken = {name: rows.take(chosen) for name, rows in zip(models, batch, strict=True)}
                yield split, {name: rows for name, rows in taken.items() if not np.isnan(rows.probabilities[0, 0])}
    except ValueError as error:  # of zip
        raise UserError(f"{rule}; one model has more batches than another; run dvc repro") from error


def crossvalidation_scores(held_out: Mapping[str, Predictions], decisions: Mapping[str, Decision]) -> dict[str, Any]:
    """Return rows, folds, accuracy and log loss of each model on the training rows that were held out from it."""
    report = {}
    for name, rows in held_out.items():
        calibrated = decisions[name].calibrate(rows.probabilities)
        metrics = compute(rows.y, calibrated, decisions[name].decide(calibrated))
        report[name] = {"rows": len(rows), "folds": len(set(rows.split))} | {key: metrics[key] for key in SCORES}
    return report


def guessing_log_loss(train: NDArray[np.int64], test: NDArray[np.int64]) -> float:
    """Return the log loss of test rows whose every text gets the class shares of the training rows, rounded.

    Both are numbers of rows per class (classes,).
    """
    return round(float(-(test * logarithms(train / train.sum())).sum() / test.sum()), DIGITS)


def decisions_report(
    splits: Mapping[str, SplitMetrics],
    decisions: Mapping[str, Decision],
    measured: Measured,
    held_out: Mapping[str, Predictions],
) -> dict[str, Any]:
    """Return the content of decisions.json: each model's decision, the protocol, and what chooses the default model.

    `ece_if_calibrated` has by split the calibration error that the model would have if its probabilities were right. A
    calibrated model has the metrics of its probabilities before calibration, by split, under `uncalibrated`, and under
    `validation_mistakes` the number of validation rows, or clusters of them, on which it was wrong then. `best`
    has the metrics of the best model on the validation rows, and is empty without them. `guessing` is what every model
    should be better than. `measured` are the metrics of the models trained here, `held_out` the predictions of a
    cross-validation within the training rows, which there is if it chooses the default model. `protocol.clusters` has
    the number of clusters of each split with dependent rows.
    """
    report: dict[str, Any] = {}
    for name, decision in decisions.items():
        of_model = {split: part for split, part in splits.items() if name in part.decisions}
        errors = {split: part.ece_if_calibrated(name) for split, part in of_model.items()}
        report[name] = decision.to_json() | {"ece_if_calibrated": errors}
        if decision.calibration:
            report[name]["uncalibrated"] = {split: part.uncalibrated(name) for split, part in of_model.items()}
            report[name]["validation_mistakes"] = of_model["validation"].mistakes(name)
    validated = {name: parts["validation"] for name, parts in measured.items() if "validation" in parts}
    rows = int(splits["validation"].matrices[next(iter(validated))].sum()) if validated else 0
    clusters = {name: part.clusters for name, part in splits.items() if part.clusters is not None}
    best = best_model(validated, clusters.get("validation", rows))
    train, test = (splits[name].matrices[next(iter(measured))].sum(axis=1) for name in ("train", "test"))
    return report | {
        "guessing": {"log_loss": guessing_log_loss(train, test)},
        "protocol": {"test_rows_watched": int(not validated), "validation_rows": rows}
        | ({"clusters": clusters} if clusters else {}),
        "best": {} if best is None else dict(measured[best]),
        "crossvalidation": crossvalidation_scores(held_out, decisions),
    }


def summarise(
    measured: Measured, records: Mapping[str, Mapping[str, float]], rows: int, columns: Mapping[str, int]
) -> dict[str, Summary]:
    """Return for each model the content of its file in metrics/models.

    `measured` is the content of evaluation.json, `records` that of training.json. `rows` is the number of training
    rows, `columns` that of the features of each model that was trained here.
    """
    summaries = {}
    for model, splits in measured.items():
        summary: Summary = {"rows": rows}
        if model in columns:
            summary["features"] = columns[model]
        if "epochs" in records[model]:
            summary |= {name: records[model][name] for name in TRAINING if name in records[model]}
        for split, metrics in splits.items():
            names = FITTED if split == "train" else COMPARED
            summary[split] = {name: metrics[name] for name in names if name in metrics}
        summaries[model] = summary
    return summaries
