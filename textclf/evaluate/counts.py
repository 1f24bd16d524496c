"""Counts of rows by their actual and decided class.

`y` (rows,) holds the positions of the actual classes, `decided` (rows,) those of the decided ones. Binary: the positive
class is last. With several labels per text both are matrices (rows, labels) of 0 and 1, and the labels are the classes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Labels = NDArray[Any]  # of each row a class, (rows,) int64, or a set of labels, (rows, labels) int8 of 0 and 1


def shown_classes(classes: int, multilabel: bool = False) -> range:
    """Return the positions of the classes with a curve of their own: the positive one of two, each of more or label."""
    return range(1, 2) if classes == 2 and not multilabel else range(classes)


def confusion_matrix(y: Labels, decided: Labels, classes: int) -> Ints:
    """Return the numbers of rows by actual and decided class, (classes, classes).

    With several labels per text a row counts for each pair of a label that it has and a label decided for it. With one,
    rows decided as no class (-1) are counted in one more column.
    """
    if y.ndim == 2:  # in doubles, whose products are exact and fast
        return (y.T.astype(np.float64) @ decided.astype(np.float64)).astype(np.int64)
    columns = classes + int((decided < 0).any())
    counts = np.bincount(columns * y + np.where(decided < 0, classes, decided), minlength=classes * columns)
    return counts.reshape(classes, columns)


@dataclass(frozen=True)
class Counts:
    """Counts of each class, all (classes,)."""

    correct: Floats  # rows of the class that are decided as it
    predicted: Floats  # rows decided as the class
    actual: Floats  # rows of the class
    rows: int | None = None  # None if each has one class, so that it is the sum over the classes

    def together(self) -> "Counts":
        """Return counts that are, for each class, those of all classes together."""
        correct, predicted, actual = (np.full_like(of, of.sum()) for of in (self.correct, self.predicted, self.actual))
        return Counts(correct, predicted, actual, self.rows)

    @property
    def mistakes(self) -> Floats:
        """The rows for which each class is missed or wrongly decided."""
        return self.predicted + self.actual - 2 * self.correct

    @property
    def weights(self) -> Floats:
        """The weight of each class in a mean: the same for all labels, and for all classes that are actual or decided.

        Of two classes only the positive one counts. All as in scikit-learn.
        """
        classes, counted = self.actual.size, (self.actual > 0) | (self.predicted > 0)
        if self.rows is not None or classes == 2:
            counted = np.isin(np.arange(classes), shown_classes(classes, self.rows is not None))
        return np.asarray(counted / np.count_nonzero(counted), np.float64)


def margins(matrix: NDArray[Any]) -> Counts:
    """Return the counts of each class in a confusion matrix of rows with one class each, all (classes,)."""
    counts = matrix.astype(np.float64)
    return Counts(counts.diagonal(), counts.sum(axis=0)[: len(counts)], counts.sum(axis=1))


def label_counts(y: Labels, decided: Labels) -> Counts:
    """Return the counts of each label of rows with several, all (labels,)."""
    correct, predicted, actual = (each.sum(axis=0, dtype=np.float64) for each in (y & decided, decided, y))
    return Counts(correct, predicted, actual, len(y))
