"""The splits as features of one representation, whatever its method."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.artifacts import splits
from textclf.artifacts.features import VECTORS
from textclf.artifacts.inputs import Shapes
from textclf.artifacts.shards import Shards
from textclf.core import resources
from textclf.core.npy import write_npy
from textclf.vectorize import representation
from textclf.vectorize.chunks import vectorize_chunks
from textclf.vectorize.representation import VECTORIZER

if TYPE_CHECKING:
    import pandas as pd

Rows = Mapping[str, "Shards[pd.DataFrame]"]


def vectorize(
    rows: Rows, classes: Sequence[str], name: str, settings: Any, folder: Path, pretrained: Path, kept: Path
) -> Shapes:
    """Write the features of the splits and the fitted representation to `folder`, and return their shapes.

    `name` is that of the representation; `pretrained` is the folder of pretrained weights. In the folder `kept`, which
    it creates if needed, may be what a process that was killed has done, so that this one goes on from there; it is
    left for the caller to remove once the features are in their place.
    """
    if settings.method == "terms":
        return _vectorize_terms(rows, classes, name, settings, folder)
    fitted: Any = representation.fit(_training_texts(rows), settings, pretrained)
    kept.mkdir(exist_ok=True)
    shapes = vectorize_chunks(rows, fitted, classes, folder, kept)
    representation.write(fitted, folder / VECTORIZER)
    if (vectors := getattr(fitted, "vectors", None)) is not None:
        with (folder / VECTORS).open("wb") as file:
            write_npy(file, vectors)
    return Shapes(fitted.kind, fitted.columns, shapes, fitted.shape_notes())


def _training_texts(rows: Rows) -> Iterator[str]:
    return chain.from_iterable(splits.read_column(path, "text") for path in rows["train"].paths)


def _vectorize_terms(rows: Rows, classes: Sequence[str], name: str, settings: Any, folder: Path) -> Shapes:
    from textclf.vectorize.terms.sharded import estimate_room, vectorize_shards

    room = estimate_room(rows, settings)
    if any(len(shards) > 1 for shards in rows.values()):
        resources.announce(room.rows, room.shards, room.memory, room.disk)
        resources.require_disk(folder, room.disk, str(folder))
        resources.require_memory(room.memory, f"vectorize.{name}.analyzer {settings.analyzer}")
    (scratch := folder.parent / "scratch").mkdir()
    vectorizer, shapes = vectorize_shards(rows, settings, classes, folder, scratch, room.memory_per_shard)
    return Shapes(vectorizer.kind, vectorizer.columns, shapes, {})
