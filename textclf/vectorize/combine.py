"""Two representations side by side, as one."""

from pathlib import Path

from textclf.artifacts import features, shapes
from textclf.artifacts.checksums import verify_folder
from textclf.artifacts.features import SPARSE, Features
from textclf.artifacts.shapes import Shapes
from textclf.core.files import read_versioned_json, write_versioned_json
from textclf.vectorize.representation import UNION, VECTORIZER


def combine(root: Path, names: tuple[str, str], folder: Path) -> Shapes:
    """Write the features of two representations below `root` side by side to `folder`, and return their shapes.

    Each is multiplied by the factor that makes the mean squared length of its training rows 1. Memory holds one shard.
    Raises `UserError` if a file is missing or damaged.
    """
    for name in names:
        verify_folder(root / name)
    scales = [scale_of(root / name) for name in names]
    first, second = (features.open_shards(root / name, unknown=True) for name in names)
    for split, parts in first.items():
        for left, right, path in zip(parts, second[split], parts.paths, strict=True):
            X = features.stack_columns([left.X, right.X], scales)
            features.write(Features(left.ids, X, left.y, left.classes), folder / path.name)
    blocks = [
        {"name": name, "scale": scale, "vectorizer": read_versioned_json(root / name / VECTORIZER)}
        for name, scale in zip(names, scales, strict=True)
    ]
    write_versioned_json(folder / VECTORIZER, {"method": UNION, "blocks": blocks})
    both = (shapes.read(root / name).parts for name in names)
    return Shapes(SPARSE, {name: part for parts in both for name, part in parts.items()})


def scale_of(folder: Path) -> float:
    """Return the factor by which the features of a representation are multiplied in a pair: see `unit_scale`."""
    rows = squares = 0.0
    for part in features.open_shards(folder)["train"]:
        rows += len(part.y)
        squares += float(features.squared_norms(part.X).sum())
    return features.unit_scale(rows, squares)
