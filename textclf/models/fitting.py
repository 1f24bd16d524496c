"""Fit one model on the training rows, and predict the rows of every split with it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import vstack

from textclf import models
from textclf.artifacts import predictions
from textclf.core import resources as budget
from textclf.core.errors import UserError
from textclf.core.progress import counted
from textclf.params import Section
from textclf.vectorize.features import Features, Shards

COPIES = 3  # of the training rows in memory, at the peak of a fit that wants them together


@dataclass(frozen=True)
class Trained:
    """A fitted model, what it predicts (a table of `predictions`), and the split it watched while it trained."""

    model: models.Model
    predictions: pd.DataFrame
    watched: str


@dataclass(frozen=True)
class Streamed:
    """As `Trained`, with the predictions as tables one after the other, made as they are asked for, once."""

    model: models.Model
    tables: Iterable[pd.DataFrame]
    watched: str


def train(name: str, splits: dict[str, Features], settings: Section) -> Trained:
    """The model of that name, fitted on the rows of `train`, with its predictions for every split.

    It watches the validation rows while it trains, or, as in the lesson, the test rows where there are none.
    `UserError` if the training rows lack a class: most models would then give no probability for it.
    """
    classes = splits["train"].classes
    require_every_class(classes, np.bincount(splits["train"].y, minlength=len(classes)))
    watched = watched_of(splits)
    model = models.module(name).fit(splits["train"], splits[watched], settings)
    probabilities = model.predict_proba(vstack([part.X for part in splits.values()], format="csr"))
    tables, start = [], 0
    for split, part in splits.items():
        tables.append(predictions.table(split, part, probabilities[start : (start := start + len(part.ids))]))
    return Trained(model, pd.concat(tables, ignore_index=True), watched)


def train_shards(name: str, splits: dict[str, Shards], settings: Section, scratch: Path) -> Streamed:
    """As `train`, of shards: where a split has several, one of them is in memory at a time, and so is its table.

    A model whose module has `fit_stream` is fitted by that, and may keep in the folder `scratch` what it needs to go on
    after it was killed. The others (linear_svm, nb_svm) are given all training rows together; `UserError` if these do
    not fit into memory.
    """
    if all(len(shards) == 1 for shards in splits.values()):
        trained = train(name, {split: shards.together() for split, shards in splits.items()}, settings)
        return Streamed(trained.model, [trained.predictions], trained.watched)
    require_every_class(*models.count_classes(splits["train"]))
    rows, watched, module = splits["train"], splits[watched_of(splits)], models.module(name)
    if isinstance(module, models.StreamModule):
        model = module.fit_stream(rows, watched, settings, scratch)
    else:
        # An npz is not compressed: its arrays take in memory what they take on disk.
        size = sum(path.stat().st_size for path in (*rows.paths, *watched.paths))
        budget.require_memory(COPIES * size, f"{name}, which does not train on a stream,")
        model = module.fit(rows.together(), watched.together(), settings)
    return Streamed(model, predicted(model, splits), watched_of(splits))


def predicted(model: models.Model, splits: Mapping[str, Shards]) -> Iterator[pd.DataFrame]:
    """A table of predictions of each shard, in order, split by split."""
    parts = ((split, part) for split, shards in splits.items() for part in shards)
    for split, part in counted(parts, "predict", sum(map(len, splits.values())), "shard"):
        yield predictions.table(split, part, model.predict_proba(part.X))


def watched_of(splits: Mapping[str, object]) -> str:
    """The split to watch while training."""
    return "validation" if "validation" in splits else "test"


def require_every_class(classes: NDArray[np.str_], counts: NDArray[np.int64]) -> None:
    """Nothing; `UserError` unless there are training rows of every class."""
    if len(missing := np.flatnonzero(counts == 0)):
        raise UserError(
            f"the training rows must hold every class; class {classes[missing[0]]} has none of {counts.sum()}: "
            "set split.stratify to true, or smaller split.test_size and split.validation_size"
        )
