"""The representations of the models, and the terms that weigh most for each class of those that read terms."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from textclf.artifacts import features as feature_files
from textclf.artifacts.checksums import verify_files
from textclf.core.progress import track
from textclf.export.explanation import COLUMNS, top_terms
from textclf.vectorize import representation
from textclf.vectorize.representation import VECTORIZER


def read_vectorizer(folder: Path, shared: Path) -> Any:
    """Return the fitted representation in a folder of features; `shared` holds the pretrained weights."""
    read = representation.read(folder / VECTORIZER, shared)
    verify_files(folder, [VECTORIZER])
    return read


def terms_of_models(
    models: Mapping[str, Any],
    reads: Mapping[str, str],
    vectorizers: Mapping[str, Any],
    features: Path,
    count: int,
) -> pd.DataFrame:
    """Return the table of `top_terms` of all models whose features have terms, in their order.

    `reads` maps models to their representations, `vectorizers` these to what fitted them. Models that read the same
    features are done together, so that these are read once.
    """
    groups: dict[str, list[str]] = {}
    for name, read in reads.items():
        if hasattr(vectorizers[read], "terms"):
            groups.setdefault(read, []).append(name)
    tables = []
    for read, names in groups.items():
        shards = feature_files.open_shards(features / read)["train"]
        rows = (shard.X for shard in track(shards, "training rows read", len(shards), "shard"))
        tables.append(top_terms({name: models[name] for name in names}, rows, vectorizers[read].terms(), count))
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    together = pd.concat(tables, ignore_index=True)
    return pd.concat([together[together["model"] == name] for name in models], ignore_index=True)
