"""Pretrained word vectors of a vocabulary."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.tokens import PADDING
from textclf.core.files import reading
from textclf.pretrained.weights import require

WORDS, VECTORS = "words.txt", "vectors.npy"  # one word per line; one vector per word


def read_vectors(words: Sequence[str], root: Path, name: str) -> NDArray[np.float32]:
    """Return the vectors of the words, (words + 1, dimensions) float32: word i in row i + 1, zeros if it has none.

    Row `PADDING` is zeros. `root` holds a folder per catalogue name. Only the rows that are needed are read. Raises
    `UserError` if a file is missing or damaged.
    """
    rows = {word: row for row, word in enumerate(words, start=PADDING + 1)}
    path = require(root, name, WORDS)
    with reading(path), path.open(encoding="utf-8", newline="\n") as lines:
        known = [(row, rows[word]) for row, line in enumerate(lines) if (word := line.removesuffix("\n")) in rows]
    path = require(root, name, VECTORS)
    with reading(path):
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
        vectors = np.zeros((len(words) + 1, stored.shape[1]), dtype=np.float32)
        if known:
            places, targets = np.array(known).T
            vectors[targets] = stored[places]
    return vectors
