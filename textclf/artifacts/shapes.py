"""The shapes of the features of one representation, and whether its folder is whole."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from textclf.artifacts import features
from textclf.artifacts.checksums import read_checked_json, write_checked_json, write_manifest

FILE = "shapes.json"  # in the folder of a representation, and of each model that was trained on it


@dataclass(frozen=True)
class Part:
    """The features of one representation of vectorize."""

    columns: int
    splits: Mapping[str, Mapping[str, int]]  # rows, features and nonzeros of each split
    notes: Mapping[str, float]  # further numbers, such as coverage


@dataclass(frozen=True)
class Shapes:
    """The features of a representation: their kind, and their parts by name.

    A pair of representations has several parts.
    """

    kind: str
    parts: Mapping[str, Part]

    @property
    def columns(self) -> int:
        """Return the number of columns."""
        return sum(part.columns for part in self.parts.values())


def write_features(shapes: Shapes, folder: Path) -> None:
    """Write the shapes into the folder of features, and its manifest.

    The manifest leaves out npz, which has checksums.
    """
    write(shapes, folder)
    write_manifest(folder, without=features.SUFFIX)


def write(shapes: Shapes, folder: Path) -> None:
    """Write the shapes into a folder."""
    write_checked_json(folder / FILE, asdict(shapes))


def read(folder: Path) -> Shapes:
    """Return the shapes in a folder; `UserError` if they are missing or damaged."""
    content = read_checked_json(folder / FILE, ("kind", "parts"))
    return Shapes(content["kind"], {name: Part(**part) for name, part in content["parts"].items()})
