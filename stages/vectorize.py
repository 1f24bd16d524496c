"""Turn texts into the features of one representation: sparse or dense vectors, or token ids.

Reads: SPLITS, a folder with the rows of each split and the classes; PRETRAINED, the folder of
pretrained weights.
Writes: into FEATURES the folder <representation>: the features of each split as npz, the fitted
representation as JSON, their shapes, and the versions of the packages that computed them.
Params: vectorize.<representation>.

Large splits are vectorized on all cores, or by the workers of the Dask scheduler at
DASK_SCHEDULER_ADDRESS.
"""

import shutil
from pathlib import Path

from textclf.artifacts import packages, shapes
from textclf.artifacts.splits import open_shards, read_classes
from textclf.core.outputs import outputs
from textclf.core.settings import load_section
from textclf.core.stage import main
from textclf.vectorize.caveats import caveats
from textclf.vectorize.settings import Representation
from textclf.vectorize.stage import vectorize


def run(
    *,
    item: str,
    splits: Path = Path("data/splits"),
    pretrained: Path = Path("data/pretrained"),
    features: Path = Path("data/features"),
) -> None:
    """Vectorize the splits with the representation ITEM.

    ITEM is words in the stage vectorize@words.
    """
    settings = load_section(f"vectorize.{item}", Representation)
    rows, classes = open_shards(splits, unknown=True), read_classes(splits)
    # Left by a process that was killed, for the next to go on.
    scratch = features.parent / f".vectorize-{item}.scratch"
    with outputs(features / item) as (folder,):
        folder.mkdir()
        made = vectorize(rows, classes, item, settings, folder, pretrained, scratch)
        packages.write(folder)
        shapes.write_features(made, folder)
    shutil.rmtree(scratch, ignore_errors=True)
    part = made.parts[item]
    for split, shape in part.splits.items():
        print(
            f"{item}, {split}: {shape['rows']} rows x {shape['features']} features, "
            f"{shape['nonzeros']} nonzeros"
        )
    for sentence in caveats(item, settings, {**part.splits, **part.notes}):
        print(f"warning: {sentence}")


if __name__ == "__main__":
    main(run)
