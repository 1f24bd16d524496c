"""The folder in which a training keeps what it needs to resume after a kill."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from textclf.artifacts.features import Features
from textclf.artifacts.shards import Shards
from textclf.core.files import reading


def scratch_prefix(model: str) -> str:
    """Return how the names of all scratch folders of a model begin."""
    return f".scratch-{model}-"


def scratch_folder(beside: Path, model: str, splits: Mapping[str, Shards[Features]], settings: object) -> Path:
    """Return the scratch folder of a training with these shards, settings and teacher; it need not exist."""
    return beside / f"{scratch_prefix(model)}{fingerprint(splits, settings)}"


def fingerprint(splits: Mapping[str, Shards[Features]], settings: object) -> str:
    """Return 16 hexadecimal digits that change with the settings and the shards, by the checksums in their zips."""
    digest = hashlib.sha256(repr(settings).encode())
    for split, shards in splits.items():
        for path in shards.paths:
            with reading(path), zipfile.ZipFile(path) as stored:
                for array in stored.infolist():
                    place = f"{split} {path.parent.name} {path.name} {array.filename}"
                    digest.update(f"{place} {array.file_size} {array.CRC}\n".encode())
    return digest.hexdigest()[:16]
