"""Fit a model on the training rows, and predict the rows of every split.

A training resumes from a folder whose name is made here.
"""

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts import predictions
from textclf.artifacts.classifiers import Classifier
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features, Matrix
from textclf.artifacts.predictions import Predictions
from textclf.artifacts.shards import Shards
from textclf.core import workers
from textclf.core.errors import UserError
from textclf.core.files import reading
from textclf.core.ownership import SCRATCH
from textclf.core.progress import track
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.loading import load_model
from textclf.models.common.settings import ModelSettings

# From features, the scores of `textclf.artifacts.unknown`.
Scores = Callable[[Matrix], Mapping[str, NDArray[np.float64]]]


def fit_model(
    name: str,
    splits: Mapping[str, Dataset],
    settings: ModelSettings,
    folders: Folders,
    added: Features | None = None,
) -> Fitted:
    """Return the model fitted on the rows of `train` and those `added`.

    Raises `UserError` as `require_every_class` does.
    """
    package, train = load_model(name), splits["train"]
    require_every_class(train)
    watched = splits[watched_split(splits)]
    fitted: Fitted = package.fit(train.plus(added), watched, settings, folders)
    return fitted


def settled(settings: ModelSettings, record: Mapping[str, Any]) -> ModelSettings:
    """Return the settings with what a training chose, by its record.

    It may have chosen C, and the epoch at which it stopped early.
    """
    chosen = {
        name: record[name]
        for name, value in settings
        if isinstance(value, tuple) and name in record
    }
    if "early_stopping" in record:
        chosen |= {"early_stopping": None, "epochs": int(record["best_epoch"])}
    return settings.model_copy(update=chosen)


def training_record(fitted: Fitted, settings: ModelSettings) -> dict[str, int | float]:
    """Return the numbers about a training, early_stopping among them if it is set."""
    patience: int | None = getattr(settings, "early_stopping", None)
    if patience is None:
        return {**fitted.record}
    return {**fitted.record, "early_stopping": patience}


def predict(
    model: Classifier, split: str, part: Features, scores: Scores | None = None
) -> Predictions:
    """Return the model's predictions for rows of a split, with their scores if given a function."""
    return Predictions(
        ids=part.ids,
        split=np.full(len(part.y), split),
        y=part.y,
        probabilities=model.predict_proba(part.X),
        classes=model.classes,
        scores={} if scores is None else scores(part.X),
    )


def predict_shards(
    model: Classifier, splits: Mapping[str, Shards[Features]], scores: Scores | None = None
) -> Iterator[Predictions]:
    """Return the predictions of each shard in order, split by split.

    A run of one shard per split gets them all at once; otherwise a thread predicts a shard while
    the caller writes the one before.
    """

    def predict_shard(shard: tuple[str, Path]) -> Predictions:
        split, path = shard
        return predict(model, split, splits[split].read(path), scores)

    shards = [(split, path) for split, stored in splits.items() for path in stored.paths]
    predicted = workers.ahead(map(predict_shard, shards))
    parts = track(predicted, "predict", len(shards), "shard")
    return predictions.in_batches(parts, splits)


def watched_split(splits: Mapping[str, object]) -> str:
    """Return the name of the split that a model watches while it trains."""
    return "validation" if "validation" in splits else "test"


def require_every_class(train: Dataset) -> None:
    """Raise `UserError` unless there are training rows of every class.

    With several labels there must be rows with and without each label.
    """
    missing = train.classes[train.counts == 0]
    if len(missing):
        raise UserError(
            f"the training rows must hold every class; class {missing[0]} has none of "
            f"{train.rows}: set split.stratify to true, or smaller split.test_size and "
            "split.validation_size"
        )
    constant = train.classes[train.counts == train.rows]
    if train.multilabel and len(constant):
        raise UserError(
            f"the training rows must hold rows without each label; all {train.rows} have "
            f"{constant[0]}: leave the label out of the table"
        )


def scratch_prefix(model: str) -> str:
    """Return how the names of all scratch folders of a model begin."""
    return f".train-{model}-"


def scratch_folder(
    beside: Path, model: str, splits: Mapping[str, Shards[Features]], settings: object
) -> Path:
    """Return the folder from which a training with these shards and settings can resume."""
    return beside / f"{scratch_prefix(model)}{fingerprint(splits, settings)}{SCRATCH}"


def fingerprint(splits: Mapping[str, Shards[Features]], settings: object) -> str:
    """Return 16 hexadecimal digits that change with the settings and the shards.

    Shards are compared by the checksums in their zips.
    """
    digest = hashlib.sha256(repr(settings).encode())
    for split, shards in splits.items():
        for path in shards.paths:
            with reading(path), zipfile.ZipFile(path) as stored:
                for array in stored.infolist():
                    name = f"{split} {path.parent.name} {path.name} {array.filename}"
                    digest.update(f"{name} {array.file_size} {array.CRC}\n".encode())
    return digest.hexdigest()[:16]
