"""The rows of a split as a model judges them, and their counts by actual and decided class.

`y` (rows,) holds the positions of the actual classes, `decided` (rows,) those of the decided ones.
Binary: the positive class is last. With several labels per text both are matrices (rows, labels) of
0 and 1, and the labels are the classes.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.decisions import Costs
from textclf.core.scale import Scale

Result = TypeVar("Result")
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
# Of each row a class, (rows,) int64, or a set of labels, (rows, labels) int8 of 0 and 1.
Labels = NDArray[Any]


def shown_classes(classes: int, multilabel: bool = False) -> range:
    """Return the positions of the classes with a curve; binary: the positive class alone."""
    return range(1, 2) if classes == 2 and not multilabel else range(classes)


def confusion_matrix(y: Labels, decided: Labels, classes: int) -> Ints:
    """Return the numbers of rows by actual and decided class, (classes, classes).

    With several labels per text a row counts for each pair of a label that it has and a label
    decided for it. With one, rows decided as no class (-1) are counted in one more column.
    """
    if y.ndim == 2:  # in doubles, whose products are exact and fast
        return (y.T.astype(np.float64) @ decided.astype(np.float64)).astype(np.int64)
    columns = classes + int((decided < 0).any())
    cells = columns * y + np.where(decided < 0, classes, decided)
    return np.bincount(cells, minlength=classes * columns).reshape(classes, columns)


@dataclass(frozen=True)
class Counts:
    """Counts of each class, all (classes,)."""

    correct: Floats  # rows of the class that are decided as it
    predicted: Floats  # rows decided as the class
    actual: Floats  # rows of the class
    rows: int | None = None  # None if each has one class, so that it is the sum over the classes

    def together(self) -> "Counts":
        """Return counts that are, for each class, those of all classes together."""
        correct, predicted, actual = (
            np.full_like(of, of.sum()) for of in (self.correct, self.predicted, self.actual)
        )
        return Counts(correct, predicted, actual, self.rows)

    @property
    def mistakes(self) -> Floats:
        """The rows for which each class is missed or wrongly decided."""
        return self.predicted + self.actual - 2 * self.correct

    @property
    def weights(self) -> Floats:
        """The weight of each class in a mean.

        It is the same for all labels, and for all classes that are actual or decided. Of two
        classes only the positive one counts. All as in scikit-learn.
        """
        classes, counted = self.actual.size, (self.actual > 0) | (self.predicted > 0)
        if self.rows is not None or classes == 2:
            counted = np.isin(np.arange(classes), shown_classes(classes, self.rows is not None))
        return np.asarray(counted / np.count_nonzero(counted), np.float64)


def _hash_labels(labels: Labels, classes: int, seed: int) -> NDArray[np.uint64]:
    """Return a random number of 64 bits for the class of each row, or for its set of labels.

    Sums of such numbers stand for what is summed, and are as seldom equal by chance.
    """
    numbers = np.random.default_rng(seed).integers(2**64, size=classes + 1, dtype=np.uint64)
    if labels.ndim == 1:  # the last number is that of -1
        return np.asarray(numbers[labels])
    hashes = np.full(len(labels), numbers[-1])
    for place in range(classes):
        hashes[labels[:, place] == 1] += numbers[place]
    return hashes


def margins(matrix: NDArray[Any]) -> Counts:
    """Return the counts of each class, (classes,), in a confusion matrix of single classes."""
    counts = matrix.astype(np.float64)
    return Counts(counts.diagonal(), counts.sum(axis=0)[: len(counts)], counts.sum(axis=1))


def label_counts(y: Labels, decided: Labels) -> Counts:
    """Return the counts of each label of rows with several, all (labels,)."""
    correct, predicted, actual = (
        labels.sum(axis=0, dtype=np.float64) for labels in (y & decided, decided, y)
    )
    return Counts(correct, predicted, actual, len(y))


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """The rows of a split and what a model says of them. Binary: the positive class is last."""

    # Positions of the actual classes, (rows,), or 0 and 1 for several labels, (rows, labels).
    y: Labels
    probabilities: Floats  # (rows, classes), calibrated
    decided: Labels  # in the form of `y`, -1 for none
    # Positions of the clusters of dependent rows, (rows,); None if all are independent.
    clusters: Ints | None = None
    stratified: bool = False  # whether the split fixed the shares of the classes
    costs: Costs | None = None  # those of `Decision`
    scale: Scale | None = None  # of ordered classes
    copies: Ints | None = None  # of `distinct` rows, (rows,)
    times: Ints | None = None  # of the clusters of `distinct` rows, (clusters,)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    @property
    def classes(self) -> int:
        """Return the number of classes or labels."""
        return int(self.probabilities.shape[1])

    @property
    def multilabel(self) -> bool:
        """Return whether a row has a set of labels."""
        return self.y.ndim == 2

    @property
    def binary(self) -> bool:
        """Return whether a row is of one of two classes."""
        return self.classes == 2 and not self.multilabel

    @cached_property
    def has_distances(self) -> bool:
        """Whether the classes are ordered, and all rows have an answer."""
        return self.scale is not None and not (self.decided < 0).any()

    @property
    def sides(self) -> int:
        """Return the number of classes of a decision: two for each of several labels per text."""
        return 2 if self.multilabel else self.classes

    @cached_property
    def constant(self) -> bool:
        """Whether the model gives the same probabilities to all rows."""
        first, last = self.probabilities[[0, -1]]  # which tell most models without a look at all
        return bool((first == last).all() and (self.probabilities == first).all())

    @cached_property
    def matrix(self) -> Ints:
        """The rows by actual and decided class, as `confusion_matrix`."""
        return confusion_matrix(self.y, self.decided, self.classes)

    @cached_property
    def counts(self) -> Counts:
        """The counts of each class."""
        return label_counts(self.y, self.decided) if self.multilabel else margins(self.matrix)

    @cached_property
    def distinct(self) -> "JudgedRows":
        """The rows without those that differ in nothing that is counted; all if independent.

        Of the rows of a cluster with the same class and decision there is one, which stands for
        `copies`. Of the clusters whose rows have the same ones there is one, which stands for so
        many, `times`. `counts` are those of all rows. Probabilities are those of one of the rows.
        """
        if self.clusters is None:
            return self
        import pandas as pd

        judged = _hash_labels(self.y, self.classes, 0) * _hash_labels(self.decided, self.classes, 1)
        sums = np.zeros(self.clusters.max(initial=-1) + 1, np.uint64)
        np.add.at(sums, self.clusters, judged)
        alike, kinds = pd.factorize(sums)
        # Of equal positions the last one that is assigned remains: the first cluster of its kind.
        firsts = np.zeros(len(kinds), np.int64)
        firsts[alike[::-1]] = np.arange(len(sums))[::-1]
        places = np.full(len(sums), -1)
        places[firsts] = np.arange(len(firsts))
        rows = np.flatnonzero(places[self.clusters] >= 0)
        clusters = places[self.clusters[rows]]
        _, own, copies = np.unique(
            judged[rows] + clusters.astype(np.uint64), return_index=True, return_counts=True
        )
        distinct = replace(
            self.take(rows[own]), clusters=clusters[own], copies=copies, times=np.bincount(alike)
        )
        vars(distinct)["counts"] = self.counts
        return distinct

    @cached_property
    def wrong(self) -> Bools:
        """Which rows the model decides wrongly, (rows,); a set of labels must be exactly right."""
        wrong = self.decided != self.y
        return np.asarray(wrong.any(axis=1) if self.multilabel else wrong)

    def is_actual(self, place: int) -> Bools:
        """Return which rows have the class or label at a place, (rows,)."""
        return self._is(self.y, place)

    def is_decided(self, place: int) -> Bools:
        """Return which rows the model decides as the class or label at a place, (rows,)."""
        return self._is(self.decided, place)

    def _is(self, labels: Labels, place: int) -> Bools:
        return np.asarray(labels[:, place] == 1 if self.multilabel else labels == place)

    def independent(self, members: Bools) -> int:
        """Return the number of clusters of some rows, or of these rows if all are independent.

        `members` (rows,) says which rows they are.
        """
        if self.clusters is None:
            return int(np.count_nonzero(members))
        present = np.zeros(self.clusters.max(initial=-1) + 1, dtype=bool)
        present[self.clusters[members]] = True
        return int(np.count_nonzero(present))

    def by_class(self, labels: Ints) -> Ints:
        """Return the number of clusters, or of independent rows, with each class, (classes,).

        A label of -1 is no class.
        """
        if self.clusters is not None:
            labels = np.unique(np.stack([labels, self.clusters]), axis=1)[0]
        return np.bincount(labels[labels >= 0], minlength=self.classes)

    @property
    def clusters_of_pairs(self) -> Ints:
        """The clusters of the pairs of row and label, (rows, labels); pairs of a row share one."""
        of_rows = np.arange(len(self)) if self.clusters is None else self.clusters
        return np.broadcast_to(of_rows[:, np.newaxis], self.y.shape)

    def take(self, chosen: Any) -> "JudgedRows":
        """Return the rows that are `chosen` (rows,)."""
        return replace(
            self,
            y=self.y[chosen],
            probabilities=self.probabilities[chosen],
            decided=self.decided[chosen],
            clusters=None if self.clusters is None else self.clusters[chosen],
        )

    @cached_property
    def results(self) -> dict[Any, Any]:
        """What `once` has computed."""
        return {}

    def once(self, function: Callable[..., Result], *arguments: Hashable) -> Result:
        """Return `function(rows, *arguments)`, computed once, since it may take seconds."""
        # A method is not equal to that of an equal metric, which another process sends.
        key = getattr(function, "__self__", None), function.__name__, arguments
        if key not in self.results:
            self.results[key] = function(self, *arguments)
        result: Result = self.results[key]
        return result
