"""GloVe's vectors as `words.txt`, a word per line, and `vectors.npy`, a float32 matrix with a row per word."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from textclf.core.files import write_npy
from textclf.pretrained.catalogue import VECTORS, WORDS


def from_text(source: Path, folder: Path) -> None:
    """Convert Stanford's text, lines of a word and its numbers between spaces, to the two files in `folder`."""
    words: list[str] = []

    def numbers(lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            word, _, rest = line.partition(" ")
            words.append(word)
            yield rest

    with source.open(encoding="utf-8", newline="\n") as lines:
        vectors = np.loadtxt(numbers(lines), dtype=np.float32, delimiter=" ", ndmin=2)
    _write(words, vectors, folder)


def from_arrays(index: Path, matrix: Path, folder: Path) -> None:
    """Convert a Parquet file with the column `index` of words, and the npy file of their vectors."""
    words: list[str] = pq.read_table(index, columns=["index"])["index"].to_pylist()
    _write(words, np.load(matrix, allow_pickle=False), folder)


def _write(words: list[str], vectors: NDArray[np.float32], folder: Path) -> None:
    (folder / WORDS).write_text("".join(f"{word}\n" for word in words), encoding="utf-8", newline="\n")
    with (folder / VECTORS).open("wb") as file:
        write_npy(file, vectors.astype("<f4", copy=False))
