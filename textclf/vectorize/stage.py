"""The splits as features of one representation, whatever its method."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.artifacts.inputs import Shapes
from textclf.artifacts.shards import Shards
from textclf.core import resources
from textclf.vectorize.terms.sharded import estimate_room, vectorize_shards

if TYPE_CHECKING:
    import pandas as pd


def vectorize(
    rows: "Mapping[str, Shards[pd.DataFrame]]",
    classes: Sequence[str],
    settings: Any,
    name: str,
    folder: Path,
    scratch: Path,
) -> Shapes:
    """Write the features of the splits and the fitted representation to `folder`, and return their shapes.

    `name` is that of the representation; temporary files go to `scratch`.
    """
    room = estimate_room(rows, settings)
    if any(len(shards) > 1 for shards in rows.values()):
        resources.announce(room.rows, room.shards, room.memory, room.disk)
        resources.require_disk(folder, room.disk, str(folder))
        resources.require_memory(room.memory, f"vectorize.{name}.analyzer {settings.analyzer}")
    vectorizer, shapes = vectorize_shards(rows, settings, classes, folder, scratch, room.memory_per_shard)
    return Shapes(vectorizer.kind, vectorizer.columns, shapes, {})
