"""Train one model, and predict every row with it.

Reads: FEATURES, an npz a split, or several where it has more rows than a shard holds.
Writes: MODEL_FOLDER, the fitted model with the record and the history of its training; PREDICTIONS, Parquet.
Params: train.<model>.
"""

import shutil
from pathlib import Path

from textclf.artifacts import predictions
from textclf.core import files, stage
from textclf.core.errors import UserError
from textclf.models import fitting as training
from textclf.models import multiworker, streaming
from textclf.params import Params
from textclf.vectorize import features


def run(params: Params, model: str, feature_folder: Path, model_folder: Path, prediction_file: Path) -> None:
    """Train the MODEL named, on the training rows of FEATURE_FOLDER."""
    if model not in params.train.models:
        raise UserError(f"model must be in train.models ({', '.join(params.train.models)}); got {model}")
    chief = multiworker.is_chief()  # of several workers that train one model, one writes
    splits, settings = features.open_shards(feature_folder), getattr(params.train, model)
    # Beside the folder of all models, which is an input of other stages, and out of the way when DVC removes outputs.
    beside, prefix = model_folder.parent.parent, f".scratch-{model}-"
    scratch = beside / f"{prefix}{streaming.fingerprint(splits, settings)}"
    trained = training.train_shards(model, splits, settings, scratch)
    if not chief:
        return
    print(trained.model.summary())
    with files.outputs(model_folder, prediction_file) as (folder, rows):
        folder.mkdir()
        trained.model.save(folder)
        files.write_json(folder / "training.json", dict(trained.model.record))
        if (history := trained.model.history) is not None:
            files.write_csv(folder / "history.csv", history.replace({"split": {"watched": trained.watched}}))
        predictions.write_batches(trained.tables, rows)
    for left in beside.glob(f"{prefix}*"):  # of this training, and of those that were given up
        shutil.rmtree(left)


if __name__ == "__main__":
    stage.main(run)
