"""The memory that the probabilities of many classes take.

A run that needs too much is refused before its work starts.
"""

from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq

from textclf.artifacts import shards
from textclf.core import resources
from textclf.core.files import reading

IMPORTS = 120_000_000  # bytes of a process before it reads rows
MANY_CLASSES = 1000  # above, labels are more often a mistake than classes
NUMBER = 8  # bytes of a probability
# Matrices of probabilities (rows x classes) in memory while a model predicts, measured.
PREDICTING = 4
# While they are evaluated: such matrices, those of each model, and confusion matrices of each
# model, measured with 10,000 and 30,000 rows of 1,000 and 2,000 classes.
MEASURING = 2
MEASURING_MODEL = 4
CONFUSION = 3
ROW = 32  # bytes of a row besides, while it is evaluated


def rows_in_memory(rows: Iterable[int]) -> int:
    """Return how many rows are in memory at once: all, or those of a shard.

    `rows` are the numbers of rows of each split.
    """
    counts = list(rows)
    return sum(counts) if max(counts) <= shards.ROWS else shards.ROWS


def require_predicting(rows: int, classes: int, where: str) -> None:
    """Raise `UserError` unless a model can predict so many rows; `where` begins the line."""
    matrices = PREDICTING * NUMBER * rows * classes
    resources.require_memory(IMPORTS + matrices, _purpose(rows, classes, where))


def require_measuring(rows: int, classes: int, models: int, where: str) -> None:
    """Raise `UserError` unless predictions of the models for so many rows can be evaluated."""
    matrices = (MEASURING + MEASURING_MODEL * models) * NUMBER * rows * classes
    confusion = CONFUSION * models * NUMBER * classes**2
    need = IMPORTS + matrices + ROW * rows + confusion
    resources.require_memory(need, _purpose(rows, classes, where))


def _purpose(rows: int, classes: int, where: str) -> str:
    named = f"{classes:,} classes"
    if classes > MANY_CLASSES:
        named += " (are the labels classes, or texts or ids by mistake?)"
    return f"{where}: a probability of each of {named} for {rows:,} rows at once"


def size_of_predictions(path: Path) -> tuple[int, int]:
    """Return the number of rows of a file of predictions, and its number of classes."""
    with reading(path):
        metadata = pq.read_metadata(path)
        # The columns id, split and label are no classes.
        return metadata.num_rows, len(metadata.schema.names) - 3
