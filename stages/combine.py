"""Put two representations side by side, as one that models can read.

Reads: FEATURES, the folders of the two.
Writes: into FEATURES the folder <pair>: the columns of both, each scaled to the same mean length of
a training row.
Params: combine.<pair>.
"""

from pathlib import Path

from textclf.artifacts import features as feature_files
from textclf.artifacts import packages, shapes
from textclf.artifacts.checksums import verify_folder
from textclf.artifacts.features import SPARSE, Features
from textclf.artifacts.shapes import Shapes
from textclf.core.files import read_versioned_json, write_versioned_json
from textclf.core.outputs import outputs
from textclf.core.settings import load_section
from textclf.core.stage import main
from textclf.vectorize.representation import UNION, VECTORIZER
from textclf.vectorize.settings import Pair


def run(*, item: str, features: Path = Path("data/features")) -> None:
    """Combine the two representations of ITEM, such as both of the stage combine@both."""
    pair = load_section(f"combine.{item}", Pair)
    with outputs(features / item) as (folder,):
        folder.mkdir()
        made = combine(features, (pair.first, pair.second), folder)
        packages.write(folder, features / pair.first, features / pair.second)
        shapes.write_features(made, folder)
    print(f"{item}: {pair.first} and {pair.second}, {made.columns:,} columns")


def combine(root: Path, names: tuple[str, str], folder: Path) -> Shapes:
    """Write the features of two representations side by side to `folder`; return their shapes.

    Each is multiplied by the factor that makes the mean squared length of its training rows 1.
    Memory holds one shard. Raises `UserError` if a file is missing or damaged.
    """
    for name in names:
        verify_folder(root / name)
    scales = [scale_of(root / name) for name in names]
    first, second = (feature_files.open_shards(root / name, unknown=True) for name in names)
    for split, parts in first.items():
        for left, right, path in zip(parts, second[split], parts.paths, strict=True):
            X = feature_files.stack_columns([left.X, right.X], scales)
            feature_files.write(Features(left.ids, X, left.y, left.classes), folder / path.name)
    blocks = [
        {"name": name, "scale": scale, "vectorizer": read_versioned_json(root / name / VECTORIZER)}
        for name, scale in zip(names, scales, strict=True)
    ]
    write_versioned_json(folder / VECTORIZER, {"method": UNION, "blocks": blocks})
    both = (shapes.read(root / name).parts for name in names)
    return Shapes(SPARSE, {name: part for parts in both for name, part in parts.items()})


def scale_of(folder: Path) -> float:
    """Return the factor of the features of a representation in a pair: see `unit_scale`."""
    rows = squares = 0.0
    for part in feature_files.open_shards(folder)["train"]:
        rows += len(part.y)
        squares += float(feature_files.squared_norms(part.X).sum())
    return feature_files.unit_scale(rows, squares)


if __name__ == "__main__":
    main(run)
