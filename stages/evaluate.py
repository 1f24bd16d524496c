"""Measure every model, all alike, by what it predicted.

Reads: PREDICTION_FOLDER, a Parquet file a model; MODEL_FOLDER, a folder a model with the record of its training.
Writes: files of metrics, model by model; the history of the training, the metrics of each class, and four curves
of the test rows as CSV.
Params: evaluate, split, train.models.
"""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from textclf import evaluation, files, predictions, stage
from textclf.params import Params


def run(
    params: Params,
    prediction_folder: Path,
    model_folder: Path,
    evaluation_json: Path,
    intervals_json: Path,
    comparisons_json: Path,
    decisions_json: Path,
    training_json: Path,
    history_csv: Path,
    classes_csv: Path,
    confusion_csv: Path,
    roc_csv: Path,
    precision_recall_csv: Path,
    reliability_csv: Path,
) -> None:
    """Evaluate the models of train.models, and remove what is left of others."""
    names: tuple[str, ...] = params.train.models
    settings, stratified = params.evaluate, params.split.stratify
    records = {name: files.read_json(model_folder / name / "training.json") for name in names}
    histories = {
        name: files.read_csv(path, evaluation.HISTORY_COLUMNS)
        for name in names
        if (path := model_folder / name / "history.csv").exists()
    }
    decided, decisions = evaluation.decisions(predictions.read(prediction_folder, names), settings)
    by_split = {
        split: {name: rows[rows["split"] == split] for name, rows in decided.items()}
        for split in decided[names[0]]["split"].unique()
    }
    draws = {split: evaluation.resampled(tables, settings, stratified) for split, tables in by_split.items()}
    intervals = {split: evaluation.intervals(tables, draws[split], settings) for split, tables in by_split.items()}
    measured = {name: {split: evaluation.metrics(tables[name]) for split, tables in by_split.items()} for name in names}
    protocol = {"protocol": {"test_rows_watched": int("validation" not in by_split)}}
    metrics: dict[Path, dict[str, Any]] = {
        evaluation_json: measured,
        intervals_json: {name: {split: intervals[split][name] for split in by_split} for name in names},
        comparisons_json: evaluation.comparisons(by_split["test"], settings, stratified),
        decisions_json: decisions | protocol | {"best": evaluation.best(measured)},
        training_json: records,
    }
    classes = {
        name: pd.concat(
            [evaluation.by_class(tables[name], draws[split][name], settings) for split, tables in by_split.items()]
        )
        for name in names
    }
    curves = {
        history_csv: evaluation.stacked(histories, evaluation.HISTORY_COLUMNS),
        classes_csv: evaluation.stacked(classes),
        **{
            path: evaluation.stacked({name: curve(rows) for name, rows in by_split["test"].items()})
            for path, curve in (
                (confusion_csv, evaluation.confusion),
                (roc_csv, evaluation.roc),
                (precision_recall_csv, evaluation.precision_recall),
                (reliability_csv, partial(evaluation.reliability, settings=settings)),
            )
        },
    }
    with files.outputs(*metrics, *curves) as scratch:
        for path, numbers in zip(scratch, metrics.values(), strict=False):
            files.write_json(path, numbers)
        for path, table in zip(scratch[len(metrics) :], curves.values(), strict=True):
            files.write_csv(path, table)
    for path in predictions.dropped(prediction_folder, model_folder, names):
        # DVC has it in its cache, and would otherwise record it as an input of this run.
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        print(f"{path} removed, as its model is no longer in train.models")
    for name, splits in measured.items():
        test = intervals["test"][name]["accuracy"]
        accuracies = (f"{split} {values['accuracy']:.3f}" for split, values in splits.items())
        print(f"{name}: accuracy {', '.join(accuracies)} ({test['low']:.3f} to {test['high']:.3f})")


if __name__ == "__main__":
    stage.main(run)
