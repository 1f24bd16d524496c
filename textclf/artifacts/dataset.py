"""The rows of a split in batches of bounded size, on which a model is fitted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts import features
from textclf.artifacts.features import Features
from textclf.artifacts.label_sets import count_labels
from textclf.artifacts.shards import Shards
from textclf.core import resources, workers

COPIES = 3  # of the rows in memory, at the peak of a fit that needs them all


@dataclass(frozen=True)
class Dataset:
    """The rows of a split, as batches that are read when they are needed.

    A single batch stays in memory.
    """

    readers: tuple[Callable[[], Features], ...]  # each returns a batch
    classes: NDArray[np.str_]
    counts: NDArray[np.int64]  # (classes,): rows of each class, or with each label
    rows: int
    size: int = 0  # bytes in memory
    multilabel: bool = False  # whether a row has a set of labels

    @classmethod
    def of_rows(cls, rows: Features) -> "Dataset":
        """Return rows in memory as one batch."""
        counts = count_labels(rows.y, len(rows.classes))
        return cls((lambda: rows,), rows.classes, counts, len(rows.y), multilabel=rows.multilabel)

    @classmethod
    def of_shards(cls, shards: Shards[Features]) -> "Dataset":
        """Return a batch per shard; of several, only the labels are read now."""
        if len(shards) == 1:
            return cls.of_rows(next(iter(shards)))
        counts, rows = [], 0
        for path in shards.paths:
            classes, y = features.read_arrays(path, "classes", "y")
            counts.append(count_labels(y, len(classes)))
            rows += len(y)
        # An npz is not compressed: its arrays take in memory what they take on disk.
        size = sum(path.stat().st_size for path in shards.paths)
        readers = tuple(partial(shards.read, path) for path in workers.reachable(shards.paths))
        return cls(readers, classes, np.sum(counts, axis=0), rows, size, y.ndim == 2)

    def plus(self, added: Features | None) -> "Dataset":
        """Return these rows and, in the last batch, those `added`."""
        if added is None:
            return self
        *others, last = self.readers
        return replace(
            self,
            readers=(*others, lambda: features.concatenate([last(), added])),
            counts=self.counts + count_labels(added.y, len(self.classes)),
            rows=self.rows + len(added.y),
        )

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self.readers)

    def batches(self) -> Iterator[Features]:
        """Yield the batches in order, each read anew."""
        return (read() for read in self.readers)

    def all(self, model: str) -> Features:
        """Return all rows together.

        Raises `UserError`, which begins with the model, if memory does not hold them.
        """
        if len(self) > 1:
            resources.require_memory(
                COPIES * self.size, f"{model}, which does not train on a stream,"
            )
        return features.concatenate(list(self.batches()))

    @property
    def fewest(self) -> int:
        """The number of rows of the rarest class.

        With several labels, the fewest rows with or without a label.
        """
        others = self.rows - self.counts if self.multilabel else self.counts
        return int(np.minimum(self.counts, others).min())

    @property
    def columns(self) -> int:
        """The number of features; the first batch is read for it."""
        return int(self.readers[0]().X.shape[1])
