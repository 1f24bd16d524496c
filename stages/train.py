"""Train one model, and predict every row with it.

Reads: INPUTS, the file <model>.json, which says what kind of model it is and which features it reads; these below
FEATURES, whose fingerprints the file holds; from PRETRAINED the weights that the model starts from, if it does.
Writes: into TRAINED the folder <model>: the fitted model with its inputs, the record and the history of its training
and, without validation rows, its predictions for held-out training rows; into PREDICTIONS <model>.parquet.
Params: train.<model>.
"""

import shutil
from pathlib import Path

from textclf.artifacts import classifiers, room
from textclf.artifacts import inputs as model_inputs
from textclf.artifacts import predictions as prediction_files
from textclf.artifacts.checksums import write_manifest
from textclf.core import files
from textclf.core.outputs import outputs
from textclf.core.settings import load_section
from textclf.core.stage import item_of, main
from textclf.models.common import crossvalidation, fitting, scratch, workers
from textclf.models.common.class_weights import count_classes
from textclf.models.common.fitted import Folders
from textclf.models.common.loading import settings_class


def run(*, stage: str, inputs: Path, features: Path, pretrained: Path, trained: Path, predictions: Path) -> None:
    """Train the model of STAGE, such as train@keras, on the training rows of its features."""
    model = item_of(stage)
    read = model_inputs.read(inputs / f"{model}.json")
    settings = load_section(f"train.{model}", settings_class(model, read.kind))
    splits = model_inputs.open_features(read, features)
    counts = {name: count_classes(shards) for name, shards in splits.items()}
    classes, _ = counts["train"]
    row_count = room.together(int(count.sum()) for _, count in counts.values())
    room.require_predicting(row_count, len(classes), f"train.{model}")
    # Beside the folder of all models, which other stages read, and out of the way when DVC removes outputs.
    beside = trained.parent
    folders = Folders(pretrained, scratch.scratch_folder(beside, model, splits, settings))
    fitted = fitting.fit_shards(read.kind, splits, settings, folders)
    # After the fit: TensorFlow must set up several workers before it does anything else.
    held_out = None if "validation" in splits else crossvalidation.crossvalidate(read.kind, splits["train"], settings)
    if not workers.is_chief():  # of several workers that train one model, one writes
        return
    print(fitted)
    with outputs(trained / model, predictions / f"{model}{prediction_files.SUFFIX}") as (folder, rows):
        folder.mkdir()
        classifiers.write(fitted.layers, folder)
        model_inputs.write(read, folder / model_inputs.FILE)
        for name, write in fitted.files.items():
            write(folder / name)
        files.write_json(folder / prediction_files.RECORD, fitting.training_record(fitted, settings))
        if fitted.history is not None:
            names = {"train": "train", "watched": fitting.watched_split(splits)}
            split = [names[name] for name in fitted.history["split"]]
            files.write_csv(folder / "history.csv", fitted.history.assign(split=split))
        if held_out is not None:
            prediction_files.write([held_out], folder / prediction_files.HELD_OUT)
        write_manifest(folder)
        prediction_files.write(fitting.predict_shards(fitted.layers, splits), rows)
    for folder in beside.glob(f"{scratch.scratch_prefix(model)}*"):  # of this training, and of abandoned ones
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(run)
