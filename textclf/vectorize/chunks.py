"""The splits vectorized chunk by chunk, by a representation that transforms each text by itself.

Every chunk is kept in a scratch folder, so that a run that was killed goes on with the next one. The features are those
of an undisturbed run to the byte, because no text changes the features of another.
"""

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from textclf.artifacts import features, shards, splits
from textclf.artifacts.features import Features, Matrix
from textclf.artifacts.shards import Shards
from textclf.core import workers
from textclf.core.files import sha256, sha256_of_file
from textclf.core.progress import bar
from textclf.vectorize.caveats import CUT

if TYPE_CHECKING:
    import pandas as pd
    from tqdm import tqdm

ROWS = 2048  # of a chunk: some seconds of work


class Transformer(Protocol):
    """A fitted representation whose features of a text do not depend on the other texts."""

    def transform(self, texts: Iterable[str]) -> Matrix:
        """Return the features of the texts."""
        ...

    def count_cut(self, texts: Iterable[str]) -> int:
        """Return how many of the texts are too long to be seen as a whole."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return what the representation learned."""
        ...


def vectorize_chunks(
    rows: "Mapping[str, Shards[pd.DataFrame]]",
    representation: Transformer,
    classes: Sequence[str],
    folder: Path,
    scratch: Path,
) -> dict[str, dict[str, int]]:
    """Write the features of every shard to `folder`, and return the shape of each split.

    A shape has `rows`, `features` and `nonzeros`, and `cut`, the number of texts that are too long, if there are some.
    Chunks are kept in a folder below `scratch`, whose name changes with the texts and the representation; it is left
    for the caller to remove once the features are in their place. Memory holds one shard. Raises `UserError` if a shard
    or a chunk is damaged.
    """
    paths = [path for split in rows.values() for path in split.paths]
    kept = scratch / fingerprint(paths, representation, classes)
    kept.mkdir(parents=True, exist_ok=True)
    shapes = {}
    with contextlib.closing(bar("vectorize", sum(map(_count_rows, paths)))) as progress:
        for name, split in rows.items():
            shapes[name] = {"rows": 0, "features": 0, "nonzeros": 0}
            for path in split.paths:
                shard, cut = _vectorize_shard(path, representation, classes, kept, progress)
                features.write(shard, folder / f"{path.stem}{features.SUFFIX}")
                shape = features.shape(shard) | ({CUT: cut} if cut else {})
                shapes[name]["features"] = shape.pop("features")
                for key, number in shape.items():
                    shapes[name][key] = shapes[name].get(key, 0) + number
    return shapes


def fingerprint(paths: Iterable[Path], representation: Transformer, classes: Sequence[str]) -> str:
    """Return 16 hexadecimal digits that change with the bytes of the shards, the representation and the classes."""
    texts = [[path.name, sha256_of_file(path)] for path in paths]
    content = [texts, representation.to_json(), list(classes), ROWS, shards.ROWS]
    return sha256(json.dumps(content, sort_keys=True).encode())[:16]


def _count_rows(path: Path) -> int:
    return len(splits.read_column(path, "id"))


def _vectorize_shard(
    path: Path, representation: Transformer, classes: Sequence[str], kept: Path, progress: "tqdm[Any]"
) -> tuple[Features, int]:
    """Return the features of a shard, and how many of its texts are too long.

    The features of a chunk come from its file if an earlier run wrote it.
    """
    shard = splits.read_shard(path)
    position = {name: number for number, name in enumerate(classes)}
    chunks, cut = [], 0
    for number, start in enumerate(range(0, len(shard), ROWS), start=1):
        target = shards.path(kept, path.stem, features.SUFFIX, number)
        rows = shard.iloc[start : start + ROWS]
        cut += representation.count_cut(rows["text"].tolist())
        if not target.exists():
            chunk = Features(
                rows["id"].to_numpy(dtype=str),
                representation.transform(rows["text"].tolist()),
                np.array([position[label] for label in rows["label"]], dtype=np.int64),
                np.array(classes, dtype=str),
            )
            with workers.atomic_path(target, kept) as temporary:
                features.write(chunk, temporary)
        chunks.append(features.read_shard(target))
        progress.update(len(chunks[-1].ids))
    return features.concatenate(chunks), cut
