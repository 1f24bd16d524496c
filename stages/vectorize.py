"""Turn the texts into sparse vectors: counts, presence or tf-idf of their words or letters.

Reads: SPLITS, Parquet files of each split, and the classes.
Writes: FEATURES, a folder with an npz for each of these files and the vectorizer as JSON; METRICS, the shape of each
split.
Params: vectorize.

Many shards are vectorized on all cores, or by the workers of the Dask scheduler at DASK_SCHEDULER_ADDRESS.
"""

from pathlib import Path

from textclf.core import files, stage
from textclf.core import resources as budget
from textclf.params import Params
from textclf.split import splitting
from textclf.vectorize import features


def run(params: Params, splits: Path, feature_folder: Path, metrics: Path) -> None:
    """Vectorize SPLITS into FEATURE_FOLDER and METRICS, with the vocabulary of the training rows."""
    sources, classes = splitting.shard_paths(splits), splitting.read_classes(splits)
    if any(len(paths) > 1 for paths in sources.values()):
        rows, shards, memory, disk = features.needs(sources, params.vectorize)
        budget.say(rows, shards, memory, disk)
        budget.require(feature_folder, disk, str(feature_folder))
    with files.outputs(feature_folder, metrics) as (folder, numbers):
        folder.mkdir()
        scratch = folder.parent / "scratch"
        scratch.mkdir()
        shapes = features.vectorize_shards(sources, params.vectorize, classes, folder, scratch)
        files.write_json(numbers, shapes)
    for name, shape in shapes.items():
        print(f"{name}: {shape['rows']} rows x {shape['features']} features, {shape['nonzeros']} nonzeros")


if __name__ == "__main__":
    stage.main(run)
