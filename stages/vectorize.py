"""Turn the texts into sparse vectors: counts, presence or tf-idf of their words or character n-grams.

Reads: SPLITS, a folder with the rows of each split and the classes.
Writes: FEATURES, a folder with the vectors of each split as npz and the fitted vectorizer as JSON; REPORT, the shape of
each split.
Params: vectorize.

Large splits are vectorized on all cores, or by the workers of the Dask scheduler at DASK_SCHEDULER_ADDRESS.
"""

from pathlib import Path

from textclf.artifacts.splits import open_shards, read_classes
from textclf.core import files, resources, stage
from textclf.core.outputs import outputs
from textclf.vectorize.terms.settings import Vectorize
from textclf.vectorize.terms.sharded import estimate_room, vectorize_shards


def run(vectorize: Vectorize, *, splits: Path, features: Path, report: Path) -> None:
    """Vectorize the splits with the vocabulary of the training rows."""
    rows, classes = open_shards(splits), read_classes(splits)
    room = estimate_room(rows, vectorize)
    if any(len(shards) > 1 for shards in rows.values()):
        resources.announce(room.rows, room.shards, room.memory, room.disk)
        resources.require_disk(features, room.disk, str(features))
        resources.require_memory(room.memory, f"vectorize.analyzer {vectorize.analyzer}")
    with outputs(features, report) as (feature_folder, report_file):
        feature_folder.mkdir()
        scratch = feature_folder.parent / "scratch"
        scratch.mkdir()
        shapes = vectorize_shards(rows, vectorize, classes, feature_folder, scratch, room.memory_per_shard)
        files.write_json(report_file, shapes)
    for name, shape in shapes.items():
        print(f"{name}: {shape['rows']} rows x {shape['features']} features, {shape['nonzeros']} nonzeros")


if __name__ == "__main__":
    stage.main(run)
