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
from pathlib import Path

from textclf.artifacts import checked
from textclf.artifacts.checksums import verify_folder
from textclf.artifacts.predictions import SUFFIX
from textclf.core.outputs import outputs
from textclf.core.ownership import SCRATCH
from textclf.core.settings import load_section
from textclf.core.stage import main
from textclf.models.common import fitting, workers
from textclf.models.common.fitted import Folders
from textclf.models.common.loading import Entry
from textclf.models.common.training import Training


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
    """Train the model ITEM on the training rows of its features.

    ITEM is keras in the stage train@keras.
    """
    settings = load_section(f"train.{item}", Entry)
    read = features / settings.features
    verify_folder(read)
    teacher = checked.read_teacher(weights, item)
    training = Training(item, settings, read, teacher)
    # Beside the folder of all models, which other stages read, and out of the way when DVC removes
    # outputs.
    beside = trained.parent
    scratch = fitting.scratch_folder(beside, item, training.opened, (settings, teacher))
    folders = Folders(pretrained, scratch)
    # Some validation rows may be given.
    settled = checked.read_default(default) or "validation" in training.opened
    # TensorFlow must set up several workers before it does anything else.
    training.fit(folders)
    if not settled:
        training.crossvalidate(pretrained, splits)
    if not workers.is_chief():  # of several workers that train one model, one writes
        return
    training.predict_fewer(folders, splits)
    print(training.fitted)
    with outputs(trained / item, predictions / f"{item}{SUFFIX}") as (folder, rows):
        training.write(folder, rows)
    # Those of this training, and of abandoned ones.
    for folder in beside.glob(f"{fitting.scratch_prefix(item)}*{SCRATCH}"):
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(run)
