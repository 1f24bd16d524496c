"""Sets of labels: as Arrow lists in files, and as matrices of 0 and 1 in memory."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textclf.core.arrow import array_of_numbers, large_array_of

if TYPE_CHECKING:
    import pyarrow as pa  # which predict does without

LabelMatrix = NDArray[np.int8]  # (rows, labels), 1 where a row has a label


def is_multilabel(table: "pa.Table") -> bool:
    """Return whether the column `label` of a table has a list of labels per row."""
    import pyarrow as pa

    return bool(pa.types.is_list(table.schema.field("label").type))


def to_matrix(positions: "pa.ListArray", labels: int) -> LabelMatrix:
    """Return lists of positions of labels, one per row, as a matrix (rows, labels) int8."""
    matrix = np.zeros((len(positions), labels), np.int8)
    rows = np.repeat(np.arange(len(positions)), np.diff(positions.offsets.to_numpy()))
    matrix[rows, positions.flatten().to_numpy(zero_copy_only=False)] = 1
    return matrix


def to_names(matrix: NDArray[np.integer], names: Sequence[str]) -> "pa.ListArray":
    """Return the names of each row's labels in a matrix (rows, labels), in the order of `names`."""
    import pyarrow as pa

    offsets = np.concatenate([[0], np.cumsum(matrix.sum(axis=1, dtype=np.int64))]).astype(np.int32)
    values = large_array_of(names).cast(pa.string()).take(array_of_numbers(np.nonzero(matrix)[1]))
    return pa.ListArray.from_arrays(array_of_numbers(offsets), values)


def of_actual(
    probabilities: NDArray[np.float64], y: NDArray[np.int64] | LabelMatrix
) -> NDArray[np.float64]:
    """Return the probability of the actual class, (rows,).

    With several labels, that of the actual value of each label, (rows, labels).
    """
    if y.ndim == 2:
        return np.where(y, probabilities, 1 - probabilities)
    return probabilities[np.arange(len(y)), y]


def rarest(y: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the class of each row, (rows,), or the rarest label of each row of a matrix.

    The matrix is (rows, labels). A row without labels gets the number of labels. So stratification
    by class also keeps the share of rare labels.
    """
    if y.ndim == 1:
        return np.asarray(y, np.int64)
    order = np.argsort(y.sum(axis=0, dtype=np.int64), kind="stable")
    return np.asarray(np.where(y.any(axis=1), order[y[:, order].argmax(axis=1)], y.shape[1]))


def count_labels(y: NDArray[np.int64] | LabelMatrix, classes: int) -> NDArray[np.int64]:
    """Return the number of rows of each class, (classes,).

    If `y` is a matrix (rows, classes), that of the rows with each label.
    """
    if y.ndim == 2:
        return np.asarray(y.sum(axis=0, dtype=np.int64))
    return np.bincount(y, minlength=classes)


def most_frequent_set(y: LabelMatrix) -> LabelMatrix:
    """Return the most frequent set of labels, (labels,); of equally frequent ones the first."""
    import pyarrow as pa

    packed = np.packbits(y, axis=1)
    width = pa.binary(packed.shape[1])
    sets = pa.FixedSizeBinaryArray.from_buffers(width, len(y), [None, pa.py_buffer(packed)])
    codes = sets.dictionary_encode().indices.to_numpy()
    return np.asarray(y[np.argmax(codes == np.bincount(codes).argmax())])
