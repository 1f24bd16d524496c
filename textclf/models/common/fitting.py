"""Fit a model on the training rows, and predict the rows of every split with it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts import features, predictions
from textclf.artifacts.classifiers import Classifier
from textclf.artifacts.features import Features
from textclf.artifacts.predictions import Predictions
from textclf.artifacts.shards import Shards
from textclf.core import resources
from textclf.core.errors import UserError
from textclf.core.progress import track
from textclf.core.threads import map_ahead
from textclf.models.common.class_weights import count_classes
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.loading import load_model
from textclf.models.common.settings import ModelSettings

COPIES = 3  # of the training rows in memory, at the peak of a fit that needs them all


def fit_model(
    name: str, splits: Mapping[str, Features], settings: ModelSettings, folders: Folders | None = None
) -> Fitted:
    """Return the model of that name, fitted on the rows of `train`.

    While it trains it watches the validation rows or, as in the lesson, the test rows if there are none. `folders` are
    for models that need them. Raises `UserError` if the training rows lack a class: most models would then give it no
    probability.
    """
    train = splits["train"]
    require_every_class(train.classes, np.bincount(train.y, minlength=len(train.classes)))
    return _fit(load_model(name), train, splits[watched_split(splits)], settings, folders)


def fit_shards(name: str, splits: Mapping[str, Shards[Features]], settings: ModelSettings, folders: Folders) -> Fitted:
    """Return the model of that name as `fit_model`, with one shard in memory at a time if a split has several.

    A model that cannot be fitted on a stream gets all training rows together; `UserError` if they do not fit into
    memory.
    """
    if all(len(shards) == 1 for shards in splits.values()):
        return fit_model(name, {split: next(iter(shards)) for split, shards in splits.items()}, settings, folders)
    package: Any = load_model(name)
    require_every_class(*count_classes(splits["train"]))
    train, watched = splits["train"], splits[watched_split(splits)]
    if hasattr(package, "fit_stream"):
        fitted: Fitted = package.fit_stream(train, watched, settings, folders.scratch)
        return fitted
    # An npz is not compressed: its arrays take in memory what they take on disk.
    size = sum(path.stat().st_size for path in (*train.files, *watched.files))
    resources.require_memory(COPIES * size, f"{name}, which does not train on a stream,")
    together, watched_rows = (features.concatenate(list(shards)) for shards in (train, watched))
    return _fit(package, together, watched_rows, settings, folders)


def _fit(package: Any, train: Features, watched: Features, settings: ModelSettings, folders: Folders | None) -> Fitted:
    """Return what the package's `fit` returns; it gets the folders if it needs them."""
    needed = (folders,) if getattr(package, "NEEDS_FOLDERS", False) else ()
    fitted: Fitted = package.fit(train, watched, settings, *needed)
    return fitted


def training_record(fitted: Fitted, settings: ModelSettings) -> dict[str, int | float]:
    """Return the numbers about a training, early_stopping among them if it is set."""
    patience: int | None = getattr(settings, "early_stopping", None)
    return {**fitted.record, **({} if patience is None else {"early_stopping": patience})}


def predict(model: Classifier, split: str, part: Features) -> Predictions:
    """Return the model's predictions for rows of a split."""
    return Predictions(
        ids=part.ids,
        split=np.full(len(part.y), split),
        y=part.y,
        probabilities=model.predict_proba(part.X),
        classes=model.classes,
    )


def predict_shards(model: Classifier, splits: Mapping[str, Shards[Features]]) -> Iterator[Predictions]:
    """Return the predictions of each shard in order, split by split; for a run of one shard per split, all at once.

    With several shards, a thread predicts the next one meanwhile.
    """

    def predict_shard(place: tuple[str, Path]) -> Predictions:
        split, path = place
        return predict(model, split, splits[split].read(path))

    places = [(split, path) for split, shards in splits.items() for path in shards.paths]
    several = len(places) > len(splits)
    parts = map_ahead(predict_shard, places, 1) if several else map(predict_shard, places)
    return predictions.in_batches(track(parts, "predict", len(places), "shard"), splits)


def watched_split(splits: Mapping[str, object]) -> str:
    """Return the name of the split that a model watches while it trains."""
    return "validation" if "validation" in splits else "test"


def require_every_class(classes: NDArray[np.str_], counts: NDArray[np.int64]) -> None:
    """Raise `UserError` unless there are training rows of every class."""
    if len(missing := np.flatnonzero(counts == 0)):
        raise UserError(
            f"the training rows must hold every class; class {classes[missing[0]]} has none of {counts.sum()}: "
            "set split.stratify to true, or smaller split.test_size and split.validation_size"
        )
