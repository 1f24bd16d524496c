"""Train one model, and predict every row with it.

Reads: FEATURES, an npz a split.
Writes: MODEL_FOLDER, the fitted model with the record and the history of its training; PREDICTIONS, Parquet.
Params: train.<model>.
"""

from pathlib import Path

from textclf import features, files, predictions, stage
from textclf.errors import UserError
from textclf.params import Params
from textclf.training import train


def run(params: Params, model: str, feature_folder: Path, model_folder: Path, prediction_file: Path) -> None:
    """Train the MODEL named, on the training rows of FEATURE_FOLDER."""
    if model not in params.train.models:
        raise UserError(f"model must be in train.models ({', '.join(params.train.models)}); got {model}")
    trained = train(model, features.read(feature_folder), getattr(params.train, model))
    print(trained.model.summary())
    with files.outputs(model_folder, prediction_file) as (folder, rows):
        folder.mkdir()
        trained.model.save(folder)
        files.write_json(folder / "training.json", dict(trained.model.record))
        if (history := trained.model.history) is not None:
            files.write_csv(folder / "history.csv", history.replace({"split": {"watched": trained.watched}}))
        predictions.write(trained.predictions, rows)


if __name__ == "__main__":
    stage.main(run)
