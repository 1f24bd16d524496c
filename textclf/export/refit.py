"""The default model anew, fitted on training and validation rows once these have been used."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from textclf.artifacts import features as feature_files
from textclf.artifacts.dataset import COPIES, Dataset
from textclf.artifacts.features import Features
from textclf.core import resources
from textclf.export.explanation import top_terms
from textclf.export.folder import Exported
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import settled
from textclf.models.common.loading import load_model
from textclf.vectorize import class_texts, in_memory
from textclf.vectorize.settings import Combine, Vectorize

SPLITS = ("train", "validation")


def require_memory(features: Path) -> None:
    """Raise `UserError` unless memory holds the rows of both splits with such features."""
    opened = feature_files.open_shards(features)
    size = sum(path.stat().st_size for split in SPLITS for path in opened[split].paths)
    resources.require_memory(COPIES * size, "export.refit, which takes all rows in memory,")


def refit(
    rows: pd.DataFrame,
    classes: Sequence[str],
    settings: Any,
    record: Mapping[str, float],
    vectorize: Vectorize,
    combine: Combine,
    pretrained: Path,
) -> tuple[Exported, Features]:
    """Return a model and its representation, fitted on the rows, and the features of these.

    `record` is that of the measured training, which has chosen C, or the epoch after which early
    stopping took the weights. No rows are watched.
    """
    vectorizer, features = in_memory.fit(
        rows, settings.features, vectorize, combine, classes, pretrained
    )
    settings = settled(settings, record)
    read = vectorize[settings.features] if settings.features in vectorize.names() else None
    added = class_texts.encode(read, vectorizer, classes) if settings.takes_class_texts else None
    rows_of = Dataset.of_rows(features).plus(added)
    fitted = load_model(settings.kind).fit(rows_of, None, settings, Folders(pretrained))
    return Exported(fitted.layers, (vectorizer,), fitted.write), features


def replace_terms(
    top: pd.DataFrame, name: str, exported: Exported, features: Features, count: int
) -> pd.DataFrame:
    """Return the table of `top_terms` with those of a model fitted anew on these features."""
    model: Any = exported.model
    if name not in set(top["model"]):
        return top
    X = feature_files.as_sparse(features).X
    table = top_terms({name: model}, [X.indices], [X], exported.vectorizers[0], count)
    groups = dict(list(top.groupby("model", sort=False))) | {name: table}
    return pd.concat(groups.values(), ignore_index=True)
