"""Measure every model, all alike, by what it predicted.

Reads: PREDICTION_FOLDER, a Parquet file a model; MODEL_FOLDER, a folder a model with the record of its training.
Writes: files of metrics, model by model; the history of the training, the metrics of each class, and four curves
of the test rows as CSV.
Params: evaluate, split, train.models.
"""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from textclf.artifacts import predictions
from textclf.core import files, stage
from textclf.evaluate import evaluation
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
    models = evaluation.open_models(prediction_folder, names)
    by_split, decisions = evaluation.measure(models, settings, stratified)
    intervals = {split: {name: part.intervals(name) for name in names} for split, part in by_split.items()}
    measured = {name: {split: part.metrics(name) for split, part in by_split.items()} for name in names}
    protocol = {"protocol": {"test_rows_watched": int("validation" not in by_split)}}
    metrics: dict[Path, dict[str, Any]] = {
        evaluation_json: measured,
        intervals_json: {name: {split: intervals[split][name] for split in by_split} for name in names},
        comparisons_json: by_split["test"].comparisons(),
        decisions_json: decisions | protocol | {"best": evaluation.best(measured)},
        training_json: records,
    }
    classes = {name: pd.concat([part.by_class(name) for part in by_split.values()]) for name in names}
    test = by_split["test"]
    curves = {
        history_csv: evaluation.stacked(histories, evaluation.HISTORY_COLUMNS),
        classes_csv: evaluation.stacked(classes),
        **{
            path: evaluation.stacked({name: curve(name) for name in names})
            for path, curve in (
                (confusion_csv, test.confusion),
                (roc_csv, test.roc),
                (precision_recall_csv, test.precision_recall),
                (reliability_csv, test.reliability),
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
        ends = intervals["test"][name]["accuracy"]
        accuracies = (f"{split} {values['accuracy']:.3f}" for split, values in splits.items())
        print(f"{name}: accuracy {', '.join(accuracies)} ({ends['low']:.3f} to {ends['high']:.3f})")


if __name__ == "__main__":
    stage.main(run)
