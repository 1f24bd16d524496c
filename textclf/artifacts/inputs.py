"""What one model reads: its representations, with a fingerprint of their features, and how they are put together.

The stage combine writes a file per model. The stage train depends on that file alone, since DVC can't say of which
folders of features a model makes use; the fingerprints stand for the features themselves.
"""

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from textclf.artifacts import features
from textclf.artifacts.checksums import read_checked_json, verify_folder, write_checked_json, write_manifest
from textclf.artifacts.features import Features
from textclf.artifacts.plan import ModelPlan
from textclf.artifacts.shards import Shards
from textclf.core.errors import UserError
from textclf.core.files import reading, require, sha256_of_file

FILE = "inputs.json"  # in the folder of a trained model: its inputs
SHAPES = "shapes.json"  # in the folder of a representation: see `Shapes`


@dataclass(frozen=True)
class Shapes:
    """The features of one representation: their kind, their width, and numbers about them.

    `splits` has rows, features and nonzeros of each split; `notes` further numbers, such as coverage.
    """

    kind: str
    columns: int
    splits: Mapping[str, Mapping[str, int]]
    notes: Mapping[str, float]


@dataclass(frozen=True)
class Block:
    """One representation that a model reads: the factor of its features, and the fingerprint of its folder."""

    name: str
    kind: str
    columns: int
    scale: float
    fingerprint: str


@dataclass(frozen=True)
class Inputs:
    """What a model is made from: its kind, the checksum of the kind's code, and its representations, in order."""

    kind: str
    code: str
    blocks: tuple[Block, ...]

    @property
    def columns(self) -> int:
        """Return the number of columns of all representations."""
        return sum(block.columns for block in self.blocks)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the representations."""
        return tuple(block.name for block in self.blocks)


def write_shapes(shapes: Shapes, folder: Path) -> None:
    """Write the shapes of a representation into its folder, and the manifest of the folder, whose npz it leaves out."""
    write_checked_json(folder / SHAPES, asdict(shapes))
    write_manifest(folder, without=features.SUFFIX)


def read_shapes(folder: Path) -> Shapes:
    """Return the shapes of a representation from its folder; `UserError` if they are missing or damaged."""
    names = ("kind", "columns", "splits", "notes")
    content = read_checked_json(folder / SHAPES, names)
    return Shapes(*(content[name] for name in names))


def write(inputs: Inputs, path: Path) -> None:
    """Write the inputs of a model as JSON."""
    write_checked_json(path, asdict(inputs))


def read(path: Path) -> Inputs:
    """Return the inputs of a model; `UserError` if the file is missing or damaged."""
    content = read_checked_json(path, ("kind", "code", "blocks"))
    return Inputs(content["kind"], content["code"], tuple(Block(**block) for block in content["blocks"]))


def combine(plan: ModelPlan, root: Path) -> Inputs:
    """Return the inputs of a model; `root` holds a folder of features per representation."""
    shapes = [read_shapes(root / name) for name in plan.features]
    for name in plan.features:
        verify_folder(root / name)
    several = len(plan.features) > 1
    blocks = tuple(
        Block(name, shape.kind, shape.columns, scale_of(root / name) if several else 1.0, fingerprint(root / name))
        for name, shape in zip(plan.features, shapes, strict=True)
    )
    return Inputs(plan.kind, plan.code, blocks)


def scale_of(folder: Path) -> float:
    """Return the factor by which the features of a representation are multiplied in a union: see `unit_scale`."""
    rows = squares = 0.0
    for part in features.open_shards(folder)["train"]:
        rows += len(part.y)
        squares += float(features.squared_norms(part.X).sum())
    return features.unit_scale(rows, squares)


def fingerprint(folder: Path) -> str:
    """Return 16 hexadecimal digits that change with the files of a folder of features.

    An npz is a zip, which has checksums of its arrays, so that no array is read.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix == features.SUFFIX:
            with reading(path), zipfile.ZipFile(path) as stored:
                for array in stored.infolist():
                    digest.update(f"{path.name} {array.filename} {array.file_size} {array.CRC}\n".encode())
        else:
            digest.update(f"{path.name} {sha256_of_file(path)}\n".encode())
    return digest.hexdigest()[:16]


def open_features(inputs: Inputs, root: Path) -> dict[str, Shards[Features]]:
    """Return the shards of each split, with the columns of all representations side by side.

    Raises `UserError` if the features are not those of which the inputs were made.
    """
    for block in inputs.blocks:
        if fingerprint(require(root / block.name)) != block.fingerprint:
            raise UserError(f"{root / block.name} must be as the stage combine found it; run dvc repro")
    first, *others = [features.open_shards(root / block.name) for block in inputs.blocks]
    if not others:
        return first
    read_all = partial(_read_side_by_side, inputs, root)
    return {
        split: Shards(parts.paths, read_all, [path for other in others for path in other[split].paths])
        for split, parts in first.items()
    }


def _read_side_by_side(inputs: Inputs, root: Path, path: Path) -> Features:
    """Return the features of a shard of all representations; `path` is that of the first."""
    parts = [features.read_shard(root / block.name / path.name) for block in inputs.blocks]
    X = features.stack_columns([part.X for part in parts], [block.scale for block in inputs.blocks])
    return Features(parts[0].ids, X, parts[0].y, parts[0].classes)
