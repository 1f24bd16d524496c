"""Measure all models of a run, split by split, from their predictions alone."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision, Measured
from textclf.artifacts.predictions import Predictions, concatenate, read
from textclf.core.errors import UserError
from textclf.core.files import SPLITS
from textclf.core.formatting import count_noun
from textclf.core.progress import track
from textclf.core.quoting import quote_value
from textclf.core.scale import Scale
from textclf.evaluate import registry
from textclf.evaluate.choose import choose_baseline, choose_decision, has_few
from textclf.evaluate.clusters import effective_sample_size
from textclf.evaluate.intervals import Difference
from textclf.evaluate.model_choice import choose, chooses, compare_candidates, score_after_choice
from textclf.evaluate.prepare import prepare
from textclf.evaluate.registry import LOG_LOSS, METRICS, OF_SETS
from textclf.evaluate.results import (
    Calibrated,
    Choice,
    Decisions,
    FoldScores,
    ModelDecision,
    Protocol,
)
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.slices.membership import Membership
from textclf.evaluate.split_clusters import IdDigest, find_held_out_clusters
from textclf.evaluate.split_metrics import SplitMetrics

GUESSING = "guessing"  # the baseline, in decisions.json; no model has this name
SCORES = ("accuracy", "cost", "mae", "log_loss")  # by which the default model is chosen
OF_BASELINE = (*SCORES, *OF_SETS)  # the metrics of guessing
# What `dvc metrics` and `dvc exp show` list of each model: the metrics on rows that it was not
# fitted to, those on the training rows, and the records of a training in epochs.
COMPARED = [name for name, metric in METRICS.items() if metric.listed]
FITTED = ("accuracy",)
TRAINING = ("parameters", "epochs", "best_epoch")

Summary = dict[str, float | dict[str, float]]
RowsOfSplits = dict[str, dict[str, Predictions]]  # by split and model


@dataclass(frozen=True)
class HeldOut:
    """Predictions of models for the same held-out training rows.

    `clusters` (rows,) are those of dependent rows, None if the rows are independent.
    """

    models: Mapping[str, Predictions] = field(default_factory=dict)
    clusters: NDArray[np.int64] | None = None


def read_held_out(paths: Mapping[str, Path], splits: Path) -> HeldOut:
    """Return the predictions of the models whose file of held-out rows exists.

    `splits` is the folder with the training rows.
    """
    models = {name: read(path) for name, path in paths.items() if path.exists()}
    if not models:
        return HeldOut()
    return HeldOut(models, find_held_out_clusters(splits, next(iter(models.values())).ids))


def decide(
    models: Mapping[str, Iterable[Predictions]],
    settings: Evaluate,
    clusters: Mapping[str, NDArray[np.int64]] | None = None,
    membership: Membership | None = None,
    held_out: HeldOut | None = None,
    baselines: Collection[str] = (),
    scale: Scale | None = None,
) -> tuple[RowsOfSplits, dict[str, Decision]]:
    """Return the predictions of all models by split, and the decision of each model.

    Validation rows choose the decisions or, without them, the rows of `held_out`; those of
    `baselines`, which ignore the texts, follow from the training rows. `models` have their
    predictions in batches; `clusters` are those of the splits with dependent rows, `membership` has
    the slices of the test rows, `scale` is that of ordered classes. Raises `UserError` if the
    models have different rows, or other test rows than the slices, or if a model has no rows by
    which to choose.
    """
    together = _read_splits(models, membership)
    none = {name: rows.take(slice(0)) for name, rows in together["test"].items()}
    chooser = held_out
    if "validation" in together:
        chooser = HeldOut(together["validation"], (clusters or {}).get("validation"))
    choosing = none | (dict(chooser.models) if chooser else {})
    # Without such rows, predictions made elsewhere stay as they are.
    as_given = settings.model_copy(update={"calibration": "none"})
    of = {
        name: settings if len(rows) or name not in settings.external else as_given
        for name, rows in choosing.items()
    }
    choosers = {name: rows for name, rows in choosing.items() if name not in baselines}
    without = [name for name, rows in choosers.items() if of[name].chooses and not len(rows)]
    if without:
        train = next(iter(together.get("train", {}).values()), None)
        advice = _rarest(train) if train is not None and train.multilabel else ""
        raise UserError(
            "evaluate.calibration and evaluate.threshold must have validation rows, "
            "or held-out training rows of each model, to choose by; "
            f"got none of {', '.join(without)}: set split.validation_size{advice}"
        )
    clustered = chooser.clusters if chooser else None
    decisions: dict[str, Decision] = {}
    for name, rows in choosing.items():
        if name in baselines:
            y = together["train"][name].y
            decisions[name] = choose_baseline(y, rows.classes, settings, scale)
        else:
            decisions[name] = choose_decision(rows, of[name], clustered, scale)
    return together, decisions


def _read_splits(
    models: Mapping[str, Iterable[Predictions]], membership: Membership | None
) -> RowsOfSplits:
    parts: defaultdict[str, list[dict[str, Predictions]]] = defaultdict(list)
    test_ids = IdDigest()
    for split, batch in track(read_together(models), "measure predictions"):
        first = next(iter(batch.values()))
        if split == "test":
            test_ids.add(first.ids.tolist())
        empty = first.ids[:0].copy()  # not a view: ids take most of the memory
        parts[split].append(
            {name: replace(part, ids=empty, split=empty) for name, part in batch.items()}
        )
    if membership is not None and test_ids.digest() != membership.ids:
        raise UserError(
            "the predictions must be of the test rows of data/splits, in their order; run dvc repro"
        )
    together: RowsOfSplits = {}
    for split, batches in parts.items():
        together[split] = {
            name: concatenate([part[name] for part in batches]) for name in batches[0]
        }
        batches.clear()
    return together


def measure(
    rows: RowsOfSplits,
    decisions: Mapping[str, Decision],
    settings: Evaluate,
    stratified: bool,
    clusters: Mapping[str, NDArray[np.int64]],
) -> dict[str, SplitMetrics]:
    """Return the metrics of each split, of the rows and decisions of `decide`.

    `stratified` says whether the split fixed the shares of the classes; `clusters` are those of the
    splits with dependent rows.
    """
    parts = {
        split: SplitMetrics(
            split,
            of_split,
            {name: decisions[name] for name in of_split},
            settings,
            stratified,
            clusters.get(split),
        )
        for split, of_split in rows.items()
    }
    prepare(parts)
    return parts


def _rarest(rows: Predictions) -> str:
    """Return advice to leave out the rarest label, without which a fold cannot train a model."""
    count, name = min(zip(rows.y.sum(axis=0, dtype=int).tolist(), rows.classes, strict=True))
    return (
        f", or leave out {quote_value(name)}, a label of only {count_noun(count, 'training row')}"
    )


def read_together(
    models: Mapping[str, Iterable[Predictions]],
) -> Iterator[tuple[str, dict[str, Predictions]]]:
    """Yield each split, and a batch of the same rows of it from each model that predicts them.

    Raises `UserError` if the models do not have the same rows in the same batches.
    """
    rule = "the predictions of all models must be of the same rows in the same batches"
    try:
        for batch in zip(*models.values(), strict=True):
            first = batch[0]
            for name, rows in zip(models, batch, strict=True):
                if rows is first:
                    continue
                same = (
                    rows.classes == first.classes
                    and np.array_equal(rows.y, first.y)
                    and np.array_equal(rows.ids, first.ids)
                    and np.array_equal(rows.split, first.split)
                )
                if not same:
                    raise UserError(
                        f"{rule}; those of {name} and {next(iter(models))} differ; run dvc repro"
                    )
            splits = list(dict.fromkeys(first.split.tolist()))
            for split in filter(SPLITS.__contains__, splits):  # not those of texts of no class
                # A row group of a large run belongs to one split and is not copied.
                chosen = slice(None) if len(splits) == 1 else first.split == split
                taken = {name: rows.take(chosen) for name, rows in zip(models, batch, strict=True)}
                predicted = {
                    name: rows
                    for name, rows in taken.items()
                    if not np.isnan(rows.probabilities[0, 0])
                }
                yield split, predicted
    except ValueError as error:  # of zip
        raise UserError(
            f"{rule}; one model has more batches than another; run dvc repro"
        ) from error


def compare_with_guessing(
    train: SplitMetrics, test: SplitMetrics
) -> tuple[dict[str, float], dict[str, Difference | None]]:
    """Return metrics of guessing on the test rows, and each model's log loss minus that of it.

    Guessing predicts for every text the class shares of the training rows or, with several labels
    per text, the share of the rows with each label; its answer is that of `choose_baseline`. The
    differences are paired by row, None if there are too few rows for an interval.
    """
    shares, rows = train.support / train.rows, test.of_rows
    decision = choose_baseline(train.of_rows.y, train.classes, test.settings, rows.scale)
    decided = decision.decide(shares[np.newaxis])[0]
    guessed = replace(
        rows,
        probabilities=np.broadcast_to(shares, (test.rows, len(shares))),
        decided=np.broadcast_to(decided, rows.y.shape),
    )
    pairs = [(name, GUESSING) for name in test.values]
    models = {**test.judged, GUESSING: guessed}
    differences = LOG_LOSS.compare(models, pairs, test.settings.confidence)
    measured = registry.measure(guessed, OF_BASELINE)
    return measured, {name: differences[name, GUESSING] for name in test.values}


def find_unseen_cost(part: SplitMetrics, model: str) -> dict[str, dict[str, float]]:
    """Return the largest cost of a decided class, as evaluate.costs has it, if no row shows it.

    A row shows it if its own cost is as large. A model that decides all texts alike makes no other
    decisions.
    """
    costs, counts = np.array(part.judged[model].costs), part.judged[model].matrix
    shown = costs[:, : counts.shape[1]][counts > 0].max()
    actual, decided = np.unravel_index(costs[:, : len(costs)].argmax(), (len(costs), len(costs)))
    cost = float(costs[actual, decided])
    if cost <= shown or part.judged[model].constant:
        return {}
    return {part.classes[actual]: {part.classes[decided]: cost}}


def decisions_report(
    splits: Mapping[str, SplitMetrics],
    decisions: Mapping[str, Decision],
    measured: Measured,
    held_out: HeldOut,
    watching: Collection[str],
    test_rows: int | None = None,
) -> Decisions:
    """Return the content of decisions.json: the protocol, decisions, choice of the default model.

    `measured` are the metrics of the models trained here, from the fastest to the slowest;
    `watching` are those that recorded their loss on validation or test rows while training;
    `test_rows` is the checksum of the test rows.
    """
    train, test, choosing = splits["train"], splits["test"], splits.get("validation")
    rows = 0 if choosing is None else choosing.rows
    if choosing is None and held_out.models:
        chosen = {name: decisions[name] for name in held_out.models}
        stratified = test.of_rows.stratified
        choosing = SplitMetrics(
            "held-out", held_out.models, chosen, test.settings, stratified, held_out.clusters
        )
    baseline, above = compare_with_guessing(train, test)
    models: dict[str, Any] = {
        name: _report_model(name, decision, splits, choosing, above[name])
        for name, decision in decisions.items()
    }
    protocol: dict[str, Any] = {
        "test_rows_watched": int(bool(watching) and not rows),
        "validation_rows": rows,
    }
    if test_rows is not None:
        protocol["test_rows"] = test_rows
    clustered = {name: part.of_rows.clusters for name, part in splits.items()}
    sizes = {
        name: np.bincount(clusters) for name, clusters in clustered.items() if clusters is not None
    }
    if sizes:
        protocol["clusters"] = {name: len(counts) for name, counts in sizes.items()}
        protocol["independent_rows"] = {
            name: effective_sample_size(counts) for name, counts in sizes.items()
        }
    report: dict[str, Any] = {"guessing": baseline, "best": {}, "crossvalidation": {}}
    candidates = [name for name in measured if choosing is not None and name in choosing.decisions]
    if choosing is not None and candidates:
        if not rows:
            protocol["held_out_rows"] = choosing.rows
            for name, part in held_out.models.items():
                scores = registry.measure(choosing.before_rejection(name), SCORES)
                report["crossvalidation"][name] = FoldScores(
                    rows=len(part), folds=len(set(part.split)), **scores
                )
        chosen_by = {name: choosing.before_rejection(name) for name in candidates}
        compared = compare_candidates(chosen_by)
        report["best"] = measured[choose(compared)]
        if len(measured) > 1:
            expected = score_after_choice(chosen_by)
            score = {} if expected is None else {chooses(chosen_by).name: expected}
            report["choice"] = Choice(models=compared, **score)
    return Decisions(**models, **report, protocol=Protocol(**protocol))


def _report_model(
    name: str,
    decision: Decision,
    splits: Mapping[str, SplitMetrics],
    choosing: SplitMetrics | None,
    above: Difference | None,
) -> ModelDecision:
    """Return a model's part of decisions.json.

    `choosing` are the rows that chose, `above` is the comparison with guessing.
    """
    of_model = {split: part for split, part in splits.items() if name in part.decisions}
    report: dict[str, Any] = {
        "ece_if_calibrated": {
            split: part.ece_if_calibrated(name) for split, part in of_model.items()
        },
        "guessing": above and above.rounded(),
    }
    if decision.costs is not None:
        unseen = find_unseen_cost(splits["test"], name)
        if unseen:
            report["unseen_cost"] = unseen
    calibrates = (
        choosing is not None and choosing.settings.calibration != "none" and not decision.baseline
    )
    if choosing is not None and calibrates and name in choosing.judged:
        before, after = (
            LOG_LOSS.value(rows)
            for rows in (choosing.before_calibration(name), choosing.judged[name])
        )
        report["calibrated"] = Calibrated(rows=choosing.rows, before=before, after=after)
    if decision.calibration and choosing is not None:
        report["uncalibrated"] = {
            split: part.uncalibrated(name) for split, part in of_model.items()
        }
        report["validation_mistakes"] = choosing.mistakes(name)
    if (
        decision.multilabel
        and choosing is not None
        and choosing.settings.threshold in ("f1", "precision")
    ):
        few = has_few(choosing.of_rows.y, choosing.of_rows.clusters)
        report["labels_of_few_rows"] = int(few.sum())
    return ModelDecision(**decision.to_json(), **report)


def summarise(
    measured: Measured,
    records: Mapping[str, Mapping[str, float]],
    rows: int,
    columns: Mapping[str, int],
) -> dict[str, Summary]:
    """Return for each model the content of its file in metrics/models.

    `measured` is the content of evaluation.json, `records` that of training.json. `rows` is the
    number of training rows, `columns` that of the features of each model that was trained here.
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
