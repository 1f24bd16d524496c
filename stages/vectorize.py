"""Turn the texts into the features of one representation: sparse or dense vectors, or sequences of token ids.

Reads: PLAN, which says whether a model reads the representation; SPLITS, a folder with the rows of each split and the
classes; PRETRAINED, the folder of pretrained weights.
Writes: into FEATURES the folder <representation>: the features of each split as npz, the fitted representation as JSON,
and their shapes; a note alone if no model reads it.
Params: vectorize.<representation>.

Large splits are vectorized on all cores, or by the workers of the Dask scheduler at DASK_SCHEDULER_ADDRESS.
"""

import shutil
from pathlib import Path

from textclf.artifacts import inputs
from textclf.artifacts import plan as plans
from textclf.artifacts.splits import open_shards, read_classes
from textclf.core.outputs import outputs
from textclf.core.settings import load_section
from textclf.core.stage import item_of, main
from textclf.vectorize.caveats import caveats
from textclf.vectorize.settings import Representation
from textclf.vectorize.stage import vectorize

NOTE = "note.txt"


def run(*, stage: str, plan: Path, splits: Path, pretrained: Path, features: Path) -> None:
    """Vectorize the splits with the representation of STAGE, such as vectorize@words."""
    name = item_of(stage)
    settings = load_section(f"vectorize.{name}", Representation)
    target = features / name
    if not plans.is_used(plan, name):
        with outputs(target) as (folder,):
            folder.mkdir()
            (folder / NOTE).write_text("no model of train.models reads this representation\n", "utf-8")
        print(f"{name}: no model of train.models reads it")
        return
    rows, classes = open_shards(splits), read_classes(splits)
    kept = features.parent / f".vectorize-{name}.scratch"  # by a process that was killed, for the next to go on
    with outputs(target) as (folder,):
        folder.mkdir()
        shapes = vectorize(rows, classes, name, settings, folder, pretrained, kept)
        inputs.write_shapes(shapes, folder)
    shutil.rmtree(kept, ignore_errors=True)
    for split, shape in shapes.splits.items():
        print(f"{name}, {split}: {shape['rows']} rows x {shape['features']} features, {shape['nonzeros']} nonzeros")
    for sentence in caveats(name, settings, {**shapes.splits, **shapes.notes}):
        print(f"warning: {sentence}")


if __name__ == "__main__":
    main(run)
