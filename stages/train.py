"""Train one model, and predict every row with it.

Reads: below FEATURES the folder of the representation that its settings name; from PRETRAINED the
weights that the model starts from, if it does; below WEIGHTS the name and the checksum of the file
of its teacher, if it has one, and that file; DEFAULT, whether no choice needs predictions for
held-out training rows; from SPLITS which of these depend on each other.
Writes: into TRAINED the folder <model>: the fitted model with the shapes of its features, the
record and the history of its training, the versions of the packages that computed it, the means of
the classes if there are texts of no class and dense features and, where something is chosen and
there are no validation rows, its predictions for held-out training rows; into PREDICTIONS
<model>.parquet.
Params: train.<model>.
"""

import shutil
from functools import partial
from pathlib import Path

import numpy as np

from textclf.artifacts import checked, memory, packages, shapes
from textclf.artifacts import features as feature_files
from textclf.artifacts import predictions as prediction_files
from textclf.artifacts.checksums import verify_folder, write_manifest
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.splits import read_clusters_of, read_rounds
from textclf.artifacts.unknown import fit_means, scores_of, write_means
from textclf.core import files
from textclf.core.outputs import outputs
from textclf.core.ownership import SCRATCH
from textclf.core.settings import load_section
from textclf.core.stage import main
from textclf.models.common import crossvalidation, fitting, workers
from textclf.models.common.fitted import Folders
from textclf.models.common.loading import Entry


def run(
    *,
    item: str,
    features: Path = Path("data/features"),
    splits: Path = Path("data/splits"),
    pretrained: Path = Path("data/pretrained"),
    default: Path = Path("data/default.json"),
    weights: Path = Path("data/weights"),
    trained: Path = Path("data/trained"),
    predictions: Path = Path("data/predictions"),
) -> None:
    """Train the model ITEM, such as keras of the stage train@keras, on the training rows of its features."""
    settings = load_section(f"train.{item}", Entry)
    read = features / settings.features
    verify_folder(read)
    opened = feature_files.open_shards(read)
    predicted = feature_files.open_shards(read, unknown=True)
    unknown = len(predicted) > len(opened)  # texts of no class
    datasets = {name: Dataset.of_shards(shards) for name, shards in opened.items()}
    noted = checked.read_teacher(weights, item)
    teacher = None
    if noted is not None:
        from textclf.models.common.teaching import read_teacher  # which takes long to import

        teacher = read_teacher(noted, opened["train"], datasets["train"])
    row_count = memory.rows_in_memory(dataset.rows for dataset in datasets.values())
    memory.require_predicting(row_count, len(datasets["train"].classes), f"train.{item}")
    # Beside the folder of all models, which other stages read, and out of the way when DVC removes
    # outputs.
    beside = trained.parent
    folders = Folders(pretrained, fitting.scratch_folder(beside, item, opened, (settings, noted)))
    settled = checked.read_default(default) or "validation" in opened  # some may be given
    added = feature_files.read_class_texts(read) if settings.takes_class_texts else None
    if teacher:
        datasets["train"] = teacher.teach_all(datasets["train"])
    fitted = fitting.fit_model(settings.kind, datasets, settings, folders, added)
    # After the fit: TensorFlow must set up several workers before it does anything else.
    held_out, labelled = None, read_rounds(splits)
    chosen = fitting.settled(settings, fitting.training_record(fitted, settings))
    if not settled:
        drawn = crossvalidation.draw_rows(opened["train"])
        drawn = teacher.teach(drawn) if teacher else drawn
        clusters = read_clusters_of(splits, "train", drawn.ids)
        suggested = np.isin(drawn.ids, labelled.suggested) if labelled else None
        held_out = crossvalidation.crossvalidate(
            settings.kind, drawn, chosen, Folders(pretrained), clusters, unknown, added, suggested
        )
    if not workers.is_chief():  # of several workers that train one model, one writes
        return
    fewer = (
        [*crossvalidation.predict_fewer(datasets, labelled, chosen, folders, added)]
        if labelled
        else []
    )
    print(fitted)
    means = fit_means(datasets["train"]) if unknown else None
    scores = partial(scores_of, fitted.layers, means) if unknown else None
    with outputs(trained / item, predictions / f"{item}{prediction_files.SUFFIX}") as (
        folder,
        rows,
    ):
        folder.mkdir()
        fitted.write(folder)
        if means is not None:
            write_means(means, folder)
        shapes.write(shapes.read(read), folder)
        taught = {"taught": teacher.rows} if teacher else {}
        files.write_json(
            folder / prediction_files.RECORD,
            {**fitting.training_record(fitted, settings), **taught},
        )
        if fitted.history is not None:
            split = fitted.history["split"].replace("watched", fitting.watched_split(opened))
            files.write_csv(folder / "history.csv", fitted.history.assign(split=split))
        if held_out is not None:
            prediction_files.write([held_out], folder / prediction_files.HELD_OUT)
        if fewer:
            prediction_files.write(fewer, folder / prediction_files.ROUNDS)
        packages.write(folder, read)
        write_manifest(folder)
        prediction_files.write(fitting.predict_shards(fitted.layers, predicted, scores), rows)
    # Those of this training, and of abandoned ones.
    for folder in beside.glob(f"{fitting.scratch_prefix(item)}*{SCRATCH}"):
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(run)
