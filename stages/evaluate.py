"""Measure every model, all alike, by what it predicted.

Reads: PREDICTION_FOLDER, a Parquet file a model; MODEL_FOLDER, a folder a model with the record of its training.
Writes: two files of metrics, model by model; the history of the training and three curves of the test rows as CSV.
Params: train.models.
"""

from pathlib import Path

from textclf import evaluation, files, predictions, stage
from textclf.params import Params


def run(
    params: Params,
    prediction_folder: Path,
    model_folder: Path,
    evaluation_json: Path,
    training_json: Path,
    history_csv: Path,
    confusion_csv: Path,
    roc_csv: Path,
    precision_recall_csv: Path,
) -> None:
    """Evaluate the models of train.models."""
    names: tuple[str, ...] = params.train.models
    tables = predictions.read(prediction_folder, names)
    records = {name: files.read_json(model_folder / name / "training.json") for name in names}
    histories = {
        name: files.read_csv(path, evaluation.HISTORY_COLUMNS)
        for name in names
        if (path := model_folder / name / "history.csv").exists()
    }
    numbers = {
        name: {str(split): evaluation.metrics(rows) for split, rows in table.groupby("split", sort=False)}
        for name, table in tables.items()
    }
    test = {name: table[table["split"] == "test"] for name, table in tables.items()}
    with files.outputs(
        evaluation_json, training_json, history_csv, confusion_csv, roc_csv, precision_recall_csv
    ) as scratch:
        files.write_json(scratch[0], numbers)
        files.write_json(scratch[1], records)
        files.write_csv(scratch[2], evaluation.stacked(histories, evaluation.HISTORY_COLUMNS))
        for path, curve in zip(
            scratch[3:], (evaluation.confusion, evaluation.roc, evaluation.precision_recall), strict=True
        ):
            files.write_csv(path, evaluation.stacked({name: curve(rows) for name, rows in test.items()}))
    for name, splits in numbers.items():
        print(
            name,
            *(f"{split} accuracy {values['accuracy']:.3f}" for split, values in splits.items()),
            sep="  ",
        )


if __name__ == "__main__":
    stage.main(run)
