"""GloVe's vectors as `words.txt`, a word per line, and `vectors.npy`, a float32 matrix with a row per word."""

from pathlib import Path

import numpy as np

from textclf.core.files import write_npy
from textclf.pretrained.catalogue import VECTORS, WORDS


def convert(index: Path, matrix: Path, folder: Path) -> None:
    """Write both to `folder`, from a Parquet file with the column `index` of words, and an npy file of vectors."""
    import pyarrow.parquet as pq  # takes long to import

    words: list[str] = pq.read_table(index, columns=["index"])["index"].to_pylist()
    (folder / WORDS).write_text("".join(f"{word}\n" for word in words), encoding="utf-8", newline="\n")
    with (folder / VECTORS).open("wb") as file:
        write_npy(file, np.load(matrix, allow_pickle=False).astype("<f4", copy=False))
