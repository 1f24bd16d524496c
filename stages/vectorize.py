"""Turn the texts into sparse vectors: counts, presence or tf-idf of their words or letters.

Reads: SPLITS, a Parquet file a split, and the classes.
Writes: FEATURES, a folder with an npz a split and the vectorizer as JSON; METRICS, the shape of each split.
Params: vectorize.
"""

from pathlib import Path

from textclf import features, files, splitting, stage
from textclf.params import Params


def run(params: Params, splits: Path, feature_folder: Path, metrics: Path) -> None:
    """Vectorize SPLITS into FEATURE_FOLDER and METRICS, with the vocabulary of the training rows."""
    parts, vectorizer = features.vectorize(splitting.read(splits), params.vectorize, splitting.read_classes(splits))
    shapes = {name: features.shape(part) for name, part in parts.items()}
    with files.outputs(feature_folder, metrics) as (folder, numbers):
        folder.mkdir()
        for name, part in parts.items():
            features.write(part, folder / f"{name}.npz")
        features.write_vectorizer(vectorizer, folder / features.VECTORIZER)
        files.write_json(numbers, shapes)
    for name, shape in shapes.items():
        print(f"{name}: {shape['rows']} rows x {shape['features']} features, {shape['nonzeros']} nonzeros")


if __name__ == "__main__":
    stage.main(run)
