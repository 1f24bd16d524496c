"""The splits as features of one representation, whatever its method."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.artifacts import splits
from textclf.artifacts.features import VECTORS
from textclf.artifacts.shapes import Part, Shapes
from textclf.artifacts.shards import Shards
from textclf.core import resources
from textclf.core.files import write_npy
from textclf.core.scripts import SOME, unspaced_share
from textclf.vectorize import representation
from textclf.vectorize.caveats import UNSPACED, reads_words
from textclf.vectorize.chunks import vectorize_chunks
from textclf.vectorize.representation import VECTORIZER

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 1000  # training texts, about, that are looked at for spaces between words

Rows = Mapping[str, "Shards[pd.DataFrame]"]


def vectorize(
    rows: Rows, classes: Sequence[str], name: str, settings: Any, folder: Path, pretrained: Path, kept: Path
) -> Shapes:
    """Write the features of the splits and the fitted representation to `folder`, and return their shapes.

    `name` is that of the representation; `pretrained` is the folder of pretrained weights. In the folder `kept`, which
    it creates if needed, may be what a process that was killed has done, so that this one goes on from there; it is
    left for the caller to remove once the features are in their place.
    """
    notes = _unspaced(rows) if reads_words(settings) else {}
    if settings.method == "terms":
        return _vectorize_terms(rows, classes, name, settings, folder, notes)
    fitted: Any = representation.fit(_training_texts(rows), settings, pretrained)
    kept.mkdir(exist_ok=True)
    shapes = vectorize_chunks(rows, fitted, classes, folder, kept)
    representation.write(fitted, folder / VECTORIZER)
    if (vectors := getattr(fitted, "vectors", None)) is not None:
        with (folder / VECTORS).open("wb") as file:
            write_npy(file, vectors)
    return Shapes(fitted.kind, {name: Part(fitted.columns, shapes, fitted.shape_notes() | notes)})


def _unspaced(rows: Rows) -> dict[str, float]:
    """Return the share of the training texts that have no spaces between their words, {} if it is small."""
    texts = splits.read_column(rows["train"].paths[0], "text")
    share = unspaced_share(texts[:: max(len(texts) // SAMPLE, 1)])
    return {UNSPACED: share} if share >= SOME else {}


def _training_texts(rows: Rows) -> Iterator[str]:
    return chain.from_iterable(splits.read_column(path, "text") for path in rows["train"].paths)


def _vectorize_terms(
    rows: Rows, classes: Sequence[str], name: str, settings: Any, folder: Path, notes: Mapping[str, float]
) -> Shapes:
    from textclf.vectorize.terms.sharded import estimate_room, vectorize_shards

    room = estimate_room(rows, settings)
    if any(len(shards) > 1 for shards in rows.values()):
        resources.announce(room.rows, room.shards, room.memory, room.disk)
        resources.require_disk(folder, room.disk, str(folder))
        resources.require_memory(room.memory, f"vectorize.{name}.analyzer {settings.analyzer}")
    (scratch := folder.parent / "scratch").mkdir()
    vectorizer, shapes = vectorize_shards(rows, settings, classes, folder, scratch, room.memory_per_shard)
    return Shapes(vectorizer.kind, {name: Part(vectorizer.columns, shapes, notes)})
