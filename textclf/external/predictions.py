"""Predictions made elsewhere, joined with the rows of a run."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from textclf.artifacts import splits
from textclf.artifacts.external import External, few
from textclf.artifacts.label_sets import is_multilabel, to_matrix
from textclf.artifacts.predictions import Predictions
from textclf.artifacts.shards import Shards
from textclf.core.errors import UserError
from textclf.core.files import UNKNOWN_SPLITS
from textclf.core.formatting import count_noun, split_rows


def join(
    external: External, parts: dict[str, Shards[pd.DataFrame]], classes: Sequence[str]
) -> Iterator[Predictions]:
    """Yield the predictions of the rows of each shard, in the order of the splits.

    The file must have all test and validation rows, and all or none of the rows of no class;
    `UserError` otherwise. If it lacks rows of no class or some training rows, which a teacher may,
    all of them have probabilities of NaN.
    """
    known = np.zeros(len(external.ids), dtype=bool)
    absent: dict[str, bool] = {}
    for split, shards in parts.items():
        ids = [name for path in shards.paths for name in splits.read_column(path, "id")]
        positions = external.ids.get_indexer(pd.Index(ids))
        missing = np.flatnonzero(positions < 0)
        optional = split in UNKNOWN_SPLITS
        absent[split] = optional and len(missing) == len(ids)
        if split == "train":
            absent[split] = len(missing) > 0
        if len(missing) and not absent[split]:
            wanted = f"{'all or none of the' if optional else 'all'} {split_rows(split)}"
            raise UserError(
                f"{external.path} must have {wanted}; {len(missing):,} of {len(ids):,} ids are "
                f"missing: {few(np.array(ids, dtype=object)[missing])}"
            )
        known[positions[positions >= 0]] = True
    if not known.all():
        unknown = count_noun(int((~known).sum()), "id")
        warnings.warn(
            f"{external.path} has {unknown} of no row: {few(external.ids[~known])}", stacklevel=2
        )
    for split, shards in parts.items():
        for path in shards.paths:
            rows = splits.read_table(path, ["id", "label"])
            ids = pd.Index(rows["id"].to_pylist())
            labels = rows["label"].combine_chunks()
            if is_multilabel(rows):
                y = to_matrix(labels, len(classes))
            else:
                y = labels.to_numpy().astype(np.int64)
            if absent[split]:
                probabilities = np.full((len(rows), len(classes)), np.nan)
            else:
                probabilities = external.probabilities[external.ids.get_indexer(ids)]
            yield Predictions(
                ids=ids.to_numpy(object),
                split=np.full(len(rows), split, dtype=object),
                y=y,
                probabilities=probabilities,
                classes=tuple(classes),
            )
