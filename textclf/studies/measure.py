"""Trainings of a study: its rows, a model measured as by the pipeline, and a learning curve."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts import splits
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features
from textclf.artifacts.label_sets import count_labels
from textclf.artifacts.predictions import Predictions, concatenate
from textclf.core.errors import UserError
from textclf.core.scale import Scale
from textclf.evaluate.choose import choose_baseline, choose_decision
from textclf.evaluate.intervals import wilson
from textclf.evaluate.registry import compute
from textclf.evaluate.settings import Evaluate
from textclf.models.common.crossvalidation import crossvalidate
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import fit_model, predict
from textclf.models.settings import CONSTANT, Train
from textclf.split.draw import draw_rows
from textclf.split.settings import Split
from textclf.vectorize.in_memory import encode_labels, vectorize_splits
from textclf.vectorize.settings import Combine, Vectorize

STUDY_METRICS = ("accuracy", "log_loss")
# Share of the training rows that become validation rows if split.validation_size is 0.
VALIDATION_SIZE = 0.15
STEPS = 10


@dataclass(frozen=True)
class Sections:
    """The sections of params.yaml by which a model is trained and measured."""

    split: Split
    vectorize: Vectorize
    combine: Combine
    train: Train
    evaluate: Evaluate


@dataclass(frozen=True)
class Setup(Sections):
    """These sections, the folder of pretrained weights, and the scale of ordered classes."""

    pretrained: Path
    scale: Scale | None = None

    def model(self, name: str, **changes: Any) -> Any:
        """Return the settings of a model, some of them changed."""
        return self.train[name].model_copy(update=changes)


def measure(
    splits: Mapping[str, pd.DataFrame],
    classes: Sequence[str],
    name: str,
    setup: Setup,
    **changes: Any,
) -> dict[str, float]:
    """Return `STUDY_METRICS` on the test rows of a model, trained with changed settings."""
    settings = setup.model(name, **changes)
    validation = bool(settings.validation_choices())
    features = make_features(splits, classes, settings.features, setup, validation)
    metrics = measure_features(features, settings, setup)
    return {metric: metrics[metric] for metric in STUDY_METRICS}


def make_features(
    splits: Mapping[str, pd.DataFrame],
    classes: Sequence[str],
    representation: str,
    setup: Setup,
    validation: bool,
) -> dict[str, Features]:
    """Return the features of each split in a representation, a name in vectorize or combine.

    With `validation`, if there are no validation rows, `split.validation_size` or else
    `VALIDATION_SIZE` of the training rows become some.
    """
    if validation and "validation" not in splits:
        count = math.ceil((setup.split.validation_size or VALIDATION_SIZE) * len(splits["train"]))
        train, drawn = draw_rows(splits["train"], count, setup.split)
        splits = {"train": train, "validation": drawn, "test": splits["test"]}
    return vectorize_splits(
        splits, representation, setup.vectorize, setup.combine, classes, setup.pretrained
    )


def measure_features(
    features: Mapping[str, Features], settings: Any, setup: Setup
) -> dict[str, float]:
    """Return all metrics on the test rows of a model trained with these settings."""
    predictions = predict_held_out(features, settings, setup.pretrained)
    test = predictions[-1]
    if settings.kind == CONSTANT:
        decision = choose_baseline(features["train"].y, test.classes, setup.evaluate, setup.scale)
    else:
        rows = concatenate(predictions)
        choosing = rows.take(rows.split == "validation")
        if setup.evaluate.chooses and not len(choosing):  # then held-out training rows choose
            folders = Folders(setup.pretrained)
            held_out = crossvalidate(settings.kind, features["train"], settings, folders)
            choosing = held_out or choosing
        decision = choose_decision(choosing, setup.evaluate, scale=setup.scale)
    calibrated = decision.calibrate(test.probabilities)
    decided = decision.decide(calibrated)
    return dict(compute(test.y, calibrated, decided, decision.costs, decision.scale))


def predict_held_out(
    features: Mapping[str, Features], settings: Any, pretrained: Path
) -> list[Predictions]:
    """Return the predictions of a model with these settings for held-out rows, test rows last."""
    datasets = {split: Dataset.of_rows(part) for split, part in features.items()}
    model = fit_model(settings.kind, datasets, settings, Folders(pretrained)).layers
    return [predict(model, split, part) for split, part in features.items() if split != "train"]


def learning_curve(
    splits: Mapping[str, pd.DataFrame], classes: Sequence[str], setup: Setup
) -> pd.DataFrame:
    """Return `model`, `rows`, `accuracy` and its Wilson interval, per model and step.

    `STEPS` steps take the first tenth of the training rows, two tenths, and so on (their order is
    random). A step with too few rows of a class is left out; raise `UserError` if all are.
    """
    enough = max(setup.train[name].rows_per_class() for name in setup.train.names())
    curve = []
    for step in range(1, STEPS + 1):
        train = splits["train"].iloc[: max(1, len(splits["train"]) * step // STEPS)]
        y = encode_labels(train["label"], classes)
        counts = count_labels(y, len(classes))
        if y.ndim == 2:  # rows with or without a label
            counts = np.minimum(counts, len(train) - counts)
        if counts.min() < enough:
            continue
        for name in setup.train.names():
            accuracy = measure({**splits, "train": train}, classes, name, setup)["accuracy"]
            tested = len(splits["test"])
            low, high = wilson(round(accuracy * tested), tested, setup.evaluate.confidence)
            curve.append(
                {
                    "model": name,
                    "rows": len(train),
                    "accuracy": accuracy,
                    "accuracy_low": low,
                    "accuracy_high": high,
                }
            )
    if not curve:
        rarest = classes[int(counts.argmin())]
        raise UserError(
            f"each class must have at least {enough} training rows; {rarest} has {counts.min()}"
        )
    return pd.DataFrame(curve)


def read_split(folder: Path, name: str, wanted: NDArray[np.bool_] | None = None) -> pd.DataFrame:
    """Return the rows of a split, or the wanted ones, with the columns id, text, label and group.

    Rows that are not independent have the same `group`: that of the table, or else their normalised
    text, as a hash.
    """
    start, parts = 0, []
    shards = splits.open_shards(folder)[name]
    for rows, clusters in zip(shards, splits.open_clusters(folder, name), strict=True):
        keep = slice(None) if wanted is None else wanted[start : start + len(rows)]
        parts.append(rows[keep].assign(group=clusters[keep].astype(str)))
        start += len(rows)
    return pd.concat(parts, ignore_index=True)


def sample_rows(folder: Path, limit: int, seed: int) -> tuple[pd.DataFrame, int]:
    """Return the rows of all splits, with the column split besides, and their number.

    Of more rows than `limit`, a random sample of about so many is returned: all rows of a group or
    none.
    """
    clusters = {
        name: np.concatenate(list(splits.open_clusters(folder, name)))
        for name in splits.open_shards(folder)
    }
    together = np.concatenate(list(clusters.values()))
    wanted = np.ones(len(together), dtype=bool)
    if len(together) > limit:
        keys, group, sizes = np.unique(together, return_inverse=True, return_counts=True)
        order = np.random.default_rng(seed).permutation(len(keys))
        drawn = np.zeros(len(keys), dtype=bool)
        drawn[order[np.cumsum(sizes[order]) <= limit]] = True
        wanted = drawn[group]
    borders = np.cumsum([len(part) for part in clusters.values()])[:-1]
    parts = [
        read_split(folder, name, part).assign(split=name)
        for name, part in zip(clusters, np.split(wanted, borders), strict=True)
    ]
    return pd.concat(parts, ignore_index=True), len(together)
