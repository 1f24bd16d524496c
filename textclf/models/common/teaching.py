"""A teacher: predictions made elsewhere, whose probabilities a model learns instead of labels.

Hinton, Vinyals, Dean (2015), Distilling the Knowledge in a Neural Network, arXiv:1503.02531.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from textclf.artifacts import external, features
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.external import External
from textclf.artifacts.features import Features
from textclf.artifacts.shards import Shards
from textclf.core.errors import UserError
from textclf.core.files import sha256_of_file
from textclf.core.formatting import count_noun
from textclf.core.unchanged import unchanged


@dataclass(frozen=True)
class Teacher:
    """Predictions, and how many training rows they have."""

    predictions: External
    rows: int

    def teach(self, rows: Features) -> Features:
        """Return the rows with the teacher's probabilities as targets.

        Rows without a prediction keep their labels.
        """
        positions = self.predictions.ids.get_indexer(pd.Index(rows.ids))
        is_known = positions >= 0
        targets = rows.probabilities()
        targets[is_known] = self.predictions.probabilities[positions[is_known]]
        return replace(rows, targets=targets)

    def teach_all(self, train: Dataset) -> Dataset:
        """Return the training rows, taught batch by batch; a single batch stays in memory."""
        if len(train) == 1:
            return Dataset.of_rows(self.teach(train.readers[0]()))
        readers = tuple(partial(lambda read: self.teach(read()), read) for read in train.readers)
        return replace(train, readers=readers)


def read_teacher(noted: Mapping[str, str], train: Shards[Features], rows: Dataset) -> Teacher:
    """Return the predictions in a file; `UserError` if it changed since the stage check."""
    path = Path(noted["file"])
    with unchanged(path, lambda: {path.name: sha256_of_file(path)}) as checksums:
        if checksums[path.name] != noted["sha256"]:
            raise UserError(f"{path} must not change during a run; it did; run dvc repro again")
        predictions = external.read(path, rows.classes.tolist(), rows.multilabel)
    known = 0
    for shard in train.paths:
        (ids,) = features.read_arrays(shard, "ids")
        known += int(predictions.ids.isin(ids).sum())
    if not known:
        raise UserError(
            f"{path} must have training rows to teach; got none of {count_noun(rows.rows, 'row')}"
        )
    return Teacher(predictions, known)
